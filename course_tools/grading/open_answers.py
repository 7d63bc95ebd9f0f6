"""Open questions: all answers on one page, without names, and a CSV for points and comments.

The instructor reads the page, fills in the CSV, and the next run of the grader reads it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from course_tools.grading.page import count, page
from course_tools.grading.tables import read_points, read_table

Typed = dict[str, dict[str, tuple[float | None, str]]]
"""By code and part: points, if there are any yet, and a comment."""
HEAD = ("code", "part", "points", "most", "comment")
FEW_WORDS = 20
LONGEST_MARKDOWN = 5_000  # characters; an answer of 250 words has about 1,500
STYLE = """\
.sides{display:grid;grid-template-columns:minmax(0,1fr);gap:0 2.5rem}
.rubric{border-left:3px solid var(--bar);padding-left:1rem}.rubric h2{margin-top:0}
article{border-top:1px solid var(--line);padding:.2rem 0 .8rem}
article h2{margin:1rem 0 .2rem;font-family:ui-monospace,Menlo,Consolas,monospace}
.answer h1,.answer h2,.answer h3,.answer h4{font:inherit;font-weight:600;margin:.8rem 0 .2rem}
.few{background:var(--mark);padding:.1rem .4rem;border-radius:3px}
blockquote{margin:.6rem 0;padding-left:1rem;border-left:2px solid var(--line)}
@media(min-width:64rem){.sides{grid-template-columns:minmax(0,1fr) 24rem}
.rubric{grid-column:2;grid-row:1;position:sticky;top:1rem;align-self:start;max-height:95vh;
overflow-y:auto}}
@media print{.sides{display:block}.rubric{position:static;max-height:none}}
"""


@dataclass(frozen=True)
class OpenAnswer:
    """What one student wrote to one open question."""

    code: str
    """As `code_of` makes it: it stands for the student."""
    part: str
    text: str
    """Markdown, not trusted."""


def code_of(student: str, lms_id: str, assignment: str) -> str:
    """A student's code: the same in each run, another in each assignment, and in no order.

    It hides names from a reader, so that they don't sway the points. It is no secret: a class list
    is enough to work the codes out.
    """
    whole = "\n".join([student, lms_id, assignment]).encode("utf8", "backslashreplace")
    # Letters alone: a spreadsheet would take 12e45678 for a number. Without vowels, no words.
    number = int.from_bytes(hashlib.sha256(whole).digest(), "big")
    letters = "bcdfghjkmnpqrstvwxz"
    return "".join(letters[number // len(letters) ** i % len(letters)] for i in range(8))


def words_in(text: str) -> int:
    """The number of words of a text; Markdown's own marks are none."""
    return len(re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text))


def open_page(title: str, rubric_markdown: str, answers: Sequence[OpenAnswer]) -> str:
    """All answers to an open question, by code, with the rubric beside them."""
    if answers:
        few = sum(words_in(one.text) < FEW_WORDS for one in answers)
        said = f"{count(len(answers), 'answer')}, without names, in the order of their codes."
        said += f" {few} of them with fewer than {FEW_WORDS} words." if few else ""
    else:
        said = "Nobody has handed in an answer yet."
    rubric = f"<h2>Rubric</h2>{render(rubric_markdown)}"
    articles = [_article(one) for one in sorted(answers, key=lambda one: (one.code, one.part))]
    return page(
        title,
        [
            f"<p>{escape(said)}</p>",
            f'<div class="sides"><aside class="rubric" aria-label="Rubric" tabindex="0">{rubric}'
            "</aside>",
            f"<div>{''.join(articles)}</div></div>",
        ],
        STYLE,
        wide=True,
    )


def _article(answer: OpenAnswer) -> str:
    number = words_in(answer.text)
    length = count(number, "word")
    if number == 0:
        length = '<span class="few">no words: nothing was written</span>'
    elif number < FEW_WORDS:
        length = f'<span class="few">only {length}</span>'
    return (
        f'<article id="a{escape(answer.code)}"><h2>{escape(answer.code)}</h2>'
        f'<p class="soft small">{length}</p>'
        f'<div class="answer">{render(answer.text)}</div></article>'
    )


def render(text: str) -> str:
    """Markdown of a stranger as HTML that loads nothing and leads nowhere.

    A long text is shown as it is written: some take time that grows with their length squared.
    """
    if len(text) > LONGEST_MARKDOWN:
        return f"<pre>{escape(text)}</pre>"
    markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")
    # Only these make an address; what they hold is shown as text instead.
    markdown.add_render_rule("image", _image)
    markdown.add_render_rule("link_open", lambda *_: "<span>")
    markdown.add_render_rule("link_close", _address)
    return markdown.render(text)


def _image(renderer, tokens: Sequence[Token], i: int, *_) -> str:
    return f'<span class="soft">[image: {escape(tokens[i].content or "without a text")}]</span>'


def _address(renderer, tokens: Sequence[Token], i: int, *_) -> str:
    """The end of a link: where it led, unless its text says so."""
    depth = 1
    start = i
    while depth:
        start -= 1
        depth += {"link_close": 1, "link_open": -1}.get(tokens[start].type, 0)
    address = str(tokens[start].attrGet("href") or "")
    shown = "".join(token.content for token in tokens[start + 1 : i])
    more = "" if shown == address else f' <span class="soft">({escape(address)})</span>'
    return f"</span>{more}"


# The table that the instructor fills.


def open_rows(
    answers: Iterable[OpenAnswer], most: Mapping[str, float], typed: Typed | None = None
) -> list[list[str]]:
    """The rows of the CSV, with a heading: one per answer, with what was typed before.

    Args:
        answers: those that are to be read.
        most: the points of each part.
        typed: what `read_open` read; rows of students who are no longer there are kept as well.
    """
    left = {code: dict(parts) for code, parts in (typed or {}).items()}
    wanted = sorted(
        {(one.code, one.part) for one in answers}
        | {(code, part) for code, parts in left.items() for part in parts}
    )
    rows = [list(HEAD)]
    for code, part in wanted:
        points, comment = left.get(code, {}).get(part, (None, ""))
        given = "" if points is None else f"{points:.10g}"
        rows.append([code, part, given, f"{most[part]:g}", comment])
    return rows


def read_open(path: Path, most: Mapping[str, float], codes: Collection[str] = ()) -> Typed:
    """What was typed into the CSV: points and comment, by code and part.

    Args:
        path: the CSV, perhaps saved by a spreadsheet with semicolons and decimal commas.
        most: the points of each part.
        codes: those that there are; without any, each code is taken.

    Raises:
        ValueError: something is wrong with it; the message names every faulty line.
    """
    table = read_table(path, [name for name in HEAD if name != "most"], ["most"])
    typed: Typed = {}
    for line, row in table.rows:
        code, part = row["code"].lower(), row["part"]
        if codes and code not in codes:
            table.fault(line, f"no student has the code {code!r}")
        elif part not in most:
            table.fault(line, f"there is no open question {part!r}")
        elif part in typed.get(code, {}):
            table.fault(line, f"{code} is there twice for {part}")
        else:
            try:
                points = read_points(row["points"], most[part])
            except ValueError as error:
                table.fault(line, str(error))
            else:
                typed.setdefault(code, {})[part] = points, row["comment"]
    table.check()
    return typed
