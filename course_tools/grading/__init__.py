"""Grading of submitted notebooks, each in a sandbox; ``grade`` is the command."""
