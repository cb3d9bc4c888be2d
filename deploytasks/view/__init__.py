"""What people and machines see. Progress and words for people, one JSON object for machines."""

from __future__ import annotations

import json as _json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..engine.plan import Plan
    from ..engine.run import Outcome
    from ..engine.step import Step
    from ..operations.returning import Returned
    from ..ports import Event, Listener
    from ..rollout import Course
    from ..ports import Reading
    from ..world import World


class _Lines:
    def tell(self, event: Event) -> None:
        facts = {k: v for k, v in event.facts.items() if k not in ("plan", "reading", "outlook")}
        print(event.number, event.kind, facts)


def progress() -> Listener:
    return _Lines()


def say(text: str) -> None:
    print(text)


def show(kind: str, answer: Mapping[str, Any], json: bool) -> None:
    print(_json.dumps(answer, indent=None if json else 2, default=str))


def plan(rendered: Sequence[tuple[Step, Sequence[Sequence[str]]]], plan: Plan, digest: str) -> None:
    for note in plan.notes:
        print("note:", note)
    for step, calls in rendered:
        print(step.label)
        for batch in calls:
            for text in batch:
                print("   ", text)
    print("digest", digest)


def conclude(world: World, plan: Plan, outcome: Outcome) -> None:
    print(outcome.word, outcome.why, outcome.seconds)


def returned(returned: Returned) -> None:
    print(returned)


def reading(course: Course, reading: Reading) -> None:
    print(reading)


def is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def confirm(question: str) -> bool:
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def prompt(question: str) -> str:
    return input(question)
