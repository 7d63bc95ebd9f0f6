"""Run chapters as Colab would: ``make test-colab``, or this module with NOTEBOOK….

An environment with Colab's versions; a kernel in which ``google.colab`` is imported; an empty
folder around each notebook; and `genre_lib` installed by a notebook's own first cell, once for each
way of installing it. The repository's address leads to the last commit of this clone, by git's
``insteadOf``. The first notebook of each way installs; the others run in reverse order, so none may
lean on one before it, two at a time. All but the long ones run a second time in the same kernel.
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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from course_tools.notebooks.chapters import INSTALL_ADDRESS, ROOT, code_cells, find_chapters
from course_tools.notebooks.kernel import PROGRESS_BAR, NotebookStopped, run_cells

FOLDER = ROOT / ".venv-colab"
OURS = "genre-lib"
INSTALL_SECONDS = 20
"""How long a core may be busy with installing the library: a student waits for it."""
LONG = 15
"""Seconds of a notebook that does not run again in the same kernel."""
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


def install_address() -> str:
    """What the chapters' first cells install."""
    chapters = (chapter.md.read_text("utf8") for chapter in find_chapters())
    return next(found[0] for text in chapters if (found := INSTALL_ADDRESS.search(text)))


def install(python: Path, variables: dict[str, str]) -> float:
    """Install the library as a chapter's first cell does.

    Returns:
        Seconds of a core, which don't depend on what else the machine does.

    Raises:
        NotAsInColab: it took longer than `INSTALL_SECONDS`.
    """
    before = os.times()
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, install_address()], check=True, env=variables)
    after = os.times()
    seconds = after.children_user + after.children_system
    seconds -= before.children_user + before.children_system
    if seconds > INSTALL_SECONDS:
        raise NotAsInColab(
            f"installing {OURS} took {seconds:.0f} s of a core, more than {INSTALL_SECONDS} s: is "
            "something of Colab's replaced?"
        )
    return seconds


def environment(folder: Path) -> dict[str, str]:
    """Variables of a kernel like Colab's; files that they name are written into `folder`."""
    for name, text in STAND_IN.items():
        path = folder / "stand-in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf8")
    kept = {k: v for k, v in os.environ.items() if k not in ("GENRE_SONGS", "VIRTUAL_ENV")}
    return kept | {
        "PYTHONPATH": str(folder / "stand-in"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache/pip")),
        "PLOTLY_RENDERER": "plotly_mimetype",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"url.file://{ROOT}.insteadOf",
        "GIT_CONFIG_VALUE_0": install_address().removeprefix("git+"),
        "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_1": "*",
    }


def installing(path: Path) -> str:
    """Lines of a notebook that install something."""
    cells = code_cells(nbformat.read(path, as_version=4))
    return "\n".join(
        line for cell in cells for line in cell.source.splitlines() if "pip install" in line
    )


def kernel_of(python: Path, folder: Path) -> KernelSpecManager:
    """A kernel, "colab", that runs in `python`; its description is written into `folder`."""
    spec = folder / "colab/kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "Colab", "language": "python"}))
    return KernelSpecManager(kernel_dirs=[str(folder)])


def run(
    path: Path, kernels: KernelSpecManager, folder: Path, variables: dict[str, str]
) -> list[float]:
    """Run a notebook in the empty folder `folder`, and once more in the same kernel if it is short.

    Returns:
        Seconds that each run took.

    Raises:
        NotAsInColab: a cell raised or ran too long; the message names notebook and cell.
    """
    folder.mkdir()
    manager = KernelManager(kernel_name="colab", kernel_spec_manager=kernels)
    notebook = nbformat.read(path, as_version=4)
    taken: list[float] = []
    try:
        while len(taken) < 2 and sum(taken) < LONG:
            start = time.perf_counter()
            run_cells(notebook, folder, manager=manager, variables=variables)
            taken.append(time.perf_counter() - start)
            _expect_quiet(path.name, notebook)
            _expect_source(path.name, notebook)
    except NotebookStopped as stopped:
        again = ", the second time" if taken else ""
        raise NotAsInColab(f"{path.name}{again}: {stopped}") from None
    finally:
        manager.shutdown_kernel(now=True)
    return taken


def _expect_quiet(name: str, notebook: nbformat.NotebookNode) -> None:
    """Raise where pip complains about versions: Colab's users would see it first of all."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            lines = [x for x in output.get("text", "").splitlines() if not PROGRESS_BAR.search(x)]
            if any(re.search(r"ERROR: |incompatible", line) for line in lines):
                said = " ".join(lines).strip()[:300]
                raise NotAsInColab(f"{name}: the installation says: {said}")


def _expect_source(name: str, notebook: nbformat.NotebookNode) -> None:
    """Raise where synthetic songs stand in for the published ones and nobody is told why."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    if "stand in for the published songs" in printed and "could not be fetched" not in printed:
        raise NotAsInColab(f"{name}: it does not say why the songs are synthetic")


def main(names: Iterable[str]) -> int:
    """Command line; the exit code is 0 when every notebook ran and nothing was replaced."""
    python = FOLDER / "bin/python"
    built = sorted((ROOT / "dist/assignments/student").glob("*.ipynb"))
    chapters = [chapter.ipynb for chapter in find_chapters()]
    paths = [Path(name) for name in names] or [*built, *chapters]
    uninstall = [python, "-m", "pip", "uninstall", "--quiet", "--yes", OURS]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        variables = environment(folder)
        kernels = kernel_of(python, folder / "kernels")
        subprocess.run(uninstall, check=True, stderr=subprocess.DEVNULL)
        before = packages(python)

        def tried(path: Path) -> list[str]:
            try:
                taken = run(path, kernels, folder / path.stem, variables)
                after = packages(python)
                if OURS not in after:
                    raise NotAsInColab(f"{path.name}: its first cell did not install {OURS}")
                if changed := changes(before, after):
                    raise NotAsInColab(f"{path.name}: replaced {', '.join(changed)}")
            except NotAsInColab as error:
                print(f"FAILED {error}", flush=True)
                return [str(error)]
            print(f"{path.name}: {' + '.join(f'{s:.0f}' for s in taken)} s", flush=True)
            return []

        failures = []
        try:
            print(f"Installing takes {install(python, variables):.1f} s of a core.", flush=True)
        except NotAsInColab as error:
            failures.append(str(error))
            print(f"FAILED {error}", flush=True)
        alike: dict[str, list[Path]] = {}  # installing takes longer than most notebooks do
        for path in paths:
            alike.setdefault(installing(path), []).append(path)
        for first, *others in alike.values():
            subprocess.run(uninstall, check=True, stderr=subprocess.DEVNULL)
            failures += tried(first)
            with ThreadPoolExecutor(2) as two:
                failures += [one for found in two.map(tried, reversed(others)) for one in found]
    print(f"{len(failures)} failed." if failures else "Every notebook runs, and nothing changed.")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
