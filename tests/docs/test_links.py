"""Links lead somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import PAGES, ROOT, anchors, links, name

README = ROOT / "README.md"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_between_files_resolve(page: Path) -> None:
    """Every relative link names a file that is there, and a heading in it if it names one."""
    lost = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (page.parent / target) if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            lost.append(link)
    assert [] == lost


def test_every_page_can_be_found_from_the_readme() -> None:
    """No page is left where nobody finds it."""
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in links(README)}
    assert [] == [name(page) for page in PAGES if page != README and page.resolve() not in linked]
