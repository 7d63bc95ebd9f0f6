"""The settings with which plain Sphinx builds the book. `make book-sphinx` builds it."""

import ast
from pathlib import Path

from course_tools.book.plain_sphinx import ONLY_JUPYTER_BOOK, main, sphinx_settings
from course_tools.notebooks.chapters import ROOT


def test_nothing_of_jupyter_book_is_left_and_nothing_of_the_course_is_lost():
    settings = sphinx_settings()
    assert not ONLY_JUPYTER_BOOK & set(settings["extensions"])
    ours = (ROOT / "course_tools/book").glob("*.py")
    extensions = {
        f"course_tools.book.{path.stem}" for path in ours if "def setup(" in path.read_text("utf8")
    }
    assert extensions | {"myst_nb", "sphinx_book_theme"} <= set(settings["extensions"])
    assert settings["html_title"] == "Deep Music Genre Classification"
    assert settings["nb_execution_mode"] == "off" and settings["html_math_renderer"] == "mathml"


def test_what_is_written_says_the_same_and_names_files_that_are_there(tmp_path):
    main(str(tmp_path))
    written = ast.parse((tmp_path / "conf.py").read_text("utf8"))
    settings = {
        line.targets[0].id: ast.literal_eval(line.value)
        for line in written.body
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)
    }
    assert settings == sphinx_settings()
    files = [settings["html_favicon"], *settings["html_static_path"]]
    assert all(Path(file).is_absolute() and Path(file).exists() for file in files)
