"""What students handed in: a folder or an LMS's zip, one notebook a student."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from course_tools.grading import lms_names
from course_tools.grading.files import LARGEST, File, read_files
from course_tools.grading.lms_names import LmsName, clean, folded, natural, notebook_name
from course_tools.grading.loose_files import (
    CHECKPOINT,
    NOT_A_NOTEBOOK,
    kind_of,
    odd_name,
    of_people,
)
from course_tools.grading.notebook_text import assignment_of, language_of, load_notebook

__all__ = [
    "LARGEST",
    "Notebook",
    "Submission",
    "page_name",
    "read_cells",
    "read_notebook",
    "read_submissions",
]


@dataclass(frozen=True)
class Submission:
    """One student's notebook, read but not trusted."""

    student: str
    lms_id: str
    late: bool
    file: str
    content: bytes
    """The notebook; a large one without its outputs."""
    fault: str = ""
    """Why it can't be read, where it can't, as it follows after "the file"."""
    remark: str = ""
    """What else is to be said of it."""
    handed_in: str = field(default="", repr=False)
    """When the file was made, in ISO's form and local time; copying a file may change it."""


@dataclass(frozen=True)
class Notebook:
    """What is read of a notebook."""

    code: list[str]
    """The sources of its code cells."""
    numbers: list[int]
    """For each of them, the cell's number in the notebook: all cells count, from 1."""
    markdown: dict[str, str]
    """The sources of all other cells by the cells' ids; `cell-<number>` where one has none."""


@dataclass(frozen=True)
class _Candidate:
    """A file that may be the one that counts for a student; the largest rank does."""

    submission: Submission
    rank: tuple
    is_notebook: bool


def read_submissions(path: Path, assignment: str = "") -> list[Submission]:
    """All submissions of a folder or a zip, by student.

    Of several notebooks of one student, the one whose metadata names `assignment` counts, else
    the newest. A student of an LMS who handed in no notebook at all is there, too, with a fault.

    Raises:
        ValueError: there is nothing at `path` that can be graded.
    """
    students: dict[tuple[str, str], list[_Candidate]] = {}
    names: dict[tuple[str, str], LmsName] = {}
    plain = []
    for file, name in _with_lms_names(read_files(path)):
        if name is None:
            plain.append(file)
            continue
        student = folded(name.student), name.lms_id
        names.setdefault(student, name)
        some = students.setdefault(student, [])
        hidden = lms_names.is_hidden(file.name) and not lms_names.is_checkpoint(file.name)
        if not file.name.endswith("/") and not hidden:
            some.append(_candidate(file, name, assignment))
    found = [_chosen(some, names[student]) for student, some in students.items()]
    found += [
        Submission(who, "", False, f.name, f.content, f.fault, f.remark, f.handed_in)
        for who, f in of_people(plain)
    ]
    if not found:
        raise ValueError(f"{path} holds no notebook (.ipynb).")
    return sorted(found, key=lambda one: (one.student.lower(), one.lms_id, one.file))


def _with_lms_names(files: list[File]) -> list[tuple[File, LmsName | None]]:
    """What the LMS says about each; a number of an upload that two files have is no LMS's."""
    named = [(file, lms_names.read_lms_name(file.name)) for file in files]
    named = [(file, name) for file, name in named if "__MACOSX" not in file.name.split("/")]
    uploads = Counter(name.upload for _, name in named if name)
    return [
        (file, None if name and name.upload and uploads[name.upload] > 1 else name)
        for file, name in named
    ]


def _candidate(file: File, name: LmsName, assignment: str) -> _Candidate:
    match, checkpoint = notebook_name(file.name), lms_names.is_checkpoint(file.name)
    fault, remark = file.fault, file.remark
    if not match and not file.content:
        kind = "a text typed into the LMS" if name.text else kind_of(file.name)
        fault = fault or NOT_A_NOTEBOOK.format(kind)
    elif checkpoint:
        remark = CHECKPOINT
    elif match and not remark:
        remark = odd_name(file.name)
    one = Submission(
        clean(name.student) or "anonymous",
        name.lms_id,
        name.late,
        file.name,
        file.content,
        fault,
        remark,
        file.handed_in,
    )
    is_notebook = bool(match or file.content) and not checkpoint
    quality = 2 if is_notebook else int(checkpoint)
    rank = quality, _fit(one, assignment), name.version, natural(file.name)
    return _Candidate(one, rank, is_notebook)


def _fit(one: Submission, assignment: str) -> int:
    """2 for a notebook that names the assignment, 1 for one that names none, else 0."""
    if not assignment:
        return 1
    try:
        named = assignment_of(load_notebook(one.content)) if not one.fault else None
    except ValueError:
        return 0
    return {assignment: 2, "": 1}.get(named, 0)


def _chosen(some: list[_Candidate], name: LmsName) -> Submission:
    if not some:
        fault = "is missing: the student's folder is empty"
        return Submission(clean(name.student), name.lms_id, name.late, "", b"", fault)
    best = max(some, key=lambda one: one.rank)
    notebooks = sum(one.is_notebook for one in some)
    if notebooks < 2:
        return best.submission
    file = PurePosixPath(best.submission.file).name
    remark = f"{notebooks} notebooks were handed in; this is {clean(file)}"
    if best.submission.remark:
        remark += f"; {best.submission.remark}"
    return replace(best.submission, remark=remark)


def page_name(student: str, lms_id: str, taken: set[str]) -> str:
    """A name for a student's page, without the ending; it is added to `taken`.

    It has letters, digits and underscores alone, at most 60 characters and 200 bytes, and no two
    names differ in case only.
    """
    safe = "".join(c if c.isalnum() else "_" for c in clean(student, 1000))
    number = "".join(c for c in lms_id if c.isascii() and c.isalnum())[:20]
    for i in range(1, len(taken) + 2):
        end = f"_{number}" + (f"_{i}" if i > 1 else "")
        room = min(200 - len(end), 4 * (60 - len(end)))
        short = safe[: 60 - len(end)].encode()[:room].decode("utf8", "ignore")
        if folded(name := short + end) not in taken:
            break
    taken.add(folded(name))
    return name


def read_notebook(submission: Submission, assignment: str) -> Notebook:
    """The notebook's cells.

    Raises:
        ValueError: it can't be graded; the message says why.
    """
    if submission.fault:
        raise ValueError(f"the file {submission.fault}")
    try:
        notebook = load_notebook(submission.content)
    except ValueError as error:
        raise ValueError(f"the file {error}") from None
    language, named = language_of(notebook), assignment_of(notebook)
    if language != "python":
        raise ValueError(f"the notebook's kernel speaks {clean(language, 30)}, not Python")
    if assignment and named not in ("", assignment):
        raise ValueError(f"this is the notebook of another assignment: {clean(named, 60)}")
    made = Notebook([], [], {})
    for number, cell in enumerate(notebook["cells"], 1):
        if cell["cell_type"] == "code":
            made.code.append(cell["source"])
            made.numbers.append(number)
            continue
        name = cell["id"]
        if not name or name in made.markdown:  # a cell that was pasted twice
            name = f"cell-{number}"
        made.markdown[name] = cell["source"]
    if not made.code:
        raise ValueError("the notebook has no code cells")
    return made


def read_cells(submission: Submission, assignment: str) -> list[str]:
    """The sources of the notebook's code cells.

    Raises:
        ValueError: as `read_notebook`.
    """
    return read_notebook(submission, assignment).code
