"""The fold from events to deployments. Pure: one pass, and no more is kept than there are deployments.

An event of another version may lack any fact; a kind that is not known changes nothing. What waited in the spool may
come late: it counts when it happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from ..ports import COLORS, Color, Event
from .deployment import Checklist, Deployment, Proof, Result, Word
from .deployment_changes import CHANGES
from .facts import Facts, color, instant, lists, part, parts, text, texts, truth, whole
from .going_back import sent_home, stood_in_for
from .projections import done_by, happened_at

__all__ = ["Fold", "deployments"]

KEPT = 500
"""Signatures, checklists and results of tests that are kept for a deployment that may come."""

K = TypeVar("K")
V = TypeVar("V")


def deployments(events: Iterable[Event]) -> tuple[Deployment, ...]:
    """All deployments in these events, in the order in which they began."""
    fold = Fold()
    for event in events:
        fold.take(event)
    return fold.deployments()


class Fold:
    """For whoever reads the events for something else as well: give it each of them, then ask."""

    def __init__(self) -> None:
        self._known: dict[str, Deployment] = {}
        self._open: dict[str, None] = {}
        """Those that have not ended."""
        self._words: dict[tuple[str, ...], Word] = {}
        """The latest of each person's act on each item about the same thing."""
        self._checklists: dict[str, Checklist] = {}
        """By the digest of the content."""
        self._tests: dict[str, Proof] = {}
        """By the digest of the content."""
        self._commits: dict[Color, str] = {}
        """What stands on each color."""
        self._rollbacks: list[Event] = []
        self._fired: list[Event] = []

    def take(self, event: Event) -> None:
        """One more event."""
        match event.kind:
            case "checked":
                _keep(self._checklists, text(event.facts, "digest"), _checklist(event))
            case "evidence":
                self._prove(event)
            case "signed":
                self._sign(event)
            case "rolled-back" if event.facts.get("from") != event.facts.get("to"):
                self._rollbacks.append(event)
            case "deadman-fired":
                self._fired.append(event)
            case "installed" | "settled":
                self._place(event)
        if name := text(event.facts, "deployment"):
            self._tell(name, event)

    def deployments(self) -> tuple[Deployment, ...]:
        """All that began, or of which anything is told, up to now."""
        known = dict(self._known)
        for event in self._fired:
            if (of := known.get(text(event.facts, "deployment"))) is not None:
                known[of.deployment] = stood_in_for(of, event)
        for event in sorted(self._rollbacks, key=happened_at):
            if (left := sent_home(known.values(), event)) is not None:
                known[left.deployment] = left
        return tuple(sorted(known.values(), key=lambda one: one.number))

    def _tell(self, name: str, event: Event) -> None:
        """An event that is about a deployment; of one that nobody saw begin, as much as is known."""
        of = self._known.get(name) or Deployment(name, event.number, happened_at(event))
        if event.kind == "began":
            self._open[name] = None
            of = self._begun(of, event)
        elif (change := CHANGES.get(event.kind)) is not None:
            of = change(of, event)
        if event.kind == "ended":
            self._open.pop(name, None)
        self._known[name] = of._replace(last=event.number, last_digest=event.digest)

    def _begun(self, of: Deployment, event: Event) -> Deployment:
        facts, at, who = event.facts, happened_at(event), text(event.facts, "who") or done_by(event)
        of = of._replace(run=text(facts, "run") or text(part(facts, "run"), "url") or of.run)
        if of.began is not None or whole(facts, "first"):
            of = of._replace(began=of.began or at, resumed=(*of.resumed, (at, who)), ended=None, code=None, outcome="")
            return of if of.task else _described(of, facts, who)
        of = _described(of._replace(number=event.number, began=at), facts, who)
        home, versions = _start(part(facts, "plan"))
        abouts = {of.commit, f"content {of.digest}" if of.digest else "", of.plan} - {""}
        return of._replace(
            previous=versions.get(home, "") if home else "",
            previous_commit=self._commits.get(home, "") if home else "",
            words=tuple(word for word in self._words.values() if word.about in abouts),
            checklist=self._checklists.get(of.digest),
            tests=self._tests.get(of.digest),
        )

    # -- what is recorded before a deployment, and belongs to it -------------------------------------------

    def _prove(self, event: Event) -> None:
        facts = event.facts
        if text(facts, "item") == "tests":
            proof = Proof(event.number, happened_at(event), done_by(event), truth(facts, "ok"), text(facts, "detail"))
            _keep(self._tests, text(facts, "digest"), proof)

    def _sign(self, event: Event) -> None:
        facts = event.facts
        act, item, about = (text(facts, name) for name in ("act", "item", "about"))
        who = text(facts, "signer") or done_by(event)
        word = Word(event.number, happened_at(event), who, act, item, about, text(facts, "note"), text(facts, "key"))
        _keep(self._words, (act, item, about, who), word)
        for name in self._open:
            of = self._known[name]
            if about and about in (of.commit, f"content {of.digest}", of.plan):
                self._known[name] = of._replace(words=(*of.words, word))

    def _place(self, event: Event) -> None:
        if (where := color(event.facts, "color")) is not None:
            self._commits[where] = text(event.facts, "commit")


def _described(of: Deployment, facts: Facts, who: str) -> Deployment:
    plan, planned = part(facts, "plan"), part(facts, "planned")
    return of._replace(
        task=text(facts, "task"),
        hotfix=text(facts, "task") == "hotfix" or any(truth(step, "hotfix") for step in parts(plan, "steps")),
        version=text(facts, "version"),
        commit=text(facts, "commit"),
        committed=instant(facts, "committed"),
        digest=text(facts, "digest"),
        release=text(facts, "release"),
        color=color(facts, "color"),
        who=who,
        host=text(facts, "host"),
        plan=text(planned, "digest"),
        author=text(planned, "author"),
        approvers=tuple(texts(planned, "by")),
    )


def _start(plan: Facts) -> tuple[Color | None, dict[Color, str]]:
    """The color that had all traffic when a deployment was planned, and the version on each: from ``Situation`` as it
    is recorded, a list of its fields."""
    found = plan.get("starts_from")
    situation = list(found) if isinstance(found, list | tuple) else []
    split = situation[0] if situation and isinstance(situation[0], list | tuple) else ()
    versions: dict[Color, str] = {
        color: each[2]
        for color, each in zip(COLORS, situation[1:3], strict=False)
        if isinstance(each, list | tuple) and len(each) > 2 and isinstance(each[2], str)
    }
    return next((color for color, share in zip(COLORS, split, strict=False) if share == 100), None), versions


def _checklist(event: Event) -> Checklist:
    return Checklist(
        event.number,
        happened_at(event),
        done_by(event),
        text(event.facts, "level"),
        truth(event.facts, "hotfix"),
        tuple(Result(*map(str, each)) for each in lists(event.facts, "results") if len(each) == 3),
    )


def _keep(known: dict[K, V], key: K, value: V) -> None:
    """As the latest; of too many, the oldest goes."""
    if not key:
        return
    known.pop(key, None)
    known[key] = value
    if len(known) > KEPT:
        del known[next(iter(known))]
