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
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

import fleet_peers as peers  # noqa: E402  # beside this file
import pytest  # noqa: E402  # what the laboratory lacks, it says as to a test
from fleet_lab import AT_ONCE, FILES, Bench, Run, disk  # noqa: E402
from lab.hosts import hosts  # noqa: E402


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
