"""An archive of 6 MB and 1,500 files to many hosts: OpenSSH alone, we, pyinfra and Ansible, on the same hosts.

    python benchmarks/fleet.py [--only transfer|delta|hundred] [--rounds 9] [--quick]

Hosts are OpenSSH servers in network namespaces: this takes root. Their folders are on one ext4 of its own (a file of
some GB in the temporary folder), in which every round begins in a new place and nothing is deleted: ext4 passes by,
for a minute, the inodes that a round before has given back. Rounds are interleaved, and every process is a fresh one.
Ansible, which takes most of a minute, has three rounds; what counts is the median of each.

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
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

import fleet_peers as peers  # noqa: E402  # beside this file
import pytest  # noqa: E402  # what the laboratory lacks, it says as to a test
from lab.hosts import Lab, hosts  # noqa: E402

from deploytasks.ports import Release  # noqa: E402
from deploytasks.release import archive  # noqa: E402
from deploytasks.release.archive import Entry  # noqa: E402

FILES = 1500
SIZE = 6_000_000
AT_ONCE = 16
CHANGED = {"1.0.0": 0, "1.1.0": FILES // 100}
"""How many files of a version are other ones."""
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

    @property
    def alone(self) -> float:
        """Seconds of the installation alone, without the start and the end of Python."""
        return float(self.said["seconds"])


class Bench:
    """A laboratory, two releases, and a folder for everything."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.places: Counter[str] = Counter()
        self.first = build(folder, "1.0.0", content())
        self.second = build(folder, "1.1.0", content(CHANGED["1.1.0"]))

    def job(self, who: str) -> peers.Job:
        """The same work for somebody else, at a new place."""
        folder = self.folder / who
        folder.mkdir(exist_ok=True)
        config = self.lab.ssh_config(folder / "ssh_config")
        names = tuple(host.name for host in self.lab.hosts)
        return peers.Job(folder, config, names, Path(self.first.archive), self.first.digest, self.place(who), AT_ONCE)

    def place(self, who: str) -> str:
        """A folder on every host where nothing is yet."""
        self.places[who] += 1
        return f"{self.lab.hosts[0].root}/{who}-{self.places[who]}"

    def client(self, who: str, release: Release, root: str) -> list[str]:
        """A process of ``fleet_client``."""
        one = self.lab.hosts[0]
        order = self.folder / f"{who}-{release.version}.json"
        order.write_text(
            json.dumps(
                {
                    "hosts": {host.name: (host.address, host.port) for host in self.lab.hosts},
                    "user": one.user, "key": str(one.key), "known_hosts": str(one.known_hosts),
                    "root": root, "release": release._asdict(), "at_once": AT_ONCE,
                }
            )
        )  # fmt: skip
        return [sys.executable, str(CLIENT), who, str(order)]

    def measured(self, who: str, command: Sequence[str]) -> Run:
        """Run it, when what was written before is on the disk."""
        subprocess.run(["sync", "-f", str(self.folder)], check=True)
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

    def check(self, root: str, release: Release, current: str = "") -> None:
        """Every host has every file of the release there, byte for byte. ``current``: the link that leads to it."""
        wanted = {Path(entry.path).name: entry.content for entry in content(changed=CHANGED[release.version])}
        for host in self.lab.hosts:
            top = host.path(root)
            found = (top / (top / current).readlink() if current else top).rglob("static/*/*.js")
            if {file.name: file.read_bytes() for file in found} != wanted:
                raise SystemExit(f"{host.name}: what is installed in {root} is not the release")


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
    print(f"transfer: {len(bench.lab.hosts)} hosts, {AT_ONCE} at once; {peers.versions(programs)}", flush=True)
    runs: dict[str, list[Run]] = {who: [] for who in ("openssh", "ours", "pyinfra", "ansible")}
    for number in range(rounds):
        order = [who for who in runs if who != "ansible" or number < of_ansible]
        for who in order if number % 2 else reversed(order):
            job = bench.job(who)
            runs[who].append(bench.measured(who, command(bench, job, who, programs)))
            if number == 0:
                bench.check(job.root, bench.first, "" if who == "openssh" else "current-blue")
            peers.end_connections(job)
    for who, taken in runs.items():
        print(f"  {who:10} {seconds([run.seconds for run in taken])}", flush=True)
    ours = middle(runs["ours"])
    trips = max(count for run in runs["ours"] for count in run.said["trips"].values())
    return [
        Bar("time, to OpenSSH streaming into tar", ours / middle(runs["openssh"]), 1.15),
        Bar("time, to pyinfra", ours / middle(runs["pyinfra"]), 0.999, "{:.3f}"),
        Bar("time, to Ansible", ours / middle(runs["ansible"]), 0.15),
        Bar("round trips per host", trips, 6, "{:.0f}"),
    ]


def command(bench: Bench, job: peers.Job, who: str, programs: Path) -> list[str]:
    """What somebody is started with."""
    if who == "ours":
        return bench.client(who, bench.first, job.root)
    return peers.openssh(job) if who == "openssh" else getattr(peers, who)(job, programs)


def delta(bench: Bench, rounds: int) -> list[Bar]:
    """A release, then the next one."""
    first: list[Run] = []
    second: list[Run] = []
    for number in range(rounds):
        root = bench.place("ours")
        shutil.rmtree(bench.folder / "artifacts" / "differences", ignore_errors=True)  # a deployment makes it once
        first.append(bench.measured("ours", bench.client("ours", bench.first, root)))
        second.append(bench.measured("ours", bench.client("ours", bench.second, root)))
        if number == 0:
            bench.check(root, bench.second, "current-blue")
    print(f"delta: {len(bench.lab.hosts)} hosts, {FILES // 100} of {FILES} files changed; the installations alone")
    for name, taken in (("first", first), ("second", second)):
        size = median(run.sent for run in taken) / 1e6 / len(bench.lab.hosts)
        print(f"  {name:10} {seconds([run.alone for run in taken])}   {size:.2f} MB per host", flush=True)
    pairs = list(zip(first, second, strict=True))
    trips = max(count for run in second for count in run.said["trips"].values())
    return [
        Bar("time, to the first release", median(later.alone / one.alone for one, later in pairs), 0.4),
        Bar("bytes, to the first release", median(later.sent / one.sent for one, later in pairs), 0.1),
        Bar("round trips per host", trips, 6, "{:.0f}"),
    ]


def hundred(bench: Bench, rounds: int) -> list[Bar]:
    """Many hosts, beside a pool that does nothing but transfer."""
    runs: dict[str, list[Run]] = {"bare": [], "ours": []}
    for number in range(rounds):
        for who in runs if number % 2 else reversed(runs):
            runs[who].append(bench.measured(who, bench.client(who, bench.first, bench.place(who))))
    print(f"hundred: {len(bench.lab.hosts)} hosts, {AT_ONCE} at once")
    for who, taken in runs.items():
        cpu, memory = median(run.said["cpu"] for run in taken), max(run.said["memory"] for run in taken)
        print(
            f"  {who:10} {seconds([run.seconds for run in taken])}   cpu {cpu:.2f} s   memory {memory / 1e6:.0f} MB",
            flush=True,
        )
    memory = max(run.said["memory"] for run in runs["ours"]) / 1e6
    cpu = median(a.said["cpu"] / b.said["cpu"] for a, b in zip(runs["ours"], runs["bare"], strict=True))
    return [Bar("memory of the process, MB", memory, 150, "{:.0f}"), Bar("CPU, to a bare paramiko pool", cpu, 1.2)]


def middle(runs: Sequence[Run]) -> float:
    """Median seconds."""
    return median(run.seconds for run in runs)


def seconds(taken: Sequence[float]) -> str:
    """Median, extremes and count, for people."""
    return f"{median(taken):6.2f} s  ({min(taken):.2f} to {max(taken):.2f}, {len(taken)} rounds)"


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A fresh ext4 for everything; where no such file can be mounted, the folder itself."""
    image, mounted = folder / "image", folder / "disk"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(12 << 30)  # sparse: what is not written takes no room
    subprocess.run(["mkfs.ext4", "-q", "-N", "1500000", "-E", "lazy_itable_init=1", str(image)], check=True)
    if subprocess.run(["mount", "-o", "loop", str(image), str(mounted)], check=False).returncode:
        print("no disk of its own: what others write, and earlier rounds have deleted, is measured as well")
        yield mounted
        return
    try:
        yield mounted
    finally:
        subprocess.run(["umount", str(mounted)], check=True)


def scene(count: int, work: Callable[[Bench], list[Bar]]) -> list[Bar]:
    """Run one scene on hosts of its own; print its bars."""
    with (
        tempfile.TemporaryDirectory() as name,
        disk(Path(name)) as folder,
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
    try:
        bars = [bar for name, work in scenes.items() if asked.only in (None, name) for bar in work()]
    except pytest.skip.Exception as why:
        print(f"not measured: {why}")
        return 0
    return int(not all(bar.is_met for bar in bars))


if __name__ == "__main__":
    sys.exit(main())
