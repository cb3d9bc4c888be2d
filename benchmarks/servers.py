"""Does anybody notice a deployment to four hosts behind HAProxy? Requests lost, counted one by one.

    python benchmarks/servers.py

Hosts in network namespaces, HAProxy, PostgreSQL, Redis, Prometheus; real ``inv`` processes; 500 requests/s, GET and
POST, half of them on kept connections. Three scenes: a deployment, with a reload of HAProxy in the middle of a
stage; a rollback; a deployment with HAProxy stopped and started in the middle of a stage. Requests that were under way
while HAProxy was stopped are counted apart. The exit status is 1 when any other was lost, when a POST was applied
twice, or when the weights changed. Needs root and the programs that `.ci/run` installs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "tests")]

from journeys.environment import until  # noqa: E402  # beside this folder
from journeys.servers import PORTS, OwnServers, own_servers  # noqa: E402
from load import Load, Tally  # noqa: E402

from deploytasks import web  # noqa: E402

DUPLICATES = "/api/loans/duplicates/"


class Small(OwnServers):
    """The servers with an application that costs next to nothing: two cores carry all of this."""

    @property
    def _places(self) -> dict[str, Any]:
        places = super()._places
        start = f"{{python}} {HERE / 'switch.py'} --serve {{color}} {{host}}:{{port}}"
        places["fleet"] = {**places["fleet"], "start": start, "drain_within": "10s"}
        places["metrics"] = {"kind": "haproxy", "log": str(self.parts.balancer.log)}
        places["smoke"] = {"checks": [{"name": "health", "path": "/health"}]}
        places["watch"] = "5s"
        del places["database"]
        return places


class Outage(NamedTuple):
    """When HAProxy was stopped, and when it answered again (``time.monotonic()``)."""

    began: float
    ended: float

    def excuses(self, failure: tuple[float, float]) -> bool:
        """Whether a request that failed was under way meanwhile."""
        return failure[0] <= self.ended and self.began <= failure[1]


async def under_load(url: str, rate: float, work: Callable[[], None]) -> Tally:
    """Do ``work`` in a thread while the load runs, with a second of load before and after."""
    load = Load(url, rate)
    load.start()
    await asyncio.sleep(1)
    try:
        await asyncio.to_thread(work)
        await asyncio.sleep(1)
    finally:
        await load.stop()
    return load.tally


def deploy(servers: Small, disturb: Callable[[], None] | None = None) -> None:
    """A deployment; ``disturb`` is done at 50 %."""
    servers.commit(faults={})
    running = servers.start("deploy", "--yes")
    if disturb:
        servers.until_at(running, "50 %")
        before = servers.split()
        disturb()
        assert servers.split() == before, f"{servers.split()} after {before}"
    assert running.wait(300) == 0, running.said


def roll_back(servers: Small) -> None:
    """A rollback, with its watch."""
    done = servers.inv("rollback", "--yes", "--reason", "the benchmark")
    assert done.code == 0, done.said


def scenes(servers: Small, outages: list[Outage]) -> Iterator[tuple[str, Callable[[], None]]]:
    """What is done under load."""

    def restart() -> None:
        began = time.monotonic()
        servers.parts.balancer.restart()
        until(lambda: web.fetch(f"{servers.url}/health", timeout=1).status == 200, 20)
        outages.append(Outage(began, time.monotonic()))

    yield "a deployment, HAProxy reloaded at 50 %", lambda: deploy(servers, servers.parts.balancer.reload)
    yield "a rollback", lambda: roll_back(servers)
    yield "a deployment, HAProxy stopped and started at 50 %", lambda: deploy(servers, restart)


def applied_twice(servers: Small) -> int:
    """How many POSTs reached the application more than once, on all hosts and both colors together."""
    found: Counter[str] = Counter()
    for host in servers.parts.web:
        for port in PORTS.values():
            found.update(json.loads(web.fetch(f"http://{host.address}:{port}{DUPLICATES}", timeout=10).body))
    return sum(times > 1 for times in found.values())


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=float, default=500, help="requests per second (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="100 requests per second")
    given = parser.parse_args()
    lost = 0
    with tempfile.TemporaryDirectory(prefix="servers-") as folder, own_servers(Path(folder), kind=Small) as servers:
        done = servers.inv("deploy", "--yes", timeout=180)
        assert done.code == 0, done.said
        for name, work in scenes(servers, outages := []):
            tally = asyncio.run(under_load(servers.url, 100 if given.quick else given.rate, work))
            excused = sum(any(outage.excuses(failure) for outage in outages) for failure in tally.failures)
            lost += len(tally.failures) - excused
            print(f"{name}\n{tally.summary()}\n  {'under way when HAProxy was stopped':26} {excused}", flush=True)
        twice = applied_twice(servers)
    print(f"POSTs applied twice: {twice}")
    print("nothing else was lost" if not lost + twice else f"LOST: {lost + twice}")
    return 1 if lost + twice else 0


if __name__ == "__main__":
    sys.exit(main())
