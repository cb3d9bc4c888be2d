"""`rollback --database` where the database is a file: Django's own migrations, in the release that brought them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from journeys.environment import NAME, Environment

SHELVES = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_loan_returned_at")]
    operations = [migrations.RunSQL("CREATE TABLE shelves (n int)", "DROP TABLE shelves")]
"""


def has_shelves(environment: Environment) -> bool:
    file = environment.root / f".deploy/{NAME}/shared/library.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        return database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'shelves'").fetchone() == (1,)


def test_a_release_that_was_taken_back_leaves_a_migration_that_can_be_reversed(live: Environment) -> None:
    """The verdict takes the release home, and its migration stays; asked for, that goes as well, and nothing else."""
    home = live.live()
    live.configure(database={"preset": "django"})
    (live.root / "library/catalog/migrations/0004_shelves.py").write_text(SHELVES)
    live.commit(faults={"errors": {"share": 0.9, "after": 2}})
    taken_back = live.inv("deploy")
    assert (taken_back.code, has_shelves(live)) == (4, True), taken_back.said
    reversed_ = live.inv("rollback", "--database", "--no-watch", "--reason", "no shelves")
    assert (reversed_.code, has_shelves(live)) == (0, False), reversed_.said
    assert "catalog.0004_shelves" in reversed_.said
    assert live.events("reversed")[-1].facts["migrations"] == ["catalog.0004_shelves"]
    (live.root / "library/catalog/migrations/0004_shelves.py").unlink()
    live.assert_at_rest(home)
