"""CloudWatch as AWS documents it: metrics of whatever somebody observes, and alarms.

``observe`` takes one sample; ``feed`` takes a source that is asked for new samples before each answer, such as
``cloudwatch_feeds.Requests``, for which every request that the lab's balancer answered is data.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from .cloudwatch_alarms import Alarm, described
from .service import AwsError, Params, Service

if TYPE_CHECKING:
    from .balancer import Balancer

Dimensions = frozenset[tuple[str, str]]
_SIMPLE = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
_NUMBER = r"\d+(?:\.\d{1,10})?"
_RANGE = re.compile(rf"(TC|PR)\(({_NUMBER})?:({_NUMBER})?\)")
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
_MOST_QUERIES = 500
_MOST_POINTS = 100_800
_FINE = 3 * 3600.0
"""Seconds for which periods below a minute can be had."""


class Metric(NamedTuple):
    """What a sample is of."""

    namespace: str
    name: str
    dimensions: Dimensions


class Sample(NamedTuple):
    """One data point as its publisher sends it. ``late``: seconds until it shows; by default as the service has it."""

    metric: Metric
    at: float
    value: float
    late: float | None = None


class CloudWatch(Service):
    """``lab = CloudWatch(); lab.observe({"LoadBalancer": "app/shop/1"}, "RequestCount", 1.0, at)``.

    A metric exists from its first visible sample on. ``lateness``: seconds until a sample shows. ``now``: the clock.
    """

    name = "cloudwatch"

    def __init__(self, *, lateness: float = 0.0, now: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.lateness = lateness
        self.now = now
        self.page = _MOST_POINTS
        """Data points on a page, where a request asks for no fewer."""
        self.page_of_alarms = 100
        self.statuses: list[str] = []
        """What the status of the next answers' metrics is on the last page, instead of Complete."""
        self.alarms: dict[str, Alarm] = {}
        self._sources: list[Callable[[], Iterable[Sample]]] = []
        self._samples: dict[Metric, list[tuple[float, float, float]]] = {}
        self._tokens: dict[str, tuple[Params, int]] = {}

    # -- what a test does ----------------------------------------------------

    def observe(
        self,
        dimensions: Mapping[str, str],
        metric: str,
        value: float,
        at: float,
        *,
        namespace: str = "AWS/ApplicationELB",
        late: float | None = None,
    ) -> None:
        """One sample, measured ``at`` (Unix time)."""
        with self.lock:
            self._take(Sample(Metric(namespace, metric, frozenset(dimensions.items())), at, value, late))

    def feed(self, source: Callable[[], Iterable[Sample]]) -> None:
        """Ask this source for what is new before each answer."""
        self._sources.append(source)

    def forget(self) -> None:
        """Have no data."""
        with self.lock:
            self._samples.clear()

    def follow(self, balancer: Balancer, *, heartbeat: float = 1.0) -> None:
        """Have every request that this balancer answers as data, and every ``heartbeat`` seconds how many targets each
        group has."""
        from .cloudwatch_feeds import Requests

        listener = balancer.listener
        source = Requests(balancer.hits, "/".join(listener.rpartition(":")[2].split("/")[1:4]), balancer.lab)
        source.period = heartbeat
        self.feed(source)

    def put_alarm(self, alarm: Alarm) -> str:
        """Have an alarm, in the place of another of that name. Returns its ARN."""
        with self.lock:
            self.alarms[alarm.name] = alarm
        return self.arn_of(alarm.name)

    def arn_of(self, alarm: str) -> str:
        return self.arn(f"alarm:{alarm}")

    def _take(self, sample: Sample) -> None:
        shows = sample.at + (self.lateness if sample.late is None else sample.late)
        self._samples.setdefault(sample.metric, []).append((sample.at, sample.value, shows))

    def _catch_up(self) -> None:
        for source in self._sources:
            for sample in source():
                self._take(sample)

    # -- operations ----------------------------------------------------------

    def get_metric_data(self, params: Params) -> Params:
        self._catch_up()
        offset, token = 0, params.get("NextToken")
        if token is not None:
            asked, offset = self._tokens.get(token, ({}, 0))
            if asked != {**params, "NextToken": None}:
                raise AwsError("InvalidNextToken", "The specified nextToken is not valid")
        queries = params["MetricDataQueries"]
        self._checked(params, queries)
        known: dict[Any, dict[float, list[float]]] = {}
        found = [(query, self._points(query["MetricStat"], params, known)) for query in queries]
        if params.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            found = [(query, points[::-1]) for query, points in found]
        return self._page(params, found, offset)

    def list_metrics(self, params: Params) -> Params:
        self._catch_up()
        wanted = [(each["Name"], each.get("Value")) for each in params.get("Dimensions", [])]
        since = self.now() - (3 * 3600 if params.get("RecentlyActive") else 14 * 86400)
        found = []
        for metric, samples in self._samples.items():
            if not any(shows <= self.now() and at >= since for at, _, shows in samples):
                continue
            named = dict(metric.dimensions)
            if params.get("Namespace", metric.namespace) != metric.namespace:
                continue
            if params.get("MetricName", metric.name) != metric.name:
                continue
            if all(name in named and value in (None, named[name]) for name, value in wanted):
                dimensions = [{"Name": name, "Value": value} for name, value in sorted(named.items())]
                found.append({"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions})
        return self._listed(params, found, 500)

    def _listed(self, params: Params, found: list[Params], most: int) -> Params:
        token = params.get("NextToken", "0")
        if not token.isdigit():
            raise AwsError("InvalidParameterValue", "The next token is not valid")
        start = int(token)
        more = {"NextToken": str(start + most)} if len(found) > start + most else {}
        return {"Metrics": found[start : start + most], **more}

    def describe_alarms(self, params: Params) -> Params:
        return described(self, params)

    # -- data ----------------------------------------------------------------

    def _checked(self, params: Params, queries: list[Params]) -> None:
        if len(queries) > _MOST_QUERIES:
            raise AwsError("ValidationError", "The collection MetricDataQueries must not have a size greater than 500.")
        if params["StartTime"] >= params["EndTime"]:
            raise AwsError("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
        if not 1 <= params.get("MaxDatapoints", 1) <= _MOST_POINTS:
            raise AwsError("ValidationError", "The parameter MaxDatapoints must be between 1 and 100800.")
        ids = [query["Id"] for query in queries]
        if len(set(ids)) != len(ids):
            raise AwsError("ValidationError", "The values for parameter id in MetricDataQueries are not unique.")
        for query in queries:
            if not re.fullmatch(r"[a-z]\w*", query["Id"]):
                raise AwsError("ValidationError", f"The value {query['Id']} for parameter id is not matching.")
            if "MetricStat" not in query or "Expression" in query:
                raise AssertionError("the lab knows of no expressions")
            self._checked_stat(query["MetricStat"])

    def _checked_stat(self, stat: Params) -> None:
        period, how = stat["Period"], stat["Stat"]
        if period not in (1, 5, 10, 30) and (period < 1 or period % 60):
            raise AwsError("ValidationError", "Period must be 1, 5, 10, 30 or a multiple of 60.")
        if len(stat["Metric"].get("Dimensions", [])) > 30:
            raise AwsError("ValidationError", "The collection Dimensions must not have a size greater than 30.")
        bounds = _RANGE.fullmatch(how)
        if bounds is not None and bounds[2] is None and bounds[3] is None:
            raise AwsError("ValidationError", f"Invalid statistic {how}")
        if bounds is not None and bounds[2] and bounds[3] and float(bounds[2]) >= float(bounds[3]):
            raise AwsError("ValidationError", f"Invalid statistic {how}")
        if how not in _SIMPLE and bounds is None and not _PERCENTILE.fullmatch(how):
            raise AwsError("ValidationError", f"The value {how} for parameter Stat is not supported.")

    def _points(self, stat: Params, params: Params, known: dict[Any, Any]) -> list[tuple[float, float]]:
        """The oldest first. A period in which nothing was observed has none. ``known``: periods of this request."""
        given, period = stat["Metric"], stat["Period"]
        dimensions = frozenset((each["Name"], each["Value"]) for each in given.get("Dimensions", []))
        metric = Metric(given["Namespace"], given["MetricName"], dimensions)
        if (metric, period) not in known:
            known[metric, period] = self._periods(metric, period, params)
        periods = known[metric, period]
        return [(bucket, statistic(stat["Stat"], periods[bucket])) for bucket in sorted(periods)]

    def _periods(self, metric: Metric, period: int, params: Params) -> dict[float, list[float]]:
        """Beginning → values, sorted."""
        start, end = (_seconds(params[name]) for name in ("StartTime", "EndTime"))
        start -= start % (period if period in (5, 10, 30) else 60)
        if period < 60:
            start = max(start, self.now() - _FINE)
        periods: dict[float, list[float]] = {}
        for at, value, shows in self._samples.get(metric, []):
            bucket = at - at % period
            if start <= bucket < end and shows <= self.now():
                periods.setdefault(bucket, []).append(value)
        return {bucket: sorted(values) for bucket, values in periods.items()}

    def _page(self, params: Params, found: list[tuple[Params, list[tuple[float, float]]]], offset: int) -> Params:
        """The next data points of all queries in their order. What is not on this page is partial so far."""
        size = min(params.get("MaxDatapoints", self.page), self.page)
        left, results, skip, cut = size, [], offset, False
        for query, points in found:
            skipped = min(skip, len(points))
            skip -= skipped
            shown = points[skipped : skipped + left]
            left -= len(shown)
            is_whole = skipped + len(shown) == len(points)
            cut = cut or not is_whole
            results.append(
                {
                    "Id": query["Id"],
                    "Label": query["MetricStat"]["Metric"]["MetricName"],
                    "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in shown],
                    "Values": [value for _, value in shown],
                    "StatusCode": "Complete" if is_whole else "PartialData",
                }
            )
        more = {}
        if cut:
            token = f"page-{len(self._tokens)}"
            self._tokens[token] = ({**params, "NextToken": None}, offset + size)
            more = {"NextToken": token}
        elif self.statuses:
            status = self.statuses.pop(0)
            results = [{**result, "StatusCode": status} for result in results]
        return {"MetricDataResults": results, "Messages": [], **more}


def statistic(how: str, values: list[float]) -> float:
    """A statistic of sorted values, at least one. Ranges leave out their lower bound and have their upper one."""
    if bounds := _RANGE.fullmatch(how):
        low = bisect_right(values, float(bounds[2])) if bounds[2] else 0
        high = bisect_right(values, float(bounds[3])) if bounds[3] else len(values)
        count = max(0, high - low)
        return float(count) if bounds[1] == "TC" else 100 * count / len(values)
    if rank := _PERCENTILE.fullmatch(how):
        return values[max(0, -(-int(float(rank[1]) * len(values)) // 100) - 1)]
    simple: dict[str, Callable[[], float]] = {
        "SampleCount": lambda: len(values),
        "Sum": lambda: sum(values),
        "Average": lambda: sum(values) / len(values),
        "Minimum": lambda: values[0],
        "Maximum": lambda: values[-1],
    }
    return float(simple[how]())


def _seconds(given: Any) -> float:
    if isinstance(given, datetime):
        return given.timestamp() if given.tzinfo else given.replace(tzinfo=UTC).timestamp()
    return float(given)
