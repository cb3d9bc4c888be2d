"""Whether a text gives a secret away, found out without the code that is to prevent it.

Everything that anybody could undo is undone: escapes of URLs, JSON, HTML and shells, Base64 at each alignment, hex, the
lines that a value was wrapped into. Then any part of a secret that nobody could guess counts.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import unquote, unquote_plus, urlsplit

TELLING = 10
"""Characters of a secret that are enough to count."""


def seen(text: str, *secrets: str) -> list[str]:
    """Those of the secrets of which something stands in the text, in any form."""
    readings = set(_readings(text))
    return [secret for secret in secrets if any(part in each for part in _parts(secret) for each in readings)]


def _parts(secret: str) -> set[str]:
    """Pieces of what is random in it: beginnings that all of its kind have are no secret."""
    core = "".join(_core(secret).split())
    size = min(TELLING, len(core))
    return {core[at : at + size] for at in range(0, len(core) - size + 1, 3)}


def _core(secret: str) -> str:
    secret = re.sub(r"-----(?:BEGIN|END) [A-Z ]+-----", "", secret)
    parts = urlsplit(secret) if "://" in secret else None
    if parts is not None and parts.netloc:
        who = parts.netloc.rpartition("@")[0]
        return who.rpartition(":")[2] if who else parts.path.rpartition("/")[2]
    return re.sub(r"^(?:gh[a-z]_|github_pat_|xox[a-z]-|xapp-\d-|sntry[a-z]_(?:eyJ\w+_)?|NR[A-Z]{2}-)", "", secret)


def _readings(text: str) -> Iterator[str]:
    level = {text}
    for _ in range(4):
        following = set()
        for each in level:
            tight = "".join(each.split())
            yield each
            yield tight
            yield from _decoded(tight)
            following |= {found for found in _unescaped(tight) if found != tight}
        level = following


def _unescaped(text: str) -> Iterator[str]:
    if "%" in text or "+" in text:
        yield unquote(text)
        yield unquote_plus(text)
    if "&" in text:
        yield html.unescape(text)
    if "\\" in text:
        yield re.sub(r"\\(.)", r"\1", text)
        for found in re.findall(r'"(?:[^"\\]|\\.)*"', text):
            with suppress(ValueError):
                yield str(json.loads(found))
    if "'\"'\"'" in text:
        yield text.replace("'\"'\"'", "'")


def _decoded(text: str) -> Iterator[str]:
    for run in re.findall(r"[A-Za-z0-9+/_-]{12,}", text):
        plain = run.replace("-", "+").replace("_", "/")
        for skip in range(4):
            piece = plain[skip : skip + (len(plain) - skip) // 4 * 4]
            yield "".join(base64.b64decode(piece).decode("latin-1").split())
    for run in re.findall(r"[0-9A-Fa-f]{12,}", text):
        for skip in range(2):
            piece = run[skip : skip + (len(run) - skip) // 2 * 2]
            yield "".join(bytes.fromhex(piece).decode("latin-1").split())
