"""What must not be met by a backup or a restore; and what the doctor says."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from deploytasks.errors import DeployError
from deploytasks.ports import Finding

from .conftest import MARK, Place, perform
from .test_backup import dumps, held, until


def test_nothing_is_at_work(place: Place) -> None:
    """Clients that read and write are no reason to wait."""
    with psycopg.connect(place.server.url_of(place.name)) as somebody:
        somebody.execute("INSERT INTO books (title) VALUES ('not yet committed')")
        assert place.open().busy() is None


def test_a_migration_of_ours(place: Place) -> None:
    """It calls itself so by PGAPPNAME, which every program that uses libpq heeds."""
    with psycopg.connect(place.server.url_of(place.name), application_name="deploytasks migrate"):
        assert "deploytasks migrate is at work" in str(place.open().busy())


def test_a_migration_of_somebody_else(place: Place) -> None:
    """Neither Django nor Alembic takes a lock of its own; but a change of a schema keeps a whole table locked."""
    with held(place):
        assert "keeps a whole table" in str(place.open().busy())
    assert place.open().busy() is None


def test_a_moment_of_a_lock_is_no_migration(place: Place) -> None:
    """A TRUNCATE that is over before ``patience`` is."""
    with held(place) as holder:
        threading.Timer(0.3, holder.rollback).start()
        assert place.open(patience=10).busy() is None


def test_a_backup_at_work(place: Place) -> None:
    """Another deployer's, of another environment that has the same database."""
    with held(place) as holder:
        thread = threading.Thread(target=place.open().back_up("one", {}).perform, args=(60,))
        thread.start()
        until(dumps)
        assert "deploytasks backup is at work" in str(place.open().busy())
        holder.rollback()
    thread.join(30)
    assert place.open().busy() is None


def state_of(findings: list[Finding], subject: str) -> list[tuple[str, str]]:
    return [(found.state, found.detail) for found in findings if found.subject == subject]


def test_a_doctor_finds_all_well(place: Place) -> None:
    """The server, the programs, the rights, the copies with the age of the newest."""
    database = place.open()
    database.back_up("one", {}).perform(30)
    found = list(database.diagnose())
    assert {one.state for one in found} == {"ok"}, found
    assert "1, the newest one, 0 hours old" in state_of(found, "database copies")[0][1]


def test_a_doctor_names_what_a_restore_would_lack(place: Place) -> None:
    """The rights of the role, and what earlier restores have left to be dropped."""
    server, role = place.server, f"reader_{place.name}"
    place.open().back_up("one", {}).perform(30)
    perform(place.open().restore("one", MARK))
    server.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'reader-secret'")
    found = list(place.open(role, "reader-secret").diagnose())
    (rights, kept) = state_of(found, "database restore")
    assert rights[0] == kept[0] == "warn"
    for words in ("CREATEDB", "rename this one", "pg_signal_backend"):
        assert words in rights[1]
    assert f"{place.name}__before_{MARK}" in kept[1]
    server.sql(f"DROP ROLE {role}")


def test_a_doctor_tries_the_other_database(place: Place) -> None:
    """The one to which a restore connects."""
    found = list(place.open(maintenance="nothing_here").diagnose())
    assert [one.do for one in found if "nothing_here" in one.detail] == [
        "name another one of this server: `database.maintenance`"
    ]


def test_a_doctor_without_a_server(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finding, and no error; quickly."""
    database = place.open()
    monkeypatch.setenv("ANY_DATABASE_URL", "postgresql://ann:correct-horse@127.0.0.1:1/x")
    began = time.monotonic()
    found = list(database.diagnose())
    assert time.monotonic() - began < 15
    assert [one[0] for one in state_of(found, "database")] == ["fail"]
    assert "correct-horse" not in str(found)


@pytest.mark.parametrize("table", ["django", "alembic"])
def test_what_is_applied_is_read(place: Place, table: str) -> None:
    """As the tools themselves write it down; in whichever schema; nothing where there is no such table yet."""
    database = place.open(preset=table)
    assert list(database.applied()) == []
    place.sql("""
        CREATE SCHEMA app;
        CREATE TABLE app.django_migrations (id serial, app text, name text);
        INSERT INTO app.django_migrations (app, name) VALUES ('books', '0001_initial'), ('auth', '0001_initial');
        CREATE TABLE app.alembic_version (version_num text);
        INSERT INTO app.alembic_version VALUES ('ae1027a6acf')
    """)
    expected = {"django": ["books.0001_initial", "auth.0001_initial"], "alembic": ["ae1027a6acf"]}
    assert list(database.applied()) == expected[table]


def test_a_command_here(place: Place) -> None:
    """`where: local`: in the project's folder, with our environment; it fails in words."""
    database = place.open(where="local")
    (place.root / "a file").write_text("found")
    call = database.run("cat 'a file' > {root}/copy; echo \"$ANY_DATABASE_URL\" >> copy", "migrate")
    assert place.server.password not in call.text
    call.perform(10)
    assert (place.root / "copy").read_text() == f"found{place.server.url_of(place.name)}\n"
    with pytest.raises(DeployError, match="no such migration"):
        database.run("echo no such migration >&2; exit 3", "migrate").perform(10)
