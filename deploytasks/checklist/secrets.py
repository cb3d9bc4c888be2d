"""The variables of an environment, and which of them are secret: what is declared, and what ``…_from`` keys name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .. import redaction
from ..errors import UsageError
from . import dotenv

if TYPE_CHECKING:
    from ..settings.variables import Variables
    from ..world import World


class Secret(NamedTuple):
    """A secret by its name. ``value``: nothing where it is not set. ``shared``: other environments may have it, too."""

    name: str
    value: str | None
    named_by: str
    """``variables``, or the key that names it: ``database.url_from``."""
    shared: bool = False


def declared(world: World) -> Variables:
    """What is said about the application's variables; the defaults where nothing is."""
    from ..settings.variables import Variables as Nothing

    return cast("Variables", world.settings.sections.get("variables") or Nothing())


def file_of(world: World) -> Path | None:
    """The file with the application's variables, if there is one on this machine."""
    given = declared(world).file
    if given is not None:
        return world.site.path(given)
    fleet = world.settings.sections.get("fleet")
    on_host = getattr(fleet, "environment_file", None) if getattr(fleet, "kind", "") == "local" else None
    return Path(on_host) if on_host and "{" not in on_host else None


def values(world: World) -> Mapping[str, str]:
    """What the application finds in its environment, as far as it can be seen from here: its file, then
    ``fleet.environment``, then the environment of whoever deploys, then the source of secrets.

    Raises ``UsageError`` for a file that cannot be read, and what the source of secrets has to say.
    """
    fleet = getattr(world.settings.sections.get("fleet"), "environment", None) or {}
    found = {**os.environ, **fleet, **_in_file(file_of(world), world)}
    of = declared(world)
    lacking = [one.name for one in (*(of.required or ()), *of.optional) if not found.get(one.name)]
    return {**found, **world.site.vault.learn(lacking)}


def _in_file(file: Path | None, world: World) -> Mapping[str, str]:
    if file is None:
        return {}
    try:
        return dotenv.read(file.read_bytes(), file.name)
    except OSError as error:
        where = f"deploy.environments.{world.settings.name}.variables.file"
        raise UsageError(f"{where}: cannot read {file}: {error.strerror or error}", do="put it there") from error


def secrets(world: World) -> Sequence[Secret]:
    """All secrets that this environment names, each once. From now on, none of their values is shown."""
    found = {secret.name: secret for secret in (*_named_by_keys(world), *_declared_secret(world))}
    redaction.hide(*(secret.value for secret in found.values() if secret.value))
    return [found[name] for name in sorted(found)]


def _declared_secret(world: World) -> Iterator[Secret]:
    of = declared(world)
    variables = [one for one in (*(of.required or ()), *of.optional) if one.secret]
    if not variables:
        return
    known = values(world)
    optional = {one.name for one in of.optional}
    for one in variables:
        if one.name in known or one.name not in optional:
            yield Secret(one.name, known.get(one.name), "variables", one.shared)


def _named_by_keys(world: World) -> Iterator[Secret]:
    """What is said for all environments at once, or is about the store that they may share, is shared on purpose."""
    from ..settings.kinds import SHARED

    may_be_shared = declared(world).shared
    found = [(section, *one) for section, of in world.settings.sections.items() for one in _names(of, section)]
    found += [
        ("secrets", "secrets.names", name) for name in getattr(world.settings.sections.get("secrets"), "names", ())
    ]
    world.site.vault.learn([name for _, _, name in found])  # together
    for section, path, name in found:
        shared = section in SHARED or section == "store" or name in may_be_shared
        yield Secret(name, world.site.vault.get(name), path, shared)


def _names(settings: Any, path: str) -> Iterator[tuple[str, str]]:
    """The keys that end in ``_from`` and were given a variable, with their paths. One that is there by default alone is
    missed by whoever needs it."""
    from ..settings.base import Value

    if isinstance(settings, Value):
        for key in type(settings).model_fields:
            given = getattr(settings, key)
            if key.endswith("_from") and isinstance(given, str):
                if key in settings.model_fields_set:
                    yield f"{path}.{key}", given
            else:
                yield from _names(given, f"{path}.{key}")
    elif isinstance(settings, Mapping):
        for key, given in settings.items():
            yield from _names(given, f"{path}.{key}")
    elif isinstance(settings, tuple | list):
        for number, given in enumerate(settings):
            yield from _names(given, f"{path}[{number}]")
