"""What a ledger in S3 costs in requests, whatever its length."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab.aws.standing import VARIABLES
from lab.recorded import recorded_in

import deploytasks
from deploytasks.ledger import Ledger
from deploytasks.ledger.chain import EMPTY, event_key, grown

from .conftest import BUCKET

if TYPE_CHECKING:
    from lab.aws import Cloud
    from lab.aws.s3 import S3

    from deploytasks.providers.aws.s3.store import S3Store

SCOPE = "shop/production"
PROJECT = """
tasks: {{executor_class: deploytasks.executor.ChainExecutor}}
deploy:
  application: shop
  aws: {{region: eu-central-1, endpoint: "{url}"}}
  environments:
    production:
      protected: true
      traffic: {{kind: envoy, listen: "127.0.0.1:1"}}
      fleet: {{kind: local, colors: {{blue: "127.0.0.1:2", green: "127.0.0.1:3"}}, start: "true"}}
      metrics: {{kind: envoy}}
      store: {{kind: s3, bucket: acme-ledger}}
"""
LENGTHS = (1, 24, 240)


def ledger_in(store: S3Store) -> Ledger:
    return Ledger(store, SCOPE, "ann@laptop", lambda: datetime.now(UTC))


@pytest.mark.parametrize("events", [0, *LENGTHS])
def test_append_is_three_requests(store: S3Store, cloud: Cloud, s3: S3, events: int) -> None:
    """The head is read, the event written, the head written: three requests, each time."""
    if events:
        recorded_in(s3, BUCKET, SCOPE, events)
    for _ in range(3):
        with cloud.counting() as asked:
            ledger_in(store).append("note", {})
        assert asked == ["GetObject", "PutObject", "PutObject"]


@pytest.mark.parametrize("events", LENGTHS)
def test_status_is_a_few_requests(cloud: Cloud, s3: S3, tmp_path: Path, events: int) -> None:
    """`inv status` of an environment whose ledger is in S3: the lease, the head, and what may lie beyond it. Where
    something is otherwise than recorded, which may be a deployment that just ends, it looks once more."""
    recorded_in(s3, BUCKET, SCOPE, events)
    (tmp_path / "tasks.py").write_text("from deploytasks import namespace\n")
    (tmp_path / "invoke.yaml").write_text(PROJECT.format(url=cloud.url))
    root = str(Path(deploytasks.__file__).parents[1])
    command = [sys.executable, "-m", "invoke", "status", "--env", "production", "--json"]
    own = {**os.environ, **VARIABLES, "PYTHONPATH": root}
    with cloud.counting() as asked:
        done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout)["ledger"]["events"] == events
    assert asked in (["GetObject"] * 3, ["GetObject"] * 6)


@pytest.mark.parametrize("events", LENGTHS)
def test_verify_reads_everything(store: S3Store, cloud: Cloud, s3: S3, events: int) -> None:
    """Verifying reads each event once, recomputes all of it, and looks at the versions."""
    recorded_in(s3, BUCKET, SCOPE, events)
    before = len(cloud.seen)
    found = ledger_in(store).verify()
    read = Counter(seen.params["Key"] for seen in cloud.seen[before:] if seen.operation == "GetObject")
    assert (found.ok, found.count) == (True, events)
    assert [read[event_key(SCOPE, number)] for number in range(1, events + 1)] == [1] * events
    assert sum(read.values()) <= events + 2 + 15  # two heads, and what was read ahead in vain


def test_events_are_read_ahead(store: S3Store, cloud: Cloud, s3: S3) -> None:
    """Who reads a whole history has events fetched side by side, and in order all the same."""
    recorded_in(s3, BUCKET, SCOPE, 60)
    head = EMPTY
    for event in ledger_in(store).events():
        head = grown(head, event)
    assert head == ledger_in(store).head()


def test_what_is_not_there_yet_is_not_remembered(store: S3Store, s3: S3) -> None:
    """Reading ahead past the end does not hide what is recorded afterwards."""
    recorded_in(s3, BUCKET, SCOPE, 20)
    ledger = ledger_in(store)
    assert [event.number for event in ledger.events()] == list(range(1, 21))
    ledger.append("note", {})
    assert [event.number for event in ledger.events(after=18)] == [19, 20, 21]
