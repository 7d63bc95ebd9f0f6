"""Running a notebook's cells: where it stops, in which kernel, and what is left of outputs."""

import nbformat
import pytest
from invented_chapter import display
from jupyter_client.manager import KernelManager

from course_tools.notebooks.kernel import NotebookStopped, is_progress, run_cells, tidy


def notebook_of(*sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("Text."), *cells])


def test_a_notebook_stops_at_the_cell_that_raises(tmp_path):
    notebook, begun = notebook_of("print(1)", "1 / 0", "print(2)"), []
    with pytest.raises(NotebookStopped, match="ZeroDivisionError: division by zero$") as stopped:
        run_cells(notebook, tmp_path, on_cell=begun.append)
    assert stopped.value.at == 2 and begun == [0, 1, 2]
    assert [len(cell.outputs) for cell in notebook.cells[1:]] == [1, 1, 0]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import time; time.sleep(60)", "the cell ran longer than 2 seconds"),
        ("import os; os._exit(1)", "the kernel died"),
    ],
)
def test_a_notebook_that_does_not_end_by_itself_is_stopped(source, reason, tmp_path):
    with pytest.raises(NotebookStopped, match=reason):
        run_cells(notebook_of(source), tmp_path, seconds=2)


def test_a_kernel_of_ones_own_goes_on_and_has_its_own_variables(tmp_path):
    notebook = notebook_of("import os; n = globals().get('n', 0) + 1; print(n, os.environ['ONE'])")
    manager = KernelManager(kernel_name="python3")
    variables = {"PATH": "/usr/bin:/bin", "ONE": "two"}
    try:
        for said in ("1 two\n", "2 two\n"):
            run_cells(notebook, tmp_path, manager=manager, variables=variables)
            assert notebook.cells[1].outputs[0].text == said
    finally:
        manager.shutdown_kernel(now=True)


def test_outputs_lose_progress_bars_and_paths(monkeypatch, tmp_path):
    bar = nbformat.v4.new_output("stream", name="stderr", text="epoch 1: 100%|####| 8/8\n")
    warning = nbformat.v4.new_output("stream", name="stderr", text="Warning: mind\n")
    assert is_progress(bar)
    assert not is_progress(warning)
    monkeypatch.setenv("GENRE_SONGS", str(tmp_path / "songs.csv"))
    text = f"read {tmp_path}/songs.csv in /tmp/ipykernel_12/34.py"
    assert tidy(display({"text/plain": text})).data["text/plain"] == "read ./songs.csv in <cell>"
