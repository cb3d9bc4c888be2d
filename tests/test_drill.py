"""Where deployers die in a drill, and who comes after them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from deploytasks.drill import Death, Point, chosen, point_of, points, rounds
from deploytasks.ports import Event


def event(kind: str, **facts: Any) -> Event:
    return Event(1, datetime(2026, 11, 23, tzinfo=UTC), kind, facts, "ann@desk", 0, "", "")


EVENTS = [
    event("began", color="green"),
    event("step", step="install", state="began"),
    event("step", step="install", state="done"),
    event("step", step="start green", state="began"),
    event("step", step="roll out", state="began"),
    *(
        event(kind, split=[100 - share, share, None, "x"])
        for share in (10, 50, 100)
        for kind in ("shifting", "shifted")
    ),
    event("step", step="settle", state="began"),
    event("ended"),
]
FOUND = points(EVENTS, "green")


def test_a_deployer_may_die_at_every_step_and_around_every_shift() -> None:
    """Each point once, in order, and the same whichever color is deployed."""
    said = [str(point) for point in FOUND]
    assert ["install", "start the idle color", "roll out", "shifting to 10 %", "shifted to 10 %"] == said[:5]
    assert "settle" == said[-1]
    assert Point("step", "start the idle color") == point_of(event("step", step="start blue", state="began"), "blue")
    assert Point("shifted", "10") == point_of(event("shifted", split=[10, 90, None, "x"]), "blue")
    assert point_of(event("reading"), "blue") is None


def test_of_the_shares_the_first_and_the_last_will_do() -> None:
    """Unless somebody wants all of them, or names one."""
    assert not any(point.name == "50" for point in chosen(FOUND, ()))
    assert FOUND == chosen(FOUND, (), thorough=True)
    assert [Point("shifting", "50"), Point("shifted", "50")] == list(chosen(FOUND, ("shifting to 50", "shifted to 50")))
    assert () == chosen(FOUND, ("dance",))


def test_who_comes_after_a_death() -> None:
    """By turns; or each of them; and nobody once, where a switch watches."""
    turns = list(rounds(FOUND, thorough=False, switch=True))
    assert ["resume", "rollback", "deploy", "resume"] == [successor for _, successor in turns[:4]]
    assert (Point("shifted", "10"), "nobody") == turns[-1]
    assert 3 * len(FOUND) == len(list(rounds(FOUND, thorough=True, switch=False)))
    assert [] == [who for _, who in rounds(FOUND[:2], thorough=False, switch=True) if who == "nobody"]


def test_a_death_is_well_when_nothing_is_lost_and_all_is_in_order() -> None:
    """Either alone is not enough."""
    well = Death("install", "resume", "blue 100 % / green 0 %", "green 100 % / blue 0 %", 1.0, 0, 20, 0)
    assert well.is_well
    assert not well._replace(lost=1).is_well
    assert not well._replace(wrong=("d-1 is open",)).is_well
    assert {**well._asdict(), "wrong": []} == well.to_json()
