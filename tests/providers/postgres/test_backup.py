"""Copies of a database that others write to: one moment, verified, whole or not there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from lab.parts import program
from lab.postgres import postgres

from deploytasks.errors import DeployError, Unreachable, UsageError
from deploytasks.providers.postgres import dump

from .conftest import Make, Place

PAIRS = """
    CREATE TABLE lefts (n bigint, filler text);
    CREATE TABLE rights (n bigint, filler text)
"""


@contextmanager
def writing(place: Place) -> Iterator[None]:
    """Meanwhile somebody writes pairs, each in one transaction, almost without pause."""
    done = threading.Event()

    def write() -> None:
        with suppress(psycopg.OperationalError), psycopg.connect(place.server.url_of(place.name)) as connection:
            for n in range(10**9):
                if done.is_set():
                    return
                connection.execute("INSERT INTO lefts VALUES (%s, repeat('l', 200))", (n,))
                connection.execute("INSERT INTO rights VALUES (%s, repeat('r', 200))", (n,))
                connection.commit()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(20)


def until(is_so: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never became so"
        time.sleep(0.01)


def command_lines() -> dict[int, list[str]]:
    """What anybody on this machine can see of every process."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found[int(entry.name)] = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
    return found


def dumps() -> dict[int, list[str]]:
    """The ``pg_dump`` processes of this test process: pid to command line."""
    found = {}
    for pid, words in command_lines().items():
        with suppress(OSError):
            is_dump = any(word.endswith("/pg_dump") for word in words[:2]) and "--format=custom" in words
            if is_dump and _descends(pid, os.getpid()):
                found[pid] = words
    return found


def _descends(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return False


@contextmanager
def held(place: Place, table: str = "books") -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Meanwhile a transaction keeps a table locked, so that a copy has to wait."""
    with psycopg.connect(place.server.url_of(place.name)) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield connection


def test_a_copy_is_listed_with_its_facts(place: Place) -> None:
    """Name, size, digest and tags; only the owner can read it; what was counted lies beside it."""
    database = place.open()
    database.back_up("app-1", {"who": "ann"}).perform(30)

    (backup,) = database.backups()
    file = place.copies / "app-1.dump"
    assert (backup.name, backup.size, backup.tags) == ("app-1", file.stat().st_size, {"who": "ann"})
    assert file.stat().st_mode & 0o777 == 0o600
    note = json.loads((place.copies / "app-1.json").read_text())
    assert note["content"]["rows"] == [["public", "books", 100]]
    assert sorted(path.name for path in place.copies.iterdir()) == ["app-1.dump", "app-1.json"]


def test_a_copy_is_one_moment(make: Make) -> None:
    """Somebody writes pairs all the time: the copy has whole pairs, and as many as were counted beside it."""
    place = make(content=PAIRS)
    database = place.open()
    with writing(place):
        until(lambda: place.sql("SELECT count(*) FROM rights") > [(20,)])
        database.back_up("one", {}).perform(60)
        assert place.sql("SELECT count(*) FROM rights")[0][0] > 20
    content = json.loads((place.copies / "one.json").read_text())["content"]
    rows = {table: count for _, table, count in content["rows"]}
    assert rows["lefts"] == rows["rights"] > 0
    listed = subprocess.run(
        [program("pg_restore"), "--data-only", "--table=rights", "-f", "-", place.copies / "one.dump"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert listed.stdout.count("rrrr\n") == rows["rights"]


def test_the_same_name_twice_is_once(place: Place) -> None:
    """A whole copy is kept; one that was torn is made again."""
    database, file = place.open(), place.copies / "one.dump"
    database.back_up("one", {}).perform(30)
    first = file.read_bytes()
    place.sql("INSERT INTO books (title) VALUES ('another')")
    database.back_up("one", {}).perform(30)
    assert file.read_bytes() == first
    file.write_bytes(first[:-1] + b"x")
    database.back_up("one", {}).perform(30)
    assert json.loads((place.copies / "one.json").read_text())["content"]["rows"] == [["public", "books", 101]]


def test_old_copies_go(place: Place) -> None:
    """All but the newest two."""
    database = place.open()
    for number in range(3):
        database.back_up(f"n{number}", {}).perform(30)
    for batch in database.prune(2):
        for call in batch:
            call.perform(10)
    assert [backup.name for backup in database.backups()] == ["n2", "n1"]


def test_odd_names_and_kinds(make: Make) -> None:
    """Quotes, blanks, capitals, a newline, partitions, large objects, extensions: counted, and found in the copy."""
    place = make(
        name="Bücher \"&\" 'Co' = {x} %s \\ /",
        content="""
            CREATE EXTENSION citext;
            CREATE SCHEMA "S.1 {a}";
            CREATE TABLE "S.1 {a}"."T \"\"x\"\"
                TABLE DATA y" (n int);
            INSERT INTO "S.1 {a}"."T \"\"x\"\"
                TABLE DATA y" VALUES (1), (2);
            CREATE TABLE parts (k int, v text) PARTITION BY LIST (k);
            CREATE TABLE "Part 1" PARTITION OF parts FOR VALUES IN (1);
            INSERT INTO parts VALUES (1, 'a');
            CREATE UNLOGGED TABLE unlogged (n int);
            SELECT lo_from_bytea(0, 'large')
        """,
    )
    database = place.open()
    database.back_up("one", {}).perform(30)
    content = json.loads((place.copies / "one.json").read_text())["content"]
    counted = {(schema, " ".join(table.split())): rows for schema, table, rows in content["rows"]}
    assert counted == {
        ("S.1 {a}", 'T "x" TABLE DATA y'): 2,
        ("public", "Part 1"): 1,
        ("public", "unlogged"): 0,
    }
    assert (content["objects"], content["extensions"]) == (1, ["citext", "plpgsql"])


def test_a_copy_without_a_table_does_not_count(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of contents is compared with the database, by numbers and not by names."""
    place.sql("CREATE VIEW forgotten AS SELECT 1 AS n")
    ((oid,),) = place.sql("SELECT 'forgotten'::regclass::oid::bigint")
    everything = dump.tables
    monkeypatch.setattr(dump, "tables", lambda seen: [*everything(seen), dump.Table(oid, "public", "forgotten")])
    with pytest.raises(DeployError, match=r"lacks the data of public\.forgotten"):
        place.open().back_up("one", {}).perform(30)
    assert list(place.copies.iterdir()) == []


def test_the_password_is_nowhere_to_be_seen(place: Place) -> None:
    """Not in the command lines of what runs meanwhile, nor in the text of the call, nor in the note."""
    call = place.open().back_up("one", {})
    with held(place) as holder:
        thread = threading.Thread(target=call.perform, args=(60,))
        thread.start()
        until(dumps)
        words = [word for line in command_lines().values() for word in line]
        holder.rollback()
    thread.join(30)
    secret = place.server.password
    assert "--format=custom" in words
    assert not [word for word in words if secret in word or quote(secret, safe="") in word]
    assert secret not in call.text + (place.copies / "one.json").read_text()
    assert f"{place.server.host}:{place.server.port}/{place.name}" in call.text


@pytest.mark.parametrize("how", ["wrong password", "no such role", "no such database", "nobody there"])
def test_what_cannot_be_reached(place: Place, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said in words, without the password; nothing is left behind."""
    server = place.server
    url = {
        "wrong password": server.url_of(place.name, password="wrong-and-secret"),
        "no such role": server.url_of(place.name, user="nobody_here"),
        "no such database": server.url_of("nothing_here"),
        "nobody there": "postgresql://ann:wrong-and-secret@127.0.0.1:1/x",
    }[how]
    database = place.open()
    monkeypatch.setenv("ANY_DATABASE_URL", url)
    with pytest.raises(Unreachable) as caught:
        database.back_up("one", {}).perform(30)
    assert "wrong-and-secret" not in str(caught.value)
    assert server.password not in str(caught.value)
    assert not place.copies.exists() or list(place.copies.iterdir()) == []


def test_a_url_that_is_none(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What libpq says about it could quote the password: we name the variable, and nothing else."""
    database = place.open()
    monkeypatch.setenv("ANY_DATABASE_URL", "postgresql://ann:correct%zhorse@host/x")
    with pytest.raises(UsageError, match="ANY_DATABASE_URL is no address") as caught:
        database.back_up("one", {})
    assert "horse" not in str(caught.value)
    other = place.open()
    monkeypatch.delenv("ANY_DATABASE_URL")
    with pytest.raises(UsageError, match="ANY_DATABASE_URL is not set"):
        other.back_up("one", {})


def test_too_late_is_ended_with_all_it_started(place: Place) -> None:
    """The time is up while a table is locked: no process and no file is left, and the next one works."""
    database = place.open()
    with held(place):
        began = time.monotonic()
        with pytest.raises(Unreachable):
            database.back_up("one", {}).perform(1.0)
        assert time.monotonic() - began < 15
        assert not dumps()
        assert list(place.copies.iterdir()) == []
    database.back_up("one", {}).perform(30)
    assert [backup.name for backup in database.backups()] == ["one"]


def test_pg_dump_is_killed(place: Place) -> None:
    """What it says is told, no half copy is left."""
    caught: list[BaseException] = []

    def back_up() -> None:
        try:
            place.open().back_up("one", {}).perform(60)
        except DeployError as error:
            caught.append(error)

    with held(place):
        thread = threading.Thread(target=back_up)
        thread.start()
        until(dumps)
        for pid in dumps():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    thread.join(30)
    assert not thread.is_alive()
    assert caught
    assert "pg_dump failed" in str(caught[0])
    assert list(place.copies.iterdir()) == []


DEPLOYER = """
import sys
from pathlib import Path
from urllib.parse import quote
from deploytasks.providers.postgres.database import PostgresDatabase
from deploytasks.providers.site import Site
from deploytasks.settings.postgres import PostgresSettings

root = Path(sys.argv[1])
site = Site("app", "test", root, root / ".deploy", None, "ann@here")
PostgresDatabase(PostgresSettings(url_from="ANY_DATABASE_URL"), site).back_up("one", {}).perform(60)
"""


def test_the_deployer_is_killed(place: Place) -> None:
    """`kill -9`: its pg_dump ends by itself, what it wrote is no copy, and the next prune takes it away."""
    database = place.open()
    with held(place):
        deployer = subprocess.Popen([sys.executable, "-c", DEPLOYER, place.root])
        until(dumps)
        assert database.busy() is not None
        deployer.kill()
        deployer.wait()
        until(lambda: not dumps())
    assert database.backups() == []
    until(lambda: database.busy() is None)
    database.back_up("two", {}).perform(30)
    database.prune(3)[0][0].perform(10)
    assert sorted(path.name for path in place.copies.iterdir()) == ["two.dump", "two.json"]


def test_the_server_dies_midway(make: Make, tmp_path: Path) -> None:
    """The copy fails in words and leaves nothing; when the server is back it works."""
    with postgres(tmp_path / "own") as server:
        place = make(server=server)
        database = place.open()
        caught: list[DeployError] = []

        def back_up() -> None:
            try:
                database.back_up("one", {}).perform(60)
            except DeployError as error:
                caught.append(error)

        with suppress(psycopg.OperationalError), held(place):
            thread = threading.Thread(target=back_up)
            thread.start()
            until(dumps)
            server.kill()
            thread.join(30)
        assert not thread.is_alive()
        assert isinstance(caught[0], Unreachable), caught
        assert list(place.copies.iterdir()) == []
        server.start()
        database.back_up("one", {}).perform(30)
        assert len(database.backups()) == 1


def test_a_server_that_freezes_is_not_waited_for(make: Make, tmp_path: Path) -> None:
    """It takes connections and says nothing: the time that was given is all that it costs."""
    with postgres(tmp_path / "own") as server:
        database = make(server=server).open()
        server.freeze()
        began = time.monotonic()
        with pytest.raises(Unreachable):
            database.back_up("one", {}).perform(2.0)
        assert time.monotonic() - began < 15
        server.thaw()


def test_the_disk_is_full(make: Make, tmp_path: Path) -> None:
    """It is said, and what was written is deleted."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    place = make(content="CREATE TABLE noise AS SELECT md5(random()::text || n) t FROM generate_series(1, 40000) n")
    place.copies.mkdir(parents=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", place.copies], check=False)
    if done.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        with pytest.raises(Unreachable, match="No space left") as caught:
            place.open().back_up("one", {}).perform(60)
        assert "make room" in caught.value.do
        assert list(place.copies.iterdir()) == []
    finally:
        subprocess.run(["umount", place.copies], check=True)


def test_rows_that_a_policy_hides_are_not_left_out(place: Place) -> None:
    """A role that may not see every row cannot make a copy that looks whole."""
    place.sql("DROP ROLE IF EXISTS reader")
    place.sql("CREATE ROLE reader LOGIN PASSWORD 'reader-secret'")
    place.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    place.sql("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader")
    database = place.open("reader", "reader-secret")
    database.back_up("all", {}).perform(30)
    place.sql("ALTER TABLE books ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON books USING (id < 10)")
    with pytest.raises(Unreachable, match="row-level security"):
        database.back_up("some", {}).perform(30)
    assert [backup.name for backup in database.backups()] == ["all"]
    place.sql("REASSIGN OWNED BY reader TO postgres; DROP OWNED BY reader; DROP ROLE reader")
