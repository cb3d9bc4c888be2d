"""A real application (a few lines of http.server), real releases of it, and a fleet of this machine."""

from __future__ import annotations

import hashlib
import io
import socket
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploytasks.ports import COLORS, Calls, Release
from deploytasks.providers.local import LocalFleet
from deploytasks.providers.site import Site
from deploytasks.settings.local import LocalFleetSettings

APPLICATION = """
import http.server, json, os, sys

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            self.send_response(int(os.environ.get("HEALTH", "200")))
            self.end_headers()
            self.wfile.write(b"the database is away" if os.environ.get("HEALTH") else b"fine")
        else:
            self.send_response(200)
            self.end_headers()
            names = ("PORT", "COLOR", "RELEASE", "VERSION", "GREETING")
            seen = {name: os.environ.get(name) for name in names}
            self.wfile.write(json.dumps({**seen, "folder": os.getcwd(), "pid": os.getpid()}).encode())

    def log_message(self, *given):
        pass

print("listening at", sys.argv[1], flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""

MakeRelease = Callable[..., Release]
MakeFleet = Callable[..., LocalFleet]


def perform(calls: Calls, timeout: float = 20.0) -> None:
    """Carry calls out, as ``World.perform`` does."""
    for batch in calls:
        for call in batch:
            call.perform(timeout)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A project whose path has a blank, a quote and a dollar: what is not quoted breaks."""
    root = tmp_path / "a $HOME 'project'"
    root.mkdir()
    return Site("app", "development", root, root / ".deploy", None, "ann@here")


@pytest.fixture
def make_release(tmp_path: Path) -> MakeRelease:
    """Makes a release of the application; ``files`` adds to it."""

    def make(version: str = "1.0.0", **files: str) -> Release:
        archive = tmp_path / f"{version}.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            for name, text in {"app.py": APPLICATION, "version.txt": version, **files}.items():
                info = tarfile.TarInfo(name)
                info.size = len(text.encode())
                tar.addfile(info, io.BytesIO(text.encode()))
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        return Release(version, "c0ffee", digest, str(archive))

    return make


@pytest.fixture
def make_fleet(site: Site) -> Iterator[MakeFleet]:
    """Makes a fleet of this machine; all that it started is stopped at the end."""
    ports = {color: free_port() for color in COLORS}
    made: list[LocalFleet] = []

    def make(**settings: Any) -> LocalFleet:
        given = {
            "colors": {color: f"127.0.0.1:{port}" for color, port in ports.items()},
            "start": "{python} app.py {port}",
            "python": sys.executable,
            "start_within": 10.0,
            "stop_within": 5.0,
            **settings,
        }
        made.append(LocalFleet(LocalFleetSettings.model_validate(given), site))
        return made[-1]

    yield make
    for fleet in made[-1:]:
        for color in COLORS:
            perform(fleet.stop(color))


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> LocalFleet:
    """A fleet with the usual settings."""
    return make_fleet()
