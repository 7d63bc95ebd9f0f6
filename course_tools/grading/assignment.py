"""A built assignment, as the grader needs it: its parts, and the cells that students were given."""

from __future__ import annotations

import hashlib
import json
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from course_tools.notebooks.chapters import ROOT

if TYPE_CHECKING:
    from otter.test_files import test_case

DIST = ROOT / "dist/assignments"


class Assignment:
    """One built assignment; its tests are loaded where they are run."""

    def __init__(self, folder: Path):
        self.folder, self.name = folder, folder.name
        points = json.loads((folder / "points.json").read_text("utf8"))
        self.parts: dict[str, dict] = points["parts"]
        self.given: list[str] = points["given"][1:]  # the first holds the student's id
        paths = [folder / "points.json", *sorted((folder / "tests").glob("*.py"))]
        rubric = folder / "rubric.md"
        self.rubric = rubric.read_text("utf8") if rubric.exists() else ""
        self._files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        self.digest = hashlib.sha256(b"".join(self._files.values())).hexdigest()

    @property
    def automatic(self) -> list[str]:
        """The parts that tests grade."""
        return [name for name, part in self.parts.items() if not part["manual"]]

    @property
    def manual(self) -> list[str]:
        """The parts that a person reads."""
        return [name for name, part in self.parts.items() if part["manual"]]

    @cached_property
    def tests(self) -> dict[str, list[test_case]]:
        """The tests by part."""
        from course_tools.handouts.run_tests import load_tests  # imports torch, which takes seconds

        with tempfile.TemporaryDirectory() as folder:
            self._unpack(Path(folder))
            return load_tests(Path(folder) / "tests")

    def _unpack(self, folder: Path) -> None:
        for file, content in self._files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def __getstate__(self) -> dict:
        """How it travels to another process or machine: as its files, not as functions."""
        return {key: value for key, value in self.__dict__.items() if key != "tests"}


def find_assignment(number: str, dist: Path = DIST) -> Assignment:
    """The built assignment whose name begins with `number`.

    Raises:
        ValueError: there is none, or more than one.
    """
    found = sorted((dist / "instructor").glob(f"{number}*/points.json"))
    if len(found) != 1:
        raise ValueError(f"There is no built assignment {number!r}: run `make assignments` first.")
    return Assignment(found[0].parent)
