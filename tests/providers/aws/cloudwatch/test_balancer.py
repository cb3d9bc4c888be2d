"""Counts of requests that the lab's load balancer really answered."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from lab.aws.balancer import Balancer
from lab.aws.cloud import Cloud
from lab.aws.cloudwatch import CloudWatch
from lab.aws.elbv2 import ElasticLoadBalancing
from lab.aws.standing import site_in

from deploytasks.ports import NoData, Totals
from deploytasks.providers.aws.cloudwatch import Metrics
from deploytasks.settings.alb import TargetGroups, TrafficSettings
from deploytasks.settings.cloudwatch import MetricsSettings

if TYPE_CHECKING:
    from pathlib import Path


def test_every_request_that_a_balancer_answers_is_counted_once(tmp_path: Path) -> None:
    """Here by ones that nothing stands behind: 502, which no target answers and one color caused."""
    elb, watch = ElasticLoadBalancing(), CloudWatch()
    blue, green = elb.group("shop-blue", [("127.0.0.1", 9)]), elb.group("shop-green", [])
    listener = elb.listener(blue)
    traffic = TrafficSettings(public="http://127.0.0.1", listener=listener, groups=TargetGroups(blue=blue, green=green))
    with Cloud(elb, watch) as cloud, Balancer(elb, listener) as balancer:
        watch.follow(balancer)
        began = datetime.now(UTC)
        for _ in range(5):
            with pytest.raises(HTTPError, match="502"):
                urlopen(balancer.url, timeout=5)
        metrics = Metrics(MetricsSettings(period=1, lag=0, stale_after=30), site_in(cloud, tmp_path, traffic=traffic))
        until = time.monotonic() + 10
        while True:
            found = metrics.totals(began, ())
            if not isinstance(found, NoData) and found["blue"].requests == 5:
                break
            assert time.monotonic() < until, found
            time.sleep(0.02)
        assert found == {"blue": Totals(5, 5, {}), "green": Totals(0, 0, {})}
