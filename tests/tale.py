"""A ledger told by hand, for whatever folds one: deployments that settle, fail and are rolled back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from deploytasks.ledger.deployment import Deployment
from deploytasks.ledger.deployments import deployments
from deploytasks.ports import Event, Json

DAWN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ON_BLUE, ON_GREEN = [100, 0, None, None], [0, 100, None, None]


def plan(home: list[Json], version: str, *steps: Mapping[str, Json]) -> dict[str, Json]:
    placed: Json = ["old-aaaa", "aa" * 32, version, True]
    seen: list[Json] = [home, placed, None] if home == ON_BLUE else [home, None, placed]
    return {"starts_from": seen, "steps": list(steps)}


class Tale:
    """Tells events, a minute apart, unless somebody waits."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.now = DAWN

    def tell(self, kind: str, who: str = "ann@laptop", **facts: Any) -> Event:
        self.now += timedelta(minutes=1)
        number = len(self.events) + 1
        self.events.append(Event(number, self.now, kind, facts, who, 0, f"p{number}", f"d{number}"))
        return self.events[-1]

    def began(self, name: str, color: str = "green", **facts: Any) -> Event:
        home = ON_BLUE if color == "green" else ON_GREEN
        known = {"task": "deploy", "who": "ann@laptop", "host": "laptop", "version": f"v-{name}", "color": color}
        own = {"commit": f"c0ffee-{name}", "digest": f"digest-{name}", "plan": plan(home, "1.0.0")}
        return self.tell("began", deployment=name, **{**known, **own, **facts})

    def exposed(self, name: str, color: str = "green", *shares: int) -> None:
        for share in shares or (10, 100):
            split = [share, 100 - share] if color == "blue" else [100 - share, share]
            self.tell("shifted", deployment=name, split=[*split, None, None])

    def settled(self, name: str, color: str = "green") -> None:
        self.exposed(name, color)
        self.tell("settled", deployment=name, color=color, version=f"v-{name}", commit=f"c0ffee-{name}")
        self.tell("ended", deployment=name, outcome="done", code=0, why="", seconds=60.0, left=[])

    def rolled_back(self, before: list[Json], after: list[Json], **facts: Any) -> Event:
        return self.tell("rolled-back", **{"from": before}, to=after, by="bob", reason="it is slow", **facts)

    def folded(self) -> dict[str, Deployment]:
        return {one.deployment: one for one in deployments(self.events)}


def a_quarter() -> Tale:
    """Thirteen weeks of a team: what settles, what is judged bad, rolled back, mended by a hotfix."""
    tale = Tale()
    for day in range(91):
        name, tale.now = f"{day:03}", DAWN + timedelta(days=day)
        if day % 7 in (5, 6) or day % 11 == 3:
            continue
        is_bad = day in (16, 44, 71)
        tale.began(name, task="hotfix" if day == 51 else "deploy", committed=_hours_ago(tale, 4 + day * 7 % 31))
        if is_bad:
            tale.exposed(name, "green", 10, *((25,) if day == 44 else ()))
            tale.now += timedelta(minutes=4 + day / 10)
            tale.tell("reading", deployment=name, move="turn back")
            tale.tell("step", deployment=name, step="roll out", state="undone", why="errors")
            why = "error rate 4.1 % of green, over 2 %"
            tale.tell("ended", deployment=name, outcome="taken back", code=4, why=why, seconds=500.0, left=[])
            continue
        tale.settled(name)
        if day in (30, 60):
            tale.now += timedelta(minutes=47)
            tale.rolled_back(ON_GREEN, ON_BLUE)
    return tale


def _hours_ago(tale: Tale, hours: float) -> str:
    return (tale.now - timedelta(hours=hours)).isoformat()
