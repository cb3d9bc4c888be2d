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


class _Form(NamedTuple):
    """A form of a secret. What gives it away is searched for; then as much of it as is there is taken."""

    text: str
    signs: tuple[tuple[str, int], ...]
    """Pieces of it, and where in it each stands."""


class Known:
    """Secrets that are looked for. Making one takes a while; looking for them, microseconds."""

    def __init__(self, secrets: Iterable[str]) -> None:
        values = dict.fromkeys(part for secret in secrets for part in parts_of(secret) if len(part) >= SHORTEST)
        tight = {value: escapes.tight(value) for value in values}
        self._short = [_form(value) for value in values if len(tight[value]) < _UNBROKEN]
        long = [value for value in values if len(tight[value]) >= _UNBROKEN]
        spaced = ["+".join(value.split(" ")) for value in long if " " in value]  # as a form in a browser sends it
        self._plain = _of(_form(text) for text in [*(tight[value] for value in long), *spaced])
        self._base64 = _of(_form(text) for value in values for text in _aligned(value))
        self._hex = _of(_form(value.encode("utf-8", "surrogatepass").hex()) for value in values)
        self._signs = [_signs(forms) for forms in (self._short, self._plain, self._base64, self._hex)]

    def found(self, text: str) -> list[tuple[int, int]]:
        """Where any of them stands in a text: from, to; in no order, and they may overlap."""
        if not (self._short or self._plain) or not any(self._is_here(each) for each in escapes.undone(text)):
            return []
        return [span for view in escapes.views(text) for span in self._spans(view)]

    def _is_here(self, text: str) -> bool:
        tight = escapes.tight(text)
        short, plain, base64, hex_ = self._signs
        if _any(short, text) or _any(plain, tight) or _any(hex_, tight.lower()):
            return True
        return _any(base64, tight.translate(_AS_URLS_HAVE_IT) if "-" in tight or "_" in tight else tight)

    def _spans(self, view: escapes.View) -> Spans:
        tight = escapes.without_blanks(view)
        looked = (
            (self._short, view, view.text, 0),
            (self._plain, tight, tight.text, 0),
            (self._base64, tight, tight.text.translate(_AS_URLS_HAVE_IT), 2),
            (self._hex, tight, tight.text.lower(), 0),
        )
        for forms, of, text, more in looked:
            for form in forms:
                for begin, end in _of_one(form, text):
                    first, last = _widened(text, begin, end, more) if more else (begin, end)
                    yield of.begins[first], of.ends[last - 1]


def parts_of(secret: str) -> Iterator[str]:
    """A secret, and what of it is one by itself: of a URL its password, a token in place of a user, the end of a
    webhook's path, and what its query calls a key."""
    yield secret
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


def _form(text: str) -> _Form:
    if len(text) < _LONG or "://" in text:
        return _Form(text, ((text, 0),))
    ends = [(text[:_PIECE], 0), (text[-_PIECE:], len(text) - _PIECE)]
    pieces = tuple((piece, at) for piece, at in ends if _is_random(piece))
    return _Form(text, pieces if len(pieces) == 2 else (*pieces, (text, 0)))


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


def _of(forms: Iterable[_Form]) -> list[_Form]:
    return list(dict.fromkeys(forms))


def _signs(forms: Sequence[_Form]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sign for form in forms for sign, _ in form.signs))


def _any(signs: Sequence[str], text: str) -> bool:
    for sign in signs:  # noqa: SIM110  a generator would take twice as long
        if sign in text:
            return True
    return False


def _of_one(form: _Form, text: str) -> Spans:
    for sign, within in form.signs:
        at = text.find(sign)
        while at >= 0:
            begin, end = at, at + len(sign)
            while begin > 0 and (back := within - (at - begin) - 1) >= 0 and text[begin - 1] == form.text[back]:
                begin -= 1
            while end < len(text) and (on := within + end - at) < len(form.text) and text[end] == form.text[on]:
                end += 1
            yield begin, end
            at = text.find(sign, at + len(sign))


def _widened(text: str, begin: int, end: int, by: int) -> tuple[int, int]:
    """With the characters at either end that are made of the value and of its neighbor, and with the padding."""
    for _ in range(by):
        begin -= begin > 0 and (text[begin - 1].isalnum() or text[begin - 1] in "+/")
        end += end < len(text) and (text[end].isalnum() or text[end] in "+/=")
    while end < len(text) and text[end] == "=":
        end += 1
    return begin, end
