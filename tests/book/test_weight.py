"""Pages have a weight that a build may not exceed."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

from course_tools.book import weight


@pytest.fixture
def site(tmp_path):
    """A site of one page, with a stylesheet and a script of about 2,000 bytes each."""
    noise = random.Random(0)
    (tmp_path / "_static/live").mkdir(parents=True)
    for name in ("look.css", "act.js", "unused.js"):
        (tmp_path / "_static" / name).write_bytes(noise.randbytes(2000))
    for name in weight.ON_DEMAND:
        (tmp_path / "_static" / name).write_bytes(b"small")
    (tmp_path / "book").mkdir()
    (tmp_path / "book/page.html").write_text(
        '<link rel="stylesheet" href="../_static/look.css?v=1"><link rel="next" href="other.html">'
        '<script defer data-x="y" src="../_static/act.js?v=2"></script>'
        "<script>let src = 1;</script>"
    )
    return tmp_path


def complaints(site, caplog):
    weight.compressed.cache_clear()
    app = SimpleNamespace(builder=SimpleNamespace(format="html"), outdir=site)
    weight.logger.logger.propagate = True
    with caplog.at_level("WARNING"):
        weight._check(app, None)
    # Once another test has started Sphinx, messages begin with their level.
    return [record.getMessage().removeprefix("WARNING: ") for record in caplog.records]


def test_a_page_weighs_what_it_loads(site):
    assert 4000 < weight.weights(site)["book/page.html"] < 4500


def test_a_page_that_is_too_heavy_is_named(site, caplog, monkeypatch):
    assert complaints(site, caplog) == []
    monkeypatch.setattr(weight, "LIMIT", 4000)
    (found,) = complaints(site, caplog)
    assert "book/page.html loads 4," in found and "more than 4,000" in found


def test_what_is_loaded_on_demand_has_limits(site, caplog):
    (site / "_static/live/engine.js").write_bytes(bytes(20_001))
    assert complaints(site, caplog) == ["live/engine.js has 20,001 bytes, more than 20,000"]
