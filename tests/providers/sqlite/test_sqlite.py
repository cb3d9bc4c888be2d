"""Copies of a database that others write to, and putting them back under their feet."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deploytasks.errors import DeployError, GateRefused, Unreachable, UsageError
from deploytasks.ports import Calls
from deploytasks.providers.identity import identity
from deploytasks.providers.site import Site
from deploytasks.providers.sqlite import Sqlite
from deploytasks.settings.sqlite import SqliteSettings

WRITER = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)
print("ready", flush=True)
number = 100
while True:
    time.sleep(0.0005)
    number += 1
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO pairs VALUES (?, ?)", (number, "left" * 50))
    database.execute("INSERT INTO pairs VALUES (?, ?)", (number, "right" * 50))
    database.execute("COMMIT")
"""


def perform(calls: Calls, timeout: float = 20.0) -> None:
    for batch in calls:
        for call in batch:
            call.perform(timeout)


def rows(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT number, count(*) FROM pairs GROUP BY number ORDER BY number").fetchall()


def put(path: Path, number: int) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.executemany("INSERT INTO pairs VALUES (?, ?)", [(number, "left"), (number, "right")])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A project whose path needs escaping in a URI."""
    root = tmp_path / "a project? 100% #1"
    (root / "data").mkdir(parents=True)
    return Site("app", "development", root, root / ".deploy", None, "ann@here")


@pytest.fixture
def database(site: Site) -> Sqlite:
    return Sqlite(SqliteSettings(path="data/app.sqlite3", patience=0.2), site)


@pytest.fixture(params=["wal", "delete"])
def path(site: Site, request: pytest.FixtureRequest) -> Path:
    """A database with a pair of rows, in both journal modes."""
    made = site.root / "data/app.sqlite3"
    with closing(sqlite3.connect(made)) as live, live:
        live.execute(f"PRAGMA journal_mode={request.param}")
        live.execute("CREATE TABLE pairs (number, text)")
    put(made, 1)
    return made


@pytest.fixture
def writer(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that writes pairs, each in one transaction, almost without pause."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def test_copy_is_listed_with_its_facts(database: Sqlite, path: Path, site: Site) -> None:
    """Name, time, size, digest and tags; one file that opens alone, with the database's mode."""
    path.chmod(0o600)
    database.back_up("app-1", {"who": "ann"}).perform(10)
    (backup,) = database.backups()
    file = site.folder / "backups" / "app-1.sqlite3"
    assert (backup.name, backup.size, backup.tags) == ("app-1", file.stat().st_size, {"who": "ann"})
    assert rows(file) == [(1, 2)]
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in file.parent.iterdir()) == ["app-1.json", "app-1.sqlite3"]


def test_copy_while_others_write(database: Sqlite, path: Path, site: Site, writer: subprocess.Popen[str]) -> None:
    """A copy is one moment: no half transaction, however fast another process writes, and the writer goes on."""
    for number in range(3):
        database.back_up(f"copy-{number}", {}).perform(20)
    assert writer.poll() is None
    for backup in database.backups():
        found = rows(site.folder / "backups" / f"{backup.name}.sqlite3")
        assert {count for _number, count in found} == {2}


def test_same_name_twice_is_once(database: Sqlite, path: Path, site: Site) -> None:
    """A copy that is whole is kept; one that was torn is made again."""
    file = site.folder / "backups" / "one.sqlite3"
    database.back_up("one", {}).perform(10)
    put(path, 2)
    database.back_up("one", {}).perform(10)
    assert rows(file) == [(1, 2)]
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    database.back_up("one", {}).perform(10)
    assert rows(file) == [(1, 2), (2, 2)]


def test_unfinished_copies_are_not_listed(database: Sqlite, path: Path, site: Site) -> None:
    """A file without its note, or with another size than noted, is no copy."""
    database.back_up("one", {}).perform(10)
    folder = site.folder / "backups"
    (folder / "two.sqlite3").write_bytes(b"SQLite format 3\0")
    (folder / "three.json").write_text(
        json.dumps({"at": "2026-01-01T00:00:00+00:00", "size": 1, "sha256": "", "tags": {}})
    )
    (folder / "four.json").write_text("{")
    assert [backup.name for backup in database.backups()] == ["one"]
    with (folder / "one.sqlite3").open("ab") as file:
        file.write(b"more")
    assert database.backups() == []


def test_broken_database_is_not_copied(database: Sqlite, path: Path, site: Site) -> None:
    """A copy that fails its integrity check does not count, and leaves nothing."""
    with closing(sqlite3.connect(path)) as live, live:
        live.execute("PRAGMA journal_mode=delete")
        live.execute("CREATE INDEX by_number ON pairs (number)")
        page, size = live.execute("SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master "
                                  "WHERE name = 'by_number'").fetchone()  # fmt: skip
    with path.open("r+b") as file:
        file.seek((page - 1) * size + 3)
        file.write(b"\0\0")  # the index forgets its entries
    with pytest.raises(Unreachable, match="not whole"):
        database.back_up("one", {}).perform(10)
    assert database.backups() == []
    assert list((site.folder / "backups").iterdir()) == []


def test_first_deployment_has_nothing_to_copy(database: Sqlite, site: Site) -> None:
    """Before the first migration there is no database: the call says so and does nothing."""
    call = database.back_up("one", {})
    call.perform(10)
    assert "nothing to back up yet" in call.text
    assert (database.backups(), (site.root / "data/app.sqlite3").exists()) == ([], False)


def test_lost_database_is_no_first_deployment(database: Sqlite, path: Path) -> None:
    """Where copies are, a missing database is an alarm; so is one that goes between plan and copy."""
    planned = database.back_up("two", {})
    database.back_up("one", {}).perform(10)
    path.rename(path.with_name("gone"))
    for call in (planned, database.back_up("three", {})):
        with pytest.raises(GateRefused, match="is gone"):
            call.perform(10)
    assert not path.exists()


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "-x", "x\n"])
def test_names_are_file_names(database: Sqlite, name: str) -> None:
    """A name that could lead out of the folder is refused."""
    with pytest.raises(UsageError):
        database.back_up(name, {})


def test_restore_reaches_open_connections(database: Sqlite, path: Path) -> None:
    """Whoever has the database open reads the restored content with the same connection, and can write to it."""
    database.back_up("one", {}).perform(10)
    put(path, 2)
    with closing(sqlite3.connect(path, timeout=5)) as live:
        assert live.execute("SELECT count(*) FROM pairs").fetchone() == (4,)
        mode = live.execute("PRAGMA journal_mode").fetchone()
        perform(database.restore("one"))
        assert live.execute("SELECT count(*) FROM pairs").fetchone() == (2,)
        with live:
            live.execute("INSERT INTO pairs VALUES (3, 'x')")
        assert live.execute("PRAGMA journal_mode").fetchone() == mode
    assert rows(path) == [(1, 2), (3, 1)]


def test_restore_keeps_what_was_there(database: Sqlite, path: Path) -> None:
    """The name under which the old content is kept is in the call's text, and the content is."""
    database.back_up("one", {}).perform(10)
    put(path, 2)
    calls = database.restore("one")
    perform(calls)
    (kept,) = (file for file in path.parent.iterdir() if ".before-" in file.name)
    assert kept.name in calls[0][0].text
    assert (rows(kept), rows(path)) == ([(1, 2), (2, 2)], [(1, 2)])
    perform(calls)
    assert rows(kept) == [(1, 2), (2, 2)]


def test_restore_beside_a_writer(database: Sqlite, path: Path, writer: subprocess.Popen[str]) -> None:
    """Under a process that writes without pause, the result is one whole state and the writer lives."""
    database.back_up("one", {}).perform(20)
    perform(database.restore("one"), 20)
    assert writer.poll() is None
    writer.kill()
    writer.wait(10)
    assert {count for _number, count in rows(path)} == {2}


def test_restore_over_a_broken_database(database: Sqlite, path: Path) -> None:
    """What is no database any more is replaced as a file, and its bytes are kept."""
    database.back_up("one", {}).perform(10)
    path.write_bytes(b"rubbish" * 1000)
    perform(database.restore("one"))
    (kept,) = (file for file in path.parent.iterdir() if ".before-" in file.name)
    assert (rows(path), kept.read_bytes()) == ([(1, 2)], b"rubbish" * 1000)


def test_restore_of_a_lost_database(database: Sqlite, path: Path) -> None:
    """Where no database is, the copy becomes it."""
    database.back_up("one", {}).perform(10)
    for file in path.parent.glob("app.sqlite3*"):
        file.unlink()
    perform(database.restore("one"))
    assert rows(path) == [(1, 2)]


def test_changed_copy_is_not_restored(database: Sqlite, path: Path, site: Site) -> None:
    """A copy whose digest is another one by now is never put in place."""
    database.back_up("one", {}).perform(10)
    put(path, 2)
    file = site.folder / "backups" / "one.sqlite3"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(DeployError, match="has changed"):
        perform(database.restore("one"))
    assert rows(path) == [(1, 2), (2, 2)]


def test_unknown_copy_names_its_neighbors(database: Sqlite, path: Path) -> None:
    """Code 2, and what may have been meant."""
    with pytest.raises(UsageError, match="no copy called"):
        database.restore("app-1")
    database.back_up("app-2", {}).perform(10)
    with pytest.raises(UsageError) as caught:
        database.restore("app-1")
    assert "app-2" in caught.value.do


def test_lock_outlasts_the_time(database: Sqlite, path: Path) -> None:
    """A restore that cannot get the database in its time gives up, and the content is as before."""
    database.back_up("one", {}).perform(10)
    put(path, 2)
    calls = database.restore("one")
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(Unreachable, match="cannot restore"):
            perform(calls, 0.4)
        assert time.monotonic() - began < 5
    assert rows(path) == [(1, 2), (2, 2)]


def test_busy(database: Sqlite, path: Path) -> None:
    """A held write lock is said; when it is let go, nothing is."""
    assert database.busy() is None
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        busy = database.busy()
        assert busy is not None
        assert "locked" in busy
    assert database.busy() is None


def test_busy_while_a_command_of_the_fleet_runs(database: Sqlite, path: Path, site: Site) -> None:
    """A migration at work is known by the pid file that the fleet writes; one whose process is gone is not."""
    file = site.folder / "run" / "command-migrate.pid"
    file.parent.mkdir(parents=True)
    file.write_text(f"{identity(os.getpid())}\nrelease\nfingerprint\n")
    assert database.busy() == f"migrate is at work (process {os.getpid()})"
    file.write_text("999999999:1:x\nrelease\nfingerprint\n")
    assert database.busy() is None


def test_busy_while_the_marker_is_there(site: Site) -> None:
    """A marker of someone else's counts until it is removed."""
    database = Sqlite(SqliteSettings(path="data/app.sqlite3", marker="data/migrating"), site)
    assert database.busy() is None
    (site.root / "data/migrating").touch()
    assert database.busy() == "data/migrating says so"


def test_prune_keeps_the_newest(database: Sqlite, path: Path, site: Site) -> None:
    """The newest stay, with their notes; what an unfinished copy has left goes, and strange files stay."""
    for number in range(4):
        database.back_up(f"copy-{number}", {}).perform(10)
    folder = site.folder / "backups"
    (folder / ".copy-9.part").touch()
    (folder / "by-hand.sqlite3").touch()
    perform(database.prune(2))
    assert [backup.name for backup in database.backups()] == ["copy-3", "copy-2"]
    left = {"by-hand.sqlite3", "copy-2.json", "copy-2.sqlite3", "copy-3.json", "copy-3.sqlite3"}
    assert {file.name for file in folder.iterdir()} == left


def test_folder_that_cannot_be_written(site: Site, path: Path) -> None:
    """A short error with code 7."""
    (site.root / "file").touch()
    database = Sqlite(SqliteSettings(path="data/app.sqlite3", backups="file/backups"), site)
    with pytest.raises(Unreachable) as caught:
        database.back_up("one", {}).perform(10)
    assert caught.value.exit_code == 7


def test_diagnose(database: Sqlite, path: Path) -> None:
    """A whole database and its newest copy are fine; rubbish is not."""
    database.back_up("one", {}).perform(10)
    assert [finding.state for finding in database.diagnose()] == ["ok", "ok"]
    path.write_bytes(b"rubbish" * 1000)
    assert [finding.state for finding in database.diagnose()] == ["fail", "ok"]


@pytest.mark.parametrize(
    ("preset", "expected"), [(None, []), ("django", ["books.0001", "auth.0001"]), ("alembic", ["ae10"])]
)
def test_what_is_applied_is_read(site: Site, path: Path, preset: str | None, expected: list[str]) -> None:
    """As Django and Alembic write it down; nothing before their first migration, and nothing without a preset."""
    database = Sqlite(SqliteSettings(path="data/app.sqlite3", preset=preset), site)
    assert list(database.applied()) == []
    with closing(sqlite3.connect(path)) as live, live:
        live.execute("CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app TEXT, name TEXT)")
        live.execute("INSERT INTO django_migrations (app, name) VALUES ('books', '0001'), ('auth', '0001')")
        live.execute("CREATE TABLE alembic_version (version_num TEXT)")
        live.execute("INSERT INTO alembic_version VALUES ('ae10')")
    assert list(database.applied()) == expected


def test_a_restore_that_was_marked_is_gone_on_with(database: Sqlite, path: Path, site: Site) -> None:
    """The same restore again keeps what was there before the first time, and not what the first time has restored."""
    database.back_up("one", {}).perform(10)
    put(path, 2)
    for _ in range(2):
        perform(database.restore("one", "20261123-101500-ab12cd"))
    kept = database.restored("20261123-101500-ab12cd")["kept"]
    assert rows(path.with_name(str(kept))) == [(1, 2), (2, 2)]
    assert rows(path) == [(1, 2)]
