"""How Canvas, Moodle, browsers and people name what is handed in."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# Only ASCII digits: \d also matches digits of other scripts, and str.isdigit even "²".
ID = r"[0-9]{1,20}"
# Canvas: lovelaceada_LATE_12345_67890_02_one_loader-1.ipynb, with the student's and the upload's
# number; without a name when grading is anonymous, and then with five letters as the number.
CANVAS = re.compile(
    rf"(?P<student>.+?)_(?P<late>LATE_)?(?P<id>{ID})_(?P<upload>{ID})_(?P<file>.+)", re.S
)
CANVAS_ANONYMOUS = re.compile(
    rf"(?P<student>anonymous)_(?P<late>LATE_)?(?P<id>[0-9A-Za-z]{{5}})_(?P<upload>{ID})_(?P<file>.+)",
    re.S,
)
CANVAS_NAMELESS = re.compile(
    r"_?(?P<late>LATE_)?(?P<id>[0-9]{3,20})_(?P<upload>[0-9]{3,20})_(?P<file>.+)", re.S
)
CANVAS_TEXT = re.compile(
    rf"(?P<student>.+?)_(?P<late>LATE_)?(?P<id>{ID})_(?P<file>(?:text|link)\.html?)", re.S
)
# Moodle: Ada Lovelace_12345_assignsubmission_file_/01.ipynb, or all of it as one file's name.
MOODLE = re.compile(
    rf"(?P<student>.*)_(?P<id>{ID})_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?", re.S
)
# What browsers and mail programs make of x.ipynb: x (1).ipynb, x.ipynb.txt, x.ipynb (1).
NOTEBOOK = re.compile(
    r"(?P<stem>.*?)(?P<copy> ?\([0-9]{1,4}\))?\.ipynb"
    r"(?P<more>(?: ?\([0-9]{1,4}\)|\.txt|\.json|\.download){0,3})",
    re.S | re.I,
)


@dataclass(frozen=True)
class LmsName:
    """What an LMS's form of a name says about a file."""

    student: str
    lms_id: str
    file: str
    """The name that the student gave it; empty for a folder."""
    late: bool = False
    version: tuple[int, int] = (0, 0)
    """The LMS's numbers of the upload: the largest is the newest."""
    text: bool = False
    """Whether it was typed into a form of the LMS rather than uploaded."""
    upload: str = ""
    """Which upload it is; only one file can be it."""


def read_lms_name(path: str) -> LmsName | None:
    """What the path of a file (or of a folder, ending in /) says in Canvas's or Moodle's form."""
    parts = path.split("/")
    for i, part in enumerate(parts):
        if match := MOODLE.fullmatch(part):
            anonymous = match["student"] in ("", "Participant")
            student = f"Participant {match['id']}" if anonymous else match["student"]
            file = "/".join([match["file"] or "", *parts[i + 1 :]]).strip("/")
            return LmsName(student, match["id"], file, text=match["kind"] == "onlinetext")
    name = parts[-1]
    if match := CANVAS_TEXT.fullmatch(name):
        return LmsName(match["student"], match["id"], match["file"], bool(match["late"]), text=True)
    for form in (CANVAS_ANONYMOUS, CANVAS_NAMELESS, CANVAS):
        if match := form.fullmatch(name):
            again = re.search(r"-([0-9]{1,9})(?:\.[^.]*)?$", match["file"])
            version = int(match["upload"]), int(again[1]) if again else 0
            student = match.groupdict().get("student") or "anonymous"
            upload = f"{match['id']}_{match['upload']}"
            late = bool(match["late"])
            return LmsName(student, match["id"], match["file"], late, version, upload=upload)
    return None


def notebook_name(path: str) -> re.Match[str] | None:
    """The parts of a notebook's name; `more` is what a browser appended to it."""
    return NOTEBOOK.fullmatch(path.rsplit("/", 1)[-1])


def is_hidden(path: str) -> bool:
    """Whether a file belongs to a system or an editor rather than to a student."""
    *folders, name = path.split("/")
    if any(part.startswith((".", "__MACOSX")) for part in folders):
        return True
    return name.startswith(".") and not name.lower().startswith(".ipynb")


def is_checkpoint(path: str) -> bool:
    """Whether it is the copy that Jupyter keeps beside a notebook."""
    *folders, name = path.split("/")
    outside = [part for part in folders if part != ".ipynb_checkpoints"]
    return len(outside) < len(folders) and not is_hidden("/".join([*outside, name]))


def clean(text: str, most: int = 100) -> str:
    """A name fit for a table: composed, without control and direction marks, not endless."""
    composed = unicodedata.normalize("NFC", text)
    kinds = {"Cc": " ", "Zl": " ", "Zp": " ", "Cf": "", "Cs": "\N{REPLACEMENT CHARACTER}"}
    shown = "".join(kinds.get(unicodedata.category(c), c) for c in composed)
    return " ".join(shown.split())[:most].rstrip()


def folded(text: str) -> str:
    """A key under which names that file systems or people take for the same are the same."""
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())


def natural(text: str) -> list[tuple[int, str]]:
    """A sort key that puts 9 before 10; it converts no digits, so no number is too long."""
    parts = re.split(r"([0-9]+)", text)
    digits = [part.lstrip("0") for part in parts]
    return [
        (len(d), d) if i % 2 else (-1, part)
        for i, (part, d) in enumerate(zip(parts, digits, strict=True))
    ]
