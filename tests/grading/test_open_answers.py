"""Open questions: the page keeps strangers' Markdown harmless; the CSV keeps what was typed."""

from __future__ import annotations

import csv
import random
import re

import pytest

from course_tools.grading.open_answers import (
    OpenAnswer,
    code_of,
    open_page,
    open_rows,
    read_open,
    render,
    words_in,
)
from course_tools.grading.tables import FORMULA, protect, restore, write_table

MOST = {"q9": 6}
CODES = [code_of(f"Student {i}", str(i), "02") for i in range(4)]
ANSWERS = [OpenAnswer(code, "q9", f"Answer {i}. " * 20) for i, code in enumerate(CODES)]


def test_codes_are_stable_and_no_spreadsheet_changes_them():
    codes = {code_of("Ada", str(i), "02") for i in range(500)}
    assert len(codes) == 500
    assert all(re.fullmatch("[b-z]{8}", code) for code in codes)
    assert code_of("Ada", "1", "02") == code_of("Ada", "1", "02") != code_of("Ada", "1", "03")


def test_page_orders_by_code_and_names_short_answers():
    answers = [*ANSWERS, OpenAnswer("bbbbbbbb", "q9", "too short"), OpenAnswer("zz", "q9", " \n")]
    page = open_page("9. What did the loop do?", "- *Experiment.* Two points.", answers)
    shown = re.findall(r'<article id="a(\w+)"', page)
    assert shown == sorted(one.code for one in answers)
    assert "only 2 words" in page
    assert "nothing was written" in page
    assert "<em>Experiment.</em>" in page
    assert "6 answers" in page
    assert "2 of them with fewer than 20 words" in page


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "![chart](https://evil.example/track.png)",
        "![a](data:image/svg+xml;base64,AAAA)",
        "[click](javascript:alert(1)) [here](https://evil.example 'title')",
        "<https://evil.example>",
        "[ref]\n\n[ref]: https://evil.example",
        "[![in](https://evil.example/a.png)](https://evil.example)",
        "`<b>`\n\n```html\n<script>\n```",
        "| a | b |\n|---|---|\n| <i> | [x](https://evil.example) |",
    ],
)
def test_strangers_markdown_is_harmless(text):
    made = render(text)
    assert not re.search(r"<(script|img|a|iframe|i|b)\b", made)
    assert not re.search(r"(src|href|on\w+|style)\s*=\s*\"[^\"]*(evil|alert|data:)", made)


def test_a_link_says_where_it_led():
    assert "(https://a.example)" in render("[the plot](https://a.example)")
    assert render("<https://a.example>").count("https://a.example") == 1


def test_words():
    assert words_in("It's **over-fitting** at epoch 7 — isn't it? `x_1`") == 9
    assert words_in("## \n---\n") == 0


def test_typed_values_survive_a_rewrite(tmp_path):
    path = tmp_path / "open.csv"
    comments = ["=1+1", "'=1", "''-x", "a;=b", 'a "=b"', "one\n- two\n+ three", "Café, naïve; ok"]
    comments += [f"{sign}x" for sign in FORMULA if sign.strip()]
    comments += ["", "it's fine", "-", "a\n=1", "a, =2", "a,'=1"]
    codes = [f"code{chr(98 + i)}" for i in range(len(comments))]
    typed = {c: {"q9": (i / 4 % 6, comments[i])} for i, c in enumerate(codes)}
    typed["last"] = {"q9": (None, "not yet")}
    write_table(path, open_rows([], MOST, typed))
    again = read_open(path, MOST)
    assert {c: p["q9"] for c, p in again.items()} == {
        c: (p["q9"][0], p["q9"][1].strip()) for c, p in typed.items()
    }
    before = path.read_bytes()
    write_table(path, open_rows([], MOST, again))
    assert path.read_bytes() == before
    assert before.startswith(b"\xef\xbb\xbf")
    for separator in ",;\t":
        for row in csv.reader(before.decode("utf-8-sig").splitlines(), delimiter=separator):
            assert not any(cell.startswith(FORMULA) for cell in row)


def test_restore_undoes_protect():
    chance = random.Random(0)
    for _ in range(3000):
        text = "".join(chance.choice("=-＝@'\";,\t\r\n ab") for _ in range(chance.randrange(9)))
        assert restore(protect(text)) == text
        assert not protect(text).startswith(FORMULA)


@pytest.mark.parametrize(
    "form",
    [
        'code,part,points,most,comment\n{},q9,"4,5",6,good\n',
        "code;part;points;most;comment\r\n{};q9;4,5;6;good\r\n",
        "\ufeffCode;Part;Points;Most;Comment\r\n{};q9;4.5;6;good;;\r\n;;;;\r\n",
        "sep=;\ncode;part;points;most;comment\n{};q9;4,50;6;good\n",
        "code\tpart\tpoints\tmost\tcomment\n{}\tq9\t4.5\t6\tgood\n",
    ],
)
def test_forms_that_spreadsheets_write(tmp_path, form):
    path = tmp_path / "open.csv"
    path.write_bytes(form.format(CODES[0]).encode())
    assert read_open(path, MOST, CODES) == {CODES[0]: {"q9": (4.5, "good")}}


def test_western_excel_without_utf8(tmp_path):
    path = tmp_path / "open.csv"
    path.write_bytes(f"code;part;points;most;comment\n{CODES[0]};q9;4;6;für".encode("cp1252"))
    assert read_open(path, MOST)[CODES[0]]["q9"] == (4.0, "für")


def test_faults_are_named_with_their_lines(tmp_path):
    path = tmp_path / "open.csv"
    a, b, c, _ = CODES
    lines = ["code,part,points,most,comment", f'{a},q9,5,6,"two', 'lines"', f"{b},q9,7,6,"]
    lines += [f"{c},q9,many,6,", "nobody,q9,1,6,", f"{a},q9,1,6,", f"{b},q8,1,6,", f"{b},q9,nan,6,"]
    lines += [f"{b},q9,4,5,6,x", f"{b},q9,-1,6,"]
    path.write_text("\n".join(lines))
    with pytest.raises(ValueError, match="open.csv") as caught:
        read_open(path, MOST, CODES)
    said = str(caught.value)
    for part in [
        "line 4: 7 points are more than the 6 that there are",
        "line 5: 'many' is not a number of points",
        "line 6: no student has the code 'nobody'",
        f"line 7: {a} is there twice for q9",
        "line 8: there is no open question 'q8'",
        "line 9: 'nan'",
        "line 10: 6 cells, but 5 columns",
        "line 11: '-1' is not a number of points",
    ]:
        assert part in said
    assert "line 2" not in said
    path.write_text("student,points\n")
    with pytest.raises(ValueError, match="there is no column 'code'"):
        read_open(path, MOST)


def test_new_answers_get_empty_rows():
    rows = open_rows(ANSWERS, MOST, {CODES[0]: {"q9": (2.5, "hm")}})
    assert len(rows) == 5
    assert [CODES[0], "q9", "2.5", "6", "hm"] in rows
    assert [CODES[1], "q9", "", "6", ""] in rows
