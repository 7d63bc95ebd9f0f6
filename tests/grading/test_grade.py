"""The grader's command: tables, pages and zips, and what a second run does."""

from __future__ import annotations

import csv
import json
import time
import zipfile
from pathlib import Path

import pytest
from tiny_assignment import GOOD, HALF, ID, make_assignment, needs_sandbox, notebook

from course_tools.grading import feedback, grader, results, tables
from course_tools.grading import grade as command
from course_tools.grading.classbook import Classbook
from course_tools.grading.examiner import Examiner
from course_tools.grading.marks import Kept, Mark, merge
from course_tools.grading.open_answers import code_of
from course_tools.grading.results import Grade

GOOD_ONE, HALF_ONE = notebook([*ID, *GOOD], "Because."), notebook([*ID, *HALF])
ADA = "lovelaceada_LATE_77_5_01_tiny.ipynb"
BO = "Bo Ek_88_assignsubmission_file_/01_tiny.ipynb"


@pytest.fixture
def assignment(tmp_path_factory, monkeypatch):
    made = make_assignment(tmp_path_factory.mktemp("instructor") / "01_tiny")
    monkeypatch.setattr(command, "find_assignment", lambda number: made)
    return made


@pytest.fixture
def examined(monkeypatch):
    """Notebooks that were examined; the examination itself is left out, and takes no time."""
    seen = []

    def findings(self, task):
        seen.append(task.code)
        yield {"student_id": "ada"}
        yield {"part": "q1", "points": 2.0, "hint": ""}
        yield {"part": "q2", "points": 0.0, "hint": "Half of 3 is 1.5."}
        if "while True: pass" in task.code:
            yield {"reason": f"the notebook {task.limits.too_long}"}

    monkeypatch.setattr(Examiner, "findings", findings)
    monkeypatch.setattr(Examiner, "__init__", lambda self: None)
    monkeypatch.setattr(Examiner, "__del__", lambda self: None)
    monkeypatch.setattr(Examiner, "here", classmethod(lambda cls: cls()))
    monkeypatch.setattr(grader, "find_wall", lambda unsafe: object)
    monkeypatch.setattr(command, "find_wall", lambda unsafe: object)
    return seen


def hand_in(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 5, 12, 0, 0)), content)
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open(encoding="utf-8-sig", newline="")))


def run(submissions: Path, out: Path, *more: str) -> int:
    return command.main([str(submissions), "--assignment", "01", "--out", str(out), *more])


@needs_sandbox
def test_command_writes_tables_for_people_and_for_an_lms(assignment, tmp_path, capsys):
    files = {ADA: GOOD_ONE, BO: HALF_ONE[:200], "__MACOSX/._lovelaceada_77_5_01.ipynb": b""}
    out = tmp_path / "grades.csv"
    assert run(hand_in(tmp_path / "canvas.zip", **files), out) == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")  # else Excel garbles umlauts
    bo, ada = rows_of(out)
    assert (bo["student"], bo["id"], bo["total"], bo["q3"]) == ("Bo Ek", "88", "0", "")
    assert "cut off" in bo["remark"]
    assert (ada["student"], ada["id"], ada["late"]) == ("lovelaceada", "77", "late")
    assert [ada[name] for name in ("q1", "q2", "total", "of", "remark")] == ["2", "2", "4", "4", ""]
    canvas = rows_of(tmp_path / "grades-canvas.csv")
    assert (canvas[1]["Student"], canvas[1]["ID"], canvas[1]["01_tiny"]) == (
        "lovelaceada",
        "77",
        "4",
    )
    moodle = rows_of(tmp_path / "grades-moodle.csv")
    assert (moodle[0]["Identifier"], moodle[0]["Grade"]) == ("Participant 88", "0")
    assert "Last modified (grade)" in moodle[0]  # else Moodle refuses the file
    with zipfile.ZipFile(tmp_path / "grades-feedback-canvas.zip") as archive:
        assert "lovelaceada_LATE_77_5_01_tiny.html" in archive.namelist()
        assert "handed in late" in archive.read("lovelaceada_LATE_77_5_01_tiny.html").decode()
    with zipfile.ZipFile(tmp_path / "grades-feedback-moodle.zip") as archive:
        assert "Bo Ek_88_assignfeedback_file_feedback.html" in archive.namelist()
    pages = sorted(page.name for page in (tmp_path / "grades-feedback").iterdir())
    assert pages == ["Bo_Ek_88.html", "lovelaceada_77.html"]  # and nothing else
    assert "2 graded, 1 with a remark" in capsys.readouterr().out


def test_what_a_person_typed_survives_every_later_run(assignment, examined, tmp_path):
    archive, out = hand_in(tmp_path / "a.zip", **{ADA: GOOD_ONE, BO: HALF_ONE}), tmp_path / "g.csv"
    assert run(archive, out) == 0
    rows = rows_of(out)
    rows[1] |= {"q3": "1,5", "comment": "=Good; but short\nüber"}
    with out.open("w", encoding="utf-8", newline="") as file:  # as a German Excel saves it
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    for _ in range(2):
        assert run(archive, out) == 0
        ada = rows_of(out)[1]
        assert (ada["q3"], ada["total"], ada["of"]) == ("1.5", "3.5", "6")
        assert tables.restore(ada["comment"]) == "=Good; but short\nüber"
        assert ada["comment"].startswith("'=")
        assert rows_of(tmp_path / "g-canvas.csv")[1]["01_tiny"] == "3.5"
        assert "über" in rows_of(tmp_path / "g-moodle.csv")[1]["Feedback comments"]
        page = (tmp_path / "g-feedback/lovelaceada_77.html").read_text("utf8")
        assert ">1.5</td>" in page and "=Good; but short" in page
    assert len(examined) == 2
    out.write_text(out.read_text("utf8").replace("1.5", "nine", 1))
    before = out.read_bytes()
    assert run(archive, out) == 1
    assert out.read_bytes() == before


def edit(path: Path, **changes: dict[str, str]) -> None:
    """Change cells of some students' rows, as a person does."""
    rows = rows_of(path)
    for row in rows:
        row |= changes.get(row["student"], {})
    tables.write_table(path, [list(rows[0]), *(list(row.values()) for row in rows)])


def test_what_a_person_typed_survives_a_run_that_is_stopped(
    assignment, examined, tmp_path, monkeypatch
):
    archive, out = hand_in(tmp_path / "a.zip", **{ADA: GOOD_ONE, BO: HALF_ONE}), tmp_path / "g.csv"
    run(archive, out)
    edit(out, lovelaceada={"q3": "2", "comment": "Good."}, **{"Bo Ek": {"q3": "1"}})

    def stopped(path, rows):
        tables.write_table(path, rows)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("course_tools.grading.classbook.write_table", stopped)
        with pytest.raises(KeyboardInterrupt):
            run(archive, out, "--seconds", "99")
    run(archive, out)
    assert [(row["q3"], row["comment"]) for row in rows_of(out)] == [("1", ""), ("2", "Good.")]


def test_what_a_person_typed_survives_runs_without_the_student(assignment, examined, tmp_path):
    both = hand_in(tmp_path / "a.zip", **{ADA: GOOD_ONE, BO: HALF_ONE})
    alone, out = hand_in(tmp_path / "b.zip", **{BO: HALF_ONE}), tmp_path / "g.csv"
    run(both, out)
    edit(out, lovelaceada={"q3": "1.333333333"})
    for archive in (alone, alone, both, both):
        assert run(archive, out) == 0
    assert rows_of(out)[1]["q3"] == "1.33"


def test_a_table_without_comments_says_nothing_of_them(assignment, examined, tmp_path):
    archive, out = hand_in(tmp_path / "a.zip", **{ADA: GOOD_ONE}), tmp_path / "g.csv"
    run(archive, out)
    edit(out, lovelaceada={"q3": "1", "comment": "Good."})
    run(archive, out)
    rows = rows_of(out)
    for row in rows:
        del row["comment"]
    tables.write_table(out, [list(rows[0]), *(list(row.values()) for row in rows)])
    assert run(archive, out) == 0 and rows_of(out)[0]["comment"] == "Good."


@pytest.mark.parametrize(
    ("column", "value"), [("student", "lovelaceáda"), ("id", "7.7E+01"), ("student", "")]
)
def test_points_of_nobody_stop_the_grader_before_it_writes(
    column, value, assignment, examined, tmp_path, capsys
):
    archive, out = hand_in(tmp_path / "a.zip", **{ADA: GOOD_ONE}), tmp_path / "g.csv"
    run(archive, out)
    edit(out, lovelaceada={"q3": "2", column: value})
    before = out.read_bytes()
    assert run(archive, out) == 1 and out.read_bytes() == before
    assert "no student is called" in capsys.readouterr().err


def test_a_student_in_two_rows_is_named(assignment, examined, tmp_path, capsys):
    archive, out = hand_in(tmp_path / "a.zip", **{ADA: GOOD_ONE}), tmp_path / "g.csv"
    run(archive, out)
    rows = [*rows_of(out), *rows_of(out)]
    rows[0]["q3"] = "2"
    tables.write_table(out, [list(rows[0]), *(list(row.values()) for row in rows)])
    assert run(archive, out) == 1
    assert "line 3: lovelaceada appears twice" in capsys.readouterr().err


def test_a_long_answer_holds_nobody_up(assignment, examined, tmp_path):
    long = notebook([*ID, *GOOD], "_a__" * 80_000)
    archive, out = hand_in(tmp_path / "a.zip", **{ADA: long}), tmp_path / "g.csv"
    start = time.monotonic()
    assert run(archive, out) == 0
    assert time.monotonic() - start < 20
    assert "cut off after 20,000 characters" in rows_of(out)[0]["remark"]


def test_points_typed_beside_the_answers_are_read_by_the_next_run(
    assignment, examined, tmp_path, capsys
):
    archive, out = hand_in(tmp_path / "a.zip", **{ADA: GOOD_ONE, BO: HALF_ONE}), tmp_path / "g.csv"
    assert run(archive, out) == 0
    page = (tmp_path / "g-open.html").read_text("utf8")
    assert "Because." in page and "One for each reason." in page
    assert "lovelaceada" not in page and "Bo Ek" not in page
    path, code = tmp_path / "g-open.csv", code_of("lovelaceada", "77", "01_tiny")

    def type_in(points):
        rows = rows_of(path)
        for row in rows:
            row["points"] = points if row["code"] == code else ""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
            writer.writeheader()
            writer.writerows(rows)

    type_in("1,5")
    assert run(archive, out) == 0 and rows_of(out)[1]["q3"] == "1.5"
    type_in("2")
    assert run(archive, out) == 0 and rows_of(out)[1]["q3"] == "2"
    rows = rows_of(out)
    rows[1]["q3"] = "1"
    tables.write_table(out, [list(rows[0]), *(list(row.values()) for row in rows)])
    assert run(archive, out) == 0
    assert [row["points"] for row in rows_of(path) if row["code"] == code] == ["1"]
    alone = hand_in(tmp_path / "b.zip", **{BO: HALF_ONE})
    assert run(alone, out) == 0  # what was typed for Ada must not be lost
    assert run(archive, out) == 0 and rows_of(out)[1]["q3"] == "1"
    type_in("7")
    assert run(archive, out) == 1 and "more than the 2" in capsys.readouterr().err


def test_the_class_report_names_mistakes_and_no_student(assignment, examined, tmp_path):
    archive = hand_in(tmp_path / "a.zip", **{ADA: GOOD_ONE, BO: HALF_ONE})
    assert run(archive, tmp_path / "g.csv") == 0
    page = (tmp_path / "g-report.html").read_text("utf8")
    assert "Half of 3 is 1.5." in page and "lovelaceada" not in page
    assert run(archive, tmp_path / "g.csv", "--names") == 0
    assert "lovelaceada" in (tmp_path / "g-report.html").read_text("utf8")


def test_a_table_that_cannot_be_read_is_not_written_over(assignment, examined, tmp_path, capsys):
    archive, out = hand_in(tmp_path / "a.zip", **{ADA: GOOD_ONE}), tmp_path / "g.csv"
    out.write_text("my,own,notes\n1,2,3\n")
    assert run(archive, out) == 1
    assert out.read_text() == "my,own,notes\n1,2,3\n" and not examined
    assert "would be written over" in capsys.readouterr().err


def test_only_what_has_changed_is_graded_again(assignment, examined, tmp_path, monkeypatch):
    slow = notebook([*ID, *GOOD, "while True: pass"])
    files = {ADA: GOOD_ONE, BO: HALF_ONE, "cy_5_6_01.ipynb": slow, "di_6_7_01.ipynb": b"{}"}
    archive, out = hand_in(tmp_path / "a.zip", **files), tmp_path / "g.csv"

    def examined_by(*more: str) -> int:
        before = len(examined)
        assert run(archive, out, *more) == 0
        return len(examined) - before

    assert examined_by() == 3
    assert examined_by() == 1  # the one that ran out of time: another machine may be faster
    assert examined_by("--again", "lovelaceada") == 2
    assert examined_by("--again", "88", "LovelaceAda") == 3
    assert examined_by("--again", "failures") == 1
    assert examined_by("--seconds", "99") == 3
    monkeypatch.setattr(grader, "_digest_of_code", lambda: "another library")
    assert examined_by() == 3
    assert run(archive, out, "--again", "nobody") == 1


def test_a_library_file_that_changes_changes_the_digest(monkeypatch, tmp_path):
    (tmp_path / "a.py").write_text("1")
    monkeypatch.setattr(grader, "_code_files", lambda: [tmp_path / "a.py"])
    first = grader._digest_of_code.__wrapped__()
    (tmp_path / "a.py").write_text("2")
    assert grader._digest_of_code.__wrapped__() != first
    monkeypatch.undo()
    assert {path.name for path in grader._code_files()} >= {"schema.py", "worker.py"}


def test_grades_csv_grows_row_by_row(assignment, examined, tmp_path, monkeypatch):
    seen = []
    write = Classbook.write_table

    def noted(self, *given):
        write(self, *given)
        seen.append(len(rows_of(self.out)))

    monkeypatch.setattr(Classbook, "write_table", noted)
    files = {f"s{i}_{i}_9_01.ipynb": GOOD_ONE for i in range(1, 5)}
    assert run(hand_in(tmp_path / "a.zip", **files), tmp_path / "g.csv") == 0
    assert seen == [1, 2, 3, 4]


def test_a_broken_cache_is_graded_again(assignment, examined, tmp_path):
    archive, out = hand_in(tmp_path / "a.zip", **{ADA: GOOD_ONE}), tmp_path / "g.csv"
    run(archive, out)
    (kept,) = [p for p in (tmp_path / "g-cache").glob("*.json") if p.name != "marks.json"]
    kept.write_text("{broken")
    run(archive, out)
    assert len(examined) == 2 and json.loads(kept.read_text())["grade"]["student"] == "lovelaceada"


def test_the_closing_line_counts_every_remark(assignment, examined, tmp_path, capsys):
    files = {ADA: GOOD_ONE, BO: HALF_ONE, BO.replace("01_t", "02_t"): HALF_ONE}
    run(hand_in(tmp_path / "a.zip", **files), tmp_path / "g.csv")
    rows = rows_of(tmp_path / "g.csv")
    assert "2 notebooks were handed in" in rows[0]["remark"]
    assert all("2 notebooks have this student_id" in row["remark"] for row in rows)
    assert "2 graded, 2 with a remark" in capsys.readouterr().out


def test_roster_late_policy_and_scale(assignment, examined, tmp_path, capsys):
    (tmp_path / "roster.csv").write_text(
        "student,id,student_id,extension\nAda Lovelace,77,ada,\nEk,88,bo,2\nCy Young,99,cy,\n"
    )
    (tmp_path / "scale.csv").write_text("percent,grade\n50,pass\n0,fail\n")
    files = {ADA: GOOD_ONE, BO: HALF_ONE, "eve_11_9_01.ipynb": GOOD_ONE}
    out = tmp_path / "g.csv"
    options = ["--roster", str(tmp_path / "roster.csv"), "--scale", str(tmp_path / "scale.csv")]
    options += ["--due", "2026-03-04T10:00", "--grace", "30", "--percent-a-day", "25"]
    assert run(hand_in(tmp_path / "a.zip", **files), out, *options) == 0
    bo, cy, eve, ada = rows_of(out)
    assert (ada["days_late"], ada["total"], ada["after_late"]) == ("2", "2", "1")
    assert (ada["percent"], ada["grade"], ada["late"]) == ("25.00", "fail", "late")
    assert (bo["days_late"], bo["after_late"], bo["grade"], bo["late"]) == ("0", "2", "pass", "")
    assert "student_id in the notebook is that of Ada" in bo["remark"]
    assert (cy["remark"], cy["total"], cy["id"]) == ("nothing was handed in", "0", "99")
    assert "not on the roster" in eve["remark"]
    assert "3 graded, 1 handed in nothing" in capsys.readouterr().out
    assert rows_of(tmp_path / "g-canvas.csv")[3]["01_tiny"] == "1"
    page = (tmp_path / "g-feedback/lovelaceada_77.html").read_text("utf8")
    assert "handed in 2 days late. After the deduction, the total is 1." in page


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--due", "tomorrow"], "'tomorrow' is not a time"),
        (["--due", "2026-03-04T10:00", "--grace", "-1"], "grace period is negative"),
        (["--roster", "lost.csv"], "lost.csv can't be read"),
        (["--scale", "lost.csv"], "lost.csv can't be read"),
    ],
)
def test_wrong_options_are_named_before_anything_is_graded(
    options, sentence, assignment, examined, tmp_path, capsys
):
    archive = hand_in(tmp_path / "a.zip", **{ADA: GOOD_ONE})
    assert run(archive, tmp_path / "g.csv", *options) == 1
    assert sentence in capsys.readouterr().err and not examined


def test_without_a_sandbox_it_refuses(tmp_path, monkeypatch, capsys, assignment):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(tmp_path, tmp_path / "g.csv") == 1
    said = capsys.readouterr().err
    assert "there is none here" in said and "apt install bubblewrap" in said


def test_feedback_names_mistakes_and_shows_no_test(assignment):
    made = Grade("Ada <b>", "", True, points={"q1": 2.0, "q2": 0.0}, student_id="ada")
    made.hints, made.errors = {"q2": ["Half of <3> is 1.5."]}, ["Cell 4 raised NameError: x."]
    page = feedback.feedback(made, "01_tiny", assignment.parts)
    assert (
        "<strong>Half</strong> Half of &lt;3&gt; is 1.5." in page
        and "Cell 4 raised NameError: x." in page
    )
    assert "read by a person" in page and "handed in late" in page and "2 of 4" in page
    assert "<b>" not in page and "student_id" not in page and "assert" not in page
    made.open = {"q3": Mark(0.0, "Not an answer.")}
    page = feedback.feedback(made, "01_tiny", assignment.parts)
    assert "Not an answer." in page and "2 of 6" in page and "read by a person" not in page


def test_pages_of_feedback_are_each_students_own(assignment, examined, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("Ann-B", "Ann B", "ann_b", "<img src=x onerror=alert(1)>", "x" * 200):
        (folder / f"{name}.ipynb").write_bytes(b"{}")
    assert run(folder, tmp_path / "g.csv") == 0
    pages = [page.read_text("utf8") for page in (tmp_path / "g-feedback").glob("*.html")]
    assert len(pages) == 5 and any(": Ann B<" in page for page in pages)
    assert not any("<img" in page for page in pages)


@pytest.mark.parametrize(
    "cell", ["=1+1", "-2", " @x", "x;=1+1", "a\n+b", '";=1"', "＝1＋1", "\t=1", "x,@sum", "'=1"]
)
def test_cells_that_a_spreadsheet_would_run_are_defused(cell, tmp_path):
    tables.write_table(tmp_path / "t.csv", [[cell, "Ada\ud800 Ü"]])
    ((written, name),) = csv.reader((tmp_path / "t.csv").open(encoding="utf-8-sig", newline=""))
    assert name == "Ada? Ü"
    for separator in (";", ",", "\t", "\n"):
        for part in written.split(separator):
            assert part.strip().strip('"')[:1] not in tuple("=+-@＝＋－＠")
    assert tables.restore(written) == cell


def test_marks_of_two_tables_are_brought_together():
    ada, bo = ("Ada\n1", "q3"), ("Bo\n2", "q3")
    same = {ada: Mark(1.0), bo: Mark(2.0, "Good.")}
    kept = Kept(same, same, same)
    assert merge(kept, same, same) == same
    assert merge(kept, same | {ada: Mark(3.0)}, same)[ada] == Mark(3.0)
    assert merge(kept, same, same | {ada: Mark(3.0)})[ada] == Mark(3.0)
    assert bo not in merge(kept, same | {bo: Mark()}, same)  # taken back
    with pytest.raises(ValueError, match=r"both changed for Ada, part q3.*3 and 4"):
        merge(kept, same | {ada: Mark(3.0)}, same | {ada: Mark(4.0)})
    # A table that was not written since another was read is no change.
    assert merge(Kept(same, same, {}), same, {ada: Mark(), bo: Mark()}) == same
    assert merge(Kept(), {}, {}) == {}


def test_same_student_id_in_two_notebooks_is_said_to_the_instructor_alone(assignment):
    ada, bo, eve = (Grade(n, "", False, student_id=n[:1]) for n in ["a", "ab", "e"])
    results.see_to_shared_ids([ada, bo, eve])
    assert [one.remark for one in (ada, bo, eve)] == ["2 notebooks have this student_id"] * 2 + [""]
    assert "student_id" not in feedback.feedback(ada, "01_tiny", assignment.parts)


@needs_sandbox
def test_a_cluster_gives_the_same_grades(assignment, tmp_path):
    distributed = pytest.importorskip("distributed")
    contents = {"good": GOOD_ONE, "half": HALF_ONE, "truncated": GOOD_ONE[:200]}
    for name, content in contents.items():
        (tmp_path / f"{name}.ipynb").write_bytes(content)
    out = tmp_path / "grades.csv"
    with distributed.LocalCluster(1, threads_per_worker=2, dashboard_address=None) as cluster:
        assert run(tmp_path, out, "--scheduler", cluster.scheduler_address) == 0
    good, half, truncated = rows_of(out)
    assert (good["q1"], good["q2"], half["q1"], half["q2"]) == ("2", "2", "2", "0")
    assert truncated["total"] == "0" and "cut off" in truncated["remark"]


def test_no_cluster_is_said(capsys, tmp_path, assignment):
    (tmp_path / "a.ipynb").write_bytes(b"{}")
    assert run(tmp_path, tmp_path / "g.csv", "--scheduler", "nonsense://here") == 1
    assert "No Dask scheduler answers at nonsense://here" in capsys.readouterr().err
