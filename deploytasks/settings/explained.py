"""The keys of one part of the configuration, for a terminal."""

from __future__ import annotations

import textwrap
from difflib import get_close_matches

from .keys import Key, keys, parts

WIDTH = 100


def names() -> dict[str, str]:
    """What a part is called on a command line (``gates``, ``environment``, ``traffic.envoy``) → its heading."""
    short = {"`deploy`": "deploy", "`deploy.environments.NAME`": "environment"}
    return {short.get(heading, heading.replace("`", "").replace(", kind ", ".")): heading for heading in parts()}


def index() -> str:
    """All parts, one in a line."""
    return "\n".join(names())


def explained(name: str) -> str:
    """Every key of a part: type, default and sentence. ``LookupError``, with what may be meant, for no such part."""
    heading = names().get(name)
    if heading is None:
        near = get_close_matches(name, names(), 3, 0.4) or list(names())
        raise LookupError(f"there is no part {name!r}; there is {', '.join(near)}")
    return "\n\n".join(_told(key) for of in parts()[heading] for key in keys(of))


def _told(key: Key) -> str:
    default = key.default.strip("`")
    head = f"{key.path}  ({key.type.replace('`', '')}; {default if key.default[0] != '`' else f'default {default}'})"
    words = key.sentence.replace("`", "")
    return f"{head}\n{textwrap.fill(words, WIDTH, initial_indent='    ', subsequent_indent='    ')}"
