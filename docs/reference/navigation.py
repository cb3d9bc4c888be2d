"""Which pages the site's navigation has: all of them, or the build fails. What builds the site does not look."""

from __future__ import annotations

import re
from collections.abc import Iterable


def named(configuration: str) -> list[str]:
    """The pages in the ``nav`` of mkdocs.yml, in their order."""
    nav = configuration.partition("\nnav:\n")[2]
    return re.findall(r"^\s*- (?:[^:#\n]+: )?([\w./-]+\.md)\s*$", nav, re.MULTILINE)


def mistakes(configuration: str, pages: Iterable[str]) -> list[str]:
    """What is wrong with it: a page that is not in it, one that is not there, one that is in it twice."""
    there, shown = set(pages), named(configuration)
    return [
        *(f"{page}: it is not in the nav of mkdocs.yml" for page in sorted(there - set(shown))),
        *(f"{page}: it is in the nav of mkdocs.yml, and nowhere else" for page in sorted(set(shown) - there)),
        *(f"{page}: it is in the nav of mkdocs.yml more than once" for page in sorted(shown) if shown.count(page) > 1),
    ]
