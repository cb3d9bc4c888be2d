"""Databases of a test's own, on the server that the tests of a process share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

from deploytasks.ports import Calls
from deploytasks.providers.postgres.database import PostgresDatabase
from deploytasks.providers.site import Site
from deploytasks.settings.postgres import PostgresSettings

if TYPE_CHECKING:
    from lab.postgres import Server

MARK = "20261123-101500-ab12cd"
"""What a deployment is called."""
_NUMBERS = count(1)

BOOKS = """
    CREATE TABLE books (id serial PRIMARY KEY, title text NOT NULL);
    INSERT INTO books (title) SELECT 'book ' || n FROM generate_series(1, 100) n
"""


def perform(calls: Calls, timeout: float = 60.0) -> None:
    for batch in calls:
        for call in batch:
            call.perform(timeout)


class Place:
    """A database of a test's own, and what is asked of it."""

    def __init__(self, server: Server, name: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self.name = name
        self.root = root
        self._monkeypatch = monkeypatch

    def sql(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        return self.server.sql(text, *values, database=self.name)

    def open(self, user: str | None = None, password: str | None = None, **more: Any) -> PostgresDatabase:
        """The provider, as the superuser or as another role."""
        self._monkeypatch.setenv("ANY_DATABASE_URL", self.server.url_of(self.name, user, password))
        settings = PostgresSettings(url_from="ANY_DATABASE_URL", **{"patience": 0.2, **more})
        return PostgresDatabase(settings, Site("app", "test", self.root, self.root / ".deploy", None, "ann@here"))

    @property
    def copies(self) -> Path:
        return self.root / ".deploy" / "backups"

    def siblings(self) -> list[str]:
        """All databases whose names begin like this one's, without that beginning; itself is ``''``."""
        names = self.server.sql("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", self.name)
        return sorted(row[0].removeprefix(self.name) for row in names)


def create(server: Server, name: str, rest: str = "") -> None:
    with server.connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} " + rest).format(sql.Identifier(name)))


def drop(server: Server, beginning: str) -> None:
    """Drop all databases whose names begin so."""
    with server.connect() as connection:
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        for (name,) in connection.execute(query, (beginning,)).fetchall():
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


Make = Callable[..., Place]


@pytest.fixture
def make(ledgers: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make a database; ``content`` is SQL that fills it."""
    made: list[str] = []

    def make(name: str = "", content: str = BOOKS, server: Server | None = None, rest: str = "") -> Place:
        own = name or f"library_{next(_NUMBERS)}"
        create(server or ledgers, own, rest)
        if server is None:
            made.append(own)
        place = Place(server or ledgers, own, tmp_path, monkeypatch)
        if content:
            place.sql(content)
        return place

    yield make
    for name in made:
        drop(ledgers, name[:20])


@pytest.fixture
def place(make: Make) -> Place:
    """A database with a hundred books."""
    return make()
