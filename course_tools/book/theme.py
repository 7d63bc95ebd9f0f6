"""What the book changes in its theme: templates, a page for wrong addresses, files left out.

``templates/`` holds our versions of the theme's templates. Each is there because the theme's own
breaks a rule of accessibility or loads a script that the book can do without.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from sphinx.application import Sphinx

TEMPLATES = Path(__file__).parent / "templates"
# Beside a page these weigh nothing, but together they are more than half of the site.
LEFT_OUT = (
    "scripts/*.map",
    "styles/*.map",
    "scripts/fontawesome.js*",
    "scripts/bootstrap.js*",
    "vendor",
    "locales",
    "*webpack-macros.html",
)


def _put_templates_first(app: Sphinx, config) -> None:
    config.templates_path.insert(0, str(TEMPLATES))
    app.add_js_file("theme.js")


def _page_not_found(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    # GitHub Pages shows it for every wrong address, however deep: links begin where the site does.
    root = urlsplit(app.config.html_baseurl).path
    titles = app.env.titles
    chapters = [
        (app.builder.get_target_uri(name), titles[name].astext())
        for name in app.env.toctree_includes.get(app.config.root_doc, [])
    ]
    yield "404", {"title": "No page here", "root": root, "chapters": chapters}, "404.html"


def _leave_out(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    for pattern in LEFT_OUT:
        for path in static.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def setup(app: Sphinx) -> dict:
    """Sphinx's entry point."""
    # After the theme has put its own folder there.
    app.connect("config-inited", _put_templates_first, priority=900)
    app.connect("html-collect-pages", _page_not_found)
    app.connect("build-finished", _leave_out)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
