"""Encoder and network in one object; its settings, folder on disk and words. Chapters 8 and 9."""
