"""Answers of ``inv report`` for tests of its page: a story as the ledger tells it, and what others did beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from view.answers import CHECKLIST
from view.story import BEGINNING, DEPLOYMENT, RULES, Story

from deploytasks.operations import reporting
from deploytasks.ports import Event
from deploytasks.rollout import Rules

HOUR = Rules("blue", "green", f"deploy:{DEPLOYMENT}", probes=True)
"""The defaults: five stages of five minutes, half an hour of bake, a poll every 15 s."""
DIGEST = "3f9a0c1d2b4e" * 5 + "abcd"
HOSTILE = (
    "<script>alert('x')</script><img src=x onerror=alert(1)> \u202eright to left\u202c \x1b[2Jcleared " + "A" * 9000
)
"""What somebody may write as a reason."""


def answer(told: Sequence[Event], beside: Sequence[Event] = (), **more: Any) -> dict[str, Any]:
    """As ``operations.reporting.reported`` has it."""
    return {
        "application": "library",
        "environment": "production",
        "deployment": DEPLOYMENT,
        "known": [DEPLOYMENT],
        "at": told[-1].at.isoformat(),
        "events": [reporting._event(event) for event in told],
        "planned": reporting._planned(told),
        "beside": [reporting._event(event) for event in beside],
        "checklist": None,
        "signed": [],
        "last": {"number": told[-1].number, "digest": DIGEST},
        "open": False,
        "at_work": None,
        **more,
    }


def event(kind: str, minutes: float, **facts: Any) -> Event:
    """Something that others did, so long after the beginning."""
    return Event(900, BEGINNING + timedelta(minutes=minutes), kind, facts, "bob@desk", 0, "", "")


def good(**more: Any) -> dict[str, Any]:
    """It went live."""
    return answer(Story().tell(), **more)


def bad(**more: Any) -> dict[str, Any]:
    """Every twentieth request failed: it was taken back."""
    return answer(Story(errors=0.06).tell(), **more)


def silent(**more: Any) -> dict[str, Any]:
    """No numbers came: it was taken home."""
    return answer(Story(silent=True).tell(), **more)


def full(words: str = "Customers cannot pay") -> dict[str, Any]:
    """With everything that a report may have. ``words``: what people wrote, everywhere."""
    story = Story(rules=RULES)
    story.tell()
    facts = dict(story.events[0].facts) | {
        "commit": "c0ffee" * 6,
        "notes": f"### Added\n- {words}\n  more of it\n\nText",
    }
    story.events[0] = story.events[0]._replace(facts=facts)
    story.note("backup", name=words, size=3_200_000, digest="ab" * 32)
    story.note("migrating", before=["library.0001"])
    story.note("migrated", command="python manage.py migrate", after=["library.0001", "library.0002"])
    story.note("host-set-aside", host="web-3", step=words, why=words)
    story.note("hosts-back", hosts=["web-3"], release="library-1.2.3")
    story.note("overridden", items=[["code.tests", words]])
    story.note("asked", verb="pause", reason=words)
    story.note("answered", asked=len(story.events), verb="pause", obeyed=True, said=words)
    story.note("lesson", text=words)
    beside = [
        event(
            "rolled-back",
            60,
            **{"reason": words, "from": [0, 100, "blue", "x"], "to": [100, 0, None, "y"], "by": words},
        ),
        event("rollback-failed", 59, reason=words, why=words),
        event("undelivered", 61, to=words, number=4, why=words),
    ]
    signed = [
        {"number": 2, "at": BEGINNING.isoformat(), "who": "ann@laptop", "act": "sign", "item": "people.oncall"}
        | {"note": words, "signer": "ann@example.org", "key": "SHA256:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"},
        {"number": 3, "at": BEGINNING.isoformat(), "who": words, "act": "override", "item": words, "note": words}
        | {"signer": "", "key": ""},
    ]
    items = [*CHECKLIST["items"], {"item": "code.coverage", "text": words, "answer": "fail", "evidence": words}]
    checklist = {**CHECKLIST, "items": items, "at": BEGINNING.isoformat(), "who": words, "number": 1}
    return answer(story.events, beside, checklist=checklist, signed=signed)
