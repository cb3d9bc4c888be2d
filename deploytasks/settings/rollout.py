"""How traffic is moved, watched and judged. The defaults are those of DESIGN, "Defaults"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeGuard

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from .base import Duration, Fraction, Positive, Value
from .mistakes import Mistakes, shown

Span = Annotated[Duration, Field(ge=0, allow_inf_nan=False)]
"""Seconds; 0 leaves the thing out."""
Count = Annotated[int, Field(ge=1)]
"""At least one."""

Measured = Annotated[Duration, Field(ge=0.001, allow_inf_nan=False)]
"""Seconds; less than a millisecond is not counted by any source, and would never be exceeded."""


def _at_most_all(fraction: float) -> float:
    if not 0 < fraction <= 1:
        raise ValueError(f"{fraction:g} is not between 0 and 1: write 2% or 0.02")
    return fraction


Share = Annotated[Fraction, AfterValidator(_at_most_all)]
"""A part of the whole: above 0, at most 1."""


class RollbackWhen(Value):
    """What takes a release back."""

    errors: Share = 0.02
    """Requests that are answered with an error."""
    p99: Measured = 2.0
    """At most 1 % of requests may take longer; at least 1 ms, the least that is told apart."""
    p99_worse: Annotated[Fraction, Field(gt=0, le=100)] | None = 0.5
    """How much slower than the live color's P99 is too much; ``null``: not compared."""
    p99_worse_from: Span = 0.0
    """A P99 below this is never too much worse: where everything takes 5 ms, half as much again is noise."""
    health_failures: Count = 3
    """Failed health checks in a row."""


class WarnWhen(Value):
    """What is reported, and nothing more."""

    errors: Share = 0.01
    """Requests that are answered with an error; below ``rollback_when.errors``."""
    p95: Measured = 0.5
    """At most 5 % of requests may take longer."""
    p99: Measured = 1.0
    """At most 1 % of requests may take longer; below ``rollback_when.p99``."""
    query: Positive = 0.1
    """A database query that takes longer warns. This and the next ones need a metrics provider that reads them
    (``levels`` of ``prometheus``)."""
    pool: Share = 0.8
    """The database's connections in use."""
    replication_lag: Positive = 5.0
    """How far a replica is behind."""
    cpu: Share = 0.7
    """How busy the processors of the busiest host are."""
    memory: Share = 0.8
    """How much of a host's memory is in use."""
    disk: Share = 0.9
    """The share of the time that a disk is busy."""


class Hotfix(Value):
    """What is shorter for a hotfix. Never longer than for other releases, and never nothing."""

    stages: tuple[int, ...] = (25, 50, 100)
    """Percent of traffic for the new release."""
    watch: Positive = 60.0
    """How long each stage is watched."""
    bake: Positive = 300.0
    """How long it is watched at 100 %."""

    @field_validator("stages", mode="before")
    @classmethod
    def _rise_to_all(cls, given: Any) -> tuple[int, ...]:
        return _rising(given)


class Rollout(Value):
    """From the first share of traffic to the end of the bake, and the way back after it."""

    stages: tuple[int, ...] = (10, 25, 50, 75, 100)
    """Percent of traffic for the new release; rising, the last one 100."""
    watch: Positive = 300.0
    """How long each stage is watched."""
    bake: Span = 1800.0
    """How long it is watched at 100 %; ``0s``: not at all."""
    poll: Positive = 15.0
    """From reading to reading; at most ``watch``."""
    hold: Span = 900.0
    """Longest wait of one stage for enough evidence; then all traffic goes home, code 6."""
    baseline: Span = 60.0
    """How long the live color is read before the first stage."""
    missing: Positive = 300.0
    """Longest time without data, or without an answer about alerts."""
    confirm: bool = False
    """Whether the last of it is watched until somebody says ``inv promote`` or ``inv abort``: docs/controls.md."""
    way_back: Positive = 86400.0
    """How long the old color is kept running."""
    after_rollback: Span = 300.0
    """How long ``inv rollback`` watches afterwards."""
    rule: Literal["sequential", "threshold"] = "sequential"
    """``sequential``: a test with a bounded false-alarm rate. ``threshold``: the literal limits at each reading."""
    min_requests: Count = 30
    """With fewer requests a stage does not pass."""
    measured_share: bool = True
    """Whether a stage is held while the requests that the balancer counts do not fit its weight: docs/how-it-judges.md.
    Where the balancer counts them itself: ``alb`` with ``cloudwatch``."""
    hotfix: Hotfix = Hotfix()
    rollback_when: RollbackWhen = RollbackWhen()
    warn_when: Annotated[WarnWhen, Field(validate_default=True)] = WarnWhen()

    @field_validator("stages", mode="before")
    @classmethod
    def _rise_to_all(cls, given: Any) -> tuple[int, ...]:
        return _rising(given)

    @field_validator("bake", "watch")
    @classmethod
    def _bounded(cls, seconds: float) -> float:
        if seconds > 7 * 86400:
            raise ValueError("longer than a week")
        return seconds

    @field_validator("poll")
    @classmethod
    def _within_a_stage(cls, poll: float, info: ValidationInfo) -> float:
        watch = info.data.get("watch")
        if watch is not None and poll > watch:
            raise ValueError(f"{poll:g} s is longer than `watch` ({watch:g} s): a stage would never be read")
        return poll

    @field_validator("warn_when")
    @classmethod
    def _below_rollback(cls, warn: WarnWhen, info: ValidationInfo) -> WarnWhen:
        limit = info.data.get("rollback_when")
        if limit is None:
            return warn
        pairs = {"errors": (warn.errors, limit.errors), "p99": (warn.p99, limit.p99)}
        late = [
            (f".{name}", f"{soft:g} is not below rollback_when.{name} ({hard:g}): it would never warn")
            for name, (soft, hard) in pairs.items()
            if soft >= hard
        ]
        if late:
            raise Mistakes(late)
        return warn


def _rising(given: Any) -> tuple[int, ...]:
    if not isinstance(given, list | tuple) or not given:
        raise ValueError(f"a list such as [10, 50, 100] is needed, not {shown(given)}")
    mistakes = [mistake for at in range(len(given)) if (mistake := _stage_mistake(given, at))]
    if mistakes:
        raise Mistakes(mistakes)
    return tuple(given)


def _stage_mistake(stages: Sequence[object], at: int) -> tuple[str, str] | None:
    percent, before = stages[at], stages[at - 1] if at else 0
    if not _is_percentage(percent):
        return f"[{at}]", f"{shown(percent)} is not a whole percentage from 1 to 100"
    if _is_percentage(before) and percent < before:
        return f"[{at}]", f"{percent} is below {before}: stages must rise"
    if percent == before:
        return f"[{at}]", f"{percent} comes twice: stages must rise"
    if at == len(stages) - 1 and percent != 100:
        return f"[{at}]", f"{percent} is the last stage: it must be 100"
    return None


def _is_percentage(given: object) -> TypeGuard[int]:
    return isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= 100
