"""The store in PostgreSQL, in a table of a test's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lab import stores

from deploytasks.errors import Unreachable
from deploytasks.providers.postgres.store import PostgresStore
from deploytasks.settings.postgres_store import PostgresStoreSettings

if TYPE_CHECKING:
    from lab.postgres import Server

SCOPE = "library/production"
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


def backends(store: PostgresStore) -> list[int]:
    """The server's processes at the other end of its idle connections."""
    return [connection.info.backend_pid for connection in store._line._idle]


def reads(store: PostgresStore) -> bool:
    try:
        return store.get("a/key") is not None
    except Unreachable:
        return False


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline, "it did not become so within 20 s"
        time.sleep(0.001)
