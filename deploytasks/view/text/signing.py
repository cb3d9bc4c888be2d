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
    who = answer.get("signer")
    by = f"with the key of {who} ({word(answer, 'key')})" if who else f"by {word(answer, 'who')}, without a key"
    items = ", ".join(_texts(answer, "items"))
    about = short(str(answer.get("about") or ""))
    what = f"{_ACTS.get(word(answer, 'act'), word(answer, 'act'))} {items} for {about} in {word(answer, 'environment')}"
    return [f"{paint.mark('ok')} {what}, {by}: {word(answer, 'note')}"]


def approved(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """How many approvals there are now, and what comes next."""
    by = _texts(answer, "approved_by")
    count = ": ".join(filter(None, (f"{len(by)} of {word(answer, 'needed')} approvals", ", ".join(by))))
    what = f"plan {short(word(answer, 'digest'))}, {word(answer, 'version')} to {word(answer, 'environment')}: {count}"
    lines = [f"{paint.mark('ok' if answer.get('suffice') else 'warn')} {what}"]
    lines += [f"  {doubt}" for doubt in _texts(answer, "not_counted")]
    if answer.get("suffice"):
        lines.append(f"  next: inv deploy --env {word(answer, 'environment')} --plan-file {word(answer, 'file')}")
    return lines


def noted(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """What was kept, and beside what."""
    where = answer.get("deployment") or f"{word(answer, 'environment')}, which has no deployment yet"
    return [f"{paint.mark('ok')} noted beside {where}: {word(answer, 'text')}"]


def _texts(answer: Mapping[str, Any], name: str) -> list[str]:
    found = answer.get(name)
    return [str(each) for each in found] if isinstance(found, list | tuple) else []
