"""Open an environment: its settings, its ports, its lease."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import executor, view
from ..settings import load, plain
from ..settings.kinds import TOLD
from ..world import World

if TYPE_CHECKING:
    from invoke import Context

    from ..ports import Listener
    from ..providers.site import Site
    from ..pseudonyms import Names
    from ..settings import Settings
    from ..vault import Vault

_FORWARD, _BACK = 20.0, 2.0
"""Seconds to wait for the key under which people are recorded; who needs only a part may be going back."""


def open_world(
    c: Context,
    env: str | None,
    *,
    need: Collection[str] | None = None,
    consent: bool = False,
    listener: Listener | None = None,
    exclude: Sequence[str] | None = None,
    reason: str | None = None,
    plan_file: str | None = None,
    tells: bool = False,
    connect_within: float | None = None,
) -> World:
    """The world of one environment. ``need``: the parts of the settings to validate (``None``: all).

    ``tells``: whether what it records is told elsewhere though it needs only parts; who needs all always tells.
    ``exclude``: hosts to go on without, for a ``reason``. ``plan_file``: a plan, whose environment is meant where none
    is named. ``connect_within``: seconds, at most, until a host counts as silent, whatever is configured.
    """
    if plan_file and not env:
        from .plan_file import read

        env = read(Path(plan_file)).environment
    executor.require()
    settings = load(plain(c.config.get("deploy", {})), env, need)
    if connect_within is not None:
        settings = _hurried(settings, connect_within)
    site = site_of(c, settings, _FORWARD if need is None else _BACK)
    if need is None and site.names is not None:
        site.names.require()
    world = World(settings, site, listeners=(listener or view.progress(),), consent=consent)
    if (need is None or tells) and is_somebody_told(world):
        from .telling import listen

        listen(world)
    if exclude:
        from .hosts import leave_out

        leave_out(world, exclude, reason)
    return world


def _hurried(settings: Settings, seconds: float) -> Settings:
    """The same, with hosts that are not waited for longer."""
    sections = dict(settings.sections)
    for name, value in sections.items():
        ssh = getattr(value, "ssh", None)
        if ssh is not None and ssh.connect_within > seconds:
            access = ssh.model_copy(update={"connect_within": seconds})
            sections[name] = value.model_copy(update={"ssh": access})
    return replace(settings, sections=sections)


def is_somebody_told(world: World) -> bool:
    """Whether anybody but the console is named who is told what happens; nothing is validated, and hardly imported."""
    if world.site.context is None:
        return False
    config = world.site.context.config.get("deploy", {})
    own = (config.get("environments") or {}).get(world.settings.name) or {}
    if "messages" not in own and "markers" not in own:
        return False
    return is_anybody_told(plain(own))


def is_anybody_told(environment: Mapping[str, Any]) -> bool:
    """Whether an environment, as it is written, names anybody but the console."""
    given = [environment.get(section) for section in TOLD]
    parts = [one for each in given for one in (each if isinstance(each, list) else [each])]
    return any(isinstance(one, Mapping) and one.get("kind") != "console" for one in parts)


def reloaded(world: World, part: str) -> Settings:
    """Settings with a part in them that was not asked for when the world was opened. Raises ``SettingsError``."""
    if part in world.settings.sections or world.site.context is None:
        return world.settings
    return load(plain(world.site.context.config.get("deploy", {})), world.settings.name, (part,))


def site_of(c: Context, settings: Settings, patience: float = _FORWARD) -> Site:
    """Where the providers of these settings stand. ``patience``: seconds that may go by until it is known as whom."""
    from ..providers import vault_of
    from ..providers.site import Site

    root = project_root(Path.cwd())
    folder = root / settings.state / settings.name
    vault = vault_of(
        plain(c.config.get("deploy", {})), Site(settings.application, settings.name, root, folder, c, who())
    )
    names = names_of(c, settings, root, vault, patience)
    own = who() if names is None else names.person(person())
    host = "" if names is None else names.machine(socket.gethostname())
    return Site(
        settings.application, settings.name, root, folder, c, own, settings.sections, settings.parallel, host, names,
        vault,
    )  # fmt: skip


def names_of(c: Context, settings: Settings, root: Path, vault: Vault, patience: float) -> Names | None:
    """Ids of people, where the configuration asks for them. A mistake in it is one for whoever validates all of it; a
    way back goes on, with nobody's name."""
    config = c.config.get("deploy", {})
    if not any("people" in part for part in (config, (config.get("environments") or {}).get(settings.name) or {})):
        return None
    from .people import names

    return names(plain(config), settings, root, vault, patience)


def project_root(start: Path) -> Path:
    """The nearest folder, from ``start`` upwards, that has a ``tasks.py``: where Invoke found its tasks."""
    for folder in (start, *start.parents):
        if (folder / "tasks.py").exists() or (folder / "tasks" / "__init__.py").exists():
            return folder
    return start


def person() -> str:
    """The name of who deploys, without the machine's."""
    with suppress(KeyError, OSError):
        return os.environ.get("DEPLOY_WHO") or getpass.getuser()
    return f"uid {os.getuid()}"


def who() -> str:
    """``name@host``; CI names its actor in ``DEPLOY_WHO``."""
    with suppress(KeyError, OSError):
        return os.environ.get("DEPLOY_WHO") or f"{getpass.getuser()}@{socket.gethostname()}"
    return f"uid {os.getuid()}@{socket.gethostname()}"


@contextmanager
def leased(world: World, doing: str, wait: float = 0.0) -> Iterator[None]:
    """Hold the environment's lease: beating while the body runs, given back whatever happens."""
    from ..errors import LeaseHeld
    from ..ledger import Holder, Lease
    from ..providers.identity import identity, is_alive

    if world.site.names is not None:
        world.site.names.require()
        world.site.names.save()
    me = Holder.here(world.site.who, identity, world.site.host)
    ttl = world.settings.lease
    try:
        lease = Lease.take(
            world.store, world.scope, me, doing, clock=world.clock, is_alive=is_alive, wait=wait, ttl=ttl, beat=ttl / 4
        )
    except LeaseHeld as error:
        error.what = world.site.readable(error.what)
        raise
    with lease:
        world.lease = lease
        try:
            if lease.taken_from:
                view.say(world.site.readable(f"took the lease over from {lease.taken_from}"))
                world.note("lease", state="taken-over", holder=world.site.who, doing=doing, taken_from=lease.taken_from)
            yield
        finally:
            world.lease = None
