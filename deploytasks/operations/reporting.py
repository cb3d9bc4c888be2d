"""Everything that the ledger knows about one deployment, as plain data; and as a page that is kept beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import view
from ..durable import make_folder, written_aside
from ..errors import DeployError, UsageError
from ..ledger.facts import part, parts, text
from ..ledger.projections import happened_at
from ..ports import COLORS, Event
from .checklists import recorded_checklist, signatures

if TYPE_CHECKING:
    from invoke import Context

    from ..ports import Json
    from ..world import World

Answer = dict[str, Any]

_BESIDE = (
    "rolled-back", "rollback-failed", "deadman-fired", "deadman-failed", "restored", "reversed", "maintenance",
    "retired", "undelivered", "lesson", "asked", "hosts-back",
)  # fmt: skip
"""What may be recorded about a deployment by others, or after it."""
QUARTER = timedelta(days=90)
_LAST = 20
"""How many deployments are named to somebody who asked for one that is not there."""


# -- what is known ---------------------------------------------------------------------------------------


def reported(world: World, deployment: str | None) -> Answer:
    """All of it as plain data. ``deployment``: its name, the beginning or the end of it, or a version, of which the
    last one counts; default: the last deployment."""
    world.spool.drain(world.ledger)
    events = list(world.ledger.events())
    begun = [event for event in events if event.kind == "began" and text(event.facts, "deployment")]
    wanted = _chosen(begun, deployment)
    own = [event for event in events if wanted and event.facts.get("deployment") == wanted]
    last = next((event for event in reversed(own) if event.kind == "ended"), own[-1] if own else None)
    standing = world.ledger.head().standing
    return {
        "application": world.site.application,
        "environment": world.site.environment,
        "deployment": wanted if own else None,
        "known": list(dict.fromkeys(text(event.facts, "deployment") for event in begun))[-_LAST:],
        "at": world.clock.now().isoformat(),
        "events": [_event(event) for event in own],
        "planned": _planned(own),
        "beside": [_event(event) for event in _beside(events, begun, own)],
        "checklist": recorded_checklist(events, own),
        "signed": signatures(events, own),
        "last": {"number": last.number, "digest": last.digest} if last else None,
        "open": bool(own) and standing.open is not None and standing.open.deployment == wanted,
        "at_work": _at_work(world),
    }


def _chosen(begun: Sequence[Event], given: str | None) -> str | None:
    """The name of a deployment; what was given, when nothing goes by it."""
    names = list(dict.fromkeys(text(event.facts, "deployment") for event in begun))
    if not given:
        return names[-1] if names else None
    alike = [name for name in names if name.startswith(given) or name.endswith(given)]
    of_version = [text(event.facts, "deployment") for event in begun if text(event.facts, "version") == given]
    if given in names or not (alike or of_version):
        return given
    return of_version[-1] if of_version else alike[0] if len(alike) == 1 else given


def _event(event: Event) -> Answer:
    facts = {key: value for key, value in event.facts.items() if key != "plan"}
    at = happened_at(event).isoformat()
    return {"number": event.number, "at": at, "kind": event.kind, "who": event.who, "facts": facts}


def _planned(own: Sequence[Event]) -> Answer:
    """Of the plan it began with: the steps, the rules of its rollout, and what stood where."""
    from ..view.scene import labels

    plan = part(own[0].facts, "plan") if own else {}
    rules = next((part(step, "rules") for step in parts(plan, "steps") if part(step, "rules")), {})
    seen = plan.get("starts_from")
    before = list(seen) if isinstance(seen, list | tuple) and len(seen) > 2 else [None, None, None]
    return {
        "steps": labels(plan) if plan else [],
        "rules": dict(rules),
        "split": before[0],
        "before": {color: _placed(found) for color, found in zip(COLORS, before[1:3], strict=True)},
        "notes": plan.get("notes") or [],
    }


def _placed(found: Json) -> Answer | None:
    """What stood on a color: release, digest and version."""
    if not isinstance(found, list | tuple) or len(found) < 3:
        return None
    return dict(zip(("release", "digest", "version"), found, strict=False))


def _beside(events: Sequence[Event], begun: Sequence[Event], own: Sequence[Event]) -> list[Event]:
    """What happened to it by other hands, until the next deployment began; and who was not told of it."""
    if not own:
        return []
    numbers, name = {event.number for event in own}, own[0].facts.get("deployment")
    others = (event for event in begun if event.number > own[0].number and event.facts.get("deployment") != name)
    until = next((event.at for event in others), None)

    def belongs(event: Event) -> bool:
        if event.number in numbers or event.kind not in _BESIDE or event.facts.get("deployment"):
            return False
        if event.kind == "undelivered":
            return event.facts.get("number") in numbers
        at: datetime = happened_at(event)
        return own[0].at <= at and (until is None or at < until)

    return [event for event in events if belongs(event)]


def _at_work(world: World) -> Answer | None:
    """Who holds the lease, and whether that process is surely gone; ``None``: nobody, or nobody can tell."""
    from ..ledger import Holder, holding
    from ..providers.identity import identity, is_alive

    try:
        found = holding(world.store, world.scope)
    except (DeployError, OSError):
        return None
    if found is None:
        return None
    dead = found.is_dead(Holder.here(world.site.who, identity, world.site.host), is_alive)
    return {"who": found.holder.who, "host": found.holder.host, "doing": found.doing, "dead": dead}


# -- as a page -------------------------------------------------------------------------------------------


def tell(
    c: Context, env: str | None, deployment: str | None, *, out: str | None, open_: bool, text_only: bool, json: bool
) -> None:
    """The whole of ``inv report``. Raises ``UsageError`` for a deployment that is not there."""
    from . import answers
    from .opening import open_world

    world = open_world(c, env, need=("store",))
    answer = answers.report(world, deployment)
    view.show("report", answer, json)
    if deployment and answer["deployment"] is None:
        raise UsageError(f"no deployment {deployment!r} of {world.scope} is recorded", do="choose one that is")
    if answer["deployment"] is None or ((json or text_only) and not (out or open_)):
        return
    file = write(world, answer, out)
    view.say(f"the report as a page: {file}")
    if open_:
        _show(file)


def write(world: World, answer: Answer, out: str | None = None) -> Path:
    """The page, in a file that is there whole or not at all; ``out``: where, instead of beside the ledger. Raises
    ``UsageError`` when it cannot be written there."""
    from ..view.html.report import page

    file = _place(world, str(answer["deployment"]), out)
    content = page({**answer, "metrics": _metrics(world)})
    try:
        make_folder(file.parent)
        with written_aside(file.parent, content.encode("utf-8", "replace")) as aside:
            aside.replace(file)
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"the report cannot be written to {file}: {why}", do="say another file with --out") from error
    return file


def _metrics(world: World) -> Answer | None:
    """How well the environment was delivered to in the last quarter. A report does without it."""
    from .measuring import measure

    now = world.clock.now()
    try:
        return measure(world, now - QUARTER, now)
    except (DeployError, OSError):
        return None


def _place(world: World, deployment: str, out: str | None) -> Path:
    if out:
        given = Path(out).expanduser()
        return given / f"{_file_name(deployment)}.html" if given.is_dir() else given
    return world.site.folder / "reports" / f"{_file_name(deployment)}.html"


def _file_name(deployment: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", deployment).lstrip(".-") or "report"


def _show(file: Path) -> None:
    """Open it in a browser, where there is one."""
    import webbrowser

    try:
        is_shown = webbrowser.open(file.resolve().as_uri())
    except webbrowser.Error:
        is_shown = False
    if not is_shown:
        view.say("no browser can be opened from here: open the file on a machine that has one")
