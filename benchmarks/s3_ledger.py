"""A ledger in S3 costs as many requests at 10,000 events as at 10.

Ledgers of both lengths lie in a bucket of the lab, an S3 over HTTP on loopback that is as strict and as atomic as AWS.
What is asked of it is counted, while an event is appended, by `inv status` in a process of its own, and while all of it
is verified. Beside that: how often one of sixteen operators who want the lease at once gets it, and no other.

    python benchmarks/s3_ledger.py [--events 10000] [--rounds 100] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from lab.aws import Cloud  # noqa: E402  found beside us, installed or not
from lab.aws.s3 import S3  # noqa: E402
from lab.aws.standing import VARIABLES, site_in  # noqa: E402
from lab.recorded import recorded_in  # noqa: E402

from deploytasks.engine.clock import SystemClock  # noqa: E402
from deploytasks.errors import LeaseHeld  # noqa: E402
from deploytasks.ledger import Holder, Lease, Ledger  # noqa: E402
from deploytasks.providers.aws.s3.store import S3Store  # noqa: E402
from deploytasks.providers.identity import identity, is_alive  # noqa: E402
from deploytasks.settings.s3_store import S3StoreSettings  # noqa: E402

FEW = 10
OPERATORS = 16
SCOPE = "shop/production"
BARS = {"append": 3, "inv status": 5}
CONFIGURATION = """
tasks: {executor_class: deploytasks.executor.ChainExecutor}
deploy:
  application: shop
  aws: {region: eu-central-1, endpoint: "URL"}
  environments:
    production:
      traffic: {kind: envoy, listen: "127.0.0.1:1"}
      fleet: {kind: local, colors: {blue: "127.0.0.1:2", green: "127.0.0.1:3"}, start: "true"}
      metrics: {kind: envoy}
      store: {kind: s3, bucket: BUCKET}
"""


class Cost(NamedTuple):
    """Requests, and seconds."""

    requests: int
    seconds: float


def store_in(cloud: Cloud, bucket: str) -> S3Store:
    """A store of its own, as each process has."""
    return S3Store(S3StoreSettings(bucket=bucket), site_in(cloud, Path("/nowhere")))


def ledger_in(cloud: Cloud, bucket: str) -> Ledger:
    """The ledger in a bucket."""
    return Ledger(store_in(cloud, bucket), SCOPE, "ann@laptop", lambda: datetime.now(UTC))


def cost(cloud: Cloud, act: Callable[[], object]) -> Cost:
    """What it takes."""
    began = time.perf_counter()
    with cloud.counting() as asked:
        act()
    return Cost(len(asked), time.perf_counter() - began)


def status(cloud: Cloud, bucket: str, events: int) -> None:
    """`inv status`, in a project of its own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "tasks.py").write_text("from deploytasks import namespace\n")
        Path(folder, "invoke.yaml").write_text(CONFIGURATION.replace("URL", cloud.url).replace("BUCKET", bucket))
        command = [sys.executable, "-m", "invoke", "status", "--env", "production", "--json"]
        own = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["ledger"]["events"] == events, done.stdout


def verify(cloud: Cloud, bucket: str) -> None:
    """Recompute everything."""
    found = ledger_in(cloud, bucket).verify()
    assert found.ok, found


def measured(cloud: Cloud, bucket: str, events: int) -> dict[str, Cost]:
    """What each thing costs at this length."""
    found = {"inv status": cost(cloud, lambda: status(cloud, bucket, events))}
    found["append"] = cost(cloud, lambda: ledger_in(cloud, bucket).append("note", {}))
    found["verify"] = cost(cloud, lambda: verify(cloud, bucket))
    return found


def races(cloud: Cloud, rounds: int) -> int:
    """Rounds in which exactly one operator of sixteen got the lease."""
    stores, gate = [store_in(cloud, "races") for _ in range(OPERATORS)], Barrier(OPERATORS)

    def want(number: int) -> Lease | None:
        me = Holder.here(f"op{number}@host", identity)
        gate.wait()
        try:
            return Lease.take(stores[number], SCOPE, me, "deploy", clock=SystemClock(), is_alive=is_alive)
        except LeaseHeld:
            return None

    good = 0
    with ThreadPoolExecutor(OPERATORS) as threads:
        for _ in range(rounds):
            won = [lease for lease in threads.map(want, range(OPERATORS)) if lease is not None]
            good += len(won) == 1 and won[0].release()
    return good


def main() -> int:
    """Measure, print, and leave with 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="1,000 events, 20 rounds")
    chosen = parser.parse_args()
    events, rounds = (1_000, 20) if chosen.quick else (chosen.events, chosen.rounds)
    os.environ.update(VARIABLES)
    s3 = S3()
    for name, length in (("few", FEW), ("many", events), ("races", 0)):
        s3.bucket(name, versioning=True)
        recorded_in(s3, name, SCOPE, length)
    with Cloud(s3) as cloud:
        few, many = measured(cloud, "few", FEW), measured(cloud, "many", events)
        return report(few, many, events, races(cloud, rounds), rounds)


def report(few: dict[str, Cost], many: dict[str, Cost], events: int, good: int, rounds: int) -> int:
    """Print requests at both lengths; the exit code."""
    print(f"{'':12} {FEW:>8} events {events:>8} events      bar")
    is_met = True
    for name, found in few.items():
        short, long = found.requests, many[name].requests
        bar = BARS.get(name)
        is_met = is_met and (bar is None or (long <= bar and short == long))
        print(f"{name:12} {short:>15} {long:>15} {f'<= {bar}' if bar else '-':>8}   ({many[name].seconds:.2f} s)")
    print(f"one of {OPERATORS} got the lease in {good} of {rounds} rounds")
    is_met = is_met and good == rounds
    print(f"bars: {'met' if is_met else 'MISSED'}")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
