"""The roster: whose a submission is, who handed in nothing, and what is said of a broken one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from course_tools.grading.roster import read_roster
from course_tools.grading.submissions import Submission


def roster(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return read_roster(path)


def handed_in(student, lms_id="", file="x.ipynb"):
    return Submission(student, lms_id, False, file, b"{}")


ADA = "student,id,student_id\nAda Lovelace,7,ada\nBo Ek,8,bo\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_spreadsheets_csv_is_read(encoding, separator, tmp_path):
    text = "\n\nSTUDENT , Id,extra\r\nZoë Ü,7,x\r\n\r\n,,\r\nBo,8\r\n".replace(",", separator)
    read = roster(tmp_path, text, encoding)
    assert [(one.name, one.lms_id, one.line) for one in read.students] == [
        ("Zoë Ü", "7", 4), ("Bo", "8", 7),
    ]  # fmt: skip
    assert read.remark == ""


def test_latin_1_is_read_and_said(tmp_path):
    read = roster(tmp_path, "student,id\nZoë,7\n", "latin-1")
    assert read.students[0].name == "Zoë" and "read as Latin-1" in read.remark


def test_extensions_and_times(tmp_path):
    lines = [
        "student;id;extension;handed_in",
        "Ada;7;1,5;2026-03-01T10:00",
        "Bo;8;2026-03-05 23:59",
    ]
    ada, bo = roster(tmp_path, "\n".join(lines)).students
    assert (ada.extension, ada.handed_in) == (timedelta(days=1.5), datetime(2026, 3, 1, 10))
    assert (bo.extension, bo.handed_in) == (datetime(2026, 3, 5, 23, 59), None)


def test_every_fault_is_named_with_its_line(tmp_path):
    lines = [
        "student,id,student_id,extension,handed_in",
        "Ada,7,ada,soon,",
        ",,x,,",
        "Bo,7,ADA,-1,",
        "Lovelace, Ada,9,a,1,2026-03-01T10:00",
        "Cy,10,cy,nan,2026-03-01",
        "Di,11,di,20260305,yesterday",
    ]
    with pytest.raises(ValueError, match="line") as error:
        roster(tmp_path, "\n".join(lines))
    said = str(error.value)
    for part in (
        "line 2: extension: 'soon' is not a time",
        "line 3: there is neither",
        "line 4: the id '7' is that of line 2",
        "line 4: the student_id 'ada' is that of line 2",
        "line 4: extension: '-1' days",
        "line 5: 6 cells, but 5 columns",
        "line 6: extension: 'nan' days",
        "line 6: handed_in: '2026-03-01' is not a time",
        "line 7: extension: '20260305' days",
        "line 7: handed_in: 'yesterday'",
    ):
        assert part in said
    for text, part in [
        ("", "is empty"),
        ("name,id\nAda,7", "no column 'student'"),
        ("student,id,ID\nAda,7,8", "two columns 'id'"),
        ("student,id\n", "no student in it"),
    ]:
        with pytest.raises(ValueError, match=part):
            roster(tmp_path, text)
    with pytest.raises(ValueError, match="can't be read"):
        read_roster(tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    ("name", "lms_id", "listed"),
    [
        ("anonymous", "7", "Ada Lovelace"),
        ("Ada Lovelace", "", "Lovelace, Ada"),
        ("Lovelace, Ada", "", "Ada Lovelace"),
        ("lovelaceada", "", "Ada Lovelace"),
        ("vonderleyenursula", "", "Ursula von der Leyen"),
        ("ZOE\u0308 MULLER", "99", "Müller, Zoë"),
        ("obrienann", "", "Ann O'Brien"),
    ],
)
def test_a_student_is_found_by_id_or_in_any_typing(name, lms_id, listed, tmp_path):
    read = roster(tmp_path, f'student;id\n"{listed}";7\nBo Ek;8\n')
    assert read.find(handed_in(name, lms_id)).lms_id == "7"
    assert read.find(handed_in("Somebody Else", "9")) is None


def test_missing_unknown_and_ambiguous_are_said_never_guessed(tmp_path):
    read = roster(tmp_path, "student,id\nKim Lee,1\nLee Kim,2\nAda,3\nBo,4\nCy,5\n")
    kim, eve = handed_in("Kim Lee"), handed_in("Eve")
    ada, bo, twice = handed_in("ada"), handed_in("x", "4"), handed_in("Bo", "", "y.ipynb")
    matched = read.match([kim, eve, ada, bo, twice])
    assert [(one.file, who.name) for one, who in matched.students.items()] == [("x.ipynb", "Ada")]
    assert matched.unknown == [eve] and [one.name for one in matched.missing] == ["Cy"]
    assert "may be Kim Lee (line 2) or Lee Kim (line 3)" in matched.doubts[kim]
    assert "2 submissions are of Bo (line 5)" in matched.doubts[bo] == matched.doubts[twice]
    assert read.find(handed_in("Kim Lee", "2")).name == "Lee Kim"


def test_ids_in_the_notebook_are_compared_with_the_roster(tmp_path):
    read = roster(tmp_path, ADA + "Cy,9,\n")
    ada, _, cy = read.students
    assert read.typed_by(ada, " ADA ") == read.typed_by(ada, "") == read.typed_by(cy, "cy") == ""
    assert "that of Bo Ek (line 3)" in read.typed_by(ada, "bo")
    assert "that of Bo Ek" in read.typed_by(None, "bo") and "that of" in read.typed_by(cy, "bo")
    assert "nobody's on the roster" in read.typed_by(ada, "eve")
    assert roster(tmp_path, "student,id\nAda,7\n").typed_by(ada, "eve") == ""
