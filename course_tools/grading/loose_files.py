"""Whose files these are in a folder that no LMS exported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

from course_tools.grading import lms_names
from course_tools.grading.files import File
from course_tools.grading.lms_names import clean, folded, natural, notebook_name

NOT_A_NOTEBOOK = "is {}, not a notebook: hand in the .ipynb file"
CHECKPOINT = "only Jupyter's checkpoint was handed in: it may be older than the notebook"
# What a student may hand in by mistake, and what is no student's. In a student's own folder, all
# else is one, too.
SOURCES = [".py", ".r", ".rmd", ".qmd"]
PAGES = [".pdf", ".html", ".htm", ".doc", ".docx", ".odt", ".pages", ".rtf", ".md"]
PICTURES = [".png", ".jpg", ".jpeg", ".heic"]
ARCHIVES = [".zip", ".rar", ".7z", ".tar", ".gz", ".tgz"]
NOBODYS = ("readme", "notes", "roster", "index", "license", "changelog")


def of_people(files: list[File]) -> list[tuple[str, File]]:
    """Students and their files where no LMS named them: notebooks, and what stands for one."""
    shown = [file for file in files if not file.name.endswith("/")]
    checkpoints = [file for file in shown if lms_names.is_checkpoint(file.name)]
    shown = [file for file in shown if not lms_names.is_hidden(file.name)]
    notebooks = [file for file in shown if notebook_name(file.name) or file.content]
    folders = {PurePosixPath(file.name).parts[:-1] for file in notebooks}
    stems = {folded(_stem(file.name)) for file in notebooks}
    for file in checkpoints:  # in the folder of a student who handed in nothing else
        outside = PurePosixPath(file.name).parent.parent.parts
        if outside and outside not in folders:
            folders.add(outside)
            notebooks.append(replace(file, remark=CHECKPOINT))
    if not folders:  # nobody handed in a notebook
        folders = {PurePosixPath(f.name).parts[:-1] for f in shown if _is_mistake(f.name)}
    taken, root = set(folders) if notebooks else set(), _root(folders)
    if len(folders) == 1 and root:  # of all, or of the only student with a notebook
        places = [PurePosixPath(file.name).parts[:-1] for file in shown]
        above = root[:-1]
        beside = [p for p in places if len(p) >= len(root) and p[: len(root)] != root]
        if any(p[: len(above)] == above for p in beside):
            root = above
    own_folders = bool(folders) and root not in folders
    for file in sorted(shown, key=lambda file: not _is_mistake(file.name)):
        *parents, name = PurePosixPath(file.name).parts
        place = tuple(parents)
        in_own_folder = own_folders and len(place) > len(root)
        if file in notebooks or not (in_own_folder or _is_mistake(name)):
            continue
        if any(part.endswith("-feedback") for part in parents):  # what the grader wrote
            continue
        # Beside a student's notebook in a folder of their own lie helpers; in a folder of all,
        # only what has a notebook's name belongs to it.
        flat = place == root
        if folded(_stem(name)) in stems if flat else _inside(place, taken, root):
            continue
        taken.add(place)
        notebooks.append(replace(file, fault=file.fault or NOT_A_NOTEBOOK.format(kind_of(name))))
    notebooks.sort(key=lambda file: natural(file.name))
    notebooks = [replace(f, remark=f.remark or odd_name(f.name)) for f in notebooks]
    students = _students([file.name for file in notebooks])
    return list(zip(students, notebooks, strict=True))


def _root(folders: set[tuple[str, ...]]) -> tuple[str, ...]:
    """The folder that all of them lie in."""
    root = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        root.append(parts[0])
    return tuple(root)


def _inside(place: tuple[str, ...], taken: set[tuple[str, ...]], root: tuple[str, ...]) -> bool:
    """Whether the student whose folder `place` is in has handed in something already."""
    top = place[: len(root) + 1]
    return any(folder[: len(top)] == top for folder in taken if folder != root)


def _is_mistake(name: str) -> bool:
    path = PurePosixPath(name)
    stem, ending = path.name.split(".")[0].lower(), path.suffix.lower()
    return ending in [*SOURCES, *PAGES, *PICTURES, *ARCHIVES] and stem not in NOBODYS


def kind_of(name: str) -> str:
    """What a file is called that is no notebook."""
    ending = clean(PurePosixPath(name).suffix, 12)
    return f"a {ending} file" if ending else "a file without an ending"


def odd_name(name: str) -> str:
    """The remark on a name that a browser or a mail program changed, else nothing."""
    match = notebook_name(name)
    odd = match and (match["copy"] or match["more"] or not match["stem"])
    return f"the file's name is {clean(PurePosixPath(name).name)}" if odd else ""


def _stem(name: str, copy: bool = False) -> str:
    """The file's name without its endings, and without a browser's (1) unless `copy`."""
    match = notebook_name(name)
    if not match:
        return PurePosixPath(name).stem
    return match["stem"] + (match["copy"] or "" if copy else "")


def _students(names: list[str]) -> list[str]:
    """Whose files these are, without an LMS: the file, the folder or both, whatever differs."""
    root = len(_root({PurePosixPath(name).parts[:-1] for name in names}))
    paths = [PurePosixPath(*PurePosixPath(name).parts[root:]) for name in names]

    def folder(path: PurePosixPath) -> str:
        parts = [part for part in path.parts[:-1] if part != ".ipynb_checkpoints"]
        return "/".join(parts) or stem(path)

    def stem(path: PurePosixPath) -> str:
        return _stem(path.name).removesuffix("-checkpoint") or "/".join(path.parts[:-1])

    def whole(path: PurePosixPath) -> str:
        return "/".join([*path.parts[:-1], _stem(path.name, copy=True)])

    forms: list[Callable[[PurePosixPath], str]] = [stem, folder, whole]
    for form in forms:
        students = [clean(form(path)) or "unnamed" for path in paths]
        if len({folded(student) for student in students}) == len(students):
            break
    taken: set[str] = set()
    for i, student in enumerate(students):  # Ada and ada are two, but two of one name need numbers
        number = 1
        while students[i] in taken:
            number += 1
            students[i] = f"{student} ({number})"
        taken.add(students[i])
    return students
