"""What a Prometheus, or what stands in its place, may answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lab.answering import Answering, Asked, Raw, answering, page, took

from deploytasks.ports import NoData, Totals
from deploytasks.providers.prometheus import Metrics
from deploytasks.providers.site import Site
from deploytasks.settings.prometheus import PrometheusSettings


def metrics(url: str, **given: Any) -> Metrics:
    said = {"url": url, "counts": {"requests": "hits", "errors": "bad"}, "latency": {"buckets": "t_bucket"}, **given}
    folder = Path("/nowhere")
    return Metrics(
        PrometheusSettings.model_validate({"within": 1, **said}), Site("library", "test", folder, folder, None, "ann")
    )


def data(kind: str, *result: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": kind, "result": list(result)}}


class Fake:
    """A Prometheus with one series per selector, whose clock is ahead of ours."""

    def __init__(self, ahead: float = 0.0, **more: Any) -> None:
        self.ahead = ahead
        self.more = more
        self.before = {"hits": 100.0, "bad": 0.0, "t_bucket": 100.0}
        self.now = {"hits": 110.0, "bad": 1.0, "t_bucket": 110.0}

    def __call__(self, asked: Asked) -> Any:
        return {**self.answer(asked.query["query"][0]), **self.more}

    def answer(self, query: str) -> dict[str, Any]:
        now = time.time() + self.ahead
        if "vector(time())" in query:
            return data("vector", {"metric": {}, "value": [now, f"{now}"]})
        name = next(each for each in self.now if each + "{" in query)
        labels = {"__name__": name, "color": "blue", **({"le": "+Inf"} if name == "t_bucket" else {})}
        if query.startswith("last_over_time"):
            return data("vector", {"metric": labels, "value": [now, str(self.before[name])]})
        return data("matrix", {"metric": labels, "values": [[now - 300, "7"], [now + 0.01, str(self.now[name])]]})


def why(found: Mapping[Any, Totals] | NoData) -> str:
    assert isinstance(found, NoData)
    return found.why


def told(say: Callable[[Asked], Any], **given: Any) -> str:
    """Why there is no data."""
    with answering(say) as lab:
        return why(metrics(lab.url, **given).totals(datetime.now(UTC), (1.0,)))


@pytest.mark.parametrize("ahead", [0.0, 3600.0, -3600.0])
def test_counts_go_by_the_clock_of_prometheus(ahead: float) -> None:
    """An hour ahead or behind: ten requests and an error since the beginning, and samples are not too old."""
    with answering(Fake(ahead)) as lab:
        found = metrics(lab.url).totals(datetime.now(UTC), (1.0,))
    assert {"blue": Totals(10, 1, {}), "green": Totals(0, 0, {})} == found


def test_a_skewed_clock_is_reported() -> None:
    """`inv doctor` says by how much, and in which direction."""
    with answering(Fake()) as lab:
        fine = metrics(lab.url).diagnose()[0]
        lab.say = lambda asked: scalar(-90) if asked.query["query"] == ["time()"] else Fake(-90)(asked)
        behind = metrics(lab.url).diagnose()[0]
    assert "fail" == fine.state  # this fake has no scalar: what stands there is not Prometheus
    assert ("warn", True) == (behind.state, "90 s behind ours" in behind.detail)


def scalar(ahead: float) -> dict[str, Any]:
    now = time.time() + ahead
    return {"status": "success", "data": {"resultType": "scalar", "result": [now, str(now)]}}


def test_a_look_goes_back_ten_minutes_at_most() -> None:
    """Opened anew two hours after the beginning: it asks for ten minutes of samples, and no more."""
    with answering(Fake()) as lab:
        metrics(lab.url).totals(datetime.now(UTC) - timedelta(hours=2), ())
        windows = [int(each.split("[")[1].removesuffix("ms]")) for each in queries(lab) if each.endswith("ms]")]
    assert 3 == len(windows)
    assert all(600_000 <= window < 700_000 for window in windows)


def queries(lab: Answering) -> list[str]:
    return [asked.query["query"][0] for asked in lab.asked]


def test_later_looks_ask_for_what_is_new() -> None:
    """The second look reaches back over the first one by what may be late, not to the beginning."""
    with answering(Fake()) as lab:
        of = metrics(lab.url, scrape="1s")
        of.totals(datetime.now(UTC) - timedelta(minutes=5), ())
        lab.asked.clear()
        of.totals(datetime.now(UTC) - timedelta(minutes=5), ())
        asked = queries(lab)
    assert 4 == len(asked)
    assert all(int(each.split("[")[1].removesuffix("ms]")) < 8000 for each in asked[1:])


def test_a_query_that_is_refused_is_told_in_its_own_words() -> None:
    """The error, its type, and the query."""
    body = '{"status":"error","errorType":"bad_data","error":"parse error at char 3"}'
    found = told(lambda _: page(400, body, "application/json"))
    assert "answered 400 Said: bad_data: parse error at char 3 (the query: " in found


def test_a_part_of_an_answer_is_no_answer() -> None:
    """Warnings (a store behind it is silent) and partial results: what is missing is not zero."""
    assert "answered in part only: store b is silent" in told(Fake(warnings=["store b is silent"]))
    assert "answered in part only: the result is partial" in told(Fake(isPartial=True))
    with answering(Fake(isPartial=False, warnings=[])) as lab:
        assert not isinstance(metrics(lab.url).totals(datetime.now(UTC), ()), NoData)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"status": "error", "errorType": "x", "error": "y"},
        {"status": "success"},
        data("vector", {"value": [1, "2"]}),
        data("vector", {"metric": {}, "value": "x"}),
        data("vector", {"metric": {}, "value": [1, "one"]}),
        {"status": "success", "data": {"resultType": "matrix", "result": 5}},
    ],
)
def test_something_else_than_a_result_is_no_data(answer: Any) -> None:
    """Nothing of it is guessed."""
    assert "Prometheus at http://" in told(lambda _: answer)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (page(503, "Service Unavailable"), "answered 503 Said: Service Unavailable"),
        (page(200, "<html>", "text/html"), "answered with text/html, which is not JSON"),
        (Raw(hang=True), "gave no whole answer within 1 s"),
        (Raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b" "] * 100, every=0.1), "gave no whole answer within 1 s"),
    ],
    ids=["503", "html", "hangs", "drips"],
)
def test_no_prometheus_there(raw: Raw, said: str) -> None:
    """No data, and why; in time, whatever comes."""
    reasons: list[str] = []
    assert took(lambda: reasons.append(told(lambda _: raw))) < 3
    assert said in reasons[0]


def test_all_queries_of_a_look_share_one_time() -> None:
    """Each answer alone would be in time, all together are not."""

    def slowly(asked: Asked) -> Any:
        time.sleep(0.4)
        return Fake()(asked)

    assert took(lambda: told(slowly)) < 2


def test_a_number_that_is_none_is_left_out() -> None:
    """NaN counts neither as zero nor as a reset."""
    fake = Fake()
    with answering(fake) as lab:
        of, since = metrics(lab.url), datetime.now(UTC)
        for value, count in ((103.0, 3), (float("nan"), 3), (104.0, 4)):
            fake.now["hits"] = value
            assert {"blue": count, "green": 0} == requests(of, since)


def requests(of: Metrics, since: datetime) -> dict[str, int]:
    found = of.totals(since, ())
    assert not isinstance(found, NoData)
    return {str(color): totals.requests for color, totals in found.items()}


def test_lag_and_staleness_follow_the_scrapes() -> None:
    """One scrape and three, unless something else is said."""
    assert (15.0, 45.0) == (metrics("http://p").lag, metrics("http://p")._stale_after)
    assert (60.0, 180.0) == (metrics("http://p", scrape="1m").lag, metrics("http://p", scrape="1m")._stale_after)
    of = metrics("http://p", lag="5s", stale_after="20s")
    assert (5.0, 20.0) == (of.lag, of._stale_after)


def test_levels_are_the_worst_of_their_series() -> None:
    """Of several hosts the busiest; what is no number, or has no series, is absent."""
    answers = {
        "a": data("vector", *({"metric": {"i": str(v)}, "value": [1, v]} for v in ("0.2", "0.9", "NaN"))),
        "b": data("vector"),
        "c": data("vector", {"metric": {}, "value": [1, "NaN"]}),
        "d": scalar(0),
    }
    with answering(lambda asked: answers[asked.query["query"][0]]) as lab:
        found = metrics(lab.url, levels={"cpu": "a", "memory": "b", "disk": "c", "replication_lag": "d"}).levels()
    assert isinstance(found, Mapping)
    assert ["replication_lag", "cpu"] == list(found)
    assert 0.9 == found["cpu"]


def test_levels_that_cannot_be_asked_are_unknown() -> None:
    """Refused or silent: no data and why, never an empty reading; without any query nobody is asked."""
    found = metrics("http://127.0.0.1:9", levels={"cpu": "a"}).levels()
    assert isinstance(found, NoData)
    assert "refused" in found.why
    assert {} == metrics("http://127.0.0.1:9").levels()


# -- a time that is over ---------------------------------------------------------------------------------------------


def test_a_time_that_is_over_is_asked_for_by_their_clock() -> None:
    """From its beginning to its end, whichever clock is ahead; what a process had before does not count."""
    times = []

    def say(asked: Asked) -> Any:
        query, now = asked.query["query"][0], time.time() + 3600
        if "vector(time())" in query:
            return data("vector", {"metric": {}, "value": [now, f"{now}"]})
        at = float(asked.query["time"][0])
        times.append(round(at - now))
        name = next(each for each in ("hits", "bad", "t_bucket") if each + "{" in query)
        labels = {"__name__": name, "color": "green", **({"le": "+Inf"} if name == "t_bucket" else {})}
        if query.startswith("last_over_time"):
            return data("vector", {"metric": labels, "value": [at, "100"]})
        return data("matrix", {"metric": labels, "values": [[at - 20, "104"], [at - 5, "112"]]})

    now = datetime.now(UTC)
    with answering(say) as lab:
        found = metrics(lab.url).between(now - timedelta(seconds=330), now - timedelta(seconds=30), (1.0,))
    assert {"green": Totals(12, 12, {})} == found
    assert {-330, -30} == set(times)


def test_a_time_that_is_too_long() -> None:
    """Samples of hours are not fetched."""
    now = datetime.now(UTC)
    with answering(Fake()) as lab:
        found = metrics(lab.url).between(now - timedelta(hours=3), now, (1.0,))
    assert "too long a time" in why(found)


def test_a_time_of_which_nothing_is_known() -> None:
    """No series is no request that could be counted, and no zero either."""
    now = datetime.now(UTC)
    empty = data("matrix")

    def say(asked: Asked) -> Any:
        is_time = "vector(time())" in asked.query["query"][0]
        return data("vector", {"metric": {}, "value": [time.time(), f"{time.time()}"]}) if is_time else empty

    with answering(say) as lab:
        found = metrics(lab.url).between(now - timedelta(seconds=60), now, (1.0,))
    assert "nothing of this time" in why(found)
