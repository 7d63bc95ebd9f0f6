"""Run chapters as Colab would: ``python -m course_tools.colab NOTEBOOK…``, by `make test-colab`.

An environment with Colab's versions; a kernel in which ``google.colab`` is imported; an empty
folder around each notebook; and `genre_lib` installed by the notebook's own first cell. The
repository's address leads to the last commit of this clone, by git's ``insteadOf``. Notebooks run
in reverse order, so none may lean on one before it, and the first of them runs twice.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from course_tools.chapters import INSTALL_ADDRESS, ROOT, find_chapters
from course_tools.notebooks import ANSI, CELL_SECONDS, PROGRESS_BAR

FOLDER = ROOT / ".venv-colab"
OURS = "genre-lib"
# What the first cell of an assignment brings along; Colab ships none of them.
CHECKS = {"otter-grader", "fica", "ipylab", "python-frontmatter", "dill", "wrapt"}
# What Colab's kernel has done before a notebook's first cell.
STAND_IN = {
    "google/__init__.py": "",
    "google/colab/__init__.py": '"""Stands in for Colab\'s package of this name."""\n',
    "sitecustomize.py": "import google.colab\n",
}


class NotAsInColab(Exception):
    """A notebook failed, or changed what Colab ships; one sentence."""


def packages(python: Path) -> dict[str, str]:
    """Names and versions of what is installed beside `python`."""
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return {package["name"]: package["version"] for package in json.loads(listed.stdout)}


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What was added, replaced or removed, but for the course's library and the checks' own."""
    names = sorted((set(before) | set(after)) - {OURS} - (CHECKS - set(before)))
    return [
        f"{name} {before.get(name, 'missing')} → {after.get(name, 'missing')}"
        for name in names
        if before.get(name) != after.get(name)
    ]


def environment(folder: Path) -> dict[str, str]:
    """Variables of a kernel like Colab's; files that they name are written into `folder`."""
    for name, text in STAND_IN.items():
        path = folder / "stand-in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf8")
    address = next(
        found[0].removeprefix("git+")
        for chapter in find_chapters()
        if (found := INSTALL_ADDRESS.search(chapter.md.read_text("utf8")))
    )
    kept = {k: v for k, v in os.environ.items() if k not in ("GENRE_SONGS", "VIRTUAL_ENV")}
    return kept | {
        "PYTHONPATH": str(folder / "stand-in"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache/pip")),
        "PLOTLY_RENDERER": "plotly_mimetype",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"url.file://{ROOT}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
        "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_1": "*",
    }


def run(path: Path, python: Path, folder: Path, variables: dict[str, str]) -> float:
    """Run a notebook in the empty folder `folder`.

    Returns:
        Seconds taken.

    Raises:
        NotAsInColab: a cell raised or ran too long; the message names notebook and cell.
    """
    folder.mkdir()
    kernels = folder.parent / "kernels"
    spec = kernels / "colab/kernel.json"
    spec.parent.mkdir(parents=True, exist_ok=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "Colab", "language": "python"}))
    manager = AsyncKernelManager(
        kernel_name="colab", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(kernels)])
    )
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, km=manager, timeout=CELL_SECONDS, resources={"metadata": {"path": str(folder)}}
    )
    start = time.perf_counter()
    try:
        client.execute(env=variables)
    except CellExecutionError as error:
        raise NotAsInColab(f"{path.name}: {ANSI.sub('', str(error)).strip()}") from None
    except (CellTimeoutError, DeadKernelError) as error:
        raise NotAsInColab(f"{path.name}: {type(error).__name__}") from None
    _expect_quiet(path.name, notebook)
    return time.perf_counter() - start


def _expect_quiet(name: str, notebook: nbformat.NotebookNode) -> None:
    """Raise where pip complains about versions: Colab's users would see it first of all."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.get("text", "")
            if not PROGRESS_BAR.search(text) and re.search(r"ERROR: |incompatible", text):
                raise NotAsInColab(f"{name}: the installation says: {text.strip()[:300]}")


def main(names: Iterable[str]) -> int:
    """Command line; the exit code is 0 when every notebook ran and nothing was replaced."""
    python = FOLDER / "bin/python"
    built = sorted((ROOT / "dist/assignments/student").glob("*.ipynb"))
    chapters = [chapter.ipynb for chapter in find_chapters()]
    paths = [Path(name) for name in names] or [*built, *chapters]
    failures = []
    uninstall = [python, "-m", "pip", "uninstall", "--quiet", "--yes", OURS]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        variables = environment(folder)
        subprocess.run(uninstall, check=True, stderr=subprocess.DEVNULL)
        before = packages(python)
        last = paths[-1]
        for i, path in enumerate([last, *reversed(paths)]):
            if i != 1:  # the second run of the same notebook finds the library installed
                subprocess.run(uninstall, check=True, stderr=subprocess.DEVNULL)
            try:
                seconds = run(path, python, folder / f"{i}-{path.stem}", variables)
                after = packages(python)
                if OURS not in after:
                    raise NotAsInColab(f"{path.name}: its first cell did not install {OURS}")
                if changed := changes(before, after):
                    raise NotAsInColab(f"{path.name}: replaced {', '.join(changed)}")
                print(f"{path.name}: {seconds:.0f} s", flush=True)
            except NotAsInColab as error:
                failures.append(str(error))
                print(f"FAILED {error}", flush=True)
    print(f"{len(failures)} failed." if failures else "Every notebook runs, and nothing changed.")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
