"""Who was told what, and what waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..paint import Paint
from ..wording import counted, instant, moment
from .reading import fields, items, word


def waits(found: Mapping[str, Any]) -> str:
    """What one recipient was not told: ``2 messages wait since 2026-11-23 10:15 UTC: it is silent``."""
    many = found.get("waiting")
    since = f" since {instant(found.get('since'))}" if moment(found.get("since")) else ""
    count = f"{counted(many, 'message')} {'waits' if many == 1 else 'wait'}{since}: " if many else ""
    return f"{count}{word(found, 'why')}"


def notified(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """That everybody was told, or who was not and why."""
    found, env = fields(answer, "waiting"), word(answer, "environment")
    lines = [f"{paint.mark('warn')} {name}: {waits(fields(found, name))}" for name in found]
    lines += [f"{paint.mark('warn')} {word(answer, 'unknown')}"] if answer.get("unknown") else []
    return lines or [f"{paint.mark('ok')} everybody who is told about {env} was told"]


def to_be_told(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """Each message that would be sent, by whom to."""
    lines = []
    for name in fields(answer, "would"):
        found = items(fields(answer, "would"), name)
        lines.append(paint(f"{name}: {counted(len(found), 'message') if found else 'nothing'}", "bold"))
        lines += [f"  would: {line}" for each in found for line in (word(each, "text"),)]
    for name, why in fields(answer, "unopened").items():
        lines.append(f"{paint.mark('fail')} {name} cannot be told: {why}")
    return lines or ["nobody is told anything"]
