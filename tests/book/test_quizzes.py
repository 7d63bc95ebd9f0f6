"""The questions of "Check yourself": whole, answerable, and something to answer in the book."""

import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from string import ascii_uppercase

import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from course_tools.book.pdf import Cover, assemble
from course_tools.book.quizzes import CLOSE, OPEN
from course_tools.notebooks.chapters import ROOT, find_chapters
from course_tools.notebooks.checks import FRONT_PAGE, leftovers

CHAPTERS = [chapter for chapter in find_chapters() if chapter.name != FRONT_PAGE]
HEADING = "## Check yourself"
START = re.compile(r"^\*\*(\d+)\.\*\* ", re.MULTILINE)
WHOLE = re.compile(
    r"\*\*(?P<number>\d+)\.\*\* (?P<asked>\S.*)\n\n(?P<options>(?:- .+\n)+)\n"
    rf"{re.escape(OPEN)}\n\n\*\*(?P<right>[A-Z])\.\*\* (?P<why>\S.*)\n\n{re.escape(CLOSE)}\s*"
)
SOUND = f"{HEADING}\n\nChoose.\n\n" + "\n\n".join(
    f'**{i}.** Is *this* asked?\n\n- A. It\'s `a`.\n- B. It is "b".\n- C. Neither.\n\n'
    f"{OPEN}\n\n**{right}.** So.\n\n{CLOSE}"
    for i, right in ((1, "B"), (2, "A"), (3, "C"))
)


class Nesting(HTMLParser):
    """Notes the first tag that is not closed, or closed without being open."""

    def __init__(self, html):
        super().__init__()
        self.open, self.wrong = [], []
        self.feed(html)
        self.wrong += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open[-1:] == [tag]:
            self.open.pop()
        else:
            self.wrong.append(f"</{tag}> closes nothing")


def quiz(chapter):
    """The one cell with the questions."""
    cells = [cell.source for cell in chapter.source().cells]
    return next((source for source in cells if source.startswith(HEADING)), "")


def questions(markdown):
    """Text of each question, from its number to the next one's."""
    places = [found.start() for found in START.finditer(markdown)] + [len(markdown)]
    return [markdown[a:b] for a, b in zip(places, places[1:], strict=False)]


def faults(markdown):
    """What is wrong with a section of questions."""
    asked = questions(markdown)
    if not 3 <= len(asked) <= 5:
        yield f"{len(asked)} questions"
    for i, text in enumerate(asked, 1):
        whole = WHOLE.fullmatch(text)
        if whole is None:
            yield f"question {i} is not number, options, folded answer"
            continue
        letters = re.findall(r"^- (\S+) \S", whole["options"], re.MULTILINE)
        if whole["number"] != str(i):
            yield f"question {i} has the number {whole['number']}"
        if letters not in ([f"{x}." for x in ascii_uppercase[:n]] for n in (3, 4)):
            yield f"question {i} has the options {' '.join(letters)}"
        if f"{whole['right']}." not in letters:
            yield f"question {i}: there is no option {whole['right']}"
    yield from Nesting(MarkdownIt("commonmark").render(markdown)).wrong
    yield from leftovers(markdown)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_questions_of_a_chapter(chapter):
    assert list(faults(quiz(chapter))) == []
    headings = re.findall("^## .+$", chapter.md.read_text("utf8"), re.MULTILINE)
    assert headings.count(HEADING) == 1
    assert headings[headings.index(HEADING) + 1] == "## Exercises"


def test_right_letters_are_spread():
    asked = [text for chapter in CHAPTERS for text in questions(quiz(chapter))]
    counts = Counter(WHOLE.fullmatch(text)["right"] for text in asked)
    assert max(counts.values()) <= len(asked) / 2, counts
    assert len(counts) == 4, counts


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("", "", ""),
        ("**3.** ", "**4.** ", "question 3 has the number 4"),
        ("**2.** Is", "Is", "2 questions"),
        ("- B. ", "- D. ", "question 1 has the options A. D. C."),
        ("- C. Neither.\n", "", "question 1 has the options A. B."),
        ("**B.** So", "**D.** So", "question 1: there is no option D"),
        ("**B.** So", "B. So", "question 1 is not number, options, folded answer"),
        (f"\n\n{CLOSE}", "", "<details> is not closed"),
        (f"{OPEN}\n\n", f"{OPEN}\n", "question 1 is not number, options, folded answer"),
        ("So.", "So. <b>And</i>", "</i> closes nothing"),
        ("*this*", "{ref}`this`", "{ref}"),
    ],
)
def test_broken_question_is_named(old, new, sentence):
    assert old in SOUND
    found = list(faults(SOUND.replace(old, new, 1)))
    assert (sentence in found) if sentence else not found


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page that Sphinx makes of three sound questions, and a fold of another form."""
    folder = tmp_path_factory.mktemp("quiz")
    (folder / "a.md").write_text(f"# T\n\n{SOUND}\n\n## More\n\n{OPEN}\n\nPlain.\n\n{CLOSE}\n")
    # A process of its own: a second Sphinx in one process warns of what the first has registered.
    settings = ("extensions=myst_parser,course_tools.book.quizzes", "root_doc=a")
    options = [part for setting in settings for part in ("-D", setting)]
    build = [sys.executable, "-m", "sphinx", "-C", "-W", "-q", *options, folder, folder / "html"]
    subprocess.run(build, check=True, cwd=ROOT)
    return (folder / "html/a.html").read_text("utf8")


def test_a_question_can_be_answered_on_its_page(page):
    soup = BeautifulSoup(page, "html.parser")
    boxes = soup.select("fieldset.quiz")
    assert [box["id"] for box in boxes] == ["question-1", "question-2", "question-3"]
    assert boxes[0].legend.get_text() == "1. Is this asked?"
    assert [label.get_text().strip() for label in boxes[0]("label")] == [
        "A. It’s a.",
        "B. It is “b”.",
        "C. Neither.",
    ]
    assert {button["name"] for button in boxes[0].select("label > input[type=radio]")} == {
        "question-1"
    }
    right = [[label["class"] for label in box("label")].index(["is-right"]) for box in boxes]
    assert right == [1, 0, 2]
    fold = boxes[0].select_one(".tag_solution > details")
    assert fold.summary.get_text() == "Answer"
    assert [p.get_text() for p in fold("p")][-1] == "B. So."
    assert "<script" not in str(boxes)
    assert soup.select_one("section#more > details").p.get_text() == "Plain."


def test_the_answers_are_at_the_end_of_the_pdf(page):
    main = str(BeautifulSoup(page, "html.parser").select_one("section"))
    html = f"<article><h1>T</h1>{main}</article>"
    book = BeautifulSoup(assemble({"a.html": html}, Cover("T", "1.0.0", "2026")), "html.parser")
    assert "So." not in book.select_one("#a--question-1").get_text()
    answer = book.select_one("#solutions #a--question-1--solution")
    assert answer.h3.get_text() == "1. Is this asked?"
    assert "B. So." in answer.get_text()
    assert answer.summary is None
