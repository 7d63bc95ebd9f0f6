"""What students handed in: a folder or an LMS's zip, one notebook a student."""

from __future__ import annotations

import json
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LARGEST = 20_000_000  # bytes of a notebook; a student's has some tens of thousands
# Canvas: lovelaceada_LATE_12345_67890_02_one_loader-1.ipynb
CANVAS = re.compile(r"(?P<student>[^_/]+)_(?P<late>LATE_)?(?P<id>\d+)_(?P<file>\d+)_.*\.ipynb")
# Moodle: a folder for each student, Ada Lovelace_12345_assignsubmission_file_/02_one_loader.ipynb
MOODLE = re.compile(r"(?P<student>[^/]+)_(?P<id>\d+)_assignsubmission_[^/]*/(?:.*/)?[^/]+\.ipynb")


@dataclass(frozen=True)
class Submission:
    """One student's notebook, read but not trusted."""

    student: str
    lms_id: str
    late: bool
    file: str
    content: bytes
    fault: str = ""
    """Why it can't be read, where it can't."""


def read_submissions(path: Path) -> list[Submission]:
    """All submissions of a folder or a zip, by student; of several of one student the last.

    Raises:
        ValueError: there is nothing at `path` that can be graded.
    """
    if path.is_dir():
        files = _files_of_folder(path)
    elif path.suffix == ".zip" and zipfile.is_zipfile(path):
        files = _files_of_zip(path)
    else:
        raise ValueError(f"{path} is neither a folder nor a zip: give what the LMS exports.")
    found: dict[str, Submission] = {}
    for name, content, fault in sorted(files, key=lambda file: _natural(file[0])):
        submission = identify(name, content, fault)
        found[submission.student + submission.lms_id] = submission
    if not found:
        raise ValueError(f"{path} holds no notebook (.ipynb).")
    return sorted(found.values(), key=lambda one: (one.student.lower(), one.lms_id))


def identify(name: str, content: bytes, fault: str) -> Submission:
    """Whose notebook it is, by its file's name; without an LMS's form the name is the student's."""
    match = MOODLE.fullmatch(name) or CANVAS.fullmatch(name.rsplit("/", 1)[-1])
    if match is None:
        return Submission(Path(name).stem, "", False, name, content, fault)
    late = bool(match.groupdict().get("late"))
    return Submission(match["student"], match["id"], late, name, content, fault)


def _natural(name: str) -> list:
    """A key that puts 9 before 10: an LMS numbers what is handed in."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _wanted(name: str) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    return name.lower().endswith(".ipynb") and not hidden


def _files_of_folder(folder: Path) -> Iterator[tuple[str, bytes, str]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not _wanted(name):
            continue
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            yield name, b"", "is no file but a link or a folder"
        elif status.st_size > LARGEST:
            yield name, b"", _too_large(status.st_size)
        else:
            yield name, path.read_bytes(), ""


def _files_of_zip(path: Path) -> Iterator[tuple[str, bytes, str]]:
    with zipfile.ZipFile(path) as archive:
        for info in sorted(archive.infolist(), key=lambda info: info.filename):
            if not _wanted(info.filename):
                continue
            if info.file_size > LARGEST:
                yield info.filename, b"", _too_large(info.file_size)
                continue
            try:
                with archive.open(info) as member:  # its size may be a lie
                    content = member.read(LARGEST + 1)
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError):
                yield info.filename, b"", "can't be unpacked"
                continue
            fault = _too_large(len(content)) if len(content) > LARGEST else ""
            yield info.filename, b"" if fault else content, fault


def _too_large(size: int) -> str:
    return f"has {size / 1e6:.0f} MB, more than the {LARGEST / 1e6:.0f} MB that are read"


def read_cells(submission: Submission, assignment: str) -> list[str]:
    """The notebook's code cells.

    Raises:
        ValueError: it can't be graded; the message says why.
    """
    if submission.fault:
        raise ValueError(f"the file {submission.fault}")
    try:
        notebook = json.loads(submission.content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text") from None
    except (json.JSONDecodeError, RecursionError):
        raise ValueError("the file is no JSON: it was cut off or is no notebook") from None
    try:
        metadata = notebook.get("metadata", {})
        language = metadata.get("kernelspec", {}).get("language", "python")
        named = metadata.get("course", {}).get("assignment", assignment)
        cells = [
            "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"
        ]
    except (AttributeError, KeyError, TypeError):
        raise ValueError("the file is JSON, but no notebook") from None
    if str(language).lower() != "python":
        raise ValueError(f"the notebook's kernel speaks {str(language)[:30]}, not Python")
    if named != assignment:
        raise ValueError(f"this is the notebook of another assignment: {str(named)[:60]}")
    if not cells:
        raise ValueError("the notebook has no code cells")
    return cells
