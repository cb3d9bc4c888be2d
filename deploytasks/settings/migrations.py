"""How a database's schema is changed, and how that is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from .base import Value
from .hosts import checked

Preset = Literal["django", "alembic"]

MIGRATORS: Mapping[str, str] = {"django": "{python} manage.py", "alembic": "{python} -m alembic"}
"""Preset → what is called."""
FORWARD: Mapping[str, str] = {"django": "migrate --noinput", "alembic": "upgrade head"}
"""Preset → what it is told to migrate."""


class Migrations(Value):
    """``preset: django``, or ``migrate:`` and, where something takes that back, ``reverse:``."""

    announce: ClassVar[str] = ""
    """Set before a preset's commands: how the database recognizes them."""

    migrate: Annotated[str, Field(min_length=1)] | None = None
    """The command that migrates, with the placeholders of ``fleet.start``."""
    reverse: Annotated[str, Field(min_length=1)] | None = None
    """The command that takes the last migration back, for ``rollback --database``; recorded with each migration.
    Without it and without a preset, no migration counts as reversible."""
    preset: Preset | None = None
    """Whose migrations they are: then what was applied is recorded, and exactly that can be reversed."""
    migrator: Annotated[str, Field(min_length=1)] | None = None
    """What the preset calls, with the placeholders of ``fleet.start``; ``{python} manage.py`` or
    ``{python} -m alembic``."""

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
