"""A real Prometheus, a real Alertmanager, and exporters that a test controls."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import urlopen

from lab.parts import program

T = TypeVar("T")
HOST = "127.0.0.1"


def until(found: Callable[[], T], seconds: float = 20.0) -> T:
    """What ``found`` gives, once that is something."""
    deadline = time.monotonic() + seconds
    while not (seen := found()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s; the last was {seen!r}"
        time.sleep(0.02)
    return seen


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as held:
        held.bind((HOST, 0))
        return int(held.getsockname()[1])


class Server:
    """A daemon with an HTTP port. ``kill`` and ``start`` as often as one likes; its data stay."""

    def __init__(self, folder: Path, command: Sequence[str], port: int, ready: str) -> None:
        self.url = f"http://{HOST}:{port}"
        self.port = port
        self._folder = folder
        self._command = command
        self._ready = self.url + ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=log, stderr=log)
        until(self._is_ready)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()[-3000:]
        with suppress(OSError), urlopen(self._ready, timeout=2) as answer:
            return bool(answer.status == 200)
        return False


class Exporter:
    """A page for Prometheus to scrape. ``text`` is what it says; ``None``: it answers 503, a target that is down."""

    def __init__(self, text: str | None = "") -> None:
        self.text = text
        self.scrapes = 0
        self._server = _Page((HOST, 0), _Scraped)
        self._server.exporter = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def target(self) -> str:
        """``host:port``."""
        return f"{HOST}:{self._server.server_address[1]}"

    def say(self, text: str | None, scrapes: int = 2) -> None:
        """Say this from now on, and wait until it was scraped so often."""
        self.text = text
        seen = self.scrapes
        until(lambda: self.scrapes >= seen + scrapes)

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Page(ThreadingHTTPServer):
    daemon_threads = True
    exporter: Exporter


class _Scraped(BaseHTTPRequestHandler):
    server: _Page

    def do_GET(self) -> None:
        text = self.server.exporter.text
        body = (text or "").encode()
        self.send_response(503 if text is None else 200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)
        self.server.exporter.scrapes += 1

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def exporters(count: int) -> Iterator[list[Exporter]]:
    """So many, and none afterwards."""
    found = [Exporter() for _ in range(count)]
    try:
        yield found
    finally:
        for each in found:
            each.close()


def job(name: str, *targets: str | tuple[str, Mapping[str, str]], **more: Any) -> dict[str, Any]:
    """A scrape configuration: targets, each with labels of its own if need be."""
    pairs = [(each, {}) if isinstance(each, str) else each for each in targets]
    static = [{"targets": [target], "labels": dict(labels)} for target, labels in pairs]
    return {"job_name": name, "static_configs": static, **more}


@contextmanager
def prometheus(
    folder: Path,
    jobs: Sequence[Mapping[str, Any]] = (),
    *,
    rules: Sequence[Mapping[str, Any]] = (),
    alertmanagers: Sequence[str] = (),
    scrape: str = "250ms",
) -> Iterator[Server]:
    """A Prometheus that scrapes these jobs. Its first scrape comes about five seconds after its start: let many
    tests share one."""
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "global": {"scrape_interval": scrape, "scrape_timeout": scrape, "evaluation_interval": scrape},
        "scrape_configs": list(jobs),
    }
    if rules:
        groups = {"groups": [{"name": "all", "rules": list(rules)}]}
        (folder / "rules.json").write_text(json.dumps(groups))
        config["rule_files"] = [str(folder / "rules.json")]
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]}
    (folder / "prometheus.json").write_text(json.dumps(config))  # JSON is YAML
    port = free_port()
    command = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.json'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={HOST}:{port}",
        "--log.level=warn",
    ]
    yield from _running(Server(folder, command, port, "/-/ready"))


@contextmanager
def alertmanager(folder: Path) -> Iterator[Server]:
    """An Alertmanager that tells nobody."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "alertmanager.json").write_text(json.dumps({"route": {"receiver": "no"}, "receivers": [{"name": "no"}]}))
    port = free_port()
    command = [
        program("prometheus-alertmanager"),
        f"--config.file={folder / 'alertmanager.json'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={HOST}:{port}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    yield from _running(Server(folder, command, port, "/-/ready"))


def _running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.kill()
