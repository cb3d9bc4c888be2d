"""Where a known secret stands in a text, in whichever form it got there.

Nobody can list the ways in which a value is quoted on its way through URLs, JSON, shells and HTML; undoing them is
simple. So a text is looked at as it is, and again with its escapes undone, as often as there are any; always without
blanks, for a line may have been wrapped within the value. Base64 and hexadecimal forms are looked for as such, the
former as it is when something else stands before the value (``user:TOKEN``): there are three ways to be aligned.

Of a long and random value its beginning and its end are looked for: a text may have been cut in the midst of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from . import escapes

SHORTEST = 6
"""Shorter values would blacken ordinary words."""
_UNBROKEN = 10
"""Shorter ones are not looked for across blanks: words that follow each other would make them up."""
_PIECE = 12
"""Characters of its beginning or its end that give a long value away."""
_LONG = 20
_AS_URLS_HAVE_IT = str.maketrans("-_", "+/")
_SECRET_PART = re.compile(r"TOKEN|SECRET|PASSW|KEY|SIG|CODE|CREDENTIAL", re.IGNORECASE)

Spans = Iterator[tuple[int, int]]


class _Sign(NamedTuple):
    """What gives a form of a secret away: a piece of it, and where in it that stands. As much of the form as is there
    is taken."""

    form: str
    piece: str
    within: int


class Known:
    """Secrets that are looked for. Making one takes a while; looking for them, microseconds."""

    def __init__(self, secrets: Iterable[str]) -> None:
        values = dict.fromkeys(part for secret in secrets for part in parts_of(secret) if len(part) >= SHORTEST)
        tight = {value: escapes.tight(value) for value in values}
        long = [value for value in values if len(tight[value]) >= _UNBROKEN]
        spaced = ["+".join(map(escapes.tight, value.split(" "))) for value in long if " " in value]  # as forms send it
        self._short = _signs(value for value in values if len(tight[value]) < _UNBROKEN)
        self._plain = _signs([*(tight[value] for value in long), *spaced])
        self._base64 = _signs(text for value in values for text in _aligned(value))
        self._hex = _signs(value.encode("utf-8", "surrogatepass").hex() for value in values)
        each = (self._short, self._plain, self._base64, self._hex)
        self._pieces = [tuple(dict.fromkeys(sign.piece for sign in signs)) for signs in each]

    def found(self, text: str) -> list[tuple[int, int]]:
        """Where any of them stands in a text: from, to; in no order, and they may overlap."""
        if not (self._short or self._plain) or not any(self._is_here(each) for each in escapes.undone(text)):
            return []
        return [span for view, tight in escapes.views(text) for span in self._spans(view, tight)]

    def _is_here(self, text: str) -> bool:
        tight = escapes.tight(text)
        short, plain, base64, hex_ = self._pieces
        if _any(short, text) or _any(plain, tight) or _any(hex_, tight.lower()):
            return True
        return _any(base64, tight.translate(_AS_URLS_HAVE_IT) if "-" in tight or "_" in tight else tight)

    def _spans(self, view: escapes.View, tight: escapes.View) -> Spans:
        looked = (
            (self._short, view, view.text, 0),
            (self._plain, tight, tight.text, 0),
            (self._base64, tight, tight.text.translate(_AS_URLS_HAVE_IT), 2),
            (self._hex, tight, tight.text.lower(), 0),
        )
        for signs, of, text, more in looked:
            for sign in signs:
                if sign.piece in text:
                    for begin, end in _of_one(sign, text):
                        first, last = _widened(text, begin, end, more) if more else (begin, end)
                        yield of.begins[first], of.ends[last - 1]


def parts_of(secret: str) -> Iterator[str]:
    """A secret, and what of it is one by itself: of a key in a file each line, of a URL its password, a token in place
    of a user, the end of a webhook's path, and what its query calls a key."""
    yield secret
    yield from (line for line in secret.splitlines() if _LONG <= len(line) < len(secret) and _is_random(line))
    scheme, is_url, rest = secret.partition("://")
    if not is_url or not scheme.isascii() or not scheme.replace("+", "").isalnum():
        return
    from urllib.parse import parse_qsl, unquote

    place, _, query = rest.partition("?")
    server, _, path = place.partition("/")
    who, at, _ = server.rpartition("@")
    user, _, password = who.partition(":")
    tail = path.rpartition("/")[2]
    yield from {password, unquote(password)}
    if at and (not password or len(user) >= _LONG):
        yield user
    if len(tail) >= _PIECE and _is_random(tail):
        yield path
        yield tail
    yield from (value for name, value in parse_qsl(query) if _SECRET_PART.search(name))


def _signs(forms: Iterable[str]) -> list[_Sign]:
    return [sign for form in dict.fromkeys(forms) for sign in _signs_of(form)]


def _signs_of(form: str) -> Sequence[_Sign]:
    whole = [_Sign(form, form, 0)]
    if len(form) < _LONG or "://" in form:
        return whole
    last = len(form) - _PIECE
    ends = [_Sign(form, form[at : at + _PIECE], at) for at in (0, last)]
    found = [sign for sign in ends if _is_random(sign.piece)]
    return found if len(found) == len(ends) else [*found, *whole]


def _is_random(piece: str) -> bool:
    """Whether no word, path or name looks so: it goes from letters to digits, or from small to large, again and
    again."""
    kinds = [one.isdigit() + 2 * one.isupper() for one in piece if one.isalnum()]
    return sum(one != other for one, other in pairwise(kinds)) >= 3


def _aligned(value: str) -> Iterator[str]:
    """What Base64 makes of a value alone, whatever stands before it and after it; and of the same in a URL."""
    from base64 import b64encode
    from urllib.parse import quote

    for text in {value, quote(value, safe="")}:
        plain = text.encode("utf-8", "surrogatepass")
        for before, skip in ((0, 0), (1, 2), (2, 3)):
            made = b64encode(bytes(before) + plain).decode()[skip : (before + len(plain)) * 8 // 6]
            if len(made) >= _UNBROKEN - 2:
                yield made


def _any(signs: Sequence[str], text: str) -> bool:
    for sign in signs:  # noqa: SIM110  a generator would take twice as long
        if sign in text:
            return True
    return False


def _of_one(sign: _Sign, text: str) -> Spans:
    """As much of its form as stands in the text, around each place where the piece is."""
    form, piece, within = sign
    at = text.find(piece)
    while at >= 0:
        begin, end = at, at + len(piece)
        while begin > 0 and (back := within - (at - begin) - 1) >= 0 and text[begin - 1] == form[back]:
            begin -= 1
        while end < len(text) and (on := within + end - at) < len(form) and text[end] == form[on]:
            end += 1
        yield begin, end
        at = text.find(piece, at + len(piece))


def _widened(text: str, begin: int, end: int, by: int) -> tuple[int, int]:
    """With the characters at either end that are made of the value and of its neighbor, and with the padding."""
    for _ in range(by):
        begin -= begin > 0 and (text[begin - 1].isalnum() or text[begin - 1] in "+/")
        end += end < len(text) and (text[end].isalnum() or text[end] in "+/=")
    while end < len(text) and text[end] == "=":
        end += 1
    return begin, end
