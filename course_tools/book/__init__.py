"""What the book adds to its pages when Sphinx builds them, and its PDF and slides."""
