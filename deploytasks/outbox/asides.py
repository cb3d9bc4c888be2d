"""What happens beside deployments: somebody takes traffic home, the site is closed, the database is copied."""

from __future__ import annotations

from typing import Any

from ..bulletins import Bulletin, Change
from ..ledger.facts import text, texts, truth
from ..ledger.projections import done_by
from ..ports import Color, Event, other
from .making import beside, bulletin, place
from .story import About, Story, Tale
from .wording import all_on, sentence, severity, weights

__all__ = ["CHANGES"]

Told = tuple[Story, Bulletin | None]


def _rolled_back(about: About, story: Story, event: Event) -> Told:
    facts = event.facts
    before, after = weights(facts.get("from")), weights(facts.get("to"))
    if before == after:
        return story, None  # it was home already: nothing changed
    tale = _left(story, all_on(facts.get("to")))
    tale = tale._replace(run=text(facts, "run") or tale.run)
    to = f" to {tale.previous}" if tale.previous else ""
    by = text(facts, "by") or done_by(event)
    said = bulletin(
        about,
        event,
        "rolled-back",
        f"{place(about)} was rolled back{to}",
        tale,
        who=by,
        why=text(facts, "reason"),
        split=after,
        approvals="",
    )
    return _home(story, "rolled-back", tale.previous, after), said


def _rollback_failed(about: About, story: Story, event: Event) -> Told:
    facts = event.facts
    reason = text(facts, "reason")
    why = "; ".join(filter(None, (sentence(text(facts, "why")), f"it was begun because: {reason}" if reason else "")))
    headline = f"{place(about)} could not be rolled back: a person must act now"
    by, tale = text(facts, "by") or done_by(event), story.tale or story.last or Tale()
    return story, bulletin(about, event, "stuck", headline, tale, who=by, why=why, split="", approvals="", code=8)


def _left(story: Story, to: Color | None) -> Tale:
    """The deployment that is left by going to a color; its versions are those on the two."""
    tale = story.tale or story.last or Tale()
    if to is None:
        return tale
    version, previous = story.placed.get(other(to), ""), story.placed.get(to, "")
    tale = tale if not version or version == tale.version else Tale()
    return tale._replace(version=version or tale.version, previous=previous or tale.previous, color=other(to))


def _home(story: Story, taken: str, live: str, split: str) -> Story:
    """The story, once somebody else has sent traffic home."""
    tale = story.tale._replace(taken=taken, split=split) if story.tale else None
    last = story.last._replace(taken=taken, split=split) if story.last and not story.tale else story.last
    return story._replace(tale=tale, last=last, live=live or story.live)


def _fired(about: About, story: Story, event: Event) -> Told:
    tale = _of(story, event)
    split = weights(event.facts.get("split")) or tale.home
    after = _home(story, "switch-fired", tale.previous, split)
    said = bulletin(
        about,
        event,
        "switch-fired",
        f"{place(about)}: the dead-man's switch took all traffic home",
        tale,
        why=text(event.facts, "why"),
        split=split,
    )
    return after, said._replace(severity="detail") if tale.taken == "switch-fired" else said


def _switch_failed(about: About, story: Story, event: Event) -> Told:
    tale = _of(story, event)
    headline = f"{place(about)}: the dead-man's switch could not take traffic home, a person must act now"
    return story, bulletin(about, event, "switch-failed", headline, tale, why=text(event.facts, "why"))


def _of(story: Story, event: Event) -> Tale:
    """The deployment over which a switch watched."""
    deployment = text(event.facts, "deployment")
    known = (tale for tale in (story.tale, story.last) if tale and tale.deployment == deployment)
    return next(known, Tale(deployment=deployment))


def _maintenance(about: About, story: Story, event: Event) -> Told:
    is_on, message = truth(event.facts, "on"), text(event.facts, "message")
    before = story.closed
    after = story._replace(closed=message if is_on else None)
    if is_on and before == message:
        return after, None
    if is_on:
        headline = f"{place(about)} is closed for maintenance"
        return after, beside(about, story, event, "maintenance-on", headline, why=message)
    return after, beside(about, story, event, "maintenance-off", f"{place(about)} is open again")


def _backup(about: About, story: Story, event: Event) -> Told:
    """Of its own a bulletin; as a part of something else a detail."""
    name = text(event.facts, "name")
    headline = f"the database of {place(about)} was backed up{f': {name}' if name else ''}"
    own = story.tale
    if own is None or own.task == "backup-database":
        return story, beside(about, story, event, "backed-up", headline, **_within(own))
    return story, bulletin(about, event, "backed-up", headline, own, severity="detail")


def _restored(about: About, story: Story, event: Event) -> Told:
    name, kept, lost = text(event.facts, "name"), text(event.facts, "kept"), texts(event.facts, "lost")
    headline = f"the database of {place(about)} was restored{f' from {name}' if name else ''}"
    found = (
        f"what was there is kept as {kept}" if kept else "",
        f"NOT carried over: {'; '.join(lost)}" if lost else "",
    )
    why = "; ".join(filter(None, found))
    return story, beside(about, story, event, "restored", headline, why=why, **_within(story.tale))


def _within(tale: Tale | None) -> dict[str, Any]:
    return {"deployment": tale.deployment, "task": tale.task, "began": tale.began} if tale else {}


_AS_SEVERE: dict[str, Change] = {"failed": "failed", "rolled-back": "rolled-back"}
"""Words that are as severe as the change of that name; anything else that somebody announces is information."""


def _announced(about: About, story: Story, event: Event) -> Told:
    word, version = text(event.facts, "event"), text(event.facts, "version") or story.live
    what = " ".join(filter(None, (about.application, version, "in", about.environment)))
    own = severity(_AS_SEVERE.get(word, "announced"), protected=about.protected)
    said = beside(
        about, story, event, "announced", f"{what}: {word.replace('-', ' ')}", why=text(event.facts, "message")
    )
    return story, said._replace(version=version, severity=own)


CHANGES = {
    "rolled-back": _rolled_back,
    "rollback-failed": _rollback_failed,
    "deadman-fired": _fired,
    "deadman-failed": _switch_failed,
    "maintenance": _maintenance,
    "backup": _backup,
    "restored": _restored,
    "announced": _announced,
}
"""Kind of event → the story after it, and what is told."""
