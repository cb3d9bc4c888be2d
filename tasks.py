"""The tasks of this repository: the toolkit's own, and ``dev.*`` for who works on it."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

from invoke import Collection, Context, Exit, task

from deploytasks import namespace

ROOT = Path(__file__).parent
FAULTS = ROOT / "examples/library/faults.json"
BUGS: dict[str, object] = {
    "errors": {"share": 0.5, "after": 8},
    "latency": {"seconds": 1.5, "share": 0.5},
    "health": {"after": 8},
    "slow_start": 45,
    "crash_after": 8,
    "migration": "broken",
}
"""What `inv dev.break --fault …` writes when it is not told more. Those that come later get past the smoke checks."""
PYTHON = shlex.quote(sys.executable)
INV = f"{PYTHON} -m invoke"


def _run(c: Context, command: str) -> None:
    with c.cd(str(ROOT)):  # which escapes blanks itself
        c.run(command, in_stream=False, pty=sys.stdout.isatty())


def _at_the_terminal(command: str) -> None:
    """The same for what listens to keys: it has the terminal itself."""
    code = subprocess.run(shlex.split(command), cwd=ROOT, check=False).returncode
    if code:
        raise Exit(code=code)


@task
def check(c: Context) -> None:
    """All that CI runs, from a fresh clone."""
    _run(c, ".ci/run --clone")


@task
def fix(c: Context) -> None:
    """Format, and fix what can be fixed without thinking."""
    _run(c, f"{PYTHON} -m ruff check --fix .")
    _run(c, f"{PYTHON} -m ruff format .")


@task(help={"quick": "Smaller sizes, as CI runs them."})
def bench(c: Context, quick: bool = False) -> None:
    """Every benchmark; each prints ratios against a peer or a floor, and fails when a bar is missed."""
    for script in sorted((ROOT / "benchmarks").glob("*.py")):
        if "argparse" in script.read_text(encoding="utf-8"):
            _run(c, f"{PYTHON} {shlex.quote(str(script))}{' --quick' if quick else ''}")
    if not quick:
        _run(c, f"JOURNEYS_FULL=1 {PYTHON} -m pytest -q -n 2 -m full tests/journeys")


@task
def docs(c: Context) -> None:
    """Check that what the documentation says is true."""
    _run(c, f"{PYTHON} -m pytest -q tests/docs")


@task
def site(c: Context) -> None:
    """Build the documentation site into build/site: every page is in it, no link is broken."""
    _run(c, f"PYTHONPATH=docs {PYTHON} -m reference")
    print("build/site/index.html")


@task
def pictures(c: Context) -> None:
    """Make the pictures in docs/images anew, from what is recorded beside them: apt-get install chromium pngquant."""
    _run(c, f"{PYTHON} docs/pictures/slack.py")
    _run(c, f"{PYTHON} docs/pictures/live.py")
    _run(c, f"{PYTHON} docs/pictures/report.py")


@task
def faults(c: Context) -> None:
    """Try every provider against every fault, and write what comes of it into docs/faults.md."""
    _run(c, f"{PYTHON} tests/faults/table.py")


@task
def secrets(c: Context) -> None:
    """Push 10,000 secrets through everything that shows or records something, and count those that are seen."""
    _run(c, f"{PYTHON} tests/secrets_seen.py")


@task
def demo(c: Context) -> None:
    """Deploy the sample application, then deploy it again, blue-green, under live traffic."""
    deploy = f"{INV} deploy --env development"
    print("== the first release: nothing is live yet", flush=True)
    _at_the_terminal(deploy)
    print("\n== the same again, blue-green, while 200 requests/s come in", flush=True)
    during = shlex.quote(deploy + " --redeploy")
    _at_the_terminal(f"{PYTHON} benchmarks/switch.py --url http://127.0.0.1:8080 --during {during}")
    print("\nhttp://127.0.0.1:8080 is open; `inv status --env development`; `inv down --env development` ends it")


@task(
    name="break",
    help={
        "fault": "errors, latency, health, slow_start, crash_after or migration: examples/library/library/faults.py",
        "value": "The fault in full, as JSON. Default: what --fault stands for.",
    },
)
def break_(c: Context, fault: str = "errors", value: str = "") -> None:
    """Put a bug into the sample application; the next deployment brings it out, and takes it back."""
    if fault not in BUGS:
        raise Exit(f"there is no fault {fault!r}; there are {', '.join(BUGS)}", code=2)
    try:
        found: object = json.loads(value) if value else BUGS[fault]
    except ValueError:
        found = value
    FAULTS.write_text(json.dumps({fault: found}) + "\n", encoding="utf-8")
    print(f"{FAULTS.relative_to(ROOT)}: {json.dumps({fault: found})}; now: inv deploy --env development")


@task
def mend(c: Context) -> None:
    """Take the bug out again."""
    FAULTS.write_text("{}\n", encoding="utf-8")
    print(f"{FAULTS.relative_to(ROOT)}: no fault")


DEVELOPERS = (check, fix, bench, docs, site, faults, secrets, pictures, demo, break_, mend)
namespace.add_collection(Collection("dev", *DEVELOPERS))
