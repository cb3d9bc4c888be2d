"""The sample application on a PostgreSQL server: deployed, copied, restored, migrated and migrated back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from journeys.environment import NAME, Environment
from journeys.shown import typed
from lab.postgres import Server, postgres

from deploytasks import web

DATABASE, ROLE, SECRET = "Bücher & Co", "librarian", "correct horse/battery:staple"


class OnAServer(Environment):
    """An environment whose database is on a server. The application finds its password in a file, the deployer in the
    environment."""

    def __init__(self, root: Path, server: Server) -> None:
        self.server = server
        self.passwords = root.parent / f"{root.name}.pgpass"
        escaped = SECRET.replace("\\", "\\\\").replace(":", "\\:")
        self.passwords.write_text(f"*:*:*:{ROLE}:{escaped}\n")
        self.passwords.chmod(0o600)
        server.sql(f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{SECRET}'")
        server.sql(f'CREATE DATABASE "{DATABASE}" OWNER {ROLE}')
        super().__init__(root)

    @property
    def variables(self) -> dict[str, str]:
        return {**super().variables, "OWNER_URL": self.server.url_of(DATABASE, ROLE, SECRET)}

    @cached_property
    def _address(self) -> str:
        return f"postgresql://{ROLE}@{self.server.host}:{self.server.port}/B%C3%BCcher%20%26%20Co"

    @property
    def _places(self) -> dict[str, Any]:
        places = super()._places
        own = {"LIBRARY_DATABASE": self._address, "PGPASSFILE": str(self.passwords)}
        environment = {**places["fleet"]["environment"], **own}
        database = {"kind": "postgres", "url_from": "OWNER_URL", "preset": "django"}
        return {**places, "fleet": {**places["fleet"], "environment": environment}, "database": database}

    def sql(self, text: str) -> list[tuple[Any, ...]]:
        return self.server.sql(text, database=DATABASE)

    def migration(self, name: str, after: str, *words: str) -> None:
        """A new release, with a migration of its own."""
        (self.root / f"library/catalog/migrations/{name}.py").write_text(
            "from django.db import migrations\n"
            "class Migration(migrations.Migration):\n"
            f"    dependencies = [('catalog', '{after}')]\n"
            f"    operations = [migrations.RunSQL({', '.join(map(repr, words))})]\n"
        )
        self.commit()

    def lend(self) -> None:
        """A visitor takes a book home."""
        body, kind = json.dumps({"id": str(uuid.uuid4()), "book": 1}).encode(), {"Content-Type": "application/json"}
        done = web.fetch(f"{self.url}/api/loans/", method="POST", body=body, headers=kind, timeout=5)
        assert done.status == 201

    def loans(self) -> int:
        return int(json.loads(web.fetch(f"{self.url}/api/loans/duplicates/", timeout=5).body)["total"])


@pytest.fixture
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnAServer]:
    folder = tmp_path_factory.mktemp("pg")
    with postgres(folder) as server:
        made = OnAServer(folder / "e", server)
        try:
            yield made
        finally:
            made.end()


def test_a_database_on_a_server(library: OnAServer) -> None:
    """Deploy, back up, restore with typed consent, migrate, roll back with the database; and what cannot be reversed
    is refused. The password is in nothing that was said or kept."""
    said = []

    def inv(*words: str, code: int = 0) -> str:
        done = library.inv(*words)
        said.append(done.said)
        assert done.code == code, done.said
        return done.said

    inv("deploy")
    (migrated,) = library.events("migrated")
    assert "catalog.0003_loan_returned_at" in str(migrated.facts["after"])

    library.lend()
    typed(library, "docs/postgresql.md", "Backup")
    library.lend()
    plan = inv("restore-database", "--plan")
    assert f"127.0.0.1:{library.server.port}/{DATABASE}" in plan
    inv("restore-database", code=2)
    inv("restore-database", "--consent", "production", code=3)
    assert library.loans() == 2
    done = typed(library, "docs/postgresql.md", "Restore", more={"inv restore-database": ("--consent", NAME)})
    told = "".join(each.said for each in done)
    said.append(told)
    (restored,) = library.events("restored")
    kept = str(restored.facts["kept"])
    assert kept in told
    assert library.loans() == 1
    assert library.server.sql("SELECT count(*) FROM catalog_loan", database=kept) == [(2,)]
    library.assert_at_rest(library.live())

    library.migration("0004_shelves", "0003_loan_returned_at", "CREATE TABLE shelves (n int)", "DROP TABLE shelves")
    inv("deploy")
    assert library.sql("SELECT to_regclass('shelves')::text") == [("shelves",)]
    *_, done = typed(library, "docs/postgresql.md", "Migrations", more={"inv rollback": ("--no-watch",)})
    told = done.said
    said.append(told)
    assert "catalog.0004_shelves" in told
    assert library.sql("SELECT to_regclass('shelves')::text") == [(None,)]
    inv("rollback", "--database", "--no-watch", "--reason", "twice is once")
    library.assert_at_rest(library.live())

    library.migration("0005_forever", "0004_shelves", "CREATE TABLE forever (n int)")
    inv("deploy")
    told = inv("rollback", "--database", "--no-watch", "--reason", "not this", code=3)
    assert "cannot be reversed: catalog.0005_forever (RunSQL)" in told
    assert library.sql("SELECT to_regclass('shelves')::text, to_regclass('forever')::text") == [("shelves", "forever")]
    library.assert_at_rest(library.live())

    inv("doctor", code=0)
    kept_files = [file for file in library.root.rglob("*") if file.is_file() and ".git" not in file.parts]
    assert not [file for file in kept_files if SECRET.encode() in file.read_bytes()]
    assert not [text for text in said if SECRET in text]
