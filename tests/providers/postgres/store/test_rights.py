"""Whose database it is, who may do what in it, and what nobody may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from lab import stores

from deploytasks.errors import Unreachable, UsageError
from deploytasks.providers.postgres.store import PostgresStore
from deploytasks.settings.postgres import PostgresAccess

from .conftest import SCOPE, Open

if TYPE_CHECKING:
    from lab.postgres import Server

EVENT = f"{SCOPE}/events/000000000001.json"


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
