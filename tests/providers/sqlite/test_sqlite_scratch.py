"""A copy in a file of its own, for a rehearsal."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from deploytasks.errors import DeployError, UsageError
from deploytasks.providers.site import Site
from deploytasks.providers.sqlite import Sqlite
from deploytasks.settings.sqlite import SqliteSettings


def provider(folder: Path) -> Sqlite:
    """A database with one migration, and a copy of it."""
    with closing(sqlite3.connect(folder / "live.sqlite3")) as database:
        database.executescript(
            "CREATE TABLE django_migrations (id integer PRIMARY KEY, app text, name text);"
            "INSERT INTO django_migrations (app, name) VALUES ('shop', '0001')"
        )
    made = Sqlite(
        SqliteSettings(path="live.sqlite3", preset="django"), Site("a", "e", folder, folder / "s", None, "ann")
    )
    made.back_up("one", {}).perform(10)
    return made


def test_it_is_another_file(tmp_path: Path) -> None:
    """Only we can read it; what is applied there is not applied to the live one; dropped, nothing is left."""
    database, folder = provider(tmp_path), tmp_path / "rehearsal"
    folder.mkdir()
    scratch = database.scratch("one", "m1", str(folder))
    assert () == tuple(scratch.applied())
    scratch.make.perform(10)
    (file,) = folder.iterdir()
    assert (str(file), 0o600) == (scratch.values["path"], file.stat().st_mode & 0o777)
    with closing(sqlite3.connect(file)) as copy:
        copy.execute("PRAGMA journal_mode=WAL")
        copy.execute("INSERT INTO django_migrations (app, name) VALUES ('shop', '0002')")
        copy.commit()
        assert ["shop.0001", "shop.0002"] == list(scratch.applied())
    assert ["shop.0001"] == list(database.applied())
    for _ in range(2):
        scratch.drop.perform(10)
    assert [] == list(folder.iterdir())


def test_nowhere_is_nowhere(tmp_path: Path) -> None:
    """SQLite would make a file where a folder is."""
    scratch = provider(tmp_path).scratch("one", "m1", str(tmp_path))
    with pytest.raises(sqlite3.OperationalError):
        sqlite3.connect(scratch.nowhere["path"])


def test_a_copy_that_has_changed_is_not_taken(tmp_path: Path) -> None:
    """Nor one that is not there."""
    database = provider(tmp_path)
    scratch = database.scratch("one", "m1", str(tmp_path))
    (tmp_path / "s/backups/one.sqlite3").write_bytes(b"x")
    with pytest.raises(DeployError, match="has changed"):
        scratch.make.perform(10)
    with pytest.raises(UsageError):
        database.scratch("two", "m1", str(tmp_path))
