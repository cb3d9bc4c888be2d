"""What the pending migrations do to the release that serves users, by our own reading and by squawk's."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .. import redaction
from ..migrations import squawk
from ..migrations.files import Source
from ..migrations.judging import judged
from ..migrations.rules import Finding
from . import commands
from .pending import Pending, said, section

if TYPE_CHECKING:
    from .subject import Subject

_WITHIN = 30.0
"""Seconds for squawk."""


class Lint(NamedTuple):
    """The findings, and what is to be said about how they came."""

    findings: tuple[Finding, ...]
    note: str = ""


def lint(of: Subject, found: Pending) -> Lint:
    """All that the pending migrations do more than expand.

    Raises ``DeployError`` when the configured command cannot print their SQL.
    """
    dialect = str(getattr(section(of), "kind", "postgres"))
    own = judged(found.sources, found.known, dialect)
    printed = _printed(of, found)
    if printed:
        own = squawk.read_from(printed, own, set())
    own += [Finding(name, 0, "no file of the release", "unread") for name in found.unread]
    if dialect == "sqlite":
        return Lint(tuple(one for one in own if one.verdict != "locks"))
    pieces = [piece for one in found.sources for piece in squawk.pieces(one, printed.get(one.path))]
    if not pieces:
        return Lint(tuple(own), "squawk has no SQL to read (`database.sql`)" if _program() else "")
    read = {one.path for one in found.sources if one.kind == "django" or one.path in printed}
    return _with_squawk(of, own, pieces, read)


def _with_squawk(of: Subject, own: Sequence[Finding], pieces: Sequence[squawk.Piece], read: Collection[str]) -> Lint:
    import subprocess

    program = _program()
    if program is None:
        return Lint(tuple(own), "without squawk: pip install 'deploytasks[checks]'")
    try:
        done = subprocess.run(
            [program, *squawk.ARGUMENTS, "migrations.sql"], input=squawk.asked(pieces), cwd=of.world.site.root,
            capture_output=True, text=True, timeout=_WITHIN, check=False,
        )  # fmt: skip
        theirs = squawk.told(done.stdout, pieces)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        is_known = isinstance(error, OSError | subprocess.SubprocessError)
        why = str(error) if is_known else str(redaction.clean(done.stderr)).strip()[-200:]
        return Lint(tuple(own), f"squawk gave no answer ({why or 'nothing was said'})")
    return Lint(tuple(squawk.merged(own, theirs, read)), "squawk has read the SQL")


def _program() -> str | None:
    """Where squawk is: beside the Python that runs us, or on PATH."""
    import shutil

    beside = Path(sys.executable).parent / "squawk"
    return str(beside) if beside.exists() else shutil.which("squawk")


def _printed(of: Subject, found: Pending) -> Mapping[str, str]:
    """Path → the SQL of a migration, where a command is configured that prints it."""
    command = said(of, "sql")
    if command is None:
        return {}
    every = [one for one in found.sources if one.kind in ("django", "alembic")]
    return {one.path: commands.output(of.world, command, values(one, of)) for one in every}


def values(one: Source, of: Subject) -> Mapping[str, str]:
    """What the settings about one migration may name."""
    before = next((name.rpartition(".")[2] for name in one.after if name.startswith(f"{one.app}.")), "")
    version = of.release.version if of.release else ""
    own = {"before": before or (one.after[0] if one.kind == "alembic" and one.after else ""), "version": version}
    return {"full": one.full, "app": one.app, "name": one.name, **own}
