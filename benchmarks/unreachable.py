"""How long `inv checklist` takes where nothing answers: 15 seconds at most, whatever kind of silence it is.

A protected environment with hosts behind SSH, HAProxy, Prometheus, Alertmanager, PostgreSQL (its database and the
ledger), Redis, GitHub and a remote over HTTP; all of them at an address that takes connections and never says a word
(`silent`), to which packets vanish (`dropped`; needs root, for a network of its own), or at which nobody listens
(`refused`). Once more with the ledger on this machine (`+ ledger`): then the scans run as well, and pip-audit finds no
network either.

    python benchmarks/unreachable.py [--runs 3] [--quick]

Prints the seconds of whole processes, and how they left. Leaves with 1 when a process takes
longer than the bar, and when an item that asks a system does anything but fail as unreachable.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

import pytest  # noqa: E402  # its Skipped is how the lab says that a part is lacking
from lab.unreachable import HOWS, Done, How, Project, place  # noqa: E402

from deploytasks.checklist import ITEMS  # noqa: E402

BAR = 15.0
"""Seconds."""
KINDS: Mapping[str, Mapping[str, Any]] = {"": {}, " + ledger": {"store": {"kind": "directory", "shared": True}}}


def runs(how: How, changes: Mapping[str, Any], count: int) -> Iterator[Done]:
    """So many whole processes, each with a new project."""
    with place(how) as at:
        for _ in range(count):
            with tempfile.TemporaryDirectory() as folder:
                yield Project(Path(folder) / "project", at, **changes).inv("checklist", "--json")


def asking(kind: str) -> frozenset[str]:
    """The items that ask a system which is not there. With a ledger, some learn that there is nothing to ask."""
    known = {"infrastructure.reviewed", *(item.id for item in ITEMS if item.asks == "ledgers")} if kind else set()
    return frozenset(item.id for item in ITEMS if item.asks) - known


def wrong(done: Done, kind: str) -> list[str]:
    """What is not as it must be."""
    if done.code not in (3, 7):
        return [f"code {done.code}: {done.err}"]
    items = {item["item"]: item for item in done.answer["items"]}
    told = {name: f"{items[name]['answer']}: {items[name]['evidence']}" for name in sorted(asking(kind))}
    missed = [f"{name}: {said}" for name, said in told.items() if not (said[:6] == "fail: " and "unreachable" in said)]
    return [*missed, *([f"{done.seconds:.1f} s"] if done.seconds > BAR else [])]


def main() -> int:
    """Measure, and say whether the bar was met."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one run of each")
    given = parser.parse_args()
    failed = False
    print(f"bar: {BAR:g} s; {len(ITEMS)} items, of which {len(asking(''))} ask a system")
    print(f"{'nothing answers':<20} {'median':>7} {'worst':>7}  code")
    for how in HOWS:
        for kind, changes in KINDS.items():
            try:
                found = list(runs(how, changes, 1 if given.quick else given.runs))
            except pytest.skip.Exception as why:
                print(f"{how + kind:<20} left out: {why}")
                continue
            seconds = [done.seconds for done in found]
            told = f"{median(seconds):6.1f}s {max(seconds):6.1f}s  {found[0].code:>4}"
            print(f"{how + kind:<20} {told}")
            for line in sorted({line for done in found for line in wrong(done, kind)}):
                failed = True
                print(f"  MISSED: {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
