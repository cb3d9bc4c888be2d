"""Four hosts behind HAProxy, judged by Prometheus: the way of docs/your-servers.md, from its first release on."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import TYPE_CHECKING

import pytest
from journeys.environment import Done, until
from journeys.servers import loop_servers, own_servers
from journeys.shown import typed
from journeys.traffic import assert_nothing_lost, users

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from journeys.environment import Environment
    from journeys.servers import LoopServers, OwnServers
    from journeys.shown import Typing


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
        known = str(made.web[0].access().known_hosts)
        typed(made, "docs/your-servers.md", "Once, before the first deployment", instead={"deploy/known_hosts": known})
        type_it(made, "docs/your-servers.md", "The section in invoke.yaml", {})
        type_it(made, "docs/your-servers.md", "The first release", {})
        made.assert_live("blue")
        typed(made, "docs/prometheus.md", "In invoke.yaml", instead={"development": made.name})
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

    def resume(*words: str) -> Done:
        h3.mend() if h3.can_cut else h3.start()
        until(lambda: h3.name not in servers.inv("status", "--json").answer["colors"]["blue"]["silent"], 20)
        with users(servers):
            return servers.inv(*words, "--yes")

    type_it(servers, "docs/your-servers.md", "A host that is down", {"inv resume": resume})
    servers.assert_live("blue")
    type_it(servers, "docs/your-servers.md", "Look around", {"inv logs": partial(until_interrupted, servers)})

    def rollback(*words: str) -> Done:
        with users(servers) as tally:
            done = servers.inv(*words, "--yes")
        servers.assert_live("green")
        assert_nothing_lost(tally, servers)
        return done

    def retire(*words: str) -> Done:
        servers.configure(way_back="1s")
        servers.commit(faults={})
        done = servers.inv("deploy", "--yes")
        assert done.code == 0, done.said
        until(lambda: servers.inv(*words, "--yes").code == 0, 30)
        return done

    type_it(servers, "docs/your-servers.md", "Back, and retired", {"inv rollback": rollback, "inv retire": retire})
    live = servers.live()
    assert servers.servers() == {live}
    servers.assert_live(live)


def type_it(servers: Environment, page: str, heading: str, hands: Mapping[str, Typing]) -> None:
    """What a page shows below a heading; its third host is ours."""
    more = {"inv deploy": ("--yes",)}
    instead = {"web3": "h3", "production": servers.name}

    def run(task: str, *words: str) -> Done:
        return servers.inv(task, "--yes", *words)

    typed(servers, page, heading, instead=instead, more=more, hands={"inv run": run, **hands})


def test_hosts_as_their_page_has_them(tmp_path: Path) -> None:
    """One is left out, then another; both are brought along; all are asked; what they say is followed."""
    with loop_servers(tmp_path) as servers:
        assert servers.inv("deploy").code == 0
        servers.commit()
        instead = {"web1": "h1", "web3": "h3", "web4": "h4", "--color green": "--color live"}

        def again(*words: str) -> Done:
            servers.commit()
            return servers.inv(*words)

        typed(servers, "docs/hosts.md", "A host that is down before the start", instead=instead, hands={"inv": again})
        typed(servers, "docs/hosts.md", "Going on")
        servers.assert_live(servers.live())
        typed(servers, "docs/hosts.md", "A command on all hosts", instead=instead)
        follow = partial(until_interrupted, servers)
        typed(servers, "docs/hosts.md", "Logs", instead=instead, hands={"inv logs": follow})


def until_interrupted(servers: Environment, *words: str) -> Done:
    """Ctrl-C, once something was said."""
    running = servers.start(*words)
    until(lambda: running.said, 20)
    running.signal(signal.SIGINT)
    return Done(running.wait(), running.said, "")
