"""The networks of the page "Try it": trained, packed, and their answers to five examples."""

from course_tools.notebooks.chapters import ROOT

TASKS = ("lyrics", "features", "combined")
FOLDER = ROOT / "book/_static/live"
HEADER, NUMBERS = "networks.json", "networks.bin"
RESULT = ROOT / "benchmarks/results/live.json"
GUESSES = ROOT / "benchmarks/results/guess.json"
