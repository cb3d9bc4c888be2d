"""The sample application as it is committed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.postgres import Server

LIBRARY = Path(__file__).parents[1] / "examples" / "library"


def test_the_committed_release_has_no_faults() -> None:
    """Whoever breaks it on purpose mends it before committing."""
    assert {} == json.loads((LIBRARY / "faults.json").read_text())


def test_it_runs_on_postgresql(ledgers: Server, tmp_path: Path) -> None:
    """All of its own tests pass on a server, too: migrations, pages, a real gunicorn."""
    ledgers.sql("CREATE DATABASE library_example")
    own = {**os.environ, "LIBRARY_TESTS_DATABASE": ledgers.url_of("library_example"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'own'}"]
    clean = {name: value for name, value in own.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [*command, str(LIBRARY)], env=clean, capture_output=True, text=True, timeout=300, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    tables = ledgers.sql("SELECT count(*) FROM catalog_book", database="library_example")
    assert tables == [(20,)]
