"""Alerts of several sources, as one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from deploytasks.errors import Unreachable
from deploytasks.ports import Alert, Finding, NoData
from deploytasks.providers.alert_sources import AlertSources
from deploytasks.settings.alerts import AlertFileSettings
from deploytasks.settings.base import Value
from deploytasks.settings.pagerduty import PagerDutyAlertSettings

AT = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
FILE, PAGERS = AlertFileSettings(path="a.json"), PagerDutyAlertSettings(services=("PIJ90N7",))
Say = Callable[[], Sequence[Alert] | NoData]


class Source:
    """Says what it is told to say."""

    def __init__(self, say: Say, find: Callable[[], Sequence[Finding]] = tuple) -> None:
        self.firing = say
        self.diagnose = find


def sources(*parts: tuple[Value, Say]) -> AlertSources:
    return AlertSources([(settings, Source(say)) for settings, say in parts])


def alert(name: str, minutes: int = 0) -> Alert:
    return Alert(name, "critical", AT + timedelta(minutes=minutes), "it is bad")


def raising(error: Exception) -> Say:
    def say() -> Sequence[Alert]:
        raise error

    return say


def test_whatever_fires_anywhere_fires() -> None:
    """The oldest first, each by the name of who says so; two of one kind are numbered."""
    found = sources(
        (FILE, lambda: [alert("Disk", 2)]), (PAGERS, lambda: [alert("incident #1", 1)]), (FILE, lambda: [alert("Disk")])
    ).firing()
    assert not isinstance(found, NoData)
    assert ["file 2: Disk", "pagerduty: incident #1", "file 1: Disk"] == [each.name for each in found]
    assert [] == sources((FILE, lambda: ()), (PAGERS, lambda: ())).firing()


def test_one_that_cannot_be_read_is_named() -> None:
    """Nothing is known then. But what the others say is said: a critical alert counts all the same."""
    for silent in (lambda: NoData("gone"), raising(Unreachable("gone"))):
        found = sources((FILE, lambda: [alert("Disk")]), (PAGERS, silent)).firing()
        assert NoData("pagerduty: gone", (alert("file: Disk"),)) == found
    both = sources((FILE, lambda: NoData("no file")), (PAGERS, lambda: NoData("gone"))).firing()
    assert NoData("file: no file; pagerduty: gone") == both


def test_all_are_asked_at_once() -> None:
    """A look takes as long as the slowest: they wait for one another here."""
    together = threading.Barrier(2, timeout=5)

    def say() -> Sequence[Alert]:
        together.wait()
        return ()

    assert [] == sources((FILE, say), (PAGERS, say)).firing()


def test_a_mistake_of_ours_is_no_silence() -> None:
    """It comes out as what it is."""
    with pytest.raises(ZeroDivisionError):
        sources((FILE, raising(ZeroDivisionError())), (PAGERS, lambda: ())).firing()


def test_the_doctor_hears_all_of_them() -> None:
    """By their names; one that cannot even look says why."""

    def fails() -> Sequence[Finding]:
        raise Unreachable("gone", do="look after it")

    fine = Finding("alerts", "ok", "is there")
    made = AlertSources([(FILE, Source(tuple, lambda: [fine])), (PAGERS, Source(tuple, fails))])
    assert [
        Finding("alerts: file", "ok", "is there"),
        Finding("alerts: pagerduty", "fail", "gone", "look after it"),
    ] == made.diagnose()
    broken = AlertSources([(FILE, Source(tuple, lambda: [fine])), (PAGERS, Source(tuple, raising(KeyError())))])  # type: ignore[arg-type]  # it never returns
    with pytest.raises(KeyError):
        broken.diagnose()
