"""The command `genre-lib`."""
