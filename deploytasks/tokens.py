"""What is a secret whoever knows it: the tokens of the services we talk to, and keys in well-known company.

A net behind ``disguises``, which looks for what is known to be secret here: a service may quote a token that nobody
told us of. Digests, commits, versions and ids have none of these shapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

SHOWN = "***"


class _Shape(NamedTuple):
    """``marks``: in lower case; without one of them in a text the pattern is not tried. Its group ``a`` stays."""

    marks: tuple[str, ...]
    pattern: str


_VALUE = r"(?![$*{<])(?![A-Z][A-Z0-9]*_[A-Z0-9_]+\b)(?=[\w.~+/=%-]*\d)[\w.~+/=%-]{16,}"
"""A value that is no variable's name, no variable to be filled in, and no word."""
_IS = r"[\"'\\]{0,4}\s{0,3}[:=]\s{0,3}[\"'\\]{0,4}"
_KEYS = r"(?:routing|integration|license|ingest|account|service|api)[_ -]?key|(?:access|refresh|auth|api)[_-]token"

_SHAPES = (
    _Shape(
        ("hooks.slack",),
        r"(?P<a>hooks\.slack(?:-gov)?\.com(?:/|%2[Ff])(?:services|workflows|triggers))(?:/|%2F)[\w/+%-]+",
    ),
    _Shape(("xox", "xapp-"), r"(?<![0-9A-Za-z])(?:xox[a-z][-.]|xapp-\d-)[\w.%-]{10,}"),
    _Shape(("sntry",), r"(?<![0-9A-Za-z])sntry[a-z]_[\w+/=.%-]{10,}"),
    _Shape(("://", "%2f%2f"), r"(?P<a>://|%2[Ff]%2[Ff])[0-9a-f]{32}(?:(?::|%3[Aa])[0-9a-f]{32})?(?=@|%40)"),
    _Shape(("nrak-", "nrjs-", "nrii-", "nriq-", "nraa-"), r"(?<![0-9A-Za-z])NR(?:AK|JS|II|IQ|AA)-[\w-]{10,}"),
    _Shape(("nral",), r"(?<![0-9A-Za-z])[0-9A-Za-z]{36}NRAL(?![0-9A-Za-z])"),
    _Shape(("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"(?<![0-9A-Za-z])gh[opusr]_[0-9A-Za-z]{10,}"),
    _Shape(("github_pat_",), r"(?<![0-9A-Za-z])github_pat_\w{10,}"),
    _Shape(("glpat-",), r"(?<![0-9A-Za-z])glpat-[\w-]{10,}"),
    _Shape(
        ("akia", "asia"),
        r"(?<![0-9A-Za-z])A[KS]IA[0-9A-Z]{16}(?![0-9A-Za-z])(?:[\s\"':;,/|]{1,6}[0-9A-Za-z/+]{40}(?![0-9A-Za-z/+]))?",
    ),
    _Shape(("secret",), rf"(?P<a>(?i:secret[_ ]?(?:access[_ ]?)?key){_IS})[0-9A-Za-z/+]{{40}}(?![0-9A-Za-z/+])"),
    _Shape(("pdus+_",), r"pdus\+_[\w-]{10,}"),
    _Shape(("token token=",), r"(?P<a>(?i:token token=)[\"'\\]{0,2})[\w+%-]{10,}"),
    _Shape(
        ("authorization",),
        rf"(?P<a>(?i:authorization){_IS}(?i:bearer|basic|token)(?:\s|%20|\+){{1,3}})(?![$*{{<])[\w.~+/=%-]{{6,}}",
    ),
    _Shape(
        ("bearer ", "basic "),
        r"(?P<a>\b(?i:bearer|basic)\s+)(?=[\w.~+/-]*(?:\d|[a-z][A-Z]|=))(?![A-Z][A-Z0-9]*_)[\w.~+/=-]{16,}",
    ),
    _Shape(("key", "token"), rf"(?P<a>(?i:{_KEYS}){_IS}){_VALUE}"),
    _Shape(("password=", "passwd="), r"(?P<a>(?i:password|passwd)=[\"']?)(?![$*{<\"'])[^\s&\"',;]{6,}"),
    _Shape(
        ("?", "&"),
        r"(?P<a>[?&](?i:token|key|sig|signature|secret|x-amz-(?:signature|credential|security-token))=)[^\s&\"'*]{7,}[^\s&\"'*.,;:!?)\]}>]",
    ),
    _Shape(("eyj",), r"(?<![0-9A-Za-z])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),
    _Shape(
        ("-----begin",),
        r"-----BEGIN[A-Z0-9 +%]{1,60}?PRIVATE[ +%20]{1,3}KEY[A-Z +%20]{0,9}-----"
        r"(?s:.*?)(?:-----END[A-Z0-9 +%]{1,60}-----|\Z)",
    ),
)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def found(text: str) -> Iterator[tuple[int, int]]:
    """Where something of a secret's shape stands: from, to."""
    lowered = text.lower()
    for shape in _SHAPES:
        if any(mark in lowered for mark in shape.marks):
            for one in _compiled(shape.pattern).finditer(text):
                yield one.end("a") if "a" in one.groupdict() else one.start(), one.end()
