"""Take back what one deployment changed in the database's schema: after traffic, when somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DeployError, GateRefused, WayBackFailed
from ..ledger.facts import color as color_of, text, texts, truth
from ..steps.backup import configured
from ..steps.migrate import on_color
from ..steps.reversal import IRREVERSIBLE, Reversal, later, reversal

if TYPE_CHECKING:
    from ..ledger.facts import Facts
    from ..ports import Call, Color
    from ..world import World

_UNTOUCHED = "traffic is home; the database was not touched"
_SNAPSHOT = "a snapshot is never restored by a rollback: `inv restore-database` does that, with consent"
_DEADLINE = 3600.0
"""Seconds for each command, as long as for a migration."""


class Migration(NamedTuple):
    """The last migration that the ledger knows: when it began, and when it ended well (else empty)."""

    began: Facts
    ended: Facts

    @property
    def facts(self) -> Facts:
        """What is known of it."""
        return self.ended or self.began

    @property
    def color(self) -> Color | None:
        """The color whose release brought it."""
        return color_of(self.facts, "color")


def reverse(world: World) -> None:
    """Reverse exactly what the last deployment that migrated has applied, and read it back.

    Raises ``GateRefused`` when that cannot be done, and the database is as it was; ``WayBackFailed`` when it was done
    in part.
    """
    from .. import view
    from .opening import leased

    with leased(world, "reverse the migration"):
        wanted = _wanted(world)
        if isinstance(wanted, str):
            view.say(wanted)
            return
        migration, plan = wanted
        with _in_its_release(world, migration):
            _check(world, migration, plan)
            _carry_out(world, migration, plan)
        command = "; ".join(plan.commands)
        world.note("reversed", color=migration.color, command=command, migrations=list(plan.migrations))
    view.say(f"reversed the migration of {migration.color}{': ' if plan.migrations else ''}{_listed(plan.migrations)}")


def preview(world: World) -> Sequence[str]:
    """The commands that ``reverse`` would run, and in their place why it would not."""
    try:
        wanted = _wanted(world)
    except GateRefused as error:
        return [f"would not touch the database: {error.what}"]
    if isinstance(wanted, str):
        return [f"would not touch the database: {wanted}"]
    migration, plan = wanted
    return [f"would: {call.text}" for call in _calls(world, migration, plan)]


def _wanted(world: World) -> tuple[Migration, Reversal] | str:
    """What is to be taken back, and how; or why there is nothing to do."""
    migration = _last(world)
    if migration is None:
        raise GateRefused("no migration is recorded", state=_UNTOUCHED, do=_SNAPSHOT)
    if not migration.began and not migration.ended:
        return "the last migration was reversed already"
    facts = migration.facts
    command, preset, migrator = text(facts, "reverse"), text(facts, "preset"), text(facts, "migrator")
    if command:
        plan = Reversal((), (command,))
    elif preset and migrator and migration.began:
        plan = _planned(world, migration, preset, migrator)
    else:
        raise GateRefused("no migration is recorded as reversible", state=_UNTOUCHED, do=_SNAPSHOT)
    if not plan.commands:
        return "the last deployment has left no migration in the database: there is nothing to reverse"
    _require_no_users(world, migration)
    return migration, plan


def _last(world: World) -> Migration | None:
    """The last migration; one without facts when it was reversed; ``None`` when there never was one."""
    found: Migration | None = None
    for event in world.ledger.events():
        if event.kind == "migrating":
            found = Migration(event.facts, {})
        elif event.kind == "migrated":
            is_same = found is not None and found.began.get("deployment") == event.facts.get("deployment")
            found = Migration(found.began if found and is_same else {}, event.facts)
        elif event.kind == "reversed":
            found = Migration({}, {})
    return found


def _planned(world: World, migration: Migration, preset: str, migrator: str) -> Reversal:
    before, now = texts(migration.began, "before"), configured(world).applied()
    after = texts(migration.ended, "after") if migration.ended else now
    if others := later(preset, after, now):
        raise GateRefused(
            f"since then somebody else has applied {_listed(others)}: that would go as well",
            state=_UNTOUCHED,
            do="reverse that by hand first, then this: `inv rollback --database` again",
        )
    return reversal(preset, migrator, before, now)


def _require_no_users(world: World, migration: Migration) -> None:
    """The release that brought a migration needs it: users must be elsewhere."""
    color = migration.color
    if color is None:
        raise GateRefused("the migration is recorded without its color", state=_UNTOUCHED, do=_SNAPSHOT)
    if world.traffic.read().share(color):
        raise GateRefused(
            f"users are on {color}, whose release brought the migration and needs it",
            state="the database was not touched",
            do="send traffic to the other color first",
        )


@contextmanager
def _in_its_release(world: World, migration: Migration) -> Iterator[None]:
    """Meanwhile the release that brought the migration is the color's current one: a deployment that was taken back has
    put another one there, or none, and left it on the hosts."""
    color, release = migration.color, text(migration.facts, "release")
    assert color is not None  # it was looked at
    found = world.fleet.installed(color)
    before = found.release if found else None
    if not release or truth(migration.facts, "here") or before == release:
        yield
        return
    try:
        world.perform(world.fleet.switch(color, release))
    except DeployError as error:
        raise GateRefused(
            f"{release}, which brought the migration, is no longer there for {color}: only it knows the way back",
            state=_UNTOUCHED,
            do=f"`inv install` it, then this again; {error.what}",
        ) from error
    try:
        yield
    finally:
        with world.going_back():
            world.perform(world.fleet.switch(color, before))


def _calls(world: World, migration: Migration, plan: Reversal) -> list[Call]:
    here, color = truth(migration.facts, "here"), migration.color
    assert color is not None  # it was looked at
    return [on_color(world, color, command, "reverse the migration", here=here) for command in plan.commands]


def _check(world: World, migration: Migration, plan: Reversal) -> None:
    """Ask the release whether all of it can be taken back, before anything is."""
    if plan.check is None:
        return
    color = migration.color
    assert color is not None  # it was looked at
    here = truth(migration.facts, "here")
    try:
        world.perform([[on_color(world, color, plan.check, "check the way back", here=here)]], 300.0)
    except DeployError as error:
        told = str(error)
        _, found, rest = told.partition(IRREVERSIBLE)
        raise GateRefused(
            f"these migrations cannot be reversed: {rest.splitlines()[0].strip()}"
            if found
            else f"whether the migrations can be reversed is not known: {error.what}",
            state=_UNTOUCHED,
            do="write their reverse operations (reverse_code, reverse_sql); or go forward with a migration that mends",
        ) from error


def _carry_out(world: World, migration: Migration, plan: Reversal) -> None:
    """Run the commands, and read back. What Alembic cannot take back shows only here."""
    recorded = bool(migration.began) and not text(migration.facts, "reverse")
    problem: DeployError | None = None
    at_first = configured(world).applied() if recorded else ()
    try:
        for call in _calls(world, migration, plan):
            world.perform([[call]], _DEADLINE)
    except DeployError as error:
        if not recorded:
            raise
        problem = error
    if not recorded:
        return
    now, before = configured(world).applied(), texts(migration.began, "before")
    if set(now) == set(before):
        return
    if problem and set(now) == set(at_first):
        raise GateRefused(f"it cannot be reversed: {problem.what}", state=_UNTOUCHED, do=_SNAPSHOT) from problem
    raise WayBackFailed(
        f"the migrations were reversed in part{f': {problem.what}' if problem else ''}",
        state=f"traffic is home; {_difference(before, now)}",
        do="look at the database with the release that brought them, and go on by hand",
    ) from problem


def _difference(before: Sequence[str], now: Sequence[str]) -> str:
    left, gone = [one for one in now if one not in before], [one for one in before if one not in now]
    said = [f"still applied: {_listed(left)}"] if left else []
    said += [f"reversed, though it was there before: {_listed(gone)}"] if gone else []
    return "; ".join(said)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
