"""How far a rollout has come, and the moves it can make: values only. ``deploytasks.rollout`` makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from ..ports import Command, Json, NoData, Reading
from .evidence import Evidence
from .hearing import Heard
from .judge import Verdict
from .ladder import NOTHING
from .rules import Rules
from .share import NONE, Shares

Phase = Literal["baseline", "watch", "bake"]


class Shift(NamedTuple):
    """Give the target ``percent`` of the traffic."""

    percent: int
    why: str


class Wait(NamedTuple):
    """Look again after ``seconds``."""

    seconds: float
    why: str


class Finish(NamedTuple):
    """The course is through; ``verdict`` is a PASS."""

    verdict: Verdict


class TurnBack(NamedTuple):
    """All traffic home: ``code`` 4 when the target was judged bad, 6 when there was too little to judge by."""

    verdict: Verdict
    code: Literal[4, 6]


class Stop(NamedTuple):
    """Someone else moved the traffic: touch nothing more (code 5)."""

    why: str


Move = Shift | Wait | Finish | TurnBack | Stop


def worded(move: Move) -> str:
    """A move as it is recorded beside its reading."""
    match move:
        case Shift(percent=percent):
            return f"shift to {percent} %"
        case Wait(seconds=seconds):
            return f"wait {seconds:g} s"
        case Finish():
            return "finish"
        case TurnBack():
            return "turn back"
        case Stop():
            return "stop"


class Seen(NamedTuple):
    """A split as far as a course cares: the target's share in percent, and who wrote it."""

    share: int
    writer: str | None


@dataclass(frozen=True, slots=True)
class Course:
    """How far a rollout has come. ``outlook`` shows it to people."""

    began: datetime
    since: datetime
    """When this phase or stage began."""
    users: Evidence
    probes: Evidence | None
    more: tuple[Evidence, ...] = ()
    """What further sources say of users, each by itself."""
    phase: Phase = "baseline"
    stage: int = -1
    """Index into ``rules.path``; -1 in the baseline."""
    split: Seen | None = None
    """The split that must be in force; ``None`` before the first reading."""
    before: Seen | None = None
    """The one before our last shift."""
    unsure: bool = False
    """After a resume: our last shift may have been decided and not made."""
    unhealthy: int = 0
    polls: int = 0
    good_polls: int = 0
    polled: datetime | None = None
    """When it was read last because it was time, and not because somebody asked for something meanwhile."""
    shares: Shares = NONE
    """Both colors' requests in this stage, where they are held against its weight."""
    heard: Mapping[str, Heard] = field(default_factory=dict)
    """When each source of users' requests said something new, by ``Evidence.source``."""
    alerts_at: datetime | None = None
    held: datetime | None = None
    paused: datetime | None = None
    pause: Command | None = None
    verdicts: tuple[Verdict, ...] = ()
    """What the last reading was judged: the doubts that hold, or the pass or failure."""
    warnings: tuple[Verdict, ...] = ()
    """Every warning so far, once each, in order."""
    apart: Mapping[str, datetime] = field(default_factory=dict)
    """Since when sources disagree, by what about."""
    levels: Mapping[str, float] | NoData = field(default_factory=dict)
    """Readings of the database and the hosts, as of the last reading."""
    ended: Finish | TurnBack | Stop | None = None

    @property
    def sources(self) -> tuple[Evidence, ...]:
        """What users said, by each source, and, with a prober, what probes said."""
        return self.counting if self.probes is None else (*self.counting, self.probes)

    @property
    def counting(self) -> tuple[Evidence, ...]:
        """The sources that count users' requests."""
        return (self.users, *self.more)

    @property
    def started(self) -> datetime:
        """Since when counts are of interest."""
        return self.began

    @property
    def weight(self) -> int:
        """The share in percent that the target has, or is about to get."""
        return self.split.share if self.split else 0

    def summary(self) -> dict[str, Json]:
        """A few numbers for the ledger and for a line of log, beside the reading they follow from."""
        counts = max((each.stage.get(each.target, NOTHING) for each in self.sources), key=lambda each: each.requests)
        tests = [(each.titled(t.name), t.stream) for each in self.sources for t in each.tracks if not t.warns]
        return {
            "phase": self.phase,
            "stage": self.stage + 1,
            "weight": self.weight,
            "requests": counts.requests,
            "errors": counts.errors,
            "evidence": {name: round(stream.evidence, 3) for name, stream in tests if stream.evidence},
            "held": self.held is not None,
            "paused": self.paused is not None,
            "verdicts": [verdict.why for verdict in self.verdicts],
            "warnings": [verdict.metric for verdict in self.warnings],
        }

    @property
    def requests(self) -> int:
        """To the target since the stage began, from the source that saw most."""
        return max(each.seen for each in self.sources)

    def each(self, change: Callable[[Evidence], Evidence]) -> Course:
        """The course with every source's evidence changed."""
        probes = None if self.probes is None else change(self.probes)
        return replace(self, users=change(self.users), more=tuple(map(change, self.more)), probes=probes)

    def is_between(self, rules: Rules, reading: Reading) -> bool:
        """Whether a reading is made early for the sake of what it carries. It counts as no poll: whoever asks often
        must not make three failed health checks in a row out of one moment."""
        if reading.command is None or self.polled is None:
            return False
        return (reading.at - self.polled).total_seconds() < rules.poll / 2

    def pause_of(self, rules: Rules, at: datetime) -> float:
        """Seconds until it is read again in any case: a reading between two polls does not move the next one."""
        return rules.poll if self.polled is None else max(0.0, rules.poll - (at - self.polled).total_seconds())

    def is_last(self, rules: Rules) -> bool:
        """Whether nothing comes after this phase."""
        at_end = self.stage + 1 == len(rules.path)
        return self.phase == "bake" or (at_end and self.phase == "watch" and rules.bake <= 0)

    def due(self, rules: Rules) -> datetime:
        """When this phase may end: its length has passed, and the data cover it."""
        length = {"baseline": rules.baseline, "watch": rules.watch, "bake": rules.bake}[self.phase]
        if self.phase == "baseline" and rules.home is None:
            length = 0.0
        return self.since + timedelta(seconds=length + rules.lag)

    def title(self, rules: Rules) -> str:
        """``stage 2 of 5, 25 %``, or the phase's name."""
        if self.phase == "watch":
            return f"stage {self.stage + 1} of {len(rules.path)}, {rules.path[self.stage]} %"
        return self.phase
