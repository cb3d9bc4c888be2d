"""What tests of several folders share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from deploytasks import redaction

if TYPE_CHECKING:
    from lab.postgres import Server


# The laws are tried with the same examples each time: a change is judged by what it changes.
# HYPOTHESIS_PROFILE=exploring looks for new ones, and remembers what it finds.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("exploring", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(autouse=True)
def _tells_nobody_elses_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test calls a secret is a word for the next one."""
    monkeypatch.setattr(redaction, "_told", set(redaction._told))


@pytest.fixture(autouse=True)
def _is_nobodys_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where these tests run in a CI themselves, what they try says nothing to its log."""
    for name in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)


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
