"""How long to wait: Sentry says it in headers of its own, in its own time."""

from __future__ import annotations

import pytest

from deploytasks.providers.sentry.limits import pause, until_reset
from deploytasks.providers.web_service import Answer

NOW = 1_795_432_440.0
DATE = "Mon, 23 Nov 2026 11:14:00 GMT"


def answer(status: int = 429, **headers: str) -> Answer:
    return Answer(status, "", {name.replace("_", "-"): value for name, value in headers.items()}, b'"Too frequently."')


@pytest.mark.parametrize(
    ("given", "attempt", "seconds"),
    [
        (answer(retry_after="7"), 1, 7.0),
        (answer(x_sentry_rate_limit_remaining="0", x_sentry_rate_limit_reset=str(int(NOW) + 2)), 1, 2.3),
        (answer(x_sentry_rate_limit_remaining="0", x_sentry_rate_limit_reset=str(int(NOW) - 2)), 1, 0.3),
        (answer(x_sentry_rate_limit_remaining="5", x_sentry_rate_limit_concurrentremaining="0"), 2, 0.6),
        (answer(), 1, 1.0),
        (answer(), 3, 4.0),
        (answer(502), 1, 0.5),
        (answer(502), 2, 1.0),
        (answer(502), 3, None),
        (answer(403), 1, None),
        (answer(200), 1, None),
        (None, 1, None),
    ],
)
def test_the_wait_after_an_answer(given: Answer | None, attempt: int, seconds: float | None) -> None:
    """What it says, in the order of how exactly it says it; trouble is tried three times; silence is the answer."""
    found = pause(given, attempt, NOW)
    assert (seconds is None and found is None) or found == pytest.approx(seconds)


def test_the_reset_is_an_instant_of_their_clock() -> None:
    """Ours may be minutes off: the header ``Date`` says what time it is there."""
    headers = {"x-sentry-rate-limit-remaining": "0", "x-sentry-rate-limit-reset": "1795432442", "date": DATE}
    assert pytest.approx(2.3) == until_reset(headers, NOW - 600)


def test_some_are_left() -> None:
    """Nothing is waited for, and nothing where no limit is told of."""
    assert until_reset({"x-sentry-rate-limit-remaining": "1", "x-sentry-rate-limit-reset": "1"}, NOW) is None
    assert until_reset({}, NOW) is None
