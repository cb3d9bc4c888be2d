"""What happened last: deployments, and the ways back beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..wording import duration, instant, moment, one_line
from .reading import fields, items, word


class Lately(NamedTuple):
    """One of them, in words."""

    at: str
    what: str
    """``deploy``, ``rollback``, …"""
    version: str
    outcome: str
    took: str
    why: str


def last(answer: Mapping[str, Any]) -> Sequence[Lately]:
    """What a status knows of, the newest first."""
    ledger = fields(answer, "ledger")
    told = [(each.get("ended"), _ended(each)) for each in items(ledger, "recent")]
    told += [(each.get("at"), _went_back(each)) for each in items(ledger, "rollbacks")]
    found = [(at, each) for when, each in told if (at := moment(when))]
    return [each for _, each in sorted(found, key=lambda one: one[0], reverse=True)]


def asked(answer: Mapping[str, Any]) -> list[str]:
    """What people ask of the deployment that runs, the newest last: what, by whom, why, and what came of it."""
    return [
        f"{word(each, 'verb')} by {word(each, 'who')} ({word(each, 'reason')}): {word(each, 'said', 'not heard yet')}"
        for each in items(fields(answer, "ledger"), "asked")
    ]


def _ended(each: Mapping[str, Any]) -> Lately:
    began, ended = moment(each.get("began")), moment(each.get("ended"))
    return Lately(
        instant(ended),
        word(each, "task"),
        word(each, "version"),
        f"{word(each, 'outcome')} ({word(each, 'code')})",
        duration((ended - began).total_seconds() if began and ended else None),
        one_line(each.get("why") or f"by {word(each, 'who')}"),
    )


def _went_back(each: Mapping[str, Any]) -> Lately:
    by_switch = each.get("by_switch") is True
    left, version = word(each, "left", ""), word(each, "version", "")
    return Lately(
        instant(each.get("at")),
        "rollback",
        f"{left} → {version}" if left and version else version or left or word(each, "color"),
        "by the switch" if by_switch else "done",
        "",
        one_line(word(each, "reason", "") + ("" if by_switch else f" (by {word(each, 'who')})")),
    )
