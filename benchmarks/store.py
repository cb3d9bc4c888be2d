"""Fifty processes want the lease at the same moment: one gets it. On a real PostgreSQL server, beside a folder.

A round: processes are started, each opens the store and connects; then all of them take the lease at once. In every
other round the winner dies with it, so that the next ones race for the lease of a dead process. The bar: in each round
one winner, whom all others name, whose token is one above the last one's. Beside that: events per second with eight
writers.

    python benchmarks/store.py [--rounds 20] [--processes 50] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from lab import stores  # noqa: E402  found beside us, installed or not
from lab.postgres import postgres  # noqa: E402

from deploytasks.engine.clock import SystemClock  # noqa: E402
from deploytasks.errors import LeaseHeld  # noqa: E402
from deploytasks.ledger import Holder, Lease, Ledger, holding  # noqa: E402
from deploytasks.providers.identity import identity, is_alive  # noqa: E402

SCOPE = "library/production"
WRITERS, EACH = 8, 25


class Round(NamedTuple):
    """What came of one race: how long until all knew, in seconds, and what was wrong with it."""

    seconds: float
    wrong: str


def at_once(count: int, prepare: Callable[[int], Callable[[], object]]) -> tuple[float, list[Any]]:
    """Let so many processes prepare, then act at one moment; how long until all were done, and what each returned.

    None ends before all are done: to be dead is another thing than to have lost.
    """
    pipes = {name: os.pipe() for name in ("ready", "gate", "done", "rest")}
    children = [_child(number, prepare, pipes) for number in range(count)]
    os.close(pipes["done"][1])
    for _ in children:
        os.read(pipes["ready"][0], 1)
    began = time.perf_counter()
    os.close(pipes["gate"][1])
    with os.fdopen(pipes["done"][0]) as lines:
        found = dict(json.loads(next(lines)) for _ in children)
    took = time.perf_counter() - began
    os.close(pipes["rest"][1])
    for child in children:
        os.waitpid(child, 0)
    for end in (pipes["ready"][0], pipes["ready"][1], pipes["gate"][0], pipes["rest"][0]):
        os.close(end)
    return took, [found[number] for number in range(count)]


def _child(number: int, prepare: Callable[[int], Callable[[], object]], pipes: dict[str, tuple[int, int]]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.close(pipes["gate"][1])
        os.close(pipes["rest"][1])
        act = prepare(number)
        os.write(pipes["ready"][1], b".")
        os.read(pipes["gate"][0], 1)
        found = act()
    except BaseException as error:  # noqa: BLE001  whatever it is, somebody waits for an answer
        os.write(pipes["ready"][1], b".")
        found = f"{type(error).__name__}: {error}"
    os.write(pipes["done"][1], json.dumps([number, found]).encode() + b"\n")
    os.read(pipes["rest"][0], 1)
    os._exit(0)


def race(folder: Path, processes: int, number: int) -> Round:
    """One race for the lease. In rounds of an even number the winner gives it back, in the others it dies with it."""

    def prepare(process: int) -> Callable[[], object]:
        store, me = stores.opened(folder), Holder.here(f"p{process}@host", identity)
        store.get("connect")

        def act() -> object:
            try:
                lease = Lease.take(store, SCOPE, me, f"round {number}", clock=SystemClock(), is_alive=is_alive)
            except LeaseHeld as error:
                return str(error)
            return lease.token

        return act

    before = _token(folder)
    took, found = at_once(processes, prepare)
    wrong = _wrong(found, before)
    if number % 2 == 0 and not wrong:
        _give_back(folder)
    return Round(took, wrong)


def _wrong(found: list[Any], before: int) -> str:
    """Why this was no race with one winner; empty when it was."""
    winners = [process for process, answer in enumerate(found) if isinstance(answer, int)]
    if len(winners) != 1:
        return f"{len(winners)} winners: {[answer for answer in found if 'is held by' not in str(answer)][:3]}"
    if found[winners[0]] != before + 1:
        return f"token {found[winners[0]]} after {before}"
    strangers = sum(f"is held by p{winners[0]}@host " not in str(answer) for answer in found)
    return f"{strangers - 1} were told another winner" if strangers > 1 else ""


def _token(folder: Path) -> int:
    found = stores.opened(folder).get(f"{SCOPE}/lease.json")
    return int(json.loads(found[0])["token"]) if found else 0


def _give_back(folder: Path) -> None:
    """The lease as its holder would have left it."""
    store = stores.opened(folder)
    content, tag = store.get(f"{SCOPE}/lease.json")
    store.put(f"{SCOPE}/lease.json", json.dumps({**json.loads(content), "released": True}).encode(), tag)
    assert holding(store, SCOPE) is None


def write(folder: Path) -> float:
    """Events per second of eight writers at once."""

    def prepare(process: int) -> Callable[[], object]:
        ledger = Ledger(stores.opened(folder), "library/written", f"p{process}@host", SystemClock().now)
        ledger.head()
        return lambda: [ledger.append("note", {"nth": nth}).number for nth in range(EACH)]

    took, found = at_once(WRITERS, prepare)
    assert sorted(number for own in found for number in own) == list(range(1, WRITERS * EACH + 1)), found
    assert Ledger(stores.opened(folder), "library/written", "me@host", SystemClock().now).verify().ok
    return WRITERS * EACH / took


def main() -> int:
    """Measure, print, and leave with 1 if the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--processes", type=int, default=50)
    parser.add_argument("--quick", action="store_true", help="5 rounds")
    chosen = parser.parse_args()
    rounds = 5 if chosen.quick else chosen.rounds
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres(folder / "server"))
        server.sql(f"CREATE DATABASE {stores.DATABASE}")
        server.sql(f"ALTER DATABASE {stores.DATABASE} SET synchronous_commit = on")
        variables: dict[str, str] = {}
        stack.enter_context(stores.on_postgres(server, variables.__setitem__))
        raced: dict[str, list[Round]] = {"PostgreSQL": [], "folder": []}
        written: dict[str, float] = {}
        for number in range(rounds):
            for name, own in (("PostgreSQL", variables), ("folder", {})):
                _lead_to(own)
                raced[name].append(race(folder, chosen.processes, number))
        for name, own in (("PostgreSQL", variables), ("folder", {})):
            _lead_to(own)
            written[name] = write(folder)
    return report(raced, written, chosen.processes)


def _lead_to(variables: dict[str, str]) -> None:
    """Have ``stores.opened`` open this store."""
    for name in (stores.URL, stores.TABLE):
        os.environ.pop(name, None)
    os.environ.update(variables)


def report(raced: dict[str, list[Round]], written: dict[str, float], processes: int) -> int:
    """Print rounds, winners, times; the exit code."""
    print(
        f"{'store':12} {'processes':>9} {'rounds':>6} {'one winner':>10} {'median':>9} {'slowest':>9} {'events/s':>9}"
    )
    for name, rounds in raced.items():
        times = [each.seconds * 1000 for each in rounds]
        good = sum(not each.wrong for each in rounds)
        shown = f"{statistics.median(times):6.0f} ms {max(times):6.0f} ms {written[name]:9.0f}"
        print(f"{name:12} {processes:9} {len(rounds):6} {good:10} {shown}")
        for number, each in enumerate(rounds):
            if each.wrong:
                print(f"  round {number}: {each.wrong}")
    is_met = all(not each.wrong for each in raced["PostgreSQL"])
    print(f"bar: one winner in each round on PostgreSQL: {'met' if is_met else 'MISSED'}")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
