"""The README's figures are those of the stored results."""

from course_tools.notebooks.chapters import ROOT
from course_tools.site.readme import with_results


def test_the_readme_shows_the_stored_results():
    readme = (ROOT / "README.md").read_text("utf8")
    assert readme == with_results(readme), "run: python -m course_tools.site.readme"
    assert "±" in readme
