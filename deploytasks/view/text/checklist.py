"""The checklist: its items by section, each with its evidence, and at the end what is open and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from ..paint import Paint, wrapped
from ..wording import counted, instant
from .reading import items, word

_MARKS = {
    "pass": "ok",
    "warn": "warn",
    "overridden": "warn",
    "pending": "warn",
    "needs a signature": "fail",
    "fail": "fail",
    "not applicable": "",
}
"""Answer → mark, in the order in which they are counted."""
_OPEN = ("fail", "needs a signature")
SECTIONS = {
    "code": "Code quality and tests",
    "order": "Order of environments",
    "database": "Database",
    "configuration": "Configuration and secrets",
    "infrastructure": "Infrastructure",
    "monitoring": "Monitoring and alerting",
    "window": "Window of the deployment",
    "people": "People and communication",
}
"""As the document calls them."""

Item = Mapping[str, Any]


def checklist(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """All sections, how many items have which answer, and what is open."""
    found = items(answer, "items")
    return [
        *_heading(answer, paint),
        *sections(found, paint),
        *_not_applicable(found, paint),
        "",
        *wrapped(counts(found), paint.columns, "  "),
        *_open(found, word(answer, "environment", "E"), paint),
    ]


def sections(found: Sequence[Item], paint: Paint) -> list[str]:
    """The items that apply, below the headings of their sections."""
    shown = [item for item in found if word(item, "answer") != "not applicable"]
    lines = []
    for section, group in groupby(shown, lambda item: word(item, "item").partition(".")[0]):
        lines += ["", f"  {paint(SECTIONS.get(section, section), 'bold')}"]
        lines += [line for item in group for line in _item(item, paint)]
    return lines


def counts(found: Sequence[Item]) -> str:
    """How many items have which answer: ``12 pass, 1 fail``."""
    known = [(state, sum(word(item, "answer") == state for item in found)) for state in _MARKS]
    return ", ".join(f"{count} {state}" for state, count in known if count) or "there are no items"


def _heading(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    commit = word(answer, "commit", "")[:12]
    about = " ".join(filter(None, (word(answer, "version", ""), f"({commit})" if commit else "")))
    level = word(answer, "level", "")
    more = [f"level {level}"] if level not in ("", word(answer, "environment")) else []
    more += ["for a hotfix"] if answer.get("hotfix") is True else []
    title = f"checklist of {word(answer, 'environment')}{f' for {about}' if about else ''}"
    return [paint(line, "bold") for line in wrapped(", ".join([title, *more]), paint.columns, "  ", "")]


def _item(item: Item, paint: Paint) -> list[str]:
    """Mark, id and text; then the evidence, which says first what is not simply a pass."""
    state = word(item, "answer")
    title = _marked(_MARKS.get(state, "fail"), f"{word(item, 'item')}: {word(item, 'text', '')}", paint)
    told = word(item, "evidence") if state == "pass" else f"{state}: {word(item, 'evidence')}"
    style = "dim" if state == "pass" else ""
    evidence = [paint(line, style) for line in wrapped(told, paint.columns, " " * 6)]
    return [*title, *evidence]


def _not_applicable(found: Sequence[Item], paint: Paint) -> list[str]:
    """The items that do not apply, by the reason they have in common."""
    why: dict[str, list[str]] = {}
    for item in found:
        if word(item, "answer") == "not applicable":
            why.setdefault(word(item, "evidence"), []).append(word(item, "item"))
    said = [f"{reason}: {', '.join(names)}" for reason, names in why.items()]
    lines = [line for each in said for line in wrapped(each, paint.columns, " " * 4, "  - ")]
    return ["", f"  {paint('Not applicable', 'bold')}", *(paint(line, "dim") for line in lines)] if lines else []


def _open(found: Sequence[Item], environment: str, paint: Paint) -> list[str]:
    """What stands in the way, and what to do about each of it; about all that is unreachable, the same."""
    left = [item for item in found if word(item, "answer") in _OPEN]
    silent = [word(item, "item") for item in left if "unreachable: " in word(item, "evidence")]
    if not left:
        return [*_to_come(found, paint), "", f"  {paint.mark('ok')} {paint('nothing is open', 'good')}"]
    lines = [*_to_come(found, paint), "", f"  {paint(counted(len(left), 'item') + ' open', 'bad')}"]
    for item in left:
        if word(item, "item") not in silent:
            lines += _to_do(item, environment, paint)
    if silent:
        told = f"unreachable: {', '.join(silent)}: `inv doctor --env {environment}` says what does not answer"
        lines += _marked("fail", told, paint)
    aside = f"To set one aside, which is recorded: inv override ITEM --env {environment} --reason …"
    return [*lines, *wrapped(aside, paint.columns, "  ")]


def _to_come(found: Sequence[Item], paint: Paint) -> list[str]:
    """What a later task, or the deployment itself before its gate, still brings; the evidence says which."""
    coming = [item for item in found if word(item, "answer") == "pending"]
    told = [_marked("warn", f"{word(item, 'item')}: {word(item, 'evidence')}", paint) for item in coming]
    title = ["", f"  {paint(counted(len(coming), 'item') + ' to come', 'warn')}"] if coming else []
    return [*title, *(line for lines in told for line in lines)]


def _to_do(item: Item, environment: str, paint: Paint) -> list[str]:
    told = f"{word(item, 'item')}: {word(item, 'do', '') or word(item, 'evidence')}"
    sign = f"      inv sign {word(item, 'item')} --env {environment} --note …"
    return [*_marked("fail", told, paint), *([sign] if word(item, "answer") == "needs a signature" else [])]


def _marked(mark: str, told: str, paint: Paint) -> list[str]:
    first, *rest = wrapped(told, paint.columns - 4)
    return [f"  {paint.mark(mark)} {first}", *(f"    {line}" for line in rest)]


def recorded(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """A checklist that a ledger has, for a report: who evaluated it and when, and all of it."""
    found = items(answer, "items")
    about = f"checklist by {word(answer, 'who')}, {instant(answer.get('at'))}: {counts(found)}"
    return [*wrapped(about, paint.columns, "    ", "  "), *sections(found, paint), *_not_applicable(found, paint), ""]


def signatures(found: Sequence[Item], paint: Paint) -> list[str]:
    """What people signed and set aside, a line or two for each."""
    lines = []
    for each in found:
        did = "set aside" if word(each, "act") == "override" else "signed"
        told = f"{did} by {word(each, 'who')}, {instant(each.get('at'))}: {word(each, 'item')}: {word(each, 'note')}"
        lines += _marked("ok" if did == "signed" else "warn", told, paint)
    return lines
