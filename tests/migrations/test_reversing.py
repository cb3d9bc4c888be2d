"""Whether a migration can be taken back."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deploytasks.migrations.files import Source, sources
from deploytasks.migrations.reversing import _REVERSIBLE, way_back

_REVERSE = "migrations.RunPython({}, {})"

CASES = {
    "migrations.RemoveField('book', 'year')": "",
    "migrations.RunPython(forward)": "RunPython without reverse_code",
    "migrations.RunPython(forward, reverse_code=None)": "RunPython without reverse_code",
    "migrations.RunPython(forward, migrations.RunPython.noop)": "",
    "migrations.RunPython(code=forward, reverse_code=backward)": "",
    "migrations.RunSQL('SELECT 1')": "RunSQL without reverse_sql",
    "migrations.RunSQL('SELECT 1', 'SELECT 2')": "",
    "migrations.RunSQL(sql=[('SELECT 1', None)], reverse_sql=migrations.RunSQL.noop)": "",
    "migrations.SeparateDatabaseAndState([migrations.RunSQL('SELECT 1')], [])": "RunSQL without reverse_sql",
    "migrations.SeparateDatabaseAndState(state_operations=[migrations.RunPython(f)])": "",
    "TrigramExtension()": "",
    "MoveTheMountain()": "MoveTheMountain, which is not known",
    "*computed()": "an operation that is computed (line 4)",
    "migrations.RunSQL('a'), migrations.RunPython(f), migrations.RunSQL('b')": (
        "RunSQL without reverse_sql, RunPython without reverse_code"
    ),
}


def django(operations: str) -> Source:
    text = (
        f"from django.db import migrations\n\nclass Migration(migrations.Migration):\n    operations = [{operations}]\n"
    )
    (found,) = sources({"shop/migrations/0002_more.py": text})
    return found


@pytest.mark.parametrize("operations", CASES)
def test_django(operations: str) -> None:
    """What has no reverse is named."""
    assert (not CASES[operations], CASES[operations]) == way_back(django(operations))


def test_the_operations_are_those_that_django_can_reverse() -> None:
    """Asked of Django itself: an operation is on our list when its class is reversible, and only then."""
    script = (
        "from django.conf import settings; settings.configure();\n"
        "from django.db.migrations import operations as core\n"
        "from django.contrib.postgres import operations as more\n"
        "from django.db.migrations.operations.base import Operation\n"
        "for module in (core, more):\n"
        "    for name in dir(module):\n"
        "        one = getattr(module, name)\n"
        "        if isinstance(one, type) and issubclass(one, Operation) and one.reversible is True:\n"
        "            print(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    not_ours = {"SeparateDatabaseAndState", "Operation", "ModelOptionOperation"}
    known = {name for name in done.stdout.split() if not name.endswith("Extension") and name not in not_ours}
    assert known <= _REVERSIBLE | {"CreateExtension", "NotInTransactionMixin", "CollationOperation"}
    assert _REVERSIBLE - known <= {"AlterConstraint"}  # of Django 6


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"db/1.up.sql": "SELECT 1", "db/1.down.sql": "SELECT 2"}, ""),
        ({"db/1.up.sql": "SELECT 1", "db/1.down.sql": "-- nothing"}, "the SQL that takes it back is empty"),
        ({"db/1.sql": "SELECT 1"}, "no SQL that takes it back"),
        ({"db/1.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2"}, ""),
        ({"db/1.sql": "-- +goose Up\nSELECT 1;\n-- +goose Down\n"}, "the SQL that takes it back is empty"),
        ({"db/deploy/1.sql": "SELECT 1", "db/revert/1.sql": "SELECT 2", "db/verify/1.sql": "SELECT 3"}, ""),
        ({"db/V1__a.sql": "SELECT 1", "db/U1__a.sql": "SELECT 2"}, ""),
        ({"db/1.sql": "-- only words"}, ""),
    ],
)
def test_sql(files: dict[str, str], why: str) -> None:
    """By a file beside it, or by a part of its own."""
    (one,) = sources(files)
    found = way_back(one, files)
    assert (not why, why or "") == (found.is_there, "" if found.is_there else found.why)
