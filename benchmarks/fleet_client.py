"""The processes that ``fleet.py`` measures: an installation by this project, and the same by a bare paramiko pool.

    python benchmarks/fleet_client.py ours|bare ORDER.json

Prints one line of JSON: what this very process took, and how often each host was asked.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]


class Order(NamedTuple):
    """What is installed where. ``hosts``: name → (address, port); ``release``: the fields of ``ports.Release``."""

    hosts: dict[str, tuple[str, int]]
    user: str
    key: str
    known_hosts: str
    root: str
    release: dict[str, Any]
    at_once: int


class Told(NamedTuple):
    """What a process says of itself: seconds of the installation alone, and how often each host was asked."""

    seconds: float
    trips: dict[str, int]


def ours(order: Order) -> Told:
    """Install as a fleet does. Round trips are the commands that were sent, and connecting."""
    sys.path.insert(0, str(ROOT))
    from deploytasks.ports import Release
    from deploytasks.providers import ssh
    from deploytasks.providers.hosts.installing import install
    from deploytasks.providers.hosts.layout import Layout
    from deploytasks.settings.ssh import SshAccess

    release = Release(**order.release)
    access = SshAccess(user=order.user, key=order.key, known_hosts=order.known_hosts, ssh_config="/dev/null")
    members = [
        ssh.host(f"{address}:{port}", access, Path("/"), name=name) for name, (address, port) in order.hosts.items()
    ]
    archives = Path(release.archive).parent
    began = time.perf_counter()
    with ThreadPoolExecutor(order.at_once) as pool:
        list(pool.map(lambda host: install(host, Layout(order.root), release, "blue", archives, 300.0), members))
    seconds = time.perf_counter() - began
    return Told(seconds, {host.name: host.round_trips + host.connection.connects for host in members})


def bare(order: Order) -> Told:
    """Stream the archive into ``tar`` over paramiko alone; host keys are verified here as well."""
    import paramiko

    archive = order.release["archive"]
    command = f"mkdir -p {order.root} && tar xzf - -C {order.root}"

    def install(address: str, port: int) -> None:
        client = paramiko.SSHClient()
        client.load_host_keys(order.known_hosts)
        client.connect(
            address, port, order.user, key_filename=order.key, allow_agent=False, look_for_keys=False, timeout=30
        )
        with client:
            stdin, stdout, stderr = client.exec_command(command)
            with Path(archive).open("rb") as source:
                while piece := source.read(32 * 1024):
                    stdin.channel.sendall(piece)
            stdin.channel.shutdown_write()
            code = stdout.channel.recv_exit_status()
            if code:
                raise SystemExit(f"{address}: tar left with {code}: {stderr.read().decode()}")

    began = time.perf_counter()
    with ThreadPoolExecutor(order.at_once) as pool:
        list(pool.map(lambda where: install(*where), order.hosts.values()))
    return Told(time.perf_counter() - began, dict.fromkeys(order.hosts, 2))


def main() -> None:
    """Do it, and say what it took."""
    kind, path = sys.argv[1:]
    order = Order(**json.loads(Path(path).read_text()))
    told = {"ours": ours, "bare": bare}[kind](order)
    used = resource.getrusage(resource.RUSAGE_SELF)
    scale = 1 if sys.platform == "darwin" else 1024  # getrusage(2): Linux counts in KiB
    print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss * scale, **told._asdict()}))


if __name__ == "__main__":
    main()
