"""Fingerprints: which changes make stored outputs stale."""

import nbformat

from course_tools.notebooks.chapters import code_cells, find_chapters
from course_tools.notebooks.fingerprint import chapter_fingerprints, code_text, files_fingerprint


def test_fingerprint_is_of_code_alone(tmp_path):
    file = tmp_path / "a.py"
    file.write_text('def f(x):\n    """Doc."""\n    return {"a": x}  # why\n')
    before = files_fingerprint([file])
    file.write_text("def f(x):\n    'Other doc.'\n\n    return {\n        'a': x,\n    }\n")
    assert files_fingerprint([file]) == before
    file.write_text('def f(x):\n    return {"a": x + 1}\n')
    assert files_fingerprint([file]) != before


def test_code_text_is_the_same_on_every_python():
    # Written out here so that a Python whose syntax trees differ fails; empty fields don't count.
    assert code_text("def f(x, *, y=None) -> str:\n    return f'{x!r:>{y}} a' + x[1:]") == (
        "Module(body=[FunctionDef(args=arguments(args=[arg(arg='x')] kw_defaults=[Constant()] "
        "kwonlyargs=[arg(arg='y')]) body=[Return(value=BinOp(left=JoinedStr(values=["
        "FormattedValue(conversion=114 format_spec=JoinedStr(values=[Constant(value='>') "
        "FormattedValue(conversion=-1 value=Name(id='y'))]) value=Name(id='x')) "
        "Constant(value=' a')]) op=Add() right=Subscript(slice=Slice(lower=Constant(value=1)) "
        "value=Name(id='x'))))] name='f' returns=Name(id='str'))])"
    )


def test_only_a_chapter_that_reads_results_depends_on_them():
    def prints(source: str) -> set[str]:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        return set(chapter_fingerprints(notebook))

    assert "results" in prints('study = read_result("study")')
    assert "results" not in prints("results = 1")


def test_storing_scores_of_pages_makes_no_chapter_stale(tmp_path):
    results = tmp_path / "benchmarks/results"
    results.mkdir(parents=True)
    (tmp_path / "genre_lib").mkdir()
    cell = nbformat.v4.new_code_cell('read_result("study")')
    notebook = nbformat.v4.new_notebook(cells=[cell])
    before = chapter_fingerprints(notebook, tmp_path)
    for name in ("pages.json", "slow_phone.json"):
        (results / name).write_text("{}")
    assert chapter_fingerprints(notebook, tmp_path) == before
    (results / "study.json").write_text("{}")
    assert chapter_fingerprints(notebook, tmp_path) != before


def test_a_change_of_the_command_line_makes_no_chapter_stale(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])

    def print_after(change):
        file = tmp_path / "genre_lib" / change
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x = 1")
        return chapter_fingerprints(notebook, tmp_path)["library"]

    before = print_after("data/songs.py")
    assert print_after("cli/commands.py") == print_after("__main__.py") == before
    assert print_after("data/checks.py") != before


def test_chapters_use_nothing_that_fingerprints_leave_out():
    """The command line may change without making a chapter's outputs stale."""
    for chapter in find_chapters():
        for cell in code_cells(chapter.notebook()):
            assert "genre_lib.cli" not in cell.source, chapter.name
