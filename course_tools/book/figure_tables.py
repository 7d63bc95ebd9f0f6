"""What a figure draws, as a table: for readers without scripts, and for text browsers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape

import numpy as np

MOST_ROWS = 60  # a figure of seven hundred words is not read row by row


def values(data: object) -> list:
    """A trace's numbers as a list; plotly writes long ones as base64 with a type."""
    if isinstance(data, dict):
        array = np.frombuffer(base64.b64decode(data["bdata"]), dtype=data["dtype"])
        if shape := data.get("shape"):
            array = array.reshape([int(size) for size in str(shape).split(",")])
        return array.tolist()
    return list(data) if isinstance(data, (list, tuple)) else []


def axis_title(figure: dict, trace: dict, letter: str) -> str:
    """What stands along a trace's ``x`` or ``y`` axis; the letter where nothing does."""
    axis = figure["layout"].get(f"{letter}axis{trace.get(f'{letter}axis', letter)[1:]}", {})
    return axis.get("title", {}).get("text") or letter


def trace_rows(figure: dict, trace: dict) -> Iterator[tuple]:
    """Rows of one trace: what it is called, then each mark's place and text."""
    x, y = values(trace.get("x")), values(trace.get("y"))
    if trace["type"] == "heatmap":
        for row, across in zip(y, values(trace["z"]), strict=False):
            yield from ((row, column, z) for column, z in zip(x, across, strict=False))
        return
    text = values(trace.get("text"))
    name = trace.get("name", "")
    for i, place in enumerate(zip(x, y, strict=False)):
        yield (name, *place, text[i] if i < len(text) else "")


def cell(value: object) -> str:
    """A table cell; numbers to four figures."""
    return f"<td>{escape(f'{value:.4g}' if isinstance(value, float) else str(value))}</td>"


def data_table(figure: dict) -> str:
    """An HTML table of the first ``MOST_ROWS`` marks; nothing when no trace has any."""
    rows = [row for trace in figure["data"] for row in trace_rows(figure, trace)]
    if not rows:
        return ""
    first = figure["data"][0]
    x, y = axis_title(figure, first, "x"), axis_title(figure, first, "y")
    heads = (y, x, "value") if first["type"] == "heatmap" else ("series", x, y, "text")
    kept = [i for i, _ in enumerate(heads) if any(row[i] not in ("", None) for row in rows)]
    head = "".join(f"<th>{escape(heads[i])}</th>" for i in kept)
    body = "".join(f"<tr>{''.join(cell(row[i]) for i in kept)}</tr>\n" for row in rows[:MOST_ROWS])
    more = f"<p>… and {len(rows) - MOST_ROWS:,} more.</p>" if len(rows) > MOST_ROWS else ""
    return f'<table class="dataframe"><tr>{head}</tr>\n{body}</table>{more}'
