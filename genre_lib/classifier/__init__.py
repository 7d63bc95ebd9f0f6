"""Encoder and network in one object; its settings, folder on disk and words. Chapters 6 and 7."""
