"""Whatever is wrong with a service: a deployment ends as it must, and traffic is where its record says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import memory
import pytest
import stories
from inboxes import ABOUT, Office

from deploytasks.errors import DeployError
from deploytasks.outbox.courier import Courier, Opened
from deploytasks.outbox.tape import Tape
from deploytasks.smoke import Result
from deploytasks.steps import smoke
from deploytasks.world import World
from faults import WITHIN, Kind, Subject, bench, subjects

JUDGED = [subject for subject in subjects() if subject.kind in ("metrics", "alerts")]
TOLD = [subject for subject in subjects() if subject.kind in ("messages", "markers")]
FEW = {**stories.SHORT, "hold": "30s"}


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """1.0.0 is live on blue."""
    monkeypatch.setattr(smoke, "run_checks", lambda base, checks: [Result("health", True, "200", 0.0)])
    stories.deploy(stories.world(tmp_path), "1.0.0")
    return tmp_path


@contextmanager
def behind(subject: Subject, fault: str, folder: Path) -> Iterator[Any]:
    """The port of a subject behind a fault, and what a text gives away."""
    (folder / "lab").mkdir()
    with bench(subject, folder / "lab") as found, found.opened(fault) as port:
        yield port, found.disclosed


def judged_by(folder: Path, kind: Kind, port: Any) -> World:
    ports = memory.FakePorts(memory.state_of(folder), memory.world(folder, **FEW).store)
    ports.sections[kind] = port
    world = memory.world(folder, **FEW)
    world._ports = ports
    return world


def telling(folder: Path, name: str, port: Any) -> Courier:
    """A courier who tells this port alone."""
    office = Office(folder)
    return Courier(lambda: Opened({name: port}, {}, Tape(office.ledger, ABOUT), office.places, office.me()))


@pytest.mark.parametrize("fault", ["refused", "reset midway", "401", "429, a while", "HTML", "other JSON"])
@pytest.mark.parametrize("subject", JUDGED, ids=lambda subject: subject.name)
def test_who_judges_is_faulty(live: Path, subject: Subject, fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Held, and home: code 6, or refused before anything was changed; blue has all traffic; nothing of a secret is in
    the ledger."""
    before = stories.split(live)
    with behind(subject, fault, live) as (port, disclosed), pytest.raises(DeployError) as caught:
        stories.deploy(judged_by(live, subject.kind, port))
    split = stories.split(live)
    assert caught.value.exit_code in (6, 7)
    assert (before.blue, before.green) == (split.blue, split.green) == (100, 0)
    standing = memory.world(live).ledger.head().standing
    assert standing.open is None
    recorded = "".join(each.read_text() for each in (live / "ledger").rglob("*") if each.is_file())
    assert [] == disclosed(f"{recorded}{''.join(capsys.readouterr())}{caught.value}")


@pytest.mark.parametrize("fault", ["hangs", "401", "HTML"])
@pytest.mark.parametrize("subject", TOLD, ids=lambda subject: subject.name)
def test_who_is_told_is_faulty(live: Path, subject: Subject, fault: str) -> None:
    """It ends well and in its own time, and what could not be told waits."""
    with behind(subject, fault, live) as (port, disclosed):
        world = stories.world(live)
        courier = telling(live, subject.name, port)
        world.listeners = (courier,)
        began = time.monotonic()
        assert 0 == stories.deploy(world).code
        took = time.monotonic() - began
        waiting = courier.finish(2 * WITHIN)
    assert took < 5.0
    assert (0, 100) == tuple(stories.split(live))[:2]
    assert [] == disclosed(repr(waiting))
