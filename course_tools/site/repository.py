"""Set where the project lives: ``python -m course_tools.site.repository https://github.com/org/name``.

One command rewrites all that holds the address: the book's settings (repository and Colab
buttons), the install cell of every chapter, README's badges and CITATION.cff.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from course_tools.notebooks.chapters import INSTALL_ADDRESS, ROOT

ADDRESS = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")

SETTINGS = """\
repository:
  url: {url}
  path_to_book: ""
  branch: main
launch_buttons:
  notebook_interface: jupyterlab
  colab_url: https://colab.research.google.com
"""
BADGES = """\
[![tests]({url}/actions/workflows/tests.yml/badge.svg)]({url}/actions/workflows/tests.yml)
[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]\
(https://colab.research.google.com/github/{owner}/{name}/blob/main/book/index.ipynb)
[![Read the book](https://img.shields.io/badge/read-the_book-2b6cb0)]({pages})
"""


def set_repository(url: str, root: Path = ROOT) -> list[Path]:
    """Write the address into every file that holds it.

    Returns:
        The files that changed.

    Raises:
        ValueError: ``url`` is no address of a GitHub repository, or a marker is missing.
    """
    match = ADDRESS.fullmatch(url.strip())
    if match is None:
        raise ValueError(f"'{url}' is not of the form https://github.com/org/name")
    owner, name = match.groups()
    url = f"https://github.com/{owner}/{name}"
    texts = {
        root / "_config.yml": lambda text: between(
            text.replace("use_repository_button: false", "use_repository_button: true"),
            r"^# repository:[^\n]*\n",
            "# end of repository",
            SETTINGS.format(url=url),
        ),
        root / "README.md": lambda text: INSTALL_ADDRESS.sub(
            f"git+{url}",
            between(
                text,
                r"^<!-- badges[^\n]*\n",
                "<!-- end of badges -->",
                BADGES.format(url=url, owner=owner, name=name, pages=pages_address(url)),
            ),
        ),
        root / "CITATION.cff": lambda text: re.sub(
            r"^(repository-code:).*", rf'\1 "{url}"', text, flags=re.MULTILINE
        ),
    }
    chapters = sorted([*root.glob("book/*.md"), *root.glob("book/*.ipynb")])
    for path in chapters:
        texts[path] = lambda text: INSTALL_ADDRESS.sub(f"git+{url}", text)

    # Everything is worked out before anything is written.
    new = {path: change(path.read_text("utf8")) for path, change in texts.items()}
    changed = [path for path, text in new.items() if text != path.read_text("utf8")]
    for path in changed:
        path.write_text(new[path], "utf8")
    return changed


def old_assignments(url: str, root: Path = ROOT) -> list[Path]:
    """Built notebooks of assignments that install the library from elsewhere than ``url``."""
    url = "git+" + url.strip().removesuffix("/").removesuffix(".git")
    built = sorted((root / "dist/assignments").rglob("*.ipynb"))
    return [path for path in built if set(INSTALL_ADDRESS.findall(path.read_text("utf8"))) - {url}]


def repository_address(root: Path = ROOT) -> str | None:
    """The address that ``_config.yml`` holds; ``None`` until it is set."""
    found = re.search(r"^repository:\n  url: (\S+)", (root / "_config.yml").read_text("utf8"), re.M)
    return found[1] if found else None


def pages_address(url: str) -> str:
    """Where GitHub Pages serves the book of the repository at ``url``."""
    owner, name = ADDRESS.fullmatch(url).groups()
    return f"https://{owner}.github.io/{name}/"


def between(text: str, opening: str, closing: str, new: str) -> str:
    """``text`` with the lines between two marker lines replaced.

    Raises:
        ValueError: a marker is missing.
    """
    pattern = re.compile(rf"({opening})(.*?)({re.escape(closing)})", re.MULTILINE | re.DOTALL)
    text, found = pattern.subn(lambda match: match[1] + new + match[3], text)
    if not found:
        raise ValueError(f"no lines {opening!r} … {closing!r} to write between")
    return text


if __name__ == "__main__":
    try:
        address = " ".join(sys.argv[1:])
        files = set_repository(address)
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f"{error}\nUsage: make repository URL=https://github.com/org/name")
    from course_tools.site import accessibility  # which needs this module

    accessibility.main()
    print("\n".join(f"rewrote {path.relative_to(ROOT)}" for path in files) or "nothing to change")
    if old := old_assignments(address):
        print(
            f"{len(old)} notebooks in dist/assignments hold another address:"
            " run `make assignments` again."
        )
