"""What a version brings: shown to whoever asks, and carried by its deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

from .. import view
from ..errors import UsageError

if TYPE_CHECKING:
    from ..ports import Release
    from ..settings.release import Release as Rules
    from ..world import World


def show(world: World, version: str, style: str, *, json: bool) -> None:
    """Show the notes of a version as GitHub, Slack or a terminal wants them. Raises ``UsageError`` for another style,
    ``ChangelogRefused`` for a version that the changelog does not have."""
    from ..release import noted
    from ..release.changelog.rendering import Style
    from .releasing import rules_of

    if style not in get_args(Style):
        raise UsageError(f"--style {style}: choose one of {', '.join(get_args(Style))}")
    prefix = world.settings.tag_prefix
    plain = version[len(prefix) :] if prefix and version.startswith(prefix) else version
    found = noted.shown(world.site.root, rules_of(world), plain, f"{prefix}{plain}", cast("Style", style))
    view.show("release-notes", {"version": plain, "style": style, "notes": found}, json)


def carried(world: World, release: Release) -> str:
    """What a deployment says about its version; nothing where nothing is known."""
    from ..release import noted

    rules = world.settings.sections.get("release")
    if rules is None:
        return ""
    return noted.carried(world.site.root, cast("Rules", rules), release.commit, release.version)
