"""Looking at the ledger costs the same, however long it is.

Two ledgers are built, of 100 and of 100,000 events, shaped like real deployments. Then ``inv status`` is asked about
each, in turn, and their heads are read, which is all of it that could depend on the length. The bar: the whole process
at most 1.5 times as long.

    python benchmarks/ledger.py [--events 100000] [--pairs 21] [--quick] [--verify]
"""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from deploytasks.ledger import Ledger  # noqa: E402  found beside us, installed or not
from deploytasks.ledger.chain import EMPTY, event_key, grown, head_key, write_head  # noqa: E402
from deploytasks.ledger.event import chained  # noqa: E402
from deploytasks.providers.directory import DirectoryStore  # noqa: E402
from deploytasks.providers.site import Site  # noqa: E402
from deploytasks.settings.directory import DirectorySettings  # noqa: E402

SCOPE = "library/production"
WHO = "ann@host"
BAR = 1.5
FEW = 100
READINGS = 220
"""Per deployment: as many as its core left in the sketch that the design rests on."""

CONFIGURATION = """
tasks: {executor_class: deploytasks.executor.ChainExecutor}
deploy:
  application: library
  environments:
    production:
      traffic: {kind: envoy, listen: "127.0.0.1:1"}
      fleet: {kind: local, colors: {blue: "127.0.0.1:2", green: "127.0.0.1:3"}, start: "true"}
      metrics: {kind: envoy}
      store: {kind: directory, path: store}
"""

READ = """
import sys, time
from types import SimpleNamespace
from pathlib import Path
from deploytasks.ledger import Ledger
from deploytasks.providers.directory import DirectoryStore
from deploytasks.providers.site import Site

began = time.perf_counter()
folder = Path(sys.argv[1])
store = DirectoryStore(SimpleNamespace(path="store"), Site("library", "production", folder, folder, None, "ann@host"))
head = Ledger(store, "library/production", "ann@host", None).head()
print(time.perf_counter() - began, head.number)
"""


class Time(NamedTuple):
    """Seconds: of a whole ``inv status``, and of reading the head alone."""

    status: float
    head: float


def build(folder: Path, events: int) -> Ledger:
    """A ledger of so many events: the bytes that appending would leave, with one head and without syncing."""
    store = DirectoryStore(DirectorySettings(path="store"), Site("library", "production", folder, folder, None, WHO))
    head, sync = EMPTY, os.fsync
    os.fsync = lambda _: None
    try:
        for kind, facts in islice(deployments(), events):
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=15 * head.number)
            event, document = chained(head.number + 1, head.digest, at, kind, facts, WHO, 1)
            store.put(event_key(SCOPE, event.number), document, None)
            head = grown(head, event)
        store.put(head_key(SCOPE), write_head(head), None)
    finally:
        os.fsync = sync
    return Ledger(store, SCOPE, WHO, lambda: datetime.now(UTC))


def deployments() -> Iterator[tuple[str, dict[str, Any]]]:
    """Kinds and facts of one deployment after the other, without end."""
    for number in count():
        deployment = f"20260101-000000-{number:06}"
        told = {
            "deployment": deployment,
            "version": "1.2.0",
            "digest": "ab" * 32,
            "commit": "cd" * 20,
            "color": "green",
        }
        for item in range(8):
            yield "evidence", {"item": f"item {item}", "key": "ef" * 32, "ok": True, "detail": "fine"}
        yield "began", {**told, "task": "deploy", "host": "host", "plan": {"steps": ["step"] * 12}}
        yield "installed", {**told, "release": "1.2.0-abababababab"}
        for requests in range(READINGS):
            yield "reading", {"deployment": deployment, "requests": requests, "errors": 0}
        yield "settled", {**told, "release": "1.2.0-abababababab", "way_back": "blue"}
        yield "ended", {"deployment": deployment, "outcome": "done", "code": 0, "why": "all stages passed"}


def read(folder: Path, events: int) -> Time:
    """Ask for the status, and read the head, each in a process of its own."""
    began = time.perf_counter()
    said = output("-m", "invoke", "status", "--env", "production", folder=folder)
    took = time.perf_counter() - began
    assert f"{events:,} events" in said, said
    return Time(took, float(output("-c", READ, str(folder), folder=folder).split()[0]))


def output(*arguments: str, folder: Path) -> str:
    """What a Python process says that finds us beside it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


def main() -> int:
    """Measure, print, and leave with 1 if the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=21)
    parser.add_argument("--quick", action="store_true", help="10,000 events, 7 pairs")
    parser.add_argument("--verify", action="store_true", help="also recompute the long one, and say how long it takes")
    chosen = parser.parse_args()
    events, rounds = (10_000, 7) if chosen.quick else (chosen.events, chosen.pairs)
    compileall.compile_dir(
        ROOT / "deploytasks", quiet=2
    )  # Invoke does not, and what is compiled each time hides the rest
    with tempfile.TemporaryDirectory() as folder:
        few, many = project(Path(folder) / "few"), project(Path(folder) / "many")
        build(few, FEW)
        began = time.perf_counter()
        ledger = build(many, events)
        print(f"built {events} events in {time.perf_counter() - began:.1f} s, without syncing")
        pairs = [(read(few, FEW), read(many, events)) for _ in range(rounds)]
        if chosen.verify:
            began = time.perf_counter()
            print(f"verified: {ledger.verify().ok}, in {time.perf_counter() - began:.1f} s")
    return report(pairs, events)


def project(folder: Path) -> Path:
    """A folder with our tasks and a configuration. Nothing of it runs."""
    folder.mkdir()
    (folder / "tasks.py").write_text("from deploytasks import namespace\n")
    (folder / "invoke.yaml").write_text(CONFIGURATION)
    return folder


def report(pairs: list[tuple[Time, Time]], events: int) -> int:
    """Print medians and their ratios; the exit code."""
    ratios = []
    for name, column in (("inv status", 0), ("head alone", 1)):
        short, long = (statistics.median(pair[which][column] for pair in pairs) for which in (0, 1))
        ratios.append(long / short)
        shown = f"{FEW} events {short * 1000:8.3f} ms   {events} events {long * 1000:8.3f} ms"
        print(f"{name:14} {shown}   ratio {long / short:.2f}")
    print(f"bar: inv status <= {BAR}: {'met' if ratios[0] <= BAR else 'MISSED'}")
    return 0 if ratios[0] <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
