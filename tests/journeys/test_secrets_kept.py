"""While tasks run with secrets in their environment, nobody can see one: no process, no file, no word of theirs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from disclosing import seen
from secrets_made import KINDS, Made, made

if TYPE_CHECKING:
    from journeys.environment import Environment

SECRETS = made(len(KINDS))


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One of each kind, in the environment of every process; to the tests of the project they are its own."""
    for one in SECRETS:
        monkeypatch.setenv(_named(one), one.value)
    return [one.value for one in SECRETS]


def _named(one: Made) -> str:
    return f"LIBRARY_{one.variable}"


def test_a_deployment_with_everything_that_can_be_logged(live: Environment, secrets: list[str]) -> None:
    """`inv -d -e deploy`, its tests and its warm-up, the balancer, the database's copy, the servers and the switch."""
    live.configure(tests="echo tested by $LIBRARY_DATABASE_PASSWORD")
    with argument_lists() as lines:
        done = live.inv("-d", "-e", "deploy")
    assert done.code == 0, done.said
    assert any("gunicorn" in line for line in lines)
    assert "tested by ***" in json.dumps([event.facts for event in live.world.ledger.events()], default=str)
    _nobody_sees(live, secrets, [done.said, *lines])


def test_what_fails_quotes_none(live: Environment, secrets: list[str]) -> None:
    """Tests that fail say what they have seen last; so does a task that is told too much."""
    live.configure(tests="env | sort; echo $LIBRARY_SLACK_WEBHOOK_URL; false")
    with argument_lists() as lines:
        failed = live.inv("test")
        noted = live.inv("note", f"the key is {SECRETS[6].value}")
    assert (3, True) == (failed.code, "***" in failed.said)
    _nobody_sees(live, secrets, [failed.said, noted.said, *(line for line in lines if " note " not in line)])


def _nobody_sees(live: Environment, secrets: list[str], texts: list[str]) -> None:
    files = [file for file in (live.root / ".deploy").rglob("*") if file.is_file() and file.suffix != ".sqlite3"]
    kept = [file.read_bytes().decode(errors="replace") for file in files]
    pieces = {line for text in (*texts, *kept) for line in text.splitlines()}
    assert [] == seen("\n\n".join(sorted(pieces)), *secrets)


@contextmanager
def argument_lists() -> Iterator[set[str]]:
    """What anybody on this machine can read of all processes, while the body runs."""
    lines: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):  # it ended meanwhile
                    lines.add(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lines
    finally:
        over.set()
        thread.join()
