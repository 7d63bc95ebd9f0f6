"""Grading of submitted notebooks, each in a sandbox; ``course_tools.grade`` is the command."""
