"""A plan: what the world looked like, and the steps from there. It is recorded whole, and never rebuilt."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..ports import Color, Installed, Json, Release, Split

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from ..world import World
    from .step import Step


class Situation(NamedTuple):
    """What was observed under the lease, before planning."""

    split: Split
    blue: Installed | None
    green: Installed | None
    balancer_runs: bool = True
    """As configured, that is: nothing has to be done before traffic can be shifted."""
    lag: float = 0.0
    """Seconds until what happens shows in the metrics."""
    aside: Mapping[str, str] = {}
    """The hosts that somebody leaves out, and why."""

    def on(self, color: Color) -> Installed | None:
        """What stands on a color."""
        return self.blue if color == "blue" else self.green


class Plan(NamedTuple):
    """One deployment (or smaller change), ready to be carried out."""

    deployment: str
    task: str
    starts_from: Situation
    steps: tuple[Step, ...]
    release: Release | None = None
    color: Color | None = None
    """The color it changes."""
    notes: tuple[str, ...] = ()
    """What people should know before it begins."""


def new_deployment(now: Any, tail: str) -> str:
    """An id that sorts by time: ``20261123-101500-ab12cd``."""
    return f"{now:%Y%m%d-%H%M%S}-{tail}"


def _adapter(kind: type) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def to_json(plan: Plan) -> dict[str, Json]:
    """A plan as plain data, steps by name."""
    head: dict[str, Json] = _adapter(Situation).dump_python(plan.starts_from, mode="json")
    return {
        "deployment": plan.deployment,
        "task": plan.task,
        "starts_from": head,
        "release": None if plan.release is None else list(plan.release),
        "color": plan.color,
        "notes": list(plan.notes),
        "steps": [{"step": s.name, **_adapter(type(s)).dump_python(s, mode="json")} for s in plan.steps],
    }


def from_json(data: Mapping[str, Any], kinds: Iterable[type[Step]]) -> Plan:
    """The plan back. ``kinds``: the step classes there are."""
    by_name = {kind.name: kind for kind in kinds}
    return Plan(
        deployment=data["deployment"],
        task=data["task"],
        starts_from=_adapter(Situation).validate_python(data["starts_from"]),
        steps=tuple(_step(by_name, fields) for fields in data["steps"]),
        release=None if data["release"] is None else Release(*data["release"]),
        color=data["color"],
        notes=tuple(data["notes"]),
    )


def _step(by_name: Mapping[str, type[Step]], fields: Mapping[str, Any]) -> Step:
    own = {key: value for key, value in fields.items() if key != "step"}
    step: Step = _adapter(by_name[fields["step"]]).validate_python(own)
    return step


def rendered(plan: Plan, world: World) -> Sequence[tuple[Step, Sequence[Sequence[str]]]]:
    """Each step with the text of every call it would make, as ``World.perform`` would receive them."""
    return [(step, [[call.text for call in batch] for batch in step.calls(world)]) for step in plan.steps]


def content(plan: Plan, world: World) -> dict[str, Any]:
    """What an approval binds to: where, the plan's fields, and every rendered call, as plain data.

    It is the same on every machine and at every time, as long as the world and the settings are: the id of the
    deployment, the folder of its archive, the project's own and this Python are left out.
    """
    texts = [[[_anywhere(text, world) for text in batch] for batch in calls] for _, calls in rendered(plan, world)]
    where = {"application": world.site.application, "environment": world.site.environment}
    whole = json.dumps({**where, "plan": to_json(plan), "calls": texts}, sort_keys=True)
    whole = whole.replace(plan.deployment, "<deployment>")
    if plan.release and "/" in plan.release.archive:
        own = json.dumps(plan.release.archive)[1:-1]
        whole = whole.replace(own, own.rpartition("/")[2])
    found: dict[str, Any] = json.loads(whole)
    return found


def _anywhere(text: str, world: World) -> str:
    """A call as another machine would render it."""
    for own, everywhere in ((sys.executable, "{python}"), (str(world.site.root), "{root}")):
        text = re.sub(rf"(?<![\w./-]){re.escape(own)}(?![\w.-])", everywhere, text) if own != "/" else text
    return text


def digest_of(found: Mapping[str, Any]) -> str:
    """SHA-256 of such a content."""
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def digest(plan: Plan, world: World) -> str:
    """SHA-256 over the fields and the rendered calls: what an approval binds to."""
    return digest_of(content(plan, world))
