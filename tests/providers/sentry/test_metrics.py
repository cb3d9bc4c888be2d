"""What users experienced, from a Sentry that insists on its contract."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from lab.answering import Raw, page

from deploytasks.errors import Unreachable
from deploytasks.ports import NoData, Totals
from deploytasks.providers.sentry import Metrics
from deploytasks.settings.mistakes import check
from deploytasks.settings.sentry import SentryMetricsSettings

from .conftest import BLUE, GREEN, STANDING, Now, metrics, site_of

if TYPE_CHECKING:
    from lab.sentry import Sentry

NONE = Totals(0, 0, {})


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def why(found: object) -> str:
    assert isinstance(found, NoData), found
    return found.why


def counted(of: Metrics, since: datetime) -> dict[str, tuple[int, int]]:
    found = of.totals(since, [2.0])
    assert not isinstance(found, NoData), found.why
    return {color: (each.requests, each.errors) for color, each in found.items()}


# -- counts ----------------------------------------------------------------------------------------------------------


def test_requests_and_errors_of_each_release(lab: Sentry) -> None:
    """Whole counts, by the release that stands on a color; nothing is slower than anything."""
    now = time.time() - 60
    lab.requests(BLUE, ok=95, failed=5, at=now)
    lab.requests(GREEN, ok=9, failed=1, at=now)
    assert {"blue": Totals(100, 5, {}), "green": Totals(10, 1, {})} == metrics(lab).totals(ago(120), [2.0])


def test_a_clients_mistake_is_no_error(lab: Sentry) -> None:
    """A 404 is what the visitor asked for; with ``failures: any`` it counts, as in Sentry's failure rate."""
    lab.requests(BLUE, ok=90, missing=10, at=time.time() - 60)
    assert (100, 0) == counted(metrics(lab), ago(120))["blue"]
    assert (100, 10) == counted(metrics(lab, failures="any"), ago(120))["blue"]


@pytest.mark.parametrize(
    ("status", "code", "failed"),
    [
        ("internal_error", None, 1),
        ("unavailable", "503", 1),
        ("deadline_exceeded", None, 1),
        ("error", "404", 0),
        ("error", "500", 1),
        ("error", None, 1),
        ("internal_error", "200", 1),
        ("unknown", "502", 1),
        ("unauthenticated", None, 0),
        ("invalid_argument", "400", 0),
        ("resource_exhausted", None, 0),
        ("cancelled", None, 0),
        (None, None, 0),
        ("unknown", None, 0),
    ],
)
def test_whose_fault_it_was(lab: Sentry, status: str | None, code: str | None, failed: int) -> None:
    """By the HTTP status where there is one; else by what SDKs make of it, old ones and new."""
    lab.transactions(1, BLUE, status=status, code=code, at=time.time() - 60)
    assert (1, failed) == counted(metrics(lab), ago(120))["blue"]


def test_only_requests_count(lab: Sentry) -> None:
    """No child spans, which would dilute errors; no tasks of a queue; not another environment or project."""
    now = time.time() - 60
    lab.requests(BLUE, ok=10, at=now)
    lab.transactions(1000, BLUE, is_transaction=False, op="db", at=now)
    lab.transactions(50, BLUE, op="queue.task.celery", at=now)
    lab.requests(BLUE, "staging", ok=70, at=now)
    lab.requests(BLUE, ok=30, at=now, project="elsewhere")
    assert (10, 0) == counted(metrics(lab), ago(120))["blue"]
    assert (60, 0) == counted(metrics(lab, query=""), ago(120))["blue"]
    assert (40, 0) == counted(metrics(lab, project=["library", "elsewhere"]), ago(120))["blue"]
    assert (70, 0) == counted(metrics(lab, environment="staging"), ago(120))["blue"]


def test_nothing_is_extrapolated(lab: Sentry) -> None:
    """Ten of a hundred were sampled, and all that is stored is read: ten is what was seen."""
    lab.sample_rate, lab.tiers = 0.1, 4
    lab.requests(BLUE, ok=8, failed=2, at=time.time() - 60)
    assert (10, 2) == counted(metrics(lab), ago(120))["blue"]


def test_an_attribute_tells_colors_apart(lab: Sentry) -> None:
    """Also where both have the same release; the hosts are not asked."""

    def nobody() -> Any:
        raise AssertionError("the hosts were asked")

    now = time.time() - 60
    lab.requests(BLUE, ok=7, at=now, attributes={"deploy.color": "blue"})
    lab.requests(BLUE, failed=3, at=now, attributes={"deploy.color": "green"})
    of = metrics(lab, site=site_of(nobody), color="deploy.color")
    assert {"blue": (7, 0), "green": (3, 3)} == counted(of, ago(120))


def test_a_release_of_another_name(lab: Sentry) -> None:
    """As the application calls it; the folder on the hosts is known, too."""
    lab.requests("web-1.4.0", ok=3, at=time.time() - 60)
    lab.requests("1.4.0-0123456789ab", ok=4, at=time.time() - 60)
    assert (3, 0) == counted(metrics(lab, release="web-{version}"), ago(120))["blue"]
    assert (4, 0) == counted(metrics(lab, release="{release}"), ago(120))["blue"]


def test_many_rows_come_in_pages(lab: Sentry) -> None:
    """All of them are read."""
    lab.page = 2
    for code in range(200, 212):
        lab.transactions(1, BLUE, code=str(code), at=time.time() - 60)
    assert (12, 0) == counted(metrics(lab), ago(120))["blue"]
    assert 6 == sum("cursor" in asked.query or asked.query["sort"] == ["-count_sample()"] for asked in lab.asked)


# -- time ------------------------------------------------------------------------------------------------------------


def test_what_comes_late_is_counted_and_nothing_twice(lab: Sentry) -> None:
    """Polled for twenty minutes while transactions show up to two minutes late: in the end each counts once, in
    hardly more than one question a look."""
    now = Now()
    began, lab.ahead = now.at, 0.0
    of = metrics(lab, now, lag=10)
    lab.requests(BLUE, ok=1, at=now.at.timestamp() - 20)
    sent, last, look = 0, 0, 0
    for look in range(80):
        at = now.at.timestamp()
        lab.ahead = at - time.time()
        late = 120.0 if look % 3 == 0 else 1.0
        lab.requests(GREEN, ok=2, failed=1, at=at, delay=late)
        sent += 3
        found = counted(of, began)["green"]
        assert last <= found[0] <= sent
        last = found[0]
        now.go(15)
    now.go(200)
    lab.ahead = now.at.timestamp() - time.time()
    assert (sent, sent // 3) == counted(of, began)["green"]
    assert look * 1.3 > len(lab.asked)


def test_counts_never_fall(lab: Sentry) -> None:
    """Sentry may forget for a moment what it told before."""
    lab.requests(BLUE, ok=10, failed=1, at=time.time() - 60)
    now = Now()
    of, since = metrics(lab, now), ago(120)
    counted(of, since)
    lab.spans[:] = []
    lab.requests(BLUE, ok=3, at=time.time() - 50)
    now.go(1)
    assert (11, 1) == counted(of, since)["blue"]


def test_lag_is_honored(lab: Sentry) -> None:
    """What happened within it is not looked at yet: some of it may be missing."""
    now = Now()
    lab.requests(BLUE, ok=10, at=now.at.timestamp() - 100)
    lab.requests(BLUE, ok=10, at=now.at.timestamp() - 20)
    of = metrics(lab, now, lag=60)
    assert 60 == of.lag
    since = now.at - timedelta(seconds=200)
    assert (10, 0) == counted(of, since)["blue"]
    now.go(45)
    assert (20, 0) == counted(of, since)["blue"]


def test_a_new_since_begins_anew(lab: Sentry) -> None:
    """What was before it does not count, and the hosts are asked again, once."""
    asked: list[int] = []

    def standing() -> Any:
        asked.append(1)
        return STANDING

    lab.requests(BLUE, ok=5, at=time.time() - 100)
    lab.requests(BLUE, ok=2, at=time.time() - 20)
    of = metrics(lab, site=site_of(standing))
    first, second = ago(200), ago(50)
    assert [(7, 0), (7, 0), (2, 0)] == [counted(of, since)["blue"] for since in (first, first, second)]
    assert 2 == len(asked)


def test_a_clock_that_is_off_is_minded(lab: Sentry) -> None:
    """Ours is ten minutes behind: by their clock, what was sent a minute ago was sent a minute ago."""
    lab.ahead = 600
    lab.requests(BLUE, ok=4, at=time.time() + 600 - 60)
    assert (4, 0) == counted(metrics(lab), ago(120))["blue"]


def test_a_time_that_is_over(lab: Sentry) -> None:
    """From one instant to before another, however long; in questions of an hour."""
    now = time.time()
    lab.requests(BLUE, ok=1, at=now - 9000)
    lab.requests(GREEN, ok=3, failed=2, at=now - 1800)
    lab.requests(GREEN, ok=9, at=now - 30)
    of = metrics(lab)
    assert {"blue": Totals(1, 0, {}), "green": Totals(5, 2, {})} == of.between(ago(10000), ago(60), [])
    assert 3 == len(lab.asked)
    assert "no transaction of production in that time" in why(of.between(ago(900), ago(600), []))


def test_the_age_of_a_colors_newest_transaction(lab: Sentry) -> None:
    """Measured, when it is asked for; none, where there is none."""
    lab.requests(BLUE, ok=4, at=time.time() - 40)
    lab.requests(BLUE, ok=4, at=time.time() - 80)
    of = metrics(lab)
    assert of.age("blue") == pytest.approx(40, abs=3)
    assert of.age("green") is None


# -- no data is not zero -----------------------------------------------------------------------------------------


def test_a_color_without_requests_has_none_while_the_other_has(lab: Sentry) -> None:
    """Zero is a count here: Sentry does tell of the other one."""
    lab.requests(BLUE, ok=5, at=time.time() - 60)
    assert {"blue": (5, 0), "green": (0, 0)} == counted(metrics(lab), ago(120))


def test_nothing_since_the_beginning_is_zero_while_it_is_alive(lab: Sentry) -> None:
    """A minute ago there were requests; since then, none yet."""
    lab.requests(BLUE, ok=5, at=time.time() - 60)
    assert {"blue": (0, 0), "green": (0, 0)} == counted(metrics(lab), ago(5))


def test_silence_is_no_data(lab: Sentry) -> None:
    """Whether nobody came or nothing came through, nobody can tell. Also in the middle, and it ends when it ends."""
    now = Now()
    lab.requests(BLUE, ok=5, at=now.at.timestamp() - 10)
    since, of = now.at - timedelta(seconds=60), metrics(lab, now, lag=5, stale_after=30)
    assert (5, 0) == counted(of, since)["blue"]
    lab.ahead = 60
    now.go(60)
    assert "no transaction of production in the last 35 s" in why(of.totals(since, []))
    lab.requests(BLUE, ok=2, at=now.at.timestamp() - 6)
    now.go(1)
    assert (7, 0) == counted(of, since)["blue"]


def test_names_that_are_not_ours_are_no_data(lab: Sentry) -> None:
    """The application says its release in another way: that is a mistake, and no idle color."""
    lab.requests("1.4.0", ok=5, at=time.time() - 60)
    lab.requests(None, ok=5, at=time.time() - 60)
    said = why(metrics(lab).totals(ago(120), []))
    assert "release none, 1.4.0, and none with release library@1.4.0 (blue) or library@1.4.1 (green)" in said


def test_no_project_that_may_be_seen_is_no_data(lab: Sentry) -> None:
    """Sentry answers 200 then, without rows, and with a tip."""
    lab.hidden.add("library")
    assert "sees no project: Need at least one valid project" in why(metrics(lab).totals(ago(120), []))


def test_the_same_release_on_both_colors_cannot_be_told_apart(lab: Sentry) -> None:
    """Nothing is guessed; what helps is said."""
    same = {"blue": STANDING["blue"], "green": STANDING["blue"]}
    of = metrics(lab, site=site_of(lambda: same))  # type: ignore[arg-type, return-value]  # of literal colors
    assert "both colors have the release library@1.4.0" in why(of.totals(ago(120), []))


def test_hosts_that_do_not_say_what_stands_on_them(lab: Sentry) -> None:
    """Nothing is known, and why."""

    def down() -> Any:
        raise Unreachable("web1 does not answer")

    assert "web1 does not answer" == why(metrics(lab, site=site_of(down)).totals(ago(120), []))


def test_an_empty_fleet(lab: Sentry) -> None:
    """Before anything was deployed there is no release to ask for."""
    of = metrics(lab, site=site_of(lambda: {"blue": None, "green": None}))
    assert "no color has a release yet" in why(of.totals(ago(120), []))


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda lab: lab.environments.clear(), "404 Said: The requested resource does not exist"),
        (lambda lab: setattr(lab, "has_feature", False), "answered 404 Said"),
        (lambda lab: lab.tokens.clear(), "401 Said: Invalid token"),
        (lambda lab: lab.tokens.update({lab.token: ("org:ci",)}), "403 Said: You do not have permission"),
        (lambda lab: lab.projects.pop("library"), "403 Said: You do not have permission"),
    ],
    ids=["environment", "feature", "token", "scope", "project"],
)
def test_what_is_refused_is_no_data(lab: Sentry, prepare: Any, said: str) -> None:
    """Each with Sentry's own words, and without the token."""
    lab.requests(BLUE, ok=5, at=time.time() - 60)
    prepare(lab)
    of = metrics(lab)
    assert said in why(of.totals(ago(120), []))
    (finding,) = of.diagnose()
    assert ("fail", True) == (finding.state, bool(finding.do))
    assert lab.token not in repr((finding, of.totals(ago(120), [])))


@pytest.mark.parametrize(
    "answer",
    [
        page(200, "<html>log in", "text/html"),
        page(200, "[]", "application/json"),
        page(200, '{"data": {}}', "application/json"),
        page(200, '{"data": [[]], "meta": {}}', "application/json"),
        page(200, '{"data": [{"count_sample()": 5}], "meta": {}}', "application/json"),
        page(200, '{"data": [{"release": "x", "span.status": "ok"}], "meta": {}}', "application/json"),
        page(
            200,
            '{"data": [{"release": "x", "span.status": "ok", "span.status_code": null, "count_sample()": null}]}',
            "application/json",
        ),
        page(200, '{"data": [{"timestamp": "yesterday"}], "meta": {"tips": []}}', "application/json"),
        Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"),
    ],
    ids=["html", "list", "no rows", "row", "half a row", "no count", "null", "no instant", "cut off"],
)
def test_answers_of_another_shape_are_no_data(lab: Sentry, answer: Raw) -> None:
    """Named as Sentry's, whichever question they answer."""
    lab.requests(BLUE, ok=5, at=time.time() - 60)
    for before in range(3):
        of = metrics(lab)
        lab.fails[:] = []
        since = ago(120)
        if before:
            counted(of, since)
        lab.fails[:] = [(200, answer)] * 3
        found = of.totals(since if before == 1 else ago(100), [])
        if before == 1 and not isinstance(found, NoData):
            continue  # within the same second nothing is asked
        assert "Sentry" in why(found)


# -- limits ----------------------------------------------------------------------------------------------------------


def test_a_limit_is_waited_for_when_there_is_time(lab: Sentry) -> None:
    """429 has no ``Retry-After``: by the reset in its headers."""
    lab.requests(BLUE, ok=5, at=time.time() - 60)
    lab.exhaust(0.5)
    assert (5, 0) == counted(metrics(lab), ago(120))["blue"]


def test_the_last_request_of_a_second_is_known_to_be_that(lab: Sentry) -> None:
    """The next one is not even made before the reset: no 429 comes."""
    lab.requests(BLUE, ok=5, at=time.time() - 60)
    lab.remaining, lab.reset = 1, int(time.time()) + 1
    assert (5, 0) == counted(metrics(lab), ago(120))["blue"]
    assert 3 > len(lab.asked)


def test_a_limit_that_lasts_is_no_data(lab: Sentry) -> None:
    """In its words, without waiting for it."""
    lab.exhaust(900)
    began = time.monotonic()
    assert "wants to be left alone (429" in why(metrics(lab).totals(ago(120), []))
    assert time.monotonic() - began < 2


def test_one_without_limits(lab: Sentry) -> None:
    """A Sentry of one's own: no such headers."""
    lab.limits = False
    lab.requests(BLUE, ok=5, at=time.time() - 60)
    assert (5, 0) == counted(metrics(lab), ago(120))["blue"]


def test_trouble_is_asked_again(lab: Sentry) -> None:
    """Once more, a moment later."""
    lab.requests(BLUE, ok=5, at=time.time() - 60)
    lab.fails.append((502, {"detail": "Internal Error"}))
    assert (5, 0) == counted(metrics(lab), ago(120))["blue"]


# -- doctor ----------------------------------------------------------------------------------------------------------


def test_doctor_measures_the_lag(lab: Sentry) -> None:
    """How old the newest transaction is, against what is configured; and whose they are."""
    lab.requests(BLUE, ok=5, at=time.time() - 30)
    found = metrics(lab, lag=90).diagnose()
    assert [("ok", "lag measured: the newest transaction of production is 30 s old, `lag` is 90 s")] == [
        (each.state, each.detail.replace(" 31 s", " 30 s").replace(" 29 s", " 30 s")) for each in found[:1]
    ]
    assert ("ok", "in the last hour, by release: blue 5 transactions") == found[1][1:3]
    late = metrics(lab, lag=10).diagnose()[0]
    assert ("warn", True) == (late.state, late.do.startswith("where users come all the time: `lag: 4"))


def test_doctor_tells_of_sampling_clocks_and_names(lab: Sentry) -> None:
    """What n means; whose clock is wrong; a release that nobody deployed."""
    lab.sample_rate, lab.ahead = 0.1, 120
    lab.requests("1.4.0", ok=50, at=time.time() + 90)
    clock, age, sampling, names = metrics(lab, lag=90).diagnose()
    assert ("warn", True) == (clock.state, "ahead of ours" in clock.detail)
    assert ("ok", True) == (age.state, "lag measured" in age.detail)
    assert ("ok", True) == (sampling.state, "1 of 10 requests is stored: 50 in the last hour" in sampling.detail)
    assert ("fail", True) == (names.state, "all transactions had release 1.4.0, none release" in names.detail)


def test_doctor_tells_of_silence(lab: Sentry) -> None:
    """Nothing within an hour: nothing could be judged."""
    (finding,) = (each for each in metrics(lab).diagnose() if each.state == "fail")
    assert "no transaction of production within an hour that matches `span.op:http.server`" in finding.detail


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"organization": "acme"},
        {"organization": "acme", "project": []},
        {"organization": "a/b", "project": "library"},
        {"organization": "acme", "project": "library", "release": "{application}"},
        {"organization": "acme", "project": "library", "release": "{branch}@{version}"},
        {"organization": "acme", "project": "library", "url": "http://sentry.example"},
        {"organization": "acme", "project": "library", "color": "a b"},
        {"organization": "acme", "project": "library", "token_from": "sntryu_s3cr3t-t0ken"},
        {"organization": "acme", "project": "library", "measures": ["latency"]},
    ],
)
def test_wrong_settings_are_refused(given: dict[str, Any]) -> None:
    """A token in the clear, a release that names none, a measure that Sentry does not give."""
    mistakes: list[str] = []
    assert check(SentryMetricsSettings, given, "it", mistakes) is None
    assert mistakes
    assert "s3cr3t" not in "".join(mistakes)


def test_the_settings_as_they_are_written() -> None:
    """One project or several; ids as numbers."""
    mistakes: list[str] = []
    found = check(SentryMetricsSettings, {"organization": "acme", "project": 4505}, "it", mistakes)
    assert ([], ("4505",), frozenset({"errors"})) == (mistakes, found.project, found.gives)
