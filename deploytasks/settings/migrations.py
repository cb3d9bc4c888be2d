"""How a database's schema is changed, how that is taken back, and how it is looked at before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from .base import Positive, Value
from .hosts import PLACEHOLDER, checked

Preset = Literal["django", "alembic"]

MIGRATORS: Mapping[str, str] = {"django": "{python} manage.py", "alembic": "{python} -m alembic"}
"""Preset → what is called."""
FORWARD: Mapping[str, str] = {"django": "migrate --noinput", "alembic": "upgrade head"}
"""Preset → what it is told to migrate."""

_OF_ONE = ("python", "root", "full", "app", "name", "before", "version")
"""What the settings about one migration may name: its full name, its app, its name without the app, the one that it
follows, and the version of the release that brings it."""


def _about_one(template: str) -> str:
    """The template as it is. Raises ``ValueError`` when it names what we cannot fill in."""
    unknown = [found[2] for found in PLACEHOLDER.finditer(template) if found[2] and found[2] not in _OF_ONE]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in _OF_ONE)
        raise ValueError(f"{{{unknown[0]}}} is no placeholder (double the braces to keep it); known: {known}")
    return template


AboutOne = Annotated[str, Field(min_length=1), AfterValidator(_about_one)]
"""A command or a path with the placeholders of one migration."""
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""The name of an environment variable."""


HERE = ("python", "root")
"""The placeholders of a command that runs on the machine that deploys."""


class Rehearsal(Value):
    """``{variable: DATABASE_URL}``: how the application is told to use a copy of its database."""

    variable: Variable
    """The environment variable in which the application finds its database."""
    value: Annotated[str, Field(pattern=r"\{(path|url|name)\}")] | None = None
    """What it is set to: ``{path}`` of the copy with SQLite, ``{url}`` or ``{name}`` of it elsewhere. By default
    ``{path}`` or ``{url}``."""
    environment: Mapping[Variable, str] = {}
    """Further variables, over those of ``fleet.environment``. No secrets."""
    command: Annotated[str, Field(min_length=1), AfterValidator(checked)] | None = None
    """The command that migrates the copy, in the unpacked release; by default the one that migrates the database."""
    within: Positive = 3600.0
    """How long it may take."""


class Migrations(Value):
    """``preset: django``, or ``migrate:`` and, where something takes that back, ``reverse:``."""

    announce: ClassVar[str] = ""
    """Set before a preset's commands: how the database recognizes them."""

    migrate: Annotated[str, Field(min_length=1)] | None = None
    """The command that migrates. Without it and without ``preset`` a deployment makes neither migration nor backup."""
    reverse: Annotated[str, Field(min_length=1)] | None = None
    """The command that takes the last migration back, for ``rollback --database``. Recorded with each migration;
    without it and without ``preset`` none counts as reversible."""
    preset: Preset | None = None
    """``django`` or ``alembic``: what migrates is known then, what was applied is recorded, and exactly that can be
    reversed."""
    migrator: Annotated[str, Field(min_length=1)] | None = None
    """The command that the preset calls; by default ``{python} manage.py`` or ``{python} -m alembic``."""

    migrations: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """The files that are migrations, as patterns relative to the project (``db/**/*.sql``). By default those that the
    preset's tool would find. See docs/migrations.md."""
    pending: AboutOne | None = None
    """The command that prints the pending migrations, one name in a line. By default those are pending that the live
    release's commit does not have."""
    sql: AboutOne | None = None
    """The command that prints the SQL of one migration, with ``{app}``, ``{name}``, ``{full}`` and ``{before}``:
    ``{python} manage.py sqlmigrate {app} {name}``."""
    rollback_plan: AboutOne = "rollback/{full}.md"
    """The file of a written plan for a migration that cannot be reversed. ``{full}``, ``{app}``, ``{name}``,
    ``{version}`` may be named. Relative to the project."""
    rehearsal: Rehearsal | None = None
    """How ``inv rehearse`` migrates a copy; without it the time that a migration takes is unknown."""

    @model_validator(mode="before")
    @classmethod
    def _filled_by_the_preset(cls, given: Any) -> Any:
        preset = given.get("preset") if isinstance(given, Mapping) else None
        if not isinstance(preset, str) or preset not in MIGRATORS:
            return given
        migrator = given.get("migrator") or cls.announce + MIGRATORS[preset]
        return {"migrate": f"{migrator} {FORWARD[preset]}", **given, "migrator": migrator}

    @field_validator("migrate", "reverse", "migrator")
    @classmethod
    def _can_be_filled_in(cls, command: str | None) -> str | None:
        return checked(command) if command else command


class Elsewhere(Migrations):
    """Migrations of a database that both the hosts and the machine that deploys can reach."""

    where: Literal["fleet", "local"] = "fleet"
    """Where migrations run: ``fleet``, once, on one host, in the release that needs them; or ``local``, in the
    project's folder."""

    @model_validator(mode="after")
    def _can_be_run_here(self) -> Self:
        commands = [self.migrate, self.reverse, self.migrator] if self.where == "local" else []
        names = {found[2] for one in commands if one for found in PLACEHOLDER.finditer(one) if found[2]}
        if unknown := sorted(names - set(HERE)):
            raise ValueError(
                f"{{{unknown[0]}}} is known on a host only; with `where: local` there are {{python}}, {{root}}"
            )
        return self
