"""What Envoy's settings accept."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from deploytasks.settings.envoy import TrafficSettings
from deploytasks.settings.envoy_maintenance import MaintenanceSettings


def test_defaults_are_a_managed_envoy() -> None:
    """``traffic: {kind: envoy}`` is enough."""
    settings = TrafficSettings()
    assert (True, "127.0.0.1:8080", 30.0) == (settings.managed, settings.listen, settings.upstream_idle)


@pytest.mark.parametrize(
    "wish",
    [
        {"listen": "8080"},
        {"listen": "127.0.0.1:70000"},
        {"colors": {"blue": "127.0.0.1:8101"}},
        {"prefix": "split."},
        {"managed": False},
        {"managed": False, "admin": "http://127.0.0.1:9901"},
        {"managed": True, "admin": "http://127.0.0.1:9901"},
        {"managed": False, "admin": "127.0.0.1:9901", "public": "http://127.0.0.1"},
        {"public": "library.example"},
        {"timeout": 0},
        {"wieghts": 1},
    ],
)
def test_mistakes_are_found(wish: dict[str, Any]) -> None:
    """A mistake is one before anything starts."""
    with pytest.raises(ValidationError):
        TrafficSettings.model_validate(wish)


@pytest.mark.parametrize("admin", ["http://127.0.0.1:9901", "unix:/run/envoy/admin.sock"])
def test_admin_addresses(admin: str) -> None:
    """TCP or a UNIX socket."""
    wish = {"managed": False, "admin": admin, "public": "http://127.0.0.1:8080"}
    assert admin == TrafficSettings.model_validate(wish).admin


def test_a_maintenance_page_needs_a_time_to_come_back() -> None:
    """Zero seconds is no advice."""
    with pytest.raises(ValidationError):
        MaintenanceSettings(retry_after=0)
