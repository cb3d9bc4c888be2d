"""Evidence counts for a day, and for what it is about."""

from __future__ import annotations

from datetime import timedelta

import memory
import pytest

from deploytasks.checklist import evidence
from deploytasks.ledger.projections import Evidence, Standing

ABOUT = evidence.key("d" * 64, "pytest")


@pytest.mark.parametrize(
    ("age", "counts"),
    [
        (timedelta(), True),
        (evidence.FRESH, True),
        (evidence.FRESH + timedelta(seconds=1), False),
        (-evidence.SKEW, True),
        (-evidence.SKEW - timedelta(seconds=1), False),
        (timedelta(days=-365), False),
    ],
)
def test_it_counts_for_a_day_and_never_from_the_future(age: timedelta, counts: bool) -> None:
    """A clock that was set forward does not make it last."""
    seen = Evidence("tests", ABOUT, True, "42 passed", memory.BEGINNING - age, "ann@desk")
    found = evidence.fresh(Standing(evidence=(seen,)), "tests", ABOUT, memory.BEGINNING)
    assert (seen if counts else None) == found


def test_it_is_about_one_content_and_one_command() -> None:
    """Neither another content nor another command has been proven."""
    assert 3 == len({ABOUT, evidence.key("e" * 64, "pytest"), evidence.key("d" * 64, "true")})
