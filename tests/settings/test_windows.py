"""How windows and freezes are written, and what is said of those that are written wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from invoke.vendor import yaml

from deploytasks.errors import SettingsError
from deploytasks.settings import load
from deploytasks.settings.gates import Gates
from deploytasks.settings.windows import DAY, minutes, weekdays

HINT = "in quotes (YAML reads 10:00 without them as 600)"
NO_DAY = "is no day: mon, tue, wed, thu, fri, sat, sun"
NO_TIME = 'is no time of the day: write "HH:MM", from "00:00" to "24:00"'


PATH = "deploy.environments.staging.gates"


def gates(text: str) -> Gates:
    """The gates that are written so, read as Invoke reads them."""
    config = {"application": "library", "environments": {"staging": {"gates": yaml.safe_load(text)}}}
    return load(config, "staging", ("gates",)).gates


def said(text: str) -> list[str]:
    """What is said of gates that are written so."""
    with pytest.raises(SettingsError) as raised:
        gates(text)
    return raised.value.mistakes


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("mon-thu", {0, 1, 2, 3}),
        ("fri-mon", {4, 5, 6, 0}),
        ("sun-sat", set(range(7))),
        ("mon-sun", set(range(7))),
        ("sat", {5}),
        ("wed-wed", {2}),
        ("mon,wed, fri", {0, 2, 4}),
        ("Mon - Tue, SUN", {0, 1, 6}),
    ],
)
def test_days(days: str, expected: set[int]) -> None:
    """Single days, ranges, also across the week's end, and several of them."""
    assert weekdays(days) == expected


def test_a_window_as_it_is_written() -> None:
    """Everything has a default; days may be a list; times are shown in full."""
    first, second = gates(
        """windows: [{days: mon-thu, from: "2:00", to: "05:00", zone: Europe/Berlin}, {days: [sat, sun]}]"""
    ).windows
    assert str(first) == "mon-thu 02:00-05:00 Europe/Berlin"
    assert str(second) == "sat,sun 00:00-24:00 UTC"
    assert (minutes("00:00"), minutes("24:00")) == (0, DAY)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("days: mon-thr", f".days: 'thr' {NO_DAY}; did you mean `thu`?"),
        ("days: monday", f".days: 'monday' {NO_DAY}; did you mean `mon`?"),
        ("days: mon-", f".days: 'mon-' {NO_DAY}"),
        ("days: 'mon,,tue'", f".days: '' {NO_DAY}"),
        ("days: []", ".days: days such as mon-thu or [sat, sun] are needed, not []"),
        ("days: 1", ".days: days such as mon-thu or [sat, sun] are needed, not 1"),
        ("days: [mon, 2]", ".days: days such as mon-thu or [sat, sun] are needed, not ['mon', 2]"),
        ("from: 22:30", f'.from: 1350 is a number: write "22:30", {HINT}'),
        ("to: 24:00", f'.to: 1440 is a number: write "24:00", {HINT}'),
        ("from: 2", f'.from: 2 is a number: write "HH:MM", {HINT}'),
        ("from: 02:60", f".from: '02:60' {NO_TIME}"),
        ("to: '24:01'", f".to: '24:01' {NO_TIME}"),
        ("to: '5'", f".to: '5' {NO_TIME}"),
        ("to: '-1:00'", f".to: '-1:00' {NO_TIME}"),
        ("to: 2pm", f".to: '2pm' {NO_TIME}"),
        ("from: '24:00'", '.from: "24:00" ends a day: write "00:00", and the day after'),
        ("from: [1]", '.from: a time such as "02:00" is needed, not [1]'),
        ("from: true", '.from: a time such as "02:00" is needed, not True'),
        ("zone: europe/berlin", ".zone: 'europe/berlin' is no time zone; did you mean `Europe/Berlin`?"),
        ("zone: Europe/Berln", ".zone: 'Europe/Berln' is no time zone; did you mean `Europe/Berlin`?"),
        ("zone: Berlin", ".zone: 'Berlin' is no time zone; did you mean `Europe/Berlin`?"),
        ("zone: Europe", ".zone: 'Europe' is no time zone; did you mean `Europe/Rome`?"),
        ("zone: Mars", ".zone: 'Mars' is no time zone: write an IANA name such as Europe/Berlin"),
        ("zone: /etc/passwd", ".zone: '/etc/passwd' is no time zone: write an IANA name such as Europe/Berlin"),
        (
            "zone: ../../etc/passwd",
            ".zone: '../../etc/passwd' is no time zone: write an IANA name such as Europe/Berlin",
        ),
        ("zone: ''", ".zone: '' is no time zone: write an IANA name such as Europe/Berlin"),
        ("zone: 1", ".zone: a text is needed, not 1"),
        ("form: '02:00'", ".form: unknown key; did you mean `from`?"),
    ],
)
def test_a_window_that_is_wrong(window: str, expected: str) -> None:
    """With its path, and how to write it."""
    assert said(f"windows: [{{{window}}}]") == [f"{PATH}.windows[0]{expected}"]


def test_zones_where_the_system_has_none() -> None:
    """An image without a zone database knows them all the same."""
    code = "from deploytasks.settings.windows import Window; print(Window(zone='Europe/Berlin').zone)"
    env = {**os.environ, "PYTHONTZPATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "Europe/Berlin\n"


def test_a_freeze_as_it_is_written() -> None:
    """Days are whole; times have the zone that they say, or that of the freeze."""
    of = gates(
        """
        freezes:
          - {from: 2026-12-20, to: 2027-01-02, zone: Europe/Berlin, reason: holidays}
          - {from: 2026-11-27 06:00, to: "2026-11-27 20:00", zone: America/New_York, reason: sale}
          - {from: 2026-11-27 06:00:00, to: 2026-11-27T20:00:00, zone: UTC, reason: audit}
          - {from: 2026-11-27T06:00:00+01:00, to: "2026-11-27T06:00Z", reason: move}
        """
    ).freezes
    written = [f"{one.from_.astimezone(UTC):%m-%d %H:%M}..{one.to.astimezone(UTC):%m-%d %H:%M}" for one in of]
    assert written == [
        "12-19 23:00..01-02 23:00",
        "11-27 11:00..11-28 01:00",
        "11-27 06:00..11-27 20:00",
        "11-27 05:00..11-27 06:00",
    ]


def test_a_freeze_where_the_clocks_change() -> None:
    """A time that comes twice, or never, is taken so that the freeze is the longer one."""
    (of,) = gates(
        "freezes: [{from: '2026-10-25 02:30', to: '2027-03-28 02:30', zone: Europe/Berlin, reason: x}]"
    ).freezes
    assert of.from_ == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert of.to == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    (of,) = gates(
        "freezes: [{from: '2026-03-29 02:30', to: '2026-10-25 02:30', zone: Europe/Berlin, reason: x}]"
    ).freezes
    assert of.from_ == datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert of.to == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


NO_ZONE = "does not say its zone: add `zone: Europe/Berlin`, or write …+01:00"


@pytest.mark.parametrize(
    ("freeze", "expected"),
    [
        (
            "from: 2026-12-20, to: 2026-12-21 10:00, reason: x",
            [f".from: '2026-12-20' {NO_ZONE}", f".to: '2026-12-21 10:00' {NO_ZONE}"],
        ),
        ("from: 2026-12-20, to: 2026-12-24, zone: UTC", [".reason: missing"]),
        ("from: 2026-12-20, to: 2026-12-24, zone: UTC, reason: ''", [".reason: is empty"]),
        ("from: 2026-12-20, zone: UTC, reason: x", [".to: missing"]),
        (
            "from: 2026-12-20, to: 2026-12-24, zone: utx, reason: x",
            [".zone: 'utx' is no time zone: write an IANA name such as Europe/Berlin"],
        ),
        (
            "from: 2026-12-20 10:00, to: 2026-12-20 10:00, zone: UTC, reason: x",
            [".to: 2026-12-20 10:00 UTC is not after `from`, 2026-12-20 10:00 UTC"],
        ),
        (
            "from: 2026-12-20 10:00, to: '2026-12-20T10:30+01:00', zone: UTC, reason: x",
            [".to: 2026-12-20 09:30 UTC is not after `from`, 2026-12-20 10:00 UTC"],
        ),
        ("from: soon, to: 20261, zone: UTC, reason: x", [
            ".from: a time such as 2026-12-20 18:00 is needed, not 'soon'",
            ".to: a time such as 2026-12-20 18:00 is needed, not 20261",
        ]),
        ("from: 0026-12-20, to: 9999-12-31, zone: UTC, reason: x", [
            ".from: a time such as 2026-12-20 18:00 is needed, not 0026-12-20",
            ".to: a time such as 2026-12-20 18:00 is needed, not 9999-12-31",
        ]),
    ],
)  # fmt: skip
def test_a_freeze_that_is_wrong(freeze: str, expected: list[str]) -> None:
    """Each mistake with its path; one that follows from another is not told as well."""
    assert [one.removeprefix(f"{PATH}.freezes[0]") for one in said(f"freezes: [{{{freeze}}}]")] == expected


@pytest.mark.parametrize("given", ["2026-12-20 10:00", "2026-12-20T10:00:00", "2026-12-20"])
def test_a_time_of_no_zone_is_no_time(given: Any) -> None:
    """The machine's own zone is never taken: it is another one in CI."""
    assert said(f"freezes: [{{from: {given!r}, to: '2027-01-01T00:00Z', reason: x}}]") == [
        f"{PATH}.freezes[0].from: {given!r} {NO_ZONE}"
    ]
