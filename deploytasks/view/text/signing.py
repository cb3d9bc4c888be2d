"""What somebody stated, approved or learned, as one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..paint import Paint
from ..sentences import short
from .reading import word

_ACTS = {"sign": "signed", "override": "set aside, for 24 hours:"}


def signed(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """Which items, for what, as whom."""
    items = ", ".join(map(str, answer.get("items") or ()))
    who = answer.get("signer")
    by = f"with the key of {who} ({word(answer, 'key')})" if who else f"by {word(answer, 'who')}, without a key"
    about = short(str(answer.get("about") or ""))
    what = f"{_ACTS.get(word(answer, 'act'), word(answer, 'act'))} {items} for {about} in {word(answer, 'environment')}"
    return [f"{paint.mark('ok')} {what}, {by}: {word(answer, 'note')}"]


def approved(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """How many approvals there are now, and what comes next."""
    by = [str(name) for name in answer.get("approved_by") or ()]
    count = ": ".join(filter(None, (f"{len(by)} of {word(answer, 'needed')} approvals", ", ".join(by))))
    what = f"plan {short(word(answer, 'digest'))}, {word(answer, 'version')} to {word(answer, 'environment')}: {count}"
    lines = [f"{paint.mark('ok' if answer.get('suffice') else 'warn')} {what}"]
    lines += [f"  {doubt}" for doubt in map(str, answer.get("not_counted") or ())]
    if answer.get("suffice"):
        lines.append(f"  next: inv deploy --env {word(answer, 'environment')} --plan-file {word(answer, 'file')}")
    return lines


def noted(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """What was kept, and beside what."""
    where = answer.get("deployment") or f"{word(answer, 'environment')}, which has no deployment yet"
    return [f"{paint.mark('ok')} noted beside {where}: {word(answer, 'text')}"]
