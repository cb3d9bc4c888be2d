"""What happened while nobody could record it is recorded by the next who looks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import memory
import pytest

from deploytasks.errors import Unreachable
from deploytasks.operations import answers
from deploytasks.ports import News

FIRED = News(
    "20261123T101500-ab12cd", "deadman-fired", {"deployment": "d1", "why": "no beat"}, datetime.now(UTC), "ann@desk"
)


def says(world: memory.TestWorld, news: Sequence[News] | Exception) -> None:
    """Let the switch have these news."""

    def told() -> Sequence[News]:
        if isinstance(news, Exception):
            raise news
        return news

    assert world.deadman is not None
    world.deadman.news = told  # type: ignore[method-assign]


def kinds(world: memory.TestWorld) -> list[str]:
    return [event.kind for event in world.ledger.events()]


def test_what_the_switch_did_is_recorded_once(tmp_path: Path) -> None:
    """However often, and from however many machines, it is found."""
    world = memory.world(tmp_path)
    says(world, [FIRED])
    for _ in range(3):
        answers.status(world)
    assert ["deadman-fired"] == kinds(world)


def test_a_switch_that_does_not_answer_keeps_nothing_else_from_being_recorded(tmp_path: Path) -> None:
    """Its host is down: what waits in the spool is recorded all the same."""
    world = memory.world(tmp_path)
    says(world, Unreachable("no route to host"))
    world.spool.put("rolled-back", {"reason": "slow"}, datetime.now(UTC), "ann@desk")
    world.catch_up()
    assert ["rolled-back"] == kinds(world)


def test_a_ledger_that_does_not_answer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost: it waits in the spool."""
    world = memory.world(tmp_path)
    says(world, [FIRED])

    def down(*_: object) -> None:
        raise Unreachable("the store is down")

    with monkeypatch.context() as broken:
        broken.setattr(type(world.ledger), "append", down)
        with pytest.raises(Unreachable):
            world.catch_up()
    assert [FIRED.name] == world.spool.waiting()
    world.catch_up()
    assert ["deadman-fired"] == kinds(world)
