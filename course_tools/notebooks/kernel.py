"""Run a notebook's cells in a kernel: chapters, solved assignments, and notebooks as in Colab."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from course_tools.notebooks.chapters import ROOT, code_cells

CELL_SECONDS = 900
PROGRESS_BAR = re.compile(r"\d+%\|")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
# The same numbers on every machine with as many cores or more, and nothing asked of the network.
KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "2",
    "PYTHONHASHSEED": "0",
    "PLOTLY_RENDERER": "plotly_mimetype",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    # A library's bar asks for ipywidgets; the course's bars are text.
    "PYTHONWARNINGS": "ignore:IProgress not found",
}


class NotebookStopped(Exception):
    """A cell raised or ran too long, or the kernel died; the message quotes the error."""

    def __init__(self, at: int, reason: str):
        super().__init__(reason)
        self.at = at
        """Index of the cell."""


def run_cells(
    notebook: NotebookNode,
    folder: Path,
    seconds: int = CELL_SECONDS,
    on_cell: Callable[[int], None] = lambda at: None,
    manager: KernelManager | None = None,
    variables: dict[str, str] | None = None,
) -> None:
    """Run every cell; tidy outputs are left in `notebook`, also where a cell stops it.

    Args:
        notebook: what to run.
        folder: where the kernel runs.
        seconds: how long each cell may take.
        on_cell: called with each cell's index, a Markdown cell's too, before it runs.
        manager: of the kernel to run in, which goes on afterwards; a new python3 when left out.
        variables: the kernel's environment; ours with `KERNEL_ENVIRONMENT` when left out.

    Raises:
        NotebookStopped: a cell raised, ran too long, or its kernel died.
    """
    at = 0

    def started(cell_index: int, **_: object) -> None:
        nonlocal at
        at = cell_index
        on_cell(at)

    if variables is None:
        for name, value in KERNEL_ENVIRONMENT.items():
            os.environ.setdefault(name, value)
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=seconds,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=started,
    )
    try:
        client.execute(**({} if variables is None else {"env": variables}))
    except CellExecutionError as error:
        raise NotebookStopped(at, ANSI.sub("", str(error)).strip()) from None
    except CellTimeoutError:
        raise NotebookStopped(at, f"the cell ran longer than {seconds} seconds") from None
    except DeadKernelError:
        raise NotebookStopped(at, "the kernel died (out of memory?)") from None
    finally:
        for cell in code_cells(notebook):
            cell.outputs = [tidy(output) for output in cell.outputs if not is_progress(output)]


def is_progress(output: NotebookNode) -> bool:
    """Whether the output is a progress bar, which shows only how fast one machine was."""
    return (
        output.output_type == "stream"
        and output.name == "stderr"
        and all(PROGRESS_BAR.search(line) or not line.strip() for line in output.text.splitlines())
    )


def tidy(output: NotebookNode) -> NotebookNode:
    """The output without this machine's paths."""
    folders = {str(ROOT): ".", sys.prefix: "…", str(Path.home()): "~"}
    songs = os.environ.get("GENRE_SONGS", "")
    if "/" in songs:
        folders = {str(Path(songs).parent): ".", **folders}

    def clean(text: object) -> object:
        if isinstance(text, list):
            return [clean(line) for line in text]
        if not isinstance(text, str):
            return text
        for folder, name in folders.items():
            if len(folder) > 1:
                text = text.replace(folder, name)
        return re.sub(r"\S*ipykernel_\d+[/\\]\d+\.py", "<cell>", text)

    if "text" in output:
        output.text = clean(output.text)
    for kind, content in output.get("data", {}).items():
        if kind.startswith("text/"):
            output.data[kind] = clean(content)
    return output
