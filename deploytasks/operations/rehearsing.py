"""Rehearse the migrations of a release on a copy of the database, and keep how long they took as evidence.

The live database is asked what is applied, before and after, and is written to by nothing here. An application that
would not use the copy is found out first: it is shown a database that is not there, and must not find it.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import shutil
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .. import durable, interrupt, redaction, view
from ..checklist import Subject, rehearsed
from ..checklist.pending import Pending, pending
from ..errors import GateRefused, Unreachable, UsageError, WayBackFailed
from ..settings.hosts import PLACEHOLDER
from ..settings.migrations import FORWARD, Migrations, Rehearsal
from ..steps.backup import configured

if TYPE_CHECKING:
    from ..ports import Release, Scratch
    from ..settings.base import Value
    from ..world import World

_FORGOTTEN = 86400.0
"""Seconds after which a folder of a rehearsal belongs to nobody any more."""
_APPLIED = re.compile(r"Applying (\S+?)\.\.\.\s*OK(?: \(([\d.]+)s\))?")
"""What Django says of each migration (``--verbosity 2``)."""
_LOOK = {"django": "showmigrations --plan", "alembic": "current"}
"""Preset → a command that reads the database, and changes nothing."""
_UNTOUCHED = "the database was not touched"
_DROP = 60.0
"""Seconds to take the copy away again."""


class Ran(NamedTuple):
    """What became of the commands: whether all went well, the seconds of all, and those of each."""

    ok: bool
    seconds: float
    each: Mapping[str, float]
    said: str
    """Without secrets."""

    @property
    def why(self) -> str:
        """The line that says what was wrong: of a traceback the error, else the last one with words."""
        lines = [line.strip() for line in self.said.splitlines() if re.search(r"\w", line)]
        errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b", line)]
        return (errors or lines or ["no output"])[-1][:200]


class Stage(NamedTuple):
    """Where and with what a command runs."""

    world: World
    folder: Path
    """Has ``release``, the unpacked artifact, and ``shared``."""
    release: Release
    database: Migrations
    rehearsal: Rehearsal

    def command(self, template: str) -> str:
        """Shell text in the unpacked release; each placeholder is one quoted word."""
        known = self._values()
        text = PLACEHOLDER.sub(lambda found: shlex.quote(known[found[2]]) if found[2] else f"{{{found[1]}}}", template)
        return f"cd {shlex.quote(str(self.folder / 'release'))} || exit\n{text}"

    def environment(self, own: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
        """This machine's variables, but for those that say where the live database is; over them the application's own,
        those of the rehearsal, and the one with the copy."""
        live = {getattr(self.database, name, None) for name in ("url_from", "password_from")}
        here = {name: value for name, value in os.environ.items() if name not in live and not name.startswith("PG")}
        fleet = self.world.settings.sections.get("fleet")
        theirs = {**getattr(fleet, "environment", {}), **self.rehearsal.environment}
        known = self._values()
        filled = {name: _filled(value, known) for name, value in theirs.items()}
        told = {"VERSION": self.release.version, "RELEASE": self.release.name, "COLOR": "blue", "PORT": "0"}
        template = self.rehearsal.value or ("{url}" if "url" in values else "{path}")
        return {**here, **told, **filled, **own, self.rehearsal.variable: _filled(template, values)}

    def _values(self) -> Mapping[str, str]:
        fleet = self.world.settings.sections.get("fleet")
        is_here = getattr(self.database, "where", "fleet") == "local"
        return {
            "python": (None if is_here else getattr(fleet, "python", None)) or sys.executable,
            "root": str(self.folder / "release" if is_here else self.folder), "shared": str(self.folder / "shared"),
            "log": str(self.folder / "log"), "release": self.release.name, "version": self.release.version,
            "color": "blue", "host": "127.0.0.1", "port": "0",
        }  # fmt: skip


def rehearse(world: World, release: Release, *, backup: str | None = None, preview: bool = False) -> None:
    """Restore the newest copy (or ``backup``) beside the database, migrate it by the release, and time that.

    Raises ``GateRefused`` when the migrations fail there, ``UsageError`` when no rehearsal is configured.
    """
    database, rehearsal = _configured(world)
    found = pending(Subject(world, release))
    mark = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
    if preview:
        _show(world, release, database, rehearsal, backup, mark)
        return
    from .consent import agree
    from .releases import build_release

    agree(world, f"Restore a copy beside the database of {world.settings.name}, and migrate that?")
    release = build_release(world, release)
    copy = _copy(world, backup)
    with interrupt.caught(), _folder(world, mark) as folder:
        _unpack(release, folder / "release")
        stage = Stage(world, folder, release, database, rehearsal)
        scratch = configured(world).scratch(copy, mark, str(folder))
        before = configured(world).applied()
        with _made(world, scratch, rehearsal.within):
            _require_reading(stage, scratch)
            had = set(scratch.applied())
            view.say(f"migrating a copy of {copy}: {', '.join(found.names) or 'nothing is pending'}")
            ran = _migrated(stage, scratch, found)
            new = [one for one in scratch.applied() if one not in had]
        _require_untouched(world, before)
    _conclude(world, release, database, copy, found, ran, new)


# -- the pieces ------------------------------------------------------------------------------------


def _configured(world: World) -> tuple[Migrations, Rehearsal]:
    configured(world)
    database: Value | None = world.settings.sections.get("database")
    rehearsal = getattr(database, "rehearsal", None)
    where = f"deploy.environments.{world.settings.name}.database"
    if not isinstance(database, Migrations) or rehearsal is None:
        raise UsageError(
            f"{where}.rehearsal is not configured",
            do="say in which variable the application finds its database: `rehearsal: {variable: DATABASE_URL}`",
        )
    if not rehearsed.command(database):
        raise UsageError(f"{where} says nothing that migrates", do="say `preset`, `migrate` or `rehearsal.command`")
    return database, rehearsal


def _show(
    world: World, release: Release, database: Migrations, rehearsal: Rehearsal, backup: str | None, mark: str
) -> None:
    """Print each call that would be made."""
    from . import choices

    if backup is None and not configured(world).backups():
        view.say("would: make a copy first, as `inv backup-database` does; then restore it beside the database")
    else:
        folder = world.site.folder / f"rehearsal-{mark}"
        scratch = configured(world).scratch(choices.backup(world, backup), mark, str(folder))
        view.say(f"would: {scratch.make.text}")
        view.say(f"would: run {rehearsed.command(database)} of {release.version}, with {rehearsal.variable} set to it")
        view.say(f"would: {scratch.drop.text}")


def _copy(world: World, backup: str | None) -> str:
    """The name of the copy: the given one, the newest, or one that is made now."""
    from .. import plans
    from . import carrying_out, choices

    if backup is None and not configured(world).backups():
        wanted = partial(plans.back_up, who=world.site.who)
        carrying_out.carry_out(world, wanted, task="backup-database", hosts=False)
        world.deployment = ""
    return choices.backup(world, backup)


@contextmanager
def _folder(world: World, mark: str) -> Iterator[Path]:
    """A folder that only we can read, gone afterwards; those of the dead go as well."""
    state = world.site.folder
    for old in state.glob("rehearsal-*"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > _FORGOTTEN:
                shutil.rmtree(old, ignore_errors=True)
    folder = (state / f"rehearsal-{mark}").absolute()
    try:
        durable.make_folder(folder, 0o700)
        (folder / "shared").mkdir()
        yield folder
    except OSError as error:
        what = f"cannot use {folder}: {error.strerror or error}"
        raise Unreachable(what, state=_UNTOUCHED, do="make room there") from error
    finally:
        with interrupt.held_off():
            shutil.rmtree(folder, ignore_errors=True)


def _unpack(release: Release, folder: Path) -> None:
    with tarfile.open(release.archive) as archive:
        # Pythons before 3.11.4, such as Debian 12's, know no `filter=`, and need none for an archive of our own.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)  # noqa: S202


@contextmanager
def _made(world: World, scratch: Scratch, within: float) -> Iterator[None]:
    """The copy is there meanwhile, and gone afterwards whatever happens."""
    try:
        world.perform([[scratch.make]], within)
        yield
    finally:
        with world.going_back(), interrupt.held_off():
            world.perform([[scratch.drop]], _DROP)


def _require_reading(stage: Stage, scratch: Scratch) -> None:
    """Refuse an application that finds its database although we name one that is not there: it reads something else,
    and would migrate that."""
    look, migrator = _LOOK.get(stage.database.preset or ""), stage.database.migrator
    if look is None or migrator is None:
        return
    own = {**scratch.environment, **({"PGDATABASE": scratch.nowhere["name"]} if "name" in scratch.nowhere else {})}
    ran = _run(stage, f"{migrator} {look}", stage.environment(own, scratch.nowhere))
    if ran.ok:
        raise GateRefused(
            f"the application does not read {stage.rehearsal.variable}: it was told of a database that is not there, "
            "and found one all the same",
            state=_UNTOUCHED,
            do="name in `rehearsal.variable` where it finds its database",
        )


def _migrated(stage: Stage, scratch: Scratch, found: Pending) -> Ran:
    """Run what migrates: Alembic's revisions one by one, anything else at once."""
    environment = stage.environment(scratch.environment, scratch.values)
    command, migrator = rehearsed.command(stage.database), stage.database.migrator or ""
    preset = stage.database.preset or ""
    is_plain = command == f"{migrator} {FORWARD.get(preset)}"
    if preset == "alembic" and is_plain:
        steps = {one.shown: f"{migrator} upgrade {shlex.quote(one.name)}" for one in found.sources}
        return _in_turn(stage, {**steps, "": command}, environment)
    return _run(stage, f"{command} --verbosity 2" if preset == "django" and is_plain else command, environment)


def _in_turn(stage: Stage, steps: Mapping[str, str], environment: Mapping[str, str]) -> Ran:
    each: dict[str, float] = {}
    for name, command in steps.items():
        ran = _run(stage, command, environment)
        each[name] = ran.seconds
        if not ran.ok:
            break
    return ran._replace(seconds=sum(each.values()), each={name: took for name, took in each.items() if name})


def _run(stage: Stage, command: str, environment: Mapping[str, str]) -> Ran:
    from invoke.context import Context
    from invoke.exceptions import CommandTimedOut

    context, clock = stage.world.site.context or Context(), stage.world.clock
    began = clock.elapsed()
    try:
        result = context.run(
            stage.command(command), env=dict(environment), replace_env=True, hide=True, warn=True, in_stream=False,
            pty=False, timeout=stage.rehearsal.within,
        )  # fmt: skip
    except CommandTimedOut:
        return Ran(False, clock.elapsed() - began, {}, f"not done after {stage.rehearsal.within:g} s")
    assert result is not None  # only a disowned command has none
    each = {name: float(took) for name, took in _APPLIED.findall(result.stdout) if took}
    said = str(redaction.clean(f"{result.stdout}\n{result.stderr}"))
    return Ran(result.ok, clock.elapsed() - began, each, said)


def _require_untouched(world: World, before: Sequence[str]) -> None:
    """Nothing was applied to the live database meanwhile."""
    now = configured(world).applied()
    if set(now) != set(before):
        changed = sorted(set(now) ^ set(before))
        raise WayBackFailed(
            f"while a copy was migrated, the live database has changed: {', '.join(changed)}",
            state="the copy is gone; what changed is in the live database",
            do="if nobody else migrated it just now, the application does not read `rehearsal.variable`: mend that",
        )


def _conclude(
    world: World, release: Release, database: Migrations, copy: str, found: Pending, ran: Ran, new: Sequence[str]
) -> None:
    """Record what came of it, and say it."""
    wrong = "" if ran.ok else f"failed after {ran.seconds:.1f} s: {ran.why}"
    if not wrong and database.preset and found.sources and not new:
        wrong = "the command has migrated nothing on the copy"
    size = next((one.size for one in configured(world).backups() if one.name == copy), 0)
    many = len(new) if database.preset == "django" else len(found.names)
    told = wrong or rehearsed.detail(ran.seconds, size, copy, many)
    world.note(
        "evidence",
        item=rehearsed.ITEM,
        key=rehearsed.about(release.digest, database),
        ok=not wrong,
        detail=told,
        seconds=round(ran.seconds, 3),
        size=size,
        copy=copy,
        migrations=list(new) or list(found.names),
        each={name: round(took, 3) for name, took in ran.each.items()},
    )
    if wrong:
        kept = _kept(world, ran.said)
        raise GateRefused(
            f"the rehearsal {wrong}", state=_UNTOUCHED, do=f"mend the migration, and rehearse again{kept}"
        )
    view.say(f"rehearsed: {told}")
    for name, took in ran.each.items():
        view.say(f"  {took:8.3f} s  {name}")


def _kept(world: World, said: str) -> str:
    """Where all that the commands said can be read."""
    file = world.site.folder / "rehearsal.log"
    with suppress(OSError), durable.written_aside(file.parent, said.encode(), 0o600) as aside:
        aside.replace(file)
        return f"; all that it said is in {file}"
    return ""


def _filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its placeholders, which are no shell text."""
    return PLACEHOLDER.sub(lambda found: values.get(found[2], "") if found[2] else f"{{{found[1]}}}", template)
