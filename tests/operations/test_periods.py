"""A period as it was typed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from deploytasks.errors import UsageError
from deploytasks.operations.periods import ordered, since, until

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("90d", NOW - timedelta(days=90)), ("12w", NOW - timedelta(weeks=12)), ("36h", NOW - timedelta(hours=36)),
        ("1d12h", NOW - timedelta(hours=36)), ("2026-09-01", datetime(2026, 9, 1, tzinfo=UTC)),
        ("20260901", datetime(2026, 9, 1, tzinfo=UTC)), ("2026-09-01T12:00", datetime(2026, 9, 1, 12, tzinfo=UTC)),
        ("2026-09-01T12:00:00+02:00", datetime(2026, 9, 1, 10, tzinfo=UTC)),
        ("2026-09-01T12:00:00Z", datetime(2026, 9, 1, 12, tzinfo=UTC)),
        (" 2026-09-01 ", datetime(2026, 9, 1, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_since(given: str, expected: datetime) -> None:
    """So long ago, or exactly then; without an offset it is UTC."""
    assert expected == since(given, NOW)


def test_until() -> None:
    """Of a date, its end: what happened on it belongs to it."""
    assert datetime(2026, 9, 2, tzinfo=UTC) == until("2026-09-01", NOW)
    assert datetime(2026, 9, 1, 12, tzinfo=UTC) == until("2026-09-01T12:00", NOW)
    assert None is until(None, NOW)


@pytest.mark.parametrize("given", ["", "yesterday", "90", "-3d", "2026-13-01", "9" * 40 + "d", "90 days", "d"])
def test_no_time(given: str) -> None:
    """Anything else says what can be said."""
    with pytest.raises(UsageError, match="--since"):
        since(given, NOW)


def test_a_period_that_ends_before_it_begins() -> None:
    """It is a mistake, and no empty answer."""
    with pytest.raises(UsageError, match="is not before"):
        ordered(NOW, NOW - timedelta(days=1))
