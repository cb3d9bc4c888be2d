"""Checklists as plain data: the one that was evaluated now, and the one that the ledger has of a deployment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from ..ledger.facts import lists, text
from ..ports import Event

if TYPE_CHECKING:
    from ..checklist import Result, Subject
    from ..ports import Release

Answer = dict[str, Any]


def answer(of: Subject, release: Release, results: Sequence[Result]) -> Answer:
    """The checklist with its answers and evidence. ``open``: how many items refuse, whatever is still to come."""
    from ..checklist import refused

    return {
        "environment": of.world.site.environment,
        "level": of.world.settings.level,
        "version": release.version,
        "commit": release.commit,
        "hotfix": of.hotfix,
        "open": len(refused(results, pending_counts=False)),
        "items": [_item(result.item, result.answer, result.evidence) for result in results],
    }


def recorded_checklist(events: Sequence[Event], own: Sequence[Event]) -> Answer | None:
    """The last checklist of what a deployment brought, from before it ended. ``own``: the deployment's events."""
    digest, end = _digest(own), own[-1].number if own else 0
    found = [each for each in events if each.kind == "checked" and text(each.facts, "digest") == digest]
    before = [each for each in found if each.number < end] if digest else []
    if not before:
        return None
    last = before[-1]
    return {
        "number": last.number,
        "at": last.at.isoformat(),
        "who": last.who,
        **{name: last.facts.get(name) for name in ("level", "version", "commit", "hotfix")},
        "items": [_item(*map(str, each)) for each in lists(last.facts, "results") if len(each) == 3],
    }


def signatures(events: Sequence[Event], own: Sequence[Event]) -> Sequence[Answer]:
    """What people signed or set aside for what a deployment brought, the oldest first, until it ended."""
    about, end = _about(own), own[-1].number if own else 0
    return [
        {"number": each.number, "at": each.at.isoformat(), "who": each.who}
        | {name: text(each.facts, name) for name in ("act", "item", "note", "signer", "key")}
        for each in events
        if each.kind == "signed" and each.number < end and text(each.facts, "about") in about
    ]


def _item(name: str, answer: str, evidence: str) -> Answer:
    """One line of a checklist, also of one that was recorded when there were other items."""
    from ..checklist import item_of
    from ..checklist.advice import ADVICE
    from ..checklist.controls import controls_of

    known = item_of(name)
    return {
        "item": name,
        "text": known.text if known else "",
        "answer": answer,
        "evidence": evidence,
        "level": known.level if known else "",
        "critical": bool(known and known.critical),
        "controls": controls_of(name),
        "do": ADVICE.get(name, ""),
    }


def _digest(own: Sequence[Event]) -> str:
    return text(own[0].facts, "digest") if own else ""


def _about(own: Sequence[Event]) -> Collection[str]:
    """Commit and content, as signatures name them."""
    names = {text(own[0].facts, "commit"), f"content {_digest(own)}"} if _digest(own) else set()
    return names - {""}
