"""Ad hoc work on hosts: a command on all of them, and their logs as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from .. import executor, interrupt, view
from ..errors import CommandsFailed, DeployError, Interrupted, LeaseHeld, Unreachable, UsageError
from .asking import chosen
from .consent import agree
from .opening import leased, open_world

if TYPE_CHECKING:
    from invoke import Context

    from ..ports import Color, Fleet
    from ..world import World


def run(
    c: Context,
    env: str | None,
    color: str | None,
    hosts: Sequence[str] | None,
    *,
    preview: bool,
    consent: bool,
    force: bool,
) -> None:
    """Run what stands after ``--`` in the current release of a color, on all its hosts or on some.

    Under the lease, so that nobody deploys meanwhile; with ``force`` without. Recorded as ``ran``, whatever came of it.
    Raises ``CommandsFailed`` when it failed somewhere, ``Unreachable`` when it ran nowhere.
    """
    command = executor.remainder().strip()
    if not command:
        raise UsageError("run what?", do="inv run --env … --color green -- COMMAND")
    if color is None:
        raise UsageError("on which color?", do="say --color blue, green, live or idle")
    world = open_world(c, env, need=("traffic", "fleet", "store"), consent=consent)
    target = chosen(world, color)
    fleet = _selected(world, target, hosts)
    if preview:
        calls = fleet.command(target, command, lambda host, said: None)
        view.say("\n".join(f"would: {call.text}" for batch in calls for call in batch))
        return
    agree(world, f"Run `{command}` on {', '.join(fleet.hosts(target))}?")
    with interrupt.caught(), ExitStack() as stack:
        if not force:
            _take_the_lease(world, stack)
        _run(world, fleet, target, command)


def _take_the_lease(world: World, stack: ExitStack) -> None:
    try:
        stack.enter_context(leased(world, "run"))
    except LeaseHeld as error:
        error.do = f"{error.do}; or run it all the same, with --force" if error.do else "with --force: all the same"
        raise


def _run(world: World, fleet: Fleet, color: Color, command: str) -> None:
    world.catch_up()  # what could not be recorded is not done
    hosts = fleet.hosts(color)
    codes: dict[str, int] = {}
    tell = view.hosts(hosts)

    def hear(host: str, said: str | int) -> None:
        if isinstance(said, int):
            codes[host] = said
        else:
            tell(host, said)

    failed: DeployError | None = None
    try:
        world.perform(fleet.command(color, command, hear), float("inf"))
    except (LeaseHeld, UsageError):
        raise
    except DeployError as error:
        failed = error
    finally:
        with interrupt.held_off(), world.going_back():
            ended = {host: codes.get(host) for host in hosts}
            world.note("ran", color=color, command=command, hosts=ended)
    if failed is not None:
        _fail(failed, codes, hosts)


def _fail(error: DeployError, codes: dict[str, int], hosts: Sequence[str]) -> None:
    """Say what it came to: the codes, by host."""
    if not codes:
        raise Unreachable(error.what, state="nothing was run", do=error.do) from error
    bad = [f"{host} {codes.get(host, 'was lost')}" for host in hosts if codes.get(host) != 0]
    raise CommandsFailed(
        f"it failed on {len(bad)} of {len(hosts)}: {', '.join(bad)}", state="nothing is taken back"
    ) from error


def logs(c: Context, env: str | None, color: str | None, hosts: Sequence[str] | None, *, lines: int) -> None:
    """Show what a color's hosts say, until Ctrl-C, which is how it ends well."""
    world = open_world(c, env, need=("traffic", "fleet"))
    target = chosen(world, color or "live")
    fleet = _selected(world, target, hosts)
    tell = view.hosts(fleet.hosts(target))

    def hear(host: str, said: str | int) -> None:
        if not isinstance(said, int):
            tell(host, said)

    try:
        with interrupt.caught():
            fleet.follow(target, max(0, lines), hear)
    except Interrupted as error:
        if error.exit_code != 130:
            raise


def _selected(world: World, color: Color, given: Sequence[str] | None) -> Fleet:
    """The fleet, or as much of it as was asked for."""
    names = [name.strip() for one in given or () for name in one.split(",") if name.strip()]
    known = world.fleet.hosts(color)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"{color} is on no host {', '.join(unknown)}", do=f"choose from: {', '.join(known)}")
    return world.fleet.only(names) if names else world.fleet
