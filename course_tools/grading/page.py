"""What the grader's pages share: a head, tables, bars with their numbers, and numbered code.

The pages hold no script and load nothing, so they work offline, printed and from an e-mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

STYLE = """\
:root{color-scheme:light dark;--text:#1c2024;--soft:#5a6370;--line:#d5d9de;--back:#fff;
--panel:#f5f6f8;--bar:#2f6db5;--mark:#fff1c2}
@media(prefers-color-scheme:dark){:root{--text:#e4e7eb;--soft:#a3adb9;--line:#3b424b;--back:#15181c;
--panel:#1e2227;--bar:#6ba4e7;--mark:#4a3f14}}
*{box-sizing:border-box}
body{font:1rem/1.55 system-ui,sans-serif;color:var(--text);background:var(--back);max-width:58rem;
margin:0 auto;padding:1.5rem 1rem 4rem;overflow-wrap:break-word}
body.wide{max-width:84rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 1rem}
h2{font-size:1.2rem;margin:2.2rem 0 .4rem}h3{font-size:1rem;margin:1.4rem 0 .3rem}
p,li{max-width:44rem}.soft{color:var(--soft)}small,.small{font-size:.875rem}
table{border-collapse:collapse;width:100%;margin:.4rem 0}
caption{text-align:left;color:var(--soft);font-size:.875rem;padding-bottom:.3rem}
td,th{padding:.3rem .7rem .3rem 0;text-align:left;border-bottom:1px solid var(--line);
vertical-align:top;font-weight:400}
thead th{font-weight:600;vertical-align:bottom}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.scroll{overflow-x:auto}
td.bar{width:40%;min-width:6rem;padding-right:0}thead th.number{white-space:normal}
@media(max-width:40rem){td,th{padding-right:.5rem}td.bar{width:20%;min-width:2.5rem}}
.bar i{display:block;height:.85rem;background:var(--bar);margin-top:.33rem;
border-radius:0 2px 2px 0;
-webkit-print-color-adjust:exact;print-color-adjust:exact}
dl.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.6rem;margin:0}
.facts div{background:var(--panel);border-radius:6px;padding:.6rem .8rem}
.facts dt{color:var(--soft);font-size:.875rem}
.facts dd{margin:0;font-size:1.4rem;font-weight:600;line-height:1.2}
pre{background:var(--panel);border-radius:6px;padding:.6rem .8rem;overflow-x:auto;margin:.4rem 0;
font:.8125rem/1.5 ui-monospace,Menlo,Consolas,monospace;tab-size:4}
code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.9em}pre code{font-size:1em}
pre .n{color:var(--soft);user-select:none;display:inline-block;text-align:right;margin-right:1em}
.pair{display:grid;grid-template-columns:minmax(0,1fr);gap:0 1rem}
@media(min-width:60rem){.pair{grid-template-columns:repeat(2,minmax(0,1fr))}}
a{color:var(--bar)}
:focus-visible{outline:2px solid var(--bar);outline-offset:2px}
@media print{:root{--text:#000;--soft:#444;--line:#bbb;--back:#fff;--panel:#f3f3f3;--bar:#555}
body,body.wide{max-width:none;padding:0;font-size:10pt}
pre{white-space:pre-wrap}section,tr,.facts div{break-inside:avoid}h2,h3{break-after:avoid}}
"""


def page(title: str, parts: Iterable[str], extra_style: str = "", wide: bool = False) -> str:
    """A whole page; `parts` are HTML."""
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            f"<title>{escape(title)}</title>",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            # Should code of a stranger ever get past the escaping, it must still do nothing.
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
            "style-src 'unsafe-inline'\">",
            f"<style>{STYLE}{extra_style}</style></head>",
            f"<body{' class=wide' if wide else ''}><main><h1>{escape(title)}</h1>",
            *(part for part in parts if part),
            "</main></body></html>\n",
        ]
    )


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """A few large numbers, each with its name."""
    tiles = [f"<div><dt>{escape(k)}</dt><dd>{escape(str(v))}</dd></div>" for k, v in pairs]
    return f'<dl class="facts">{"".join(tiles)}</dl>'


def table(
    caption: str, head: Iterable[str], rows: Iterable[Iterable[str]], numbers: str = ""
) -> str:
    """A table; cells are HTML, and the first of a row is its heading.

    Args:
        caption: what the table shows, as text.
        head: the columns' names, as text.
        rows: the cells.
        numbers: a letter per column: "n" for numbers, "b" for bars, else text.
    """
    kinds = {i: {"n": "number", "b": "bar"}.get(kind, "") for i, kind in enumerate(numbers)}

    def cell(i: int, content: str, tag: str, scope: str) -> str:
        name = f' class="{kinds[i]}"' if kinds.get(i) and not (kinds[i] == "bar" and scope) else ""
        return f"<{tag}{scope}{name}>{content}</{tag}>"

    top = "".join(cell(i, escape(name), "th", ' scope="col"') for i, name in enumerate(head))
    body = []
    for row in rows:
        first, *others = row
        cells = [cell(0, first, "th", ' scope="row"')]
        cells += [cell(i, content, "td", "") for i, content in enumerate(others, 1)]
        body.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def bar(share: float) -> str:
    """A bar for a cell; screen readers skip it, since its number is in the cell beside it."""
    return f'<i aria-hidden="true" style="width:{100 * min(max(share, 0), 1):.1f}%"></i>'


def code(source: str, first: int = 1) -> str:
    """Code with line numbers, which are not copied with it."""
    lines = lines_of(source)
    width = len(str(first + len(lines) - 1))
    numbered = [
        f'<span class="n" style="width:{width}ch">{number}</span>{escape(line)}'
        for number, line in enumerate(lines, first)
    ]
    return f'<pre tabindex="0"><code>{chr(10).join(numbered)}</code></pre>'


def lines_of(source: str) -> list[str]:
    """Lines as Python counts them; `str.splitlines` also ends lines at form feeds and the like."""
    lines = re.split("\r\n?|\n", source)
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def count(number: int, one: str, several: str = "") -> str:
    """``1 student``, ``2 students``."""
    return f"{number} {one if number == 1 else several or one + 's'}"
