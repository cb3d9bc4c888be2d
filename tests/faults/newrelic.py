"""New Relic: what its agents count, and marks in its graphs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from faults import WITHIN, Lab, Place, Subject, sent
from lab.newrelic import newrelic
from lab.news import bulletin

from deploytasks.ports import COLORS, NoData
from deploytasks.providers.newrelic import Markers, Metrics
from deploytasks.settings.newrelic import NewRelicMarkerSettings, NewRelicSettings

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


def _counts(place: Place) -> Any:
    settings = NewRelicSettings.model_validate({**_said(place), **COUNTS}).model_copy(update={"within": WITHIN})
    return Metrics(settings, place.site).totals(datetime.now(UTC) - timedelta(seconds=60), ())


def _are_counts(found: Any) -> bool:
    return not isinstance(found, NoData) and {10} == {found[color].requests for color in COLORS}


def _mark(place: Place) -> Any:
    settings = NewRelicMarkerSettings.model_validate({**_said(place), "app": "Shop"})
    settings = settings.model_copy(update={"within": WITHIN})
    about = bulletin("finished", number=31)._replace(at=datetime.now(UTC), commit="0f3c")
    return sent(Markers(settings, place.site), about)


SUBJECTS = (
    Subject("newrelic", "metrics", _lab, _counts, _are_counts),
    Subject("newrelic", "markers", _lab, _mark, lambda found: isinstance(found, dict)),
)
