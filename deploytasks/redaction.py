"""Keeps secret values out of everything that is recorded or shown."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from . import tokens
from .disguises import SHORTEST, Known

_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|WEBHOOK|CREDENTIAL|PRIVATE|DSN\b|_PAT\b"
    r"|(?:API|ACCESS|ROUTING|LICENSE|INTEGRATION|SIGNING|ENCRYPTION)_?KEY",
    re.IGNORECASE,
)
_IN_A_URL = re.compile(r"(?<=://)([^\s/@:'\"]*):(?![$*])[^\s/@'\"]+(?=@)")
"""``user:password`` of a URL, whoever wrote that: a command that somebody typed may hold one that nobody knows. What
the shell fills in is none."""
_told: set[str] = set()
"""Secrets that no variable's name gives away."""


class _Remembered:
    """What was secret when it was last asked for, and what it was found in."""

    variables: Mapping[Any, Any] | None = None
    told: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = ()


def hide(*values: str) -> None:
    """Count these as secret from now on: what was read from a password file, or out of a URL."""
    _told.update(value for value in values if len(value) >= SHORTEST)


def secrets() -> tuple[str, ...]:
    """Values of environment variables whose names say that they are secret, and those hidden; longest first."""
    variables = getattr(
        os.environ, "_data", None
    )  # to compare what it has inside takes a microsecond, to read it fifty
    of = _Remembered
    if variables is None or of.variables != variables or of.told != _told:
        told = frozenset(_told)
        found = tuple(sorted({*_named(), *told}, key=lambda value: (-len(value), value)))
        of.variables, of.told, of.secrets = (None if variables is None else dict(variables)), told, found
        return found
    return of.secrets


def _named() -> Iterable[str]:
    for name, value in os.environ.items():
        if len(value) >= SHORTEST and _SECRET_NAME.search(name):
            yield value
        elif "://" in value and (found := _IN_A_URL.search(value)):
            yield found[0].partition(":")[2]


@lru_cache(maxsize=4)
def _known(hidden: tuple[str, ...]) -> Known:
    return Known(hidden)


def clean(value: Any, hidden: tuple[str, ...] | None = None) -> Any:
    """The same plain data with every secret replaced by ``***``: in clear, and in the forms it may have taken on its
    way (``disguises``). Then whatever looks like one (``tokens``)."""
    return _clean(value, _known(secrets() if hidden is None else hidden))


def excerpt(text: object, most: int) -> str:
    """The beginning of it on one line, without a secret, and without the beginning of one where it is cut."""
    whole = " ".join(str(clean(str(text))).split())
    return whole if len(whole) <= most else f"{whole[: most - 3]}..."


def _clean(value: Any, known: Known) -> Any:
    if isinstance(value, str):
        return _text(value, known)
    if isinstance(value, Mapping):
        return {_clean(key, known): _clean(item, known) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item, known) for item in value]
    return value


def _text(text: str, known: Known) -> str:
    if len(text) < SHORTEST:
        return text
    if spans := [*known.found(text), *tokens.found(text)]:
        text = _blackened(text, spans)
    return _IN_A_URL.sub(r"\1:***", text) if "://" in text else text


def _blackened(text: str, spans: Iterable[tuple[int, int]]) -> str:
    pieces, done, last = [], 0, -1
    for begin, end in sorted(spans):
        if begin > last:
            pieces += [text[done:begin], tokens.SHOWN]
        done = last = max(last, end)
    return "".join([*pieces, text[done:]])
