"""What users experienced, as New Relic's agents report it, and what is no data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lab.answering import Raw, answering, page, took
from lab.newrelic import NewRelic, newrelic

from deploytasks.errors import HostsDown
from deploytasks.ports import Color, Installed, NoData, Totals
from deploytasks.providers.newrelic import graph
from deploytasks.providers.newrelic.metrics import Metrics
from deploytasks.providers.site import Site
from deploytasks.settings.mistakes import check
from deploytasks.settings.newrelic import NewRelicSettings
from deploytasks.verdict import LADDER
from deploytasks.verdict.ladder import quantile, slower_than

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
NOTHING = Totals(0, 0, {})
APPS = {"apps": {"blue": "Shop (blue)", "green": "Shop (green)"}}


class Clock:
    """Ours and New Relic's."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between attempts."""
    monkeypatch.setattr(graph, "PAUSE", 0.001)


@pytest.fixture
def relic(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[NewRelic]:
    """One whose contract holds at the end."""
    with newrelic() as lab:
        lab.now = lambda: clock().timestamp()
        monkeypatch.setenv("NEW_RELIC_API_KEY", lab.key)
        yield lab
    assert [] == lab.broken


def metrics(
    url: str, clock: Clock, standing: Callable[[], Mapping[Color, Installed | None]] = dict, **given: Any
) -> Metrics:
    said = {
        "account": 1234567,
        "url": url,
        "lag": 60,
        **(given if {"app", "apps"} & given.keys() else {**APPS, **given}),
    }
    folder = Path("/nowhere")
    site = Site("library", "test", folder, folder, None, "ann@desk", standing=standing)
    return Metrics(NewRelicSettings.model_validate(said), site, clock)


def installed(version: str) -> Installed:
    return Installed(f"{version}-0123456789ab", "", version, running=True)


def why(found: object) -> str:
    assert isinstance(found, NoData)
    return found.why


def known(found: object) -> Mapping[Color, Totals]:
    assert not isinstance(found, NoData), found.why
    return found  # type: ignore[return-value]


# -- counting --------------------------------------------------------------------------------------------------------


def test_counts_of_both_colors(relic: NewRelic, clock: Clock) -> None:
    """Requests, errors and those slower than each edge of the ladder, from raw transactions of the web."""
    found = metrics(relic.url, clock)
    since = clock.on(0)
    clock.on(30)
    relic.transactions("Shop (blue)", seconds=[0.1] * 6)
    relic.transactions("Shop (green)", seconds=[0.1, 1.5, 2.0, 2.5], errors=1)
    relic.transactions("Shop (green)", seconds=[9.0], kind="Other")
    relic.transactions("Another", seconds=[9.0])
    clock.on(61)
    totals = known(found.totals(since, LADDER))
    green = totals["green"]
    assert (6, 0) == (totals["blue"].requests, totals["blue"].errors)
    assert (4, 1) == (green.requests, green.errors)
    assert [1, 2, 4, 0] == [slower_than(green, limit) for limit in (2.0, 1.9, 0.05, 3.0)]
    quantiles = quantile(green, 0.5), quantile(green, 0.95)
    assert quantiles[0] is not None
    assert quantiles[1] is not None
    assert 1.5 <= quantiles[0] <= 1.7
    assert 2.5 <= quantiles[1] <= 2.9


def test_one_look_is_one_request(relic: NewRelic, clock: Clock) -> None:
    """All edges are asked in few queries, short ones, in one request."""
    found = metrics(relic.url, clock)
    since = clock.on(0)
    relic.transactions("Shop (blue)")
    clock.on(70)
    found.totals(since, LADDER)
    assert 1 == len(relic.asked)
    assert 4 == len(relic.queries)
    assert max(map(len, relic.queries)) < 2500
    assert not any("EXTRAPOLATE" in query for query in relic.queries)


def test_latencies_are_not_asked_for_where_another_source_gives_them(relic: NewRelic, clock: Clock) -> None:
    """`measures: [errors]`: one short query, and nothing is slow."""
    found = metrics(relic.url, clock, measures=["errors"])
    since = clock.on(0)
    relic.transactions("Shop (blue)", seconds=[9.0])
    clock.on(70)
    assert {"blue": Totals(1, 0, {}), "green": NOTHING} == found.totals(since, LADDER)
    assert 2 == len(relic.queries)


def test_what_is_younger_than_the_lag_is_not_counted_yet(relic: NewRelic, clock: Clock) -> None:
    """A request shows when `lag` is over; and one before `since` does not show at all."""
    found = metrics(relic.url, clock)
    relic.transactions("Shop (blue)", seconds=[0.1] * 5)
    since = clock.on(10)
    assert {"blue": NOTHING, "green": NOTHING} == found.totals(since, ())
    clock.on(5)
    relic.transactions("Shop (blue)")
    clock.on(50)
    assert 0 == known(found.totals(since, ()))["blue"].requests
    clock.on(11)
    assert 1 == known(found.totals(since, ()))["blue"].requests


def test_nothing_is_counted_twice_nor_lost(relic: NewRelic, clock: Clock) -> None:
    """A request every second, ten minutes long, looked at every 15 s: each look has what is older than the lag."""
    found = metrics(relic.url, clock)
    since = clock.on(0)
    seen = []
    for second in range(1, 601):
        clock.on(1)
        relic.transactions("Shop (blue)", seconds=[0.1 if second % 2 else 3.0], errors=int(second % 10 == 0))
        if second % 15 == 0:
            blue = known(found.totals(since, (2.0,)))["blue"]
            seen.append((blue.requests, blue.errors, blue.slower.get(2.0, 0)))
    # The end of a span is not in it: after 600 s what happened before the 540th second is counted.
    assert [(max(0, s - 61), max(0, s - 61) // 10, max(0, s - 61) // 2) for s in range(15, 601, 15)] == seen
    assert 40 == len(relic.asked)


def test_what_comes_late_is_counted_and_nothing_falls(relic: NewRelic, clock: Clock) -> None:
    """Late by less than `lag` and `late` together: still counted. Later than that: never, and no count falls."""
    found = metrics(relic.url, clock, late=100)
    since = clock.on(0)
    clock.on(10)
    relic.transactions("Shop (blue)", seconds=[0.1] * 3)
    relic.transactions("Shop (blue)", late=120)
    relic.transactions("Shop (blue)", late=400)
    counts = []
    for _ in range(20):
        clock.on(30)
        relic.transactions("Shop (green)")
        counts.append(known(found.totals(since, ()))["blue"].requests)
    assert [0, 0, 3, 4] == counts[:4]
    assert {4} == set(counts[4:])


def test_another_beginning_is_another_count(relic: NewRelic, clock: Clock) -> None:
    """And one that is long ago begins ten minutes back: a rollout compares what one process has read."""
    found = metrics(relic.url, clock)
    since = clock.on(0)
    relic.transactions("Shop (blue)")
    later = clock.on(100)
    relic.transactions("Shop (blue)")
    clock.on(100)
    assert 2 == known(found.totals(since, ()))["blue"].requests
    assert 1 == known(found.totals(later, ()))["blue"].requests
    clock.on(500)
    relic.transactions("Shop (blue)")
    clock.on(70)
    assert 1 == known(metrics(relic.url, clock).totals(since, ()))["blue"].requests


# -- whose it is -----------------------------------------------------------------------------------------------------


def test_an_attribute_that_says_the_color(relic: NewRelic, clock: Clock) -> None:
    """One application; several values may stand for a color."""
    found = metrics(
        relic.url, clock, app="Shop", color_attribute="host", colors={"blue": ["web1", "web2"], "green": "web3"}
    )
    since = clock.on(0)
    for host in ("web1", "web2", "web3", "web4"):
        relic.transactions("Shop", {"host": host}, [0.1, 0.2], errors=host == "web3")
    relic.transactions("Another", {"host": "web3"})
    clock.on(61)
    assert {"blue": Totals(4, 0, {0.15: 2}), "green": Totals(2, 1, {0.15: 1})} == found.totals(since, (0.15,))


def test_releases_tell_colors_apart(relic: NewRelic, clock: Clock) -> None:
    """The versions that stand on the hosts, asked once for one beginning."""
    asked: list[int] = []

    def standing() -> Mapping[Color, Installed | None]:
        asked.append(1)
        return {"blue": installed("1.4.0"), "green": installed("1.5.0")}

    given = {"app": "Shop", "release_attribute": "appVersion", "release": "{application}-{version}"}
    found = metrics(relic.url, clock, standing, **given)
    since = clock.on(0)
    relic.transactions("Shop", {"appVersion": "library-1.4.0"}, [0.1] * 3)
    relic.transactions("Shop", {"appVersion": "library-1.5.0"}, [0.1] * 2, errors=2)
    relic.transactions("Shop", {"appVersion": "library-1.3.0"}, [0.1] * 9)
    for _ in range(3):
        clock.on(61)
        assert {"blue": Totals(3, 0, {}), "green": Totals(2, 2, {})} == found.totals(since, ())
    assert [1] == asked


def test_releases_that_tell_nothing_apart(relic: NewRelic, clock: Clock) -> None:
    """The same version twice, none at all, one that no query takes, hosts that are down: no data, and why."""
    given = {"app": "Shop", "release_attribute": "appVersion"}

    def down() -> Mapping[Color, Installed | None]:
        raise HostsDown("web1 does not answer", ["web1"])

    cases: list[tuple[Callable[[], Mapping[Color, Installed | None]], str]] = [
        (lambda: {"blue": installed("1.4.0"), "green": installed("1.4.0")}, "both colors have 1.4.0"),
        (dict, "no host has one"),
        (lambda: {"blue": installed("1' OR '1' = '1"), "green": None}, "no way to quote"),
        (down, "web1 does not answer"),
    ]
    for standing, said in cases:
        found = metrics(relic.url, clock, standing, **given)
        assert said in why(found.totals(clock.now, ()))
        assert said in why(found.between(START - timedelta(minutes=5), START, ()))
        assert ["fail"] == [each.state for each in found.diagnose()]
    assert [] == relic.asked


def test_a_color_that_has_no_release_is_not_told_of(relic: NewRelic, clock: Clock) -> None:
    """Before the first deployment there is one color only."""
    given = {"app": "Shop", "release_attribute": "appVersion"}
    found = metrics(relic.url, clock, lambda: {"blue": installed("1.4.0"), "green": None}, **given)
    since = clock.on(0)
    relic.transactions("Shop", {"appVersion": "1.4.0"})
    clock.on(61)
    assert {"blue": Totals(1, 0, {})} == found.totals(since, ())


# -- no data is not zero ---------------------------------------------------------------------------------------------


def test_a_color_without_requests_beside_one_that_has_some(relic: NewRelic, clock: Clock) -> None:
    """New Relic and the agents work, as the other color shows: it surely had none."""
    found = metrics(relic.url, clock)
    since = clock.on(0)
    relic.transactions("Shop (blue)")
    clock.on(61)
    assert {"blue": Totals(1, 0, {}), "green": NOTHING} == found.totals(since, (2.0,))


def test_a_source_that_tells_nothing(relic: NewRelic, clock: Clock) -> None:
    """Nobody knows whether users or their numbers are missing."""
    found = metrics(relic.url, clock, stale_after=120)
    since = clock.on(0)
    relic.transactions("Another")
    clock.on(61)
    assert "no web transaction of Shop (blue) and Shop (green)" in why(found.totals(since, LADDER))
    assert None is found.age("blue")
    relic.transactions("Shop (blue)")
    clock.on(61)
    assert 1 == known(found.totals(since, LADDER))["blue"].requests
    assert 61 == found.age("blue")
    clock.on(125)
    assert "is 186 s old" in why(found.totals(since, LADDER))


def test_counts_of_a_time_that_is_over(relic: NewRelic, clock: Clock) -> None:
    """Nothing has to be awaited; a time in which nothing was is no data."""
    found = metrics(relic.url, clock)
    for color in ("blue", "green"):
        relic.transactions(f"Shop ({color})", seconds=[0.1, 3.0], errors=color == "green")
    clock.on(300)
    counts = {"blue": Totals(2, 0, {2.0: 1}), "green": Totals(2, 1, {2.0: 1})}
    assert counts == found.between(START, START + timedelta(seconds=1), (2.0,))
    assert "of this time" in why(found.between(START - timedelta(minutes=5), START, (2.0,)))


# -- faults ----------------------------------------------------------------------------------------------------------


def test_what_passes_is_asked_again(relic: NewRelic, clock: Clock) -> None:
    """Busy for a moment, with status 200 or 429, and an error of the server: the third answer counts."""
    found = metrics(relic.url, clock)
    since = clock.on(0)
    relic.transactions("Shop (blue)")
    clock.on(61)
    relic.retry_after = "0"
    for trouble in (["TOO_MANY_REQUESTS"], ["SERVER_ERROR"], [429, 429], [503], ["TIMEOUT"]):
        relic.trouble = list(trouble)
        assert 1 == known(found.totals(since, ()))["blue"].requests


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (["INVALID_INPUT"], "it is invalid_input (INVALID_INPUT)"),
        (["TIMEOUT"] * 3, "it is timeout (TIMEOUT)"),
        (["TOO_MANY_REQUESTS"] * 3, "TOO_MANY_REQUESTS"),
        ([500] * 3, "answered 500 Said: upstream"),
        ([403], "answered 403"),
        ([404], "answered 404"),
    ],
)
def test_errors_are_no_data(relic: NewRelic, clock: Clock, trouble: list[str | int], said: str) -> None:
    """Also with status 200: what is null beside an error is not zero."""
    relic.transactions("Shop (blue)")
    relic.trouble = list(trouble)
    assert said in why(metrics(relic.url, clock).totals(clock.now, ()))
    assert [] == relic.trouble


def test_being_busy_for_long(relic: NewRelic, clock: Clock) -> None:
    """A wait that is longer than there is time is not begun."""
    relic.retry_after, relic.trouble = "60", [429]
    found = metrics(relic.url, clock)
    seen: list[object] = []
    assert took(lambda: seen.append(found.totals(clock.now, ()))) < 1
    assert "wants to be left alone (429" in why(seen[0])


def test_a_warning_beside_data_is_no_error(relic: NewRelic, clock: Clock) -> None:
    """A field that is deprecated says so among the errors."""
    relic.deprecations = True
    found = metrics(relic.url, clock)
    relic.transactions("Shop (blue)")
    assert {"blue": NOTHING, "green": NOTHING} == found.totals(clock.now, ())


def test_a_wrong_key_and_another_account(relic: NewRelic, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named, and told how to mend it; the key itself is in no message."""
    found = metrics(relic.url, clock, account=7)
    assert "Access denied. (ACCESS_DENIED)" in why(found.totals(clock.now, ()))
    monkeypatch.setenv("NEW_RELIC_API_KEY", "NRAK-SECRETSECRETSECRETSECRET")
    assert "does not know the key" in why(metrics(relic.url, clock).totals(clock.now, ()))
    (finding,) = metrics(relic.url, clock).diagnose()
    assert "user key" in finding.do
    assert "SECRET" not in str(finding)
    monkeypatch.delenv("NEW_RELIC_API_KEY")
    assert "NEW_RELIC_API_KEY" in why(metrics(relic.url, clock).totals(clock.now, ()))


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        5,
        None,
        {"data": None},
        {"data": {"actor": None}},
        {"data": {"actor": {"account": None}}},
        {"data": {"actor": {"account": {}}}},
        {"data": {"actor": {"account": {"q0": None, "q1": None, "q2": None}}}},
        {"data": {"actor": {"account": {f"q{n}": {"results": [5]} for n in range(9)}}}},
        {"data": {"actor": {"account": {f"q{n}": {"results": [{"facet": "Shop (blue)"}]} for n in range(9)}}}},
        {
            "data": {
                "actor": {"account": {f"q{n}": {"results": [{"facet": "Shop (blue)", "n": None}]} for n in range(9)}}
            }
        },
        {"errors": "no"},
        page(200, "<html>", "text/html"),
        Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
        Raw(),
    ],
)
def test_other_shapes_are_no_data(answer: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever answers there."""
    monkeypatch.setenv("NEW_RELIC_API_KEY", "NRAK-0123456789")
    with answering(lambda _: answer) as lab:
        found = metrics(lab.url, clock)
        assert "New Relic" in why(found.totals(clock.now - timedelta(minutes=5), (2.0,)))
        assert "New Relic" in why(found.between(START - timedelta(minutes=5), START, (2.0,)))
        assert "fail" == found.diagnose()[0].state


# -- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"app": "Shop"},
        {"app": "Shop", "apps": APPS["apps"], "color_attribute": "color"},
        {"apps": {"blue": "Shop", "green": "Shop"}},
        {**APPS, "color_attribute": "color"},
        {"app": "Shop", "color_attribute": "color", "release_attribute": "version"},
        {"app": "Shop' OR '1' = '1", "color_attribute": "color"},
        {"app": "Shop\n", "color_attribute": "color"},
        {"app": "Shop\\", "color_attribute": "color"},
        {"app": "Shop", "color_attribute": "co`lor"},
        {"app": "Shop", "color_attribute": "color", "colors": {"blue": "x", "green": ["y", "x"]}},
        {"app": "Shop", "release_attribute": "version", "release": "1.0"},
        {"app": "Shop", "release_attribute": "version", "release": "{version}'"},
        {"app": "Shop", "release_attribute": "version", "release": "{color}-{version}"},
        {**APPS, "within": 40},
        {**APPS, "url": "http://elsewhere.example"},
        {**APPS, "measures": ["database"]},
        {**APPS, "region": "ap"},
    ],
)
def test_wrong_settings_are_refused(given: dict[str, Any]) -> None:
    """Nothing that no query takes comes in, and colors are told apart in one way."""
    mistakes: list[str] = []
    assert check(NewRelicSettings, {"account": 7, **given}, "it", mistakes) is None
    assert mistakes


def test_a_query_may_not_take_longer_than_we_wait(relic: NewRelic, clock: Clock) -> None:
    """New Relic gives up a second before we do."""
    relic.transactions("Shop (blue)")
    metrics(relic.url, clock, within=20).totals(clock.now, ())
    assert 19 == json.loads(relic.asked[0].body)["variables"]["timeout"]


def test_regions() -> None:
    """Each has an address of its own."""
    of = NewRelicSettings.model_validate
    assert "https://api.newrelic.com" == of({"account": 7, **APPS}).base
    assert "https://api.eu.newrelic.com" == of({"account": 7, "region": "eu", **APPS}).base


# -- doctor ----------------------------------------------------------------------------------------------------------


def test_doctor_tells_of_data_and_its_age(relic: NewRelic, clock: Clock) -> None:
    """The account by its name, the newest data point against `lag`, and each color."""
    found = metrics(relic.url, clock)
    assert ["ok", "warn"] == [each.state for each in found.diagnose()][-2:]
    relic.transactions("Shop (blue)")
    clock.on(10)
    told = {each.subject: (each.state, each.detail) for each in found.diagnose()}
    assert ("ok", "1 web transactions in the last hour; the newest is 10 s old") == told["metrics: data"]
    assert ("ok", "the newest transaction is 10 s old") == told["metrics: blue"]
    assert "warn" == told["metrics: green"][0]
    clock.on(90)
    told = {each.subject: (each.state, each.detail) for each in found.diagnose()}
    assert ("warn", "1 web transactions in the last hour; the newest is 100 s old, and `lag` is 60 s") == told[
        "metrics: data"
    ]


def test_doctor_finds_an_attribute_that_nobody_reports(relic: NewRelic, clock: Clock) -> None:
    """There are transactions, and none has it: nothing could ever be judged."""
    found = metrics(relic.url, clock, app="Shop", color_attribute="deployColor")
    relic.transactions("Shop")
    (finding,) = [each for each in found.diagnose() if each.subject == "metrics: colors"]
    assert ("fail", "no web transaction of Shop has a `deployColor` of blue or green") == finding[1:3]


def test_doctor_tells_of_a_lag_that_is_too_long_and_of_clocks(relic: NewRelic, clock: Clock) -> None:
    """A rollout that may be without data for less than the lag would always be taken back."""
    found = metrics(relic.url, clock, lag=290).diagnose()
    assert "all would be taken back" in found[1].detail
    behind = page(200, "{}", "application/json", Date="Mon, 23 Nov 2020 10:00:00 GMT")
    with answering(lambda _: behind) as lab:
        wrong = metrics(lab.url, clock)
        assert "fail" == wrong.diagnose()[0].state
