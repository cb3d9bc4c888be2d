"""Rehearsing migrations: what is run where, what is kept as evidence, and that the copy goes whatever happens."""

from __future__ import annotations

import os
import signal
import sqlite3
import tarfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import memory
import pytest
from checklist.release_of import Project, alembic, django
from invoke import Config, Context

from deploytasks.checklist import rehearsed
from deploytasks.errors import GateRefused, Interrupted, Unreachable, UsageError, WayBackFailed
from deploytasks.operations.rehearsing import rehearse
from deploytasks.ports import Release, Scratch
from deploytasks.providers.site import Site
from deploytasks.providers.sqlite import Sqlite
from deploytasks.release import artifact
from deploytasks.runners import InterruptibleLocal

FIRST = {"shop/migrations/0001_initial.py": django(), ".gitignore": "state/\n"}
SAYS = {"variable": "DATABASE", "value": "sqlite:///{path}"}


def project(folder: Path, **database: Any) -> Project:
    """A project with a copy of its database; its commands stand in for an application."""
    made = Project(
        folder, **{"migrate": "true", "rehearsal": SAYS, "preset": None, "migrations": ("**/0*.py",), **database}
    )
    made.world.site = made.world.site._replace(folder=made.root / "state" / "test")
    made.commit(FIRST)
    memory.state_of(folder).change(backups=["shop-1"])
    return made


def run(made: Project, *, preview: bool = False) -> Release:
    world = made.world
    release = artifact.describe(world.site.root, ".", artifacts=world.artifacts)
    rehearse(world, release, preview=preview)
    return release


def log(folder: Path) -> list[str]:
    """What became of copies."""
    return [line for line in memory.state_of(folder).read()["log"] if line.startswith("scratch")]


def evidence(made: Project) -> Any:
    return made.world.ledger.head().standing.evidence_of("rehearsal")


def test_the_artifact_is_migrated_and_not_the_work_tree(tmp_path: Path) -> None:
    """In a folder of its own, with the copy in the application's variable and the placeholders of a host."""
    told = tmp_path / "told"
    command = f'(pwd; ls; echo "$DATABASE" "$MORE" {{version}} {{shared}}) > {told}'
    made = project(tmp_path, migrate=command, rehearsal={**SAYS, "environment": {"MORE": "{shared}/more"}})
    (made.root / "ignored").mkdir()
    release = run(made)
    folder, _, last = told.read_text().splitlines()[0], *told.read_text().splitlines()[-2:]
    assert folder.endswith("/release")
    assert not Path(folder).exists()
    assert str(made.root / "state" / "test") in folder
    shared = f"{Path(folder).parent}/shared"
    assert f"sqlite:///{Path(folder).parent}/copy {shared}/more {release.version} {shared}" == last
    assert "ignored" not in told.read_text()
    assert ["scratch make", "scratch drop"] == log(tmp_path)


def test_a_python_that_knows_no_filter_of_archives_unpacks_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3.11.2 of Debian 12: `extractall` has no `filter`, and `tarfile` has no `data_filter`."""
    whole = tarfile.TarFile.extractall

    def older(archive: tarfile.TarFile, path: Path) -> None:
        whole(archive, path)

    monkeypatch.setattr(tarfile.TarFile, "extractall", older)
    monkeypatch.delattr(tarfile, "data_filter")
    made = project(tmp_path)
    run(made)
    assert evidence(made).ok


def test_how_long_it_took_is_evidence_for_this_content(tmp_path: Path) -> None:
    """Seconds, the size of the copy, and the migrations."""
    made = project(tmp_path)
    release = run(made)
    found = evidence(made)
    assert found.ok
    assert rehearsed.about(release.digest, made.world.settings.sections["database"]) == found.key
    assert rehearsed.seconds_of(found.detail) is not None
    assert found.detail.endswith("for 1 migration on a copy of 0.0 MB (shop-1)")


def test_a_plan_changes_nothing(tmp_path: Path) -> None:
    """It says what would be done."""
    made = project(tmp_path, migrate="touch /nowhere/at/all")
    run(made, preview=True)
    assert [] == log(tmp_path)
    assert evidence(made) is None
    assert not list((made.root / "state").rglob("*.tar.gz"))


def test_what_fails_is_evidence_as_well(tmp_path: Path) -> None:
    """With the error's own line; all that was said is kept in a file that only we can read."""
    made = project(tmp_path, migrate="echo applying; echo 'db.Error: no such table' >&2; echo '   ^' >&2; exit 1")
    with pytest.raises(GateRefused, match=r"db\.Error: no such table"):
        run(made)
    assert not evidence(made).ok
    kept = made.world.site.folder / "rehearsal.log"
    assert "applying" in kept.read_text()
    assert 0o600 == kept.stat().st_mode & 0o777
    assert ["scratch make", "scratch drop"] == log(tmp_path)
    assert [] == list(made.world.site.folder.glob("rehearsal-*"))


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    """And counts as failed."""
    made = project(tmp_path, migrate="sleep 60", rehearsal={**SAYS, "within": "0.3s"})
    with pytest.raises(GateRefused, match="not done after"):
        run(made)
    assert ["scratch make", "scratch drop"] == log(tmp_path)


def test_a_copy_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is dropped all the same: half of it may be there."""
    made = project(tmp_path)
    plain = memory.FakeDatabase.scratch

    def full(self: memory.FakeDatabase, *given: Any) -> Scratch:
        def perform(timeout: float) -> None:
            raise Unreachable("the disk is full")

        found = plain(self, *given)
        return found._replace(make=found.make._replace(perform=perform))

    monkeypatch.setattr(memory.FakeDatabase, "scratch", full)
    with pytest.raises(Unreachable, match="the disk is full"):
        run(made)
    assert ["scratch drop"] == log(tmp_path)
    assert evidence(made) is None


def test_an_interrupt_takes_the_copy_away(tmp_path: Path) -> None:
    """Code 130; no evidence."""
    begun = tmp_path / "begun"
    made = project(tmp_path, migrate=f"touch {begun}; sleep 60")
    own = Context(Config(overrides={"runners": {"local": InterruptibleLocal}}))
    made.world.site = made.world.site._replace(context=own)

    def interrupt() -> None:
        while not begun.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(Interrupted):
        run(made)
    assert ["scratch make", "scratch drop"] == log(tmp_path)
    assert evidence(made) is None


def test_a_live_database_that_changed_is_an_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code 8: the application may have migrated that one."""
    made = project(tmp_path)
    came = iter([["a.0001"], ["a.0001", "a.0002"]])

    def applied(self: memory.FakeDatabase) -> Sequence[str]:
        return next(came, ["a.0001", "a.0002"])

    monkeypatch.setattr(memory.FakeDatabase, "applied", applied)
    with pytest.raises(WayBackFailed, match=r"a\.0002"):
        run(made)
    assert evidence(made) is None


def test_a_command_that_migrates_nothing_is_no_rehearsal(tmp_path: Path) -> None:
    """Where the preset lets us see it."""
    made = project(tmp_path, preset="django", migrate="true", migrator="false")
    with pytest.raises(GateRefused, match="migrated nothing on the copy"):
        run(made)
    assert not evidence(made).ok


def test_what_names_the_live_database_is_not_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that say where it is, and those of PostgreSQL's programs."""
    told = tmp_path / "told"
    made = project(tmp_path)
    own = {"kind": "postgres", "url_from": "LIVE_URL", "migrations": ("**/0*.py",), "migrate": f"env > {told}"}
    made.configure(**own, rehearsal={"variable": "DATABASE", "value": "{path}"})
    monkeypatch.setenv("LIVE_URL", "postgresql://live/db")
    monkeypatch.setenv("PGHOST", "live.example.org")
    run(made)
    assert not [line for line in told.read_text().splitlines() if line.startswith(("LIVE_URL=", "PGHOST="))]


def test_without_a_copy_one_is_made(tmp_path: Path) -> None:
    """As `inv backup-database` makes it."""
    made = project(tmp_path)
    memory.state_of(tmp_path).change(backups=[])
    run(made)
    assert 1 == len(memory.state_of(tmp_path).read()["backups"])
    assert evidence(made).ok


def test_what_a_dead_one_has_left_goes_after_a_day(tmp_path: Path) -> None:
    """Not before: somebody may be at work there."""
    made = project(tmp_path)
    state = made.world.site.folder
    old, new = state / "rehearsal-old", state / "rehearsal-new"
    for folder in (old, new):
        folder.mkdir(parents=True)
    os.utime(old, (time.time() - 90_000,) * 2)
    run(made)
    assert (False, True) == (old.exists(), new.exists())


def test_without_configuration_it_is_a_mistake(tmp_path: Path) -> None:
    """Code 2."""
    made = project(tmp_path, rehearsal=None)
    with pytest.raises(UsageError, match="rehearsal is not configured"):
        run(made)


# -- a real Alembic --------------------------------------------------------------------------------

ENV = """
import os
from alembic import context
from sqlalchemy import create_engine, pool

with create_engine(os.environ["SHOP_DATABASE"], poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


def test_alembic_is_timed_revision_by_revision(tmp_path: Path) -> None:
    """A real Alembic on a copy of a real file; the file itself is as it was."""
    made = Project(tmp_path, preset="alembic", rehearsal={"variable": "SHOP_DATABASE", "value": "sqlite:///{path}"})
    world = made.world
    world.site = Site(
        "shop", "test", made.root, made.root / "state/test", world.site.context, "ann", world.settings.sections
    )
    files = {
        "alembic.ini": "[alembic]\nscript_location = shop\n",
        "shop/env.py": ENV,
        "shop/script.py.mako": "",
        "shop/versions/a1_books.py": alembic("a1", None, "op.create_table('book', sa.Column('id', sa.Integer))"),
        ".gitignore": "state/\n*.sqlite3\n",
    }
    made.commit(files)
    live = made.root / "db.sqlite3"
    with closing(sqlite3.connect(live)) as database:
        database.executescript(
            "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('a1');"
            "CREATE TABLE book (id int)"
        )
    made.goes_live()
    add = "op.add_column('book', sa.Column('{}', sa.Integer))"
    made.commit({
        "shop/versions/b2_more.py": alembic("b2", "a1", add.format("more")),
        "shop/versions/c3_most.py": alembic("c3", "b2", add.format("most")),
    })  # fmt: skip
    own = Sqlite(world.settings.sections["database"], world.site)  # type: ignore[arg-type]
    own.back_up("shop-1", {}).perform(10)
    world.__dict__["database"] = own
    run(made)
    (event,) = [one for one in world.ledger.events() if one.kind == "evidence"]
    each = event.facts["each"]
    assert isinstance(each, dict)
    assert ["b2_more", "c3_most"] == list(each)
    assert "for 2 migrations" in str(event.facts["detail"])
    assert ["a1"] == list(own.applied())


def test_a_protected_environment_asks(tmp_path: Path) -> None:
    """It costs its server work; nobody is at a terminal here."""
    made = project(tmp_path)
    made.world.settings = replace(made.world.settings, protected=True)
    with pytest.raises(UsageError, match="is protected"):
        run(made)
    made.world.consent = True
    run(made)
    assert evidence(made).ok
