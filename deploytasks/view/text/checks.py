"""Answers that are lists of findings: the configuration, smoke, the doctor, the closed site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..paint import Paint, table
from ..wording import counted, instant, milliseconds, whole
from .reading import fields, items, unreadable, word


def validate(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """That the configuration is fine. Mistakes come as an error."""
    sections = answer.get("sections")
    parts = f" ({', '.join(map(str, sections))})" if isinstance(sections, list) and sections else ""
    state = "fine" if answer.get("ok") else "NOT fine"
    mark = paint.mark("ok" if answer.get("ok") else "fail")
    return [f"{mark} the configuration of {word(answer, 'environment')} is {state}{parts}"]


def smoke(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """One line per check."""
    found = items(answer, "checks")
    rows = [
        (
            paint.mark("ok" if check.get("passed") else "fail"),
            word(check, "name"),
            milliseconds(check.get("seconds")),
            word(check, "detail"),
        )
        for check in found
    ]
    passed = sum(bool(check.get("passed")) for check in found)
    heading = f"smoke checks of {word(answer, 'address')}"
    end = f"  {passed} of {counted(len(found), 'check')} passed" if found else "  no checks are configured"
    return [paint(heading, "bold"), *table(rows, "  ", right=(2,)), end]


def doctor(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """What is well, what is not, and how to mend it."""
    found = items(answer, "findings")
    lines = [paint(f"doctor for {word(answer, 'environment')}", "bold")]
    for finding in found:
        state = word(finding, "state")
        mark = paint.mark(state if state in ("ok", "warn") else "fail")
        lines.append(f"  {mark} {word(finding, 'subject')}: {word(finding, 'detail')}")
        if state != "ok" and word(finding, "do", ""):
            lines.append(f"      do: {word(finding, 'do')}")
    broken = sum(word(finding, "state") not in ("ok", "warn") for finding in found)
    warned = sum(word(finding, "state") == "warn" for finding in found)
    end = f"{counted(broken, 'thing')} broken" if broken else "nothing is broken"
    return [*lines, f"  {end}, {counted(warned, 'warning')}" if warned else f"  {end}"]


def maintenance(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """Whether the site is closed."""
    found = fields(answer, "notice")
    where = word(answer, "environment")
    if why := unreadable(found, paint):
        return [f"{where}: maintenance {why}"]
    if not found:
        return [f"{where}: open, no maintenance page"]
    closed = paint(f"{where}: CLOSED", "bad")
    since = f"since {instant(found.get('since'))}, by {word(found, 'who')}"
    again = f"visitors are told to come again in {whole(found.get('retry_after'))} s"
    lines = [f"{closed} {since}", f"  {word(found, 'message')}", f"  {again}"]
    besides = [f"  {paint.mark('warn')} NOT everywhere: {word(found, 'disagreement')}"]
    return [*lines, *(besides if found.get("disagreement") else ())]
