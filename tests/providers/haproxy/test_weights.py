"""The classic way: both colors in one backend, shared by the weights of its servers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from deploytasks.errors import PartlyKnown, SplitMoved, Unreachable
from deploytasks.ports import Color, NoData, Split
from deploytasks.providers.haproxy import Traffic
from deploytasks.providers.haproxy.far import FarBalancer
from deploytasks.providers.haproxy.weights import HEAVIEST, shared, used
from deploytasks.providers.hosts.localhost import LocalHost

from .conftest import BLUE, Application, House, until

STAGE = Split(90, 10, "blue", "deploy:abc")
SERVERS = {"blue": ["library/blue1"], "green": ["library/green1"]}


@pytest.fixture
def classic(new_house: Callable[..., House]) -> House:
    """One backend with a server of each color; blue has all, as configured."""
    return new_house(template="haproxy-weights.cfg", servers=SERVERS)


@pytest.fixture(params=["near", "far"])
def traffic(request: pytest.FixtureRequest, classic: House) -> Traffic:
    """Its balancer here, and as if it were on another host."""
    found = classic.traffic
    if request.param == "far":
        (near,) = found._balancers
        far = FarBalancer("lb1", "lb1", LocalHost, near.name, near.split, near.maintenance, found._weights)
        found._balancers = (far,)
    return found


def weights(house: House) -> tuple[int, int]:
    found = used(house.balancer.ask("show servers state"))
    return found["library/blue1"], found["library/green1"]


def test_a_first_use_goes_by_the_weights(classic: House, traffic: Traffic) -> None:
    """Nothing is signed yet: what HAProxy was configured with is what is in force, and can be written over."""
    found = traffic.read()
    assert Split(100, 0) == found
    traffic.shift(STAGE, expect=found).perform(30)
    assert STAGE == traffic.read() == classic.traffic.at_rest()
    assert (252, 28) == weights(classic)


def test_requests_follow_the_weights(classic: House, traffic: Traffic) -> None:
    """Weighted round robin: 100 requests are shared nearly to the request."""
    traffic.shift(Split(75, 25, "blue", "deploy:x")).perform(30)
    assert abs(25 - classic.colors_of(100)["green"]) <= 2
    traffic.shift(Split.all_on("green")).perform(30)
    assert {"green": 20} == classic.colors_of(20)


def test_expect_refuses(classic: House, traffic: Traffic) -> None:
    """Compare and swap; the weights of whoever was first stay."""
    traffic.shift(STAGE).perform(30)
    with pytest.raises(SplitMoved, match="deploy:abc"):
        traffic.shift(Split.all_on("green"), expect=BLUE).perform(30)
    assert (252, 28) == weights(classic)
    assert STAGE == traffic.read()


@pytest.mark.parametrize("how", ["restart", "reload", "kill"])
def test_weights_survive_haproxy(classic: House, traffic: Traffic, how: str) -> None:
    """By the state file that was written with the shift."""
    traffic.shift(STAGE).perform(30)
    getattr(classic.balancer, how)()
    if how == "kill":
        classic.balancer.start()
    assert STAGE == traffic.read()
    assert (252, 28) == weights(classic)


def test_a_restart_that_forgets_its_weights_is_recognized(classic: House, traffic: Traffic) -> None:
    """HAProxy does not load its state file: the configured weights are in force, and are no split of ours."""
    traffic.shift(STAGE).perform(30)
    classic.balancer.configure(**{"load-server-state-from-file global": "load-server-state-from-file none"})
    classic.balancer.restart()
    with pytest.raises(PartlyKnown, match="does not share traffic as its map says") as caught:
        traffic.read()
    assert "library/blue1 has weight 100 instead of 252" in caught.value.what
    traffic.shift(BLUE).perform(30)
    assert BLUE == traffic.read()


def test_weights_that_somebody_changed_are_no_split(classic: House) -> None:
    """By hand, at the socket: said with the server and both numbers."""
    classic.traffic.shift(STAGE).perform(30)
    assert "\n" == classic.balancer.ask("set server library/green1 weight 200")
    with pytest.raises(Unreachable, match="green1 has weight 200 instead of 28"):
        classic.traffic.read()


def test_a_rollback_while_haproxy_is_down(classic: House, traffic: Traffic) -> None:
    """Map and weights are kept for its start: traffic is home then."""
    traffic.shift(STAGE).perform(30)
    classic.balancer.kill()
    with pytest.raises(Unreachable) as caught:
        traffic.shift(BLUE).perform(30)
    assert "will be in force when haproxy starts" in caught.value.state
    classic.balancer.start()
    assert BLUE == traffic.read()
    assert (100, 0) == weights(classic)


def test_homing_while_haproxy_is_down(classic: House) -> None:
    """The same by the script on its host."""
    classic.traffic.shift(Split(50, 50, "blue", "deploy:abc")).perform(30)
    ((_, script),) = classic.traffic.homing("abc", BLUE)
    classic.balancer.kill()
    done = subprocess.run(["/bin/sh"], input=script, capture_output=True, text=True, timeout=60, check=True)
    assert "it will be home when it starts" in done.stdout
    classic.balancer.start()
    assert Split.all_on("blue", None, "deadman:abc") == classic.traffic.read()


def test_a_server_that_is_not_there(classic: House) -> None:
    """A shift is refused, and what was in force stays, map and weights."""
    classic.traffic.shift(STAGE).perform(30)
    classic.wish["servers"] = {"blue": ["library/blue1"], "green": ["library/green1", "library/green9"]}
    with pytest.raises(Unreachable, match="no server library/green9"):
        classic.traffic.shift(BLUE, expect=STAGE).perform(30)
    assert (252, 28) == weights(classic)


def test_homing_moves_the_weights(classic: House) -> None:
    """The script that runs on the balancer's host, and what a restart makes of it."""
    classic.traffic.shift(Split(50, 50, "blue", "deploy:abc")).perform(30)
    ((_, script),) = classic.traffic.homing("abc", BLUE)
    done = subprocess.run(["/bin/sh"], input=script, capture_output=True, text=True, timeout=60, check=True)
    assert "home\n" == done.stdout
    classic.balancer.restart()
    assert Split.all_on("blue", None, "deadman:abc") == classic.traffic.read()
    assert {"blue": 10} == classic.colors_of(10)


def test_counts_per_server(classic: House) -> None:
    """From the log and from the counters; drained counts the color's own servers."""
    classic.traffic.shift(Split(50, 50, "blue", "deploy:x")).perform(30)
    for status in (200, 200, 500, 500):
        classic.get(f"/?status={status}")
    for log in (classic.log, None):
        classic.log = log
        metrics = classic.metrics

        def counts(metrics: object = metrics) -> dict[str, tuple[int, int]]:
            found = metrics.totals(datetime(2020, 1, 1, tzinfo=UTC), ())  # type: ignore[attr-defined]
            assert not isinstance(found, NoData), found.why
            return {color: total[:2] for color, total in found.items()}

        until(lambda counts=counts: counts() == {"blue": (2, 1), "green": (2, 1)})
    assert [0, 0] == [classic.traffic.drained(color) for color in ("blue", "green")]


def test_a_color_that_is_down_gets_no_first_traffic(classic: House, applications: dict[Color, Application]) -> None:
    """Though its weight is 0, its checks tell whether it is up."""
    classic.traffic.shift(BLUE).perform(30)
    applications["green"].is_healthy = False
    until(lambda: "green1 DOWN" in str(classic.traffic.diagnose()))
    classic.wish["up_within"] = "100ms"
    with pytest.raises(Unreachable, match="holds green for down"):
        classic.traffic.shift(STAGE, expect=BLUE).perform(30)


def test_doctor_is_content(classic: House, traffic: Traffic) -> None:
    """Once something was written, all is well."""
    traffic.shift(STAGE).perform(30)
    found = traffic.diagnose()
    assert not [each for each in found if each.state == "fail"], found


def test_the_call_says_what_whole_weights_miss(classic: House) -> None:
    """Nothing where they fit; the difference where they do not."""
    assert "miss" not in classic.traffic.shift(STAGE).text
    servers = {"blue": ["library/blue1"], "green": [f"library/green{number}" for number in range(1, 6)]}
    classic.wish["servers"] = servers
    assert "(its whole weights miss that by 0.9 percentage points)" in classic.traffic.shift(Split(99, 1)).text


@given(st.integers(0, 100), st.integers(1, 30), st.integers(1, 30))
def test_weights_come_near(blue: int, blues: int, greens: int) -> None:
    """Within what HAProxy takes, and as near as whole numbers can be: at most one step of the lighter color off."""
    of_blue, of_green = shared(blue, 100 - blue, blues, greens)
    assert all(0 <= weight <= HEAVIEST for weight in (of_blue, of_green))
    assert (of_blue == 0, of_green == 0) == (blue == 0, blue == 100)
    total = of_blue * blues + of_green * greens
    share = 100 * of_blue * blues / total
    step = 100 * max(blues, greens) / (HEAVIEST * min(blues, greens))
    assert abs(share - blue) <= step


def test_nothing_exposed_is_no_weight() -> None:
    """Nobody gets anything."""
    assert (0, 0) == shared(0, 0, 3, 2)
