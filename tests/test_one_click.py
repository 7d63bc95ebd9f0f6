"""What opens the course elsewhere: Binder, a development container, Colab on a GPU."""

import json
import os
import re

from packaging.specifiers import SpecifierSet
from test_lock import PYTHONS, tomllib

from course_tools.notebooks.chapters import ROOT, find_chapters
from course_tools.notebooks.make import GPU, ON_GPU

CONTAINER = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text("utf8"))


def test_pythons_are_among_those_that_are_supported():
    binder = re.fullmatch(r"python-(3\.\d+)\n", (ROOT / "binder/runtime.txt").read_text())[1]
    container = re.search(r"/python:(3\.\d+)-", CONTAINER["image"])[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
    for python in (binder, container):
        assert python in PYTHONS
        assert SpecifierSet(project["requires-python"]).contains(python)


def test_binder_takes_the_versions_of_the_lock():
    lines = (ROOT / "binder/requirements.txt").read_text().splitlines()
    named = dict(line.split(" ", 1) for line in lines if line.startswith("--"))
    assert (ROOT / "binder" / named["--constraint"]).resolve() == ROOT / "requirements.txt"
    assert (ROOT / named["--editable"] / "pyproject.toml").is_file()
    assert os.access(ROOT / "binder/postBuild", os.X_OK)


def test_container_installs_by_a_target_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text("utf8")
    target = CONTAINER["postCreateCommand"].removeprefix("make ")
    assert f"INSTALLED := {target}\n" in makefile and "$(INSTALLED): requirements.txt" in makefile
    interpreter = CONTAINER["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert interpreter == "${containerWorkspaceFolder}/.venv/bin/python"


def test_colab_opens_the_networks_chapters_on_a_gpu():
    chapters = find_chapters()
    assert {chapter.name for chapter in chapters} >= set(ON_GPU)
    for chapter in chapters:
        metadata = chapter.notebook().metadata
        stored = {key: metadata[key] for key in GPU if key in metadata}
        assert stored == (GPU if chapter.name in ON_GPU else {}), chapter.name
