"""Links of a page, led to where the site has what they mean; what it has not, is only named."""

from __future__ import annotations

import os.path
import posixpath
import re
from collections.abc import Mapping
from typing import NamedTuple

_CODE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)|`[^`\n]*`|^ {4}.*?$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


class Linking(NamedTuple):
    """Where a page stands in the repository and in the site, and where everything else does."""

    source: str
    place: str
    places: Mapping[str, str]
    """Path in the repository, with an anchor or without → path in the site."""

    def led(self, text: str) -> str:
        """The text with its links as the site needs them. Code stays as it is."""
        code: list[str] = []

        def kept(found: re.Match[str]) -> str:
            code.append(found[0])
            return f"\0{len(code) - 1}\0"

        led = _LINK.sub(self._one, _CODE.sub(kept, text))
        return re.sub("\0(\\d+)\0", lambda found: code[int(found[1])], led)

    def _one(self, found: re.Match[str]) -> str:
        mark, words, target = found.groups()
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:") or not path:
            return found[0]
        named = posixpath.normpath(posixpath.join(posixpath.dirname(self.source), path))
        place = self.places.get(f"{named}#{anchor}")
        to = place or self.places.get(named)
        if to is None:
            return words
        near = os.path.relpath(to, posixpath.dirname(self.place) or ".")
        return f"{mark}[{words}]({near}{f'#{anchor}' if anchor and not place else ''})"
