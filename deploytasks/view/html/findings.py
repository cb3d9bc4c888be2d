"""What else a report says: verdicts, warnings, alerts, people, hosts, the database. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from ...ledger.facts import Facts, lists, part, text, texts
from ..outlooks import evidence, silences, verdicts
from ..sentences import percent_of
from .series import Happened

Row = dict[str, Any]


def judged(events: Sequence[Happened]) -> list[Row]:
    """Every verdict once: of each stage that passed, and of what held or ended it."""
    found: dict[tuple[str, str, str], Row] = {}
    for event in _readings(events):
        outlook = part(event["facts"], "outlook")
        for each in verdicts(outlook, "verdicts"):
            kind, why = text(each, "kind"), text(each, "why")
            is_same = why if kind == "PASS" else text(outlook, "phase")
            found.setdefault((kind, text(each, "metric"), is_same), _verdict(event, each))
            if kind != "PASS":
                found[kind, text(each, "metric"), is_same]["why"] = why
    return list(found.values())


def warned(events: Sequence[Happened]) -> list[Row]:
    """Every warning once, when it was first there."""
    found: dict[str, Row] = {}
    for event in _readings(events):
        for each in verdicts(part(event["facts"], "outlook"), "warnings"):
            found.setdefault(text(each, "metric"), _verdict(event, each))
    return list(found.values())


def _verdict(event: Happened, of: Facts) -> Row:
    tone = {"PASS": "good", "FAIL": "bad"}.get(text(of, "kind"), "warn")
    return {
        "at": event.get("at"),
        "kind": text(of, "kind"),
        "tone": tone,
        **{n: text(of, n) for n in ("metric", "why")},
    }


def nearest(events: Sequence[Happened]) -> str:
    """``38 % (errors)``: the evidence toward rolling back, at most."""
    found = [each for event in _readings(events) if (each := evidence(part(event["facts"], "outlook")))]
    most = max(found, key=lambda each: each[1], default=None)
    return f"{percent_of(most[1])} ({most[0]})" if most else ""


def alerts(events: Sequence[Happened]) -> list[Row]:
    """Those that fired while it was watched: since when, and in the last reading that had them."""
    found: dict[tuple[str, str], Row] = {}
    for event in _readings(events):
        for each in lists(part(event["facts"], "reading"), "alerts"):
            if len(each) >= 4:
                name, severity, since, summary = map(str, each[:4])
                row = found.setdefault((name, severity), {"name": name, "severity": severity, "since": since})
                row |= {"summary": summary, "until": event.get("at")}
    return list(found.values())


def silent(events: Sequence[Happened]) -> list[Row]:
    """Who had no numbers, for how many readings, and why."""
    found: dict[tuple[str, str], Row] = {}
    for event in _readings(events):
        facts = event["facts"]
        for name, why in silences(part(facts, "reading"), part(facts, "outlook")).items():
            row = found.setdefault((name, why), {"name": name, "why": why, "since": event.get("at"), "count": 0})
            row |= {"count": row["count"] + 1, "until": event.get("at")}
    return list(found.values())


def _readings(events: Sequence[Happened]) -> Iterator[Happened]:
    return (event for event in events if event.get("kind") == "reading")


# -- people --------------------------------------------------------------------

_ACTS = {"sign": "signed", "override": "set aside", "plan": "planned", "approve": "approved"}


def signed(answer: Mapping[str, Any]) -> list[Row]:
    """What people signed, approved and set aside, with the key; the plan's approvals are in the beginning."""
    rows = []
    for each in answer.get("signed") or ():
        row = {**each, "by": each.get("signer") or each.get("who"), "act": _ACTS.get(each.get("act"), each.get("act"))}
        rows.append({**row, "tone": "warn" if each.get("act") == "override" else "good"})
    return rows


def overridden(events: Sequence[Happened]) -> list[Row]:
    """What its gate found set aside."""
    pairs = [pair for event in events if event.get("kind") == "overridden" for pair in lists(event["facts"], "items")]
    return [{"item": str(pair[0]), "why": " ".join(map(str, pair[1:]))} for pair in pairs if pair]


def planned(events: Sequence[Happened]) -> Facts:
    """The plan that was approved before: digest, author, by whom."""
    began = next((part(event, "facts") for event in events if event.get("kind") == "began"), {})
    return part(began, "planned")


def of_kind(answer: Mapping[str, Any], *kinds: str) -> list[Row]:
    """Events of these kinds, the deployment's own and those beside it: the facts, with when and by whom."""
    events = [*(answer.get("events") or ()), *(answer.get("beside") or ())]
    return [
        {**part(event, "facts"), "kind": event["kind"], "at": event.get("at"), "who": event.get("who")}
        for event in events
        if event.get("kind") in kinds
    ]


def migrations(answer: Mapping[str, Any]) -> list[Row]:
    """What each migration command applied, as far as it was recorded."""
    before: list[str] = []
    rows = []
    for row in of_kind(answer, "migrating", "migrated", "reversed"):
        if row["kind"] == "migrating":
            before = list(texts(row, "before"))
            continue
        applied = [name for name in texts(row, "after") if name not in before] if row.get("after") is not None else []
        rows.append({**row, "applied": applied or list(texts(row, "migrations")), "knows": "after" in row})
    return rows


def asked(answer: Mapping[str, Any]) -> list[Row]:
    """What people asked of it while it ran, each with what came of it (``came``), as far as that is recorded."""
    came: dict[Any, Facts] = {}
    for event in answer.get("events") or ():
        found = part(event["facts"], "answer") if event["kind"] == "reading" else event["facts"]
        if event["kind"] in ("reading", "answered") and found.get("asked"):
            came[found["asked"]] = found
    rows = [
        event for event in (*(answer.get("events") or ()), *(answer.get("beside") or ())) if event["kind"] == "asked"
    ]
    return [
        {**part(event, "facts"), "at": event.get("at"), "who": event.get("who"), "came": came.get(event.get("number"))}
        for event in rows
    ]


def changelog(events: Sequence[Happened]) -> list[Row]:
    """What the changelog said when it began, as headings, lists and text: the little that a changelog has."""
    began = next((part(event, "facts") for event in events if event.get("kind") == "began"), {})
    blocks: list[Row] = []
    for line in text(began, "notes").splitlines():
        said = line.strip()
        is_item = said.startswith(("- ", "* "))
        kind = "heading" if said.startswith("#") else "list" if is_item else "text"
        is_more = kind == "text" and line.startswith(" ") and blocks and blocks[-1]["kind"] == "list"
        if is_more and said:
            blocks[-1]["lines"][-1] += f" {said}"
        elif said and blocks and blocks[-1]["kind"] == kind != "heading":
            blocks[-1]["lines"].append(said[2:] if is_item else said)
        elif said:
            blocks.append({"kind": kind, "lines": [said.lstrip("# ") if kind == "heading" else said[2 * is_item :]]})
    for block, after in pairwise(blocks):
        if block["kind"] == "text" and after["kind"] == "list" and len(block["lines"]) == 1:
            block["kind"] = "heading"  # its marks are left out where it was recorded
    return blocks
