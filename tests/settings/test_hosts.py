"""What a fleet's settings refuse."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from deploytasks.settings.local import LocalFleetSettings
from deploytasks.settings.sqlite import SqliteSettings

COLORS = {"blue": "127.0.0.1:8101", "green": "127.0.0.1:8102"}


def settings(**given: Any) -> LocalFleetSettings:
    return LocalFleetSettings.model_validate({"kind": "local", "colors": COLORS, "start": "run {port}", **given})


def test_defaults() -> None:
    """Two addresses and a command are enough."""
    made = settings(start_within="45s", environment={"WORKERS": 2})
    assert (made.health, made.start_within, made.stop_within, made.environment) == (
        "/health",
        45.0,
        10.0,
        {"WORKERS": "2"},
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"start": "{pyhton} x"}, "{pyhton} is no placeholder"),
        ({"environment": {"A": "{nope}"}}, "{nope} is no placeholder"),
        ({"environment": {"PORT": "1"}}, "PORT is set by the deployment itself"),
        ({"environment": {"A-B": "1"}}, "cannot be the name"),
        ({"colors": {"blue": "127.0.0.1:8101"}}, "address of green is missing"),
        ({"colors": {**COLORS, "green": COLORS["blue"]}}, "both colors cannot listen at"),
        ({"colors": {**COLORS, "green": "127.0.0.1:99999"}}, "between 1 and 65535"),
        ({"colors": {**COLORS, "red": "127.0.0.1:1"}}, "blue"),
        ({"health": "health"}, "pattern"),
        ({"starts_within": "3s"}, "Extra inputs"),
    ],
)
def test_mistakes(given: dict[str, Any], expected: str) -> None:
    """Each mistake is named before anything runs."""
    with pytest.raises(ValidationError) as caught:
        settings(**given)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"start": None}, "say what serves a color"),
        ({"service": "app"}, "`service` leaves it to the host: choose one"),
        ({"last_words": "tail x"}, "`last_words` leaves it to the host: choose one"),
        ({"start": None, "restart": "svc restart", "running": "svc up"}, "`stop` is missing"),
        ({"start": None, "service": "{colour}"}, "{colour} is no placeholder"),
        ({"start": None, "running": "up"}, "say what serves a color"),
    ],
)
def test_one_thing_serves(given: dict[str, Any], expected: str) -> None:
    """A command of ours, or the host's supervisor with all that we must be able to tell it: never both, never half."""
    with pytest.raises(ValidationError) as caught:
        settings(**given)
    assert expected in str(caught.value)


@pytest.mark.parametrize("given", [{"service": "app-{color}"}, {"restart": "r", "stop": "s", "running": "u"}])
def test_a_supervisor_serves(given: dict[str, str]) -> None:
    """A systemd unit needs nothing more; any other supervisor needs its three commands."""
    assert settings(start=None, **given).start is None


def test_migrate_command_is_checked_too() -> None:
    """The database's commands have the same placeholders."""
    assert SqliteSettings(path="x", migrate="{python} manage.py migrate --noinput").keep == 14
    with pytest.raises(ValidationError, match="no placeholder"):
        SqliteSettings(path="x", migrate="{phyton}")
