"""Stores for tests: the same contract in a folder, in PostgreSQL and in S3, opened as often as a test likes."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploytasks.providers.directory import DirectoryStore
from deploytasks.providers.site import Site
from deploytasks.settings.directory import DirectorySettings

if TYPE_CHECKING:
    from lab.aws.s3 import S3
    from lab.postgres import Server

URL, TABLE = "HERD_STORE_URL", "HERD_STORE_TABLE"
"""Variables that lead other processes to a test's store; without them it is the folder."""
ENDPOINT, BUCKET = "HERD_STORE_ENDPOINT", "ledger"
"""The same for a store in S3."""
DATABASE = "ledgers"
KINDS = ("directory", "postgres", "s3")


def site(root: Path) -> Site:
    """Where a test's store stands."""
    return Site("library", "production", root, root / ".deploy", None, "ann@host")


def opened(root: Path) -> Any:
    """The store that the variables lead to, or the folder ``store`` below ``root``."""
    if ENDPOINT in os.environ:
        return _in_bucket(root, os.environ[ENDPOINT])
    if URL not in os.environ:
        return DirectoryStore(DirectorySettings(path="store"), site(root))
    from deploytasks.providers.postgres.store import PostgresStore
    from deploytasks.settings.postgres_store import PostgresStoreSettings

    return PostgresStore(PostgresStoreSettings(url_from=URL, table=os.environ[TABLE]), site(root))


def _in_bucket(root: Path, endpoint: str) -> Any:
    from deploytasks.providers.aws.s3.store import S3Store
    from deploytasks.settings.aws import AwsAccess
    from deploytasks.settings.s3_store import S3StoreSettings

    access = AwsAccess(region="eu-central-1", endpoint=endpoint)
    return S3Store(S3StoreSettings(bucket=BUCKET), site(root)._replace(sections={"aws": access}))


@contextmanager
def on_s3(patch: Callable[[str, str], None]) -> Iterator[S3]:
    """Have ``opened`` lead to a new bucket, with versions. ``patch`` sets variables."""
    from lab.aws import Cloud
    from lab.aws.s3 import S3
    from lab.aws.standing import VARIABLES

    s3 = S3()
    s3.bucket(BUCKET, versioning=True)
    with Cloud(s3) as cloud:
        for name, value in {**VARIABLES, ENDPOINT: cloud.url}.items():
            patch(name, value)
        yield s3


@contextmanager
def on(kind: str, server: Callable[[], Server], patch: Callable[[str, str], None]) -> Iterator[None]:
    """Have ``opened`` lead to a new store of one of the ``KINDS``; to the folder as it is."""
    if kind == "postgres":
        with on_postgres(server(), patch):
            yield
    elif kind == "s3":
        with on_s3(patch) as s3:
            _buckets.append(s3)
            yield
            _buckets.remove(s3)
    else:
        yield


_buckets: list[S3] = []
"""Of the test that runs."""


@contextmanager
def on_postgres(server: Server, patch: Callable[[str, str], None]) -> Iterator[str]:
    """Have ``opened`` lead to a new table. ``patch`` sets variables. The table's name, with its schema."""
    table = f"t_{uuid.uuid4().hex[:12]}.store"
    patch(URL, server.url_of(DATABASE))
    patch(TABLE, table)
    try:
        yield table
    finally:
        server.sql(f"DROP SCHEMA IF EXISTS {table.partition('.')[0]} CASCADE", database=DATABASE)


class Hand:
    """Somebody's hand in a store, past all that keeps it: to take keys away, to change them, to rename them."""

    def __init__(self, store: Any, server: Callable[[], Server]) -> None:
        self._store = store
        self._server = server

    def _sql(self, text: str, *values: object) -> None:
        table = os.environ[TABLE]
        with self._server().connect(DATABASE) as connection:
            connection.execute("SET session_replication_role = replica")  # no trigger stops a superuser
            connection.execute(text.replace("TABLE", table), values)  # type: ignore[call-overload]  # ours

    def take_away(self, key: str) -> None:
        """Delete a key."""
        if _buckets:
            _buckets[-1].buckets[BUCKET].take_away(key)
        elif isinstance(self._store, DirectoryStore):
            self._store._path(key).unlink()
        else:
            self._sql("DELETE FROM TABLE WHERE key = %s", key)

    def change(self, key: str, old: bytes, new: bytes) -> None:
        """Replace something in a value."""
        value = (self._store.get(key) or (b"", ""))[0].replace(old, new)
        if _buckets:
            _buckets[-1].buckets[BUCKET].change(key, value)
        elif isinstance(self._store, DirectoryStore):
            self._store._path(key).write_bytes(value)
        else:
            self._sql("UPDATE TABLE SET value = %s WHERE key = %s", value, key)

    def rename(self, key: str, to: str) -> None:
        """Put a value at another key, its tag with it."""
        if _buckets:
            _buckets[-1].buckets[BUCKET].rename(key, to)
        elif isinstance(self._store, DirectoryStore):
            self._store._path(key).rename(self._store._path(to))
        else:
            self._sql("UPDATE TABLE SET key = %s WHERE key = %s", to, key)
