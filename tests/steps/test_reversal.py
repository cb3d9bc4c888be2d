"""Which commands take one deployment's migrations back; and that the tools themselves then agree."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploytasks.providers.applied import applied
from deploytasks.providers.hosts.rendering import command as filled_in
from deploytasks.settings.migrations import MIGRATORS
from deploytasks.steps.reversal import IRREVERSIBLE, later, reversal

if TYPE_CHECKING:
    from lab.postgres import Server

DJANGO, ALEMBIC = partial(reversal, "django", "manage.py"), partial(reversal, "alembic", "alembic")


def test_nothing_was_applied() -> None:
    """Nothing to do, whichever tool it is."""
    assert DJANGO(["a.0001_x"], ["a.0001_x"])[:2] == ((), ())
    assert ALEMBIC(["ae10"], ["ae10"])[:2] == ((), ())


def test_django_goes_to_the_last_that_was_there() -> None:
    """Each app that moved, the one that moved last at first; one that was not there before goes to zero."""
    before = ["a.0001_x", "b.0001_x", "a.0002_y"]
    found = DJANGO(before, [*before, "c.0001_x", "a.0003_z", "c.0002_y", "a.0004_w"])
    assert found.migrations == ("a.0004_w", "c.0002_y", "a.0003_z", "c.0001_x")
    assert found.commands == ("manage.py migrate --noinput a 0002_y", "manage.py migrate --noinput c zero")


def test_alembic_goes_to_the_heads_that_were_there() -> None:
    """To the base where there was none; to each of several that moved."""
    assert ALEMBIC(["ae10"], ["bf21"]).commands == ("alembic downgrade ae10",)
    assert ALEMBIC([], ["bf21"]).commands == ("alembic downgrade base",)
    assert ALEMBIC(["ae10", "cd32"], ["bf21", "cd32"]).commands == ("alembic downgrade ae10",)
    assert ALEMBIC(["ae10", "cd32"], ["de43"]).commands == ("alembic downgrade ae10", "alembic downgrade cd32")


def test_names_are_no_shell(tmp_path: Path) -> None:
    """What stands in the database's own table is one word of the command, and no placeholder."""
    odd = "a.$(touch gone) {root} 'x' {{y}}"
    (line,) = DJANGO([odd], [odd, "a.0002"]).commands
    shown = filled_in(line.replace("manage.py", "printf '%s|'"), {"root": "/"})
    done = subprocess.run(shown, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split("|")[3] == odd.partition(".")[2]
    assert list(tmp_path.iterdir()) == []


def test_what_somebody_else_has_applied_since() -> None:
    """It would go as well: it is named."""
    assert later("django", ["a.1"], ["a.1", "a.2"]) == ["a.2"]
    assert later("alembic", ["ae10"], ["bf21"]) == ["bf21"]
    assert later("alembic", ["ae10"], []) == []


# -- with the tools themselves ---------------------------------------------------------------------

Applied = Callable[[], Sequence[str]]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of both kinds, empty."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'db.sqlite3'}"
        return
    server: Server = request.getfixturevalue("ledgers")
    server.sql("CREATE DATABASE reversing")
    yield server.url_of("reversing")
    server.sql("DROP DATABASE reversing WITH (FORCE)")


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    """A SQLite database, where the kind does not matter."""
    return f"sqlite:///{tmp_path / 'db.sqlite3'}"


def rows(url: str, preset: str) -> Sequence[str]:
    """What the tool has written down."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            return applied(preset, str, lambda query: database.execute(query).fetchall())
    import psycopg

    with psycopg.connect(url) as connection:
        return applied(preset, str, lambda query: connection.execute(query.encode()).fetchall())


def tables(url: str) -> set[str]:
    """The application's tables."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    else:
        import psycopg

        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT relname FROM pg_class WHERE relkind = 'r'").fetchall()
    return {row[0] for row in found if str(row[0]).startswith("app_")}


def sh(line: str, folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a host would: placeholders filled in, in the release's folder."""
    shown = filled_in(line, {"python": sys.executable})
    own = {**os.environ, "APP_URL": url, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(["/bin/sh", "-c", shown], cwd=folder, env=own, capture_output=True, text=True, check=False)


MANAGE = """
import os, sys
from urllib.parse import urlsplit, unquote
from django.conf import settings
url = os.environ["APP_URL"]
parts = urlsplit(url)
server = dict(ENGINE="django.db.backends.postgresql", NAME=parts.path[1:], USER=parts.username, HOST=parts.hostname,
              PASSWORD=unquote(parts.password or ""), PORT=parts.port or "")
file = dict(ENGINE="django.db.backends.sqlite3", NAME=url.removeprefix("sqlite:///"))
settings.configure(DATABASES={"default": file if url.startswith("sqlite") else server}, INSTALLED_APPS=["app"],
                   DEFAULT_AUTO_FIELD="django.db.models.BigAutoField")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
TABLE = """migrations.CreateModel("{0}", [("id", models.BigAutoField(primary_key=True))])"""


def migration(folder: Path, name: str, after: str, *operations: str) -> None:
    depends = f'[("app", "{after}")]' if after else "[]"
    (folder / f"app/migrations/{name}.py").write_text(
        "from django.db import migrations, models\n"
        f"class Migration(migrations.Migration):\n    dependencies = {depends}\n"
        f"    operations = [{', '.join(operations)}]\n"
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A Django project with one app and one migration."""
    made = tmp_path / "release"
    (made / "app/migrations").mkdir(parents=True)
    (made / "manage.py").write_text(MANAGE)
    for name in ("app/__init__.py", "app/models.py", "app/migrations/__init__.py"):
        (made / name).touch()
    migration(made, "0001_first", "", TABLE.format("First"))
    return made


def migrated(project: Path, url: str) -> Sequence[str]:
    done = sh(f"{MIGRATORS['django']} migrate --noinput", project, url)
    assert done.returncode == 0, done.stderr
    return rows(url, "django")


def test_django_reverses_exactly_that(project: Path, url: str) -> None:
    """Two migrations of a deployment go, the one before stays; the check agrees beforehand."""
    before = migrated(project, url)
    migration(project, "0002_second", "0001_first", TABLE.format("Second"))
    migration(
        project, "0003_third", "0002_second", TABLE.format("Third"),
        "migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)",
    )  # fmt: skip
    after = migrated(project, url)
    assert tables(url) == {"app_first", "app_second", "app_third"}

    plan = reversal("django", MIGRATORS["django"], before, after)
    assert plan.check is not None
    checked = sh(plan.check, project, url)
    assert checked.returncode == 0, checked.stderr
    assert rows(url, "django") == after
    for line in plan.commands:
        assert sh(line, project, url).returncode == 0
    assert (rows(url, "django"), tables(url)) == (before, {"app_first"})


@pytest.mark.parametrize(
    "operation",
    [
        "migrations.RunPython(migrations.RunPython.noop)",
        "migrations.RunSQL('SELECT 1')",
        "migrations.SeparateDatabaseAndState(database_operations=[migrations.RunSQL('SELECT 1')])",
    ],
)
def test_django_says_beforehand_what_it_cannot_reverse(project: Path, file_url: str, operation: str) -> None:
    """By itself it would find out after it has reversed those that came later."""
    url = file_url
    before = migrated(project, url)
    migration(project, "0002_stuck", "0001_first", operation)
    migration(project, "0003_third", "0002_stuck", TABLE.format("Third"))
    plan = reversal("django", MIGRATORS["django"], before, migrated(project, url))
    assert plan.check is not None
    done = sh(plan.check, project, url)
    assert done.returncode != 0
    assert f"{IRREVERSIBLE} app.0002_stuck (" in done.stderr
    assert "0003_third" not in done.stderr
    assert tables(url) == {"app_first", "app_third"}


ENV = """
import os
from alembic import context
from sqlalchemy import create_engine
url = os.environ["APP_URL"].replace("postgresql://", "postgresql+psycopg://")
with create_engine(url).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


def revision(folder: Path, name: str, after: str | tuple[str, ...], down: str) -> None:
    (folder / f"versions/{name}.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\n"
        f"revision, down_revision = {name!r}, {after or None!r}\n"
        f"def upgrade():\n    op.create_table('app_{name}', sa.Column('id', sa.Integer))\n"
        f"def downgrade():\n    {down}\n"
    )


@pytest.fixture
def revisions(tmp_path: Path) -> Path:
    """An Alembic project with one revision."""
    pytest.importorskip("alembic")
    made = tmp_path / "release"
    (made / "versions").mkdir(parents=True)
    (made / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\n")
    (made / "env.py").write_text(ENV)
    revision(made, "first", "", "op.drop_table('app_first')")
    return made


def test_alembic_reverses_exactly_that(revisions: Path, url: str) -> None:
    """Down to where it was; and to nothing, where nothing was."""
    migrator = MIGRATORS["alembic"]
    assert sh(f"{migrator} upgrade head", revisions, url).returncode == 0
    before = rows(url, "alembic")
    revision(revisions, "second", "first", "op.drop_table('app_second')")
    revision(revisions, "third", "second", "op.drop_table('app_third')")
    done = sh(f"{migrator} upgrade head", revisions, url)
    assert done.returncode == 0, done.stderr
    for line in reversal("alembic", migrator, before, rows(url, "alembic")).commands:
        assert sh(line, revisions, url).returncode == 0
    assert (rows(url, "alembic"), tables(url)) == (["first"], {"app_first"})
    for line in reversal("alembic", migrator, [], ["first"]).commands:
        assert sh(line, revisions, url).returncode == 0
    assert (rows(url, "alembic"), tables(url)) == ([], set())


def test_alembic_goes_back_before_a_merge(revisions: Path, file_url: str) -> None:
    """Two heads that a deployment has merged are two heads again."""
    migrator = MIGRATORS["alembic"]
    revision(revisions, "left", "first", "op.drop_table('app_left')")
    revision(revisions, "right", "first", "op.drop_table('app_right')")
    assert sh(f"{migrator} upgrade heads", revisions, file_url).returncode == 0
    before = rows(file_url, "alembic")
    revision(revisions, "merged", ("left", "right"), "op.drop_table('app_merged')")
    assert sh(f"{migrator} upgrade head", revisions, file_url).returncode == 0
    assert rows(file_url, "alembic") == ["merged"]
    for line in reversal("alembic", migrator, before, ["merged"]).commands:
        done = sh(line, revisions, file_url)
        assert done.returncode == 0, done.stderr
    assert rows(file_url, "alembic") == before == ["left", "right"]
