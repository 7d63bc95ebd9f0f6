"""The questions of "Check yourself": plain Markdown in the chapter, radio buttons in the book.

A question is a paragraph, a list and a fold, which GitHub, Colab and JupyterLab show as they are::

    **1.** What is asked?

    - A. One option.
    - B. Another.

    <details><summary>Answer</summary>

    **B.** Why B is right, and why A is tempting and wrong.

    </details>

In the book the reader may choose an option before opening the fold, which then says whether the
choice was right. Rules of ``course.css`` do this, so no script is needed. A question has the class
``exercise`` and its answer ``tag_solution``: ``course_tools.book.pdf`` puts those at the end.
"""

from __future__ import annotations

import re
from string import ascii_uppercase

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

OPEN, CLOSE = "<details><summary>Answer</summary>", "</details>"
VERDICTS = (
    '<p class="quiz-verdict is-right">You chose the right answer.</p>'
    '<p class="quiz-verdict is-wrong">You chose another answer.</p>'
)


class Html(nodes.General, nodes.Element):
    """An HTML element: its ``tag``, with the node's classes and ids."""


class QuestionsToFieldsets(SphinxTransform):
    """Put question, options and answer into a fieldset; whatever has another form stays."""

    default_priority = 760  # when quotation marks are round

    def apply(self, **_: object) -> None:
        """Run over one document."""
        for fold in list(self.document.findall(nodes.raw)):
            if fold.astext().strip() != OPEN:
                continue
            parent, opens = fold.parent, fold.parent.index(fold)
            texts = [sibling.astext().strip() for sibling in parent[opens:]]
            if opens >= 2 and CLOSE in texts:
                closes = opens + texts.index(CLOSE)
                fieldset = _fieldset(parent[opens - 2 : closes + 1])
                if fieldset is not None:
                    parent[opens - 2 : closes + 1] = [fieldset]


def _fieldset(parts: list[nodes.Node]) -> Html | None:
    """Of question, options, opening, answer, closing."""
    asked, options, opening, *answer = parts
    number, right = _mark(asked, r"\d+"), _mark(answer[0], "[A-Z]")
    if not (number and right and isinstance(options, nodes.bullet_list)):
        return None
    name = f"question-{number}"
    box = Html(tag="fieldset", ids=[name], classes=["exercise", "quiz"])
    box += Html("", *asked.children, tag="legend", classes=["admonition-title"])
    for letter, option in zip(ascii_uppercase, options, strict=False):
        label = Html(tag="label", classes=["is-right" if letter == right else "is-wrong"])
        button = f'<input type="radio" name="{name}" autocomplete="off">'
        label += nodes.raw("", button, format="html")
        label += Html("", *option[0].children, tag="span")
        box += label
    fold = [opening, nodes.raw("", VERDICTS, format="html"), *answer]
    box += Html("", *fold, tag="div", classes=["tag_solution"])
    return box


def _mark(paragraph: nodes.Node, form: str) -> str:
    """``1`` of a paragraph that begins with a bold ``1.``, or an empty string."""
    first = next((node for node in paragraph.children if node.astext()), None)
    found = isinstance(first, nodes.strong) and re.fullmatch(rf"({form})\.", first.astext())
    return found[1] if found else ""


def _open(translator, node: Html) -> None:
    translator.body.append(translator.starttag(node, node["tag"], ""))


def _close(translator, node: Html) -> None:
    translator.body.append(f"</{node['tag']}>\n")


def setup(app: Sphinx) -> dict:
    """Sphinx's entry point."""
    app.add_node(Html, html=(_open, _close))
    app.add_transform(QuestionsToFieldsets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
