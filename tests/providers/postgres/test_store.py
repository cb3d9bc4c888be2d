"""The store in PostgreSQL: no write is lost or made twice, whatever happens to line and server."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from lab import stores
from lab.certificates import certificate

from deploytasks.engine.clock import SystemClock
from deploytasks.errors import Conflict, Unreachable, UsageError
from deploytasks.ledger import Holder, Lease, Ledger
from deploytasks.providers.identity import identity, is_alive
from deploytasks.providers.postgres.store import PostgresStore
from deploytasks.providers.postgres.table import REMEMBERED
from deploytasks.settings.postgres import PostgresAccess
from deploytasks.settings.postgres_store import PostgresStoreSettings

from .between import Between, between

if TYPE_CHECKING:
    from lab.postgres import Server

SCOPE = "library/production"
EVENT = f"{SCOPE}/events/000000000001.json"
Open = Callable[..., PostgresStore]


@pytest.fixture
def table(ledgers: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A table of this test's own; not made yet."""
    with stores.on_postgres(ledgers, monkeypatch.setenv) as name:
        yield name


@pytest.fixture
def opened(table: str, ledgers: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the store, by another way when ``url`` says so, with other settings."""

    def open_store(url: str | None = None, sections: Any = None, **more: Any) -> PostgresStore:
        monkeypatch.setenv("ANY_STORE_URL", url or ledgers.url_of(stores.DATABASE))
        settings = PostgresStoreSettings(url_from="ANY_STORE_URL", table=table, **more)
        return PostgresStore(settings, stores.site(tmp_path)._replace(sections=sections or {}))

    return open_store


@pytest.fixture
def store(opened: Open) -> PostgresStore:
    return opened()


@pytest.fixture
def line(ledgers: Server) -> Iterator[Between]:
    """A line that can be cut."""
    with between(ledgers.host, ledgers.port) as line:
        yield line


@pytest.fixture
def shaky(opened: Open, ledgers: Server, line: Between, store: PostgresStore) -> PostgresStore:
    """The same store over that line; connected, its table made."""
    store.put("a/made", b"", None)
    shaky = opened(ledgers.url_of(stores.DATABASE).replace(f":{ledgers.port}/", f":{line.port}/"))
    assert shaky.get("a/made") is not None
    return shaky


# -- writes ----------------------------------------------------------------------------------------


def test_a_value_that_comes_back_is_another_one(store: PostgresStore) -> None:
    """Who read a value before it was changed and changed back is told that somebody wrote meanwhile."""
    first = store.put("a/key", b"one", None)
    store.put("a/key", b"one", store.put("a/key", b"two", first))
    with pytest.raises(Conflict):
        store.put("a/key", b"three", first)


def test_lost_answer_to_a_creation(shaky: PostgresStore, line: Between, store: PostgresStore) -> None:
    """A creation whose answer is lost is recognized as our own, and is there once."""
    line.lose_the_answer()
    tag = shaky.put("a/key", b"ours", None)
    assert store.get("a/key") == (b"ours", tag)
    assert shaky.put("a/key", b"next", tag)


def test_lost_answer_to_a_swap(shaky: PostgresStore, line: Between, store: PostgresStore) -> None:
    """So is a swap."""
    tag = shaky.put("a/key", b"0", None)
    line.lose_the_answer()
    tag = shaky.put("a/key", b"1", tag)
    assert store.get("a/key") == (b"1", tag)


def test_lost_statement_is_sent_again(shaky: PostgresStore, line: Between, store: PostgresStore) -> None:
    """A write that never reached the server reaches it over a new connection."""
    tag = shaky.put("a/key", b"0", None)
    line.lose_the_statement()
    tag = shaky.put("a/key", b"1", tag)
    assert store.get("a/key") == (b"1", tag)


@pytest.mark.parametrize("others", [1, REMEMBERED - 1])
def test_lost_answer_after_which_others_wrote(
    shaky: PostgresStore, line: Between, store: PostgresStore, others: int
) -> None:
    """A swap that got through before others swapped as well was no conflict: it must not be made again."""
    tag = shaky.put("a/key", b"0", None)

    def meanwhile() -> None:
        _until(lambda: (store.get("a/key") or (b"",))[0] == b"ours")
        for nth in range(others):
            _, seen = store.get("a/key") or (b"", "")
            store.put("a/key", b"%d" % nth, seen)

    line.lose_the_answer(meanwhile)
    ours = shaky.put("a/key", b"ours", tag)
    with pytest.raises(Conflict):
        shaky.put("a/key", b"again", ours)


def test_lost_answer_of_one_who_came_too_late(shaky: PostgresStore, line: Between, store: PostgresStore) -> None:
    """A lost answer that was a refusal is a refusal still."""
    tag = shaky.put("a/key", b"0", None)
    store.put("a/key", b"theirs", tag)
    line.lose_the_answer()
    with pytest.raises(Conflict):
        shaky.put("a/key", b"ours", tag)
    line.lose_the_answer()
    with pytest.raises(Conflict):
        shaky.put("a/key", b"ours", None)
    assert (store.get("a/key") or (b"",))[0] == b"theirs"


def test_killed_backends_lose_and_double_nothing(opened: Open, ledgers: Server) -> None:
    """While somebody keeps killing all sessions, every event is recorded once, and the chain verifies."""
    ledger = Ledger(opened(answer_within=20), SCOPE, "ann@host", SystemClock().now)
    numbers = [ledger.append("note", {"nth": 0}).number]
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'deploytasks store'"
    killed: list[object] = []

    def keep_killing() -> None:
        with ledgers.connect() as connection:
            while len(killed) < 40:
                reached = len(numbers)
                time.sleep(random.random() * 0.004)  # anywhere in what an append does
                killed.extend(connection.execute(kill).fetchall())
                _until(lambda reached=reached: len(numbers) > reached)

    killer = threading.Thread(target=keep_killing)
    killer.start()
    while killer.is_alive():
        numbers.append(ledger.append("note", {"nth": len(numbers)}).number)
    killer.join()
    assert len(killed) >= 40
    assert numbers == list(range(1, len(numbers) + 1))
    assert [event.facts["nth"] for event in ledger.events()] == list(range(len(numbers)))
    assert ledger.verify()[:2] == (True, len(numbers))


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_server_that_restarts_is_waited_for(opened: Open, ledgers: Server, how: str) -> None:
    """A server that is away for a moment costs nothing but that moment; what it had acknowledged, it has."""
    store = opened(answer_within=15)
    ledger = Ledger(store, SCOPE, "ann@host", SystemClock().now)
    ledger.append("note", {"nth": 0})
    getattr(ledgers, how)()
    appending = threading.Thread(target=ledger.append, args=("note", {"nth": 1}))
    appending.start()
    ledgers.start()
    appending.join(15)
    assert [event.facts["nth"] for event in ledger.events()] == [0, 1]
    assert ledger.verify()[:2] == (True, 2)


def test_a_history_is_read_in_few_questions(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading 250 events asks a server, which may be far away, five times and not 250 times."""
    ledger = Ledger(store, SCOPE, "ann@host", SystemClock().now)
    for nth in range(250):
        ledger.append("note", {"nth": nth})
    asked: list[object] = []
    real = store._line.ask
    monkeypatch.setattr(store._line, "ask", lambda *given: asked.append(given) or real(*given))
    assert [event.facts["nth"] for event in ledger.events()] == list(range(250))
    assert len(asked) <= 2 + 1 + 3  # the head, the first event, and a hundred at a time from then on


def test_two_threads_do_not_wait_for_each_other(store: PostgresStore, ledgers: Server) -> None:
    """A lease beats while an event is being written that the database keeps waiting; on a line of its own."""
    store.put("a/key", b"", None)
    _, tag = store.get("a/key") or (b"", "")
    with ledgers.connect(stores.DATABASE) as holding, holding.transaction():
        holding.execute(f"SELECT * FROM {os.environ[stores.TABLE]} WHERE key = 'a/key' FOR UPDATE")
        waiting = threading.Thread(target=store.put, args=("a/key", b"1", tag))
        waiting.start()
        me = Holder.here("ann@host", identity)
        with Lease.take(store, SCOPE, me, "deploy", clock=SystemClock(), is_alive=is_alive, beat=0.01) as lease:
            lease.doing("something")
            lease.check()
        assert waiting.is_alive()
    waiting.join(10)
    assert (store.get("a/key") or (b"",))[0] == b"1"


def test_child_does_not_use_its_parents_line(store: PostgresStore) -> None:
    """After a fork, both go on, each on its own connection."""
    tag = store.put("a/key", b"parent", None)
    ours = _backends(store)
    child = os.fork()
    if not child:
        store.put("a/key", b"child", tag)
        os._exit(0 if ours != _backends(store) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (store.get("a/key") or (b"",))[0] == b"child"
    assert ours == _backends(store)  # the same as before: the child did not end it


# -- silence and refusals --------------------------------------------------------------------------


def test_stopped_server_is_given_up_in_time(opened: Open, ledgers: Server, store: PostgresStore) -> None:
    """A backend that hangs costs the bounded time once, then nothing for as long; afterwards all is as before."""
    hasty = opened(answer_within=0.5)
    tag = hasty.put("a/key", b"0", None)
    (backend,) = _backends(hasty)
    os.kill(backend, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            hasty.put("a/key", b"1", tag)
        first = time.monotonic() - began
        with pytest.raises(Unreachable):
            hasty.get("a/key")
        second = time.monotonic() - began - first
    finally:
        os.kill(backend, signal.SIGCONT)
    assert (0.4 < first < 10, second < 0.4) == (True, True)
    assert caught.value.state == "it may have been written, or not"
    _until(lambda: _reads(hasty))
    held = store.get("a/key")
    assert held is not None
    assert (held[0] == b"1", held[1] != tag) in ((True, True), (False, False))


def test_dead_server_is_an_error_with_advice(opened: Open, ledgers: Server) -> None:
    """Nobody there: code 7, in time, with what to do, and without the password."""
    url = ledgers.url_of(stores.DATABASE).replace(f":{ledgers.port}/", ":1/")
    store = opened(url, answer_within=0.5)
    for use in (lambda: store.get("a"), lambda: store.put("a", b"", None), lambda: list(store.keys(""))):
        with pytest.raises(Unreachable, match="does not answer") as caught:
            use()
        assert ("inv doctor" in caught.value.do, caught.value.exit_code) == (True, 7)
        assert ledgers.password not in str(caught.value)
    (finding,) = store.diagnose()
    assert (finding.state, finding.do != "") == ("fail", True)


def test_wrong_password_is_said_at_once_and_not_shown(opened: Open, ledgers: Server) -> None:
    """A refused log-in is not tried again and again; neither the right password nor the wrong one is shown."""
    began = time.monotonic()
    with pytest.raises(Unreachable, match="password authentication failed") as caught:
        opened(ledgers.url_of(stores.DATABASE, password="wrong-and-long"), answer_within=30).get("a")
    assert time.monotonic() - began < 15
    assert "wrong-and-long" not in f"{caught.value}{caught.value.__cause__}"
    assert "docs/ledger.md" in caught.value.do


def test_missing_variable_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set is code 2 and named."""
    monkeypatch.delenv("NO_SUCH_URL", raising=False)
    with pytest.raises(UsageError, match="NO_SUCH_URL is not set"):
        PostgresStore(PostgresStoreSettings(url_from="NO_SUCH_URL"), stores.site(tmp_path))


def test_url_that_is_none_is_not_shown(opened: Open) -> None:
    """A value that cannot be read might be a password: it is not repeated."""
    with pytest.raises(UsageError, match="no address") as caught:
        opened("postgresql//someone:geheim42@host")
    assert "geheim42" not in str(caught.value)


def test_tls_is_asked_for(opened: Open) -> None:
    """What the section says about TLS reaches libpq: a server without it is refused."""
    with pytest.raises(Unreachable, match="SSL"):
        opened(sslmode="require", answer_within=0.5).get("a")


@pytest.fixture
def tls(ledgers: Server, tmp_path: Path) -> Iterator[Path]:
    """The server with TLS, for as long as a test runs; the file of the authority to trust."""
    ours = certificate(tmp_path, "server")
    owner = ledgers.data.stat()
    for file in ours:
        there = ledgers.data / file.name
        there.touch(0o600)
        there.write_bytes(file.read_bytes())
        os.chown(there, owner.st_uid, owner.st_gid)
    for name, value in (("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key"), ("ssl", "on")):
        ledgers.sql(f"ALTER SYSTEM SET {name} = '{value}'")
    ledgers.sql("SELECT pg_reload_conf()")
    _until(lambda: ledgers.sql("SHOW ssl") == [("on",)])
    yield ours.chain
    ledgers.sql("ALTER SYSTEM RESET ALL")
    ledgers.sql("SELECT pg_reload_conf()")
    _until(lambda: ledgers.sql("SHOW ssl") == [("off",)])


def test_tls_proves_who_answers(opened: Open, tls: Path, tmp_path: Path) -> None:
    """With the right authority the line is encrypted; with another one nobody is talked to, and it is said at once."""
    store = opened(sslmode="verify-full", sslrootcert=str(tls), answer_within=20)
    store.put("a/key", b"one", None)
    assert store._line.ask(store._table.server).rows[0][2] is True
    stranger = certificate(tmp_path, "stranger").chain
    with pytest.raises(Unreachable, match="certificate verify failed") as caught:
        opened(sslmode="verify-full", sslrootcert=stranger.name, answer_within=20).get("a/key")  # below the project
    assert "docs/ledger.md" in caught.value.do


def test_what_the_url_says_comes_beside_what_we_say(opened: Open, ledgers: Server) -> None:
    """Options in the URL are kept, and so are the bounds that a store needs; a wrong number is our own default."""
    url = f"{ledgers.url_of(stores.DATABASE)}?options=-c%20search_path%3Dpublic&connect_timeout=soon"
    with opened(url, answer_within=2)._line._connection(time.monotonic() + 10) as connection:
        shown = [connection.execute(f"SHOW {name}").fetchall()[0][0] for name in ("search_path", "statement_timeout")]
    assert shown == ["public", "2s"]


def test_standby_is_not_written_to(opened: Open, ledgers: Server) -> None:
    """A server that takes no writes is not the one; it may become it, so it is asked again until time is over."""
    ledgers.sql(f"ALTER DATABASE {stores.DATABASE} SET default_transaction_read_only = on")
    try:
        with pytest.raises(Unreachable, match="read-only"):
            opened(answer_within=0.5).get("a")
    finally:
        ledgers.sql(f"ALTER DATABASE {stores.DATABASE} RESET default_transaction_read_only")


def test_locked_row_is_given_up_by_the_server(opened: Open, ledgers: Server, table: str) -> None:
    """A key that somebody's transaction holds is a plain error in time, and nothing was written."""
    store = opened(answer_within=0.5)
    tag = store.put("a/key", b"0", None)
    with ledgers.connect(stores.DATABASE) as holding, holding.transaction():
        holding.execute(f"SELECT * FROM {table} WHERE key = 'a/key' FOR UPDATE")
        with pytest.raises(Unreachable, match="lock timeout") as caught:
            store.put("a/key", b"1", tag)
    assert "pg_stat_activity" in caught.value.do
    assert store.get("a/key") == (b"0", tag)


# -- whose database, and who may what --------------------------------------------------------------


@pytest.mark.parametrize(
    "spelled",
    [
        lambda server: {"host": server.host, "port": server.port, "name": stores.DATABASE},
        lambda server: {"host": "localhost", "port": server.port, "name": stores.DATABASE, "user": "somebody"},
        lambda server: {"host": str(server.socket), "port": server.port, "name": stores.DATABASE},
        lambda server: {"url_from": stores.URL},
    ],
)
def test_the_applications_database_is_refused(
    opened: Open, ledgers: Server, spelled: Callable[[Server], dict[str, Any]]
) -> None:
    """However it is spelled, the application's own database is no place for the ledger: code 2, with what to do."""
    with pytest.raises(UsageError, match=r"production\.store: this is the application's own database") as caught:
        opened(sections={"database": PostgresAccess(**spelled(ledgers))})
    assert "CREATE DATABASE" in caught.value.do


def test_another_database_of_the_same_server_will_do(opened: Open, ledgers: Server) -> None:
    """A team with one server has two databases on it; what cannot be read of the other one stops nobody."""
    other = PostgresAccess(host=ledgers.host, port=ledgers.port, name="library")
    unread = PostgresAccess(url_from="NOT_SET_ANYWHERE")
    for database in (other, unread):
        assert opened(sections={"database": database}).get("a") is None


def test_events_are_kept_by_the_database(store: PostgresStore, ledgers: Server, table: str) -> None:
    """Whoever works with the table by hand cannot change or delete an event; a lease can be deleted."""
    store.put(EVENT, b"one", None)
    store.put(f"{SCOPE}/lease.json", b"mine", None)
    for statement in (
        f"UPDATE {table} SET value = 'x' WHERE key = '{EVENT}'",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
    ):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="neither changed nor deleted"):
            ledgers.sql(statement, database=stores.DATABASE)
    ledgers.sql(f"DELETE FROM {table} WHERE key LIKE '%lease.json'", database=stores.DATABASE)
    assert list(store.keys("")) == [EVENT]
    _, tag = store.get(EVENT) or (b"", "")
    with pytest.raises(Unreachable, match="neither changed nor deleted"):
        store.put(EVENT, b"two", tag)


def test_an_environment_may_be_called_events(store: PostgresStore) -> None:
    """Only what is an event is kept: a lease and a head change, whatever the environment is called."""
    for key in ("library/events/lease.json", "events/events/head.json"):
        store.put(key, b"2", store.put(key, b"1", None))
    tag = store.put("library/events/events/000000000001.json", b"1", None)
    with pytest.raises(Unreachable, match="neither changed nor deleted"):
        store.put("library/events/events/000000000001.json", b"2", tag)


def test_doctor_notices_what_does_not_last(store: PostgresStore, ledgers: Server, table: str) -> None:
    """Triggers that were dropped, and a server that may forget, are warnings."""
    store.put(EVENT, b"one", None)
    assert [finding.state for finding in store.diagnose()] == ["ok", "warn"]  # a server for tests runs without fsync
    assert "fsync" in store.diagnose()[1].detail
    ledgers.sql(f"DROP TRIGGER keep_events ON {table}", database=stores.DATABASE)
    found = store.diagnose()[0]
    assert (found.state, "triggers" in found.detail, "docs/ledger.md" in found.do) == ("warn", True, True)


@pytest.fixture
def clerk(ledgers: Server) -> Iterator[str]:
    """The URL of a role that may do nothing yet."""
    ledgers.sql("CREATE ROLE clerk LOGIN PASSWORD 'clerks-password'")
    yield ledgers.url_of(stores.DATABASE, "clerk", "clerks-password")
    ledgers.sql("DROP OWNED BY clerk", database=stores.DATABASE)
    ledgers.sql("DROP ROLE clerk")


def test_role_that_may_not_make_the_table(opened: Open, clerk: str) -> None:
    """Reading finds nothing, writing and the doctor say what is missing and where it is written."""
    store = opened(clerk)
    assert (store.get("a"), list(store.keys(""))) == (None, [])
    with pytest.raises(Unreachable, match="permission denied") as caught:
        store.put("a", b"", None)
    assert "docs/ledger.md" in caught.value.do
    (finding, *_) = store.diagnose()
    assert (finding.state, "docs/ledger.md" in finding.do) == ("fail", True)


def test_role_that_may_not_write(opened: Open, store: PostgresStore, clerk: str, ledgers: Server, table: str) -> None:
    """A role that reads only is found by the doctor."""
    store.put("a", b"one", None)
    schema = table.partition(".")[0]
    ledgers.sql(f"GRANT USAGE ON SCHEMA {schema} TO clerk; GRANT SELECT ON {table} TO clerk", database=stores.DATABASE)
    reader = opened(clerk)
    assert (reader.get("a") or (b"",))[0] == b"one"
    assert [finding.state for finding in reader.diagnose()] == ["fail"]
    assert "permission denied" in reader.diagnose()[0].detail


def _backends(store: PostgresStore) -> list[int]:
    """The server's processes at the other end of its idle connections."""
    return [connection.info.backend_pid for connection in store._line._idle]


def _reads(store: PostgresStore) -> bool:
    try:
        return store.get("a/key") is not None
    except Unreachable:
        return False


def _until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline, "it did not become so within 20 s"
        time.sleep(0.001)
