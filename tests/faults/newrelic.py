"""New Relic: what its agents count, and marks in its graphs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from lab.newrelic import newrelic
from lab.news import bulletin

from deploytasks.ports import COLORS, NoData
from deploytasks.providers.newrelic import Markers, Metrics
from deploytasks.settings.newrelic import NewRelicMarkerSettings, NewRelicSettings
from faults import WITHIN, Lab, Place, Subject, counted, sent

KEY = "NRAK-" + "7QX2M9ZK4TB8WJ3VN6RF1DHC5GYP"[:27]
COUNTS = {"apps": {"blue": "Shop (blue)", "green": "Shop (green)"}, "lag": 0}


@contextmanager
def _lab() -> Iterator[Lab]:
    with newrelic() as lab:
        lab.key = KEY
        lab.entity("Shop")
        for name in COUNTS["apps"].values():  # type: ignore[attr-defined]  # a mapping, as it stands there
            lab.transactions(name, seconds=[0.1] * 10, errors=1, at=time.time() - 20)
        yield Lab(lab.url, {"NEW_RELIC_API_KEY": KEY}, lab.broken)


def _said(place: Place) -> dict[str, Any]:
    return {"url": place.url, "account": 1234567, **place.access, "within": 6}


def _metrics(place: Place) -> Metrics:
    settings = NewRelicSettings.model_validate({**_said(place), **COUNTS}).model_copy(update={"within": WITHIN})
    return Metrics(settings, place.site)


def _are_counts(found: Any) -> bool:
    return not isinstance(found, NoData) and {10} == {found[color].requests for color in COLORS}


def _markers(place: Place) -> Markers:
    settings = NewRelicMarkerSettings.model_validate({**_said(place), "app": "Shop"})
    return Markers(settings.model_copy(update={"within": WITHIN}), place.site)


def _mark(to: Markers) -> Any:
    about = bulletin("finished", number=31)._replace(at=datetime.now(UTC), commit="0f3c")
    return sent(to, about)


SUBJECTS = (
    Subject("newrelic", "metrics", _lab, _metrics, counted, _are_counts),
    Subject("newrelic", "markers", _lab, _markers, _mark, lambda found: isinstance(found, dict)),
)
