"""Look for mistakes in the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke import task

from .options import words

if TYPE_CHECKING:
    from invoke import Context


@task(help=words("env", "json"), auto_shortflags=False)
def validate(c: Context, env: Any = None, json: bool = False) -> None:
    """Validate the whole configuration of an environment, and report every mistake at once."""
    from .. import view
    from ..operations import opening

    settings = opening.open_world(c, env).settings
    view.show("validate", {"environment": settings.name, "ok": True, "sections": sorted(settings.sections)}, json)
