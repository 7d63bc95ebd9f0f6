"""One training loop for every network. Chapter 4."""
