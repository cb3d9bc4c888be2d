"""A copy back in the place of the database: beside it first, verified, then by a change of names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from lab.parts import program

from deploytasks.errors import DeployError, GateRefused, Unreachable, UsageError
from deploytasks.providers.postgres.dump import locked
from deploytasks.providers.postgres.names import Names

from .conftest import MARK, Make, Place, drop, perform

if TYPE_CHECKING:
    from lab.postgres import Server

KEPT = f"__before_{MARK}"
"""How the name of the database that was there ends afterwards."""
DYING = Path(__file__).with_name("dying.py")


def titles(place: Place, of: str = "") -> int:
    return int(place.server.sql("SELECT count(*) FROM public.books", database=place.name + of)[0][0])


def copied(place: Place) -> None:
    """A copy with a hundred books; afterwards one more is written."""
    place.open().back_up("one", {}).perform(30)
    place.sql("INSERT INTO books (title) VALUES ('written since')")


@contextmanager
def reading(place: Place, gap: float = 0.01) -> Iterator[list[str]]:
    """Meanwhile a client asks for the number of books, and connects again whenever it is sent away."""
    done, seen = threading.Event(), []

    def read() -> None:
        connection: psycopg.Connection[tuple[int]] | None = None
        while not done.wait(gap):
            try:
                connection = connection or psycopg.connect(place.server.url_of(place.name), autocommit=True)
                seen.append(str(connection.execute("SELECT count(*) FROM books").fetchall()[0][0]))
            except psycopg.Error as error:
                seen.append(type(error).__name__ + ("" if connection else f" at connecting: {error}"))
                connection = None
        if connection:
            connection.close()

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join(20)


def test_what_was_there_is_kept(place: Place) -> None:
    """The copy is in its place, under its name; what was there is whole under the name that is told."""
    copied(place)
    database = place.open()
    calls = database.restore("one", MARK)
    perform(calls)
    assert (titles(place), titles(place, KEPT)) == (100, 101)
    assert place.siblings() == ["", KEPT]
    assert database.restored(MARK) == {"kept": place.name + KEPT, "lost": []}
    assert place.name + KEPT in calls[1][0].text


def test_clients_come_back_to_the_copy(place: Place) -> None:
    """Those that are connected are sent away; who connects at that moment waits, and nobody finds no database."""
    copied(place)
    with reading(place) as seen:
        perform(place.open().restore("one", MARK))
        deadline = time.monotonic() + 20
        while "100" not in seen:
            assert time.monotonic() < deadline, seen
            time.sleep(0.02)
    assert seen[0] == "101"
    assert seen[-1] == "100"
    assert [one for one in seen if one == "AdminShutdown"], seen
    refused = [one for one in seen if not one.isdigit() and one != "AdminShutdown"]
    # One that was let in just before the names changed is told so, once, and comes back.
    assert len(refused) <= 1, seen


def test_twice_is_once(place: Place) -> None:
    """The same restore again changes nothing, so that one which was interrupted can be gone on with."""
    copied(place)
    calls = place.open().restore("one", MARK)
    perform(calls)
    place.sql("INSERT INTO books (title) VALUES ('after the restore')")
    perform(calls)
    assert (titles(place), place.siblings()) == (101, ["", KEPT])


def test_another_restore_keeps_another_database(place: Place) -> None:
    """Each restore has a name of its own for what it replaces."""
    copied(place)
    database = place.open()
    perform(database.restore("one", MARK))
    perform(database.restore("one", "20261124-101500-ab12cd"))
    assert place.siblings() == ["", KEPT, "__before_20261124-101500-ab12cd"]


@pytest.mark.parametrize("name", ["Bücher \"&\" 'Co' = {x} %s \\ /?#", "ö" * 31])
def test_odd_and_long_names(make: Make, name: str) -> None:
    """Whatever a database may be called; the names beside it are cut between two characters."""
    place = make(name=name)
    copied(place)
    perform(place.open().restore("one", MARK))
    names = Names.of(name, MARK)
    assert titles(place) == 100
    assert place.server.sql("SELECT count(*) FROM books", database=names.before) == [(101,)]
    drop(place.server, names.before)


def test_everything_in_it_comes_back(make: Make) -> None:
    """Odd tables, partitions, large objects, an extension, a view, a sequence where it was."""
    place = make(
        content="""
            CREATE EXTENSION citext;
            CREATE SCHEMA "S.1";
            CREATE TABLE "S.1"."T ""x"" y" (id serial PRIMARY KEY, name citext UNIQUE);
            INSERT INTO "S.1"."T ""x"" y" (name) VALUES ('Ann'), ('Bob');
            CREATE TABLE parts (k int, v text) PARTITION BY LIST (k);
            CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);
            INSERT INTO parts VALUES (1, 'a');
            CREATE VIEW names AS SELECT name FROM "S.1"."T ""x"" y";
            SELECT lo_from_bytea(4711, 'large')
        """
    )
    place.open().back_up("one", {}).perform(30)
    place.sql('DROP VIEW names; DELETE FROM "S.1"."T ""x"" y"; DELETE FROM parts; SELECT lo_unlink(4711)')
    perform(place.open().restore("one", MARK))
    assert place.sql("SELECT name::text FROM names WHERE name = 'ANN'") == [("Ann",)]
    assert place.sql("SELECT v, convert_from(lo_get(4711), 'UTF8') FROM parts") == [("a", "large")]
    assert place.sql("""SELECT nextval('"S.1"."T ""x"" y_id_seq"')""") == [(3,)]


def test_the_database_itself_is_as_it_was(make: Make, request: pytest.FixtureRequest) -> None:
    """Owner, encoding, collation, connection limit, comment, grants and settings: a dump has none of them."""
    place = make(rest="TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' CONNECTION LIMIT 55")
    role = f"Owner of {place.name}"
    place.sql(f"""
        CREATE ROLE "{role}" NOLOGIN; CREATE ROLE "{role} 2" NOLOGIN;
        ALTER DATABASE {place.name} OWNER TO "{role}";
        COMMENT ON DATABASE {place.name} IS 'it''s ours';
        REVOKE TEMPORARY ON DATABASE {place.name} FROM PUBLIC;
        GRANT CREATE ON DATABASE {place.name} TO "{role} 2" WITH GRANT OPTION;
        ALTER DATABASE {place.name} SET search_path TO "$user", "a, b", public;
        ALTER DATABASE {place.name} SET statement_timeout TO '77s';
        ALTER DATABASE {place.name} SET app.odd TO 'it''s; odd';
        ALTER ROLE "{role} 2" IN DATABASE {place.name} SET work_mem TO '5MB'
    """)

    def about() -> list[object]:
        question = """SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datconnlimit,
              datacl::text, shobj_description(d.oid, 'pg_database'),
              (SELECT array_agg(setrole || ' ' || one ORDER BY setrole || one)
               FROM pg_db_role_setting, unnest(setconfig) one WHERE setdatabase = d.oid)
            FROM pg_database d WHERE datname = %s"""
        return list(place.server.sql(question, place.name)[0])

    before = about()
    copied(place)
    database = place.open()
    perform(database.restore("one", MARK))
    assert about() == before
    assert database.restored(MARK)["lost"] == []
    drop(place.server, place.name)
    place.server.sql(f'DROP ROLE "{role}"; DROP ROLE "{role} 2"')


def test_what_is_not_carried_over_is_listed(place: Place) -> None:
    """A setting that only somebody else may set, and a replication slot that belongs to the old database."""
    server, role = place.server, f"deployer_{place.name}"
    server.sql(f"CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'deployer-secret'")
    server.sql(f"GRANT pg_signal_backend TO {role}; ALTER DATABASE {place.name} OWNER TO {role}")
    place.sql(f"ALTER TABLE books OWNER TO {role}")
    place.sql(f"ALTER DATABASE {place.name} SET log_min_duration_statement TO '1s'")
    database = place.open(role, "deployer-secret")
    database.back_up("one", {}).perform(30)
    perform(database.restore("one", MARK))
    assert database.restored(MARK)["lost"] == ["the setting log_min_duration_statement"]
    drop(server, place.name)
    server.sql(f"DROP ROLE {role}")


def test_a_role_that_may_not_is_refused_before_anything(place: Place) -> None:
    """Without the right to create databases, or to rename this one: what is missing is said."""
    server, role = place.server, f"reader_{place.name}"
    copied(place)
    server.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'reader-secret'")
    database = place.open(role, "reader-secret")
    with pytest.raises(GateRefused, match="CREATEDB"):
        perform(database.restore("one", MARK))
    assert (titles(place), place.siblings()) == (101, [""])
    server.sql(f"DROP ROLE {role}")


def test_whom_we_may_not_send_away_is_named(place: Place) -> None:
    """The live database stays; once they are gone, the same restore goes on without restoring again."""
    server, role = place.server, f"deployer_{place.name}"
    server.sql(f"CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'deployer-secret'")
    server.sql(f"ALTER DATABASE {place.name} OWNER TO {role}")
    place.sql(f"ALTER TABLE books OWNER TO {role}")
    database = place.open(role, "deployer-secret")
    database.back_up("one", {}).perform(30)
    place.sql("INSERT INTO books (title) VALUES ('written since')")
    calls = database.restore("one", MARK)
    perform(calls[:1])
    with psycopg.connect(server.url_of(place.name), application_name="somebody"):
        with pytest.raises(Unreachable, match=r"in use by postgres .*somebody"):
            calls[1][0].perform(8)
        assert titles(place) == 101
    perform(calls)
    assert (titles(place), place.siblings()) == (100, ["", KEPT])
    drop(server, place.name)
    server.sql(f"DROP ROLE {role}")


def test_a_prepared_transaction_is_in_the_way(make: Make, ledgers: Server) -> None:
    """Nobody can send it away: it is named, and the live database stays."""
    if ledgers.sql("SHOW max_prepared_transactions") == [("0",)]:
        pytest.skip("the server has none")
    place = make()
    copied(place)
    with place.server.connect(place.name) as connection:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO books (title) VALUES ('in between')")
        connection.execute("PREPARE TRANSACTION 'half done'")
    with pytest.raises(GateRefused, match="half done"):
        perform(place.open().restore("one", MARK))
    assert titles(place) == 101
    place.sql("ROLLBACK PREPARED 'half done'")


def test_a_copy_that_changed_is_not_restored(place: Place) -> None:
    """Its digest is no longer what was noted: nothing is created."""
    copied(place)
    file = place.copies / "one.dump"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(DeployError, match="has changed since it was made"):
        perform(place.open().restore("one", MARK))
    assert (titles(place), place.siblings()) == (101, [""])


def test_other_rows_than_were_counted(place: Place) -> None:
    """What came back is counted before it takes the place of anything."""
    copied(place)
    note = place.copies / "one.json"
    facts = json.loads(note.read_text())
    facts["content"]["rows"] = [["public", "books", 99], ["public", "loans", 5]]
    note.write_text(json.dumps(facts))
    with pytest.raises(DeployError, match=r"public\.books has 100 rows, not 99 rows; public\.loans has no such table"):
        perform(place.open().restore("one", MARK))
    assert (titles(place), place.siblings()) == (101, [""])


def test_a_database_that_is_gone(place: Place) -> None:
    """It is made again as it was, and nothing is kept."""
    place.server.sql(f"ALTER DATABASE {place.name} SET work_mem TO '5MB'")
    copied(place)
    drop(place.server, place.name)
    database = place.open()
    assert database.busy() is None
    perform(database.restore("one", MARK))
    assert (titles(place), place.siblings(), database.restored(MARK)) == (100, [""], {})
    assert place.sql("SHOW work_mem") == [("5MB",)]


def test_an_unknown_copy(place: Place) -> None:
    """Those that there are are named."""
    copied(place)
    with pytest.raises(UsageError, match="there is no copy called 'two'"):
        place.open().restore("two", MARK)


def test_one_at_a_time(place: Place) -> None:
    """While a restore is at work, another one is refused, and whoever asks is told."""
    copied(place)
    with place.server.connect() as connection, locked(connection, place.name):
        assert "is at work" in str(place.open().busy())
        with pytest.raises(GateRefused, match="another backup or restore"):
            perform(place.open().restore("one", MARK))
    assert place.open().busy() is None


def until_noticed(place: Place) -> None:
    """Return when the server knows that a client is dead: its lock is free then."""
    deadline = time.monotonic() + 20
    while why := place.open().busy():
        assert time.monotonic() < deadline, why


def die(place: Place, mark: str, at: int) -> subprocess.CompletedProcess[str]:
    """Restore in a process that is killed at its ``at``-th change (0: it comes to its end)."""
    own = {**os.environ, "ANY_DATABASE_URL": place.server.url_of(place.name)}
    return subprocess.run(
        [sys.executable, DYING, place.root, "one", mark, str(at)],
        env=own, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_killed_anywhere(make: Make) -> None:
    """`kill -9` before each change: the live database is there, the old one or the new one; the same again completes
    it, and leaves neither half a copy nor a second one."""
    place = make()
    place.server.sql(f"ALTER DATABASE {place.name} SET work_mem TO '5MB'")
    place.open().back_up("one", {}).perform(30)
    place.sql("INSERT INTO books (title) VALUES ('written since')")
    done = die(place, "00000000-000000-000000", 0)
    changes = int(done.stdout)
    assert changes >= 10
    for at in range(1, changes + 1):
        mark = f"20261123-101500-{at:06x}"
        place.sql("INSERT INTO books (title) VALUES ('written since')")
        killed = die(place, mark, at)
        assert killed.returncode == -9, killed.stderr
        assert titles(place) in (100, 101), at
        until_noticed(place)
        perform(place.open().restore("one", mark))
        assert (titles(place), titles(place, f"__before_{mark}")) == (100, 101), at
        assert not [name for name in place.siblings() if "__restore_" in name], at
        assert place.sql("SHOW work_mem") == [("5MB",)]
        drop(place.server, f"{place.name}__before_{mark}")


def test_what_a_dead_restore_left_goes_with_the_next(place: Place) -> None:
    """Nobody resumes it: a later restore of another mark drops what was never verified."""
    copied(place)
    half = f'"{place.name}__restore_{MARK}"'
    place.server.sql(f"CREATE DATABASE {half}")
    place.server.sql(f"COMMENT ON DATABASE {half} IS 'deploytasks: being restored for {place.name}'")
    perform(place.open().restore("one", "20261124-101500-ab12cd"))
    assert place.siblings() == ["", "__before_20261124-101500-ab12cd"]


def test_the_server_dies_between(make: Make, place: Place) -> None:
    """A restore that fails because nobody answers leaves the live database, and can be repeated."""
    copied(place)
    calls = place.open().restore("one", MARK)
    perform(calls[:1])
    with place.server.connect() as connection, suppress(psycopg.Error):
        connection.execute(f'DROP DATABASE "{place.name}__restore_{MARK}"')
    with pytest.raises(GateRefused, match="not verified"):
        perform(calls[1:])
    assert titles(place) == 101
    perform(calls)
    assert titles(place) == 100


NEWER = """#!/bin/sh
# As the programs of a version to come: pg_restore sets what this server does not know, and goes on.
case "$*" in
  --version) echo "$(basename "$0") (PostgreSQL) 99.1" ;;
  *--exit-on-error*) echo "pg_restore: error: not with a newer one" >&2; exit 1 ;;
  *)
    {real}/$(basename "$0") "$@" || exit
    case "$*" in *--jobs*) echo "pg_restore: error: could not execute query: ERROR:  {wrong}" >&2; exit 1 ;; esac ;;
esac
"""


@pytest.mark.parametrize(
    ("wrong", "works"), [("unrecognized configuration parameter x", True), ("relation y does not exist", False)]
)
def test_programs_that_are_newer_than_the_server(place: Place, tmp_path: Path, wrong: str, works: bool) -> None:
    """They set what an older server does not know, which is no loss; any other error is one."""
    folder = tmp_path / "newer"
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (folder / name).write_text(NEWER.format(real=Path(program(name)).parent, wrong=wrong))
        (folder / name).chmod(0o755)
    database = place.open(bin=str(folder))
    database.back_up("one", {}).perform(30)
    place.sql("DELETE FROM books")
    if works:
        perform(database.restore("one", MARK))
        assert titles(place) == 100
        return
    with pytest.raises(Unreachable, match=wrong):
        perform(database.restore("one", MARK))
    assert (titles(place), place.siblings()) == (0, [""])
