"""A Sentry of the lab, and what asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lab.sentry import Sentry, sentry

from deploytasks.ports import Color, Installed
from deploytasks.providers.sentry import Markers, Metrics
from deploytasks.providers.site import Site
from deploytasks.settings.sentry import SentryMarkerSettings, SentryMetricsSettings

STANDING: Mapping[Color, Installed | None] = {
    "blue": Installed("1.4.0-0123456789ab", "0123456789ab", "1.4.0", running=True),
    "green": Installed("1.4.1-ba9876543210", "ba9876543210", "1.4.1", running=True),
}
BLUE, GREEN = "library@1.4.0", "library@1.4.1"


class Now:
    """A clock of ours that a test turns."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at

    def go(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sentry]:
    """It is well treated until the end."""
    with sentry() as made:
        monkeypatch.setenv("SENTRY_API_TOKEN", made.token)
        made.environments.add("production")
        yield made
        assert [] == made.broken


def site_of(standing: Callable[[], Mapping[Color, Installed | None]] = lambda: STANDING) -> Site:
    return Site("library", "production", Path(), Path(), None, "ann@desk", standing=standing)


def metrics(of: Sentry, now: Callable[[], datetime] | None = None, site: Site | None = None, **given: Any) -> Metrics:
    values = {"organization": "acme", "project": "library", "url": of.url, "lag": 0, "within": 5, **given}
    more = {} if now is None else {"now": now}
    return Metrics(SentryMetricsSettings.model_validate(values), site or site_of(), **more)


def markers(of: Sentry, **given: Any) -> Markers:
    values = {"organization": "acme", "project": "library", "url": of.url, "within": 5, **given}
    return Markers(SentryMarkerSettings.model_validate(values), site_of())
