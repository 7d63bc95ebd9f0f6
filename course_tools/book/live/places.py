"""A place in a page, such as `<div class="break-loop">…</div>`, becomes what answers there.

What the place contains is shown by notebooks only. The scripts of ``live/`` come along.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from course_tools.book.live import break_loop, guess, memory, try_it, words
from course_tools.live import FOLDER, HEADER, NUMBERS
from course_tools.live.loop_songs import loop_songs
from course_tools.notebooks.chapters import ROOT

SCRIPTS = ROOT / "live"
PLACE = re.compile(r'<div class="([a-z-]+)(?: ([a-z-]+))?">.*</div>', re.DOTALL)
PARTS: dict[str, tuple[Callable[[str], str], str | None]] = {
    "result": (try_it.result_of_course, None),
    "try-it": (try_it.form, "try_it.js"),
    "break-loop": (break_loop.experiment, "break_loop.js"),
    "words": (words.search, "words.js"),
    "guess": (guess.game, "guess.js"),
    "memory": (memory.panel, "memory.js"),
}
"""By class: what writes the HTML, from the place's second class if there is one; its script."""


class PlacesToParts(SphinxTransform):
    """Put the part where a page has its place."""

    default_priority = 760

    def apply(self, **_: object) -> None:
        """Run over one document."""
        for place in list(self.document.findall(nodes.raw)):
            found = PLACE.fullmatch(place.astext().strip())
            if found and found[1] in PARTS:
                write, script = PARTS[found[1]]
                html = write(found[2] or "")
                place.parent.replace(place, nodes.raw("", html, format="html"))
                if script:
                    self.document["live"] = [*self.document.get("live", []), script]


def _add_scripts(app: Sphinx, pagename: str, template: str, context: dict, doctree: Any) -> None:
    if doctree is not None:
        folder = context["pathto"]("_static/live/", resource=True)
        for script in dict.fromkeys(["memory.js", *doctree.get("live", [])]):
            app.add_js_file(f"live/{script}", **{"data-live": folder})


def scripts() -> dict[str, str]:
    """The scripts as pages load them, by name; neither a worker nor a file takes a module."""
    sources = {path.name: path.read_text(encoding="utf-8") for path in SCRIPTS.glob("*.js")}

    def together(*names: str) -> str:
        source = "\n".join(re.sub(r"^export .*\n", "", sources[n], flags=re.M) for n in names)
        # What explains the code to its readers is in the repository; a phone needn't load it.
        source = re.sub(r"^ */\*\*.*?\*/\n", "", source, flags=re.M | re.S)
        return f"(() => {{\n{source}}})();\n"

    header = (FOLDER / HEADER).read_text(encoding="utf-8")
    numbers = base64.b64encode((FOLDER / NUMBERS).read_bytes()).decode()
    return {
        "try_it.js": together("files.js", "ask.js", "try_it.js"),
        "engine.js": together("network.js", "engine.js"),
        "offline.js": f'var offlineNetworks = {{ header: {header}, numbers: "{numbers}" }};\n',
        "break_loop.js": together("files.js", "loop.js", "break_loop.js"),
        "memory.js": together("memory.js", "progress.js"),
        "guess.js": together("guess.js"),
        "words.js": together("files.js", "ask.js", "words.js"),
        "loop_songs.js": f"var loopSongs = {json.dumps(loop_songs())};\n",
    }


def _write_scripts(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        for name, text in scripts().items():
            Path(app.outdir, "_static/live", name).write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx's entry point."""
    app.add_transform(PlacesToParts)
    app.connect("html-page-context", _add_scripts)
    app.connect("build-finished", _write_scripts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
