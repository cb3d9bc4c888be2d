"""The deployer lives, and its network does not: the switch on the balancer's host takes traffic home."""

from __future__ import annotations

from pathlib import Path

import pytest
from journeys.environment import until
from journeys.servers import own_servers

pytestmark = pytest.mark.full


def test_the_balancer_is_cut_off_in_the_middle_of_a_rollout(tmp_path: Path) -> None:
    """Everybody is back on the old color while nobody can reach the balancer. When the network returns, the deployer
    sees who has written, touches nothing and leaves with 5; the next look records what the switch did."""
    with own_servers(tmp_path, 2) as servers:
        done = servers.inv("deploy", "--yes")
        assert done.code == 0, done.said
        servers.commit(faults={})
        running = servers.start("deploy", "--yes")
        until(lambda: servers.split().is_mixed, 120, lambda: running.said)
        assert servers.switch().armed
        balancer = servers.parts.balancer
        servers.parts.lb.cut()
        try:
            until(lambda: "deadman:" in (balancer.state / "split.map").read_text(), 6 + 10)
            assert running.popen.poll() is None
        finally:
            servers.parts.lb.mend()
        assert running.wait(120) == 5, running.said
        split = servers.split()
        assert (split.live, split.verb) == ("blue", "deadman")
        status = servers.inv("status", "--json")
        assert (status.answer["deadman"]["armed"], status.answer["traffic"]["live"]) == (False, "blue")
        assert status.answer["deadman"]["fired_at"]
        assert ["deadman-fired"] == [event.kind for event in servers.events("deadman-fired")]
        done = servers.inv("deploy", "--yes")
        assert done.code == 0, done.said
        servers.assert_live("green")
        assert servers.inv("history", "--verify").code == 0
        assert 1 == len(servers.events("deadman-fired"))
