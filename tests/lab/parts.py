"""Programs that some tests need and that pip does not bring."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

_BESIDE_THE_PATH = (
    "/usr/sbin",
    "/usr/local/sbin",
    *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)),
)


def program(name: str) -> str:
    """The path of a program. Without it the test is skipped, or fails where all parts must be there, as in CI."""
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(_BESIDE_THE_PATH))
    return found or lacking(f"{name} is not installed")


def lacking(why: str) -> str:
    """Skip, or fail where ``DEPLOYTASKS_PARTS=required`` says that nothing may be missing."""
    if os.environ.get("DEPLOYTASKS_PARTS") == "required":
        pytest.fail(why)
    pytest.skip(why)
