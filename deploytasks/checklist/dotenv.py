"""Files of variables, ``NAME=value`` in lines, as the shell and the dotenv libraries read them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..errors import UsageError

_NAME = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_LARGEST = 1 << 20
"""Bytes. A file of variables that is larger is none."""


def read(content: bytes, name: str) -> Mapping[str, str]:
    """The variables in such a file; a later line goes before an earlier one. Raises ``UsageError`` with the number of
    the first line that is none, and nothing of what stands there."""
    if len(content) > _LARGEST:
        raise UsageError(f"{name} has {len(content)} bytes: that is no file of variables")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError(f"{name}, line {line}: is not UTF-8", do="save it as UTF-8") from None
    return dict(_lines(text, name))


def _lines(text: str, name: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end].strip()
        if not line or line.startswith("#"):
            at = end + 1
            continue
        found = _NAME.match(text, at)
        if found is None or found.end() > end:
            raise _wrong(text, at, name, "is no NAME=value")
        value, at = _value(text, found.end(), name)
        yield found[1], value


def _value(text: str, at: int, name: str) -> tuple[str, int]:
    """The value that begins here, and where the next line begins. Quotes may span lines."""
    quote = text[at : at + 1]
    if quote not in ("'", '"'):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        return _before_comment(text[at:end]), end + 1
    pieces, here = [], at + 1
    while here < len(text) and text[here] != quote:
        if text[here] == "\\" and quote == '"' and here + 1 < len(text):
            here += 1
            pieces.append(_ESCAPES.get(text[here], text[here]))
        else:
            pieces.append(text[here])
        here += 1
    if here >= len(text):
        raise _wrong(text, at, name, f"a {quote} is never closed")
    end = text.find("\n", here)
    end = len(text) if end < 0 else end
    rest = text[here + 1 : end].strip()
    if rest and not rest.startswith("#"):
        raise _wrong(text, here, name, "something stands behind the closing quote")
    return "".join(pieces), end + 1


def _before_comment(text: str) -> str:
    """A value without quotes: up to a ``#`` that follows a blank."""
    return re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()


def _wrong(text: str, at: int, name: str, why: str) -> UsageError:
    return UsageError(f"{name}, line {text.count(chr(10), 0, at) + 1}: {why}", do="write NAME=value, one to a line")
