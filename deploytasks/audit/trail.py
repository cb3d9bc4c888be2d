"""All rows of an export, from the events of a ledger: one pass, then in the order in which things were done. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from ..checklist.controls import CONTROLS
from ..ledger.deployment import Back, Deployment, Word
from ..ledger.deployments import Fold
from ..ledger.event import instant_text
from ..ports import Event
from .columns import COLUMNS, EVENTS, NONE, SHOWN, together
from .deeds import Row, deed


class Trail(NamedTuple):
    """The rows, and which events they were made from."""

    rows: list[Row]
    count: int  # type: ignore[assignment]  # a tuple's method has this name as well, and nobody counts in this one
    head: str


def trail(events: Iterable[Event], application: str, environment: str) -> Trail:
    """Every deed and deployment in these events."""
    fold, deeds, number, head = Fold(), list[Row](), 0, ""
    for event in events:
        fold.take(event)
        if (found := deed(event)) is not None:
            deeds.append(found)
        number, head = number + 1, event.digest
    deployments = fold.deployments()
    _complete(deeds, deployments)
    rows = [*deeds, *(_deployment(one) for one in deployments)]
    blank = dict.fromkeys(column.name for column in COLUMNS if column.name not in SHOWN)
    rows = [{**blank, "application": application, "environment": environment, **row} for row in rows]
    rows.sort(key=lambda row: (row["timestamp"], row["first_event"]))
    return Trail([{**row, "controls": controls(row)} for row in rows], number, head)


def within(row: Row, since: datetime | None, until: datetime | None) -> bool:
    """Whether any of it lies in the period. What never ended lasts on; what nobody saw begin began when it ended."""
    ended = row["ended"] or ("9999" if row["event"] == "deployment" else row["timestamp"])
    return (since is None or ended >= instant_text(since)) and (until is None or row["timestamp"] < instant_text(until))


def controls(row: Row) -> dict[str, list[str]]:
    """What a row is evidence for: by what it is, by each column that says something, and by each item of its
    checklist that was looked at."""
    found = [EVENTS[row["event"]][1]]
    found += [column.controls for column in COLUMNS if row.get(column.name) not in (None, "", [], {})]
    found += [CONTROLS.get(item, NONE) for item in (row.get("checklist") or {}).get("answered", ())]
    return together(found)


def _complete(deeds: Iterable[Row], deployments: Iterable[Deployment]) -> None:
    """Say of each way back which deployment was left, and for what."""
    left = {back.number: one for one in deployments for back in one.backs}
    named = {one.deployment: one for one in deployments}
    for row in deeds:
        of = left.get(row["first_event"]) or named.get(row["deployment"])
        if of is not None and row["event"] in ("rollback", "switch fired", "switch failed"):
            row.update(deployment=of.deployment, version_before=of.version, version=of.previous)
            row.update(commit=of.previous_commit)


def _deployment(of: Deployment) -> Row:
    return {
        "timestamp": _text(of.began or of.seen) or "",
        "event": "deployment",
        "version": of.version,
        "version_before": of.previous,
        "commit": of.commit,
        "digest": of.digest,
        "engineer": of.who,
        "host": of.host,
        "run": of.run,
        "deployment": of.deployment,
        "task": of.task,
        "hotfix": of.hotfix,
        "outcome": of.outcome or "not ended",
        "exit_code": of.code,
        "reason": of.why,
        "ended": _text(of.ended),
        "duration_seconds": of.seconds,
        "resumed": [{"at": instant_text(at), "who": who} for at, who in of.resumed],
        "not_taken_back": list(of.left),
        "approvals": _approvals(of),
        "signatures": [_word(one) for one in of.said("sign")],
        "checklist": _checklist(of),
        "tests": _tests(of),
        "overrides": _overrides(of),
        "orders": [{**one._asdict(), "at": instant_text(one.at)} for one in of.orders],
        "rollbacks": [_back(one) for one in of.backs],
        "exposed_at": _text(of.exposed),
        "most_percent": of.most if of.exposed else None,
        "settled_at": _text(of.settled),
        "backups": list(of.backups),
        "migrations": list(of.migrations),
        "hosts_left_out": [{"host": host, "why": why} for host, why in of.hosts_aside],
        "lessons": list(of.lessons),
        "first_event": of.number,
        "last_event": of.last,
        "event_digest": of.last_digest,
    }


def _approvals(of: Deployment) -> list[dict[str, Any]]:
    """The chain: what was reviewed, who planned, who approved; and whose approval counted."""
    reviewed = of.checklist.result("code.reviewed") if of.checklist else None
    chain: list[dict[str, Any]] = []
    if of.checklist and reviewed:
        at = instant_text(of.checklist.at)
        chain.append({"kind": "review", "answer": reviewed.answer, "evidence": reviewed.evidence, "at": at})
    for word in of.said("plan", "approve"):
        kind = "plan" if word.act == "plan" else "plan approved"
        chain.append({"kind": kind, **_word(word), "counted": word.act == "plan" or word.who in of.approvers})
    known = {word.who for word in of.said("approve")}
    chain += [{"kind": "plan approved", "who": who, "counted": True} for who in of.approvers if who not in known]
    return chain


def _word(one: Word) -> dict[str, Any]:
    return {
        "event": one.number,
        "at": instant_text(one.at),
        "who": one.who,
        "item": one.item,
        "note": one.note,
        "key": one.key,
    }


def _checklist(of: Deployment) -> dict[str, Any] | None:
    found = of.checklist
    if found is None:
        return None
    return {
        "event": found.number,
        "at": instant_text(found.at),
        "who": found.who,
        "level": found.level,
        "counts": found.counts(),
        "answered": [one.item for one in found.results if one.answer not in ("not applicable", "pending")],
    }


def _tests(of: Deployment) -> dict[str, Any] | None:
    """What was recorded when they ran; else what the checklist found about them."""
    if of.tests is not None:
        return {**of.tests._asdict(), "at": instant_text(of.tests.at)}
    found = of.checklist.result("code.tests") if of.checklist else None
    if of.checklist is None or found is None:
        return None
    ok = {"pass": True, "fail": False}.get(found.answer)
    return {"number": of.checklist.number, "ok": ok, "answer": found.answer, "detail": found.evidence}


def _overrides(of: Deployment) -> list[dict[str, Any]]:
    keys = {word.item: word.key for word in of.said("override")}
    return [
        {
            "event": one.number,
            "at": instant_text(one.at),
            "item": one.item,
            "why": one.why,
            "who": one.who,
            "key": keys.get(one.item, ""),
            "cut_short": one.promoted,
            "controls": together([CONTROLS.get(one.item, NONE)]),
        }
        for one in of.overrides
    ]


def _back(one: Back) -> dict[str, Any]:
    return {
        "event": one.number,
        "at": instant_text(one.at),
        "by": one.by,
        "who": one.who,
        "why": one.why,
        "automatic": one.is_automatic,
        "after_it_settled": one.was_settled,
    }


def _text(at: datetime | None) -> str | None:
    return instant_text(at) if at else None
