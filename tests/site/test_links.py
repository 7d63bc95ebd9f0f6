"""Links to other sites, listed without asking one."""

from course_tools.site.links import external_links, has_network


def test_links_to_other_sites_are_listed_with_their_pages(tmp_path):
    (tmp_path / "_toc.yml").write_text("root: a.ipynb\nchapters: [{file: b.md}]\n")
    (tmp_path / "a.md").write_text("[x](https://x.org/1) [b](b.md) [y](http://y.org)")
    (tmp_path / "b.md").write_text("[x](https://x.org/1)")
    links = {"http://y.org": ["a.md"], "https://x.org/1": ["a.md", "b.md"]}
    assert external_links(tmp_path) == links
    assert not has_network("http://127.0.0.1:1")
