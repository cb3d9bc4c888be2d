"""An archive of 6 MB and 1,500 files to many hosts: OpenSSH alone, we, pyinfra and Ansible, on the same hosts.

    python benchmarks/fleet.py [--only transfer|delta|hundred] [--rounds 9] [--quick]

Hosts are OpenSSH servers in network namespaces: this takes root. Their disks are in memory: twenty hosts that share one
disk would measure that disk, and ext4 avoids for a minute the inodes that the round before has given back. Rounds are
interleaved, and every process is a fresh one. Ansible, which takes most of a minute, has three rounds; what counts is
the median of each.

transfer  20 hosts, 16 at once. Bars: ours at most 1.15 × OpenSSH streaming into ``tar``, less than pyinfra, at most
          0.15 × Ansible, and at most 6 round trips per host, connecting included.
delta     the next release, with 1 % of the files changed: at most 0.4 × the time and 10 % of the bytes of the first.
hundred   100 hosts: at most 150 MB of memory, and 1.2 × the CPU of a bare paramiko pool that does the same transfers.

Leaves with 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

import fleet_peers as peers  # noqa: E402  # beside this file
from lab.hosts import Lab, hosts  # noqa: E402

from deploytasks.ports import Release  # noqa: E402
from deploytasks.release import archive  # noqa: E402
from deploytasks.release.archive import Entry  # noqa: E402

FILES = 1500
SIZE = 6_000_000
AT_ONCE = 16
CLIENT = Path(__file__).parent / "fleet_client.py"


class Bar(NamedTuple):
    """One claim and what was measured."""

    name: str
    found: float
    bar: float
    form: str = "{:.2f}"

    @property
    def is_met(self) -> bool:
        """At most."""
        return self.found <= self.bar

    def __str__(self) -> str:
        found, bar = self.form.format(self.found), self.form.format(self.bar)
        return f"  {'ok  ' if self.is_met else 'MISS'} {self.name:58} {found:>9}   bar {bar}"


class Run(NamedTuple):
    """What one process took: seconds, and what it said of itself."""

    seconds: float
    said: dict[str, Any]
    sent: int = 0
    """Bytes that arrived at all hosts together."""


class Bench:
    """A laboratory, two releases, and a folder for everything."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.first = build(folder, "1.0.0", content())
        self.second = build(folder, "1.1.0", content(changed=FILES // 100))

    def job(self, who: str) -> peers.Job:
        """The same work for somebody else."""
        folder = self.folder / who
        folder.mkdir(exist_ok=True)
        config = self.lab.ssh_config(folder / "ssh_config")
        names = tuple(host.name for host in self.lab.hosts)
        root = f"{self.lab.hosts[0].root}/{who}"
        return peers.Job(folder, config, names, Path(self.first.archive), self.first.digest, root, AT_ONCE)

    def client(self, who: str, release: Release) -> list[str]:
        """A process of ``fleet_client``."""
        one = self.lab.hosts[0]
        order = self.folder / f"{who}-{release.version}.json"
        order.write_text(
            json.dumps(
                {
                    "hosts": {host.name: (host.address, host.port) for host in self.lab.hosts},
                    "user": one.user, "key": str(one.key), "known_hosts": str(one.known_hosts),
                    "root": f"{one.root}/{who}", "release": release._asdict(), "at_once": AT_ONCE,
                }
            )
        )  # fmt: skip
        return [sys.executable, str(CLIENT), who, str(order)]

    def clear(self, who: str) -> None:
        """Take away what somebody has installed."""
        for host in self.lab.hosts:
            shutil.rmtree(host.path(f"{host.root}/{who}"), ignore_errors=True)

    def measured(self, who: str, command: Sequence[str]) -> Run:
        """Run it, and look whether every file is there on every host."""
        before, began = self.arrived(), time.perf_counter()
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(f"{who} left with {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        said = done.stdout.strip().splitlines()[-1:]
        is_client = bool(said) and said[0].startswith("{")
        return Run(seconds, json.loads(said[0]) if is_client else {}, self.arrived() - before)

    def arrived(self) -> int:
        """Bytes that have gone to all hosts so far, by the counters of our ends of their links."""
        links = [getattr(host, "link") for host in self.lab.hosts]  # noqa: B009  # only real hosts have one
        return sum(int(Path(f"/sys/class/net/{link}/statistics/tx_bytes").read_text()) for link in links)

    def check(self, who: str, release: Release) -> None:
        """Every host has every file of the release, byte for byte."""
        wanted = dict(contents(release))
        for host in self.lab.hosts:
            top = host.path(f"{host.root}/{who}")
            found = sorted(top.rglob("static/*/*.js")) if who in ("openssh", "bare") else _current(top, host)
            if {file.name: file.read_bytes() for file in found} != wanted:
                raise SystemExit(f"{host.name}: what {who} has installed is not the release")


def _current(top: Path, host: Any) -> list[Path]:
    link = top / "current-blue"
    return sorted((top / link.readlink()).rglob("static/*/*.js"))


def content(changed: int = 0) -> list[Entry]:
    """Files that no compression makes smaller, always the same ones; ``changed`` of them otherwise."""
    some = random.Random(1)
    each = SIZE // FILES - 1024  # what tar adds
    found = []
    for number in range(FILES):
        body = some.randbytes(each + some.randrange(-500, 500))
        if number % (FILES // max(changed, 1)) == 0 and changed:
            body = hashlib.sha256(body).digest() + body[32:]
        found.append(Entry(f"static/{number % 40:02}/{number:04}.js", body))
    return sorted(found, key=lambda entry: archive.order(entry.path))


def contents(release: Release) -> list[tuple[str, bytes]]:
    """Name and content of every file."""
    made = content(changed=0 if release.version == "1.0.0" else FILES // 100)
    return [(Path(entry.path).name, entry.content) for entry in made]


def build(folder: Path, version: str, entries: Sequence[Entry]) -> Release:
    """Its archive, as ``inv build`` makes it."""
    artifacts = folder / "artifacts"
    artifacts.mkdir(exist_ok=True)
    release = Release(version, "c0ffee", archive.digest(entries), "")
    path = artifacts / f"{release.name}.tar.gz"
    with path.open("wb") as sink:
        archive.write(entries, sink)
    return release._replace(archive=str(path))


def transfer(bench: Bench, rounds: int, of_ansible: int) -> list[Bar]:
    """Side by side."""
    programs = peers.environment()
    jobs = {who: bench.job(who) for who in ("openssh", "pyinfra", "ansible")}
    commands: dict[str, list[str]] = {
        "openssh": peers.openssh(jobs["openssh"]),
        "ours": bench.client("ours", bench.first),
        "pyinfra": peers.pyinfra(jobs["pyinfra"], programs),
        "ansible": peers.ansible(jobs["ansible"], programs),
    }
    runs: dict[str, list[Run]] = {who: [] for who in commands}
    print(f"transfer: {len(bench.lab.hosts)} hosts, {AT_ONCE} at once; {peers.versions(programs)}", flush=True)
    for number in range(rounds):
        order = [who for who in commands if who != "ansible" or number < of_ansible]
        for who in order if number % 2 else reversed(order):
            bench.clear(who)
            runs[who].append(bench.measured(who, commands[who]))
            if number == 0:
                bench.check(who, bench.first)
            peers.end_connections(jobs["ansible"])
    for who, taken in runs.items():
        print(f"  {who:10} {seconds(taken)}", flush=True)
    ours = middle(runs["ours"])
    trips = max(count for run in runs["ours"] for count in run.said["trips"].values())
    return [
        Bar("time, to OpenSSH streaming into tar", ours / middle(runs["openssh"]), 1.15),
        Bar("time, to pyinfra", ours / middle(runs["pyinfra"]), 0.999, "{:.3f}"),
        Bar("time, to Ansible", ours / middle(runs["ansible"]), 0.15),
        Bar("round trips per host", trips, 6, "{:.0f}"),
    ]


def delta(bench: Bench, rounds: int) -> list[Bar]:
    """A release, then the next one."""
    first: list[Run] = []
    second: list[Run] = []
    for number in range(rounds):
        bench.clear("ours")
        first.append(bench.measured("ours", bench.client("ours", bench.first)))
        second.append(bench.measured("ours", bench.client("ours", bench.second)))
        if number == 0:
            bench.check("ours", bench.second)
    print(f"delta: {len(bench.lab.hosts)} hosts, {FILES // 100} of {FILES} files changed")
    for name, taken in (("first", first), ("second", second)):
        size = median(run.sent for run in taken) / 1e6 / len(bench.lab.hosts)
        print(f"  {name:10} {seconds(taken)}   {size:.2f} MB per host", flush=True)
    pairs = list(zip(first, second, strict=True))
    trips = max(count for run in second for count in run.said["trips"].values())
    return [
        Bar("time, to the first release", median(later.seconds / one.seconds for one, later in pairs), 0.4),
        Bar("bytes, to the first release", median(later.sent / one.sent for one, later in pairs), 0.1),
        Bar("round trips per host", trips, 6, "{:.0f}"),
    ]


def hundred(bench: Bench, rounds: int) -> list[Bar]:
    """Many hosts, beside a pool that does nothing but transfer."""
    runs: dict[str, list[Run]] = {"bare": [], "ours": []}
    for number in range(rounds):
        for who in runs if number % 2 else reversed(runs):
            bench.clear(who)
            runs[who].append(bench.measured(who, bench.client(who, bench.first)))
            bench.clear(who)
    print(f"hundred: {len(bench.lab.hosts)} hosts, {AT_ONCE} at once")
    for who, taken in runs.items():
        cpu, memory = median(run.said["cpu"] for run in taken), max(run.said["memory"] for run in taken)
        print(f"  {who:10} {seconds(taken)}   cpu {cpu:.2f} s   memory {memory / 1e6:.0f} MB", flush=True)
    memory = max(run.said["memory"] for run in runs["ours"]) / 1e6
    cpu = median(a.said["cpu"] / b.said["cpu"] for a, b in zip(runs["ours"], runs["bare"], strict=True))
    return [Bar("memory of the process, MB", memory, 150, "{:.0f}"), Bar("CPU, to a bare paramiko pool", cpu, 1.2)]


def middle(runs: Sequence[Run]) -> float:
    """Median seconds."""
    return median(run.seconds for run in runs)


def seconds(runs: Sequence[Run]) -> str:
    """Median, extremes and count, for people."""
    taken = [run.seconds for run in runs]
    return f"{median(taken):6.2f} s  ({min(taken):.2f} to {max(taken):.2f}, {len(taken)} rounds)"


@contextmanager
def in_memory(folder: Path) -> Iterator[Path]:
    """The folder, as a disk of its own."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6g,nr_inodes=0", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def scene(count: int, work: Callable[[Bench], list[Bar]]) -> list[Bar]:
    """Run one scene on hosts of its own; print its bars."""
    with (
        tempfile.TemporaryDirectory() as name,
        in_memory(Path(name)) as folder,
        hosts(folder / "lab", count, real=True) as lab,
    ):
        found = work(Bench(lab, folder))
    print("\n".join(map(str, found)), flush=True)
    return found


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", choices=("transfer", "delta", "hundred"))
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and one of Ansible")
    asked = parser.parse_args()
    rounds = 3 if asked.quick else asked.rounds
    scenes: dict[str, Callable[[], list[Bar]]] = {
        "transfer": lambda: scene(20, lambda bench: transfer(bench, rounds, 1 if asked.quick else min(3, rounds))),
        "delta": lambda: scene(20, lambda bench: delta(bench, rounds)),
        "hundred": lambda: scene(100, lambda bench: hundred(bench, 1 if asked.quick else 3)),
    }
    bars = [bar for name, work in scenes.items() if asked.only in (None, name) for bar in work()]
    return int(not all(bar.is_met for bar in bars))


if __name__ == "__main__":
    sys.exit(main())
