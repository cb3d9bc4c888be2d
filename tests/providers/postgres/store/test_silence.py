"""A server that is silent, that refuses, or that is another one: said in time, with advice, without secrets."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab import stores
from lab.certificates import certificate

from deploytasks.errors import Unreachable, UsageError
from deploytasks.providers.postgres.store import PostgresStore
from deploytasks.settings.postgres_store import PostgresStoreSettings

from .conftest import Open, backends, reads, until

if TYPE_CHECKING:
    from lab.postgres import Server


def test_stopped_server_is_given_up_in_time(opened: Open, ledgers: Server, store: PostgresStore) -> None:
    """A backend that hangs costs the bounded time once, then nothing for as long; afterwards all is as before."""
    hasty = opened(answer_within=0.5)
    tag = hasty.put("a/key", b"0", None)
    (backend,) = backends(hasty)
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
    until(lambda: reads(hasty))
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
    until(lambda: ledgers.sql("SHOW ssl") == [("on",)])
    yield ours.chain
    ledgers.sql("ALTER SYSTEM RESET ALL")
    ledgers.sql("SELECT pg_reload_conf()")
    until(lambda: ledgers.sql("SHOW ssl") == [("off",)])


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
