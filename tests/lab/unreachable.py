"""A project whose environment stands behind nothing that answers: every system it has is silent, dropped or refused.

``silent``: connections are made, and nobody ever says a word. ``dropped``: packets vanish; the command runs in a
network of its own, where that is so for every address but this machine's. ``refused``: nobody listens.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import deploytasks
from lab.parts import lacking

How = Literal["silent", "dropped", "refused"]
HOWS: tuple[How, ...] = ("silent", "dropped", "refused")
PACKAGE = Path(deploytasks.__file__).parents[1]
_NOWHERE = "192.0.2.7"
"""An address of nobody (RFC 5737)."""
_NETWORK = f"""ip link set lo up && ip link add nowhere type veth peer name nobody && ip link set nobody up &&
ip addr add 192.0.2.1/24 dev nowhere && ip link set nowhere up &&
ip neigh add {_NOWHERE} lladdr 02:00:00:00:00:07 dev nowhere nud permanent &&
ip route add default via {_NOWHERE} && exec "$@" """
"""A network in which packets are sent, and never arrive: the other end of its only link takes none of them."""


_MIGRATION = """from django.db import migrations


class Migration(migrations.Migration):
    operations = []
"""


class Place(NamedTuple):
    """Where everything is said to be."""

    host: str
    port: int
    how: How


class Done(NamedTuple):
    """How a command left, what it said, and after how many seconds."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def answer(self) -> dict[str, Any]:
        """The JSON object on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found


@contextmanager
def place(how: How) -> Iterator[Place]:
    """An address at which nobody answers."""
    if how == "dropped":
        if subprocess.run(["unshare", "--net", "sh", "-c", _NETWORK, "sh", "true"], check=False).returncode:
            lacking("a network of one's own needs root, unshare and ip")
        yield Place(_NOWHERE, 7, how)
        return
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        port = int(listening.getsockname()[1])
        if how == "silent":
            yield Place("127.0.0.1", port, how)
    if how == "refused":
        yield Place("127.0.0.1", port, how)


class Project:
    """A repository with a commit, a remote, and a protected environment ``production`` that knows ``at`` alone."""

    def __init__(self, root: Path, at: Place, **changes: Any) -> None:
        self.root = root
        self._at = at
        (root / "app").mkdir(parents=True)
        (root / "home" / ".ssh").mkdir(parents=True)
        (root / "tasks.py").write_text("from deploytasks import namespace\n")
        (root / "app" / "app.py").write_text("print('hello')\n")
        (root / "app" / "shelf" / "migrations").mkdir(parents=True)
        (root / "app" / "shelf" / "migrations" / "__init__.py").touch()
        (root / "app" / "shelf" / "migrations" / "0001_initial.py").write_text(_MIGRATION)
        (root / ".gitignore").write_text(".deploy/\nhome/\n__pycache__/\n")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / "home" / "key")], check=True)
        public = (root / "home" / "key.pub").read_text().split()
        (root / "known_hosts").write_text(f"[{at.host}]:{at.port} {public[0]} {public[1]}\n")
        (root / "allowed_signers").write_text(f"ann@example.org {public[0]} {public[1]}\n")
        self._configure(changes)
        self._commit()

    def _configure(self, changes: dict[str, Any]) -> None:
        host, port = self._at.host, self._at.port
        url = f"http://{host}:{port}"
        secure = url if host == "127.0.0.1" else f"https://{host}:{port}"
        environment = {
            "protected": True,
            "traffic": {"kind": "haproxy", "public": url, "balancers": [f"{host}:{port}"]},
            "fleet": {
                "kind": "ssh",
                "hosts": [{"address": f"deploy@{host}:{port}", "name": f"web{number}"} for number in range(1, 9)],
                "ports": {"blue": port, "green": port - 1 if port > 1 else 2},
                "service": "library-{color}",
                "ssh": {"known_hosts": "known_hosts", "key": "home/key"},
            },
            "metrics": {"kind": "prometheus", "url": url, "counts": "haproxy", "latency": "django"},
            "alerts": {"kind": "alertmanager", "url": url, "match": {"service": "library"}},
            "database": {"kind": "postgres", "url_from": "DATABASE_URL", "preset": "django"},
            "maintenance": {"kind": "redis", "url": f"redis://{host}:{port}/0"},
            "store": {"kind": "postgres", "url_from": "STORE_URL"},
            "reviews": {"kind": "github", "repository": "octo/library", "url": secure},
            "gates": {"infrastructure": ["terraform/**"], "database_team": "octo/database", **changes.pop("gates", {})},
            **changes,
        }
        given = {name: value for name, value in environment.items() if value is not None}
        deploy = {
            "application": "library",
            "source": "app",
            "tests": "{python} -c pass",
            "environments": {"production": given, "staging": {**given, "protected": False}},
        }
        executor = {"executor_class": "deploytasks.executor.ChainExecutor"}
        (self.root / "invoke.yaml").write_text(json.dumps({"tasks": executor, "deploy": deploy}))

    def _commit(self) -> None:
        for command in (
            ("init", "--quiet", "--initial-branch=main"),
            ("config", "user.email", "ann@example.org"),
            ("config", "user.name", "Ann"),
            ("remote", "add", "origin", f"http://{self._at.host}:{self._at.port}/library.git"),
            ("add", "--all"),
            ("commit", "--quiet", "--message=Begin"),
        ):
            subprocess.run(["git", *command], cwd=self.root, check=True)

    def inv(self, *arguments: str, timeout: float = 120.0) -> Done:
        """Run ``inv … --env production`` to its end."""
        command = [sys.executable, "-m", "invoke", *arguments, "--env", "production"]
        if self._at.how == "dropped":
            command = ["unshare", "--net", "sh", "-c", _NETWORK, "sh", *command]
        database = f"postgresql://app:{'x' * 12}@{self._at.host}:{self._at.port}"
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
        own = {
            **kept,
            "HOME": str(self.root / "home"),
            "PYTHONPATH": str(PACKAGE),
            "DATABASE_URL": f"{database}/library",
            "STORE_URL": f"{database}/ledger",
            "GITHUB_TOKEN": "ghp_" + "y" * 36,
            "DEPLOY_WHO": "ann@desk",
        }
        began = time.monotonic()
        done = subprocess.run(
            command, cwd=self.root, env=own, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)
