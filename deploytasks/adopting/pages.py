"""The pages of a Django project that everybody may see, read from its URLs. Approximate: a person may correct it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

_SAID = re.compile(r"""#.*|\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}""")
_ROUTE = re.compile(
    r"""(?:\bpath|re_path|\burl)\(\s*r?["']([^"']*)["']\s*,\s*"""
    r"""(?:(include)\(\s*(?:\(\s*)?["']([\w.]+)["']|([\w.]+))?"""
)
_HEALTH = re.compile(r"(?:.*/)?(?:health|healthz|health[_-]?check|livez|ping|up)/?")
_DEPTH = 3
"""Files of URLs that include each other."""


class Page(NamedTuple):
    """One that has an address of its own, without parameters."""

    path: str
    """``/books/``."""
    view: str
    """What answers, as the source says it; empty when it is not a name."""


def pages_in(source: Callable[[str], str], module: str, above: str = "/", depth: int = _DEPTH) -> Sequence[Page]:
    """The pages of a module of URLs and of those it includes. ``source`` gives a module's text; empty: none."""
    return list(_pages(source, module, above, depth))


def _pages(source: Callable[[str], str], module: str, above: str, depth: int) -> Iterator[Page]:
    for route, include, other, view in _ROUTE.findall(_SAID.sub("", source(module))):
        path = above + _plain(route)
        if include and depth > 1 and source(other):
            yield from _pages(source, other, path, depth - 1)
        elif not re.search(r"[<(\[\\*+]", path):
            yield Page(path, "include" if include else view)


def _plain(route: str) -> str:
    """The route of ``re_path`` as one of ``path``, where it has nothing to match."""
    return route.removeprefix("^").removesuffix("$").replace("/?", "/")


def health_page(pages: Sequence[Page]) -> str:
    """A page of a health check; else the start page; else the log-in of the admin; else any. ``/``: none is known."""
    own = [page for page in pages if page.view not in ("include", "admin.site.urls")]
    if health := next((page.path for page in pages if _HEALTH.fullmatch(page.path)), ""):
        return health
    if not pages or any(page.path == "/" for page in own):
        return "/"
    admin = next((page.path for page in pages if page.view == "admin.site.urls"), "")
    if admin:
        return f"{admin}login/" if len(pages) > 1 else "/"  # alone, it has Django's own start page beside it
    return own[0].path if own else "/"
