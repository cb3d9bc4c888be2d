"""What deployments leave behind, and what of it goes: built releases, copies of the database, reports.

Nothing goes that something stands on: what is live or installed, the way back, the newest copy, and whatever an
unfinished deployment or a plan that was approved lately needs. Artifacts belong to all environments of an application;
while the ledger of one of them cannot be asked, none goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from .. import interrupt, view
from ..errors import DeployError
from ..ports import Call
from ..settings.retain import Limit, Retain, limit
from .consent import agree
from .opening import leased, open_world

if TYPE_CHECKING:
    from invoke import Context

    from ..ledger import Standing
    from ..ports import Calls
    from ..world import World

_DEADLINE = 60.0
"""Seconds for each deletion."""
_JUST_BUILT = timedelta(days=1)
"""Who built it may be about to deploy it."""
_LATELY = timedelta(days=7)
"""How long a plan that was written down or approved keeps the artifact of its commit."""


class Kept(NamedTuple):
    """Something that is kept, and since when. ``names``: what may say that it is needed."""

    name: str
    at: datetime
    names: frozenset[str] = frozenset()


def surplus(there: Sequence[Kept], keep: Limit, now: datetime) -> set[str]:
    """The names of what a limit lets go. Pure. The newest always stays."""
    newest_first = sorted(there, key=lambda one: (one.at, one.name), reverse=True)
    if keep.newest is not None:
        return {one.name for one in newest_first[keep.newest :]}
    age = timedelta(seconds=keep.age or 0.0)
    return {one.name for one in newest_first[1:] if now - one.at > age}


class Going(NamedTuple):
    """What goes, by its names."""

    artifacts: tuple[str, ...] = ()
    dumps: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What people should know."""

    @property
    def is_nothing(self) -> bool:
        """Whether all stays."""
        return not (self.artifacts or self.dumps or self.reports)


def going(world: World) -> Going:
    """What the retention of an environment lets go now. Reads; changes nothing. Raises ``Unreachable``."""
    of = cast("Retain", world.settings.sections.get("retain") or Retain())
    standing = world.ledger.head().standing
    notes: list[str] = []
    artifacts = _artifacts(world, of.artifacts, standing, notes) if of.artifacts else ()
    dumps = _dumps(world, limit(of.dumps), standing) if of.dumps else ()
    reports = _reports(world, limit(of.reports), standing) if of.reports else ()
    return Going(tuple(artifacts), tuple(dumps), tuple(reports), tuple(notes))


# -- what is needed ------------------------------------------------------------


def _artifacts(world: World, keep: str, standing: Standing, notes: list[str]) -> Sequence[str]:
    """Names of built releases, without their endings."""
    from ..release import artifact

    there = [
        Kept(one.name, _written(Path(one.archive)), frozenset({one.digest, one.commit}))
        for one in artifact.built(world.artifacts)
    ]
    too_many = surplus(there, limit(keep), world.clock.now())
    too_many -= {one.name for one in there if world.clock.now() - one.at < _JUST_BUILT}
    if not too_many:
        return ()
    try:
        needed = set().union(*_needed_anywhere(world, standing))
    except DeployError as error:
        notes.append(f"no artifact goes: {error.what}")
        return ()
    return sorted(one.name for one in there if one.name in too_many and not one.names & needed)


def _needed_anywhere(world: World, standing: Standing) -> Iterator[set[str]]:
    """Digests and commits that this environment needs, then those of each other one."""
    from ..checklist.elsewhere import other_worlds

    yield _needed(world, standing)
    yield {found.digest for found in world.fleet.colors().values() if found is not None}
    for other in other_worlds(world).values():
        yield _needed(other, other.ledger.head().standing)


def _needed(world: World, standing: Standing) -> set[str]:
    """What is settled, placed on a color, on its way, the latest success, or in a plan that was approved lately."""
    found = {placed.digest for placed in standing.releases.values()}
    found |= {success.digest for success in standing.succeeded[-1:]}
    found |= {one.digest for one in (standing.settled, standing.open) if one is not None}
    found |= {ended.digest for ended in standing.recent[-1:] if ended.resumable or ended.outcome == "held"}
    for signed in standing.signed:
        if signed.act in ("plan", "approve") and world.clock.now() - signed.at <= _LATELY:
            event = next(iter(world.ledger.events(after=signed.number - 1)), None)
            found.add(str(event.facts.get("commit") or "") if event is not None else "")
    return found - {""}


def _dumps(world: World, keep: Limit, standing: Standing) -> Sequence[str]:
    """Names of copies. The newest stays, and those of an unfinished deployment and of the one that is settled."""
    if world.database is None:
        return ()
    there = [Kept(one.name, one.at, frozenset(one.tags.values())) for one in world.database.backups()]
    too_many = surplus(there, keep, world.clock.now())
    needed = {one.deployment for one in (standing.open, standing.settled) if one is not None}
    stays = {one.name for one in there if one.names & needed or any(name in one.name for name in needed)}
    return [one.name for one in there if one.name in too_many - stays]


def _reports(world: World, keep: Limit, standing: Standing) -> Sequence[str]:
    """Names of files. Those that evidence of the last day names stay."""
    folder = _folder(world)
    files = [file for file in folder.iterdir() if file.is_file()] if folder.is_dir() else []
    there = [Kept(file.name, _written(file)) for file in files if not file.name.startswith(".")]
    recent = [one.detail for one in standing.evidence if world.clock.now() - one.at <= timedelta(days=1)]
    too_many = surplus(there, keep, world.clock.now())
    return sorted(name for name in too_many if not any(name in detail for detail in recent))


def _folder(world: World) -> Path:
    return world.site.folder / "reports"


def _written(file: Path) -> datetime:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:  # somebody else deletes it as well
        return datetime.now(UTC)


# -- letting it go -------------------------------------------------------------


def calls(world: World, what: Going) -> Calls:
    """The deletions, each of which does nothing when it was done already."""
    made: list[Call] = []
    if what.artifacts:
        made.append(_deleting("artifacts", world.artifacts, what.artifacts, (".json", ".tar.gz")))
    if what.reports:
        made.append(_deleting("reports", _folder(world), what.reports, ("",)))
    dumps = world.database.discard(what.dumps) if what.dumps and world.database is not None else ()
    return [*([[one] for one in made]), *dumps]


def _deleting(what: str, folder: Path, names: Sequence[str], endings: Sequence[str]) -> Call:
    def perform(timeout: float) -> None:
        del timeout
        for name in names:
            for ending in endings:  # the note first: an archive without one is none
                (folder / f"{name}{ending}").unlink(missing_ok=True)

    return Call(f"delete {_counted(len(names), what)}: {', '.join(names)}", perform)


def _counted(number: int, what: str) -> str:
    return f"{number} {what if number != 1 else what[:-1]}"


def let_go(world: World, what: Going) -> None:
    """Delete it, and record what went. Nothing is recorded when nothing goes."""
    if what.is_nothing:
        return
    world.perform(calls(world, what), _DEADLINE)
    facts: Mapping[str, Sequence[str]] = {"artifacts": what.artifacts, "dumps": what.dumps, "reports": what.reports}
    world.note("pruned", **{name: list(gone) for name, gone in facts.items() if gone})


def prune(c: Context, env: str | None, *, preview: bool, consent: bool, wait: float) -> None:
    """The whole of ``inv prune``."""
    world = open_world(c, env, consent=consent)
    if preview:
        what = going(world)
        _tell(what, [f"would: {call.text}" for batch in calls(world, what) for call in batch])
        return
    agree(world, f"Delete what the retention of {world.settings.name} lets go?")
    with interrupt.caught(), leased(world, "prune", wait):
        what = going(world)
        let_go(world, what)
    gone = {"artifacts": what.artifacts, "dumps": what.dumps, "reports": what.reports}
    _tell(what, [f"deleted {_counted(len(names), kind)}" for kind, names in gone.items() if names])


def _tell(what: Going, lines: Sequence[str]) -> None:
    view.say("\n".join([*what.notes, *(lines or ["nothing goes: all of it is needed, or kept"])]))


def tidy(world: World) -> None:
    """After a deployment that went well, under its lease: let go of what may. Best effort: it is told, never raised."""
    if world.settings.sections.get("retain") in (None, Retain()):
        return
    try:
        let_go(world, going(world))
    except (DeployError, OSError) as error:
        view.say(f"the retention is left for later: {getattr(error, 'what', error)}")
