"""What it costs a rollback that everybody is told of it, when nobody answers.

The sample application is deployed twice, as in benchmarks/rollback.py. Slack, PagerDuty, Sentry, New Relic and GitHub
are servers of our own (tests/lab). Then, in turn: a rollback with all of them up, and with all of them down:
``refused`` (nobody listens), ``dropped`` (connections are never made), ``silent`` (they are made, and nobody says a
word). Once with `--no-watch`, where another process tells, and once with a watch of two seconds, where this one does.

    python benchmarks/telling.py [--rounds 11] [--quick] [--python PATH/TO/INSTALLED/PYTHON]

Times are of whole processes. Says as well how long it takes until Slack has heard of a rollback. Leaves with 1 when a
median ratio of down to up is above 1.1.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

import yaml  # noqa: E402  # beside this file, and what tests have
from lab.github import GitHub, github  # noqa: E402
from lab.newrelic import NewRelic, newrelic  # noqa: E402
from lab.pagerduty import PagerDuty, pagerduty  # noqa: E402
from lab.sentry import Sentry, sentry  # noqa: E402
from lab.slack import Slack, slack  # noqa: E402
from rollback import BAR_BROKEN, Environment, measured, ms, report  # noqa: E402
from startup import installed  # noqa: E402

from deploytasks.ports import Split  # noqa: E402

HOWS = ("refused", "dropped", "silent")
WATCHES = {"no watch": ("--no-watch",), "watched": ()}
WATCH = "2s"


class Services(NamedTuple):
    """All that can be told."""

    slack: Slack
    pagerduty: PagerDuty
    sentry: Sentry
    newrelic: NewRelic
    github: GitHub

    def secrets(self, host: str = "") -> dict[str, str]:
        """The variables that prove who we are; Slack's has the address as well."""
        return {
            "SLACK_WEBHOOK_URL": moved(self.slack.hook, host),
            "PAGERDUTY_ROUTING_KEY": self.pagerduty.routing_key,
            "PAGERDUTY_API_TOKEN": self.pagerduty.token,
            "SENTRY_API_TOKEN": self.sentry.token,
            "NEW_RELIC_API_KEY": self.newrelic.key,
            "GITHUB_TOKEN": self.github.token,
        }

    def sections(self, host: str = "") -> dict[str, Any]:
        """What the configuration says about them. ``host``: where they are said to be, if not where they are."""
        pager = {"kind": "pagerduty", "url": moved(self.pagerduty.url, host)}
        seen = {"kind": "sentry", "url": moved(self.sentry.url, host)}
        seen |= {"organization": self.sentry.organization, "project": self.sentry.project}
        relic = {"kind": "newrelic", "url": moved(self.newrelic.url, host), "account": self.newrelic.account}
        hub = {"kind": "github", "url": moved(self.github.url, host), "repository": self.github.repository}
        return {
            "messages": [{"kind": "console"}, {"kind": "slack"}, pager],
            "markers": [seen, {**relic, "app": "Shop"}, hub],
            "alerts": {**pager, "services": [self.pagerduty.service]},
        }


def moved(url: str, host: str) -> str:
    """The same address at another place."""
    return url.replace(urlsplit(url).netloc, host) if host else url


class Told(Environment):
    """The sample application, whose rollbacks others hear of."""

    def __init__(self, folder: Path, python: Path, services: Services) -> None:
        super().__init__(folder, python)
        self._services = services
        self._whole: dict[str, Any] = {}
        self.heard: list[float] = []
        """Seconds from the end of a rollback until Slack had heard of it."""

    def bring_up(self) -> None:
        """As it is, with nobody who is told yet."""
        super().bring_up()
        self._whole = yaml.safe_load((self.folder / "invoke.yaml").read_text())
        self.tell_what_waits()

    def say(self, host: str = "", *, watched: bool = False) -> None:
        """Write the configuration: everybody is there, or said to be at ``host``. A watch asks PagerDuty for incidents,
        too: how long it waits for that is not what is measured here."""
        whole = json.loads(json.dumps(self._whole))
        place = whole["deploy"]["environments"]["development"]
        place |= {**self._services.sections(host), "after_rollback": WATCH, "hold": "1s"}
        if watched:
            del place["alerts"]
        (self.folder / "invoke.yaml").write_text(json.dumps(whole))
        os.environ.update(self._services.secrets(host))

    def tell_what_waits(self) -> None:
        """Let nothing wait from before, and nobody be at work."""
        for pid in processes(self.folder):
            os.kill(pid, 9)
        self.say()
        subprocess.run(
            self._inv("notify-deployment", "--flush", "--env", "development"),
            cwd=self.folder, check=True, capture_output=True,
        )  # fmt: skip

    def back(self, home: Split, host: str, *more: str) -> float:
        """Seconds of a rollback, after which Slack has heard of it, where it can."""
        self.tell_what_waits()
        self.say(host, watched=not more)
        before = len(self._services.slack.messages)
        took = self._timed(home, more)
        if not host:
            self._wait_for_slack(before)
        return took

    def _timed(self, home: Split, more: tuple[str, ...]) -> float:
        self._traffic.shift(home).perform(10.0)
        command = ("rollback", "--env", "development", "--reason", "benchmark", *more)
        began = time.perf_counter()
        subprocess.run(self._inv(*command), cwd=self.folder, check=False, stdin=subprocess.DEVNULL, capture_output=True)
        took = time.perf_counter() - began
        if self.split().live != home.way_back:
            raise SystemExit(f"traffic is at {self.split().weights()} after a rollback")
        shutil.rmtree(self.state / "spool", ignore_errors=True)
        return took

    def _wait_for_slack(self, before: int) -> None:
        began = time.perf_counter()
        while len(self._services.slack.messages) == before:
            if time.perf_counter() - began > 60:
                raise SystemExit("Slack never heard of it")
            time.sleep(0.005)
        self.heard.append(time.perf_counter() - began)


def processes(folder: Path) -> Iterator[int]:
    """Those that were left behind to tell what waits, there."""
    for file in Path("/proc").glob("[0-9]*"):
        try:
            words = (file / "cmdline").read_bytes().split(b"\0")
            if b"deliver" in words and b"deploytasks" in words and (file / "cwd").readlink() == folder:
                yield int(file.name)
        except OSError:
            continue


# -- being down ------------------------------------------------------------------------------------------------


@contextmanager
def refused() -> Iterator[str]:
    """Where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{one.getsockname()[1]}"
    yield host


@contextmanager
def dropped() -> Iterator[str]:
    """Where connections are never made: a queue that is full, so that the system lets further ones go unanswered."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        yield f"127.0.0.1:{full.getsockname()[1]}"


@contextmanager
def silent() -> Iterator[str]:
    """Where connections are made, and nobody says a word."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(512)
        yield f"127.0.0.1:{one.getsockname()[1]}"


Measure = Callable[[], float]


def measures(place: Told, home: Split, hosts: Mapping[str, str], more: tuple[str, ...]) -> dict[str, Measure]:
    """By how everybody is: seconds of a rollback."""
    return {name: (lambda host=host: place.back(home, host, *more)) for name, host in {"up": "", **hosts}.items()}  # type: ignore[misc]


def main() -> int:
    """Deploy, measure, print, judge, take down."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--quick", action="store_true", help="5 rounds")
    parser.add_argument(
        "--python", type=Path, help="the Python of an environment that has deploytasks[local] installed"
    )
    asked = parser.parse_args()
    rounds = 5 if asked.quick else asked.rounds
    with tempfile.TemporaryDirectory(prefix="told") as name, ExitStack() as stack:
        folder = Path(name).resolve()
        python = (asked.python or installed(folder, "local")).absolute()
        services = Services(*(stack.enter_context(lab()) for lab in (slack, pagerduty, sentry, newrelic, github)))
        services.newrelic.entity("Shop")
        hosts = {how.__name__: stack.enter_context(how()) for how in (refused, dropped, silent)}
        place = Told(folder / "site", python, services)
        within = True
        try:
            place.bring_up()
            home = place.split()
            for watch, more in WATCHES.items():
                print(f"{watch}:")
                within &= report(measured(measures(place, home, hosts, more), rounds), BAR_BROKEN)
                print(f"  Slack has heard {ms(place.heard)} after its end, when it is up")
                place.heard.clear()
        finally:
            place.tell_what_waits()
            place.tear_down()
    print("met" if within else "missed")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
