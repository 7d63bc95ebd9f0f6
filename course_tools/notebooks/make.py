"""Make and run chapters' notebooks: ``python -m course_tools.notebooks.make COMMAND``.

- ``refresh`` makes ``NAME.ipynb`` from ``NAME.md``, executed, for the chapters that are stale.
- ``edits`` takes text that was edited in ``NAME.ipynb`` over into ``NAME.md``.
- ``run`` executes chapters afresh into ``_build/executed/`` and leaves committed files alone.
- ``check`` says what is wrong with the committed pairs.

Chapters may be named by their beginning: ``refresh 04 05``.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_tools.notebooks.chapters import (
    ROOT,
    Chapter,
    code_cells,
    find_chapters,
    tags,
)
from course_tools.notebooks.checks import (
    CHECKS,
    STALE_CHECKS,
    cell_name,
    edits_are_taken,
    problems,
)
from course_tools.notebooks.edits import FOLDED, made_ids, take_over
from course_tools.notebooks.fingerprint import chapter_fingerprints
from course_tools.notebooks.kernel import NotebookStopped, run_cells

ON_GPU = ("06_lyrics_network", "07_features_network", "08_combined_network", "13_speed")
"""Chapters that train or time the three networks: Colab opens them on a machine with a GPU."""

GPU = {"accelerator": "GPU", "colab": {"gpuType": "T4"}}


class ChapterFailed(Exception):
    """A chapter stopped; the message names the chapter and the cell and quotes the error."""


def fresh_notebook(chapter: Chapter) -> NotebookNode:
    """The chapter's notebook without outputs, the same each time that it is made."""
    source = chapter.source()
    notebook = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python", "pygments_lexer": "ipython3"},
            **(GPU if chapter.name in ON_GPU else {}),
        }
    )
    for cell, cell_id in zip(source.cells, made_ids(source.cells), strict=True):
        is_code = cell.cell_type == "code"
        make = nbformat.v4.new_code_cell if is_code else nbformat.v4.new_markdown_cell
        metadata = {"tags": tags(cell)} if tags(cell) else {}
        metadata |= {name: cell.metadata[name] for name in FOLDED if name in cell.metadata}
        if "solution" in tags(cell):  # folded in JupyterLab and Colab, as it is in the book
            metadata["jupyter"] = {"source_hidden": True, "outputs_hidden": True}
            metadata["cellView"] = "form"
        notebook.cells.append(make(cell.source, metadata=metadata, id=cell_id))
    return notebook


def execute(chapter: Chapter, notebook: NotebookNode, progress: str = "") -> float:
    """Run every cell in the folder ``book/``; outputs are left in ``notebook``.

    Returns:
        Seconds taken.

    Raises:
        ChapterFailed: a cell raised, ran too long, or its kernel died.
    """
    if not code_cells(notebook):
        return 0.0

    def show(at: int) -> None:
        if sys.stdout.isatty():
            print(f"\r{progress} cell {at + 1} of {len(notebook.cells)} ", end="", flush=True)

    if not sys.stdout.isatty() and progress:
        print(f"{progress} …", flush=True)
    start = time.perf_counter()
    try:
        run_cells(notebook, chapter.folder, on_cell=show)
    except NotebookStopped as stopped:
        cell = cell_name(stopped.at, notebook.cells[stopped.at])
        raise ChapterFailed(f"{chapter.name}, {cell}:\n{stopped}") from None
    finally:
        notebook.metadata.language_info.pop("version", None)
    return time.perf_counter() - start


def refresh(chapters: list[Chapter], force: bool = False) -> None:
    """Make the committed notebooks of stale chapters anew, or of all with ``force``.

    Where only prose changed, stored outputs are kept and nothing is executed.

    Raises:
        ValueError: a notebook has text that its .md lacks, and that would be lost; nothing was
            written. The message names the cells.
        ChapterFailed: as `execute`.
    """
    made = [chapter for chapter in chapters if chapter.ipynb.exists()]
    lost = [sentence for chapter in made for sentence in problems(chapter, [edits_are_taken])]
    if lost:
        raise ValueError(
            "\n".join([*lost, "Nothing was made. To discard an edit: git restore book/NAME.ipynb"])
        )
    for i, chapter in enumerate(chapters, 1):
        progress = f"[{i}/{len(chapters)}] {chapter.name}"
        if not force and not problems(chapter, STALE_CHECKS):
            print(f"{progress}: up to date")
            continue
        notebook = fresh_notebook(chapter)
        prints = chapter_fingerprints(notebook)
        old = chapter.notebook() if chapter.ipynb.exists() else None
        if not force and old and old.metadata.get("genre_lib") == prints and executed(old):
            for new_cell, old_cell in zip(code_cells(notebook), code_cells(old), strict=True):
                new_cell.outputs = old_cell.outputs
                new_cell.execution_count = old_cell.execution_count
            notebook.metadata = old.metadata
            print(f"{progress}: prose updated, outputs kept")
        else:
            seconds = execute(chapter, notebook, progress)
            notebook.metadata["genre_lib"] = prints
            today = datetime.date.today().isoformat()
            notebook.metadata["run"] = {"date": today, "seconds": round(seconds)}
            print(f"\r{progress}: executed in {seconds:.0f} s   ")
        nbformat.write(notebook, chapter.ipynb)
        for sentence in problems(chapter, CHECKS):
            print(f"  {sentence}")


def take_edits(chapters: list[Chapter]) -> None:
    """Take text that was edited in notebooks over into their .md, and say which cells."""
    for chapter in chapters:
        cells = chapter.notebook().cells if chapter.ipynb.exists() else []
        taken = take_over(chapter) if cells else []
        for at in taken:
            print(f"{chapter.md.name}: took over {cell_name(at, cells[at])}")
        if not taken:
            print(f"{chapter.md.name}: nothing to take over")


def executed(notebook: NotebookNode) -> bool:
    """Whether every code cell was run, in order."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    return counts == list(range(1, len(counts) + 1))


def run(chapters: list[Chapter], out: Path) -> bool:
    """Execute chapters afresh into ``out``; print seconds a chapter; True when all went well."""
    out.mkdir(parents=True, exist_ok=True)
    rows, failures = [], []
    for i, chapter in enumerate(chapters, 1):
        progress = f"[{i}/{len(chapters)}] {chapter.name}"
        notebook = fresh_notebook(chapter)
        start = time.perf_counter()
        try:
            execute(chapter, notebook, progress)
            result = "ok"
        except ChapterFailed as failure:
            failures.append(str(failure))
            result = "FAILED"
        seconds = time.perf_counter() - start
        print(f"\r{progress}: {result}, {seconds:.1f} s      ", flush=True)
        rows.append((chapter.name, seconds, result))
        nbformat.write(notebook, out / chapter.ipynb.name)
    width = max(len(name) for name, *_ in rows)
    print(f"\n{'chapter':{width}}  seconds")
    for name, seconds, result in rows:
        print(f"{name:{width}}  {seconds:7.1f}{'' if result == 'ok' else '  ' + result}")
    print(f"{'all':{width}}  {sum(seconds for _, seconds, _ in rows):7.1f}")
    for failure in failures:
        print(f"\nFAILED: {failure}", file=sys.stderr)
    return not failures


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit code is 0 when all is well."""
    parser = argparse.ArgumentParser(
        prog="python -m course_tools.notebooks.make",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=["refresh", "edits", "run", "check"])
    parser.add_argument("chapters", nargs="*", help="names or their beginnings; all when left out")
    parser.add_argument("--force", action="store_true", help="refresh chapters that are not stale")
    parser.add_argument("--out", type=Path, default=ROOT / "_build/executed")
    options = parser.parse_args(argv)
    try:
        chapters = find_chapters(names=options.chapters)
        if options.command == "refresh":
            refresh(chapters, options.force)
        elif options.command == "edits":
            take_edits(chapters)
        elif options.command == "run":
            return 0 if run(chapters, options.out) else 1
        else:
            found = [line for chapter in chapters for line in problems(chapter, CHECKS)]
            print("\n".join(found) or f"{len(chapters)} chapters: nothing wrong")
            return 1 if found else 0
    except (ValueError, ChapterFailed) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
