"""The project's address: written into every file that holds it, at once."""

import pytest
from invented_chapter import SOUND, write_pair

from course_tools.notebooks.chapters import Chapter
from course_tools.notebooks.checks import CHECKS, problems
from course_tools.site.repository import old_assignments, set_repository


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
