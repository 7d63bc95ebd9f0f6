"""What answers the reader in the book's pages: `places` puts it there; `live/` has its scripts."""
