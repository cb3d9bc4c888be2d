"""When something may happen: against an oracle by brute force, and at changes of the clocks that are known to bite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings as effort, strategies as st
from wall_clocks import NAMES, ZONES, pairs, wall_of

from deploytasks.settings.windows import Freeze, Window
from deploytasks.windows import closes_at, frozen_by, is_open, opens_at

MINUTE = timedelta(minutes=1)


def window(text: str) -> Window:
    """A window as it is shown: ``mon-thu 02:00-05:00 Europe/Berlin``."""
    days, clocks, *zone = text.split()
    begin, _, end = clocks.partition("-")
    return Window(days=days, from_=begin, to=end, zone=(*zone, "UTC")[0])


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def runs(of: Window, begin: str, hours: int) -> list[str]:
    """The times in UTC at which a window opens and closes again, within hours after an instant."""
    now, found = at(begin), []
    last = now + timedelta(hours=hours)
    while (opens := opens_at([of], [], now)) is not None and opens <= last:
        closes = closes_at([of], [], opens)
        assert closes is not None
        found.append(f"{opens:%d %H:%M}-{closes:%d %H:%M}")
        now = closes
    return found


def test_100_000_pairs_against_the_oracle() -> None:
    """Over zones with every kind of change: what the oracle says is what we say, open or not."""
    drawn = list(pairs(100_000, seed=20261123))
    assert [] == [pair for pair in drawn if is_open(pair.windows, pair.freezes, pair.instant) is not pair.expected]
    assert len(drawn) == 100_000
    assert 0.3 < sum(pair.expected for pair in drawn) / len(drawn) < 0.7
    assert set(ZONES) == {pair.windows[0].zone for pair in drawn}


def test_the_oracle_reads_another_clock() -> None:
    """It is the C library that says what the oracle's walls show, so that one mistake cannot be in both."""
    import time

    with wall_of("Australia/Lord_Howe"):
        assert time.localtime(int(at("2026-01-01").timestamp())).tm_gmtoff == 11 * 3600
    assert time.localtime(0).tm_gmtoff == datetime.fromtimestamp(0).astimezone().utcoffset().total_seconds()  # type: ignore[union-attr]  # aware


@pytest.mark.parametrize(
    ("of", "instant", "expected"),
    [
        ("mon-thu 02:00-05:00", "2026-11-23 02:00:00", True),
        ("mon-thu 02:00-05:00", "2026-11-23 04:59:59.999999", True),
        ("mon-thu 02:00-05:00", "2026-11-23 05:00:00", False),
        ("mon-thu 02:00-05:00", "2026-11-23 01:59:59.999999", False),
        ("mon-thu 02:00-05:00", "2026-11-27 03:00:00", False),
        ("sun 22:00-02:00", "2026-11-23 01:59:00", True),  # began on Sunday
        ("sun 22:00-02:00", "2026-11-22 01:59:00", False),  # began on Saturday
        ("fri-mon 00:00-24:00", "2026-11-22 12:00:00", True),
        ("fri-mon 00:00-24:00", "2026-11-24 00:00:00", False),
        ("mon 08:00-08:00", "2026-11-24 07:59:59", True),  # 24 hours
        ("mon 08:00-08:00", "2026-11-24 08:00:00", False),
        ("mon 00:00-00:00", "2026-11-23 23:59:59", True),
        ("mon 23:00-24:00", "2026-11-24 00:00:00", False),
        ("mon 02:00-05:00 Europe/Berlin", "2026-11-23 01:30:00", True),
        ("mon 02:00-05:00 Asia/Kathmandu", "2026-11-22 20:15:00", True),  # 5:45 ahead
        ("mon 02:00-05:00 Asia/Kathmandu", "2026-11-22 20:14:59", False),
    ],
)
def test_inside_or_not(of: str, instant: str, expected: bool) -> None:
    """From its first instant to the last before `to`, on the days on which it begins."""
    assert is_open([window(of)], [], at(instant)) is expected


@pytest.mark.parametrize(
    ("of", "begin", "hours", "expected"),
    [
        # Berlin, 2027-03-28: 02:00 → 03:00 at 01:00 UTC. `from` is skipped, so it opens with the first instant after.
        ("sun 02:30-05:00 Europe/Berlin", "2027-03-28", 20, "28 01:00-28 03:00"),
        ("sun 02:15-02:45 Europe/Berlin", "2027-03-28", 20, ""),
        ("sun 01:00-02:30 Europe/Berlin", "2027-03-28", 20, "28 00:00-28 01:00"),
        # 2026-10-25: 03:00 → 02:00 at 01:00 UTC. What comes twice is inside twice.
        ("sun 02:15-02:45 Europe/Berlin", "2026-10-24 12:00", 24, "25 00:15-25 00:45, 25 01:15-25 01:45"),
        ("sun 02:00-05:00 Europe/Berlin", "2026-10-24 12:00", 24, "25 00:00-25 04:00"),
        ("sun 01:00-02:30 Europe/Berlin", "2026-10-24 12:00", 24, "24 23:00-25 00:30, 25 01:00-25 01:30"),
        # Lord Howe, half an hour: 2026-04-05 02:00 → 01:30, 2026-10-04 02:00 → 02:30.
        ("sun 01:45-02:15 Australia/Lord_Howe", "2026-04-04 12:00", 12, "04 14:45-04 15:00, 04 15:15-04 15:45"),
        ("sun 02:00-02:45 Australia/Lord_Howe", "2026-10-03 12:00", 12, "03 15:30-03 15:45"),
        # São Paulo, at midnight: 2018-11-04 00:00 → 01:00; 2019-02-17 00:00 → 23:00 of the day before.
        ("sun 00:00-02:00 America/Sao_Paulo", "2018-11-03 12:00", 24, "04 03:00-04 04:00"),
        ("sat 23:30-00:30 America/Sao_Paulo", "2018-11-03 12:00", 24, "04 02:30-04 03:00"),
        ("sat 23:30-00:30 America/Sao_Paulo", "2019-02-16 12:00", 24, "17 01:30-17 02:00, 17 02:30-17 03:30"),
        # Apia had no Friday 2011-12-30: of its night only what is on Saturday's wall is left.
        ("fri 08:00-12:00 Pacific/Apia", "2011-12-29 12:00", 72, ""),
        ("fri 22:00-02:00 Pacific/Apia", "2011-12-29 12:00", 72, "30 10:00-30 12:00"),
        # Troll, two hours: 2026-03-29 01:00 UTC, 01:00 → 03:00.
        ("sun 01:30-02:30 Antarctica/Troll", "2026-03-28 12:00", 24, ""),
        ("sun 01:30-03:30 Antarctica/Troll", "2026-03-28 12:00", 24, "29 01:00-29 01:30"),
        # Casablanca goes back for Ramadan: 2026-02-15 03:00 → 02:00 at 02:00 UTC.
        ("sun 02:30-03:00 Africa/Casablanca", "2026-02-14 12:00", 24, "15 01:30-15 02:00, 15 02:30-15 03:00"),
        # Tehran went forward at midnight: 2021-03-22 00:00 → 01:00, late on the day before in UTC.
        ("mon 00:30-02:00 Asia/Tehran", "2021-03-21 12:00", 24, "21 20:30-21 21:30"),
        # Nothing changes at all.
        ("mon,tue 22:00-02:00 Asia/Kathmandu", "2026-11-23", 48, "23 16:15-23 20:15, 24 16:15-24 20:15"),
    ],
)
def test_when_the_clocks_change(of: str, begin: str, hours: int, expected: str) -> None:
    """Times worked out by hand, in UTC: the wall decides."""
    assert ", ".join(runs(window(of), begin, hours)) == expected


def test_windows_that_touch_are_one() -> None:
    """It closes where none of them is left, and with the beginning of a freeze."""
    both = [window("mon 22:00-24:00"), window("tue 00:00-04:00")]
    freeze = Freeze(from_=at("2026-11-24 03:00"), to=at("2026-11-24 03:30"), reason="a sale")
    now = at("2026-11-23 23:00")
    assert closes_at(both, [], now) == at("2026-11-24 04:00")
    assert closes_at(both, [freeze], now) == at("2026-11-24 03:00")
    assert opens_at(both, [freeze], at("2026-11-24 03:10")) == at("2026-11-24 03:30")


def test_without_windows_it_is_always_open() -> None:
    """Only a freeze closes then; what never closes and never opens is said to."""
    freeze = Freeze(from_=at("2026-12-20"), to=at("2027-01-02"), reason="holidays")
    now = at("2026-11-23")
    assert (is_open([], [], now), opens_at([], [], now), closes_at([], [], now)) == (True, now, None)
    assert closes_at([], [freeze], now) == freeze.from_
    assert opens_at([], [freeze], at("2026-12-24")) == freeze.to
    long = Freeze(from_=at("2026-01-01"), to=at("2030-01-01"), reason="the end")
    assert opens_at([], [long], now) is None
    assert closes_at([window("mon-sun 00:00-24:00")], [], now) is None


def test_of_freezes_the_last_to_end_is_told() -> None:
    """Who waits wants to know for how long."""
    short = Freeze(from_=at("2026-12-20"), to=at("2026-12-24"), reason="short")
    long = Freeze(from_=at("2026-12-21"), to=at("2027-01-02"), reason="long")
    assert frozen_by([long, short], at("2026-12-22")) == long
    assert frozen_by([long, short], at("2026-12-20 12:00")) == short
    assert frozen_by([long, short], at("2027-01-02")) is None


CLOCKS = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
WINDOWS = st.builds(
    Window,
    days=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(",".join),
    from_=CLOCKS,
    to=CLOCKS | st.just("24:00"),
    zone=st.sampled_from(ZONES),
)
INSTANTS = st.datetimes(datetime(2009, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # as asked for


@st.composite
def freezes_near(draw: st.DrawFn, instant: datetime) -> list[Freeze]:
    """Up to two, within the week after an instant."""
    edges = draw(st.lists(st.integers(-1440, 10080), min_size=0, max_size=4, unique=True).map(sorted))
    return [
        Freeze(from_=instant + begin * MINUTE, to=instant + end * MINUTE, reason="x")
        for begin, end in list(pairwise(edges))[::2]
    ]


@effort(max_examples=150, deadline=None)
@given(data=st.data(), windows=st.lists(WINDOWS, min_size=1, max_size=3), instant=INSTANTS)
def test_it_opens_and_closes_when_it_says(data: st.DataObject, windows: list[Window], instant: datetime) -> None:
    """At that instant it is so, and at no minute, and no second, before it."""
    freezes = data.draw(freezes_near(instant))
    for wanted, ask in ((True, opens_at), (False, closes_at)):
        found = ask(windows, freezes, instant)
        last = found or instant + timedelta(days=9)
        assert found is None or (found >= instant and is_open(windows, freezes, found) is wanted)
        minute = instant.replace(second=0, microsecond=0) + MINUTE
        between = [instant + n * MINUTE for n in range((last - instant) // MINUTE)]
        between += [minute + n * MINUTE for n in range(max(0, (last - minute) // MINUTE))]
        between += [last - timedelta(microseconds=1)] if last > instant else []
        assert not any(is_open(windows, freezes, one) is wanted for one in between if one < last)
