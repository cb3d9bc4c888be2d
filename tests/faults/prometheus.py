"""Prometheus's counters."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lab.answering import Asked, answering

from deploytasks.ports import NoData
from deploytasks.providers.prometheus import Metrics
from deploytasks.settings.prometheus import PrometheusSettings
from faults import Lab, Place, Subject, counted

TOKEN = "glsa_HOruNAb7SOiCdshU9algkrq7F" + "DsNSLAa"
BEFORE = {"hits": 100.0, "bad": 0.0, "t_bucket": 100.0}
NOW = {"hits": 110.0, "bad": 1.0, "t_bucket": 110.0}


def _say(asked: Asked) -> Any:
    query, now = asked.query["query"][0], time.time()
    if "vector(time())" in query:
        return _data("vector", {"metric": {}, "value": [now, f"{now}"]})
    name = next(each for each in NOW if each + "{" in query)
    labels = {"__name__": name, "color": "blue", **({"le": "+Inf"} if name == "t_bucket" else {})}
    if query.startswith("last_over_time"):
        return _data("vector", {"metric": labels, "value": [now, str(BEFORE[name])]})
    return _data("matrix", {"metric": labels, "values": [[now - 300, "7"], [now + 0.01, str(NOW[name])]]})


def _data(kind: str, *result: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": kind, "result": list(result)}}


@contextmanager
def _lab() -> Iterator[Lab]:
    with answering(_say) as lab:
        yield Lab(lab.url, {"PROMETHEUS_TOKEN": TOKEN}, ())


def _port(place: Place) -> Any:
    counts = {"counts": {"requests": "hits", "errors": "bad"}, "latency": {"buckets": "t_bucket"}}
    said = {"url": place.url, "token_from": "PROMETHEUS_TOKEN", **counts, **place.access}
    settings = PrometheusSettings.model_validate(said)
    return Metrics(settings, place.site)


def _is_good(found: Any) -> bool:
    return not isinstance(found, NoData) and found["blue"].requests == 10 and found["blue"].errors == 1


SUBJECTS = (Subject("prometheus", "metrics", _lab, _port, counted, _is_good),)
