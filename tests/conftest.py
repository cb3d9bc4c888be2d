"""What tests of several folders share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lab.postgres import Server


@pytest.fixture(scope="session")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A PostgreSQL server with an empty database for ledgers, for all tests of this process that ask for one."""
    from lab.postgres import postgres
    from lab.stores import DATABASE

    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        # Sorted as people sort: what must come in the order of bytes has to say so.
        server.sql(f"CREATE DATABASE {DATABASE} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
        server.sql(f"ALTER DATABASE {DATABASE} SET synchronous_commit = on")  # a killed server forgets nothing
        yield server
