"""The whole book as one page, which `make pdf` prints: cover, contents, chapters, solutions.

The page is put together from those that `make book` has written. Sphinx's singlehtml builder would
render every chapter a second time, and what comes out would still need all that is done here:
ids of different chapters kept apart, solutions gathered at the end, nothing to navigate with. Its
styles are ``book.css``, as on the site, and ``browser/pdf.css``; ``browser/pdf.mjs`` prints it.
"""

from __future__ import annotations

import posixpath
import sys
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

from course_tools.notebooks.chapters import ROOT, toc_entries

HTML = ROOT / "_build/html"
PAGE = ROOT / "_build/pdf/book.html"
FIRST = "Introduction"  # the first page's own title is the book's, which the cover has
SOLUTIONS = "solutions"
# What is nothing on paper, or is there a second time: readers without scripts see no figure drawn.
LEFT_OUT = "a.headerlink, noscript, button, script:not([type='application/json'])"
REFERENCES = ("for", "headers", "aria-labelledby", "aria-describedby", "aria-controls")


@dataclass(frozen=True)
class Cover:
    """What the first page says."""

    title: str
    version: str
    year: str


@dataclass
class BookChapter:
    """One page of the site on its way into the book; ``name`` is its id there."""

    name: str
    article: Tag

    @property
    def title(self) -> str:
        """What its heading says."""
        return _words(self.article.h1)

    def sections(self) -> list[tuple[str, str]]:
        """Id and title of every section that has a heading of the second rank."""
        headings = self.article.find_all("h2")
        return [(heading.find_parent("section")["id"], _words(heading)) for heading in headings]


def assemble(pages: dict[str, str], cover: Cover) -> str:
    """One HTML page out of many.

    Args:
        pages: in reading order, each page's HTML under its address in the site.
        cover: what the first page says.

    Raises:
        ValueError: a link leads to no page of the book, or a solution has no exercise above it.
    """
    names = {address: Path(address).stem for address in pages}
    chapters = [_chapter(address, html, names) for address, html in pages.items()]
    chapters[0].article.h1.string = FIRST
    solutions = gather_solutions(chapters)
    parts = [*chapters, BookChapter(SOLUTIONS, solutions)] if solutions else chapters
    _expect_targets([part.article for part in parts])
    rules = [
        f'@page part-{i} {{ @bottom-left {{ content: "{_in_css(part.title)}"; }} }}\n'
        f".part-{i} {{ page: part-{i}; }}"
        for i, part in enumerate(parts)
    ]
    for i, part in enumerate(parts):
        part.article["class"] = ["bd-article", "part", f"part-{i}"]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en" data-theme="light">\n<head>\n<meta charset="utf-8">',
            f"<title>{escape(cover.title)}</title>",
            '<link rel="stylesheet" href="../html/_static/book.css">',
            '<link rel="stylesheet" href="../../browser/pdf.css">',
            "<style>\n" + "\n".join(rules) + "\n</style>",
            '<script defer src="../html/_static/plotly-loader.js"'
            ' data-plotly="../html/_static/plotly.min.js"></script>',
            '</head>\n<body class="bd-article-container">',
            cover_page(cover),
            contents(parts),
            *(str(part.article) for part in parts),
            "</body>\n</html>\n",
        ]
    )


def _chapter(address: str, html: str, names: dict[str, str]) -> BookChapter:
    article = BeautifulSoup(html, "html.parser").find("article")
    for element in article.select(LEFT_OUT):
        element.decompose()
    for fold in article.find_all("details"):
        fold["open"] = ""
    keep_ids_apart(article, names[address])
    for link in article.find_all("a", href=True):
        link["href"] = book_address(link["href"], address, names)
    article["id"] = names[address]
    return BookChapter(names[address], article)


def keep_ids_apart(article: Tag, name: str) -> None:
    """Put the chapter's name before every id, and where ids are referred to but in links."""
    for element in article.find_all(id=True):
        element["id"] = _anchor(name, element["id"])
    for attribute in REFERENCES:
        for element in article.find_all(attrs={attribute: True}):
            value = element[attribute]
            ids = value if isinstance(value, list) else value.split()
            element[attribute] = " ".join(_anchor(name, one) for one in ids)


def book_address(link: str, address: str, names: dict[str, str]) -> str:
    """Where a link of the page at ``address`` leads to in the book; other sites stay as they are.

    Raises:
        ValueError: it leads to a file that the book does not hold.
    """
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return link
    target = address
    if parts.path:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(address), parts.path))
    if target not in names:
        raise ValueError(f"{address} links to {link}, which is no chapter: name its full address")
    return "#" + (_anchor(names[target], parts.fragment) if parts.fragment else names[target])


def gather_solutions(chapters: list[BookChapter]) -> Tag | None:
    """Take every solution out of its chapter; the part that holds them, with links both ways.

    Raises:
        ValueError: a solution stands before the first exercise of its chapter.
    """
    soup = BeautifulSoup("", "html.parser")
    part = soup.new_tag("article", id=SOLUTIONS)
    part.append(_element(soup, "h1", "Solutions"))
    for chapter in chapters:
        section = soup.new_tag("section", id=_anchor(SOLUTIONS, chapter.name))
        section.append(_element(soup, "h2", chapter.title))
        for cell in chapter.article.select(".tag_solution"):
            exercise = cell.find_previous(class_="exercise")
            if exercise is None:
                raise ValueError(f"{chapter.name}: a solution has no exercise above it")
            place = f"{exercise['id']}--solution"
            solution = section.find(id=place)
            if solution is None:
                solution = soup.new_tag("section", id=place, attrs={"class": "solution"})
                title = _words(exercise.select_one(".admonition-title"))
                solution.append(_element(soup, "h3", title))
                solution.append(_jump(soup, f"#{exercise['id']}", "Back to the exercise"))
                exercise.append(_jump(soup, f"#{place}", "Solution"))
                section.append(solution)
            for fold in cell.find_all("details"):
                fold.summary.decompose()
                fold.unwrap()
            solution.append(cell.extract())
        if section.section:
            part.append(section)
    return part if part.section else None


def cover_page(cover: Cover) -> str:
    """The first page: title, which version this is, and what may be done with it."""
    return f"""<header class="cover">
<p class="cover-title">{escape(cover.title)}</p>
<p>Version {escape(cover.version)}, {escape(cover.year)}</p>
<p>Text and figures: <a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>.
Code: <a href="https://opensource.org/license/mit">MIT licence</a>.</p>
</header>"""


def contents(parts: list[BookChapter]) -> str:
    """The table of contents: each part with its sections, as links."""
    lines = []
    for part in parts:
        inner = "".join(
            f'<li><a href="#{escape(anchor)}">{escape(title)}</a></li>'
            for anchor, title in part.sections()
        )
        inner = f"<ul>{inner}</ul>" if inner else ""
        lines.append(f'<li><a href="#{part.name}">{escape(part.title)}</a>{inner}</li>')
    listed = "\n".join(lines)
    return f'<nav class="book-contents"><h1>Contents</h1>\n<ol>\n{listed}\n</ol></nav>'


def _expect_targets(articles: list[Tag]) -> None:
    """Raise ValueError for the first link within the book that leads nowhere."""
    ids = {one["id"] for article in articles for one in [article, *article.find_all(id=True)]}
    for article in articles:
        for link in article.select("a[href^='#']"):
            if link["href"][1:] not in ids:
                raise ValueError(f"{article['id']} links to {link['href']}, which is not there")


def _anchor(name: str, id_: str) -> str:
    return f"{name}--{id_}"


def _words(element: Tag) -> str:
    return " ".join(element.get_text().split())


def _element(soup: BeautifulSoup, name: str, text: str) -> Tag:
    element = soup.new_tag(name)
    element.string = text
    return element


def _jump(soup: BeautifulSoup, href: str, text: str) -> Tag:
    paragraph = soup.new_tag("p", attrs={"class": "jump"})
    paragraph.append(_element(soup, "a", text))
    paragraph.a["href"] = href
    return paragraph


def _in_css(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def main() -> None:
    """Write the page from the built book."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    cover = Cover(config["title"], version("genre-lib"), config["copyright"])
    addresses = [str(Path(entry).with_suffix(".html")) for entry in toc_entries()]
    try:
        pages = {address: (HTML / address).read_text("utf8") for address in addresses}
        html = assemble(pages, cover)
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is missing: `make book` writes it.")
    except ValueError as error:
        sys.exit(f"The book can't be put together: {error}.")
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(html, "utf8")


if __name__ == "__main__":
    main()
