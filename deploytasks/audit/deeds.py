"""What is done beside deployments, as rows: the ledger's own words for it, put as an auditor asks. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..ledger.event import instant_text
from ..ledger.facts import Facts, part, text, texts, truth, whole
from ..ledger.projections import done_by, happened_at
from ..ports import Event, Json

Row = dict[str, Any]


def deed(event: Event) -> Row | None:
    """The row of an event that is no part of a deployment; ``None`` for one that is no deed."""
    told = _DEEDS.get(event.kind)
    found = told(event.facts) if told else None
    if found is None:
        return None
    return {
        "timestamp": instant_text(happened_at(event)),
        "engineer": done_by(event),
        "deployment": text(event.facts, "deployment"),
        "run": text(event.facts, "run"),
        "first_event": event.number,
        "last_event": event.number,
        "event_digest": event.digest,
        **found,
    }


def _rolled_back(facts: Facts) -> Row | None:
    if facts.get("from") == facts.get("to"):
        return None  # it was home already
    moved = f"{_weights(facts.get('from'))} to {_weights(facts.get('to'))}"
    by = {"engineer": text(facts, "by")} if text(facts, "by") else {}
    return {"event": "rollback", "outcome": moved, "reason": text(facts, "reason"), **by}


def _rollback_failed(facts: Facts) -> Row:
    by = {"engineer": text(facts, "by")} if text(facts, "by") else {}
    why = "; ".join(filter(None, (text(facts, "reason"), text(facts, "why"))))
    return {"event": "rollback failed", "outcome": "not completed", "exit_code": 8, "reason": why, **by}


def _fired(facts: Facts) -> Row:
    home = _weights(facts.get("split"))
    return {"event": "switch fired", "outcome": f"to {home}", "reason": text(facts, "why"), "engineer": ""}


def _not_fired(facts: Facts) -> Row:
    return {"event": "switch failed", "outcome": "traffic not moved", "reason": text(facts, "why"), "engineer": ""}


def _maintenance(facts: Facts) -> Row:
    word = "closed" if truth(facts, "on") else "opened"
    return {"event": f"site {word}", "outcome": word, "reason": text(facts, "message")}


_ACTS = {"sign": "signed", "override": "override", "plan": "plan", "approve": "approval"}


def _signed(facts: Facts) -> Row | None:
    act, about = text(facts, "act"), text(facts, "about")
    if act not in _ACTS:
        return None
    by = {"engineer": text(facts, "signer")} if text(facts, "signer") else {}
    key = f", with the key {text(facts, 'key')}" if text(facts, "key") else ""
    is_content = about.startswith("content ")
    of = "digest" if is_content else "commit"
    named = {of: about.removeprefix("content ")} if act in ("sign", "override") else {}
    what = text(facts, "item") or f"plan {about}"
    return {"event": _ACTS[act], "outcome": f"{what}{key}", "reason": text(facts, "note"), **named, **by}


def _ran(facts: Facts) -> Row:
    codes = ", ".join(f"{host} {'lost' if code is None else code}" for host, code in part(facts, "hosts").items())
    where = f" on {text(facts, 'color')}" if text(facts, "color") else ""
    return {"event": "command", "outcome": codes, "reason": f"`{text(facts, 'command')}`{where}"}


def _released(facts: Facts) -> Row:
    before = {"version_before": text(facts, "before")} if text(facts, "before") else {}
    tag = f"tag {text(facts, 'tag')}" if text(facts, "tag") else ""
    return {
        "event": "released",
        "version": text(facts, "version"),
        "commit": text(facts, "commit"),
        "outcome": tag,
        **before,
    }


def _lease(facts: Facts) -> Row | None:
    if text(facts, "state") != "taken-over":
        return None
    return {"event": "lease taken over", "outcome": f"from {text(facts, 'taken_from')}", "reason": text(facts, "doing")}


def _pruned(facts: Facts) -> Row:
    gone = [
        f"{what}: {', '.join(texts(facts, what))}" for what in ("artifacts", "dumps", "reports") if texts(facts, what)
    ]
    return {"event": "pruned", "outcome": "; ".join(gone)}


def _imported(facts: Facts) -> Row:
    come = f"{whole(facts, 'added')} of {whole(facts, 'count')} events from {text(facts, 'file')}"
    return {"event": "ledger imported", "outcome": come, "reason": f"head {text(facts, 'head')}"}


def _reversed(facts: Facts) -> Row:
    names = ", ".join(texts(facts, "migrations"))
    return {
        "event": "migrations reversed",
        "migrations": texts(facts, "migrations"),
        "outcome": names or text(facts, "command"),
    }


def _weights(split: Json) -> str:
    found = list(split[:2]) if isinstance(split, list | tuple) else []
    return f"blue {found[0]} % / green {found[1]} %" if len(found) == 2 else "where is not known"


_DEEDS: Mapping[str, Callable[[Facts], Row | None]] = {
    "rolled-back": _rolled_back,
    "rollback-failed": _rollback_failed,
    "deadman-fired": _fired,
    "deadman-failed": _not_fired,
    "maintenance": _maintenance,
    "signed": _signed,
    "ran": _ran,
    "released": _released,
    "lease": _lease,
    "pruned": _pruned,
    "imported": _imported,
    "reversed": _reversed,
}
