"""The database section of the checklist, over a real git repository and a world in memory."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import memory
import pytest
from checklist.release_of import Project, alembic, django

from deploytasks.checklist import ITEMS, Answer, Found, Subject, rehearsed
from deploytasks.checklist.database import (
    can_be_taken_back,
    copy_can_be_made,
    in_a_quiet_time,
    migrations_known,
    old_release_can_live_with_it,
    time_is_known,
)
from deploytasks.errors import GateRefused, Unreachable
from deploytasks.ports import Finding
from deploytasks.settings.windows import Window

BOOKS = """migrations.CreateModel("Book", fields=[
    ("id", models.BigAutoField(primary_key=True)), ("title", models.CharField(max_length=100)),
    ("year", models.IntegerField(null=True))])"""
FIRST = {"shop/migrations/0001_initial.py": django(BOOKS)}


def second(operations: str, more: str = "") -> dict[str, str]:
    return {"shop/migrations/0002_more.py": django(operations, "shop.0001_initial", more)}


def live(folder: Path, operations: str = "", **database: object) -> Project:
    """A project whose first release is live, and whose next one has a second migration."""
    project = Project(folder, **database)
    project.commit(FIRST)
    project.goes_live()
    if operations:
        project.commit(second(operations))
    return project


ADD = 'migrations.AddField("book", "shelf", models.IntegerField(null=True))'
DROP = 'migrations.RemoveField("book", "year")'
FILL = "migrations.RunPython(forward, backward)"
INDEX = 'migrations.AddIndex("book", models.Index(fields=["year"], name="by_year"))'
ON_A_SERVER = {"kind": "postgres", "name": "shop", "path": None}


def test_the_section_stands_in_its_place() -> None:
    """In the order of the document, after order and before configuration."""
    names = [item.id for item in ITEMS]
    mine = [name for name in names if name.startswith("database.")]
    assert ["pending", "compatible", "reviewed", "rollback", "estimate", "window", "backup"] == [
        name.partition(".")[2] for name in mine
    ]
    at = names.index(mine[0])
    assert mine == names[at : at + len(mine)]


# -- pending ---------------------------------------------------------------------------------------


def test_pending_migrations_are_named(tmp_path: Path) -> None:
    """With what they were found by."""
    found = migrations_known(live(tmp_path, ADD).subject())
    assert "pass" == found.answer
    assert found.evidence.startswith("1 migration pending: shop.0002_more; compared with 1.0.0, which is live")


def test_nothing_pending_leaves_the_others_aside(tmp_path: Path) -> None:
    """But not the copies."""
    subject = live(tmp_path).subject()
    assert "no migration is pending" in migrations_known(subject).evidence
    for check in (old_release_can_live_with_it, can_be_taken_back, time_is_known, in_a_quiet_time):
        assert "not applicable" == check(subject).answer
    assert "warn" == copy_can_be_made(subject).answer


def test_migrations_that_nothing_applies(tmp_path: Path) -> None:
    """A person must know who does."""
    project = live(tmp_path, ADD, preset=None)
    found = migrations_known(project.subject())
    assert "needs a signature" == found.answer
    assert "no `database.migrate` is configured" in found.evidence


def test_what_cannot_be_found_out_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The item then fails; a silent ledger passes nothing."""
    subject = live(tmp_path, ADD).subject()

    def silent(self: object) -> None:
        raise Unreachable("the ledger is silent")

    monkeypatch.setattr(Subject, "standing", property(silent))
    (item,) = (item for item in ITEMS if item.id == "database.pending")
    found = item.look(subject)
    assert ("fail", "unreachable: the ledger is silent") == found[:2]


# -- compatible ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operations", "answer"),
    [
        (ADD, "pass"),
        (DROP, "fail"),
        ('migrations.AddField("book", "shelf", models.IntegerField(default=1))', "fail"),
        ('migrations.AlterField("book", "title", models.CharField(max_length=200))', "pass"),
        ('migrations.AlterField("book", "title", models.CharField(max_length=20))', "fail"),
        ('migrations.AlterField("book", "year", models.IntegerField())', "fail"),
        (FILL, "needs a signature"),
        ("Mine()", "needs a signature"),
        ("migrations.RunSQL(SQL)", "needs a signature"),
        (f"{FILL}, {DROP}", "fail"),
    ],
)
def test_the_old_release_can_live_with_it(operations: str, answer: Answer, tmp_path: Path) -> None:
    """What only expands passes, what contracts fails, and the rest is for people."""
    assert answer == old_release_can_live_with_it(live(tmp_path, operations).subject()).answer


def test_a_failure_says_where_why_and_how_else(tmp_path: Path) -> None:
    """File, line, operation; the reason; the way in two releases."""
    told = old_release_can_live_with_it(live(tmp_path, DROP).subject()).evidence
    assert "shop/migrations/0002_more.py:6 RemoveField shop.book.year" in told
    assert "the old release still reads and writes this column" in told
    assert "drop it in the release after" in told


def test_the_second_of_two_releases_passes(tmp_path: Path) -> None:
    """The column went from the state before: the release that is live does not know it."""
    project = live(tmp_path, f"migrations.SeparateDatabaseAndState(state_operations=[{DROP}])")
    assert "pass" == old_release_can_live_with_it(project.subject()).answer
    project.goes_live("1.1.0")
    drop = 'migrations.RunSQL("ALTER TABLE shop_book DROP COLUMN {}")'
    project.commit({"shop/migrations/0003_gone.py": django(drop.format("title"), "shop.0002_more")})
    assert "fail" == old_release_can_live_with_it(project.subject()).answer
    project.commit({"shop/migrations/0003_gone.py": django(drop.format("year"), "shop.0002_more")})
    assert "pass" == old_release_can_live_with_it(project.subject()).answer
    project.configure(kind="postgres", name="shop", preset="django")  # and squawk, which cannot know, changes nothing
    assert "pass" == old_release_can_live_with_it(project.subject()).answer


def test_locks_count_on_a_server_alone(tmp_path: Path) -> None:
    """In SQLite nobody waits for an index."""
    project = live(tmp_path, INDEX)
    assert "pass" == old_release_can_live_with_it(project.subject()).answer
    project.configure(kind="postgres", name="shop", preset="django")
    found = old_release_can_live_with_it(project.subject())
    assert "needs a signature" == found.answer
    assert "AddIndexConcurrently" in found.evidence


def test_a_rehearsal_shows_that_a_lock_is_short(tmp_path: Path) -> None:
    """The table is small: it was over on a copy within three seconds."""
    project = live(tmp_path, INDEX, **ON_A_SERVER, rehearsal={"variable": "DATABASE_URL"})
    rehearse(project, 2.0)
    found = old_release_can_live_with_it(project.subject())
    assert "pass" == found.answer
    assert "within 2 s" in found.evidence
    rehearse(project, 20.0)
    assert "needs a signature" == old_release_can_live_with_it(project.subject()).answer


def test_a_first_release_meets_no_other(tmp_path: Path) -> None:
    """Nothing is live, and nothing is in the database."""
    project = Project(tmp_path)
    project.commit(FIRST)
    project.commit(second(FILL))
    found = old_release_can_live_with_it(project.subject())
    assert ("pass", "nothing is live yet: no older release must live with it") == found[:2]
    project.commit(second("migrations.RunPython(forward)"))
    assert ("pass", "nothing is live yet: there is no release to go back to") == can_be_taken_back(project.subject())[
        :2
    ]


def test_a_name_without_a_file_is_for_people(tmp_path: Path) -> None:
    """A library's own migration, say."""
    project = live(tmp_path, pending="echo auth.0013_more")
    found = old_release_can_live_with_it(project.subject())
    assert "needs a signature" == found.answer
    assert "auth.0013_more" in found.evidence


def test_printed_sql_is_read_as_well(tmp_path: Path) -> None:
    """An operation of one's own, and what the database will be told."""
    project = live(tmp_path, "Mine()", sql="echo 'ALTER TABLE book ADD COLUMN' {app} {name} 'int;'")
    assert "pass" == old_release_can_live_with_it(project.subject()).answer
    project.configure(kind="sqlite", path="d", preset="django", sql="echo 'ALTER TABLE book DROP COLUMN' {full};")
    assert "fail" == old_release_can_live_with_it(project.subject()).answer
    project.configure(kind="sqlite", path="d", preset="django", sql="echo no database >&2; false")
    with pytest.raises(GateRefused, match="no database"):
        old_release_can_live_with_it(project.subject())


def test_squawk_is_named_with_its_rule(tmp_path: Path) -> None:
    """Where it is installed; else that it is not."""
    drop = 'migrations.RunSQL("ALTER TABLE shop_book DROP COLUMN year")'
    told = old_release_can_live_with_it(live(tmp_path, drop, **ON_A_SERVER).subject()).evidence
    assert "squawk ban-drop-column, https://squawkhq.com/docs/ban-drop-column" in told or "without squawk" in told


def test_squawk_that_is_not_there_or_broken_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own reading goes on."""
    from deploytasks.checklist import schema

    add = 'migrations.RunSQL("ALTER TABLE shop_book ADD COLUMN x int")'
    project = live(tmp_path, add, **ON_A_SERVER)
    monkeypatch.setattr(schema, "_program", lambda: None)
    found = old_release_can_live_with_it(project.subject())
    assert "pass" == found.answer
    assert "deploytasks[checks]" in found.evidence
    monkeypatch.setattr(schema, "_program", lambda: "/bin/false")
    assert "squawk gave no answer" in old_release_can_live_with_it(project.subject()).evidence


# -- rollback --------------------------------------------------------------------------------------


def test_a_way_back_or_a_plan_or_a_person(tmp_path: Path) -> None:
    """In this order."""
    project = live(tmp_path, f"{ADD}, {FILL}")
    assert "pass" == can_be_taken_back(project.subject()).answer
    project.commit(second("migrations.RunPython(forward)"))
    found = can_be_taken_back(project.subject())
    assert "needs a signature" == found.answer
    assert "shop.0002_more (RunPython without reverse_code; no rollback/shop.0002_more.md)" in found.evidence
    project.commit({"rollback/shop.0002_more.md": "\n"})
    assert "needs a signature" == can_be_taken_back(project.subject()).answer
    project.commit({"rollback/shop.0002_more.md": "Stop the workers, then …\n"})
    found = can_be_taken_back(project.subject())
    assert "pass" == found.answer
    assert "by a written plan: shop.0002_more by rollback/shop.0002_more.md" in found.evidence


def test_a_plan_that_is_not_committed_is_none(tmp_path: Path) -> None:
    """The release's commit must have it, under the configured name."""
    project = live(tmp_path, "migrations.RunPython(forward)", rollback_plan="plans/{app}-{name}.txt")
    project.write_all({"plans/shop-0002_more.txt": "how"})
    assert "needs a signature" == can_be_taken_back(project.subject()).answer
    project.commit()
    assert "pass" == can_be_taken_back(project.subject()).answer


def test_a_command_takes_them_back(tmp_path: Path) -> None:
    """As `rollback --database` would."""
    project = live(tmp_path, "migrations.RunPython(forward)", reverse="./back.sh")
    assert "`./back.sh`" in can_be_taken_back(project.subject()).evidence


def test_alembic_and_sql_have_ways_back(tmp_path: Path) -> None:
    """A downgrade that does something; a file beside."""
    project = Project(tmp_path, preset=None, migrate="./all.sh", migrations=("db/**/*",))
    project.commit()
    project.goes_live()
    project.commit(
        {"db/a1.py": alembic("a1", None, "op.drop_table('x')", "op.create_table('x')"), "db/2.sql": "SELECT 1"}
    )
    found = can_be_taken_back(project.subject())
    assert "cannot be taken back: 2 (no SQL that takes it back; no rollback/2.md)" == found.evidence
    project.commit({"db/2.down.sql": "SELECT 2"})
    assert "pass" == can_be_taken_back(project.subject()).answer


# -- estimate and window ---------------------------------------------------------------------------


def rehearse(project: Project, seconds: float, *, ok: bool = True, digest: str = "d" * 64) -> None:
    """What a rehearsal leaves in the ledger."""
    database = project.world.settings.sections["database"]
    told = rehearsed.detail(seconds, 48_000_000, "shop-1", 1)
    project.world.note("evidence", item="rehearsal", key=rehearsed.about(digest, database), ok=ok, detail=told)


def test_a_time_that_nobody_measured_is_unknown(tmp_path: Path) -> None:
    """A warning, and no number: not configured, never done, or done with something else."""
    project = live(tmp_path, ADD)
    assert ("warn", "unknown: no `database.rehearsal` is configured") == time_is_known(project.subject())[:2]
    project.configure(kind="sqlite", path="d", preset="django", rehearsal={"variable": "DATABASE"})
    rehearse(project, 1.0, digest="e" * 64)
    found = time_is_known(project.subject())
    assert "warn" == found.answer
    assert "unknown: this content was not rehearsed (`inv rehearse --env test`)" == found.evidence


def test_a_rehearsal_is_told(tmp_path: Path) -> None:
    """With its date; an old one warns, and one that failed is a failure."""
    project = live(tmp_path, ADD, rehearsal={"variable": "DATABASE"})
    rehearse(project, 3.21)
    found = time_is_known(project.subject())
    assert "pass" == found.answer
    assert found.evidence.startswith("3.2 s for 1 migration on a copy of 48.0 MB (shop-1), 2026-11-23")
    project.world.clock.sleep(timedelta(days=8).total_seconds())
    found = time_is_known(project.subject())
    assert "warn" == found.answer
    assert "8 d" in found.evidence
    rehearse(project, 1.0, ok=False)
    assert "fail" == time_is_known(project.subject()).answer


def test_another_command_is_another_rehearsal(tmp_path: Path) -> None:
    """What was timed is not what would run."""
    project = live(tmp_path, ADD, rehearsal={"variable": "DATABASE"})
    rehearse(project, 3.0)
    project.configure(kind="sqlite", path="d", preset="django", migrate="other", rehearsal={"variable": "DATABASE"})
    assert "warn" == time_is_known(project.subject()).answer


def test_migrations_have_windows_of_their_own(tmp_path: Path) -> None:
    """Else those of deployments; the clock in memory stands at 10:00 on a Monday."""
    project = live(tmp_path, ADD)
    assert "warn" == in_a_quiet_time(project.subject()).answer
    wide, night = Window(), Window(**{"from": "02:00", "to": "05:00"})
    assert "pass" == windowed(project, windows=(wide,)).answer
    found = windowed(project, windows=(wide,), migration_windows=(night,))
    assert "fail" == found.answer
    assert "pass" == windowed(project, migration_windows=(Window(**{"from": "09:00", "to": "10:30"}),)).answer


def test_a_window_must_be_long_enough(tmp_path: Path) -> None:
    """For what the rehearsal took."""
    project = live(tmp_path, ADD, rehearsal={"variable": "DATABASE"})
    rehearse(project, 3600.0)
    assert "warn" == windowed(project, migration_windows=(Window(**{"from": "09:00", "to": "10:30"}),)).answer


def windowed(project: Project, **gates: object) -> Found:
    from dataclasses import replace

    sections = project.world.settings.sections
    changed = project.world.settings.gates.model_copy(update=gates)
    project.world.settings = replace(project.world.settings, sections={**sections, "gates": changed})
    return in_a_quiet_time(project.subject())


# -- backup ----------------------------------------------------------------------------------------


def test_copies_are_named_with_their_age(tmp_path: Path) -> None:
    """And that another one is made before it migrates."""
    project = live(tmp_path, ADD)
    assert "no copy yet; a verified one is made before it migrates" == copy_can_be_made(project.subject()).evidence
    memory.state_of(tmp_path).change(backups=["library-1"])
    project.world.clock.sleep(7200)
    found = copy_can_be_made(project.subject())
    assert ("pass", "the newest of 1 is library-1, 2 h") == (found.answer, found.evidence[:33])


def test_a_silent_database_passes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pending is judged as if all of it were; but it is not known, and no copy can be made."""

    def silent(self: object) -> None:
        raise Unreachable("the database is silent")

    for question in ("applied", "busy"):
        monkeypatch.setattr(memory.FakeDatabase, question, silent)
    project = Project(tmp_path)
    project.commit(FIRST)
    of = project.subject()
    by_id = {item.id: item for item in ITEMS}
    for name in ("database.pending", "database.backup"):
        answer, told = by_id[name].look(of)[:2]
        assert ("fail", True) == (answer, told.startswith("unreachable: ") and "the database is silent" in told)


def test_no_copy_without_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something is broken, or at work there."""
    project = live(tmp_path, ADD)
    memory.state_of(tmp_path).set(busy="a migration is at work")
    assert "no copy can be made now: a migration is at work" == copy_can_be_made(project.subject()).evidence
    broken = [Finding("programs", "fail", "no pg_dump"), Finding("server", "ok", "there")]
    monkeypatch.setattr(memory.FakeDatabase, "diagnose", lambda self: broken)
    assert ("fail", "no copy can be made: programs: no pg_dump") == copy_can_be_made(project.subject())[:2]


def test_migrations_without_a_database_fail(tmp_path: Path) -> None:
    """Nothing would be copied; without migrations there need be none."""
    project = live(tmp_path, ADD)
    project.world.__dict__["database"] = None
    assert "fail" == copy_can_be_made(project.subject()).answer
    project.goes_live("1.1.0")
    assert "not applicable" == copy_can_be_made(project.subject()).answer
