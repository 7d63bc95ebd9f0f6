"""One loop that trains every network. Chapter 3."""
