"""What becomes of a deployment's news: beside it, after its death, and when nobody answers."""

from __future__ import annotations

import os
import shutil
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
from inboxes import Hanging, Inbox, silent

from deploytasks import plans
from deploytasks.bulletins import Bulletin
from deploytasks.errors import DeployError, UsageError
from deploytasks.operations import handing_on, rollback, telling
from deploytasks.operations.announcing import waiting
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.opening import is_anybody_told
from deploytasks.operations.recording import Recording
from deploytasks.operations.returning import roll_back
from deploytasks.operations.telling import Telling
from deploytasks.ports import Call
from deploytasks.world import World

SHORT: dict[str, Any] = {"stages": [50, 100], "watch": "30s", "bake": "15s", "poll": "15s", "baseline": "15s"}
PATIENCE = 20.0


def world(
    folder: Path, before: Callable[[Bulletin], None] = lambda bulletin: None, kind: type[World] = memory.TestWorld
) -> tuple[World, Telling]:
    """A world with one who is told, ``slack``, and what tells it."""
    made = memory.world(folder, kind=kind, **SHORT)
    made._ports.sections["messages"] = {"slack": Inbox(folder / "slack.told", before)}  # type: ignore[attr-defined]
    telling = Telling(made)
    made.listeners = (*made.listeners, telling)
    return made, telling


def inbox(folder: Path) -> Inbox:
    return Inbox(folder / "slack.told")


def deploy(made: World, version: str = "1.1.0") -> None:
    wanted = partial(plans.deploy, release=memory.release(version), gates=False)
    with suppress(DeployError):
        carry_out(made, wanted, task="deploy")


def flush(folder: Path) -> None:
    """What ``--flush`` does."""
    made, telling = world(folder)
    made.catch_up()
    telling.look()
    assert {} == telling.finish(PATIENCE)


def test_a_deployment_is_told_beside_it(tmp_path: Path) -> None:
    """That it began and that it is live."""
    made, telling = world(tmp_path)
    deploy(made)
    assert ({}, ["started", "finished"]) == (telling.finish(PATIENCE), inbox(tmp_path).changes)
    assert {} == waiting(made)


def test_who_hangs_does_not_hold_up_a_deployment(tmp_path: Path) -> None:
    """It is over before the first message is."""
    hanging = Hanging()
    made, telling = world(tmp_path, hanging)
    began = time.monotonic()
    deploy(made)
    assert ([], True) == (inbox(tmp_path).changes, time.monotonic() - began < 15)
    ended = made.ledger.head().standing.recent[-1]
    assert "done" == ended.outcome
    assert ["slack"] == list(telling.finish(0.1))
    hanging.go.set()


def test_an_outage_for_the_whole_deployment_loses_nothing(tmp_path: Path) -> None:
    """What waits, since when and why is shown; once somebody answers, all of it is told in order."""
    made, telling = world(tmp_path, silent)
    deploy(made)
    assert 2 == telling.finish(PATIENCE)["slack"].many
    found = waiting(made)["slack"]
    assert (2, "it is silent") == (found["waiting"], found["why"])
    flush(tmp_path)
    assert ["started", "finished"] == inbox(tmp_path).changes


def in_a_process(work: Callable[[], None]) -> int:
    """Run it in a fork; its exit code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Mortal(memory.TestWorld):
    """Dies at the n-th point: before and after each append and each call."""

    dies_at = 0
    points = 0

    def _point(self) -> None:
        type(self).points += 1
        if self.points == self.dies_at:
            memory.state_of(self.site.root).flush()
            os._exit(137)

    def note(self, kind: str, **facts: Any) -> Any:
        self._point()
        event = super().note(kind, **facts)
        self._point()
        return event

    def _make(self, call: Call, deadline: float) -> None:
        self._point()
        super()._make(call, deadline)
        self._point()


def test_killed_anywhere_nothing_is_lost_and_the_order_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the deployment that takes the dead one back, and by whoever tells what waits. A message that was under way
    when its teller died may come twice, with the same number."""
    template = tmp_path / "template"
    template.mkdir()
    made, telling = world(template)
    deploy(made, "1.0.0")
    telling.finish(PATIENCE)
    point, wrong = 1, []
    while True:
        point += 6
        folder = tmp_path / f"{point}"
        shutil.copytree(template, folder)

        def killed(folder: Path = folder, point: int = point) -> None:
            Mortal.dies_at, Mortal.points = point, 0
            deploy(world(folder, kind=Mortal)[0])

        if in_a_process(killed) != 137:
            break
        made, telling = world(folder)
        deploy(made, "1.2.0")
        telling.finish(PATIENCE)
        flush(folder)
        numbers = inbox(folder).numbers
        told = [number for number, next_one in zip(numbers, [*numbers[1:], 0], strict=True) if number != next_one]
        wrong += [] if told == wanted(made) else [f"point {point}: {told} instead of {wanted(made)}"]
        shutil.rmtree(folder)
    capsys.readouterr()
    assert (True, []) == (point > 70, wrong)


def wanted(made: World) -> list[int]:
    """The numbers of the events that an inbox hears of, from the whole ledger."""
    from inboxes import ABOUT

    from deploytasks.outbox.story import Story
    from deploytasks.outbox.telling import told

    story, found = Story(), []
    for event in made.ledger.events():
        story, bulletin = told(ABOUT._replace(protected=False), story, event)
        found += [event.number] if bulletin and bulletin.severity != "detail" else []
    return found


def test_a_rollback_that_the_ledger_could_not_take_is_told_later(tmp_path: Path) -> None:
    """With when and by whom it was done."""
    made, telling = world(tmp_path)
    deploy(made, "1.0.0")
    deploy(world(tmp_path)[0], "1.1.0")
    store = tmp_path / "ledger"
    store.rename(tmp_path / "aside")
    store.write_text("no folder")
    broken, _ = world(tmp_path)
    with Recording(broken, patience=0.1) as recording:
        recording.record(roll_back(broken), "it is slow")
    store.unlink()
    (tmp_path / "aside").rename(store)
    flush(tmp_path)
    telling.finish(PATIENCE)
    assert "rolled-back" == inbox(tmp_path).changes[-1]


def test_one_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """The others are told."""
    made, telling = world(tmp_path)
    sections = made._ports.sections  # type: ignore[attr-defined]
    sections["markers"] = {"newrelic": UsageError("an extra is not installed")}
    deploy(made)
    found = telling.finish(PATIENCE)
    assert ({"newrelic": "an extra is not installed"}) == {name: each.why for name, each in found.items()}
    assert ["started", "finished"] == inbox(tmp_path).changes


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"messages": {"kind": "console"}}, False),
        ({"messages": [{"kind": "console"}]}, False),
        ({"messages": [{"kind": "console"}, {"kind": "slack"}]}, True),
        ({"markers": {"kind": "github"}}, True),
        ({"messages": "slack"}, False),
        ({"messages": {"kind": "slak"}}, True),
    ],
)
def test_who_names_nobody_pays_nothing(environment: dict[str, Any], *, expected: bool) -> None:
    """Looked at as it is written; a mistake is for whoever opens it."""
    assert expected == is_anybody_told(environment)


@pytest.mark.parametrize(("stays", "expected"), [(True, "beside"), (False, "handed on")])
def test_a_rollback_is_told_beside_its_watch_or_by_another_process(
    stays: bool, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whatever goes wrong with that, the rollback goes on."""
    done: list[str] = []
    monkeypatch.setattr(rollback, "is_somebody_told", lambda world: True)
    monkeypatch.setattr(telling, "beside_a_watch", lambda world: done.append("beside"))
    monkeypatch.setattr(handing_on, "hand_over", lambda world: done.append("handed on"))
    made = memory.world(tmp_path)
    rollback._tell(made, stays=stays)
    assert [expected] == done
    monkeypatch.setattr(rollback, "is_somebody_told", lambda world: 1 / 0)
    rollback._tell(made, stays=stays)


def test_what_a_watched_rollback_could_not_tell_is_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a small part of the time that it took; what waits in the spool as well. Who was told leaves nothing."""
    handed: list[World] = []
    monkeypatch.setattr(handing_on, "hand_over", handed.append)
    made, found = world(tmp_path, silent)
    made.note("maintenance", on=True, message="soon")
    found._began -= 1000
    found.end_of_a_rollback()
    assert [made] == handed
    handed.clear()
    made, found = world(tmp_path)
    found.look()
    found._began -= 1000
    found.end_of_a_rollback()
    assert ([], ["maintenance-on"]) == (handed, inbox(tmp_path).changes)
