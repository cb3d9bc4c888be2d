"""NerdGraph, New Relic's GraphQL API: one address, and errors that come with status 200.

An error's class tells what it means (``extensions.errorClass``): some pass by themselves and are asked again while
there is time, ``TOO_MANY_REQUESTS`` among them; others would come again. A field that is deprecated says so among the
errors, beside valid data. What comes in part is not taken: what is missing is not zero.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import Unreachable
from ...redaction import excerpt
from ..headers import retry_after, seconds_ahead
from ..saas import Again, Saas
from ..web_service import Answer, Refused

if TYPE_CHECKING:
    from ...settings.newrelic import NewRelicAccess
    from ..site import Site

PASSING = frozenset({"TIMEOUT", "INTERNAL_SERVER_ERROR", "SERVER_ERROR", "TOO_MANY_REQUESTS"})
"""Classes of errors that may be gone a moment later."""
LIMITS = frozenset({"TOO_MANY_REQUESTS"})
"""Those after which surely nothing was done."""
DEPRECATED = "This field is deprecated!"
ATTEMPTS = 3
PAUSE = 0.5
"""Seconds before the second attempt; twice as long before the third."""


class Declined(Refused):
    """It understood the question, and has an error in the place of an answer. ``classes``: of which kinds."""

    def __init__(self, what: str, classes: frozenset[str], *, do: str = "") -> None:
        super().__init__(what, do=do)
        self.classes = classes

    @property
    def passes(self) -> bool:
        """Whether the same question may be answered later."""
        return bool(self.classes & (PASSING | {"UNAUTHORIZED"}))


class Complaint(NamedTuple):
    """One of the errors of an answer."""

    message: str
    kind: str


class NerdGraph:
    """The API of one account."""

    def __init__(self, settings: NewRelicAccess, site: Site, *, wait: Callable[[float], None] = time.sleep) -> None:
        def key(service: Saas) -> Mapping[str, str]:
            return {"API-Key": service.secret(settings.token_from)}

        self.account = settings.account
        self.patience = max(5, int(settings.within) - 1)
        """Seconds that a query may take there."""
        self._settings = settings
        self._saas = Saas("New Relic", settings.base, settings, site, key, wait=wait)
        self.ahead = 0.0
        """Seconds that the clock there is ahead of ours, as its last answer said."""

    def ask(self, document: str, variables: Mapping[str, Any], until: float | None = None) -> Any:
        """The ``data`` of an answer. Raises ``Declined`` for errors, ``Unreachable`` and ``UsageError`` as ``Saas``
        does. ``until``: on the monotonic clock."""
        until = time.monotonic() + self._settings.within if until is None else until
        is_read = not document.startswith("mutation")
        sent = time.time()
        answer = self._saas.ask(
            "POST", "/graphql", until, json={"query": document, "variables": variables}, again=_again(until, is_read)
        )
        self.ahead = seconds_ahead(answer.headers, (sent + time.time()) / 2)
        return self._data(answer)

    def understand(self, read: Callable[[Any], Any], found: Any) -> Any:
        """What ``read`` makes of an answer. Raises ``Unreachable`` where it has another shape."""
        try:
            return read(found)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            said = excerpt(str(found)[:100_000], 200)
            raise Unreachable(
                f"New Relic at {self._saas.url} answered with something else than was asked for: {said}",
                do="check `url`: NerdGraph is needed",
            ) from None

    def _data(self, answer: Answer) -> Any:
        complaints = _complaints(answer)
        if complaints:
            raise self._declined(complaints)
        if not 200 <= answer.status < 300:
            raise self._saas.refusal(answer)
        found = self._saas.understood(answer)
        return self.understand(lambda found: _mapping(found["data"]), found)

    def _declined(self, complaints: Sequence[Complaint]) -> Declined:
        told = dict.fromkeys(f"{each.message} ({each.kind})" if each.kind else each.message for each in complaints)
        said = excerpt("; ".join(told), 300)
        classes = frozenset(each.kind for each in complaints if each.kind)
        if "BAD_API_KEY" in classes or "UNAUTHORIZED" in classes:
            do = f"see that {self._settings.token_from} holds a user key (NRAK-…) of this region, not a license key"
            return Declined(
                f"New Relic at {self._saas.url} does not know the key: {said}", classes | {"UNAUTHORIZED"}, do=do
            )
        do = "try again later" if classes & PASSING else "check the account, the names and the attributes"
        return Declined(f"New Relic at {self._saas.url} answered with an error: {said}", classes, do=do)


def _again(until: float, is_read: bool) -> Again:
    """Ask again what may pass, while there is time. A mark that may have been made already is not made again here."""

    def again(answer: Answer | None, attempt: int) -> float | None:
        if answer is None or attempt >= ATTEMPTS:
            return None
        kinds = {each.kind for each in _complaints(answer)}
        busy = answer.status == 429 or bool(kinds & LIMITS)
        if not busy and not (is_read and (answer.status >= 500 or kinds & PASSING)):
            return None
        told = retry_after(answer.headers, time.time())
        if told is not None:
            return told
        pause = PAUSE * 2 ** (attempt - 1)
        return pause if time.monotonic() + pause < until else None

    return again


def _complaints(answer: Answer) -> list[Complaint]:
    """The errors of an answer that are ones; none where it is not of GraphQL's shape."""
    try:
        errors = json.loads(answer.body)["errors"] or ()
        return [each for each in map(_complaint, errors) if not each.message.startswith(DEPRECATED)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _complaint(error: Mapping[str, Any]) -> Complaint:
    more = error.get("extensions") or {}
    kind = more.get("errorClass") or more.get("error_code") or more.get("code") or ""
    return Complaint(" ".join(str(error.get("message") or "no message").split()), str(kind).upper())


def _mapping(found: Any) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise TypeError("an object is needed")
    return found
