"""Four hosts behind HAProxy, judged by Prometheus: the way of docs/your-servers.md, from its first release on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from journeys.environment import until
from journeys.servers import loop_servers, own_servers
from journeys.traffic import assert_nothing_lost, users

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from journeys.servers import LoopServers, OwnServers


HAS_REAL_ONES = os.environ.get("DEPLOYTASKS_PARTS") == "required"
"""Then the servers in this process, which stand in for them, say little more, and take a minute for it."""


@pytest.fixture(
    params=[
        pytest.param(own_servers, id="real"),
        pytest.param(loop_servers, id="in this process", marks=[pytest.mark.full] if HAS_REAL_ONES else []),
    ]
)
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnServers | LoopServers]:
    """All servers, and a first release live on them."""
    with request.param(tmp_path) as made:
        done = made.inv("deploy", "--yes")
        assert done.code == 0, done.said
        made.assert_live("blue")
        yield made


def test_the_whole_way(servers: OwnServers | LoopServers) -> None:
    """A second release, a broken one that comes back by itself, a host that dies and returns, back, and retired."""
    servers.commit(faults={})
    with users(servers) as tally:
        done = servers.inv("deploy", "--yes")
    assert done.code == 0, done.said
    servers.assert_live("green")
    assert_nothing_lost(tally, servers)

    servers.commit(faults={"errors": 0.5})
    with users(servers):
        done = servers.inv("deploy", "--yes")
    assert done.code == 4, done.said
    assert "errors" in done.err
    servers.assert_live("green")

    servers.commit(faults={})
    h3 = servers.web[2]
    running = servers.start("deploy", "--yes")
    servers.until_at(running, "start")
    h3.cut() if h3.can_cut else h3.stop()
    assert running.wait(120) == 4, running.said
    assert "h3" in running.said
    assert servers.split().live == "green"
    assert "inv resume" in running.said

    refused = servers.inv("deploy", "--yes")
    assert (refused.code, "--exclude-host h3" in refused.err) == (7, True), refused.said
    without = ("deploy", "--plan", "--exclude-host", "h3")
    assert servers.inv(*without).code == 2
    planned = servers.inv(*without, "--reason", "its disk is broken")
    assert planned.code == 0, planned.said
    assert "h3: install" not in planned.out

    h3.mend() if h3.can_cut else h3.start()
    until(lambda: servers.world.fleet.health("green").healthy, 20)
    servers.assert_live("green")
    with users(servers):
        done = servers.inv("resume", "--yes")
    assert done.code == 0, done.said
    servers.assert_live("blue")

    with users(servers) as tally:
        done = servers.inv("rollback", "--yes", "--reason", "the journey")
    assert done.code == 0, done.said
    servers.assert_live("green")
    assert_nothing_lost(tally, servers)

    servers.configure(way_back="1s")
    servers.commit(faults={})
    done = servers.inv("deploy", "--yes")
    assert done.code == 0, done.said
    until(lambda: servers.inv("retire", "--yes").code == 0, 30)
    live = servers.live()
    assert servers.servers() == {live}
    servers.assert_live(live)
    assert servers.inv("history", "--verify").code == 0
