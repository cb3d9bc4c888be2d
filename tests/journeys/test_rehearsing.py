"""`inv rehearse`: the sample application's migrations on a copy of a real database, in a file and on a server."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from journeys.environment import NAME, Environment
from lab.postgres import Server, postgres

from deploytasks.ports import Event

DATABASE, ROLE, SECRET = "Bücher & Co", "librarian", "correct horse/battery:staple"


def migration(name: str, after: str, operations: str) -> str:
    return (
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = [('catalog', '{after}')]\n    operations = [{operations}]\n"
    )


SHELVES = migration("0004", "0003_loan_returned_at", 'migrations.RunSQL("CREATE TABLE shelves (n int)")')
BROKEN = migration("0004", "0003_loan_returned_at", 'migrations.RunSQL("UPDATE nothing SET n = 1")')


class Library(Environment):
    """The sample application, whose database has all but the last migration, and nothing that runs."""

    more: Mapping[str, str] = {}
    """Variables of the application and of the deployer."""

    def migrate(self, where: str, *words: str) -> None:
        """As the application of yesterday did it."""
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--noinput", *words], cwd=self.root / "library",
            env={**os.environ, **self.more, "LIBRARY_DATABASE": where}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def rehearsed(self) -> Event:
        return [one for one in self.events("evidence") if one.facts["item"] == "rehearsal"][-1]

    def add(self, text: str) -> None:
        (self.root / "library/catalog/migrations/0004_shelves.py").write_text(text)
        self.commit()

    def applied(self) -> list[str]:
        raise NotImplementedError

    def left(self) -> list[str]:
        """What a rehearsal should not leave."""
        return [path.name for path in (self.root / f".deploy/{NAME}").glob("rehearsal-*")]


class InAFile(Library):
    @cached_property
    def file(self) -> Path:
        return self.root / f".deploy/{NAME}/shared/library.sqlite3"

    def begin(self) -> None:
        self.file.parent.mkdir(parents=True)
        self.migrate(str(self.file), "catalog", "0003")

    def applied(self) -> list[str]:
        with closing(sqlite3.connect(self.file)) as database:
            return [row[0] for row in database.execute("SELECT name FROM django_migrations ORDER BY id")]


class OnAServer(Library):
    def __init__(self, root: Path, server: Server) -> None:
        self.server = server
        server.sql(f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{SECRET}'")
        server.sql(f'CREATE DATABASE "{DATABASE}" OWNER {ROLE}')
        self.more = {"OWNER_URL": server.url_of(DATABASE, ROLE, SECRET)}
        super().__init__(root)

    @property
    def variables(self) -> dict[str, str]:
        return {**super().variables, **self.more}

    @property
    def _places(self) -> dict[str, Any]:
        own = {"kind": "postgres", "url_from": "OWNER_URL", "preset": "django"}
        return {**super()._places, "database": own}

    def begin(self) -> None:
        self.migrate(self.more["OWNER_URL"], "catalog", "0003")

    def applied(self) -> list[str]:
        return [row[0] for row in self.server.sql("SELECT name FROM django_migrations ORDER BY id", database=DATABASE)]

    def left(self) -> list[str]:
        names = [row[0] for row in self.server.sql("SELECT datname FROM pg_database")]
        return [*super().left(), *(name for name in names if "rehearsal" in name)]


@pytest.fixture(params=["in a file", "on a server"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Where the database is, and what to say about it."""
    folder = tmp_path_factory.mktemp("rehearsing")
    if request.param == "in a file":
        made = InAFile(folder / "e")
        made.begin()
        yield made
        return
    with postgres(folder) as server:
        on_it = OnAServer(folder / "e", server)
        on_it.begin()
        yield on_it


def test_a_rehearsal_tells_how_long_it_takes(library: Library) -> None:
    """On a copy, by the release's own artifact; the database itself is as it was, and nothing is left over."""
    library.configure(database={"preset": "django", "rehearsal": {"variable": "LIBRARY_DATABASE"}})
    library.add(SHELVES)
    before = library.applied()
    planned = library.inv("rehearse", "--plan")
    assert planned.code == 0, planned.said
    assert not library.events("evidence")
    done = library.inv("rehearse")
    assert done.code == 0, done.said
    assert "catalog.0004_shelves" in done.said
    event = library.rehearsed()
    assert (True, ["catalog.0004_shelves"]) == (event.facts["ok"], event.facts["migrations"])
    assert 0 < float(str(event.facts["seconds"])) < 60
    each = event.facts["each"]
    assert isinstance(each, Mapping)
    assert ["catalog.0004_shelves"] == list(each)
    assert int(str(event.facts["size"])) > 0
    assert (before, []) == (library.applied(), library.left())
    again = library.inv("rehearse", "--plan")
    assert "would: " in again.said
    assert "beside" in again.said or "copy" in again.said

    items = checklist(library)
    assert {"pass"} == {items[name][0] for name in ("pending", "estimate", "backup")}
    assert "catalog.0004_shelves" in items["pending"][1]
    assert " s for 1 migration on a copy of " in items["estimate"][1]
    assert "a verified one is made before it migrates" in items["backup"][1]
    assert ("needs a signature", True) == (items["rollback"][0], "RunSQL without reverse_sql" in items["rollback"][1])
    assert not [file for file in library.root.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]
    assert SECRET not in done.said + planned.said + again.said


def checklist(library: Library) -> dict[str, tuple[str, str]]:
    """What the checklist of production says about the database, by item: the answer, and the evidence."""
    library.configure(
        database={"preset": "django", "rehearsal": {"variable": "LIBRARY_DATABASE"}}, gates={"level": "production"}
    )
    found = library.inv("checklist", "--json").answer["items"]
    section = "database."
    mine = [one for one in found if one["item"].startswith(section)]
    return {one["item"].removeprefix(section): (one["answer"], one["evidence"]) for one in mine}


def test_what_fails_on_the_copy_refuses(library: Library) -> None:
    """Code 3, and evidence of it; the copy is gone all the same."""
    library.configure(database={"preset": "django", "rehearsal": {"variable": "LIBRARY_DATABASE"}})
    library.add(BROKEN)
    before = library.applied()
    done = library.inv("rehearse")
    assert done.code == 3, done.said
    assert "OperationalError" in done.said or "ProgrammingError" in done.said
    assert "Applying catalog.0004_shelves" in (library.root / f".deploy/{NAME}/rehearsal.log").read_text()
    failed = library.rehearsed().facts
    assert (False, True) == (failed["ok"], "nothing" in str(failed["detail"]))
    assert (before, []) == (library.applied(), library.left())


def test_an_application_that_looks_elsewhere_is_not_run(library: Library) -> None:
    """A variable that it does not read: it would have migrated something else."""
    elsewhere = library.root.parent / "elsewhere.sqlite3"
    library.configure(
        database={"preset": "django", "rehearsal": {"variable": "DATABASE_URL"}},
        fleet={"environment": {"LIBRARY_DATABASE": str(elsewhere)}},
    )
    library.add(SHELVES)
    before = library.applied()
    done = library.inv("rehearse")
    assert done.code == 3, done.said
    assert "does not read DATABASE_URL" in done.said
    assert (before, []) == (library.applied(), library.left())
    assert not [one for one in library.events("evidence") if one.facts["item"] == "rehearsal"]


def test_without_configuration_it_is_a_mistake(tmp_path: Path) -> None:
    """Code 2, with what to say."""
    library = InAFile(tmp_path / "e")
    done = library.inv("rehearse")
    assert done.code == 2, done.said
    assert "rehearsal: {variable: DATABASE_URL}" in done.said
