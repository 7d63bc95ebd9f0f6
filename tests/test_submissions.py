"""What students handed in: every one of them gets a row, and one file never stops a class."""

from __future__ import annotations

import os
import zipfile

import pytest

from course_tools.grading.submissions import LARGEST, read_submissions


@pytest.mark.parametrize(
    ("name", "student", "lms_id", "late"),
    [
        ("lovelaceada_12345_67890_01_know-2.ipynb", "lovelaceada", "12345", False),
        ("lovelaceada_LATE_12345_67890_01_know.ipynb", "lovelaceada", "12345", True),
        ("Ada Lovelace_99_assignsubmission_file_/01.ipynb", "Ada Lovelace", "99", False),
        ("ada.ipynb", "ada", "", False),
    ],
)
def test_names_of_canvas_and_moodle(name, student, lms_id, late, tmp_path):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"{}")
    (one,) = read_submissions(tmp_path)
    assert (one.student, one.lms_id, one.late) == (student, lms_id, late)


def test_names_in_folders_of_ones_own_and_files_that_are_no_notebooks(tmp_path):
    def students(*names):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for name in names:
            path = os.path.join(os.fsencode(folder), name if type(name) is bytes else name.encode())
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(b"{}")
        return [(one.student, one.fault, one.remark) for one in read_submissions(folder)]

    assert students("a/ada.ipynb", "b/bo.ipynb") == [("ada", "", ""), ("bo", "", "")]
    assert students("ada/01.ipynb", "bo/01.ipynb") == [("ada", "", ""), ("bo", "", "")]
    assert [one[0] for one in students("a/1.ipynb", "a/2.ipynb", "b/1.ipynb")] == [
        "a/1", "a/2", "b/1",
    ]  # fmt: skip
    assert students(b"\xff.ipynb")[0][0] == "\\xff"
    moodle = "export/Ada L_7_assignsubmission_file_/"
    assert students(moodle + "x.pdf") == [
        ("Ada L", "is a .pdf file, not a notebook: hand in the .ipynb file", "")
    ]
    assert students(moodle + "x.pdf", moodle + "01.ipynb") == [("Ada L", "", "")]
    (ada,) = students(moodle + "old/01.ipynb", moodle + "x.pdf", moodle + "01.ipynb")
    assert ada[2].startswith("2 notebooks were handed in; this is 01")


def test_broken_and_climbing_members_of_a_zip_get_rows(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("../../../climbs_1_2_01.ipynb", b"{}")
        file.writestr("bomb_2_3_01.ipynb", bytes(LARGEST + 1))
        file.writestr("broken_3_4_01.ipynb", os.urandom(9000).hex())
        link = zipfile.ZipInfo("link_4_5_01.ipynb")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
    raw = bytearray((tmp_path / "a.zip").read_bytes())
    start = raw.index(b"broken_3_4") + 100
    raw[start : start + 500] = b"\xff" * 500
    (tmp_path / "a.zip").write_bytes(raw)
    found = {one.student: one for one in read_submissions(tmp_path / "a.zip")}
    assert found["climbs"].content == b"{}" and "is a link" in found["link"].fault
    assert "MB" in found["bomb"].fault and "unpacked" in found["broken"].fault


def test_of_several_versions_the_last_counts(tmp_path):
    for i in ("", "-1", "-2"):
        (tmp_path / f"ada_1_2{i[1:]}_01{i}.ipynb").write_bytes(i.encode() or b"first")
    (one,) = read_submissions(tmp_path)
    assert one.content == b"-2"


def test_nothing_to_grade_is_said(tmp_path):
    with pytest.raises(ValueError, match="holds no notebook"):
        read_submissions(tmp_path)
    with pytest.raises(ValueError, match="neither a folder nor a zip"):
        read_submissions(tmp_path / "nothing")
    assert LARGEST <= 100_000_000
