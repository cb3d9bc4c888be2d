"""Writes what a job leaves behind at GitHub: summary, outputs, and an annotation for what decided. Never raises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any

from ... import redaction
from ...ci import here
from ...ci.commands import Level, annotation
from ...ci.files import output, summarize
from .. import printing
from ..text.reading import items, word
from . import summary

if TYPE_CHECKING:
    from ...engine.plan import Plan
    from ...engine.run import Outcome
    from ...operations.returning import Returned
    from ...world import World
    from ..ending import Told
    from .listener import Job

MOST = 9
"""Annotations of one answer, before the one that says how many more there are."""
Annotation = tuple[Level, str, str]


def _at_github(act: Callable[..., None]) -> Callable[..., None]:
    """Only there; and what fails here is about something that is over."""

    @wraps(act)
    def careful(*given: Any, **named: Any) -> None:
        with suppress(Exception):
            run = here()
            if run is not None and run.kind == "github":
                act(*given, **named)

    return careful


@_at_github
def concluded(world: World, plan: Plan, outcome: Outcome, told: Told, job: Job | None) -> None:
    """A deployment ended."""
    well = outcome.code == 0
    rows = dict(told.rows)
    said = "\n".join(filter(None, (told.summary, rows.get("do", ""))))
    _mark("notice" if well else "error", told.title, said)
    began = job.scene.began if job else {}
    output(_outputs(world, plan, outcome, rows))
    summarize(summary.deployment(told, job.stages if job else (), began, well=well))


def _outputs(world: World, plan: Plan, outcome: Outcome, rows: Mapping[str, str]) -> dict[str, object]:
    """For the steps after this one; the exit code is noted when the process leaves."""
    live = plan.starts_from.split.live
    before = plan.starts_from.on(live) if live else None
    release = plan.release
    return {
        "outcome": outcome.word,
        "task": plan.task,
        "deployment": plan.deployment,
        "environment": world.site.environment,
        "version": release.version if release else "",
        "commit": release.commit if release else "",
        "color": plan.color or "",
        "previous": before.version if before else "",
        "why": outcome.why,
        "traffic": rows.get("traffic", ""),
        "seconds": round(outcome.seconds, 1),
    }


@_at_github
def returned(found: Returned, world: World, reason: str) -> None:
    """Somebody took traffic back, or found that it is back already."""
    outcome = "rolled back" if found.changed else "nothing to take back"
    where = f"{world.site.application} in {world.site.environment}"
    moved = f"{found.after.weights()} (was {found.before.weights()})" if found.changed else found.why
    _mark("warning" if found.changed else "notice", f"{outcome}: {where}", f"{moved}: {reason}")
    live = found.after.live or ""
    output({"outcome": outcome, "environment": world.site.environment, "color": live, "why": reason, "traffic": moved})
    summarize(summary.rollback(where, outcome, moved, world.site.who, reason))


@_at_github
def answered(kind: str, answer: Mapping[str, Any]) -> None:
    """A task answered a question: a checklist, a judged reading, smoke checks. Other answers are for who asked."""
    if kind not in _ANSWERS:
        return
    write, find, tell = _ANSWERS[kind]
    _mark_all(list(find(answer)))
    output({"environment": answer.get("environment", ""), **tell(answer)})
    summarize(write(answer))


def _checklist_marks(answer: Mapping[str, Any]) -> Iterator[Annotation]:
    for item in items(answer, "items"):
        title = f"{word(item, 'item')}: {word(item, 'answer')}"
        said = "\n".join(filter(None, (word(item, "evidence", ""), word(item, "do", ""))))
        if word(item, "answer") in ("fail", "needs a signature"):
            yield "error", title, said
        elif word(item, "answer") in ("warn", "overridden"):
            yield "warning", title, said


def _verdict_marks(answer: Mapping[str, Any]) -> Iterator[Annotation]:
    levels: Mapping[str, Level] = {"FAIL": "error", "HOLD": "error", "WARN": "warning"}
    for verdict in items(answer, "verdicts"):
        if level := levels.get(word(verdict, "kind")):
            title = f"{word(verdict, 'metric')} of {word(answer, 'color')} in {word(answer, 'environment')}"
            yield level, title, word(verdict, "why")


def _smoke_marks(answer: Mapping[str, Any]) -> Iterator[Annotation]:
    for check in items(answer, "checks"):
        if not check.get("passed"):
            yield "error", f"smoke: {word(check, 'name')}", word(check, "detail")


def _checked(answer: Mapping[str, Any]) -> dict[str, object]:
    return {name: answer.get(name, "") for name in ("version", "commit", "open")}


def _judged(answer: Mapping[str, Any]) -> dict[str, object]:
    kinds = [word(each, "kind") for each in items(answer, "verdicts")]
    worst = next((kind for kind in ("FAIL", "HOLD", "WARN", "PASS") if kind in kinds), "")
    return {"color": answer.get("color", ""), "verdict": worst}


def _smoked(answer: Mapping[str, Any]) -> dict[str, object]:
    found = items(answer, "checks")
    return {"passed": sum(bool(each.get("passed")) for each in found), "checks": len(found)}


_ANSWERS: Mapping[
    str, tuple[Callable[..., str], Callable[..., Iterator[Annotation]], Callable[..., dict[str, object]]]
] = {
    "checklist": (summary.checklist, _checklist_marks, _checked),
    "verdicts": (summary.verdicts, _verdict_marks, _judged),
    "smoke": (summary.smoke, _smoke_marks, _smoked),
}
"""Kind of answer → its summary, its annotations, its outputs."""


def _mark_all(found: list[Annotation]) -> None:
    """As many of each level as GitHub shows; how many more there are, it says itself."""
    for level in ("error", "warning"):
        own = [each for each in found if each[0] == level]
        for each in own[:MOST]:
            _mark(*each)
        if own[MOST:]:
            _mark(level, f"{len(own) - MOST} more", "all of them are in the summary of this job, and in its log")


def _mark(level: Level, title: str, text: str) -> None:
    printing.command(annotation(level, redaction.clean(title), redaction.clean(text)))
