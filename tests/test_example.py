"""The sample application as it is committed."""

from __future__ import annotations

import json
from pathlib import Path

LIBRARY = Path(__file__).parents[1] / "examples" / "library"


def test_the_committed_release_has_no_faults() -> None:
    """Whoever breaks it on purpose mends it before committing."""
    assert {} == json.loads((LIBRARY / "faults.json").read_text())
