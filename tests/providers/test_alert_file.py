from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from deploytasks.ports import Alert, NoData
from deploytasks.providers.alert_file import AlertFile
from deploytasks.providers.site import Site
from deploytasks.settings.alerts import AlertFileSettings

DOWN = {"name": "db-down", "severity": "critical", "since": "2026-11-23T11:15:00+01:00"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "alerts.json"


def alerts(file: Path, **settings) -> AlertFile:
    site = Site("library", "development", file.parent, file.parent / ".deploy", None, "ann@host")
    return AlertFile(AlertFileSettings(path=file.name, **settings), site)


def why(found) -> str:
    assert isinstance(found, NoData)
    return found.why


def test_what_fires_is_read(file):
    """Each entry becomes an alert, its instant in UTC, its severity in lower case."""
    file.write_text(json.dumps([{**DOWN, "severity": " Critical", "summary": "no primary", "runbook": "more"}]))

    firing = alerts(file).firing()

    assert firing == [Alert("db-down", "critical", datetime(2026, 11, 23, 10, 15, tzinfo=UTC), "no primary")]
    assert [finding.state for finding in alerts(file).diagnose()] == ["warn"]


def test_an_empty_list_means_nothing_fires(file):
    """No alerts is a statement of its own."""
    file.write_text("[]")

    assert list(alerts(file).firing()) == []
    assert alerts(file).diagnose()[0].detail == "nothing fires"


def test_an_absent_file(file):
    """Nothing fires by default; nothing is known when the file is required."""
    assert list(alerts(file).firing()) == []
    assert "is not there" in why(alerts(file, required=True).firing())
    assert [finding.state for finding in alerts(file, required=True).diagnose()] == ["fail"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "cannot be understood"),
        ('[{"name": "db-d', "cannot be understood"),
        ("{}", "a list of alerts"),
        ('["db-down"]', "an object"),
        (json.dumps([{**DOWN, "name": ""}]), "without `name`"),
        (json.dumps([{**DOWN, "severity": 1}]), "without `severity`"),
        (json.dumps([{"name": "x", "severity": "critical"}]), "without `since`"),
        (json.dumps([{**DOWN, "since": "yesterday"}]), "yesterday"),
        (json.dumps([{**DOWN, "since": "2026-11-23T10:15:00"}]), "no offset"),
        (json.dumps([DOWN, {**DOWN, "since": "2026-11-23T10:15:00"}]), "no offset"),
        ("[" * 100_000, "cannot be understood"),
        (b"\xff\xfe\xfa", "cannot be understood"),
    ],
)
def test_what_cannot_be_understood_is_no_data(file, content, said):
    """Half a file, another shape, a naive instant: never taken for silence, and the reason is told."""
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    assert said in why(alerts(file).firing())


def test_an_unreadable_file_is_no_data(file):
    """A folder in its place cannot be read."""
    file.mkdir()

    assert "cannot be read" in why(alerts(file).firing())


def test_a_stale_file_is_no_data(file):
    """With `stale_after`, a file that its writer has left alone says nothing; without it, it does."""
    file.write_text("[]")
    old = time.time() - 120
    os.utime(file, (old, old))

    assert "120 s ago" in why(alerts(file, stale_after="1m").firing())
    assert list(alerts(file, stale_after="5m").firing()) == []
    assert list(alerts(file).firing()) == []


@pytest.mark.parametrize("given", [{}, {"path": ""}, {"path": "a", "stale_after": 0}, {"path": "a", "file": "b"}])
def test_wrong_settings_are_refused(given):
    """A path is needed, and nothing unknown."""
    with pytest.raises(ValidationError):
        AlertFileSettings.model_validate(given)
