"""The files of a folder or a zip, read but not trusted; a file that can't be read says why."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from course_tools.grading.lms_names import clean, is_checkpoint, is_hidden, notebook_name
from course_tools.grading.notebook_text import slim_notebook

LARGEST = 100_000_000  # bytes of a file; a notebook with its outputs may have tens of millions
KEPT_WHOLE = 1_000_000  # a larger notebook is kept without its outputs
MOST_MEMBERS = 20_000  # of a zip
MOST_DIRECTORY = 10_000_000  # bytes of a zip's table of contents
PERHAPS = ("", ".json", ".txt", ".part", ".crdownload")  # what a browser makes of .ipynb
CHUNK = 4096  # a bzip2 member can grow 20,000-fold, so little of it is unpacked at a time


@dataclass(frozen=True)
class File:
    """One file; a folder's name ends in a slash."""

    name: str
    content: bytes = b""
    """Of a notebook, whatever its name, and of a notebook in a zip; else nothing."""
    fault: str = ""
    """Why it can't be graded, as it follows after "the file"."""
    remark: str = ""
    handed_in: str = ""
    """When it was made, in ISO's form and local time, where that is known."""


def read_files(path: Path) -> list[File]:
    """All files and folders at `path`, in the order of their names.

    Raises:
        ValueError: `path` is neither a folder nor a zip that can be read.
    """
    if path.is_dir():
        return list(_of_folder(path))
    if path.is_file() and path.suffix.lower() == ".zip" or zipfile.is_zipfile(path):
        try:
            with path.open("rb") as file:
                return list(_of_zip(file))
        except OSError as error:
            raise ValueError(f"{path} can't be read ({error.strerror}): copy it again.") from None
        except ValueError as error:
            raise ValueError(f"{path} {error}.") from None
    raise ValueError(f"{path} is neither a folder nor a zip: give what the LMS exports.")


def _of_folder(folder: Path) -> Iterator[File]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted([*folders, *names]):
            path = Path(root, name)
            # A name that is no UTF-8 must not stop the rest.
            raw = os.fsencode(path.relative_to(folder).as_posix())
            yield from _of_path(path, raw.decode("utf8", "backslashreplace"))


def _of_path(path: Path, name: str) -> Iterator[File]:
    try:
        status = path.lstat()
        file = File(name, handed_in=_modified(status.st_mtime))
        if stat.S_ISDIR(status.st_mode) and not notebook_name(name):
            yield File(f"{name}/")
        elif not stat.S_ISREG(status.st_mode):
            yield replace(file, fault="is a link or a folder, not a file: hand in the file itself")
        elif not _is_read(name):
            yield file
        elif status.st_size > LARGEST:
            yield replace(file, fault=_too_large(status.st_size))
        else:
            yield _read(file, path.read_bytes())
    except OSError as error:
        yield File(name, fault=f"can't be read ({error.strerror}): copy it again")


def _is_read(name: str) -> bool:
    if is_hidden(name) and not is_checkpoint(name):
        return False
    return bool(notebook_name(name)) or _ending(name) in (".zip", *PERHAPS)


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _read(file: File, content: bytes) -> File:
    """The file with its content, of which large outputs and all of a zip but a notebook go."""
    if _ending(file.name) == ".zip":
        return _notebook_of_zip(file, content)
    if not notebook_name(file.name):  # only its content can say what it is
        if not (content.lstrip()[:1] == b"{" and b'"cells"' in content):
            return file
        file = replace(file, remark=f"the file's name is {clean(PurePosixPath(file.name).name)}")
    try:
        return replace(
            file, content=content if len(content) < KEPT_WHOLE else slim_notebook(content)
        )
    except ValueError as error:
        return replace(file, fault=str(error))


def _notebook_of_zip(file: File, content: bytes) -> File:
    """The one notebook in a zip that a student handed in."""
    try:
        members = list(_of_zip(io.BytesIO(content), only_notebook=True))
    except ValueError as error:
        return replace(file, fault=str(error))
    if len(members) != 1:
        count = "no notebook" if not members else f"{len(members)} notebooks"
        return replace(file, fault=f"is a zip with {count} in it: hand in the one .ipynb file")
    (one,) = members
    remark = f"taken from a zip: {PurePosixPath(one.name).name[:80]}"
    return replace(file, content=one.content, fault=one.fault, remark=remark)


def _of_zip(file: io.BufferedIOBase, only_notebook: bool = False) -> Iterator[File]:
    """The files of a zip; with `only_notebook` its notebooks, read where there is but one.

    Raises:
        ValueError: it can't be read at all.
    """
    with _opened(file) as archive:
        infos = {}
        for info in archive.infolist():  # of one name twice, the last counts, as for unzip
            infos[_name(info)] = info
        if only_notebook:
            wanted = [name for name in infos if notebook_name(name) and not is_hidden(name)]
            infos = {name: infos[name] for name in wanted}
            if len(infos) > 1:
                yield from map(File, infos)
                return
        for name, info in sorted(infos.items()):
            made = File(name, handed_in=_iso(*info.date_time))
            if info.is_dir() or not _is_read(name):
                yield made
                continue
            try:
                yield _read(made, _unpacked(archive, info))
            except ValueError as error:
                yield replace(made, fault=str(error))


def _opened(file: io.BufferedIOBase) -> zipfile.ZipFile:
    size = _directory_size(file)
    if size is None:
        raise ValueError("is no zip, or one that was cut off: download it again")
    if size > MOST_DIRECTORY:
        raise ValueError(f"has more than {MOST_MEMBERS:,} files in it: give a zip with fewer")
    try:
        try:
            archive = zipfile.ZipFile(file)
        except UnicodeDecodeError:  # one name that claims to be UTF-8 would cost all the rest
            archive = zipfile.ZipFile(_claiming_nothing(file))
    except Exception:  # zipfile raises many kinds on a broken table of contents
        raise ValueError("is a zip with a broken table of contents: download it again") from None
    if len(archive.infolist()) > MOST_MEMBERS:
        raise ValueError(f"has more than {MOST_MEMBERS:,} files in it: give a zip with fewer")
    return archive


def _directory_size(file: io.BufferedIOBase) -> int | None:
    """The bytes of the table of contents at a zip's end, or None where there is none."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 70_000))
    end = file.read()
    at = end.rfind(b"PK\x05\x06")
    if at < 0 or len(end) < at + 22:
        return None
    length = int.from_bytes(end[at + 12 : at + 16], "little")
    large = end.rfind(b"PK\x06\x06", 0, at)  # of zip64
    if large >= 0:
        length = max(length % 0xFFFFFFFF, int.from_bytes(end[large + 40 : large + 48], "little"))
    return length


def _claiming_nothing(file: io.BufferedIOBase) -> io.BytesIO:
    """The zip with no name marked as UTF-8; `_name` tries that for each."""
    file.seek(0)
    raw = bytearray(file.read())
    end = raw.rfind(b"PK\x05\x06")
    at = end - int.from_bytes(raw[end + 12 : end + 16], "little")
    while raw[at : at + 4] == b"PK\x01\x02":
        raw[at + 9] &= 0xF7
        member = int.from_bytes(raw[at + 42 : at + 46], "little")
        if raw[member : member + 4] == b"PK\x03\x04":
            raw[member + 7] &= 0xF7
        lengths = (int.from_bytes(raw[at + i : at + i + 2], "little") for i in (28, 30, 32))
        at += 46 + sum(lengths)
    return io.BytesIO(raw)


def _name(info: zipfile.ZipInfo) -> str:
    """A member's path without what climbs; nothing is ever written there."""
    name = info.filename
    if not info.flag_bits & 0x800:  # the Mac's Finder writes UTF-8 and does not say so
        with suppress(UnicodeEncodeError, UnicodeDecodeError):
            name = name.encode("cp437").decode("utf8")
    parts = name.replace("\\", "/").split("/")
    kept = [part for part in parts if part not in ("", ".", "..") and not part.endswith(":")]
    return "/".join(kept) + "/" * info.is_dir()


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if stat.S_ISLNK(info.external_attr >> 16):
        raise ValueError("is a link, not a file: hand in the file itself")
    if info.flag_bits & 1:
        raise ValueError("is encrypted: hand it in without a password")
    if info.file_size > LARGEST:
        raise ValueError(_too_large(info.file_size))
    pieces, size = [], 0
    try:
        with archive.open(info) as member:
            while piece := member.read(CHUNK):
                pieces.append(piece)
                size += len(piece)
                if size > LARGEST:  # what it says of its size may be a lie
                    break
    except Exception as error:  # zlib's, lzma's, zipfile's, and those of a lying offset
        raise ValueError(f"can't be unpacked ({type(error).__name__}): hand it in again") from None
    if size > LARGEST:
        raise ValueError(_too_large(size))
    return b"".join(pieces)


def _too_large(size: int) -> str:
    return (
        f"has {size / 1e6:.0f} MB, more than the {LARGEST / 1e6:.0f} MB that are read: "
        "clear its outputs"
    )


def _modified(seconds: float) -> str:
    try:
        return _iso(*datetime.fromtimestamp(seconds).timetuple()[:6])
    except (OSError, OverflowError, ValueError):
        return ""


def _iso(*date_time: int) -> str:
    """A time in ISO's form, or nothing where it was not set: a zip then says 1980."""
    try:
        time = datetime(*date_time)
    except (TypeError, ValueError):
        return ""
    return time.isoformat(timespec="seconds") if time.year > 1980 else ""
