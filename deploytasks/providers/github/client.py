"""GitHub's REST API, asked by its rules: a pinned version, pages by their links, renamed repositories, limits.

One client is one look: all that it asks has one deadline and a largest number of requests.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from ... import redaction
from ...errors import Unreachable
from ...reviews import NotTold
from ..web_service import Answer, WebService, explanation
from .limits import ATTEMPTS, TROUBLE, Pace, is_limit, pause

VERSION = "2022-11-28"
"""Of the API. The next one, 2026-03-10, leaves fields out; this one is served for two years more at least."""
HEADERS: Mapping[str, str] = {
    "Accept": "application/vnd.github+json",
    "User-Agent": "deploytasks",
    "X-GitHub-Api-Version": VERSION,
}
PAGE = "100"
"""Entries on a page; more are not given."""
MOST = 300
"""Requests of one look."""
LED = 3
"""So often may one request be led elsewhere."""


class Access(NamedTuple):
    """Which repository is asked for, with which token, for how long (seconds); ``section``: which settings say so."""

    repository: str
    token_from: str
    within: float
    section: str = "reviews"


class Refusal(NotTold):
    """It refused, with this ``status``."""

    status = 0


class Client:
    """Asks about one repository, until its time is up. ``wait``: sleeps for so many seconds; ``pace``: of what is
    written, for clients that write one after the other."""

    def __init__(
        self,
        service: WebService,
        access: Access,
        wait: Callable[[float], None] = time.sleep,
        pace: Pace | None = None,
    ) -> None:
        self.repository = access.repository
        self.asked = 0
        self._pace = pace or Pace()
        self._service = service
        self._access = access
        self._until = time.monotonic() + access.within
        self._wait = wait

    def get(self, path: str, what: str, **query: str) -> Any:
        """The JSON at ``path`` of the repository. ``what`` is asked for, in words.

        Raises ``NotTold`` for a refusal, ``Unreachable`` for silence and while it is to be left alone.
        """
        return self._json(self._asked("GET", self._below(path), list(query.items()), what), what)

    def find(self, path: str, what: str) -> Any:
        """The JSON at an absolute ``path``; ``None`` when there is no such thing, or we may not see it."""
        answer = self._answered("GET", path, [], None)
        return None if answer.status == 404 else self._json(self._checked(answer, what), what)

    def pages(self, path: str, what: str, inside: str = "", **query: str) -> list[Any]:
        """The entries of all pages; with ``inside``, those under this key, as many as it says there are in all."""
        found: list[Any] = []
        target: tuple[str, Sequence[tuple[str, str]]] | None = self._below(path), [*query.items(), ("per_page", PAGE)]
        while target is not None:
            answer = self._asked("GET", *target, what)
            page = self._json(answer, what)
            entries = page.get(inside) if inside and isinstance(page, Mapping) else page
            if not isinstance(entries, list):
                raise self.odd(what, page)
            found += entries
            target = self._next(answer)
        if inside and len(found) < int(page.get("total_count") or 0):
            total = page["total_count"]
            raise NotTold(
                f"GitHub told {len(found)} of {total} entries of {what}", do="see what is there, and try again"
            )
        return found

    def post(self, path: str, what: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Write; the status and the JSON that came back. What is not sure to have been refused is not sent twice."""
        data = json.dumps(body).encode()
        answer = self._asked("POST", self._below(path), [], what, data)
        return answer.status, self._json(answer, what)

    def odd(self, what: str, found: object) -> Unreachable:
        """The error that an answer of another shape is."""
        said = redaction.excerpt(found, 200)
        return Unreachable(
            f"{self._service.name} at {self._service.url} answered something else than {what}: {said}",
            do=f"check `{self._access.section}.url`: https://api.github.com, or https://HOST/api/v3",
        )

    # -- asking ----------------------------------------------------------------------------------------------

    def _below(self, path: str) -> str:
        return f"/repos/{self.repository}{path}"

    def _asked(
        self, method: str, path: str, query: Sequence[tuple[str, str]], what: str, body: bytes | None = None
    ) -> Answer:
        return self._checked(self._answered(method, path, query, body), what)

    def _answered(self, method: str, path: str, query: Sequence[tuple[str, str]], body: bytes | None) -> Answer:
        """What it answers in the end, led where it leads: a repository that was renamed."""
        for _ in range(LED):
            answer = self._patiently(method, path, query, body)
            target = self._target(answer.headers.get("location", "")) if answer.status in (301, 302, 307, 308) else None
            if target is None or (method != "GET" and answer.status not in (307, 308)):
                return answer
            path, query = target
        return answer

    def _patiently(self, method: str, path: str, query: Sequence[tuple[str, str]], body: bytes | None) -> Answer:
        """Wait as long as it asks for, if there is so much time; ask again after trouble, if that can do no harm."""
        attempt = 0
        while True:
            attempt += 1
            answer = self._once(method, path, query, body, attempt)
            if answer is None:
                self._wait(TROUBLE)
                continue
            seconds = pause(answer, attempt, time.time())
            if seconds is None or (answer.status >= 500 and method != "GET"):
                return answer
            if time.monotonic() + seconds >= self._until:
                if answer.status >= 500:
                    return answer
                raise _too_long(answer, seconds)
            self._wait(seconds)

    def _once(
        self, method: str, path: str, query: Sequence[tuple[str, str]], body: bytes | None, attempt: int
    ) -> Answer | None:
        """One request; ``None``: nobody was there, and it may be tried again."""
        self.asked += 1
        if method != "GET":
            self._keep_apart()
        if self.asked > MOST:
            raise NotTold(f"more than {MOST} requests to GitHub would be needed", do="see what is so large there")
        more = {"Content-Type": "application/json"} if body is not None else {}
        try:
            return self._service.answer(path, query, self._until, headers={**HEADERS, **more}, method=method, body=body)
        except Unreachable:
            if method != "GET" or attempt >= ATTEMPTS or time.monotonic() + TROUBLE >= self._until:
                raise
            return None

    def _keep_apart(self) -> None:
        """Two writes need a second between them, or GitHub counts them as abuse."""
        seconds = self._pace.left()
        if time.monotonic() + seconds >= self._until:
            raise Unreachable("there is no time left to write to GitHub", do="try again")
        if seconds > 0:
            self._wait(seconds)
        self._pace.wrote()

    # -- understanding ---------------------------------------------------------------------------------------

    def _next(self, answer: Answer) -> tuple[str, Sequence[tuple[str, str]]] | None:
        found = re.search(r'<([^>]+)>\s*;[^,]*\brel="?next"?', answer.headers.get("link", ""))
        if found is None:
            return None
        target = self._target(found[1])
        if target is None:
            do = f"check `{self._access.section}.url`"
            raise Unreachable(f"GitHub at {self._service.url}: the next page is elsewhere", do=do)
        return target

    def _target(self, url: str) -> tuple[str, Sequence[tuple[str, str]]] | None:
        """Path and query of an address below the base URL; ``None`` for any other: the token goes nowhere else."""
        base = self._service.url
        if not url.startswith(f"{base}/"):
            return None
        path, _, query = url.removeprefix(base).partition("?")
        return path, parse_qsl(query)

    def _json(self, answer: Answer, what: str) -> Any:
        return self._service.understood(answer)

    def _checked(self, answer: Answer, what: str) -> Answer:
        if 200 <= answer.status < 300:
            return answer
        if answer.status >= 500 or answer.status < 400:
            raise self._service.refusal(answer)
        refused = self._refused(answer, what)
        refused.status = answer.status
        raise refused

    def _refused(self, answer: Answer, what: str) -> Refusal:
        said, token = f"{answer.status}: {explanation(answer)}{_errors(answer)}", self._access.token_from
        if answer.status == 401:
            return Refusal(f"GitHub does not take the token in {token} ({said})", do="put a valid one there")
        if answer.status == 403 and "x-github-sso" in answer.headers:
            do = "authorize it for the single sign-on of the organization"
            return Refusal(f"the token in {token} may not see {self.repository} ({said})", do=do)
        if answer.status == 403:
            accepted = answer.headers.get("x-accepted-github-permissions", "")
            do = f"give it {accepted or 'what docs/github.md lists'}"
            return Refusal(f"the token in {token} may not ask for {what} ({said})", do=do)
        if answer.status == 404:
            section = self._access.section
            do = f"check `{section}.repository`, and what the token may see: GitHub says the same to who may not"
            return Refusal(f"GitHub does not show {what} in {self.repository} ({said})", do=do)
        return Refusal(f"GitHub does not tell {what} in {self.repository} ({said})", do="check what was asked for")


def _errors(answer: Answer) -> str:
    """Which field is wrong, and how, where it says so."""
    try:
        told = [f"{error['field']} {error['code']}" for error in json.loads(answer.body)["errors"]]
    except (ValueError, KeyError, TypeError):
        return ""
    return f": {redaction.excerpt(', '.join(told), 200)}"


def _too_long(answer: Answer, seconds: float) -> Unreachable:
    again = datetime.fromtimestamp(time.time() + seconds, UTC)
    why = explanation(answer) if is_limit(answer) else f"{answer.status}, {explanation(answer)}"
    return Unreachable(f"GitHub wants to be left alone: {why}", do=f"try again after {again:%H:%M:%S} UTC")


def each(entries: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """The entries, which must be objects. Raises ``TypeError`` otherwise."""
    for entry in entries:
        if not isinstance(entry, Mapping):
            raise TypeError("an object is needed")
        yield entry
