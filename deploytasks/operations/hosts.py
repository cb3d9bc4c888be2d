"""Which hosts a deployment goes on without: as somebody says, and as the ledger knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .. import redaction
from ..at_once import at_once
from ..errors import UsageError
from ..ledger.facts import part, text, texts
from ..ports import COLORS, Event

if TYPE_CHECKING:
    from ..engine.plan import Plan
    from ..world import World


class Absent(NamedTuple):
    """A host that a deployment went on without."""

    why: str
    failed: bool
    """On the way; otherwise somebody left it out from the beginning."""


def leave_out(world: World, given: Sequence[str] | None, reason: str | None) -> None:
    """Have the deployment that follows leave hosts out: ``["h3", "h4,h5"]``. Raises ``UsageError``."""
    names = [name.strip() for one in given or () for name in one.split(",") if name.strip()]
    if not names:
        return
    if not (reason or "").strip():
        raise UsageError(f"why leave out {', '.join(names)}?", do="say --reason: it is recorded, and others will ask")
    known = list(world.whole_fleet.hosts())
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"there is no host {', '.join(unknown)}", do=f"choose from: {', '.join(known)}")
    world.aside |= dict.fromkeys(names, str(redaction.clean(str(reason).strip())))
    for color in COLORS:
        if not world.fleet.hosts(color):
            raise UsageError(f"without {', '.join(names)} no host is left for {color}", do="leave fewer out")


def absent(plan: Plan, events: Iterable[Event]) -> Mapping[str, Absent]:
    """The hosts that a recorded deployment goes on without, after these events."""
    found = {host: Absent(why, failed=False) for host, why in plan.starts_from.aside.items()}
    for event in events:
        if event.kind == "began":
            for host, why in part(event.facts, "aside").items():
                found.setdefault(host, Absent(str(why), failed=False))
        elif event.kind == "host-set-aside" and event.facts.get("deployment") == plan.deployment:
            found[text(event.facts, "host")] = Absent(text(event.facts, "why"), failed=True)
        elif event.kind == "hosts-back":
            for host in texts(event.facts, "hosts"):
                found.pop(host, None)
    return found


def rejoin(world: World, missing: Mapping[str, Absent]) -> tuple[str, ...]:
    """Which of the absent hosts answer again; the others stay out. Who is left out anew stays out, too.

    Raises ``HostsDown`` when a host is silent that nobody knew to be.
    """
    asked = [host for host in world.whole_fleet.hosts() if host in missing and host not in world.aside]
    came = at_once([world.whole_fleet.only([host]).colors for host in asked], world.settings.parallel)
    silent = {host for host, one in zip(asked, came, strict=True) if one.error is not None}
    world.aside |= {host: missing[host].why for host in silent}
    world.lost |= {host for host in silent if missing[host].failed}
    world.fleet.colors()
    return tuple(host for host in asked if host not in silent)
