from __future__ import annotations

import importlib.util

import pytest

LOOK = """
from django.test import Client
Client().get("/api/")
print(Client().get("/metrics").content.decode())
"""


@pytest.mark.skipif(importlib.util.find_spec("django_prometheus") is None, reason="django-prometheus is not installed")
def test_counts_and_latencies_for_prometheus(manage, release, monkeypatch):
    """With LIBRARY_METRICS=1, latencies by view, a fault's delay included, with a bound at 2 s."""
    monkeypatch.setenv("LIBRARY_METRICS", "1")
    done = manage(release({"latency": 0.3}), "shell", "-c", LOOK)
    assert done.returncode == 0, done.stderr
    name = "django_http_requests_latency_seconds_by_view_method_bucket"
    counts = {
        line.partition(" ")[0]: float(line.rpartition(" ")[2])
        for line in done.stdout.splitlines()
        if line.startswith(name)
    }
    labels = 'method="GET",view="catalog.views.api_root"'
    assert counts[f'{name}{{le="2.0",{labels}}}'] == 1
    assert counts[f'{name}{{le="0.002",{labels}}}'] == 0
