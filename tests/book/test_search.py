"""The texts from which the search page takes its excerpts."""

from course_tools.book.search import texts

PAGE = """<html><body><nav>Chapters</nav><main><article class="bd-article">
<section id="a"><h1>First<a class="headerlink" href="#a">#</a></h1>
<p>One <br>two.</p>
<noscript><p>hidden</p></noscript><script>var x = "<p>";</script><svg><path/></svg>
<section id="b"><h2>Second</h2>
<p>Three &amp; four.</p></section></section>
</article><footer>Licence</footer></main></body></html>"""


def test_text_is_what_the_article_shows(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book/page.html").write_text(PAGE)
    (tmp_path / "404.html").write_text("<p>No article</p>")
    found = texts(tmp_path)
    assert list(found) == ["book/page.html"]
    text, places = found["book/page.html"]["text"], found["book/page.html"]["places"]
    assert text.split() == ["First", "One", "two.", "Second", "Three", "&", "four."]
    assert text[places["b"] :].split()[0] == "Second"
