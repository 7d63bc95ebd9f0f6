"""Write the ``conf.py`` with which plain Sphinx builds the book: ``make book-sphinx``.

Jupyter Book 1 is in maintenance mode. It is a layer over Sphinx, so should it stop working, the
book needs little more than the `conf.py` that this module wrote last. `_config.yml` remains the
only source of settings: Jupyter Book translates it, and what only Jupyter Book understands is left
out.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from pprint import pformat
from typing import Any

from jupyter_book.config import get_final_config

from course_tools.notebooks.chapters import ROOT
from genre_lib.files import write_text

ONLY_JUPYTER_BOOK = {"jupyter_book", "sphinx_comments", "sphinx_jupyterbook_latex"}
START = """\
# Written by course_tools/book/plain_sphinx.py from _config.yml.
import site
import sys

# A build that leans on Jupyter Book after all must fail.
sys.modules["jupyter_book"] = None
# After what is newest: the library of the course, torch, and what else the extensions import.
site.addsitedir({packages!r})

"""


def sphinx_settings() -> dict[str, Any]:
    """Return the book's settings as plain Sphinx takes them; files by their full path."""
    settings, _ = get_final_config(
        user_yaml=ROOT / "_config.yml",
        cli_config={"latex_individualpages": False},  # it must be given
        sourcedir=ROOT,
    )
    loaded = [name for name in settings["extensions"] if name not in ONLY_JUPYTER_BOOK]
    known = {
        name: value
        for name, value in settings.items()
        if not name.startswith(("comments_", "latex_", "use_"))
    }
    return known | {
        "extensions": loaded,
        "html_favicon": str(ROOT / settings["html_favicon"]),
        "html_static_path": [str(ROOT / path) for path in settings["html_static_path"]],
    }


def main(folder: str) -> None:
    """Command line: write ``conf.py`` into `folder`."""
    lines = [f"{name} = {pformat(value)}\n" for name, value in sorted(sphinx_settings().items())]
    start = START.format(packages=sysconfig.get_path("purelib"))
    path = Path(folder, "conf.py")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, start + "".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
