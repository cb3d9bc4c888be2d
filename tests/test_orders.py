"""Orders wait for readings where there are some, and strike where there are none."""

from __future__ import annotations

import pytest

from deploytasks import interrupt, orders as module
from deploytasks.errors import Aborted
from deploytasks.orders import Orders
from deploytasks.ports import Command

PAUSE, ABORT = Command("pause", "ann", "because", 7), Command("abort", "ann", "because", 8)


@pytest.fixture
def struck(monkeypatch: pytest.MonkeyPatch) -> list[Aborted]:
    """What would interrupt the deployment."""
    found: list[Aborted] = []
    monkeypatch.setattr(interrupt, "strike", found.append)
    assert module.interrupt is interrupt
    return found


def test_an_order_waits_until_a_reading_that_carries_it_is_recorded(struck: list[Aborted]) -> None:
    """It is handed out again and again until then; the next one only after it, and at once."""
    made = Orders()
    made.expect(rollout=True)
    with made.carried():
        assert made.hear(PAUSE) is None
        assert made.hear(ABORT._replace(verb="continue")) is None
        assert [PAUSE, PAUSE] == [made.next, made.next]
        assert [True, False] == [made.is_news(), made.is_news()]
        made.obeyed(PAUSE)
        made.obeyed(PAUSE)
        assert "continue" == getattr(made.next, "verb", "")
        assert made.is_news()
    assert struck == []
    assert ["continue"] == [each.verb for each in made.leave()]


def test_an_abort_does_not_wait_for_a_reading_that_is_long_in_coming(struck: list[Aborted]) -> None:
    """Where the platform moves the traffic, minutes lie between two of them; a pause has the time to wait."""
    made = Orders()
    made.expect(rollout=True)
    with pytest.raises(Aborted, match="abort by ann: because"), made.carried(), made.between_readings():  # noqa: PT012  # the body is what is tried
        assert made.hear(PAUSE) is None
        assert struck == []
        answer = made.hear(ABORT, "hand over")
        assert answer is not None
        assert (True, "aborted at `hand over`: what was begun is taken back") == answer
        assert 1 == len(struck)
        made.require_none()


def test_an_abort_that_waits_is_found_before_a_long_wait_begins(struck: list[Aborted]) -> None:
    """It was heard just before the platform was told to go on: then it is not told."""
    made = Orders()
    made.expect(rollout=True)
    with pytest.raises(Aborted), made.carried():  # noqa: PT012  # the same
        made.hear(ABORT)
        with made.between_readings():
            pytest.fail("it went on")
    assert struck == []


def test_what_is_over_cannot_be_aborted(struck: list[Aborted]) -> None:
    """Neither what is settled nor what is on its way home already."""
    for end in (Orders.close, Orders.give_up):
        made = Orders()
        made.expect(rollout=True)
        end(made)
        answer = made.hear(ABORT)
        assert answer is not None
        assert not answer.obeyed
    assert struck == []


def test_what_nobody_knows_is_refused() -> None:
    """Another version may know more verbs."""
    made = Orders()
    answer = made.hear(PAUSE._replace(verb="dance"))
    assert answer is not None
    assert (False, "there is no 'dance' here: pause, continue, abort, promote") == answer
