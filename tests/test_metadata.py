"""What archives are told of the project: the same in CITATION.cff, .zenodo.json and pyproject."""

import json
import sys

import pytest
import yaml

from course_tools.notebooks.chapters import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf8"))
ZENODO = json.loads((ROOT / ".zenodo.json").read_text("utf8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]


@pytest.mark.parametrize(
    ("cited", "archived"),
    [
        ("title", "title"),
        ("version", "version"),
        ("keywords", "keywords"),
        ("type", "upload_type"),
        ("abstract", "description"),
    ],
)
def test_the_archive_says_what_the_citation_says(cited, archived):
    assert ZENODO[archived] == CITATION[cited]


def test_people_licence_and_data_are_the_same():
    assert [one["name"] for one in ZENODO["creators"]] == [
        one["name"] for one in CITATION["authors"]
    ]
    assert ZENODO["license"] == CITATION["license"][0] == PROJECT["license"]
    cited = [one["doi"] for one in CITATION["references"]]
    assert [one["identifier"] for one in ZENODO["related_identifiers"]] == cited


def test_the_version_is_that_of_the_library():
    assert CITATION["version"] == PROJECT["version"]
    assert CITATION["title"] in PROJECT["description"]
