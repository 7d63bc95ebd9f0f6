"""List links to other sites; check them where there is a network: ``make links``.

Sphinx's own link checker asks each address, follows redirections and tries again; this module only
asks first whether there is a network, because without one every link looks broken.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from course_tools.notebooks.chapters import ROOT, toc_entries
from course_tools.notebooks.checks import link_targets

ASKED_FIRST = "https://doi.org"  # most links of the book begin there


def external_links(root: Path = ROOT) -> dict[str, list[str]]:
    """Addresses on other sites, each with the pages that link to it."""
    found: dict[str, list[str]] = {}
    for entry in toc_entries(root):
        page = (root / entry).with_suffix(".md")
        for target in dict.fromkeys(link_targets(page.read_text("utf8"))):
            if re.match("https?://", target):
                found.setdefault(target, []).append(page.name)
    return dict(sorted(found.items()))


def has_network(address: str = ASKED_FIRST) -> bool:
    """Whether a server elsewhere answers, whatever it says."""
    try:
        urlopen(address, timeout=5).close()
    except HTTPError:
        return True
    except (URLError, OSError):
        return False
    return True


def main() -> int:
    """Command line; the exit code is 0 unless a link was checked and found broken."""
    for address, pages in external_links().items():
        print(f"{address}  ({', '.join(pages)})")
    if not has_network():
        print("\nNo network here: links to other sites are listed above, and were not checked.")
        return 0
    command = ["jupyter-book", "build", ".", "--builder", "linkcheck", "--quiet"]
    return subprocess.run([f"{sys.prefix}/bin/{command[0]}", *command[1:]], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
