"""Data points of many metrics at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .... import redaction
from ....errors import Unreachable
from ...site import Site
from .. import lists
from ..session import Known, client, translated

MOST = 500
"""Queries that one request may have."""

Points = Mapping[float, float]
"""Beginning of a period (Unix time) → value. A period in which nothing was observed is absent."""


class Query(NamedTuple):
    """One statistic of one metric."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str
    """``Sum``, ``p99``, ``TC(0.5:)``: how many took longer than 0.5."""


def fetch(site: Site, queries: Sequence[Query], start: float, end: float, period: float) -> Mapping[Query, Points]:
    """The data points of whole periods from ``start`` up to ``end`` (Unix time, not included), of every query; those of
    a period below a minute from the beginning of that minute on, to which CloudWatch rounds.

    Raises ``Unreachable``, also when something was answered in part: what is missing is not zero.
    """
    found: dict[Query, dict[float, float]] = {query: {} for query in queries}
    for at in range(0, len(queries), MOST):
        some = queries[at : at + MOST]
        for query, points in _asked(site, some, start, end, period):
            found[query].update(points)
    return found


class _PagesLost(Unreachable):
    """CloudWatch does not know the token of the next page any more."""


_KNOWN = {"InvalidNextToken": Known(_PagesLost, "CloudWatch lost its place between two pages", "run it again")}


def _asked(
    site: Site, queries: Sequence[Query], start: float, end: float, period: float
) -> Iterator[tuple[Query, Points]]:
    request = _request(queries, start, end, period)
    try:
        pages = _pages(site, request)
    except _PagesLost:
        pages = _pages(site, request)
    states: dict[str, str] = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            states[result["Id"]] = result.get("StatusCode", "Complete")
            points = zip(result.get("Timestamps", ()), result.get("Values", ()), strict=True)
            yield queries[int(result["Id"][1:])], {at.timestamp(): value for at, value in points}
    odd = {state for state in states.values() if state != "Complete"}
    if odd or len(states) < len(queries):
        said = "; ".join(message.get("Value", "") for page in pages for message in page.get("Messages", ()))
        raise Unreachable(
            f"CloudWatch answered in part only: {', '.join(sorted(odd)) or 'some metrics were left out'}"
            f"{f' ({redaction.excerpt(said, 200)})' if said else ''}",
            do="it is asked again at the next reading",
        )


def _pages(site: Site, request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    with translated("read metrics of CloudWatch", _KNOWN):
        return list(lists.pages(client("cloudwatch", site).get_metric_data, **request))


def _request(queries: Sequence[Query], start: float, end: float, period: float) -> Mapping[str, Any]:
    return {
        "MetricDataQueries": [
            {
                "Id": f"q{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": query.namespace,
                        "MetricName": query.metric,
                        "Dimensions": [{"Name": name, "Value": value} for name, value in query.dimensions],
                    },
                    "Period": int(period),
                    "Stat": query.stat,
                },
            }
            for number, query in enumerate(queries)
        ],
        "StartTime": datetime.fromtimestamp(start, UTC),
        "EndTime": datetime.fromtimestamp(end, UTC),
        "ScanBy": "TimestampAscending",
    }
