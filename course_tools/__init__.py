"""What maintainers run: notebooks, book pages, checks. Students never need this package."""
