"""Encoder and network in one object, its settings, its folder on disk, its words. Chapter 6."""
