"""What gets installed: genre_lib by students, course_tools by maintainers, each on its own."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib import resources

import pytest

from course_tools.notebooks.chapters import ROOT

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
OFFLINE = ["--no-deps", "--no-index", "--no-cache-dir"]


def copied_repository(folder):
    """Return a copy of what projects are built from, so that no older build gets in."""
    copy = folder / "repository"
    leave_out = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("genre_lib", "course_tools", "benchmarks/results", "tests/environments"):
        shutil.copytree(ROOT / name, copy / name, ignore=leave_out)
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in", "tests/test_lock.py"):
        shutil.copy(ROOT / name, copy / name)
    return copy


def build_wheel(project, folder):
    """Build a wheel of a project in a copy of the repository."""
    copy = copied_repository(folder)
    options = [*OFFLINE, "--no-build-isolation", "--wheel-dir", folder]
    subprocess.run([*PIP, "wheel", *options, copy / project], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The wheel of genre-lib."""
    return build_wheel(".", tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    """The wheel of course-tools."""
    return build_wheel("course_tools", tmp_path_factory.mktemp("tools"))


def files_in(wheel):
    """Names of a wheel's files, without those that describe it."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def files_under(folder, *patterns):
    """Names of the repository's files in a folder."""
    paths = (path for pattern in patterns for path in (ROOT / folder).rglob(pattern))
    return {path.relative_to(ROOT).as_posix() for path in paths}


def entry_points(wheel):
    """A wheel's entry points, as written in it."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("entry_points.txt"))
        return archive.read(name).decode().split()


def test_library_holds_genre_lib_and_nothing_else(library):
    results = files_under("benchmarks/results", "*.py", "*.json")
    ours = files_under("genre_lib", "*.py", "*.json")
    stored = {name.replace("benchmarks/results", "genre_lib/results") for name in results}
    assert files_in(library) == ours | stored
    assert entry_points(library) == [
        "[console_scripts]",
        "genre-lib",
        "=",
        "genre_lib.cli.main:main",
    ]


def test_source_archive_holds_what_the_wheel_is_made_of_and_no_tests(library, tmp_path):
    code = "import sys, setuptools.build_meta as b; b.build_sdist(sys.argv[1])"
    command = [sys.executable, "-c", code, tmp_path]
    subprocess.run(command, cwd=copied_repository(tmp_path), check=True, capture_output=True)
    (archive,) = tmp_path.glob("genre_lib-*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    made_of = {
        name.replace("genre_lib/results", "benchmarks/results") for name in files_in(library)
    }
    assert made_of | {"pyproject.toml", "README.md", "LICENSE"} <= names
    assert not {name for name in names if name.startswith(("tests", "course_tools", "book"))}


def test_library_and_help_need_no_other_package(library, tmp_path):
    """Names load when they are used, so both work before anything else is installed."""
    subprocess.run([*PIP, "install", *OFFLINE, "--target", tmp_path, library], check=True)
    bare = [sys.executable, "-I", "-S", "-c"]
    start = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
    codes = (
        "import genre_lib; print(genre_lib.GENRES[3])",
        ("from genre_lib.cli.main import main; main(['--help'])"),
    )
    for code, said in zip(codes, ("jazz", "usage: "), strict=True):
        ran = subprocess.run([*bare, start + code], capture_output=True, text=True, check=True)
        assert ran.stdout.startswith(said)


def test_tools_are_whole(tools):
    patterns = ("*.py", "*.html", "*.js", "Dockerfile")
    assert files_in(tools) == files_under("course_tools", *patterns)
    assert entry_points(tools)[0] == "[myst_nb.mime_renderers]"


def test_library_works_where_nothing_else_of_the_course_is(library, tmp_path):
    target = tmp_path / "target"
    subprocess.run([*PIP, "install", *OFFLINE, "--target", target, library], check=True)
    variables = os.environ | {"PYTHONPATH": str(target)}

    def said(*command):
        done = subprocess.run(
            command, cwd=tmp_path, env=variables, check=True, capture_output=True, text=True
        )
        return done.stdout

    code = (
        "import sys; sys.modules['course_tools'] = None\n"  # importing it would raise
        "import genre_lib, genre_lib.cli.main, genre_lib.scaling, genre_lib.study.run\n"
        "from genre_lib.study.results import read_result\n"
        "read_result('study'); print(genre_lib.__file__)"
    )
    assert said(sys.executable, "-c", code).strip() == str(target / "genre_lib/__init__.py")
    helped = said(target / "bin/genre-lib", "--help")
    assert re.match(r"usage: genre-lib\b", helped) and "train" in helped


def test_stored_results_are_installed_with_the_library():
    names = {path.name for path in resources.files("genre_lib.results").iterdir()}
    assert names >= {path.name for path in ROOT.glob("benchmarks/results/*.json")}
