"""Several balancers: a write is in all of them or in none, and a rollback goes as far as it can."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deploytasks.errors import PartlyKnown, SplitMoved, Unreachable
from deploytasks.ports import Split
from deploytasks.providers.haproxy.looking import likely

from .conftest import BLUE, House

STAGE = Split(90, 10, "blue", "deploy:abc")
NEXT = Split(75, 25, "blue", "deploy:abc")


@pytest.fixture
def pair(new_house: Callable[..., House]) -> House:
    """Two HAProxys, both at 10 %."""
    house = new_house(2)
    house.traffic.shift(STAGE).perform(30)
    return house


def _splits(house: House) -> list[Split]:
    """What each of them says by itself."""
    found = []
    for balancer in house.balancers:
        alone = House(house.root, [balancer], {})
        found.append(alone.traffic.read())
    return found


def test_both_have_what_is_written(pair: House) -> None:
    """One shift, both balancers; the split is read as one."""
    pair.traffic.shift(NEXT, expect=STAGE).perform(30)
    assert [NEXT, NEXT] == _splits(pair)
    assert NEXT == pair.traffic.read()


@pytest.mark.parametrize("dead", [0, 1])
def test_one_that_is_dead_stops_a_shift(pair: House, dead: int) -> None:
    """The other one goes back to what it had, and the error says who refused and where the other is."""
    pair.balancers[dead].kill()
    with pytest.raises(Unreachable) as caught:
        pair.traffic.shift(NEXT, expect=STAGE).perform(30)
    assert pair.balancers[dead].socket in caught.value.what
    if dead == 1:
        assert f"{pair.balancers[0].socket} is back where it was" in caught.value.state
    pair.balancers[dead].start()
    assert [STAGE, STAGE] == _splits(pair)


def test_one_that_was_moved_stops_a_shift(pair: House) -> None:
    """The second one is elsewhere by now: the first goes back, the second stays where somebody wanted it."""
    House(pair.root, [pair.balancers[1]], {}).traffic.shift(BLUE).perform(30)
    with pytest.raises(SplitMoved, match="settled:before") as caught:
        pair.traffic.shift(NEXT, expect=STAGE).perform(30)
    assert "is back where it was" in caught.value.state
    assert [STAGE, BLUE] == _splits(pair)


def test_disagreement_is_an_error_that_names_both(pair: House) -> None:
    """Neither split is taken for the split; a way back is known all the same."""
    House(pair.root, [pair.balancers[1]], {}).traffic.shift(NEXT).perform(30)
    with pytest.raises(PartlyKnown, match="the balancers disagree") as caught:
        pair.traffic.read()
    assert all(each.socket in caught.value.what for each in pair.balancers)
    assert "blue 90 %" in caught.value.what
    assert "blue 75 %" in caught.value.what
    assert caught.value.split is not None
    assert "blue" == caught.value.split.way_back


def test_a_rollback_takes_home_whom_it_can(pair: House) -> None:
    """One is dead: the other one is home, and the error names the dead one. Its file is home as well."""
    pair.balancers[0].kill()
    with pytest.raises(PartlyKnown) as known:
        pair.traffic.read()
    assert STAGE == known.value.split
    with pytest.raises(Unreachable) as caught:
        pair.traffic.shift(BLUE).perform(30)
    assert pair.balancers[0].socket in caught.value.what
    assert f"{pair.balancers[1].socket} has it" in caught.value.state
    pair.balancers[0].start()
    assert [BLUE, BLUE] == _splits(pair)


def test_at_rest_a_dead_one_says_what_it_will_have(pair: House) -> None:
    """While one of them is down, its file speaks for it."""
    pair.balancers[1].kill()
    assert STAGE == pair.traffic.at_rest()


def test_doctor_says_whether_they_agree(pair: House) -> None:
    """One finding for all of them, beside those of each."""
    assert [("ok", True)] == [
        (each.state, "agree" in each.detail) for each in pair.traffic.diagnose() if "all balancers" in each.subject
    ]
    House(pair.root, [pair.balancers[1]], {}).traffic.shift(NEXT).perform(30)
    assert ["fail"] == [each.state for each in pair.traffic.diagnose() if "all balancers" in each.subject]


def test_drained_counts_at_all_of_them(pair: House) -> None:
    """Nothing is open at either."""
    assert 0 == pair.traffic.drained("blue")


@pytest.mark.parametrize(
    ("splits", "way_back"),
    [
        ([], None),
        ([BLUE], BLUE),
        ([STAGE, NEXT], STAGE),
        ([BLUE, STAGE], STAGE),
        ([BLUE, Split.all_on("green")], None),
        ([STAGE, Split.all_on("blue", "green", "settled:x")], None),
    ],
)
def test_what_a_way_back_may_go_by(splits: list[Split], way_back: Split | None) -> None:
    """Those that know a way back must know the same one; one that was taken home already does not contradict."""
    assert way_back == likely(splits)


def test_a_homecoming_that_missed_one(pair: House) -> None:
    """One was dead while traffic went home and is back with its old split: the next rollback is for it."""
    pair.balancers[1].kill()
    (pair.balancers[1].state / "split.map").chmod(0o644)
    House(pair.root, [pair.balancers[0]], {}).traffic.shift(Split.all_on("blue", None, "back:abc")).perform(30)
    pair.balancers[1].start()
    with pytest.raises(PartlyKnown) as caught:
        pair.traffic.read()
    assert STAGE == caught.value.split
