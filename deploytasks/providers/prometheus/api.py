"""Prometheus's HTTP API, as far as we need it: instant queries, and the rules."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ... import redaction
from ...errors import Unreachable
from ...ports import AlertRule
from ..web_service import Refused, WebService
from .counting import Series

T = TypeVar("T")


class Api:
    """Asks within ``seconds`` for all that belongs to one look; ``begin`` starts that time."""

    def __init__(self, service: WebService, seconds: float) -> None:
        self._service = service
        self._seconds = seconds
        self._until = 0.0

    def begin(self) -> None:
        """A new look begins now."""
        self._until = time.monotonic() + self._seconds

    def query(self, text: str, at: float | None = None) -> list[Series]:
        """The series of an instant query: with one sample, or with many for a range selector. What is no finite
        number is left out, and series without any other sample.

        Raises ``Unreachable`` when it is refused, and when it was answered in part: what is missing is not zero.
        """
        query = [("query", text)] if at is None else [("query", text), ("time", f"{at:.3f}")]
        return self._answer("/api/v1/query", query, f"the query: {text}", _series)

    def alert_rules(self) -> list[AlertRule]:
        """The rules by which alerts fire. Raises ``Unreachable``, also when they were told in part."""
        return self._answer("/api/v1/rules", [("type", "alert")], "its alert rules", _rules)

    def _answer(
        self, path: str, query: Sequence[tuple[str, str]], about: str, read: Callable[[Mapping[str, Any]], T]
    ) -> T:
        """What ``read`` makes of the data that is answered with. ``about``: what it was asked for, in messages."""
        try:
            answer, _ = self._service.get(path, query, self._until)
        except Refused as error:
            raise Refused(f"{error.what} ({about})", do=error.do) from error
        found = answer if isinstance(answer, Mapping) else {}
        if found.get("status") != "success" or not isinstance(found.get("data"), Mapping):
            raise self._odd(f"something else than a result: {redaction.excerpt(answer, 200)}", about)
        if missing := found.get("warnings") or (found.get("isPartial") and ["the result is partial"]):
            raise self._odd(f"in part only: {redaction.excerpt('; '.join(map(str, missing)), 300)}", about)
        try:
            return read(found["data"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._odd(f"a result that cannot be read: {redaction.excerpt(found['data'], 200)}", about) from None

    def _odd(self, what: str, about: str) -> Unreachable:
        return Unreachable(
            f"{self._service.name} at {self._service.url} answered {what} ({about})",
            do="check the URL, and what stands behind it",
        )


def _series(data: Mapping[str, Any]) -> list[Series]:
    result = data["result"]
    if data["resultType"] == "scalar":
        return [Series({}, _samples([result]))]
    given = ((each["metric"], each["values"] if "values" in each else [each["value"]]) for each in result)
    found = (Series({str(k): str(v) for k, v in labels.items()}, _samples(values)) for labels, values in given)
    return [series for series in found if series.samples]


def _rules(data: Mapping[str, Any]) -> list[AlertRule]:
    return [_rule(each) for group in data["groups"] for each in group["rules"] if each["type"] == "alerting"]


def _rule(given: Mapping[str, Any]) -> AlertRule:
    labels = {str(name): str(value) for name, value in (given.get("labels") or {}).items()}
    is_broken = given.get("health") == "err"
    return AlertRule(str(given["name"]), labels, str(given.get("lastError") or "it says no more") if is_broken else "")


def _samples(values: Sequence[Any]) -> list[tuple[float, float]]:
    pairs = ((float(at), float(value)) for at, value in values)
    return [(at, value) for at, value in pairs if math.isfinite(value)]
