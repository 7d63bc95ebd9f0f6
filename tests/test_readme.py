"""The README's figures are those of the stored results."""

from course_tools.chapters import ROOT
from course_tools.readme import with_results


def test_the_readme_shows_the_stored_results():
    readme = (ROOT / "README.md").read_text("utf8")
    assert readme == with_results(readme), "run: python -m course_tools.readme"
    assert "±" in readme
