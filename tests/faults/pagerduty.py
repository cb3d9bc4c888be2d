"""PagerDuty: open incidents, and events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from lab.news import bulletin
from lab.pagerduty import pagerduty

from deploytasks.ports import NoData
from deploytasks.providers.pagerduty import Incidents, Pager
from deploytasks.settings.pagerduty import PagerDutyAlertSettings, PagerDutySettings
from faults import Lab, Place, Subject, sent

NUMBERS = count(1)


@contextmanager
def _lab() -> Iterator[Lab]:
    with pagerduty() as lab:
        lab.open_incident("The server is on fire")
        secrets = {"PAGERDUTY_API_TOKEN": lab.token, "PAGERDUTY_ROUTING_KEY": lab.routing_key}
        yield Lab(lab.url, secrets, lab.broken)


def _incidents(place: Place) -> Incidents:
    said = {"url": place.url, "services": "PIJ90N7", **place.access}
    return Incidents(PagerDutyAlertSettings.model_validate(said), place.site)


def _pager(place: Place) -> Pager:
    return Pager(PagerDutySettings.model_validate({"url": place.url, **place.access}), place.site)


def _tell(to: Pager) -> Any:
    number = next(NUMBERS)
    deployment = f"20261123-101500-{number:06x}"
    return sent(to, bulletin("taken-back", "error", number, deployment=deployment, why="8 of 36 requests failed"))


def _is_list(found: Any) -> bool:
    return not isinstance(found, NoData) and len(found) <= 1


SUBJECTS = (
    Subject("pagerduty", "alerts", _lab, _incidents, Incidents.firing, _is_list),
    Subject("pagerduty", "messages", _lab, _pager, _tell, lambda found: isinstance(found, dict)),
)
