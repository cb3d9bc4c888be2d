"""Which migrations a release brings: by git, by the database, by a command."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import memory
import pytest
from checklist.release_of import Project, alembic, django

from deploytasks.checklist import ITEMS, Subject
from deploytasks.checklist.pending import pending
from deploytasks.errors import DeployError, Unreachable

FIRST = {"catalog/migrations/__init__.py": "", "catalog/migrations/0001_initial.py": django()}
SECOND = {"catalog/migrations/0002_shelves.py": django(after="catalog.0001_initial")}


def test_what_the_live_commit_does_not_have_is_pending(tmp_path: Path) -> None:
    """Django's migrations by their names; helpers, packages and other modules are none."""
    project = Project(tmp_path)
    project.commit(FIRST)
    project.goes_live()
    project.commit({**SECOND, "catalog/migrations/_old.py": django(), "catalog/migrations/words.py": "A = 1\n"})
    found = pending(project.subject())
    assert ("catalog.0002_shelves",) == found.names
    assert ("catalog/migrations/0002_shelves.py",) == found.files
    assert ["catalog.0001_initial"] == [one.full for one in found.known]
    assert "1.0.0" in found.why


def test_nothing_new_is_nothing_pending(tmp_path: Path) -> None:
    """The same migrations, elsewhere in the repository: they are known by app and name."""
    project = Project(tmp_path)
    project.commit(FIRST)
    project.goes_live()
    project.git("mv", "catalog", "library")
    (project.root / "shop").mkdir()
    project.git("mv", "library", "shop/catalog")
    project.commit()
    assert () == pending(project.subject()).names


def test_a_release_that_was_taken_back_is_not_live(tmp_path: Path) -> None:
    """What the release before did not have is pending again; its migrations may be there, its code is not."""
    project = Project(tmp_path)
    project.commit(FIRST)
    project.goes_live("1.0.0")
    project.commit(SECOND)
    project.goes_live("1.1.0")
    project.world.note("rolled-back", deployment="d1.1.0")
    assert ("catalog.0002_shelves",) == pending(project.subject()).names


def test_before_the_first_deployment_the_database_is_asked(tmp_path: Path) -> None:
    """An application that was there before: what its database has is not pending."""
    project = Project(tmp_path)
    project.commit({**FIRST, **SECOND})
    memory.state_of(tmp_path).set(applied=["catalog.0001_initial"])
    found = pending(project.subject())
    assert ("catalog.0002_shelves",) == found.names
    assert "what the database says" in found.why


def test_a_live_commit_that_is_not_here_lets_the_database_be_asked(tmp_path: Path) -> None:
    """A shallow clone, say."""
    project = Project(tmp_path)
    project.commit({**FIRST, **SECOND})
    project.goes_live(commit="0" * 40)
    memory.state_of(tmp_path).set(applied=["catalog.0001_initial", "catalog.0002_shelves"])
    found = pending(project.subject())
    assert () == found.names
    assert "not in this clone" in found.why


def test_without_any_answer_everything_is_pending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it says so."""
    project = Project(tmp_path)
    project.commit({**FIRST, **SECOND})

    def silent(self: object) -> None:
        raise Unreachable("the database is silent")

    monkeypatch.setattr(memory.FakeDatabase, "applied", silent)
    found = pending(project.subject())
    assert ("catalog.0001_initial", "catalog.0002_shelves") == found.names
    assert "the database is silent" in found.why


def test_a_database_that_never_answers_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checklist must end; then everything counts as pending."""
    project = Project(tmp_path)
    project.commit(FIRST)
    over = threading.Event()
    monkeypatch.setattr(memory.FakeDatabase, "applied", lambda self: over.wait(30))
    monkeypatch.setattr(sys.modules["deploytasks.checklist.pending"], "_ANSWER", 0.05)
    found = pending(project.subject())
    over.set()
    assert ("catalog.0001_initial",) == found.names
    assert "does not answer within" in found.why
    assert not found.is_first


def test_a_silent_ledger_passes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each item of the section fails."""
    project = Project(tmp_path)
    project.commit(FIRST)

    def silent(self: object) -> None:
        raise Unreachable("the ledger is silent")

    monkeypatch.setattr(Subject, "standing", property(silent))
    subject = project.subject()
    items = [item for item in ITEMS if item.id.startswith("database.")]
    assert {"fail"} == {item.look(subject).answer for item in items}


def test_it_is_found_out_once(tmp_path: Path) -> None:
    """For each subject; an error, too."""
    project = Project(tmp_path)
    project.commit(FIRST)
    subject = project.subject()
    assert pending(subject) is pending(subject)


def test_a_work_tree_counts_as_it_lies_there(tmp_path: Path) -> None:
    """Where uncommitted changes may be deployed."""
    project = Project(tmp_path)
    project.commit(FIRST)
    project.goes_live()
    project.write_all(SECOND)
    assert () == pending(project.subject()).names
    assert ("catalog.0002_shelves",) == pending(project.subject(dirty=True)).names


def test_a_command_decides_where_one_is_configured(tmp_path: Path) -> None:
    """One name in a line, also one that no file has; a command that fails is no answer."""
    project = Project(tmp_path, pending="printf 'catalog.0002_shelves\\nauth.0013_more\\n'")
    project.commit({**FIRST, **SECOND})
    found = pending(project.subject())
    assert ("catalog.0002_shelves", "auth.0013_more") == found.names
    assert ("catalog/migrations/0002_shelves.py",) == found.files
    assert ("auth.0013_more",) == found.unread
    project.configure(kind="sqlite", path="db.sqlite3", preset="django", pending="echo broken >&2; exit 3")
    with pytest.raises(DeployError, match="broken"):
        pending(project.subject())


def test_alembic_by_its_revisions(tmp_path: Path) -> None:
    """In their order, shown by the files' names; the database writes down the heads alone."""
    project = Project(tmp_path, preset="alembic")
    project.commit({"app/versions/b2_books.py": alembic("b2"), "app/versions/a1_more.py": alembic("a1", "b2")})
    found = pending(project.subject())
    assert ("b2_books", "a1_more") == found.names
    memory.state_of(tmp_path).set(applied=["a1"])
    project.commit({"app/versions/c3_shelves.py": alembic("c3", "a1")})
    assert ("c3_shelves",) == pending(project.subject()).names


def test_sql_files_by_patterns(tmp_path: Path) -> None:
    """Those that take one back are none."""
    project = Project(tmp_path, preset=None, migrate="dbmate up", migrations=("db/**/*.sql",))
    project.commit({"db/1/0001_a.up.sql": "CREATE TABLE a ();", "db/1/0001_a.down.sql": "DROP TABLE a;"})
    project.goes_live()
    project.commit({"db/1/0002_b.up.sql": "", "db/1/0002_b.down.sql": "", "db/V3__c.sql": "", "db/U3__c.sql": ""})
    found = pending(project.subject())
    assert ("0002_b", "V3__c") == found.names
    assert ["db/1/0002_b.down.sql", "db/U3__c.sql"] == [one.down for one in found.sources]


def test_a_command_without_files_is_a_mistake(tmp_path: Path) -> None:
    """Something migrates, and nobody knows what: that passes nothing."""
    project = Project(tmp_path, preset=None, migrate="./migrate.sh")
    project.commit({"migrate.sh": "true"})
    with pytest.raises(DeployError, match="which files are migrations is not known"):
        pending(project.subject())


def test_outside_of_a_repository_nothing_is_known(tmp_path: Path) -> None:
    """A failure of the check, and no wrong configuration."""
    world = memory.world(tmp_path)
    with pytest.raises(DeployError) as caught:
        pending(Subject(world, memory.release()))
    assert caught.value.exit_code == 3


def test_a_squashed_migration_of_known_ones_is_not_new(tmp_path: Path) -> None:
    """Nor are those that a known one stands for."""
    project = Project(tmp_path)
    project.commit({**FIRST, **SECOND})
    project.goes_live()
    stands = "    replaces = [('catalog', '0001_initial'), ('catalog', '0002_shelves')]\n"
    project.commit({"catalog/migrations/0001_squashed_0002.py": django(more=stands)})
    assert () == pending(project.subject()).names
