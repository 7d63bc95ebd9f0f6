"""Tables among the outputs, as the book should show them.

pandas leaves the corners of a table as empty header cells, which no reader can be told anything
about; it styles every table in the page from within one; and it asks for borders of its own.
A header of one word with underscores may be set on several lines, but not a number and its error.
A table that was printed as text must not have its lines broken, as a printed sentence must; long
lines are set small.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

STYLE = re.compile(r"<style scoped>.*?</style>\s*", re.DOTALL)
EMPTY_HEADER = re.compile(r"<th((?: [^>]*)?)>\s*</th>")
BORDERS = re.compile(r' border="1"| style="text-align: (?:right|left);"')
HEADER = re.compile(r"<th[^>]*>[^<]*</th>")
LONG = 82
"""Letters that a line has room for beside the contents, on a laptop."""
COLUMNS = re.compile(r"^.*\S {2,}\S.*$", re.MULTILINE)


def plain_table(html: str) -> str:
    """pandas' HTML with nothing but the table, its header cells all saying something."""
    html = EMPTY_HEADER.sub(r"<td\1></td>", STYLE.sub("", html))
    html = HEADER.sub(lambda header: header[0].replace("_", "_<wbr>"), html)
    return BORDERS.sub("", html).replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}")


def kind_of(text: str) -> list[str]:
    """Classes of a printed text: whether it has columns, set apart by spaces, and is wide."""
    if len(COLUMNS.findall(text)) < 2:
        return []
    return ["aligned", "long"] if max(map(len, text.splitlines())) > LONG else ["aligned"]


class OutputTables(SphinxTransform):
    """Tidy the HTML of data frames; mark printed tables, which the stylesheet lets scroll."""

    default_priority = 320

    def apply(self, **_: object) -> None:
        """Run over one document."""
        for raw in self.document.findall(nodes.raw):
            if 'class="dataframe"' in raw.astext():
                raw.children = [nodes.Text(plain_table(raw.astext()))]
        for block in self.document.findall(nodes.literal_block):
            if "output" in block["classes"]:
                block["classes"] += kind_of(block.astext())


def setup(app: Sphinx) -> dict:
    """Sphinx's entry point."""
    app.add_transform(OutputTables)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
