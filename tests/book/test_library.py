"""The page *The library*, and links to it from the code of chapters."""

from __future__ import annotations

import re

from sphinx.pycode import ModuleAnalyzer

import genre_lib
from course_tools.book.library import link_names
from course_tools.notebooks.chapters import ROOT, find_chapters

NAMES = {"load_songs": "genre_lib.load_songs", "fit": "genre_lib.fit", "confusion": "p.confusion"}


def cell(*parts: str) -> str:
    """A code cell as Sphinx writes it; a dot is an operator, a bracket is plain text."""
    inner = "".join(
        f'<span class="{"o" if part == "." else "n"}">{part}</span>' if part != "(" else "("
        for part in parts
    )
    return f'<div class="highlight-ipython3 notranslate"><div class="highlight"><pre>{inner}</pre>'


def linked(*cells: str) -> list[str]:
    html = link_names("<p>load_songs</p>".join(cells), NAMES, "library.html")
    return re.findall(r'href="library.html#([\w.]+)"><span class="n">', html)


def test_a_name_is_linked_where_it_is_first_used():
    first = cell("songs", "load_songs", "(")
    assert linked(first, first) == ["genre_lib.load_songs"]
    assert linked(cell("genre_lib", ".", "load_songs", "(")) == ["genre_lib.load_songs"]
    assert linked(cell("plots", ".", "confusion", "(")) == ["p.confusion"]


def test_methods_and_longer_names_are_not_linked():
    assert linked(cell("encoder", ".", "fit", "("), cell("fit_encode", "(")) == []
    later = linked(cell("encoder", ".", "fit", "("), cell("genre_lib", ".", "fit", "("))
    assert later == ["genre_lib.fit"]


def test_the_page_has_every_name_that_can_be_imported_from_the_library_itself_and_all_figures():
    page = (ROOT / "book/library.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\.\. auto\w+:: ([\w.]+)$", page, re.MULTILINE))
    public = set(genre_lib.__all__) - {"plots"}
    assert public <= {name.rpartition(".")[2] for name in named}
    drawn = {
        f"genre_lib.plots.{name}"
        for name in genre_lib.plots.__all__
        if callable(getattr(genre_lib.plots, name))
    }
    assert drawn <= named


def test_what_a_constant_is_stands_where_the_page_looks_for_it():
    """Else Sphinx shows what Python says about tuples."""
    page = (ROOT / "book/library.md").read_text(encoding="utf-8")
    named = re.findall(r"^\.\. autodata:: ([\w.]+)\.(\w+)$", page, re.MULTILINE)
    assert len(named) >= 4
    for module, name in named:
        assert ("", name) in ModuleAnalyzer.for_module(module).find_attr_docs()


def test_the_page_has_every_function_that_chapters_import():
    page = (ROOT / "book/library.md").read_text(encoding="utf-8")
    for chapter in find_chapters():
        text = chapter.md.read_text(encoding="utf-8")
        for names in re.findall(
            r"^from genre_lib[\w.]* import (\([^)]*\)|.*)$", text, re.MULTILINE
        ):
            for name in set(re.findall(r"\w+", names)) - {"plots"}:
                assert re.search(rf"\.{name}$", page, re.MULTILINE), (chapter.name, name)
