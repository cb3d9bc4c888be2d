"""The SQL in docs/ledger.md is what the store would make itself, and the role that it describes can do its work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from lab import stores
from pages import ROOT

from deploytasks.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.postgres import Server

PAGE = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
(WRITTEN,) = re.findall(r"```sql\n(CREATE SCHEMA.*?)```", PAGE, re.DOTALL)


def test_it_is_what_the_store_makes() -> None:
    """Statement by statement, but for the schema before it and the rights after it."""
    from deploytasks.providers.postgres.table import Table

    made = Table("deploytasks.store").make.as_string(None).replace('"', "").replace("COLLATE C", 'COLLATE "C"')
    assert f"CREATE SCHEMA deploytasks;\n{made}" == WRITTEN.partition("GRANT")[0]


@pytest.fixture
def clerk(ledgers: Server) -> Iterator[str]:
    """The URL of the role on the page, in a database of this test's own."""
    ledgers.sql("CREATE ROLE deployer LOGIN PASSWORD 'deployers-password'")
    ledgers.sql("CREATE DATABASE deploytasks")
    ledgers.sql(WRITTEN, database="deploytasks")
    yield ledgers.url_of("deploytasks", "deployer", "deployers-password")
    ledgers.sql("DROP DATABASE deploytasks (FORCE)")
    ledgers.sql("DROP ROLE deployer")


def test_its_role_can_do_what_it_must_and_no_more(
    clerk: str, ledgers: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It records and takes leases; it cannot delete anything, nor drop what keeps the events."""
    import psycopg

    monkeypatch.setenv(stores.URL, clerk)
    monkeypatch.setenv(stores.TABLE, "deploytasks.store")
    store = stores.opened(tmp_path)
    tag = store.put("library/production/lease.json", b"1", None)
    store.put("library/production/lease.json", b"2", tag)
    event = store.put("library/production/events/000000000001.json", b"1", None)
    with pytest.raises(Unreachable, match="neither changed nor deleted"):
        store.put("library/production/events/000000000001.json", b"2", event)
    assert store.diagnose()[0].state == "ok"
    with psycopg.connect(clerk, autocommit=True) as connection:
        for statement in ("DELETE FROM", "TRUNCATE", "DROP TABLE", "ALTER TABLE"):
            rest = " DISABLE TRIGGER ALL" if statement == "ALTER TABLE" else ""
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"{statement} deploytasks.store{rest}")  # type: ignore[call-overload]  # ours
