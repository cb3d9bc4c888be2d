"""Sentry's API: asked within one deadline for all that belongs together, and as its limits allow."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ... import redaction
from ...errors import Unreachable
from ..headers import seconds_ahead
from ..saas import Busy, Saas
from ..web_service import Answer, Refused
from . import limits

if TYPE_CHECKING:
    from ...settings.sentry import SentryAccess
    from ..site import Site

T = TypeVar("T")
PAGES = 20
"""So many pages of one answer are read; more is no answer to what we ask."""


class Client:
    """One organization. ``begin`` starts the time that there is for all that is asked from then on.

    ``ahead``: by how many seconds the clock there was ahead of ours at the last answer, or 0 while that is unknown.
    """

    def __init__(
        self,
        settings: SentryAccess,
        site: Site,
        *,
        wait: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._wait, self._now = settings, wait, now
        self._service = Saas("Sentry", settings.url, settings, site, self._authorization, wait=wait)
        self._until = 0.0
        self._free_at = 0.0
        self.ahead = 0.0
        self.begin()

    def begin(self, seconds: float | None = None) -> None:
        """``seconds``: other than what is configured."""
        self._until = time.monotonic() + (self._settings.within if seconds is None else seconds)

    def pages(self, path: str, query: Sequence[tuple[str, str]], read: Callable[[Any], T]) -> Iterator[T]:
        """What ``read`` makes of the JSON of each page below the organization. Raises ``Unreachable`` for silence, and
        where ``read`` raises what comes of another shape; ``Refused`` for a status other than 2xx."""
        more: list[tuple[str, str]] = []
        for _ in range(PAGES):
            answer = self.ask("GET", path, query=[*query, *more])
            if not 200 <= answer.status < 300:
                raise self.refused(answer)
            yield self.parsed(answer, read)
            cursor = following(answer.headers.get("link", ""))
            if cursor is None:
                return
            more = [("cursor", cursor)]
        raise Unreachable(f"{self._where()} answered with more than {PAGES} pages", do="narrow what is asked for")

    def ask(self, method: str, path: str, **more: Any) -> Answer:
        """Whatever is answered below the organization. A write is not made again after trouble that is not ours: it may
        have been done. Raises ``Unreachable``, and ``Busy`` when there is no time to wait for its limits."""
        self._heed()

        def again(answer: Answer | None, attempt: int) -> float | None:
            if method != "GET" and (answer is None or answer.status != 429):
                return None
            return limits.pause(answer, attempt, self._now())

        asked = self._now()
        target = f"/api/0/organizations/{self._settings.organization}{path}"
        answer = self._service.ask(method, target, self._until, again=again, **more)
        self._heard(answer.headers, asked)
        return answer

    def parsed(self, answer: Answer, read: Callable[[Any], T]) -> T:
        """What ``read`` makes of the JSON of an answer, or ``Unreachable``."""
        return self.understood(self._service.understood(answer), read)

    def understood(self, found: Any, read: Callable[[Any], T]) -> T:
        """What ``read`` makes of it, or ``Unreachable``."""
        try:
            return read(found)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise Unreachable(
                f"{self._where()} answered with something else than was asked for: {_brief(found)}",
                do="check the URL: API 0 of a Sentry that knows the dataset `spans` is needed",
            ) from None

    def check_written(self, answer: Answer) -> None:
        """What was written comes back as an object; ``Unreachable`` where a page to log in does."""
        self.understood(self._service.understood(answer), lambda found: found.keys())

    def refused(self, answer: Answer) -> Refused:
        """The error that a status other than 2xx is."""
        if 300 <= answer.status < 400:
            return Refused(self._service.refusal(answer).what, do="check `url`: regions have addresses of their own")
        said = explained(answer)
        what = f"{self._where()} answered {answer.status} {answer.reason}".strip()
        return Refused(f"{what}{f': {said}' if said else ''}", do=self._advice(answer.status, answer.body))

    def _advice(self, status: int, body: bytes) -> str:
        token, where = self._settings.token_from, f"organization {self._settings.organization}"
        if status == 404 and body:
            return f"check `organization`, `project`, `environment` and `release`, and that {token} may see {where}"
        return {
            400: "check `query`, `color` and `release`; the versions of a Sentry of your own differ",
            401: f"check {token} and `url`: a token of one region is none in another",
            403: f"give {token} the scopes org:read (metrics) and project:releases (markers) in {where}",
            404: f"check `organization` and `url`; without a body, {where} may lack the feature",
        }.get(status, "look after it" if status >= 500 else "check what was asked")

    def _heed(self) -> None:
        """Wait where the last answer said that it was the last one for now."""
        seconds = self._free_at - time.monotonic()
        if seconds <= 0:
            return
        if time.monotonic() + seconds >= self._until:
            raise Busy(f"{self._where()} wants to be left alone for {seconds:.0f} s", do="ask less often")
        self._free_at = 0.0
        self._wait(seconds)

    def _heard(self, headers: Mapping[str, str], asked: float) -> None:
        now = self._now()
        self._free_at = time.monotonic() + (limits.until_reset(headers, now) or 0.0)
        if "date" in headers:
            self.ahead = seconds_ahead(headers, (asked + now) / 2)

    def _where(self) -> str:
        return f"Sentry at {self._service.url}"

    def _authorization(self, service: Saas) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {service.secret(self._settings.token_from)}"}


def following(link: str) -> str | None:
    """The cursor of the next page in a ``Link`` header, if that page has anything."""
    for part in link.split(","):
        values = dict(re.findall(r'(\w+)="([^"]*)"', part))
        if values.get("rel") == "next" and values.get("results") == "true":
            return values.get("cursor")
    return None


def explained(answer: Answer) -> str:
    """What Sentry says about its refusal: ``detail`` as text or as an object, a bare string, or mistakes by field."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    detail = found.get("detail", found) if isinstance(found, Mapping) else found
    if isinstance(detail, Mapping):
        detail = detail.get("message") or "; ".join(f"{name}: {_plain(each)}" for name, each in detail.items())
    return _brief(detail) if detail else ""


def _plain(given: object) -> str:
    return " ".join(map(str, given)) if isinstance(given, list) else str(given)


def _brief(found: object) -> str:
    """The beginning, on one line, without what it may quote of our own."""
    return redaction.excerpt(str(found)[:100_000], 200)
