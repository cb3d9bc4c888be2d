"""The lab's data plane does what the emulated listener says."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from lab.aws import Cloud
from lab.aws.balancer import Balancer
from lab.aws.elbv2 import ElasticLoadBalancing, forward
from lab.aws.standing import site_in

from deploytasks.ports import Split
from deploytasks.providers.aws.alb import Traffic
from deploytasks.settings.alb import TrafficSettings

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Application


class Scene:
    """A listener in front of both applications."""

    def __init__(self, applications: dict[str, Application]) -> None:
        self.elb = ElasticLoadBalancing()
        self.blue, self.green = (
            self.elb.group(f"shop-{color}", [applications[color].target], path="/") for color in ("blue", "green")
        )
        self.listener = self.elb.listener(forward((self.blue, 100), (self.green, 0)))

    def share(self, blue: int, green: int, sticky: int = 0) -> None:
        """What somebody writes to the listener."""
        actions = [forward((self.blue, blue), (self.green, green), sticky=sticky)]
        with self.elb.lock:
            self.elb.modify_listener({"ListenerArn": self.listener, "DefaultActions": actions})


@pytest.fixture
def scene(applications: dict[str, Application]) -> Iterator[tuple[Scene, Balancer]]:
    found = Scene(applications)
    with Balancer(found.elb, found.listener) as balancer:
        yield found, balancer


def asked(balancer: Balancer, times: int = 1, cookie: str = "", path: str = "/") -> list[tuple[int, str, str]]:
    """Status, body and cookie of each answer, all over one connection."""
    link = http.client.HTTPConnection(balancer.url.removeprefix("http://"), timeout=10)
    found = []
    for _ in range(times):
        link.request("GET", path, headers={"cookie": cookie} if cookie else {})
        answer = link.getresponse()
        found.append((answer.status, answer.read().decode(), (answer.getheader("set-cookie") or "").partition(";")[0]))
    link.close()
    return found


def test_requests_follow_the_weights_and_are_counted(scene: tuple[Scene, Balancer]) -> None:
    """Each is drawn by itself, and counted for its group."""
    lab, balancer = scene
    lab.share(75, 25)
    bodies = Counter(body for _, body, _ in asked(balancer, 200))
    assert 25 <= bodies["green"] <= 75
    counts = balancer.counts()
    assert [counts[lab.blue].requests, counts[lab.green].requests] == [bodies["blue"], bodies["green"]]
    assert len(counts[lab.blue].seconds) == bodies["blue"]


def test_no_request_fails_while_weights_change(scene: tuple[Scene, Balancer]) -> None:
    """Eighty changes under load."""
    lab, balancer = scene
    ended = threading.Event()
    statuses: list[int] = []

    def send() -> None:
        while not ended.is_set():
            statuses.extend(status for status, _, _ in asked(balancer, 5))

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    for at in range(80):
        lab.share(100 - at, at)
        asked(balancer)
    ended.set()
    for sender in senders:
        sender.join()
    assert set(statuses) == {200}


def test_a_visitor_stays_with_his_group(scene: tuple[Scene, Balancer]) -> None:
    """Stickiness goes before weights, as long as it lasts."""
    lab, balancer = scene
    lab.share(0, 100, sticky=60)
    [(_, body, cookie)] = asked(balancer)
    assert (body, cookie[:9]) == ("green", "AWSALBTG=")
    lab.share(100, 0, sticky=60)
    assert {body for _, body, _ in asked(balancer, 5, cookie)} == {"green"}
    assert {body for _, body, _ in asked(balancer, 5)} == {"blue"}


def test_a_group_without_targets_answers_503_and_a_dead_target_502(
    scene: tuple[Scene, Balancer], applications: dict[str, Application]
) -> None:
    """Nobody else steps in for a group; what the balancer answers itself is not the targets' error."""
    lab, balancer = scene
    lab.share(0, 100)
    applications["green"].stop()
    assert asked(balancer)[0][0] == 502
    with lab.elb.lock:
        lab.elb.groups[lab.green].targets.clear()
    assert asked(balancer)[0][0] == 503
    counted = balancer.counts()[lab.green]
    assert (counted.requests, counted.errors, counted.balancer_errors) == (0, 0, 2)


def test_rules_go_before_the_listener_by_priority(scene: tuple[Scene, Balancer]) -> None:
    """A fixed response for what its conditions say, and nothing else."""
    lab, balancer = scene
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503", "MessageBody": "Back at noon."}}
    lab.elb.rule(lab.listener, 20, lab.green, path="/shop/*")
    lab.elb.rule(lab.listener, 10, fixed, path="/shop/cart")
    assert [asked(balancer, path=path)[0][:2] for path in ("/shop/cart", "/shop/x", "/")] == [
        (503, "Back at noon."),
        (200, "green"),
        (200, "blue"),
    ]


def test_no_request_is_lost_from_the_first_stage_to_the_last_and_back(
    scene: tuple[Scene, Balancer], tmp_path: Path
) -> None:
    """Our own shifts under load: every request is answered by the color that the split allows."""
    lab, balancer = scene
    given = {"public": "https://shop.example", "listener": lab.listener, "up_within": 0}
    groups = {"blue": lab.blue, "green": lab.green}
    settings = TrafficSettings.model_validate({**given, "groups": groups})
    ended = threading.Event()
    answers: list[tuple[int, str]] = []

    def send() -> None:
        while not ended.is_set():
            answers.extend(answer[:2] for answer in asked(balancer, 5))

    senders = [threading.Thread(target=send) for _ in range(2)]
    with Cloud(lab.elb) as cloud:
        traffic = Traffic(settings, site_in(cloud, tmp_path))
        for sender in senders:
            sender.start()
        for percent in (10, 50, 100):
            traffic.shift(Split.partly_on("green", percent, "blue", "deploy:d-1")).perform(10)
            asked(balancer, 30)
        assert {body for _, body, _ in asked(balancer, 20)} == {"green"}
        traffic.shift(Split(100, 0, None, "back:d-1")).perform(10)
        assert {body for _, body, _ in asked(balancer, 20)} == {"blue"}
        ended.set()
        for sender in senders:
            sender.join()
    assert {status for status, _ in answers} == {200}
    counts = balancer.counts()
    assert counts[lab.green].requests > 20
    assert sum(each.errors + each.balancer_errors for each in counts.values()) == 0
