"""Slides of each chapter's figures: ``make slides`` writes dist/slides/NAME.html.

A slide is a figure under its section's heading, with the words that lead to it in the chapter. The
pages scroll from slide to slide by the browser's own means, with keys or by touch, so the only
scripts are the book's own two: plotly and its loader. reveal.js, which nbconvert's slides use,
would come from another host or have to be kept up here.
"""

from __future__ import annotations

import re
import shutil
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt
from nbformat import NotebookNode

from course_tools.book.figures import PLOTLY_JS, STATIC, figure_html
from course_tools.notebooks.chapters import ROOT, Chapter, find_chapters
from course_tools.notebooks.checks import PICTURE, PLOTLY, text_alternative

TAKE_AWAY = "## What to take away\n\n"
DIST = ROOT / "dist/slides"
MOST_LETTERS = 320  # of a slide's text, so that it can be read from the last row
STYLE = """
:root { color-scheme: light dark; --pst-color-text-base: #1d2430; --pst-color-border: #d3d9e2;
  --pst-color-surface: #f4f6fa; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --pst-color-text-base: #d5dae2;
  --pst-color-border: #39414d; --pst-color-surface: #1f242d; --paper: #14171c; } }
html { scroll-snap-type: y mandatory; background: var(--paper); color: var(--pst-color-text-base);
  font: clamp(1rem, 0.6rem + 1.2vw, 1.6rem)/1.45 system-ui, sans-serif; }
body { margin: 0; counter-reset: slide; }
section { box-sizing: border-box; min-height: 100vh; scroll-snap-align: start; display: flex;
  flex-direction: column; justify-content: center; gap: 0.8rem; padding: 3vh 6vw;
  position: relative; counter-increment: slide; break-after: page; }
section::after { content: counter(slide); position: absolute; right: 2vw; bottom: 2vh; }
h1 { font-size: 2.2em; line-height: 1.15; margin: 0; } h2 { font-size: 1.5em; margin: 0; }
p { margin: 0; max-width: 60rem; } li { margin: 0.3em 0; }
.course-figure { width: 100%; max-width: 70rem; font-size: 1rem; } a { color: inherit; }
.course-figure img { max-width: 100%; max-height: 70vh; } table { display: none; }
"""


def text_of(markdown: str) -> str:
    """Markdown as one line of plain text."""
    parts = [
        child.content if child.type in ("text", "code_inline") else " "
        for token in MarkdownIt("commonmark").parse(markdown)
        for child in token.children or []
        if child.type in ("text", "code_inline", "softbreak")
    ]
    return " ".join("".join(parts).split())


def shortened(text: str) -> str:
    """Whole sentences from the end of a text, as many as a slide may hold."""
    sentences = re.split(r"(?<=[.?!:]) ", text)
    kept: list[str] = []
    while sentences and len(" ".join([sentences[-1], *kept])) <= MOST_LETTERS:
        kept.insert(0, sentences.pop())
    return " ".join(kept)


def slides(notebook: NotebookNode) -> list[str]:
    """The slides of a chapter as HTML sections."""
    first = notebook.cells[0].source.split("\n\n")
    made = [f"<section><h1>{escape(first[0].removeprefix('# '))}</h1>"
            f"<p>{escape(text_of(first[1]))}</p></section>"]  # fmt: skip
    heading, words = first[0].removeprefix("# "), ""
    for cell in notebook.cells[1:]:
        if cell.cell_type == "markdown":
            for block in cell.source.split("\n\n"):
                if block.startswith("#"):
                    heading, words = block.split("\n")[0].lstrip("# "), ""
                elif block[:1] not in (">", "|", "<", "`", "$", "-"):
                    words = text_of(block) or words
            if TAKE_AWAY in cell.source:
                body = cell.source.split(TAKE_AWAY, 1)[1].split("\n\n[")[0]
                points = MarkdownIt("commonmark").render(body)
                made.append(f"<section><h2>What to take away</h2>{points}</section>")
        for output in cell.get("outputs", []):
            figure = output.get("data", {}).get(PLOTLY)
            if figure is not None:
                picture = output.data.get(PICTURE, "")
                alt = text_alternative(figure)
                image = (
                    f'<img alt="{escape(alt, quote=True)}" src="data:{PICTURE};base64,{picture}">'
                )
                before, after = figure_html(figure, alt)
                made.append(
                    f"<section><h2>{escape(heading)}</h2>"
                    f"<p>{escape(shortened(words))}</p>{before}{image}{after}</section>"
                )
    return made


def page(chapter: Chapter) -> str:
    """One chapter's slides as a whole page."""
    notebook = chapter.notebook()
    title = escape(notebook.cells[0].source.split("\n", 1)[0].removeprefix("# "))
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}: slides</title><style>{STYLE}</style>",
            '<script defer src="plotly-loader.js" data-plotly="plotly.min.js"></script>',
            '</head><body class="bd-article"><main>',
            *slides(notebook),
            "</main></body></html>\n",
        ]
    )


def build(folder: Path = DIST) -> int:
    """Write the slides of all chapters but the front page; return how many decks there are."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(PLOTLY_JS, folder)
    shutil.copy(STATIC / "plotly-loader.js", folder)
    chapters = find_chapters()[1:]
    for chapter in chapters:
        (folder / f"{chapter.name}.html").write_text(page(chapter), "utf8")
    return len(chapters)


if __name__ == "__main__":
    print(f"{build()} chapters: {DIST.relative_to(ROOT)}")
