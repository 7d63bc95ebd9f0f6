"""What lateness costs, and which grade points are worth."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from course_tools.grading.policy import LatePolicy, local_time, read_scale

DUE = datetime(2026, 3, 28, 12)
POLICY = LatePolicy(DUE, timedelta(minutes=15), 10, 50)


@pytest.mark.parametrize(
    ("late", "days", "left"),
    [
        (timedelta(hours=-5), 0, 8),
        (timedelta(), 0, 8),
        (timedelta(minutes=15), 0, 8),
        (timedelta(minutes=15, seconds=1), 1, 7.2),
        (timedelta(days=1), 1, 7.2),  # the clocks go forward in that night
        (timedelta(days=1, seconds=1), 2, 6.4),
        (timedelta(days=40), 40, 4),
    ],
)
def test_each_day_begun_costs_up_to_the_most(late, days, left):
    assert POLICY.after(8, DUE + late) == (days, left)


def test_extensions_move_or_replace_the_due_time():
    handed_in = DUE + timedelta(days=2)
    assert POLICY.after(8, handed_in, timedelta(days=1.5)) == (1, 7.2)
    assert POLICY.after(8, handed_in, timedelta(days=2)) == (0, 8)
    assert POLICY.after(8, handed_in, datetime(2026, 4, 1)) == (0, 8)
    assert POLICY.after(0.1 + 0.2, DUE) == (0, 0.3)


def test_a_late_mark_without_a_time_is_said_not_guessed():
    with pytest.raises(ValueError, match="is unknown: give it in the roster"):
        POLICY.after(8, None)
    assert "marks it as late, but when" in POLICY.doubt(True, None)
    assert "no late mark" in POLICY.doubt(False, None)
    assert "before the due time" in POLICY.doubt(True, DUE)
    assert POLICY.doubt(True, DUE + timedelta(days=1)) == POLICY.doubt(False, DUE) == ""


def test_policies_that_make_no_sense_are_refused():
    for arguments, part in [
        ((DUE, timedelta(-1)), "negative"),
        ((DUE, timedelta(), -5), "percent_a_day"),
        ((DUE, timedelta(), float("nan")), "percent_a_day"),
        ((DUE, timedelta(), 5, 101), "most"),
        ((DUE.replace(tzinfo=timezone.utc),), "without a zone"),
    ]:
        with pytest.raises(ValueError, match=part):
            LatePolicy(*arguments)


def test_times_are_local_and_whole():
    utc = datetime(2026, 3, 5, 12, tzinfo=timezone.utc)
    assert local_time("2026-03-05T12:00Z") == utc.astimezone().replace(tzinfo=None)
    assert local_time("2026-03-05 12:00:30") == datetime(2026, 3, 5, 12, 0, 30)
    for text in ("2026-03-05", "noon", "2026-13-05T12:00", ""):
        with pytest.raises(ValueError, match="not a time such as"):
            local_time(text)


def scale(tmp_path, text):
    path = tmp_path / "scale.csv"
    path.write_text(text, "utf-8-sig")
    return read_scale(path)


@pytest.mark.parametrize(
    "text", ["percent,grade\n0,5\n90,1\n50.5,4\n", "Grade;Percent\n1;90,0 %\n4;50,5\n5;0\n"]
)
def test_points_become_grades_by_lower_bounds(text, tmp_path):
    read = scale(tmp_path, text)
    for points, grade in [(0, "5"), (50.49, "5"), (50.5, "4"), (89.99, "4"), (90, "1"), (110, "1")]:
        assert read.grade(points, 100) == grade
    assert read.grade(89.994, 100) == "4" and read.grade(89.995, 100) == "1"
    assert read.grade(89.99999, 100) == "1"
    assert read.grade(sum([0.1] * 9), 1) == "1"  # 0.8999999999999999
    with pytest.raises(ValueError, match="no points to be earned"):
        read.grade(1, 0)


def test_grades_stay_as_they_were_typed(tmp_path):
    assert scale(tmp_path, "percent;grade\n90;1,0\n0;5,0\n").grade(95, 100) == "1,0"
    assert scale(tmp_path, "percent,grade\n90,1.0\n0,F\n").grade(95, 100) == "1.0"


def test_faults_of_a_scale_are_named_by_line(tmp_path):
    for text, part in [
        ("percent,grade\n90,1\n", "line 2: no grade begins at 0"),
        ("percent,grade\n90,1\n0,5\n90,2\n", "line 4: 90 percent stands in two lines"),
        ("percent,grade\n101,1\n0,5\n", "line 2: percent is '101'"),
        ("percent,grade\nnan,1\n0,5\n", "line 2: percent is 'nan'"),
        ("percent,grade\n\nx,1\n0,5\n", "line 3: percent is 'x'"),
        ("percent,grade\n90,\n0,5\n", "line 2: there is no grade"),
        ("percent,grade\n90,1,0\n0,5\n", "line 2: 3 cells"),
        ("percent,note\n", "no column 'grade'"),
        ("percent,grade\n", "no grade begins at 0"),
    ]:
        with pytest.raises(ValueError, match=part):
            scale(tmp_path, text)
