"""What a deployment looks like from its events: a pure fold, for the live view and for the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from ..ledger.facts import Facts, number, part, parts, text
from ..ports import COLORS, Event
from .asked import Asked, answered, answered_by, asked
from .outlooks import requests
from .trail import Sample, longer
from .wording import number as finite, shares

State = Literal["waiting", "began", "done", "undone", "not undone", "failed"]
ARM, SETTLE = "arm the dead-man's switch", "settle"
"""Steps after which the dead-man's switch is armed, and is not any more."""


@dataclass(frozen=True, slots=True)
class StepSeen:
    """One step of the plan: since when it runs, how long it took (seconds), why it was undone."""

    label: str
    state: State = "waiting"
    at: datetime | None = None
    seconds: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that was told so far. Mappings are the facts of events, as JSON; empty when there was none."""

    began: Facts = field(default_factory=dict)
    at: datetime | None = None
    """When it began."""
    steps: tuple[StepSeen, ...] = ()
    rules: Facts = field(default_factory=dict)
    """Of the rollout, as planned."""
    moving: str = ""
    """The step that moves traffic."""
    split: tuple[int, int] | None = None
    shifting: tuple[int, int] | None = None
    """Where traffic is about to go."""
    reading: Facts = field(default_factory=dict)
    """The facts of the last ``reading`` event."""
    read_at: datetime | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    """Requests per second of users by color, over the last poll."""
    counted: Facts = field(default_factory=dict)
    """The reading from which the next rates are counted; two in a row say nothing about a rate."""
    counted_at: datetime | None = None
    trail: tuple[Sample, ...] = ()
    """What was met from poll to poll, the newest last; a bounded number of them."""
    armed: bool = False
    asked: Asked | None = None
    ended: Facts = field(default_factory=dict)
    ended_at: datetime | None = None

    @property
    def outlook(self) -> Facts:
        """What the last reading means (``verdict.outlook.Outlook`` as JSON)."""
        return part(self.reading, "outlook")

    @property
    def running(self) -> StepSeen | None:
        """The step that is being carried out."""
        return next((step for step in reversed(self.steps) if step.state == "began"), None)

    @property
    def target(self) -> str:
        """The color that the deployment changes."""
        return text(self.began, "color") or text(self.rules, "target")

    def version(self, color: str) -> str:
        """What stands on a color, as far as the plan knows."""
        if color == self.target and text(self.began, "version"):
            return text(self.began, "version")
        seen = part(self.began, "plan").get("starts_from")
        place = {"blue": 1, "green": 2}.get(color, 0)
        found = seen[place] if isinstance(seen, list | tuple) and len(seen) > 2 and place else None
        return str(found[2]) if isinstance(found, list | tuple) and len(found) > 2 else ""


def follow(scene: Scene, event: Event) -> Scene:
    """The scene after one more event; a kind that it does not know changes nothing."""
    change = _CHANGES.get(event.kind)
    return change(scene, event) if change else scene


def _began(scene: Scene, event: Event) -> Scene:
    plan = part(event.facts, "plan")
    steps = tuple(StepSeen(label) for label in labels(plan))
    moving = next((each for each in parts(plan, "steps") if part(each, "rules")), {})
    seen = plan.get("starts_from")
    split = shares(seen[0]) if isinstance(seen, list | tuple) and seen else None
    rules = part(moving, "rules")
    return Scene(began=event.facts, at=event.at, steps=steps, rules=rules, moving=text(moving, "step"), split=split)


def labels(plan: Facts) -> list[str]:
    """What the steps of a recorded plan are called, which is how their events name them."""
    from ..engine.plan import from_json
    from ..steps import KINDS

    try:
        return [step.label for step in from_json(plan, KINDS).steps]
    except (KeyError, TypeError, ValueError, IndexError):
        return [text(each, "step") for each in parts(plan, "steps")]  # recorded by another version of this code


def _step(scene: Scene, event: Event) -> Scene:
    label, state = text(event.facts, "step"), text(event.facts, "state")
    places = [at for at, step in enumerate(scene.steps) if step.label == label]
    if not places:
        scene = replace(scene, steps=(*scene.steps, StepSeen(label)))
        places = [len(scene.steps) - 1]
    place = places[0]
    seconds = finite(event.facts.get("seconds"))
    now = replace(scene.steps[place], state=_state(state), why=text(event.facts, "why"))
    now = replace(now, at=event.at) if state == "began" else replace(now, seconds=seconds or now.seconds)
    before = scene.steps[:place]
    if state == "began":  # a resumed deployment passes over what it did before without a word
        before = tuple(replace(step, state="done") if step.state == "waiting" else step for step in before)
    return replace(
        _armed(_taken_home(scene, label, state), label, state), steps=(*before, now, *scene.steps[place + 1 :])
    )


def _state(given: str) -> State:
    known: Mapping[str, State] = {"began": "began", "done": "done", "undone": "undone", "not undone": "not undone"}
    return known.get(given, "began")


def _taken_home(scene: Scene, label: str, state: str) -> Scene:
    """Undoing the rollout is a shift of its own, of which no other event tells."""
    moving = scene.moving
    if not moving or label != moving or state not in ("undone", "not undone"):
        return scene
    home = text(scene.rules, "home")
    split = (100 * (home == "blue"), 100 * (home == "green")) if state == "undone" else None
    return replace(scene, split=split, shifting=None)


def _armed(scene: Scene, label: str, state: str) -> Scene:
    if label == ARM and state in ("done", "undone"):
        return replace(scene, armed=state == "done")
    return replace(scene, armed=False) if label == SETTLE and state == "done" else scene


def _shifting(scene: Scene, event: Event) -> Scene:
    return replace(scene, shifting=shares(event.facts.get("split")))


def _shifted(scene: Scene, event: Event) -> Scene:
    return replace(scene, shifting=None, split=shares(event.facts.get("split")) or scene.split)


def _reading(scene: Scene, event: Event) -> Scene:
    reading = part(event.facts, "reading")
    split = shares(reading.get("split")) or scene.split
    scene = replace(scene, reading=event.facts, read_at=event.at, split=split, asked=answered_by(scene.asked, event))
    passed = (event.at - scene.counted_at).total_seconds() if scene.counted_at else None
    if passed is not None and passed < number(scene.rules, "poll") / 2:
        return scene
    rates: dict[str, float] = {}
    for color in COLORS:
        if (rate := _rate(scene.counted, reading, color, passed)) is not None:
            rates[color] = rate
    trail = longer(scene.trail, scene.counted, reading, event.at, passed)
    return replace(scene, rates=rates, counted=reading, counted_at=event.at, trail=trail)


def _rate(last: Facts, reading: Facts, color: str, passed: float | None) -> float | None:
    """``None`` when it cannot be known: no data, the first reading, or a counter that was reset."""
    before, now = requests(last, color), requests(reading, color)
    if before is None or now is None or not passed or now < before:
        return None
    return (now - before) / passed


def _ended(scene: Scene, event: Event) -> Scene:
    failed = number(event.facts, "code") != 0
    steps = tuple(replace(step, state="failed") if failed and step.state == "began" else step for step in scene.steps)
    return replace(scene, ended=event.facts, ended_at=event.at, steps=steps, shifting=None, armed=False)


_CHANGES: Mapping[str, Callable[[Scene, Event], Scene]] = {
    "began": _began,
    "step": _step,
    "shifting": _shifting,
    "shifted": _shifted,
    "reading": _reading,
    "asked": lambda scene, event: replace(scene, asked=asked(scene.asked, event)),
    "answered": lambda scene, event: replace(scene, asked=answered(scene.asked, event)),
    "ended": _ended,
}
