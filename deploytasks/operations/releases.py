"""Which release is meant, and making its artifact."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import GateRefused

if TYPE_CHECKING:
    from ..ports import Release
    from ..world import World


def choose_release(world: World, version: str | None) -> Release:
    """The release that is meant: of a version, or of what is checked out. Writes nothing."""
    from ..release import artifact

    settings = world.settings
    release = artifact.describe(
        world.site.root, settings.source, version, tag_prefix=settings.tag_prefix, artifacts=world.artifacts
    )
    if release.dirty and not settings.dirty:
        raise GateRefused(
            "the work tree has changes that no commit has",
            state="nothing was changed",
            do=f"commit them, or allow it with deploy.environments.{settings.name}.dirty: true",
        )
    return release


def build_release(world: World, release: Release) -> Release:
    """The same release, with its archive written to the artifact folder."""
    from ..release import artifact

    settings = world.settings
    return artifact.build(world.site.root, settings.source, release, world.artifacts, tag_prefix=settings.tag_prefix)


def built_release(world: World, version: str | None) -> Release:
    """The release that is meant, if its artifact is there already."""
    release = choose_release(world, version)
    if not Path(release.archive).exists():
        raise GateRefused(
            f"{release.version} is not built",
            state="nothing was changed",
            do=f"`inv build --env {world.settings.name}`; if it just was, something writes into the work tree",
        )
    return release
