"""The library, set up once per test process on a database of its own, with its real migrations.

LIBRARY_TESTS_DATABASE names an empty PostgreSQL database to use instead of a SQLite file.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where database and cache of this session are."""
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="session")
def books(folder: Path) -> str:
    """What LIBRARY_DATABASE says in this session."""
    return where_the_books_are(folder)


@pytest.fixture(scope="session", autouse=True)
def library(folder: Path) -> Iterator[None]:
    """Django, set up and migrated."""
    import django
    from django.conf import settings

    with pytest.MonkeyPatch.context() as patch:  # the environment is for others to use again
        for name, value in environment(folder).items():
            patch.setenv(name, value)
        assert settings.VERSION == "1.2.3"
    django.setup()

    from django.core.management import call_command
    from django.db import connections
    from django.test.utils import setup_test_environment, teardown_test_environment

    setup_test_environment()
    call_command("migrate", verbosity=0)
    yield
    connections.close_all()
    teardown_test_environment()


@pytest.fixture(autouse=True)
def _empty_tables(library: None) -> None:
    from catalog.models import Loan
    from django.core.cache import cache

    Loan.objects.all().delete()
    cache.clear()


@pytest.fixture
def client():
    """A browser that does not raise what the application raised, as no real one does."""
    from django.test import Client

    return Client(raise_request_exception=False)


@pytest.fixture
def release(tmp_path: Path) -> Callable[[object], Path]:
    """Make a copy of the application with other faults: what a broken release is."""

    def make(faults: object) -> Path:
        made = tmp_path / "release"
        shutil.copytree(ROOT, made, ignore=shutil.ignore_patterns("tests", "__pycache__", "*.sqlite3*"))
        (made / "faults.json").write_text(json.dumps(faults))
        return made

    return make


@pytest.fixture
def manage(folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a copy's ``manage.py`` on this session's database."""

    def run(where: Path, *words: str) -> subprocess.CompletedProcess[str]:
        own = {**os.environ, **environment(folder), "LIBRARY_FAULTS": ""}
        return subprocess.run(
            [sys.executable, "manage.py", *words], cwd=where, env=own,
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip

    return run


def where_the_books_are(folder: Path) -> str:
    return os.environ.get("LIBRARY_TESTS_DATABASE") or str(folder / "library.sqlite3")


def environment(folder: Path) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "library.settings",
        "LIBRARY_DATABASE": where_the_books_are(folder),
        "LIBRARY_CACHE": str(folder / "cache"),
        "LIBRARY_DEBUG": "0",
        "LIBRARY_FAULTS": str(folder / "faults.json"),
        "VERSION": "1.2.3",
        "COLOR": "green",
    }
