"""What the built book makes of plain Markdown: boxes for notes and exercises, folded solutions.

- A block quote that begins ``> **Note**``, ``> **Tip**`` or ``> **Warning**`` becomes that box.
- ``> **Exercise 4.2** A title`` becomes a box with the id ``exercise-4-2``. Its first paragraph is
  the title when more follows and it does not end like a sentence.
- Code cells tagged ``solution`` are folded under the word "Solution"; of those tagged
  ``hide-input``, which only word a sentence or label a diagram, the code is folded.
- A fold "Explanation" after a solution is a part of it.
- The comments that ask nbval for an exact comparison, and Colab for a title, are left out.
"""

from __future__ import annotations

import re
from html import escape

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from course_tools.notebooks.chapters import EXACT, EXPLANATION

OPENING = re.compile(r"(Note|Tip|Warning|Exercise (\d+\.\d+))[.:]?")
COLAB_TITLE = re.compile(r"^# @title .*\n", re.MULTILINE)
"""Of a cell whose code is folded everywhere: Colab shows this in place of the code."""
BOXES = {"Note": nodes.note, "Tip": nodes.tip, "Warning": nodes.warning}


class BlockQuotesToAdmonitions(SphinxTransform):
    """Turn block quotes with one of the known openings into admonitions."""

    default_priority = 300

    def apply(self, **_: object) -> None:
        """Run over one document."""
        for quote in list(self.document.findall(nodes.block_quote)):
            opening = _opening(quote)
            if opening is None:
                continue
            _drop_opening(quote[0])
            number = opening[2]
            box = self._exercise(quote, opening[1], number) if number else BOXES[opening[1]]()
            box += [child for child in quote.children if child.children]
            quote.replace_self(box)

    def _exercise(self, quote: nodes.Element, name: str, number: str) -> nodes.Element:
        slug = f"exercise-{number.replace('.', '-')}"
        box = nodes.admonition(ids=[slug], classes=["exercise"])
        title = nodes.title("", name)
        first = quote[0]
        if first.children and len(quote.children) > 1 and first.astext()[-1] not in ".?!:":
            title += [nodes.Text(": "), *first.children]
            first.children = []
        box += title
        # Links from other chapters, [Exercise 4.2](04_training_loop.ipynb#exercise-4-2).
        slugs = self.env.metadata[self.env.docname].setdefault("myst_slugs", {})
        slugs[slug] = (0, slug, name)
        return box


def _opening(quote: nodes.Element) -> re.Match | None:
    if not (quote.children and isinstance(quote[0], nodes.paragraph)):
        return None
    inline = [child for child in quote[0].children if child.astext()]
    if not (inline and isinstance(inline[0], nodes.strong)):
        return None
    return OPENING.fullmatch(inline[0].astext())


def _drop_opening(paragraph: nodes.Element) -> None:
    """Take the opening words out of a paragraph, with the empty texts and spaces around them."""
    strong = next(child for child in paragraph.children if child.astext())
    del paragraph.children[: paragraph.index(strong) + 1]
    while paragraph.children and isinstance(paragraph[0], nodes.Text):
        rest = paragraph.pop(0).astext().lstrip()
        if rest:
            paragraph.insert(0, nodes.Text(rest))
            break


class CodeCells(SphinxTransform):
    """Fold solutions, and code that only words a sentence; leave out comments for tools."""

    default_priority = 310

    def apply(self, **_: object) -> None:
        """Run over one document."""
        for cell in self.document.findall(nodes.container):
            if "tag_solution" in cell["classes"]:
                cell["hide_mode"] = "all"
                cell["prompt_show"] = cell["prompt_hide"] = "Solution"
            elif cell.get("hide_mode") == "input":
                cell["prompt_show"] = cell["prompt_hide"] = "Show the code"
            if cell.get("nb_element") == "cell_code_source":
                for block in cell.findall(nodes.literal_block):
                    code = COLAB_TITLE.sub("", block.astext().replace(f"{EXACT}\n", ""))
                    block.rawsource = code
                    block.children = [nodes.Text(code)]


class Explanations(SphinxTransform):
    """Make what explains a solution a part of it."""

    default_priority = 760

    def apply(self, **_: object) -> None:
        """Run over one document."""
        for fold in list(self.document.findall(nodes.raw)):
            if fold.astext().strip() != EXPLANATION:
                continue
            parent, opens = fold.parent, fold.parent.index(fold)
            closes = next(
                at
                for at in range(opens, len(parent))
                if parent[at].astext().strip() == "</details>"
            )
            box = nodes.container("", *parent[opens : closes + 1], classes=["tag_solution"])
            parent[opens : closes + 1] = [box]


def _open_fold(translator, node: nodes.Element) -> None:
    # MyST-NB's own gives the summary an aria-label that is not what it reads.
    summary = escape(node["prompt_show"])
    classes = " ".join(["admonition", "hide", *node["classes"]])
    translator.body.append(
        f'<details class="{classes}"><summary class="admonition-title">{summary}</summary>\n'
    )


def _close_fold(translator, node: nodes.Element) -> None:
    translator.body.append("</details>\n")


def setup(app: Sphinx) -> dict:
    """Sphinx's entry point."""
    app.setup_extension("myst_nb")
    app.add_node(HideCodeCellNode, override=True, html=(_open_fold, _close_fold))
    app.add_transform(BlockQuotesToAdmonitions)
    app.add_transform(CodeCells)
    app.add_transform(Explanations)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
