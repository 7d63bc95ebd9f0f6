"""Write book/accessibility.md, the accessibility statement: ``make notebooks``.

Its figures are those of ``benchmarks/results/pages.json``, its address that of the repository.
Each check that it names is one of ``browser/``, which ``make test-browser`` runs.
"""

from __future__ import annotations

import json

from course_tools.notebooks.chapters import ROOT
from course_tools.site.repository import repository_address
from course_tools.site.status import DEVICES, PAGES, table

PAGE = ROOT / "book/accessibility.md"
WIDTHS = "320, 360, 390, 768 and 1280 pixels"
CHECKS = {
    "Keyboard": "On every page Tab reaches the skip link first and then the text. Every figure and "
    "all code that scrolls can be reached. The interactive parts can be used. Escape closes the "
    "menu, the contents and the search and gives the focus back to the button that opened them.",
    "Zoom": f"No page scrolls sideways at {WIDTHS}; 320 is what is left of a window of 1280 pixels "
    "at a zoom of 400%. Tables, code and formulas may scroll inside themselves.",
    "Colours": "On sample pages, text and the text of figures has a contrast of at least 4.5 to 1 "
    "in light and dark, and with forced colours in each combination of the system's and the page's "
    "light and dark; links, buttons, fields and figures show a ring when they have the focus.",
    "Motion": "With *reduce motion* set in the system, nothing on a sample page is animated.",
    "Touch": "A swipe that begins on a figure scrolls the page; a tap shows values.",
    "Status messages": "Every figure has a text alternative computed from its data. The "
    "interactive parts have a status line (a live region), which changes once after an answer "
    "and not at every keystroke.",
    "Without scripts": "Figures are pictures with a table of their data; the interactive parts "
    "show stored examples.",
}
KEYS = {
    "Tab, Shift+Tab": "to the next or the previous link, button, field or figure",
    "Enter, on *Skip to main content*": "past the menu, to the text",
    "Ctrl+K (⌘K on a Mac)": "opens the search; Enter searches",
    "Escape": "closes the menu, the contents or the search",
    "arrow keys": "choose an answer to a question, a network, or the value of a slider",
    "Space": "ticks a box; presses a button",
}
LIMITS = (
    "Values of single points in a figure show only under a mouse or a finger. With the keyboard, "
    "use the text alternative, or the table that pages show without scripts.",
    "We have not tried the pages with a screen reader, and no one outside the project has audited "
    "them. Programs find only some of the failures that WCAG names.",
    "Formulas are MathML. How well they are read aloud depends on the browser and screen reader.",
    "With forced colours, words in *Try it* lose their tint and bars their genre's colour. The "
    "strongest words are named below the text, and each bar has its genre and number.",
    "How accessible a notebook is in Colab, JupyterLab or VS Code depends on that program.",
)


def measured(stored: dict) -> list[dict[str, str]]:
    """What third-party programs found: a row per program."""
    pages = stored["pages"].values()
    violations = sum(page["axe"] for page in pages)
    scores = [
        page[device]["accessibility"] for page in pages for device in DEVICES if device in page
    ]
    axe, lighthouse = (f"{name} {stored['versions'][name]}" for name in ("axe-core", "lighthouse"))
    number = len(scores) // len(DEVICES)
    return [
        {
            "measured with": axe,
            "on": f"{len(pages)} pages, wide and narrow, light and dark",
            "found": f"{violations} violations",
        },
        {
            "measured with": lighthouse,
            "on": f"{number} pages, as a phone and as a desktop",
            "found": f"accessibility at least {min(scores)} out of 100",
        },
    ]


def statement(stored: dict, address: str | None) -> str:
    """The page as Markdown, for stored measurements and the repository's address, if it is set."""
    report = (
        f"[Open an issue]({address}/issues) in the course's repository"
        if address
        else "Tell the person who teaches the course, or open an issue where you found its files"
    )
    keys = [{"key": key, "does": does} for key, does in KEYS.items()]
    parts = [
        "# Accessibility\n",
        "**You will find** here what these pages do for readers who use a keyboard, large type, "
        "their own colours or a screen reader; what was tested, and how; and what is missing.\n",
        "## Our aim\n",
        "The pages are meant to conform to the Web Content Accessibility Guidelines (WCAG) 2.2, "
        "level AA. The checks below find no failure that we have left unfixed. Because they "
        "can't cover every criterion, we don't claim full conformance.\n",
        "## What was measured\n",
        table(measured(stored)) + "\n",
        f"Made by `{stored['command']}`, {stored['date']}; each page's results are under "
        "[Status](status.md).\n",
        "## What is checked at every change\n",
        "Automated tests check these on the built pages in Chromium, and continuous integration "
        "fails when one doesn't pass.\n",
        *(f"- **{name}.** {what}" for name, what in CHECKS.items()),
        "\n## By keyboard\n",
        table(keys) + "\n",
        "## Known limits\n",
        *(f"- {limit}" for limit in LIMITS),
        "\n## If something doesn't work for you\n",
        f"{report}: say which page it is, what you wanted to do, and which browser and assistive "
        "technology you use. A fault that keeps someone out counts as a bug.",
    ]
    return "\n".join(parts) + "\n"


def main() -> None:
    """Rewrite the page."""
    stored = json.loads(PAGES.read_text("utf8"))
    PAGE.write_text(statement(stored, repository_address()), "utf8")


if __name__ == "__main__":
    main()
