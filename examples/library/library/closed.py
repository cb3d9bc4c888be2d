"""Closed for maintenance: while a flag is in Redis, every page but ``/health`` and ``/metrics`` answers 503.

`inv maintenance-mode enable` writes the flag (``maintenance: {kind: redis}``), `disable` deletes it. Whatever it holds,
the library is closed while it is there. When Redis does not answer, the library stays open: a cache that is down must
not take the site with it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.html import escape

LOOK_EVERY = 1.0
"""Seconds for which an answer of Redis is believed: so long may closing and opening take to show."""
PATIENCE = 0.2
"""Seconds for Redis to answer. One request waits at a time, the others go by what was known."""
OPEN_PATHS = ("/health", "/metrics")
"""A balancer that took 503 for ill would end the process."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>The library is closed</title>
<style>body{font:1.1em/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1em}</style></head>
<body><h1>The library is closed</h1><p>%s</p></body></html>
"""


def closed(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The middleware; costs nothing without ``LIBRARY_REDIS_URL``."""
    if not settings.REDIS_URL:
        raise MiddlewareNotUsed
    flag = Flag(settings.REDIS_URL, settings.MAINTENANCE_KEY)

    def answered(request: HttpRequest) -> HttpResponse:
        notice = None if request.path in OPEN_PATHS else flag.notice()
        return answer(request) if notice is None else refusal(request, notice)

    return answered


def refusal(request: HttpRequest, notice: dict) -> HttpResponse:
    """503: a page for people, JSON for programs, and when to come again."""
    message = str(notice.get("message") or "We will be back soon.")
    if request.path.startswith("/api/"):
        response: HttpResponse = JsonResponse({"error": "closed", "message": message}, status=503)
    else:
        response = HttpResponse(PAGE % escape(message), status=503)
    response["Retry-After"] = str(notice.get("retry_after") or 300)
    response["Cache-Control"] = "no-store"
    return response


class Flag:
    """What Redis said last, and not longer ago than ``LOOK_EVERY``."""

    def __init__(self, url: str, key: str) -> None:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._redis = Redis.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        )
        self._key = key
        self._looking = threading.Lock()
        self._known: dict | None = None
        self._look_at = 0.0

    def notice(self) -> dict | None:
        """The notice, or ``None``: open, as far as anybody knows."""
        if time.monotonic() >= self._look_at and self._looking.acquire(blocking=False):
            try:
                self._known = self._read()
                self._look_at = time.monotonic() + LOOK_EVERY
            finally:
                self._looking.release()
        return self._known

    def _read(self) -> dict | None:
        from redis import RedisError

        try:
            found = self._redis.get(self._key)
        except RedisError:
            return None
        if found is None:
            return None
        try:
            notice = json.loads(found)
        except ValueError:  # set by hand
            return {}
        return notice if isinstance(notice, dict) else {}
