"""Does anybody notice a switch? Requests lost while traffic is shifted, taken back, and Envoy reconfigured.

    python benchmarks/switch.py                                   # two tiny applications and an Envoy of its own
    python benchmarks/switch.py --url http://127.0.0.1:8080 --during 'inv deploy --env development'

Lost is a request without an answer, and one that the balancer answered (502, 503, 504). A POST applied twice
counts as well: the application is asked at the end. The exit status is 1 when anything was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from load import Load, Tally  # noqa: E402  # beside this file

from deploytasks import web  # noqa: E402
from deploytasks.ports import Calls, Color, Split, other  # noqa: E402
from deploytasks.providers.envoy import Traffic  # noqa: E402
from deploytasks.providers.site import Site  # noqa: E402
from deploytasks.settings.envoy import TrafficSettings  # noqa: E402

STAGES = (10, 25, 50, 75, 100)
DUPLICATES = "/api/loans/duplicates/"


class Application(BaseHTTPRequestHandler):
    """The sample application's manners, without its weight."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 75
    server: Server

    def do_GET(self) -> None:
        """A greeting; the ids that were applied, with how often, at ``DUPLICATES``."""
        self._answer(dict(self.server.applied) if self.path == DUPLICATES else {"hello": self.server.color})

    def do_POST(self) -> None:
        """Apply once more."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.guard:
            self.server.applied[body["id"]] += 1
        self._answer({"id": body["id"]}, 201)

    def _answer(self, content: object, status: int = 200) -> None:
        time.sleep(0.004)
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("X-Color", self.server.color)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer):
    """One color."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, color: str, port: int, host: str = "127.0.0.1") -> None:
        super().__init__((host, port), Application)
        self.color = color
        self.applied: Counter[str] = Counter()
        self.guard = threading.Lock()


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@contextmanager
def applications(ports: dict[Color, int]) -> Iterator[None]:
    """Both colors, each a process of its own."""
    started = [subprocess.Popen([sys.executable, __file__, "--serve", color, str(at)]) for color, at in ports.items()]
    try:
        for port in ports.values():
            until_answers(f"http://127.0.0.1:{port}/")
        yield
    finally:
        for process in started:
            process.terminate()
            process.wait(10)


def until_answers(url: str, seconds: float = 15) -> None:
    """Return when something answers there."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            web.fetch(url, timeout=1)
        except web.Unreachable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def balancer(folder: Path, ports: dict[Color, int], listen: int, timeout: float) -> Traffic:
    """A managed Envoy in front of both; another ``timeout`` is another configuration."""
    colors = {color: f"127.0.0.1:{port}" for color, port in ports.items()}
    settings = TrafficSettings.model_validate({"listen": f"127.0.0.1:{listen}", "colors": colors, "timeout": timeout})
    site = Site("library", "benchmark", folder, folder / "state", None, "benchmark@localhost", {"traffic": settings})
    return Traffic(settings, site)


def perform(calls: Calls) -> None:
    """Make all of them."""
    for batch in calls:
        for call in batch:
            call.perform(60)


def deploy(traffic: Traffic, to: Color, pause: float) -> None:
    """All stages of a rollout, each written over the one before."""
    before = traffic.read()
    for share in STAGES:
        after = Split.partly_on(to, share, other(to), "deploy:benchmark")
        traffic.shift(after, expect=before).perform(10)
        before = after
        time.sleep(pause)


def roll_back(traffic: Traffic, to: Color, pause: float) -> None:
    """Home in one write."""
    traffic.shift(Split.all_on(to, None, "back:benchmark")).perform(10)
    time.sleep(pause)


async def under_load(url: str, rate: float, work: Callable[[], object]) -> Tally:
    """Do ``work`` in a thread while the load runs, with a second of load before and after."""
    load = Load(url, rate, gets=("/", "/api/books/"))
    load.start()
    await asyncio.sleep(1)
    try:
        await asyncio.to_thread(work)
        await asyncio.sleep(1)
    finally:
        await load.stop()
    return load.tally


def self_contained(rate: float, pause: float, rounds: int) -> int:
    """Everything in a temporary folder: a deployment, a rollback, and changes of Envoy's configuration."""
    ports: dict[Color, int] = {"blue": free_port(), "green": free_port()}
    listen = free_port()
    with tempfile.TemporaryDirectory() as folder, applications(ports):
        traffic = balancer(Path(folder), ports, listen, 10)
        perform(traffic.prepare())
        traffic.shift(Split.all_on("blue", None, "settled:before")).perform(10)
        try:
            scenes: dict[str, Callable[[], object]] = {
                "deployment": lambda: deploy(traffic, "green", pause),
                "rollback": lambda: roll_back(traffic, "blue", pause),
                "configuration": lambda: reconfigure(Path(folder), ports, listen, pause, rounds),
            }
            lost = sum(show(name, under_load(traffic.address(), rate, work)) for name, work in scenes.items())
        finally:
            perform(traffic.shut_down())
            twice = sum(times > 1 for times in applied(ports).values())
    print(f"POSTs applied twice: {twice}")
    print("nothing was lost" if not lost + twice else f"LOST: {lost + twice}")
    return 1 if lost + twice else 0


def reconfigure(folder: Path, ports: dict[Color, int], listen: int, pause: float, rounds: int) -> None:
    """Hot restarts, each waiting until the process before is gone."""
    for number in range(rounds):
        traffic = balancer(folder, ports, listen, 10 + 0.25 * (1 + number))
        calls = traffic.prepare()
        if not calls:
            raise RuntimeError("a changed configuration must ask for a call")
        perform(calls)
        until_alone(folder)
        time.sleep(pause)


def until_alone(folder: Path, seconds: float = 60) -> None:
    """Return when the old Envoy has ended."""
    from deploytasks.providers.envoy.place import Place

    deadline = time.monotonic() + seconds
    while Place(folder / "state" / "envoy").read_state().others and time.monotonic() < deadline:
        time.sleep(0.1)


def applied(ports: dict[Color, int]) -> Counter[str]:
    """How often each POST was applied, in both colors together."""
    found: Counter[str] = Counter()
    for port in ports.values():
        found.update(json.loads(web.fetch(f"http://127.0.0.1:{port}{DUPLICATES}", timeout=10).body))
    return found


def during(url: str, rate: float, command: str) -> int:
    """The load against ``url`` while a command runs."""
    codes: list[int] = []
    lost = show(
        command,
        under_load(url, rate, lambda: codes.append(subprocess.run(command, shell=True, check=False).returncode)),
    )
    answer = web.fetch(f"{url}{DUPLICATES}", timeout=10)
    twice = int(json.loads(answer.body)["duplicates"]) if answer.status == 200 else 0
    print(f"POSTs applied twice: {twice if answer.status == 200 else f'unknown (status {answer.status})'}")
    print(f"the command left with {codes[0]}")
    print("nothing was lost" if not lost + twice else f"LOST: {lost + twice}")
    return 1 if lost + twice or answer.status != 200 else codes[0]


def show(name: str, tally: object) -> int:
    """Run one scene and print it; how many requests were lost."""
    found: Tally = asyncio.run(tally)  # type: ignore[arg-type]  # a coroutine, made by the caller
    print(f"{name}\n{found.summary()}", flush=True)
    return found.lost


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--self-contained", action="store_true", help="an environment of its own (the default)")
    parser.add_argument("--url", help="a balancer that runs already")
    parser.add_argument("--during", metavar="COMMAND", help="what to run meanwhile")
    parser.add_argument("--rate", type=float, default=200, help="requests per second (%(default)s)")
    parser.add_argument("--pause", type=float, default=2, help="seconds per stage (%(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="changes of configuration (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="half a second per stage, one change of configuration")
    parser.add_argument("--serve", nargs=2, metavar=("COLOR", "ADDRESS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        host, _, port = given.serve[1].rpartition(":")
        Server(given.serve[0], int(port), host or "127.0.0.1").serve_forever()
    if bool(given.url) != bool(given.during):
        parser.error("--url and --during belong together")
    if given.url:
        return during(given.url.rstrip("/"), given.rate, given.during)
    return self_contained(given.rate, *((0.5, 1) if given.quick else (given.pause, given.rounds)))


if __name__ == "__main__":
    sys.exit(main())
