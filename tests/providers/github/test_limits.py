"""How long GitHub wants to be left alone, as it says it."""

from __future__ import annotations

import json

import pytest

from deploytasks.providers.github.limits import pause
from deploytasks.providers.web_service import Answer

NOW = 1_000_000.0
SECONDARY = "You have exceeded a secondary rate limit."


@pytest.mark.parametrize(
    ("status", "headers", "message", "attempt", "expected"),
    [
        (200, {}, "", 1, None),
        (404, {"retry-after": "5"}, "", 1, None),
        (403, {"retry-after": "5"}, SECONDARY, 1, 5.0),
        (429, {"retry-after": "0"}, "", 1, 0.0),
        (403, {"retry-after": "5", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000900"}, "", 1, 5.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000030"}, "API rate limit exceeded", 1, 31.0),
        (429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "999000"}, "", 1, 1.0),
        (403, {"x-ratelimit-remaining": "12", "x-ratelimit-reset": "1000030"}, "Resource not accessible", 1, None),
        (403, {"x-ratelimit-remaining": "12"}, SECONDARY, 1, 60.0),
        (403, {}, SECONDARY, 2, 120.0),
        (429, {}, "", 3, 240.0),
        (429, {"retry-after": "soon"}, "", 1, 60.0),
        (403, {}, "You have triggered an abuse detection mechanism.", 1, 60.0),
        (403, {}, "Must have admin rights to Repository.", 1, None),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "never"}, "no", 1, None),
        (500, {}, "", 1, 0.5),
        (503, {}, "", 2, 1.0),
        (503, {}, "", 3, None),
        (401, {}, "Bad credentials", 1, None),
    ],
)
def test_how_long(status: int, headers: dict[str, str], message: str, attempt: int, expected: float | None) -> None:
    """`Retry-After` first, then the reset, then a minute, twice as long each time; a missing permission: not at all."""
    answer = Answer(status, "", headers, json.dumps({"message": message}).encode())
    assert expected == pause(answer, attempt, NOW)


def test_the_reset_is_an_instant_of_its_own_clock() -> None:
    """Ours may be wrong by minutes: what counts is how long it is from now there."""
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795428010", "date": "Mon, 23 Nov 2026 10:00:00 GMT"}
    assert 11.0 == pause(Answer(403, "", headers, b"{}"), 1, NOW)
