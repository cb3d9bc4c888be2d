"""Servers of one's own, as docs/your-servers.md describes them: hosts, a balancer, a database, and who watches."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from unittest import mock
from urllib.parse import urlsplit, urlunsplit

import yaml
from journeys.environment import NAME, PACKAGE, Environment, until
from lab.haproxy import Balancer, haproxy
from lab.hosts import Lab, LabHost, hosts
from lab.postgres import Server as Postgres, postgres
from lab.prometheus import Server, alertmanager, job, prometheus
from lab.redis import Server as Redis, redis

from deploytasks import web
from deploytasks.ports import Color

PAGE = PACKAGE / "docs/your-servers.md"
PORTS = {"blue": 8101, "green": 8102}
PATIENT = {"rollback_when": {"p99_worse": None, "p99": "20s"}}
"""Two cores carry the users, the hosts and all that watches them."""
SHARED = f".deploy/{NAME}/shared"
"""Where the embedded database lies."""
METRICS = 8404
"""Where HAProxy's exporter listens."""


class Parts(NamedTuple):
    """What stands around the deployer. The balancer is on the lab's last host."""

    lab: Lab
    balancer: Balancer
    postgres: Postgres
    redis: Redis
    prometheus: Server
    alertmanager: Server

    @property
    def web(self) -> list[LabHost]:
        """The hosts of the application."""
        return self.lab.hosts[:-1]

    @property
    def lb(self) -> LabHost:
        """The balancer's host."""
        return self.lab.hosts[-1]

    def reached_from_hosts(self, url: str) -> str:
        """A URL of a server here, as the hosts must write it."""
        parts = urlsplit(url)
        who, _, place = parts.netloc.rpartition("@")
        netloc = f"{who}@{self.lab.here}:{place.rpartition(':')[2]}"
        return urlunsplit(parts._replace(netloc=netloc))

    @property
    def secrets(self) -> dict[str, str]:
        """What the deployer knows from its environment."""
        return {
            "LIBRARY_DATABASE_URL": self.postgres.url_of("library"),
            "DEPLOY_STORE_URL": self.postgres.url_of("deploytasks"),
            "LIBRARY_REDIS_URL": self.redis.url,
        }


class OwnServers(Environment):
    """The project of docs/your-servers.md, with a lab's addresses in the place of its names."""

    def __init__(self, root: Path, parts: Parts) -> None:
        self.parts = parts
        super().__init__(root)

    @property
    def url(self) -> str:
        return self.parts.balancer.address

    @property
    def variables(self) -> dict[str, str]:
        return {**super().variables, **self.parts.secrets}

    @property
    def _places(self) -> dict[str, Any]:
        page, parts = written(), self.parts
        ssh = parts.lab.hosts[0].access().model_dump(exclude_defaults=True)
        balancer = {"host": parts.lb.endpoint, "socket": parts.balancer.socket}
        web = [{"address": host.endpoint, "name": host.name} for host in parts.web]
        own = {
            "traffic": {"public": self.url, "ssh": ssh, "balancers": [balancer], "state": str(parts.balancer.state)},
            "fleet": {
                "hosts": web, "ssh": ssh, "root": "/srv/library", "ports": PORTS, "python": sys.executable,
                "environment_file": "/srv/library.env", "start_within": "60s", "stop_within": "5s",
            },
            "metrics": {"url": parts.prometheus.url, "scrape": "1s"},
            "alerts": {"url": parts.alertmanager.url},
            "deadman": {"grace": "6s", "folder": "/srv/deploytasks"},
        }  # fmt: skip
        places = {
            key: {**value, **own.get(key, {})} if isinstance(value, dict) else value for key, value in page.items()
        }
        gates = {"level": "development"}  # what people have to say to a release is another journey
        return {**places, "gates": gates, **PATIENT}

    def assert_live(self, color: Color) -> None:
        """One color has everybody, all hosts agree on its release and run it, and nothing is open, armed or held."""
        _assert_live(self, color)

    @property
    def web(self) -> list[LabHost]:
        """The hosts of the application."""
        return self.parts.web

    def end(self) -> None:
        """Nothing of it runs here: the lab's end is its own."""
        for running in self._started:
            if running.popen.poll() is None:
                running.kill()
            running.close()


class LoopServers(Environment):
    """The same on a machine with nothing but Python: SSH servers in this process, the embedded parts around them."""

    def __init__(self, root: Path, lab: Lab) -> None:
        self.lab = lab
        self.web = lab.hosts
        super().__init__(root)
        (root / SHARED).mkdir(parents=True)

    @property
    def _places(self) -> dict[str, Any]:
        places = super()._places
        web = [{"address": one.endpoint, "name": one.name, "at": f"127.0.0.{one.number}"} for one in self.web]
        local = {name: value for name, value in places["fleet"].items() if name not in ("kind", "colors")}
        fleet = {
            **local, "kind": "ssh", "hosts": web, "ports": {"blue": self.blue, "green": self.green},
            "ssh": self.lab.hosts[0].access().model_dump(exclude_defaults=True), "root": f"{self.web[0].root}/library",
            "python": sys.executable, "batch": "50%", "start_within": "60s",
            "start": "{python} -m gunicorn library.wsgi --bind {host}:{port}",
            "environment": {**local["environment"], "LIBRARY_DATABASE": str(self.root / SHARED / "library.sqlite3")},
        }  # fmt: skip
        return {**places, **PATIENT, "fleet": fleet}

    def assert_live(self, color: Color) -> None:
        """One color has everybody, all hosts agree on its release and run it, and nothing is open, armed or held."""
        _assert_live(self, color)


def _assert_live(servers: Environment, color: Color) -> None:
    servers.assert_at_rest(color)
    found = servers.world.fleet.installed(color)
    assert found is not None
    assert found.running, found
    assert found.digest, found


@contextmanager
def loop_servers(folder: Path, count: int = 4) -> Iterator[LoopServers]:
    """Hosts in this process, and nothing of them left afterwards."""
    with hosts(folder / "lab", count, real=False) as lab:
        made = LoopServers(folder / "project", lab)
        try:
            yield made
        finally:
            made.end()


Own = TypeVar("Own", bound=OwnServers)


def written() -> dict[str, Any]:
    """The environment of the page's invoke.yaml."""
    text = re.search(r"```yaml\n(deploy:\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert text is not None, f"{PAGE.name} has no deploy section"
    found: dict[str, Any] = yaml.safe_load(text[1])["deploy"]["environments"]["production"]
    return found


@contextmanager
def own_servers(folder: Path, count: int = 4, kind: type[Own] = OwnServers) -> Iterator[Own]:  # type: ignore[assignment]
    """All of it, running, and nothing of it left afterwards."""
    with ExitStack() as stack:
        parts = _parts(folder, count, stack)
        stack.enter_context(mock.patch.dict(os.environ, parts.secrets))
        made = kind(folder / "project", parts)
        stack.callback(made.end)
        yield made


def _parts(folder: Path, count: int, stack: ExitStack) -> Parts:
    lab = stack.enter_context(hosts(folder / "lab", count + 1, real=True))
    web, lb = lab.hosts[:-1], lab.hosts[-1]
    exporter = (
        f"frontend metrics\n    bind {lb.address}:{METRICS}\n"
        "    http-request use-service prometheus-exporter if { path /metrics }\n\n"
    )
    balancer = stack.enter_context(
        haproxy(
            folder / "haproxy",
            colors={color: [f"{host.address}:{port}" for host in web] for color, port in PORTS.items()},
            listen=f"{lb.address}:8080",
            popen=partial(_run_on, lab, lb.name),
            extra={
                "backend library_blue\n": f"{exporter}backend library_blue\n",
                "timeout queue 5s\n": "timeout queue 5s\n    timeout check 5s\n",  # two cores run all of this
            },
        )
    )
    database = stack.enter_context(postgres(folder / "postgres", listen="*"))
    for name in ("library", "deploytasks"):
        database.sql(f"create database {name}")
    flags = stack.enter_context(redis(folder, secured=True, options=["bind 0.0.0.0"]))
    manager = stack.enter_context(alertmanager(folder / "alertmanager"))
    targets = [(f"{host.address}:{port}", {"color": color}) for host in web for color, port in PORTS.items()]
    jobs = [job("haproxy", f"{lb.address}:{METRICS}"), job("library", *targets)]
    watching = stack.enter_context(
        prometheus(folder / "prometheus", jobs, alertmanagers=[urlsplit(manager.url).netloc], rules=RULES, scrape="1s")
    )
    until(lambda: scraped(watching.url), 20)
    parts = Parts(lab, balancer, database, flags, watching, manager)
    for host in web:
        host.path("/srv/library.env").write_text(_environment_file(parts))
    return parts


def scraped(url: str) -> bool:
    """Whether Prometheus knows what HAProxy counts: its first scrape comes some seconds after its start."""
    answer = web.fetch(f"{url}/api/v1/query?query=haproxy_backend_http_responses_total", timeout=5)
    return b'"library_green"' in answer.body


RULES = [
    {
        "alert": "LibraryIsDown",
        "expr": 'haproxy_backend_active_servers{proxy=~"library_.*"} < 0',
        "labels": {"severity": "critical", "service": "library"},
    }
]


def _environment_file(parts: Parts) -> str:
    url = parts.reached_from_hosts(parts.postgres.url_of("library"))
    flags = parts.reached_from_hosts(parts.redis.url)
    return f"LIBRARY_DATABASE='{url}'\nLIBRARY_REDIS_URL='{flags}'\nPYTHONDONTWRITEBYTECODE=1\n"


def _run_on(lab: Lab, name: str, command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    return lab.run_in(name, command, **options)
