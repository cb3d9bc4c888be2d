"""Prometheus's HTTP API, as far as we need it: instant queries."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import Unreachable
from ..web_service import Refused, WebService
from .counting import Series


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
        try:
            answer, _ = self._service.get("/api/v1/query", query, self._until)
        except Refused as error:
            raise Refused(f"{error.what} (the query: {text})", do=error.do) from error
        found = answer if isinstance(answer, Mapping) else {}
        if found.get("status") != "success" or not isinstance(found.get("data"), Mapping):
            raise self._odd(f"something else than a result: {str(answer)[:200]}", text)
        if missing := found.get("warnings") or (found.get("isPartial") and ["the result is partial"]):
            raise self._odd(f"in part only: {'; '.join(map(str, missing))[:300]}", text)
        try:
            return _series(found["data"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._odd(f"a result that cannot be read: {str(found['data'])[:200]}", text) from None

    def _odd(self, what: str, text: str) -> Unreachable:
        return Unreachable(
            f"{self._service.name} at {self._service.url} answered {what} (the query: {text})",
            do="check the URL, and what stands behind it",
        )


def _series(data: Mapping[str, Any]) -> list[Series]:
    result = data["result"]
    if data["resultType"] == "scalar":
        return [Series({}, _samples([result]))]
    given = ((each["metric"], each["values"] if "values" in each else [each["value"]]) for each in result)
    found = (Series({str(k): str(v) for k, v in labels.items()}, _samples(values)) for labels, values in given)
    return [series for series in found if series.samples]


def _samples(values: Sequence[Any]) -> list[tuple[float, float]]:
    pairs = ((float(at), float(value)) for at, value in values)
    return [(at, value) for at, value in pairs if math.isfinite(value)]
