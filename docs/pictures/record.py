"""Record two real deployments for the pictures of a report: one that goes live, one that is taken back.

    PYTHONPATH=tests:docs/pictures python docs/pictures/record.py

Takes about six minutes, and writes docs/images/report-NAME.json: what `inv report --json` says of them.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from journeys.environment import Environment
from journeys.traffic import users

IMAGES = Path(__file__).resolve().parent.parent / "images"
CHANGELOG = """# Changelog

## [Unreleased]

## [2.4.1] - 2026-11-24

### Changed

- Loans are looked up by reader in one query.

### Fixed

- A title with an apostrophe can be searched for.

## [2.4.0] - 2026-11-23

### Added

- Search by author.

## [2.3.0] - 2026-11-20

### Added

- The catalog.
"""
TIMES = {"watch": "25s", "bake": "40s", "poll": "2s", "baseline": "15s", "stages": [10, 25, 50, 75, 100]}
LATE = {"errors": {"share": 0.12, "after": 75}}
"""A bug that smoke checks do not see, and that comes out when a quarter of the users is there."""


def main() -> None:
    """Deploy three times, under load; tell of the last two."""
    os.environ["DEPLOY_WHO"] = "ann"
    with tempfile.TemporaryDirectory() as folder:
        environment = Environment(Path(folder) / "shop")
        try:
            _deploy(environment, "2.3.0", {"watch": "1s", "bake": "0s", "stages": [100]})
            with users(environment, 60.0):
                _deploy(environment, "2.4.0", TIMES)
                environment.inv("note", "The catalog's index was built while nobody looked: say so in the changelog.")
                _keep(environment, "live")
                environment.inv("override", "code.tests", "--reason", "flaky search test, ticket 4711")
                _deploy(environment, "2.4.1", TIMES, LATE)
                _keep(environment, "taken-back")
        finally:
            environment.end()


def _deploy(environment: Environment, version: str, times: dict[str, object], faults: object = None) -> None:
    changes = {"min_requests": 30, "rollback_when": {"p99_worse_from": "250ms"}, "hold": "60s", **times}
    environment.configure(**changes)
    (environment.root / "CHANGELOG.md").write_text(CHANGELOG)
    environment.commit(faults={} if faults is None else faults)  # type: ignore[arg-type]  # a JSON object
    environment.git("tag", "--annotate", f"v{version}", "--message", version)
    print(environment.inv("deploy", timeout=600).said.splitlines()[-1], flush=True)


def _keep(environment: Environment, name: str) -> None:
    told = environment.inv("report", "--json").out.replace(str(environment.root), "/srv/library")
    file = IMAGES / f"report-{name}.json"
    file.write_text(json.dumps(json.loads(told), separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
    print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
