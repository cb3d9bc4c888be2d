"""Sentry: what it counts, and where it is told of deployments."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from lab.news import bulletin
from lab.sentry import sentry

from deploytasks.ports import COLORS, Installed, NoData
from deploytasks.providers.sentry import Markers, Metrics
from deploytasks.settings.sentry import SentryMarkerSettings, SentryMetricsSettings
from faults import Lab, Place, Subject, counted, sent

TOKEN = "sntryu_" + "4f9d1c7be2a85036b7d2e19f60c4a8d3"
NUMBERS = count(1)
STANDING = {color: Installed(f"{at}-0", "0", f"1.4.{at}", running=True) for at, color in enumerate(COLORS)}


@contextmanager
def _lab() -> Iterator[Lab]:
    with sentry(token=TOKEN, limits=False) as lab:
        for version in ("1.4.0", "1.4.1"):
            lab.requests(f"library@{version}", ok=9, failed=1, at=time.time() - 20)
        yield Lab(lab.url, {"SENTRY_API_TOKEN": TOKEN}, lab.broken)


def _said(place: Place) -> dict[str, Any]:
    return {"url": place.url, "organization": "acme", "project": "library", **place.access}


def _metrics(place: Place) -> Metrics:
    site = place.site._replace(standing=lambda: STANDING)
    settings = SentryMetricsSettings.model_validate({**_said(place), "lag": 0})
    return Metrics(settings, site)


def _are_counts(found: Any) -> bool:
    return not isinstance(found, NoData) and {10} == {found[color].requests for color in COLORS}


def _markers(place: Place) -> Markers:
    return Markers(SentryMarkerSettings.model_validate(_said(place)), place.site)


def _mark(to: Markers) -> Any:
    about = bulletin("finished", split="green 100 %", deployment=f"20261123-101500-{next(NUMBERS):06x}")
    return sent(to, about)


SUBJECTS = (
    Subject("sentry", "metrics", _lab, _metrics, counted, _are_counts),
    Subject("sentry", "markers", _lab, _markers, _mark, lambda found: isinstance(found, dict)),
)
