"""What students handed in: a folder or an LMS's zip, one notebook a student."""

from __future__ import annotations

import json
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

NO_NOTEBOOK = "is no notebook ({})"
LARGEST = 20_000_000  # bytes of a notebook; a student's has some tens of thousands
# Canvas: lovelaceada_LATE_12345_67890_02_one_loader-1.ipynb
CANVAS = re.compile(r"(?:.*/)?(?P<student>[^_/]+)_(?P<late>LATE_)?(?P<id>\d+)_\d+_[^/]+")
# Moodle: a folder for each student, Ada Lovelace_12345_assignsubmission_file_/02_one_loader.ipynb
MOODLE = re.compile(r"(?:.*/)?(?P<student>[^/]+)_(?P<id>\d+)_assignsubmission_[^/]*/.+")
File = tuple[str, bytes, str]  # name, content, and why it can't be read, where it can't


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
    remark: str = ""
    """What else is to be said of it."""


def read_submissions(path: Path) -> list[Submission]:
    """All submissions of a folder or a zip, by student; of several of one student the last.

    A student of an LMS who handed in no notebook at all is there, too, with a fault.

    Raises:
        ValueError: there is nothing at `path` that can be graded.
    """
    if path.is_dir():
        files = list(_files_of_folder(path))
    elif path.suffix == ".zip" and zipfile.is_zipfile(path):
        files = list(_files_of_zip(path))
    else:
        raise ValueError(f"{path} is neither a folder nor a zip: give what the LMS exports.")
    found: dict[tuple[str, str], list[Submission]] = {}
    # Notebooks last, for the last counts.
    for file in sorted(files, key=lambda file: (_is_notebook(file[0]), _natural(file[0]))):
        if one := _of_lms(*file):
            found.setdefault((one.student, one.lms_id), []).append(one)
    others = [file for file in files if _is_notebook(file[0]) and not _lms(file[0])]
    for (name, content, fault), student in zip(others, _students(others), strict=True):
        found[student, ""] = [Submission(student, "", False, name, content, fault)]
    if not found:
        raise ValueError(f"{path} holds no notebook (.ipynb).")
    last = [_last(some) for some in found.values()]
    return sorted(last, key=lambda one: (one.student.lower(), one.lms_id))


def _is_notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb")


def _lms(name: str) -> re.Match[str] | None:
    return MOODLE.fullmatch(name) or CANVAS.fullmatch(name)


def _of_lms(name: str, content: bytes, fault: str) -> Submission | None:
    """What an LMS's form of a name says about a file, where it has one."""
    match = _lms(name)
    if match is None:
        return None
    late = bool(match.groupdict().get("late"))
    return Submission(match["student"], match["id"], late, name, content, fault)


def _students(files: list[File]) -> list[str]:
    """Whose notebooks these are, without an LMS: the file, the folder or both, whatever differs."""
    paths = [PurePosixPath(name) for name, *_ in files]
    for form in (lambda p: p.stem, lambda p: p.parent.as_posix()):
        students = [form(path) for path in paths]
        if len({student.lower() for student in students}) == len(students):
            return students
    return [path.with_suffix("").as_posix() for path in paths]


def _last(some: list[Submission]) -> Submission:
    notebooks = sum(_is_notebook(one.file) for one in some)
    name = some[-1].file.rsplit("/", 1)[-1]
    if notebooks > 1:
        return replace(some[-1], remark=f"{notebooks} notebooks were handed in; this is {name}")
    return some[-1]


def _natural(name: str) -> list:
    """A key that puts 9 before 10: an LMS numbers what is handed in."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _wanted(name: str) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    return not hidden and bool(_is_notebook(name) or _lms(name))


def _files_of_folder(folder: Path) -> Iterator[File]:
    for path in sorted(folder.rglob("*")):
        # A name that is no UTF-8 must not stop the rest.
        name = os.fsencode(path.relative_to(folder).as_posix()).decode("utf8", "backslashreplace")
        if not _wanted(name):
            continue
        status = path.lstat()
        if stat.S_ISDIR(status.st_mode) and not _is_notebook(name):
            continue
        if not stat.S_ISREG(status.st_mode):
            yield name, b"", "is no file but a link or a folder"
        elif not _is_notebook(name):
            yield name, b"", NO_NOTEBOOK.format(path.suffix or "without an ending")
        elif status.st_size > LARGEST:
            yield name, b"", _too_large(status.st_size)
        else:
            yield name, path.read_bytes(), ""


def _files_of_zip(path: Path) -> Iterator[File]:
    with zipfile.ZipFile(path) as archive:
        for info in sorted(archive.infolist(), key=lambda info: info.filename):
            if info.is_dir() or not _wanted(info.filename):
                continue
            if not _is_notebook(info.filename):
                ending = PurePosixPath(info.filename).suffix
                yield info.filename, b"", NO_NOTEBOOK.format(ending or "without an ending")
                continue
            if info.file_size > LARGEST:
                yield info.filename, b"", _too_large(info.file_size)
                continue
            try:
                with archive.open(info) as member:  # its size may be a lie
                    content = member.read(LARGEST + 1)
            except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError):
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
