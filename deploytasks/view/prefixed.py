"""Lines of several hosts, each behind the name of the host that said it."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Sequence

from . import printing
from .wording import clean

_STYLES = (36, 33, 32, 35, 34, 31, 96, 93, 92, 95, 94, 91)
"""Of a terminal (SGR), one host after the other."""
_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)")
"""What a terminal would obey: colors, titles and the like are not handed on."""


def prefixed(names: Sequence[str]) -> Callable[[str, str], None]:
    """Writes lines to stdout, from any thread. One host alone needs no name before its lines."""
    lock = threading.Lock()
    width = max(map(len, names), default=0)
    has_color = printing.has_color(sys.stdout)

    def tell(host: str, line: str) -> None:
        text = clean(_SEQUENCE.sub("", line))
        if len(names) > 1:
            name = f"{host:<{width}}"
            style = _STYLES[list(names).index(host) % len(_STYLES)] if host in names else 0
            text = f"\x1b[{style}m{name}\x1b[0m | {text}" if has_color else f"{name} | {text}"
        with lock:
            printing.answer(text)

    return tell
