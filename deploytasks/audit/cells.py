"""A row as texts, one for each column: what a spreadsheet and a page show. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .columns import COLUMNS, SHOWN

Found = Mapping[str, Any]


def cells(row: Found) -> dict[str, str]:
    """Column → what stands there; what is not known is empty."""
    own = {name: ", ".join(row["controls"].get(name, ())) for name in SHOWN}
    return {column.name: own.get(column.name, _cell(row.get(column.name), column.name)) for column in COLUMNS}


def _cell(value: Any, name: str) -> str:
    if value is None:
        return ""
    told = _TOLD.get(name)
    if told is not None and isinstance(value, Mapping):
        return told(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(told(each) if told and isinstance(each, Mapping) else str(each) for each in value)
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return str(value)


def _approval(of: Found) -> str:
    if of.get("kind") == "review":
        return f"reviewed: {of.get('answer')} ({of.get('evidence')})"
    said = " ".join(filter(None, (f"{of.get('kind')} by {of.get('who')}", _when(of), _key(of))))
    return said if of.get("counted", True) else f"{said}, which did not count"


def _signed(of: Found) -> str:
    note = f": {of['note']}" if of.get("note") else ""
    return " ".join(filter(None, (f"{of.get('item')} by {of.get('who')}", _when(of), _key(of)))) + note


def _checklist(of: Found) -> str:
    counts = ", ".join(f"{count} {answer}" for answer, count in of.get("counts", {}).items())
    return f"{counts or 'no items'} (level {of.get('level') or 'unknown'}, event {of.get('event')})"


def _tests(of: Found) -> str:
    word = {True: "passed", False: "FAILED"}.get(of["ok"]) if of.get("ok") is not None else of.get("answer")
    return " ".join(filter(None, (f"{word}: {of.get('detail')}", _when(of))))


def _override(of: Found) -> str:
    word = "cut short" if of.get("cut_short") else "set aside"
    by = f" by {of['who']}" if of.get("who") else ""
    return " ".join(filter(None, (f"{of.get('item')} {word}{by}", _when(of), _key(of)))) + f": {of.get('why')}"


def _order(of: Found) -> str:
    obeyed = {True: "obeyed", False: "NOT obeyed"}.get(of["obeyed"]) if of.get("obeyed") is not None else "no answer"
    return f"{of.get('verb')} by {of.get('who')} {_when(of)}: {of.get('reason')} ({obeyed})"


_BY = {
    "verdict": "by itself, judged bad",
    "failure": "by itself, a step failed",
    "no evidence": "by itself, not enough evidence",
    "switch": "by the dead-man's switch",
    "recovery": "by who came after its deployer had died",
    "interrupt": "interrupted by",
    "person": "by",
}


def _back(of: Found) -> str:
    by = _BY.get(str(of.get("by")), "by")
    who = f" {of['who']}" if of.get("who") and of.get("by") in ("person", "interrupt", "recovery") else ""
    when = "after it had settled" if of.get("after_it_settled") else "on its way"
    return f"{_when(of)} {by}{who}, {when}: {of.get('why')}"


def _host(of: Found) -> str:
    return f"{of.get('host')}: {of.get('why')}"


def _resumed(of: Found) -> str:
    return f"{_when(of)} by {of.get('who')}"


def _when(of: Found) -> str:
    return str(of.get("at") or "")[:19].replace("T", " ") + ("Z" if of.get("at") else "")


def _key(of: Found) -> str:
    return f"with key {of['key']}" if of.get("key") else ""


_TOLD: Mapping[str, Callable[[Found], str]] = {
    "approvals": _approval,
    "signatures": _signed,
    "checklist": _checklist,
    "tests": _tests,
    "overrides": _override,
    "orders": _order,
    "rollbacks": _back,
    "resumed": _resumed,
    "hosts_left_out": _host,
}
"""Column → how one of what stands there is told."""
