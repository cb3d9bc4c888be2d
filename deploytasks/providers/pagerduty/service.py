"""PagerDuty's APIs as services: how they say no, and how long they want to be left alone."""

from __future__ import annotations

import json
import time
from typing import Any

from ...errors import Unreachable
from ..headers import number, retry_after
from ..saas import Busy, Saas
from ..web_service import Answer

AGAIN = 0.5
"""Seconds until a question that failed on their side is asked once more."""
_ATTEMPTS = 3


class Service(Saas):
    """One of its hosts. Its errors are an object: ``{"error": {"message", "code", "errors"}}`` from the REST API,
    ``{"status", "message", "errors"}`` from the Events API."""

    def refusal(self, answer: Answer) -> Unreachable:
        return super().refusal(_plain(answer))

    def _busy(self, answer: Answer, seconds: float) -> Busy:
        return super()._busy(_plain(answer), seconds)


def patience(answer: Answer | None, attempt: int) -> float | None:
    """A question is asked again when there were too many (after as long as they say, if they say it), and once when
    they are in trouble themselves."""
    if answer is None or attempt >= _ATTEMPTS:
        return None
    if answer.status == 429:
        told = reset(answer)
        return told if told is not None else AGAIN * 2**attempt
    return AGAIN if answer.status in (500, 502, 503, 504) and attempt == 1 else None


def reset(answer: Answer) -> float | None:
    """Seconds until the limit is refilled: ``ratelimit-reset`` is a time span and no point in time. It may be
    missing."""
    told = number(answer.headers.get("ratelimit-reset"))
    return retry_after(answer.headers, time.time()) if told is None else told


def _plain(answer: Answer) -> Answer:
    """The same with its message as plain text, where it has one."""
    said = _said(answer)
    return answer._replace(body=json.dumps({"message": said}).encode()) if said else answer


def _said(answer: Answer) -> str:
    """Their own words about a refusal, on one line."""
    try:
        found: Any = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return ""
    inner = found.get("error")
    of = inner if isinstance(inner, dict) else found
    words = [str(of.get("message") or ""), *map(str, _listed(of.get("errors")))]
    return "; ".join(filter(None, words))


def _listed(errors: Any) -> list[Any]:
    if isinstance(errors, dict):
        return [f"{name} {value}" for name, value in errors.items()]
    return errors if isinstance(errors, list) else [errors] if errors else []
