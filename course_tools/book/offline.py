"""The built book as one archive that opens without a network: ``make offline`` writes it.

Pages opened as files may start no worker and fetch nothing; what they need instead
(``live/offline.js``, ``search_texts.js``) is in every build. So the archive is the book, without
the files that only a server's pages ask for, and a note that says where to begin.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from course_tools.notebooks.chapters import ROOT

SITE = ROOT / "_build/html"
NAME = "deep-music-genre-classification"
NOTE = """\
Deep Music Genre Classification, to be read without a network

Unpack the archive, then open index.html in a browser. Everything works from your disk: search,
figures, and the networks that answer in the pages. Only links to other sites need a network.

The notebooks are in _sources/book. To run them, you need Python and the library genre_lib.
"""
LEFT_OUT = ("404.html", "objects.inv", "live/networks.bin", "live/networks.json")
"""What only servers, other books' links and pages from a server ask for."""

MADE = (1980, 1, 1, 0, 0, 0)  # the same files make the same archive, whenever it is made


def pack(site: Path, archive: Path) -> int:
    """Write the built book into ``archive``, in a folder with a note; return the number of files.

    Raises:
        FileNotFoundError: the book is not built.
    """
    if not (site / "index.html").is_file():
        raise FileNotFoundError(f"{site} holds no book: `make book` builds it")
    files = {
        path.relative_to(site).as_posix(): path.read_bytes()
        for path in site.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    files = {name: data for name, data in files.items() if not name.endswith(LEFT_OUT)}
    files["README.txt"] = NOTE.encode()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{NAME}/{name}", MADE)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(entry, data)
    return len(files)


def main() -> None:
    """Pack the book into the archive that is named."""
    archive = Path(sys.argv[1])
    number = pack(SITE, archive)
    size = archive.stat().st_size / 1e6
    print(f"The archive is made: {archive} ({number} files, {size:.0f} MB)")


if __name__ == "__main__":
    main()
