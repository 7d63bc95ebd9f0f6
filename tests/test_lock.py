"""The lock and the lowest versions must fit what pyproject.toml declares; nothing is downloaded."""

from __future__ import annotations

import re
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course_tools.handouts.build import OTTER, gradescope_requirements
from course_tools.notebooks.chapters import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
LOCKS = {
    "requirements.txt": ("dev", "bench"),
    "tests/environments/lab.txt": ("dev", "bench", "lab"),
    "tests/environments/lowest.txt": ("test", "scale", "bench"),
}
TOOLS = ROOT / "course_tools/pyproject.toml"


def lines_of(path: str) -> list[Requirement]:
    lines = [line.partition("#")[0].strip() for line in (ROOT / path).read_text().splitlines()]
    return [Requirement(line) for line in lines if line]


def declared(extras: tuple[str, ...]) -> list[Requirement]:
    """What `extras` and the project itself ask for, with the extras that these name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
    tools = tomllib.loads(TOOLS.read_text("utf8"))["project"]
    extras, own = set(extras), tools["optional-dependencies"]
    waiting = [*project["dependencies"], *(f"genre-lib[{extra}]" for extra in extras - set(own))]
    waiting += [one for extra in extras & set(own) for one in own[extra]]
    if "dev" in extras:
        waiting += tools["dependencies"]
    found = []
    for requirement in map(Requirement, waiting):
        if requirement.name == "genre-lib":
            for extra in requirement.extras:
                waiting += project["optional-dependencies"][extra]
        else:
            found.append(requirement)
    return found


def holds(requirement: Requirement, python: str) -> bool:
    """Whether the marker holds on Linux."""
    machine = {"sys_platform": "linux", "platform_machine": "x86_64"}
    versions = {"python_version": python, "python_full_version": f"{python}.9"}
    return requirement.marker is None or requirement.marker.evaluate(machine | versions)


def unlocked(asked: list[Requirement], lock: list[Requirement], python: str) -> list[str]:
    """The requirements that no line of the lock satisfies with this Python."""
    pins = {
        canonicalize_name(line.name): re.fullmatch("==(.+)", str(line.specifier))[1]
        for line in lock
        if holds(line, python)
    }
    missing = []
    for one in asked:
        pin = pins.get(canonicalize_name(one.name))
        if holds(one, python) and (not pin or not one.specifier.contains(pin, prereleases=True)):
            missing.append(str(one))
    return missing


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(("path", "extras"), LOCKS.items())
def test_lock_has_all_that_is_declared(path, extras, python):
    missing = unlocked(declared(extras), lines_of(path), python)
    assert not missing, f"{path} does not satisfy {missing}: run `make lock`"


def test_jupyterlab_comes_beside_what_is_locked():
    lock, lab = ({line.name: line for line in lines_of(path)} for path in list(LOCKS)[:2])
    assert "jupyterlab" in lab and "jupyterlab" not in lock
    assert {name: lab[name].specifier for name in lock} == {
        name: line.specifier for name, line in lock.items()
    }


def test_missing_and_outdated_lines_are_noticed():
    lock = [Requirement("numpy==1.26.0"), Requirement("scipy==1.11.1; python_version < '3.12'")]
    asked = [Requirement(one) for one in ("numpy>=2", "SciPy>=1.11", "pooch")]
    assert unlocked(asked, lock, "3.11") == ["numpy>=2", "pooch"]
    assert unlocked(asked, lock, "3.12") == ["numpy>=2", "SciPy>=1.11", "pooch"]


@pytest.mark.parametrize("path", LOCKS)
def test_torch_has_one_version_without_a_build(path):
    assert [str(line) for line in lines_of(path) if line.name == "torch"] == ["torch==2.13.0"]


@pytest.mark.parametrize("path", LOCKS)
def test_lock_names_no_machine_and_no_index(path):
    text = (ROOT / path).read_text()
    assert "/" not in re.sub("#.*", "", text)
    assert "index-url" not in text


def test_graders_install_what_is_locked():
    assert OTTER in map(str, lines_of("requirements.txt"))
    lines = gradescope_requirements()
    assert "torch==2.13.0" in lines
    assert not [line for line in lines if line.startswith(("jupyter", "pytest"))]
