"""A deployment as its events, told the way the engine tells it: a real plan, the real fold, made-up traffic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from deploytasks.engine.plan import Plan, Situation, to_json
from deploytasks.ports import Color, Event, Health, Installed, Json, NoData, Reading, Release, Split, Totals
from deploytasks.rollout import (
    Course,
    Finish,
    Move,
    Rules,
    Shift,
    TurnBack,
    Wait,
    advance,
    outlook,
    reading_to_json,
    start,
)
from deploytasks.steps import (
    Arm,
    BackUp,
    Claim,
    Gate,
    Install,
    Migrate,
    Prepare,
    Prune,
    RollOut,
    Settle,
    Smoke,
    Start,
    WarmUp,
)
from deploytasks.verdict.ladder import LADDER

BEGINNING = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
DEPLOYMENT = "20261123-101500-ab12cd"
RELEASE = Release("1.2.3", "c0ffee" * 6, "d1" * 32, "library-1.2.3.tar.gz")
OLD = Installed("1.2.2-aaaaaaaaaaaa", "aa" * 32, "1.2.2", True)
HOME = Split.all_on("blue", "green", "settled:20261122-090000-000001")
RULES = Rules(
    "blue", "green", f"deploy:{DEPLOYMENT}", stages=(10, 50, 100), watch=60.0, bake=60.0, baseline=30.0, probes=True
)


def plan(rules: Rules = RULES) -> Plan:
    """What `inv deploy` plans with one release live on blue."""
    steps = (
        Prepare(),
        Gate(RELEASE),
        Claim(HOME, DEPLOYMENT),
        Install(RELEASE, "green", None, False, DEPLOYMENT),
        BackUp("library-1", 14),
        Migrate("green", "python manage.py migrate"),
        Start("green"),
        WarmUp("green", ("/",), 20),
        Smoke("green"),
        Arm(Split.all_on("blue", None, f"deadman:{DEPLOYMENT}"), DEPLOYMENT),
        RollOut(rules, DEPLOYMENT),
        Smoke(None),
        Settle("green", "blue", 86400.0, RELEASE, DEPLOYMENT),
        Prune(5),
    )
    seen = Situation(HOME, OLD, None)
    return Plan(DEPLOYMENT, "deploy", seen, steps, RELEASE, "green", ("built from a work tree with changes",))


class Story:
    """Tells one deployment. ``errors``: the share of requests to green that fail; ``silent``: no numbers come."""

    def __init__(
        self,
        *,
        errors: float = 0.0,
        silent: bool = False,
        rules: Rules = RULES,
        began: datetime = BEGINNING,
        levels: Mapping[str, float] | None = None,
    ) -> None:
        self.began = began
        self.rules = rules
        self.plan = plan(rules)
        self.events: list[Event] = []
        self.now = began
        self._errors = errors
        self._silent = silent
        self._levels = levels or {}
        self._counts: dict[Color, Totals] = {"blue": Totals(0, 0, {}), "green": Totals(0, 0, {})}

    def note(self, kind: str, **facts: Json) -> None:
        whole: Mapping[str, Json] = {"deployment": DEPLOYMENT, **facts}
        self.events.append(Event(len(self.events) + 1, self.now, kind, whole, "ann@laptop", 7, "", ""))

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def tell(self) -> list[Event]:
        """All of it."""
        release: dict[str, Json] = {"version": RELEASE.version, "digest": RELEASE.digest, "release": RELEASE.name}
        recorded: dict[str, Any] = {"plan": to_json(self.plan), **release}
        self.note("began", task="deploy", who="ann@laptop", host="laptop", color="green", **recorded)
        bad = None
        for step in self.plan.steps:
            self.note("step", step=step.label, state="began")
            bad = self._roll_out() if isinstance(step, RollOut) else self.wait(1.5)
            if bad:
                break
            self._outcome(step.label)
            self.note("step", step=step.label, state="done", seconds=1.5)
        self._end(bad)
        return self.events

    def _outcome(self, label: str) -> None:
        if label == "install":
            self.note("installed", color="green", version="1.2.3", release=RELEASE.name, digest=RELEASE.digest)
        if label == "settle":
            until = (self.now + timedelta(days=1)).isoformat()
            self.note("settled", color="green", version="1.2.3", way_back="blue", way_back_until=until)

    def _end(self, bad: TurnBack | None) -> None:
        if bad is None:
            self.note("ended", outcome="done", code=0, why="", seconds=200.0, left=[])
            return
        why = bad.verdict.why
        for label in ("roll out", "arm the dead-man's switch", *(("start green",) if bad.code == 4 else ())):
            self.note("step", step=label, state="undone", why=why)
        word = "taken back" if bad.code == 4 else "held"
        self.note("ended", outcome=word, code=bad.code, why=why, seconds=100.0, left=[])

    def _roll_out(self) -> TurnBack | None:
        course, split = start(self.rules, self.now), HOME._replace(way_back=None, writer=self.rules.writer)
        while True:
            course, move = self._look(course, split)
            match move:
                case Shift(percent=percent):
                    split = Split.partly_on("green", percent, "blue", self.rules.writer)
                    self.note("shifting", split=list(split))
                    self.note("shifted", split=list(split))
                case Wait(seconds=seconds):
                    self.wait(seconds)
                    self._serve(split, seconds)
                case Finish():
                    return None
                case TurnBack():
                    return move
                case _:
                    raise AssertionError(move)

    def _look(self, course: Course, split: Split) -> tuple[Course, Move]:
        reading = self._reading(split)
        course, move = advance(self.rules, course, reading)
        seen = outlook(self.rules, course, reading.at).to_json()
        self.note("reading", reading=reading_to_json(reading), move=type(move).__name__.lower(), outlook=seen)
        return course, move

    def _reading(self, split: Split) -> Reading:
        health = {"blue": Health(True, "200 in 3 ms"), "green": Health(True, "200 in 4 ms")}
        totals = NoData("the balancer's statistics page does not answer") if self._silent else dict(self._counts)
        sent = int((self.now - self.began).total_seconds())
        probes = None if self._silent else {color: Totals(sent, 0, slower(sent)) for color in self._counts}
        return Reading(self.now, split, totals, probes, health, (), None, self._levels)

    def _serve(self, split: Split, seconds: float) -> None:
        """40 requests a second."""
        for color in self._counts:
            new = int(40 * seconds * split.share(color) / 100)
            had = self._counts[color]
            failed = int(new * self._errors) if color == "green" else 0
            self._counts[color] = Totals(had.requests + new, had.errors + failed, slower(had.requests + new))


def slower(requests: int) -> dict[float, int]:
    """Nearly all take 20 ms, 3 % take 45 ms."""
    counts = {edge: requests if edge < 0.02 else requests * 3 // 100 for edge in LADDER if edge < 0.045}
    return {edge: count for edge, count in counts.items() if count}


def until(events: list[Event], kind: str, count: int) -> Iterator[Event]:
    """The events up to the ``count``-th of a kind."""
    for event in events:
        yield event
        count -= event.kind == kind
        if count == 0:
            return
