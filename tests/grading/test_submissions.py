"""What students handed in: every one of them gets a row, and one file never stops a class."""

from __future__ import annotations

import io
import json
import os
import pickle
import warnings
import zipfile
from datetime import datetime

import pytest

from course_tools.grading.submissions import (
    LARGEST,
    Submission,
    page_name,
    read_cells,
    read_notebook,
    read_submissions,
)

CODE = {"cell_type": "code", "source": ["a = 1\n", "b = 2"], "outputs": []}


def notebook(*cells, **metadata):
    return json.dumps(
        {"cells": list(cells or [CODE]), "metadata": metadata, "nbformat": 4}
    ).encode()


def folder_of(path, files):
    for name, content in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return path


def zip_of(path, files, method=zipfile.ZIP_STORED):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")  # a name twice
        for name, content in files:
            archive.writestr(name, content)
    return path


def by_student(path, assignment=""):
    return {one.student: one for one in read_submissions(path, assignment)}


def cells(content):
    return read_cells(Submission("ada", "", False, "ada.ipynb", content), "01_know")


def reason(content):
    with pytest.raises(ValueError, match="^the ") as error:
        cells(content)
    return str(error.value)


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


def test_names_of_all_alphabets_and_none_get_a_row_each(tmp_path):
    names = [
        "x².ipynb",
        "١٢.ipynb",
        "Ada\u202e\u200e.ipynb",
        "Ada.ipynb",
        "ADA.ipynb",
        "a\nb.ipynb",
    ]
    names += [".ipynb", "9" * 200 + ".ipynb"]
    found = read_submissions(folder_of(tmp_path, dict.fromkeys(names, b"{}")))
    assert len(found) == len({one.student for one in found}) == len(names)
    assert {"x²", "١٢", "Ada", "ADA", "a b", "unnamed"} <= {one.student for one in found}
    assert not any(c in one.student for one in found for c in "\u202e\u200e\n\0")
    assert all(len(one.student) <= 110 for one in found)


def test_digits_without_end_in_a_zip_stop_nobody(tmp_path):
    files = [("1" * 5000 + ".ipynb", b"{}"), ("bo_1_" + "2" * 6000 + "_01.ipynb", b"{}")]
    assert len(read_submissions(zip_of(tmp_path / "a.zip", files))) == 2


def test_names_of_pages_are_short_and_each_students_own():
    taken = set()
    names = [
        page_name(student, "7", taken)
        for student in (
            "Ada B",
            "ada-b",
            "Ä" * 300,
            "Ä" * 299,
            "\U00020000" * 90,
            "x" * 61,
            "x" * 62,
        )
    ]
    assert names[:2] == ["Ada_B_7", "ada_b_7_2"]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(len(name) <= 60 and len(name.encode()) <= 200 for name in names)
    assert all(c.isalnum() or c == "_" for name in names for c in name)
    assert page_name("half", "", set()) == "half_"


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_a_broken_member_is_one_students_fault(method, tmp_path):
    files = [("ada_1_2_01.ipynb", os.urandom(9000).hex()), ("bo_2_3_01.ipynb", notebook())]
    path = zip_of(tmp_path / "a.zip", files, method)
    raw = bytearray(path.read_bytes())
    raw[60:3000] = b"\xff" * 2940
    path.write_bytes(raw)
    found = by_student(path)
    assert "can't be unpacked" in found["ada"].fault and not found["bo"].fault


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (8, b"\1\0", "encrypted"),
        (10, b"\x63\0", "can't be unpacked"),
        (24, b"\1\0\0\0", "can't be unpacked"),
        (24, b"\xff\xff\xff\x7f", "has 2147 MB"),
        (42, b"\xff\0\0\0", "can't be unpacked"),
    ],
)
def test_a_lying_member_is_one_students_fault(at, value, said, tmp_path):
    files = [("ada_1_2_01.ipynb", notebook()), ("bo_2_3_01.ipynb", notebook())]
    path = zip_of(tmp_path / "a.zip", files)
    raw = bytearray(path.read_bytes())
    start = raw.rindex(b"ada_1_2") - 46 + at
    raw[start : start + len(value)] = value
    path.write_bytes(raw)
    found = by_student(path)
    assert said in found["ada"].fault and not found["bo"].fault


def test_a_name_that_is_not_the_utf8_it_claims_costs_no_other_student(tmp_path):
    path = zip_of(tmp_path / "a.zip", [("ü_1_2_01.ipynb", b"{}"), ("bo_2_3_01.ipynb", b"{}")])
    path.write_bytes(path.read_bytes().replace("ü".encode(), b"\xff\xff"))
    found = read_submissions(path)
    assert {one.lms_id for one in found if not one.fault} == {"1", "2"}


def test_a_zip_that_was_cut_off_or_has_too_many_files_is_said(tmp_path):
    path = zip_of(tmp_path / "a.ZIP", [("ada_1_2_01.ipynb", notebook())])
    assert read_submissions(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="cut off: download it again"):
        read_submissions(path)
    # The table of contents of 400,000 members, without the members.
    entry = b"PK\1\2" + bytes(24) + b"\1" + bytes(17) + b"a"
    for count in (400_000, 30_000):
        end = b"PK\5\6" + bytes(8) + (47 * count).to_bytes(4, "little") + bytes(6)
        path.write_bytes(entry * count + end)
        with pytest.raises(ValueError, match="more than 20,000 files"):
            read_submissions(path)


def test_paths_in_a_zip_lead_nowhere_and_to_their_students(tmp_path):
    files = [
        ("/etc/Ada_1_assignsubmission_file_/01.ipynb", notebook()),
        ("C:\\all\\Bo_2_assignsubmission_file_\\01.ipynb", notebook()),
        ("Cy_3_assignsubmission_file_/../../01.ipynb", notebook()),
        ("Di_4_assignsubmission_file_/01.ipynb", b"old"),
        ("Di_4_assignsubmission_file_/01.ipynb", notebook()),
    ]
    found = by_student(zip_of(tmp_path / "a.zip", files))
    assert list(found) == ["Ada", "Bo", "Cy", "Di"]
    assert all(read_cells(one, "") for one in found.values())


def test_the_one_notebook_in_a_students_zip_is_taken(tmp_path):
    def zipped(*names):
        file = io.BytesIO()
        zip_of(file, [(name, notebook()) for name in names])
        return file.getvalue()

    one, two = zipped("a/01.ipynb", "__MACOSX/._01.ipynb", "x.py"), zipped("1.ipynb", "2.ipynb")
    files = {
        "ada.zip": one,
        "bo.ZIP": two,
        "cy.zip": zipped("x.py"),
        "di.zip": one[:-30],
        "eve_5_6_01.zip": one,
        "x.ipynb": b"{}",
    }
    found = by_student(folder_of(tmp_path / "in", files))
    assert cells(found["ada"].content) and "taken from a zip: 01.ipynb" in found["ada"].remark
    assert cells(found["eve"].content) and found["eve"].lms_id == "5"
    assert "2 notebooks in it: hand in the one" in found["bo"].fault
    assert "no notebook in it" in found["cy"].fault and "cut off" in found["di"].fault
    outer = by_student(zip_of(tmp_path / "all.zip", files.items()))
    assert {name: one.fault for name, one in outer.items()} == {
        name: one.fault for name, one in found.items()
    }


@pytest.mark.parametrize(
    ("name", "student", "lms_id", "late"),
    [
        ("anonymous_12345_67890_01_know.ipynb", "anonymous", "12345", False),
        ("anonymous_LATE_vBw3Y_67890_01_know.ipynb", "anonymous", "vBw3Y", True),
        ("LATE_12345_67890_01_know.ipynb", "anonymous", "12345", True),
        ("von_der_leyen_LATE_12345_67890_01_know-1.ipynb", "von_der_leyen", "12345", True),
        ("Ada Lovelace_12345_assignsubmission_file_01_know.ipynb", "Ada Lovelace", "12345", False),
        ("Participant_7_assignsubmission_file_/01.ipynb", "Participant 7", "7", False),
        ("Bo_7_assignsubmission_file_/.ipynb_checkpoints/1-checkpoint.ipynb", "Bo", "7", False),
    ],
)
def test_more_names_of_canvas_and_moodle(name, student, lms_id, late, tmp_path):
    (one,) = read_submissions(folder_of(tmp_path, {name: notebook()}))
    assert (one.student, one.lms_id, one.late, one.fault) == (student, lms_id, late, "")
    assert ("checkpoint" in one.remark) == (student == "Bo")


def test_students_without_a_notebook_and_without_a_name_keep_their_rows(tmp_path):
    folder_of(
        tmp_path,
        {
            "anonymous_100_1_01.ipynb": b"1",
            "anonymous_200_2_01.ipynb": b"2",
            "Ada_3_assignsubmission_onlinetext_/onlinetext.html": b"<p>",
            "Bo_4_assignsubmission_onlinetext_onlinetext.html": b"<p>",
            "Bo_4_assignsubmission_file_01.ipynb": b"{}",
            "Cy_5_assignsubmission_file_/.DS_Store": b"",
            "dide_6_text.html": b"<p>",
        },
    )
    (tmp_path / "Eve_7_assignsubmission_file_").mkdir()
    found = {one.lms_id: one for one in read_submissions(tmp_path)}
    assert set(found) == {"100", "200", "3", "4", "5", "6", "7"}
    assert "a text typed into the LMS" in found["3"].fault and not found["4"].fault
    assert "folder is empty" in found["5"].fault and "folder is empty" in found["7"].fault
    assert "a text typed into the LMS" in found["6"].fault
    path = zip_of(tmp_path / "a.zip", [("Eve_7_assignsubmission_file_/", b"")])
    assert "folder is empty" in read_submissions(path)[0].fault


def test_file_names_of_ones_own_that_look_like_canvas_lose_nobody(tmp_path):
    names = ["hw_2026_01_ada.ipynb", "hw_2026_01_bo.ipynb"]
    assert len(read_submissions(folder_of(tmp_path, dict.fromkeys(names, b"{}")))) == 2


def test_what_browsers_make_of_a_notebooks_name_is_graded_with_a_remark(tmp_path):
    names = ["ada.ipynb.txt", "bo.ipynb.json", "cy.ipynb (1)", "di (1).ipynb", "eve.IPYNB"]
    others = ["README.md", "README.html", "roster.csv", "notes.txt", ".DS_Store", "desktop.ini"]
    wrong = ["flo.py", "gil.pdf", "hal.html", "eve.py"]
    files = dict.fromkeys([*names, *wrong], notebook())
    files |= dict.fromkeys([*others, "Thumbs.db", "grades-feedback/x.html"], b"text")
    found = by_student(folder_of(tmp_path, files))
    assert list(found) == ["ada", "bo", "cy", "di", "eve", "flo", "gil", "hal"]
    assert all(cells(found[name].content) for name in ("ada", "bo", "cy", "di", "eve"))
    assert all(
        name in found[name[:2].strip(".") if name[2] in ". " else name[:3]].remark
        for name in names[:4]
    )
    assert found["gil"].fault == "is a .pdf file, not a notebook: hand in the .ipynb file"


@pytest.mark.parametrize(
    "files",
    [
        {"ada.py": "a .py file", "bo.zip": "a zip with no notebook", "cy.md": "a .md file"},
        {"ada/01.py": "a .py file", "bo/01.zip": "a zip with no notebook", "cy/01.r": "a .r file"},
        {"ada/01.ipynb": "", "bo/01.txt": "a .txt file", "cy/README.md": "a .md file"},
        {"ada.ipynb": "", "bo.jpg": "a .jpg file", "cy.ipynb.pdf": "a .pdf file"},
        {"x/ada/01.ipynb": "", "x/bo/a/b.csv": "a .csv file", "x/cy/01": "a file without an"},
    ],
    ids=["no notebook at all", "nor in folders", "own folders", "all in one", "deep"],
)
def test_every_student_has_a_row_whatever_was_handed_in(files, tmp_path):
    contents = {name: notebook() if not said else b"text" for name, said in files.items()}
    for name in files:
        if name.endswith(".zip"):
            file = io.BytesIO()
            zip_of(file, [("x.py", b"")])
            contents[name] = file.getvalue()
    for path in (
        folder_of(tmp_path / "in", contents),
        zip_of(tmp_path / "all.zip", contents.items()),
    ):
        found = read_submissions(path)
        assert [one.student[:2] for one in found] == ["ad", "bo", "cy"]
        for one, said in zip(found, files.values(), strict=True):
            assert one.fault.startswith(f"is {said}") if said else not one.fault


def test_a_notebook_under_any_other_ending_is_graded_with_a_remark(tmp_path):
    names = ["ada.json", "bo.txt", "cy", "di.ipynb.part", "eve.ipynb.crdownload"]
    folder_of(tmp_path, dict.fromkeys(names, notebook()) | {"flo.json": b'{"a": 1}'})
    found = read_submissions(tmp_path)
    assert [one.file for one in found] == names
    assert [one.remark for one in found] == [f"the file's name is {name}" for name in names]
    assert all(cells(one.content) for one in found)
    canvas = {f"{name[:2]}_{i}_{i}_01{name[2:]}": notebook() for i, name in enumerate(names, 1)}
    assert not any(one.fault for one in read_submissions(folder_of(tmp_path / "lms", canvas)))


def test_helpers_beside_a_notebook_are_no_students(tmp_path):
    names = ["ada/01.ipynb", "ada/x.py", "ada/plots/a.pdf", "bo/01.py", "bo/02.py", "cy/01.ipynb"]
    found = by_student(folder_of(tmp_path, dict.fromkeys(names, notebook())))
    assert list(found) == ["ada", "bo", "cy"] and "a .py file" in found["bo"].fault


def test_of_two_notebooks_the_one_of_this_assignment_counts(tmp_path):
    this, other = ({"assignment": name} for name in ("01_know", "02_loader"))
    files = {
        "ada_1_9_01.ipynb": notebook(course=this),
        "ada_1_10_02.ipynb": notebook(course=other),
        "bo_2_11_01.ipynb": notebook(),
        "bo_2_100_01-1.ipynb": notebook(),
        "cy_3_12_01.ipynb": notebook(),
        "cy_3_13_01.ipynb": b"{cut off",
    }
    found = by_student(folder_of(tmp_path, files), "01_know")
    assert [one.file for one in found.values()] == [
        "ada_1_9_01.ipynb",
        "bo_2_100_01-1.ipynb",
        "cy_3_12_01.ipynb",
    ]
    assert "2 notebooks were handed in; this is ada_1_9_01.ipynb" in found["ada"].remark
    assert by_student(tmp_path)["ada"].file == "ada_1_10_02.ipynb"


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": None, "course": None},
        {"kernelspec": {"name": "python3"}},
        {"kernelspec": {"language": None}, "language_info": {"name": "ipython"}},
        {"kernelspec": {"language": "Python 3"}},
        {"kernelspec": {"language": "python3"}},
        {"course": {"assignment": None}},
    ],
)
def test_metadata_of_all_kinds_is_understood(metadata):
    assert cells(notebook(**metadata)) == ["a = 1\nb = 2"]


def test_sources_of_all_kinds_and_formats_are_understood():
    assert cells(b'{"metadata": null, "cells": [{"cell_type": "code", "source": null}]}') == [""]
    assert cells(notebook({"cell_type": "code", "source": "x = 'a\ud800'"})) == ["x = 'a?'"]
    old = {"cell_type": "code", "input": ["a = 1"], "language": "python", "outputs": []}
    old = {"nbformat": 3, "metadata": {"name": ""}, "worksheets": [{"cells": [old]}]}
    assert cells(json.dumps(old).encode()) == ["a = 1"]
    assert "no code cells" in reason(b'{"cells": []}')
    for broken in (b"[]", b"null", b'{"cells": null}', b'{"cells": [1]}', b'{"cells": [{}]}'):
        assert "JSON, but no notebook" in reason(broken)
    for source in (b"1", b"[1]", b"true"):
        assert "no notebook" in reason(b'{"cells": [{"cell_type": "code", "source": %s}]}' % source)


def test_cells_are_numbered_and_markdown_has_ids():
    told = {"cell_type": "markdown", "source": ["Because", " so"], "id": "why"}
    raw = {"cell_type": "raw", "source": "r"}
    one = Submission("ada", "", False, "a", notebook(told, CODE, raw, told, CODE))
    read = read_notebook(one, "01_know")
    assert (read.code, read.numbers) == (["a = 1\nb = 2"] * 2, [2, 5])
    assert read.markdown == {"why": "Because so", "cell-3": "r", "cell-4": "Because so"}


def test_encodings_and_impostors_are_read_or_told():
    text = notebook({"cell_type": "code", "source": "x = 'ü'"}).decode()
    text = text.replace("\\u00fc", "ü")
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
        assert cells(text.encode(encoding)) == ["x = 'ü'"]
    assert "not UTF-8 text: open it in Jupyter" in reason(text.encode("latin-1"))
    assert "is empty" in reason(b"") and "is empty" in reason(b"\xef\xbb\xbf \n")
    assert "Git LFS" in reason(b"version https://git-lfs.github.com/spec/v1\noid sha256:1")
    assert "web page" in reason(b"\n<!DOCTYPE html><title>Log in</title>")
    assert "a PDF" in reason(b"%PDF-1.7") and "a zip" in reason(b"PK\3\4")


def test_hazards_of_json_are_told():
    code = b'{"cells": [{"cell_type": "code", "source": "a", "n": %s}]}'
    assert cells(code % (b"9" * 1_000_000)) == cells(code % b"NaN") == ["a"]
    assert "no JSON" in reason(b"[" * 200_000)
    assert "too many values" in reason(code % (b"[" + b"[]," * 3_000_000 + b"[]]"))


def test_a_notebook_with_large_outputs_is_graded_and_kept_without_them(tmp_path):
    output = {"output_type": "display_data", "data": {"image/png": "A" * 25_000_000}}
    content = notebook(CODE | {"outputs": [output]}, course={"assignment": "01_know"})
    folder_of(tmp_path, {"ada.ipynb": content})
    (one,) = read_submissions(tmp_path, "01_know")
    assert read_cells(one, "01_know") == ["a = 1\nb = 2"] and len(one.content) < 1000
    with pytest.raises(ValueError, match="another assignment: 01_know"):
        read_cells(one, "02_loader")
    assert pickle.loads(pickle.dumps(one)) == one and hash(one)


def test_when_a_file_was_handed_in_is_known(tmp_path):
    folder_of(tmp_path, {"ada.ipynb": notebook()})
    time = datetime(2026, 3, 29, 2, 30)
    os.utime(tmp_path / "ada.ipynb", (time.timestamp(),) * 2)
    (ada,) = read_submissions(tmp_path)
    assert datetime.fromisoformat(ada.handed_in) == datetime.fromtimestamp(time.timestamp())
    for date, said in [
        ((2026, 3, 1, 23, 59, 58), "2026-03-01T23:59:58"),
        ((1980, 1, 1, 0, 0, 0), ""),
    ]:
        info = zipfile.ZipInfo("bo_1_2_01.ipynb", date)
        (bo,) = read_submissions(zip_of(tmp_path / "a.zip", [(info, notebook())]))
        assert bo.handed_in == said


def test_files_that_may_not_be_read_are_one_students_fault(tmp_path, monkeypatch):
    folder_of(tmp_path, {"ada.ipynb": notebook(), "bo.ipynb": notebook()})
    read = type(tmp_path).read_bytes

    def refuse(path):
        if path.name == "ada.ipynb":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(type(tmp_path), "read_bytes", refuse)
    found = by_student(tmp_path)
    assert "Permission denied" in found["ada"].fault and not found["bo"].fault


def test_the_open_answer_is_found_by_its_cells_id_wherever_it_stands():
    cells = [
        {"cell_type": "code", "source": "x = 1", "metadata": {}},
        {"cell_type": "markdown", "source": "one", "metadata": {}, "id": "answer-q8"},
        {"cell_type": "markdown", "source": "two", "metadata": {"id": "answer-q9"}},
    ]
    content = json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 0}).encode()
    found = read_notebook(Submission("ada", "", False, "ada.ipynb", content), "")
    assert found.markdown == {"answer-q8": "one", "answer-q9": "two"}
