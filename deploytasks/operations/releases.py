"""Which release is meant, and making its artifact."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import GateRefused, UsageError

if TYPE_CHECKING:
    from ..ports import Release
    from ..world import World


def choose_release(
    world: World, version: str | None, plan_file: str | None = None, beside: Path | None = None
) -> Release:
    """The release that is meant: of a version, of a plan that was written down, or of what is checked out. Writes
    nothing. ``beside``: a file that is no change to the work tree; nor is the plan."""
    from ..release import artifact

    settings = world.settings
    if plan_file:
        return planned_release(world, Path(plan_file))
    release = _described(world, version, beside)
    if release.dirty and not settings.dirty:
        changed = artifact.changed(world.site.root, settings.source, artifacts=world.artifacts, beside=beside)
        raise GateRefused(
            f"the work tree has changes that no commit has: {changed}",
            state="nothing was changed",
            do="commit them, or name in .gitignore what belongs into no commit; "
            f"or allow them with deploy.environments.{settings.name}.dirty: true",
        )
    return release


def planned_release(world: World, file: Path) -> Release:
    """The very content that a plan brings, from what is checked out, a tag or an archive; ``GateRefused`` otherwise."""
    from ..release import artifact
    from .plan_file import read

    settings, wanted, in_the_way = world.settings, read(file).release, ""
    for version in (None, wanted.version):
        try:
            found = _described(world, version, file)
        except UsageError:
            continue  # there is no such version here
        if (found.version, found.digest) == (wanted.version, wanted.digest):
            return found
        if found.dirty and found.commit == wanted.commit:
            in_the_way = artifact.changed(world.site.root, settings.source, artifacts=world.artifacts, beside=file)
    if in_the_way:
        raise GateRefused(
            f"{file} is a plan for {wanted.version}, and the work tree has changes that no commit has: {in_the_way}",
            state="nothing was changed",
            do="put them aside: git stash --include-untracked",
        )
    raise GateRefused(
        f"{file} is a plan for {wanted.version} with the content {wanted.digest[:12]}, which is not here",
        state="nothing was changed",
        do=f"check it out: git checkout {wanted.commit[:12]}",
    )


def _described(world: World, version: str | None, beside: Path | None) -> Release:
    from ..release import artifact

    settings = world.settings
    return artifact.describe(
        world.site.root,
        settings.source,
        version,
        tag_prefix=settings.tag_prefix,
        artifacts=world.artifacts,
        beside=beside,
    )


def build_release(world: World, release: Release, plan_file: str | None = None) -> Release:
    """The same release, with its archive written to the artifact folder."""
    from ..release import artifact

    settings = world.settings
    return artifact.build(
        world.site.root,
        settings.source,
        release,
        world.artifacts,
        tag_prefix=settings.tag_prefix,
        beside=Path(plan_file) if plan_file else None,
    )


def built_release(world: World, version: str | None, plan_file: str | None = None) -> Release:
    """The release that is meant, if its artifact is there already."""
    release = choose_release(world, version, plan_file)
    if not Path(release.archive).exists():
        raise GateRefused(
            f"{release.version} is not built",
            state="nothing was changed",
            do=f"`inv build --env {world.settings.name}`; if it just was, something writes into the work tree",
        )
    return release
