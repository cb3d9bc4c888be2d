"""Where words go: answers to stdout, everything that merely tells to stderr; and neither ever stops a deployment."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

from .. import redaction

_NARROWEST, _WIDEST = 60, 120

_PLAIN = str.maketrans(
    {"✓": "+", "✗": "x", "→": ">", "…": "...", "–": "-", "·": "-", "↩": "<", "▸": ">", "█": "#", "░": "."}
)
"""For a terminal or a log that has no Unicode."""


class Screen(Protocol):
    """Whoever draws on the terminal now: words must go through it until it is closed."""

    @property
    def is_broken(self) -> bool: ...

    def say(self, text: str) -> None: ...

    def close(self) -> None: ...


_screens: list[Screen] = []
"""At most one."""


def take_screen(screen: Screen) -> None:
    """From now on, words go through this one."""
    close_screen()
    _screens.append(screen)


def close_screen() -> None:
    """Give the terminal back."""
    while _screens:
        _screens.pop().close()


def tell(text: str) -> None:
    """Words for people, while something goes on: stderr."""
    text = redaction.clean(text)
    if _screens and not _screens[-1].is_broken:
        _screens[-1].say(text)
    else:
        _write(sys.stderr, text)


def answer(text: str) -> None:
    """What was asked for, as text: stdout."""
    close_screen()
    _write(sys.stdout, redaction.clean(text))


def answer_json(found: Mapping[str, Any]) -> None:
    """What was asked for, as one JSON object on one line of stdout. ASCII, so that no encoding can break it."""
    close_screen()
    try:
        line = json_line(found)
        print(_obeyed_by_nobody(line), flush=True)
    except BrokenPipeError:
        _silence(sys.stdout)


def json_line(found: Mapping[str, Any]) -> str:
    """Plain data as one line of JSON, without a secret."""
    return json.dumps(_finite(redaction.clean(found)), default=_as_text, allow_nan=False)


def _obeyed_by_nobody(line: str) -> str:
    """The same JSON, for the log of a CI."""
    if not is_in_ci():
        return line
    from ..ci import here
    from ..ci.harmless import harmless_json

    run = here()
    return harmless_json(line, run.kind if run else None)


def _as_text(value: object) -> str:
    """What is no plain data: a path, an instant."""
    return str(redaction.clean(str(value)))


def _finite(value: Any) -> Any:
    """JSON has no infinity, and no number that is none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def command(line: str) -> None:
    """A line that the log of a CI is meant to obey, whole: stderr. Whatever it says must be clean already."""
    _put(sys.stderr, line)


def _write(stream: TextIO | None, text: str) -> None:
    """Write a line that no CI's log obeys."""
    if is_in_ci():
        from ..ci import here
        from ..ci.harmless import harmless

        run = here()
        text = harmless(text, run.kind if run else None)
    _put(stream, text)


def is_in_ci() -> bool:
    """Whether a log may be read for commands; what is needed for that is imported only then."""
    return bool(os.environ.get("GITHUB_ACTIONS") or os.environ.get("GITLAB_CI"))


def _put(stream: TextIO | None, text: str) -> None:
    """Write a line, as well as this stream can. Nobody may be listening, and that is no reason to fail."""
    if stream is None:
        return
    try:
        try:
            stream.write(text + "\n")
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.translate(_PLAIN).encode(encoding, "replace").decode(encoding) + "\n")
        stream.flush()
    except BrokenPipeError:
        _silence(stream)
    except (OSError, ValueError):
        return  # a full disk, a closed stream


def _silence(stream: TextIO) -> None:
    """Nobody reads this any more: what Python still flushes at its end must not fail either."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        return


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at it."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def has_color(stream: TextIO | None) -> bool:
    """Colors only on a terminal that knows them, and not against ``NO_COLOR`` (https://no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def columns() -> int:
    """How wide lines of prose may be: as the terminal is, or ``COLUMNS`` says, within what is read easily."""
    import shutil

    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size().columns))


def can_draw() -> bool:
    """Whether a live view makes sense: a person's own, capable terminal, and not a CI job's imitation of one."""
    ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    if ci or os.environ.get("TERM", "dumb") in ("", "dumb"):
        return False
    if not (is_terminal(sys.stdout) and is_terminal(sys.stderr)):
        return False
    return (sys.stderr.encoding or "").lower().replace("-", "") in ("utf8", "utf8sig")
