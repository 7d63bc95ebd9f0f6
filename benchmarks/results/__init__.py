"""Results kept as small JSON files; installed as ``genre_lib.results``."""
