"""What ``doctor`` says of a service whose clock is not ours. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ..ports import Finding

SKEW = 5.0
"""Seconds that clocks may differ without a word: headers tell whole ones, and an answer takes a while."""


def clock_findings(subject: str, ahead: float, effect: str) -> Iterator[Finding]:
    """A warning where its clock is ``ahead`` seconds ahead of ours, or behind; ``effect``: what follows from that."""
    if abs(ahead) > SKEW:
        way = "ahead of" if ahead > 0 else "behind"
        detail = f"its clock is {abs(ahead):.0f} s {way} ours: {effect}"
        yield Finding(subject, "warn", detail, "let this machine keep its time by NTP")
