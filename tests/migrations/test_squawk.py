"""squawk's word on SQL, beside ours."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploytasks.migrations import squawk
from deploytasks.migrations.files import Source, sources
from deploytasks.migrations.judging import judged
from deploytasks.migrations.rules import RULES, Finding

PROGRAM = shutil.which("squawk", path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin")
needs_squawk = pytest.mark.skipif(PROGRAM is None, reason="squawk is not installed")


def told(*pieces: squawk.Piece) -> list[Finding]:
    """What the program itself says."""
    assert PROGRAM is not None
    command = [PROGRAM, *squawk.ARGUMENTS, "migrations.sql"]
    done = subprocess.run(command, input=squawk.asked(pieces), capture_output=True, text=True, check=False)
    return squawk.told(done.stdout, pieces)


def sql(text: str, path: str = "db/1.sql") -> Source:
    (one,) = sources({path: text})
    return one


@needs_squawk
@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE book DROP COLUMN title",
        "DROP TABLE book",
        "ALTER TABLE book RENAME COLUMN title TO name",
        "ALTER TABLE book RENAME TO volume",
        "ALTER TABLE book ADD shelf int NOT NULL",
        "ALTER TABLE book ALTER note SET NOT NULL",
        "ALTER TABLE book ALTER COLUMN title TYPE varchar(9)",
        "CREATE INDEX by_title ON book (title)",
        "ALTER TABLE book ADD CONSTRAINT f FOREIGN KEY (author) REFERENCES author (id)",
        "ALTER TABLE book ADD CONSTRAINT few CHECK (pages < 9)",
        "ALTER TABLE book ADD CONSTRAINT once UNIQUE (title)",
        "DROP TYPE mood",
        "TRUNCATE book CASCADE",
        "ALTER TABLE book ADD number serial PRIMARY KEY",
        "CREATE TABLE",
    ],
)
def test_what_squawk_warns_of_we_know(text: str) -> None:
    """Each of its findings is about a rule that we have found as well."""
    one = sql(text)
    found = told(*squawk.pieces(one))
    ours = {each.rule for each in judged([one])}
    assert {each.rule for each in found} <= ours | {"rewrite"}
    if found and not text.endswith("TABLE"):
        assert any("https://squawkhq.com/docs/" in str(each) for each in squawk.merged(judged([one]), found))


@needs_squawk
@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE book ADD shelf int",
        "ALTER TABLE book ADD shelf int NOT NULL DEFAULT 3",
        "CREATE TABLE shelf (id int); CREATE INDEX i ON shelf (id)",
        "CREATE INDEX CONCURRENTLY i ON book (title)",
        "ALTER TABLE book ADD CONSTRAINT few CHECK (pages < 9) NOT VALID",
        "DROP INDEX by_title",
        "ALTER TABLE book ALTER title DROP NOT NULL",
        "SELECT 1",
    ],
)
def test_what_expands_passes(text: str) -> None:
    """Matters of taste are none of the checklist's."""
    assert [] == told(*squawk.pieces(sql(text)))


@needs_squawk
def test_files_and_lines_are_found_again() -> None:
    """Of several migrations at once: a table that one makes is new to the next."""
    first = sql("CREATE TABLE shelf (id int);\n", "db/1.sql")
    second = sql("-- more\nCREATE INDEX a ON shelf (id);\n\nCREATE INDEX b\n  ON book (title)", "db/2.sql")
    (found,) = told(*squawk.pieces(first), *squawk.pieces(second))
    assert ("db/2.sql", 4, "index") == (found.path, found.line, found.rule)
    text = "\n\nclass Migration(m.Migration):\n    operations = [\n        m.RunSQL('''\nDROP TABLE a''')]\n"
    (django,) = sources({"shop/migrations/0001_a.py": text})
    (found,) = told(*squawk.pieces(django))
    assert ("shop/migrations/0001_a.py", 5, "drop-table") == (found.path, found.line, found.rule)


def test_every_rule_of_squawk_means_one_of_ours() -> None:
    """And says why, and how else."""
    assert set(squawk._MEANS.values()) <= set(RULES)
    for name, rule in RULES.items():
        assert rule.why, name
        assert rule.instead or rule.verdict != "contract", name
        assert re.match(r"https://(docs\.djangoproject\.com|squawkhq\.com|www\.postgresql\.org)/", rule.see), name


def test_what_was_read_goes_before_what_was_printed() -> None:
    """SQL does not show what the old release knows: of a migration that we could read, only locks are added."""
    one = sql("x", "shop/migrations/0002_more.sql")
    path = one.path
    locks, drops = (
        Finding(path, 1, "CREATE INDEX", "index", "squawk a"),
        Finding(path, 1, "DROP", "drop-column", "squawk b"),
    )
    assert [locks] == squawk.merged([], [locks, drops], {path})
    assert [locks, drops] == squawk.merged([], [locks, drops])
    unread = Finding(path, 3, "Mine()", "unread")
    assert [unread, locks, drops] == squawk.merged([unread], [locks, drops], {path})


def test_printed_sql_says_what_an_unknown_operation_does() -> None:
    """Unless it says that Python does it."""
    unread, known = Finding("a.py", 3, "Mine()", "unread"), Finding("a.py", 4, "AddIndex", "index")
    printed = {"a.py": 'ALTER TABLE "book" DROP COLUMN "title";\nCREATE INDEX i ON book (a);'}
    found = squawk.read_from(printed, [unread, known], set())
    assert [("index", 4), ("drop-column", 3)] == [(one.rule, one.line) for one in found]
    raw = {"a.py": "-- THIS OPERATION CANNOT BE WRITTEN AS SQL"}
    assert [unread] == squawk.read_from(raw, [unread], set())


def test_an_answer_that_is_none_is_an_error() -> None:
    """Whatever else the program prints."""
    with pytest.raises(ValueError):
        squawk.told("", [])
    with pytest.raises(ValueError):
        squawk.told(json.dumps({"a": 1}), [])
