"""Under which names people are recorded, who is known by which id, and how somebody is forgotten."""

from __future__ import annotations

import getpass
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, cast

from .. import redaction, view
from ..errors import DeployError, SettingsError, UsageError
from ..pseudonyms import HOME, PROJECT, Names
from ..settings import load
from ..vault import HERE, Vault
from .consent import agree
from .opening import open_world, person

if TYPE_CHECKING:
    from invoke import Context

    from ..settings import Settings
    from ..settings.people import People

_PATIENCE = 20.0
"""Seconds to wait for the key, for whoever goes forward."""
_OFF = (None, False, "false", "no", "off", "0", 0)


def names(
    config: Mapping[str, Any], settings: Settings, root: Path, vault: Vault = HERE, patience: float = _PATIENCE
) -> Names | None:
    """The ids that an environment's configuration asks for; ``None``: people are recorded by name.

    ``patience``: seconds that the key may take to come; a way back goes on without it.
    """
    environment = (config.get("environments") or {}).get(settings.name) or {}
    parts = [part for part in (config.get("people"), environment.get("people")) if isinstance(part, Mapping)]
    if {key: value for part in parts for key, value in part.items()}.get("pseudonyms") in _OFF:
        return None
    state = root / settings.state
    try:
        of = cast("People", load(config, settings.name, ("people",)).sections["people"])
    except SettingsError:
        return Names(None, state / "people.json", "")
    key = _key(vault, of.key_from, patience) if of.key_from else None
    redaction.hide(key or "")
    made = Names(key, state / of.file, of.key_from or "")
    _hide(made, root)
    return made


def _key(vault: Vault, variable: str, patience: float) -> str | None:
    """The key, if it is to be had in time: somebody may be going back, while the source of secrets is silent."""
    if not vault.has_source:
        return vault.get(variable)
    heard: SimpleQueue[str | None] = SimpleQueue()

    def ask() -> None:
        found = None
        with suppress(DeployError):
            found = vault.get(variable)
        heard.put(found)

    threading.Thread(target=ask, name="ask for the key", daemon=True).start()
    with suppress(Empty):
        return heard.get(timeout=patience)
    return None


def _hide(made: Names, root: Path) -> None:
    """What may turn up in an error or in a plan, and would name who deploys: paths, ``name@host``, the machine."""
    made.hide(str(root), PROJECT)
    with suppress(RuntimeError, OSError, KeyError):
        made.hide(str(Path.home()), HOME)
        login, host = getpass.getuser(), socket.gethostname()
        made.hide_in_sentences(f"{login}@{host}", made.person(person()))
        if host != "localhost":
            made.hide_in_sentences(host, made.machine(host))
        if person() != login:
            made.hide_in_sentences(person(), made.person(person()))


def people(
    c: Context, env: str | None, *, forget: str | None, json: bool, preview: bool, consent: bool = False
) -> None:
    """Show who is known here by which id; or forget somebody, which a protected environment asks about first."""
    world = open_world(c, env, need=("store",), consent=consent)
    known = world.site.names
    if known is None:
        raise UsageError(
            f"people are recorded by name in {world.settings.name}: there is nothing to translate",
            do="`people: {pseudonyms: true, key_from: …}` changes that for what is recorded from then on",
        )
    if forget:
        if not preview:
            agree(world, f"Forget {forget}? Nothing here brings the name back.", "nobody was forgotten")
        ids = [key for key, name in known.known().items() if forget in (key, name)] if preview else known.forget(forget)
        if not ids:
            raise UsageError(
                f"nobody called {forget!r} is in {known.file}", do=f"`inv people --env {world.settings.name}`"
            )
        would = "would forget" if preview else "forgot"
        view.say(f"{would} {', '.join(ids)}: the ledger stays as it is; other copies of {known.file.name} do, too")
        return
    answer = {
        "environment": world.settings.name,
        "file": str(known.file),
        "people": dict(sorted(known.known().items())),
    }
    view.show("people", answer, json)
