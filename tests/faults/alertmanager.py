"""Alertmanager's alerts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from lab.answering import answering

from deploytasks.ports import NoData
from deploytasks.providers.alertmanager import Alertmanager
from deploytasks.settings.alertmanager import AlertmanagerSettings
from faults import Lab, Place, Subject

PASSWORD = "kX9!tR2%vB7&" + "nM4w"


@contextmanager
def _lab() -> Iterator[Lab]:
    labels = {"alertname": "Down", "service": "library", "severity": "critical"}
    alert = {"labels": labels, "annotations": {"summary": "no primary"}, "startsAt": datetime.now(UTC).isoformat()}
    with answering(lambda _: [alert]) as lab:
        yield Lab(lab.url, {"ALERTMANAGER_PASSWORD": PASSWORD}, ())


def _port(place: Place) -> Alertmanager:
    said = {"url": place.url, "match": {"service": "library"}, "user": "ann", "password_from": "ALERTMANAGER_PASSWORD"}
    return Alertmanager(AlertmanagerSettings.model_validate({**said, **place.access}), place.site)


def _is_good(found: Any) -> bool:
    return not isinstance(found, NoData) and [each.name for each in found] in (["Down"], [])


SUBJECTS = (Subject("alertmanager", "alerts", _lab, _port, Alertmanager.firing, _is_good),)
