"""The maintainers' tools, mostly on chapters broken on purpose: each must be named."""

import json
from importlib import resources

import nbformat
import pytest
from sphinx.application import Sphinx

from course_tools.book.admonitions import OPENING
from course_tools.book.maths import mathml
from course_tools.notebooks.chapters import ROOT, Chapter, find_chapters
from course_tools.notebooks.checks import CHECKS, PICTURE, PLOTLY, link_problem, problems
from course_tools.notebooks.fingerprint import chapter_fingerprints, code_text, files_fingerprint
from course_tools.notebooks.make import ChapterFailed, execute, fresh_notebook, is_progress, tidy
from course_tools.site.links import external_links, has_network
from course_tools.site.repository import old_assignments, set_repository

EXACT = "```python\n# NBVAL_CHECK_OUTPUT\n1 + {}\n```\n\n"
EXERCISE = (
    '> **Exercise 3.{}** A title\n>\n> Do it.\n\n```python tags=["solution"]\n{} + 1\n```\n\n'
)
SOUND = (
    "# 3 · Training\n\n> **Note** Mind\n> this.\n\n"
    "Inline $x_i$, and [a link](03_training.ipynb).\n\n"
    + "".join(EXACT.format(i) for i in range(4))
    + "```python\nimport plotly\n```\n\n```python\nwhere\n```\n\n"
    + "".join(EXERCISE.format(i, i) for i in (1, 2, 3))
)


def test_links_to_other_sites_are_listed_with_their_pages(tmp_path):
    (tmp_path / "_toc.yml").write_text("root: a.ipynb\nchapters: [{file: b.md}]\n")
    (tmp_path / "a.md").write_text("[x](https://x.org/1) [b](b.md) [y](http://y.org)")
    (tmp_path / "b.md").write_text("[x](https://x.org/1)")
    links = {"http://y.org": ["a.md"], "https://x.org/1": ["a.md", "b.md"]}
    assert external_links(tmp_path) == links
    assert not has_network("http://127.0.0.1:1")


def figure(alt='Bars "rise" & fall'):
    layout = {"height": 300, "meta": {"alt": alt} if alt else {}}
    return {"data": [{"type": "bar", "y": [1, 2]}], "layout": layout}


def display(data):
    return nbformat.v4.new_output("display_data", data=data)


def songs_line(songs):
    return display({"text/plain": f"'python 3.11 · device cpu · songs: {songs} (from somewhere)'"})


def write_pair(folder, change_notebook=lambda notebook: None, md=SOUND):
    """A pair as `make notebooks` leaves it, but for ``change_notebook``; no kernel is started."""
    chapter = Chapter("03_training", folder)
    chapter.md.write_text(md, "utf8")
    notebook = fresh_notebook(chapter)
    for count, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
        cell.execution_count = count
        result = {"data": {"text/plain": "1"}, "execution_count": count}
        cell.outputs = [nbformat.v4.new_output("execute_result", **result)]
    python_cells(notebook)["import plotly"].outputs = [display({PLOTLY: figure(), PICTURE: "iVBO"})]
    python_cells(notebook)["where"].outputs = [songs_line("28,372 real songs")]
    notebook.metadata["genre_lib"] = chapter_fingerprints(notebook)
    change_notebook(notebook)
    nbformat.write(notebook, chapter.ipynb)
    return chapter


def python_cells(notebook):
    return {cell.source: cell for cell in notebook.cells if cell.cell_type == "code"}


def test_sound_chapter_passes_every_check(tmp_path):
    assert problems(write_pair(tmp_path), CHECKS) == []


def changed_source(notebook):
    python_cells(notebook)["import plotly"].source = "import  plotly"
    notebook.metadata["genre_lib"] = chapter_fingerprints(notebook)


def changed_tags(notebook):
    python_cells(notebook)["2 + 1"].metadata["tags"] = []


def dropped_cell(notebook):
    notebook.cells.pop()


def not_executed(notebook):
    python_cells(notebook)["2 + 1"].execution_count = None


def out_of_order(notebook):
    python_cells(notebook)["2 + 1"].execution_count = 12


def failed(notebook):
    error = {"ename": "NameError", "evalue": "name 'x' is not defined", "traceback": []}
    python_cells(notebook)["2 + 1"].outputs = [nbformat.v4.new_output("error", **error)]


def never_refreshed(notebook):
    del notebook.metadata["genre_lib"]


def older_than_library(notebook):
    notebook.metadata["genre_lib"]["library"] = "0" * 16


def older_than_chapter(notebook):
    notebook.metadata["genre_lib"]["chapter"] = "0" * 16


def machine_path(notebook):
    text = "saved to /home/someone/run"
    python_cells(notebook)["2 + 1"].outputs = [display({"text/plain": text})]


def outside_script(notebook):
    html = '<script src="https://example.org/x.js"></script>'
    python_cells(notebook)["2 + 1"].outputs = [display({"text/html": html})]


def no_songs_line(notebook):
    python_cells(notebook)["where"].outputs = []


def synthetic_songs(notebook):
    python_cells(notebook)["where"].outputs = [songs_line("4,000 synthetic songs")]


def no_alternative(notebook):
    data = {PLOTLY: figure(alt=""), PICTURE: "iVBO"}
    python_cells(notebook)["import plotly"].outputs = [display(data)]


def no_picture(notebook):
    python_cells(notebook)["import plotly"].outputs = [display({PLOTLY: figure()})]


def silent_exact_cell(notebook):
    next(c for c in notebook.cells if "NBVAL_CHECK_OUTPUT" in c.source).outputs = []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (changed_source, "(`import plotly`): source in the .md differs"),
        (changed_tags, "(`2 + 1`): tags in the .md differs"),
        (no_picture, "(`import plotly`): figure without a picture: run `make pictures`"),
        (dropped_cell, "cells and the .ipynb has"),
        (not_executed, "(`2 + 1`): not executed"),
        (out_of_order, "(`2 + 1`): executed as number 12 where 8 was due"),
        (failed, "(`2 + 1`): stored output is NameError: name 'x' is not defined"),
        (never_refreshed, "does not say which code made its outputs"),
        (older_than_library, "stored outputs are older than genre_lib: run `make notebooks`"),
        (older_than_chapter, "stored outputs are older than the chapter's code cells"),
        (machine_path, "(`2 + 1`): output holds the path /home/someone"),
        (outside_script, "(`2 + 1`): output loads from elsewhere"),
        (no_songs_line, "no cell prints versions, device and songs"),
        (synthetic_songs, "made from 4,000 synthetic songs: run `make notebooks GENRE_SONGS="),
        (no_alternative, '(`import plotly`): figure without layout.meta["alt"]'),
        (silent_exact_cell, "on a cell that prints nothing"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_broken_notebook_is_named(tmp_path, change, sentence):
    found = problems(write_pair(tmp_path, change), CHECKS)
    assert len(found) == 1, found
    assert found[0].startswith("03_training: ")
    assert sentence in found[0]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("Inline", ":::{note}\nInline", "`:::{note}` is not plain Markdown"),
        ("Inline", "{ref}`x` inline", "`{ref}` is not plain Markdown"),
        ("Inline", "```{note}\nx\n```\n\nInline", "```{note}"),
        ("Inline", "(label)=\nInline", "`(label)=` is not plain Markdown"),
        ("Inline", "[text][nowhere]", "`][nowhere]` is not plain Markdown"),
        ("Inline", "[text](a page.md)", "`](a page.md)` is not plain Markdown"),
        ("Inline", "Said elsewhere.[^1]\n\nInline", "`[^1]` is not plain Markdown"),
        ("Inline", "[text](#x){.class}\n\nInline", "`{.class}` is not plain Markdown"),
        ("Inline", "{{ version }} inline", "`{{ version }}` is not plain Markdown"),
        ("03_training.ipynb", "03_training.md", "should be written 03_training.ipynb"),
        ("03_training.ipynb", "04_gone.ipynb", "link to 04_gone.ipynb leads nowhere"),
        ("03_training.ipynb", "../README.md", "leads out of book/"),
        ("# NBVAL_CHECK_OUTPUT\n1 + 2", "1 + 2", "3 cells carry `# NBVAL_CHECK_OUTPUT`"),
        ("Exercise 3.3", "Exercise 3.5", "numbered 3.1, 3.2, 3.5 and not 3.1, 3.2, 3.3"),
        (' tags=["solution"]\n2', "\n2", "3 exercises and 2 cells tagged `solution`"),
    ],
)
def test_broken_source_is_named(tmp_path, old, new, sentence):
    assert old in SOUND
    found = problems(write_pair(tmp_path, md=SOUND.replace(old, new, 1)), CHECKS)
    assert len(found) == 1, found
    assert found[0].startswith("03_training: ")
    assert sentence in found[0]


def test_missing_half_is_named(tmp_path):
    chapter = write_pair(tmp_path)
    chapter.ipynb.unlink()
    assert problems(chapter, CHECKS) == [
        "03_training: 03_training.ipynb is missing: run `make notebooks`"
    ]


def test_picture_that_exists_is_a_good_link(tmp_path):
    (tmp_path / "a.svg").write_text("<svg/>")
    assert link_problem("a.svg", tmp_path) == ""
    assert link_problem("b.svg", tmp_path) == "leads nowhere"


def test_failing_cell_stops_its_chapter_by_name(tmp_path):
    chapter = Chapter("03_training", tmp_path)
    chapter.md.write_text("Text.\n\n```python\n1 + 1\n```\n\n```python\nunknown\n```\n")
    with pytest.raises(
        ChapterFailed, match=r"03_training, cell 3 \(`unknown`\):\n(.*\n)*NameError"
    ):
        execute(chapter, fresh_notebook(chapter))


def test_making_a_notebook_again_gives_the_same_one(tmp_path):
    chapter = Chapter("03_training", tmp_path)
    chapter.md.write_text(SOUND + "```python\n1 + 1\n```\n" * 2, "utf8")
    first, second = fresh_notebook(chapter), fresh_notebook(chapter)
    assert first == second
    ids = [cell.id for cell in first.cells]
    assert len(set(ids)) == len(ids)
    chapter.md.write_text("A new cell.\n\n\n" + chapter.md.read_text("utf8"), "utf8")
    assert [cell.id for cell in fresh_notebook(chapter).cells][1:] == ids


def test_outputs_lose_progress_bars_and_paths(monkeypatch, tmp_path):
    bar = nbformat.v4.new_output("stream", name="stderr", text="epoch 1: 100%|####| 8/8\n")
    warning = nbformat.v4.new_output("stream", name="stderr", text="Warning: mind\n")
    assert is_progress(bar)
    assert not is_progress(warning)
    monkeypatch.setenv("GENRE_SONGS", str(tmp_path / "songs.csv"))
    text = f"read {tmp_path}/songs.csv in /tmp/ipykernel_12/34.py"
    assert tidy(display({"text/plain": text})).data["text/plain"] == "read ./songs.csv in <cell>"


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


def test_every_package_is_installed():
    listed = (ROOT / "pyproject.toml").read_text("utf8")
    for file in [*ROOT.glob("genre_lib/**/__init__.py"), *ROOT.glob("course_tools/**/__init__.py")]:
        package = ".".join(file.parent.relative_to(ROOT).parts)
        assert f'"{package}"' in listed, f"{package} is not among the packages of pyproject.toml"


def test_stored_results_are_installed_with_the_library():
    names = {path.name for path in resources.files("genre_lib.results").iterdir()}
    assert names >= {path.name for path in ROOT.glob("benchmarks/results/*.json")}


def test_chapters_by_the_beginning_of_their_names(tmp_path):
    (tmp_path / "_toc.yml").write_text(
        "root: book/index.ipynb\nparts:\n- chapters:\n  - file: book/01_a.ipynb\n"
        "  - file: book/02_b.ipynb\n  - file: book/glossary.md\n"
    )
    assert [c.name for c in find_chapters(tmp_path)] == ["index", "01_a", "02_b"]
    assert [c.name for c in find_chapters(tmp_path, ["02", "index"])] == ["index", "02_b"]
    with pytest.raises(ValueError, match="no chapter begins with '7'; there are index, 01_a"):
        find_chapters(tmp_path, ["7"])


@pytest.mark.parametrize("latex", [r"\nosuch{x}", "{x", r"a & b"])
def test_formula_that_cannot_be_converted_is_quoted(latex):
    with pytest.raises(ValueError, match="formula"):
        mathml(latex, "inline")


def build_page(folder, notebook_change=lambda notebook: None):
    """Build a book of one chapter with our extensions; its HTML and the warnings."""
    source = folder / "source"
    source.mkdir()
    write_pair(source, notebook_change)
    extensions = ["figures", "maths", "admonitions"]
    settings = {
        "extensions": ["myst_nb", *(f"course_tools.book.{name}" for name in extensions)],
        "root_doc": "03_training",
        "exclude_patterns": ["*.md"],
        "nb_execution_mode": "off",
        "myst_enable_extensions": ["dollarmath"],
        "html_math_renderer": "mathml",
    }
    with open(folder / "warnings.txt", "w+") as warnings:
        places = (source, None, folder / "html", folder / "trees")
        Sphinx(*places, "html", settings, status=None, warning=warnings).build()
        warnings.seek(0)
        return (folder / "html/03_training.html").read_text("utf8"), warnings.read()


def test_an_exercise_may_have_a_letter_for_a_number():
    assert OPENING.fullmatch("Exercise B")[2] == "B"
    assert OPENING.fullmatch("Exercise") is None


def test_page_of_a_chapter(tmp_path):
    html, warnings = build_page(tmp_path)
    assert warnings == ""
    assert 'role="figure" aria-label="Bars &quot;rise&quot; &amp; fall"' in html
    assert json.dumps(figure(), separators=(",", ":")) in html
    assert "plotly-loader.js" in html
    assert (tmp_path / "html/_static/plotly-loader.js").is_file()
    assert (tmp_path / "html/_static/plotly.min.js").stat().st_size > 1e6
    assert '<div class="admonition note">' in html
    assert "<blockquote>" not in html
    assert 'class="exercise admonition" id="exercise-3-2"' in html
    assert '<p class="admonition-title">Exercise 3.2: A title</p>' in html
    assert html.count('<summary class="admonition-title">Solution</summary>') == 3
    assert "<math" in html
    assert "mathjax.js" not in html
    assert "NBVAL" not in html


def test_figure_without_alternative_warns_by_chapter_and_cell(tmp_path):
    _, warnings = build_page(tmp_path, no_alternative)
    assert "03_training, cell 6: figure without a text alternative" in warnings


@pytest.fixture
def project(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "_config.yml").write_text(
        "a: 1\n# repository: not set\n# end of repository\nb: 2\n"
    )
    (tmp_path / "README.md").write_text("# T\n<!-- badges -->\n<!-- end of badges -->\n")
    (tmp_path / "CITATION.cff").write_text("repository-code: x\n")
    install = "%pip install --quiet git+https://github.com/OWNER/REPOSITORY"
    write_pair(tmp_path / "book", md=SOUND + f"```python\n{install}\n```\n")
    return tmp_path


def test_repository_is_set_everywhere_and_again(project):
    chapter = Chapter("03_training", project / "book")
    for url in ("https://github.com/an-org/a.name", "https://github.com/other/place.git"):
        assert len(set_repository(url, project)) == 5
        address = url.removesuffix(".git")
        for file in ("_config.yml", "README.md", "CITATION.cff"):
            assert address in (project / file).read_text()
        assert f"git+{address}" in chapter.md.read_text()
        assert problems(chapter, CHECKS) == []
    assert "an-org" not in "".join(p.read_text() for p in project.rglob("*") if p.is_file())
    assert set_repository(url, project) == []


def test_built_assignments_with_an_older_address_are_found(project):
    built = project / "dist/assignments/student"
    built.mkdir(parents=True)
    (built / "01_a.ipynb").write_text("%pip install git+https://github.com/OWNER/REPOSITORY\\n")
    (built / "02_b.ipynb").write_text("%pip install git+https://github.com/an-org/a.name\\n")
    for url in ("https://github.com/an-org/a.name", "https://github.com/an-org/a.name.git/"):
        assert old_assignments(url, project) == [built / "01_a.ipynb"]


def test_repository_refuses_another_address(project):
    with pytest.raises(ValueError, match="not of the form"):
        set_repository("example.org", project)


def test_only_a_chapter_that_reads_results_depends_on_them():
    def prints(source: str) -> set[str]:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        return set(chapter_fingerprints(notebook))

    assert "results" in prints('study = read_result("study")')
    assert "results" not in prints("results = 1")
