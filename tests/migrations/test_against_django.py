"""What is judged from the source, against what happens: a real database is migrated by a real Django, which has written
the migration itself, and the release before it goes on working."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lab.postgres import postgres

from deploytasks.migrations.files import sources
from deploytasks.migrations.judging import judged


class Case(NamedTuple):
    """Operations, and the rules that they touch on a server."""

    pending: str
    rules: str = ""
    known: tuple[str, ...] = ()
    atomic: bool = True
    only: str = ""
    """A database on which alone it can be tried."""


def field(name: str, made: str) -> str:
    return f'migrations.AddField("book", "{name}", {made})'


def alter(name: str, made: str) -> str:
    return f'migrations.AlterField("book", "{name}", {made})'


_STATE = "migrations.SeparateDatabaseAndState(state_operations=[{}])"
_DATABASE = "migrations.SeparateDatabaseAndState(database_operations=[{}])"
_ARTIST = "models.ForeignKey('shop.Author', on_delete=models.CASCADE, null=True, related_name='+')"

CASES: Mapping[str, Case] = {
    # -- tables
    "a new model": Case('migrations.CreateModel("Shelf", fields=[("id", models.BigAutoField(primary_key=True))])'),
    "a model goes": Case('migrations.DeleteModel("Tale")', "drop-table"),
    "a model is renamed": Case('migrations.RenameModel("Book", "Volume")', "rename-table"),
    "a model with a table of a name is renamed": Case('migrations.RenameModel("Tale", "Story")'),
    "a table is renamed": Case('migrations.AlterModelTable("Book", "volumes")', "rename-table"),
    "a table keeps its name": Case('migrations.AlterModelTable("Tale", "tales")'),
    "options": Case('migrations.AlterModelOptions("Book", options={"ordering": ["title"]})'),
    "managers": Case('migrations.AlterModelManagers("Book", managers=[])'),
    "an order": Case('migrations.AlterOrderWithRespectTo("Book", "author")', "add-column-default-dropped"),
    "a comment": Case('migrations.AlterModelTableComment("Book", "about")'),
    # -- new columns
    "a column that may be null": Case(field("shelf", "models.IntegerField(null=True)")),
    "a column with a default in the database": Case(field("shelf", "models.IntegerField(db_default=3)")),
    "a text with a default in the database": Case(field("shelf", "models.CharField(max_length=9, db_default='')")),
    "a column with a default of Django": Case(
        field("shelf", "models.IntegerField(default=3)"), "add-column-default-dropped"
    ),
    "an empty text": Case(
        field("shelf", "models.CharField(max_length=9, default='', blank=True)"), "add-column-default-dropped"
    ),
    "a day": Case(field("made", "models.DateField(default=dt.date(2026, 1, 1))"), "add-column-default-dropped"),
    "now, by the database": Case(field("made", "models.DateTimeField(db_default=functions.Now())")),
    "a column without a default": Case(field("shelf", "models.IntegerField()"), "add-required-column"),
    "a reference that may be null": Case(field("artist", _ARTIST), "foreign-key index"),
    "a reference without a constraint": Case(
        field("artist", _ARTIST.replace("null=True", "null=True, db_constraint=False")), "index"
    ),
    "a unique column": Case(field("code", "models.CharField(max_length=9, null=True, unique=True)"), "index"),
    "an indexed column": Case(field("code", "models.CharField(max_length=9, null=True, db_index=True)"), "index"),
    "many to many": Case(field("fans", "models.ManyToManyField('shop.Author', related_name='+')")),
    "a computed column": Case(
        field(
            "twice",
            "models.GeneratedField(expression=models.F('pages') + models.F('rank'), "
            "output_field=models.BigIntegerField(), db_persist=True)",
        ),
        "rewrite",
        only="postgres",
    ),
    "a required column of a new model": Case(
        'migrations.CreateModel("Shelf", fields=[("id", models.BigAutoField(primary_key=True))]), '
        'migrations.AddField("shelf", "row", models.IntegerField(default=1)), '
        'migrations.AlterField("shelf", "row", models.SmallIntegerField()), '
        'migrations.RenameField("shelf", "row", "line"), '
        'migrations.RemoveField("shelf", "line"), migrations.RenameModel("Shelf", "Board"), '
        'migrations.DeleteModel("Board")'
    ),
    "a new column that is required at last": Case(
        field("shelf", "models.IntegerField(null=True)")
        + ', migrations.RunSQL("UPDATE shop_book SET shelf = 1"), '
        + alter("shelf", "models.IntegerField()"),
        "data set-not-null",
    ),
    "a new column that the database fills in at last": Case(
        field("shelf", "models.IntegerField(null=True, db_default=1)")
        + ", "
        + alter("shelf", "models.IntegerField(db_default=1)")
    ),
    "a new column that is another one at last": Case(
        field("shelf", "models.IntegerField(null=True)")
        + ", "
        + alter("shelf", "models.SmallIntegerField(null=True)")
        + ', migrations.RenameField("book", "shelf", "board")'
    ),
    # -- columns go
    "a column goes": Case('migrations.RemoveField("book", "subtitle")', "drop-column"),
    "many to many goes": Case('migrations.RemoveField("book", "readers")', "drop-column"),
    "a new column goes again": Case(
        field("x", "models.IntegerField(null=True)") + ', migrations.RemoveField("book", "x")'
    ),
    "a column goes, by the state alone": Case(_STATE.format('migrations.RemoveField("book", "subtitle")')),
    "a column goes that the old release does not know": Case(
        'migrations.RunSQL("ALTER TABLE shop_book DROP COLUMN subtitle")',
        known=(_STATE.format('migrations.RemoveField("book", "subtitle")'),),
    ),
    "a column with a name of its own goes that the old release does not know": Case(
        'migrations.RunSQL("ALTER TABLE shop_book DROP COLUMN isbn_13, DROP COLUMN slug")',
        "drop-column",
        known=(
            alter("isbn", "models.CharField(max_length=20, null=True, db_column='isbn_13')"),
            _STATE.format('migrations.RemoveField("book", "isbn")'),
        ),
    ),
    "the same by Django, which must know it for a moment": Case(
        _STATE.format('migrations.AddField("book", "subtitle", models.CharField(max_length=50, null=True))')
        + ', migrations.RemoveField("book", "subtitle")',
        known=(_STATE.format('migrations.RemoveField("book", "subtitle")'),),
    ),
    "a table goes that the old release does not know": Case(
        _STATE.format('migrations.CreateModel("Poem", fields=[("id", models.BigAutoField(primary_key=True))])')
        + ', migrations.DeleteModel("Poem")',
        known=(
            'migrations.CreateModel("Poem", fields=[("id", models.BigAutoField(primary_key=True))])',
            _STATE.format('migrations.DeleteModel("Poem")'),
        ),
    ),
    "a model goes, by the state alone": Case(_STATE.format('migrations.DeleteModel("Tale")')),
    "a column goes from the database alone": Case(
        _DATABASE.format('migrations.RemoveField("book", "subtitle")'), "drop-column"
    ),
    "a column is renamed": Case('migrations.RenameField("book", "title", "name")', "rename-column"),
    "a column with a name of its own is renamed": Case('migrations.RenameField("book", "isbn", "number")'),
    "a column of another name": Case(
        alter("title", "models.CharField(max_length=100, db_column='name')"), "rename-column"
    ),
    # -- columns change
    "longer": Case(alter("title", "models.CharField(max_length=200)")),
    "shorter": Case(alter("title", "models.CharField(max_length=50)"), "narrow-type", only="postgres"),
    "without an end": Case(alter("title", "models.TextField()")),
    "with an end": Case(alter("text", "models.CharField(max_length=100, default='')"), "narrow-type", only="postgres"),
    "a slug that is a text": Case(alter("slug", "models.CharField(max_length=60, db_index=True)")),
    "a slug that is too short": Case(alter("slug", "models.SlugField()"), "narrow-type", only="postgres"),
    "not null any more": Case(alter("title", "models.CharField(max_length=100, null=True)")),
    "not null from now on": Case(alter("subtitle", "models.CharField(max_length=50, default='')"), "set-not-null"),
    "not null from now on, with a default": Case(
        alter("subtitle", "models.CharField(max_length=50, db_default='')"), "set-not-null"
    ),
    "another default": Case(alter("rank", "models.SmallIntegerField(default=7)")),
    "another default of the database": Case(alter("year", "models.IntegerField(db_default=2026)")),
    "no default of the database any more": Case(
        alter("year", "models.IntegerField()"), "drop-default", only="postgres"
    ),
    "words for people": Case(alter("title", "models.CharField('Title', max_length=100, help_text='…', blank=True)")),
    "choices": Case(alter("rank", "models.SmallIntegerField(default=0, choices=[(0, 'a')])")),
    "a larger number": Case(alter("pages", "models.BigIntegerField()"), "rewrite"),
    "a smaller number": Case(alter("pages", "models.SmallIntegerField()"), "narrow-type", only="postgres"),
    "a positive number": Case(alter("pages", "models.PositiveIntegerField()"), "narrow-type"),
    "more digits": Case(alter("price", "models.DecimalField(max_digits=10, decimal_places=2)")),
    "more places": Case(alter("price", "models.DecimalField(max_digits=10, decimal_places=4)"), "rewrite"),
    "fewer digits before the point": Case(
        alter("price", "models.DecimalField(max_digits=8, decimal_places=4)"), "narrow-type", only="postgres"
    ),
    "a text instead of a number": Case(alter("pages", "models.TextField()"), "change-type", only="postgres"),
    "unique from now on": Case(
        alter("isbn", "models.CharField(max_length=20, db_column='isbn_13', unique=True)"), "unique"
    ),
    "an index": Case(alter("title", "models.CharField(max_length=100, db_index=True)"), "index"),
    "no index any more": Case(alter("slug", "models.SlugField(max_length=60, db_index=False)")),
    "a constraint from now on": Case(
        alter("critic", _ARTIST.replace("null=True", "null=True, db_index=False")), "constraint"
    ),
    "no constraint any more": Case(alter("author", _ARTIST.replace("null=True", "null=True, db_constraint=False"))),
    "one to one": Case(alter("author", _ARTIST.replace("ForeignKey", "OneToOneField")), "unique"),
    "a field that means another model": Case(
        alter("author", _ARTIST.replace("shop.Author", "shop.Tale")), "change-type"
    ),
    # -- indexes and constraints
    "a new index": Case('migrations.AddIndex("book", models.Index(fields=["pages"], name="by_pages"))', "index"),
    "a new index, beside the work": Case(
        'postgres.AddIndexConcurrently("book", models.Index(fields=["pages"], name="by_pages"))',
        atomic=False,
        only="postgres",
    ),
    "the same in a transaction": Case(
        'postgres.AddIndexConcurrently("book", models.Index(fields=["pages"], name="by_pages"))',
        "in-a-transaction",
        only="postgres",
    ),
    "an index beside the work by hand": Case(
        'migrations.RunSQL("CREATE INDEX CONCURRENTLY by_pages ON shop_book (pages)")', atomic=False, only="postgres"
    ),
    "by hand in a transaction": Case(
        'migrations.RunSQL("CREATE INDEX CONCURRENTLY by_pages ON shop_book (pages)")',
        "in-a-transaction",
        only="postgres",
    ),
    "a rule for rows": Case(
        'migrations.AddConstraint("book", models.CheckConstraint(condition=models.Q(rank__lt=99999), name="few"))',
        "constraint long-lock",
    ),
    "a rule for rows, unchecked": Case(
        'postgres.AddConstraintNotValid("book", models.CheckConstraint(condition=models.Q(rank__lt=99), name="few"))',
        "constraint",
        only="postgres",
    ),
    "only once": Case(
        'migrations.AddConstraint("book", models.UniqueConstraint(fields=["isbn"], name="once"))', "unique index"
    ),
    "together only once": Case('migrations.AlterUniqueTogether("book", {("isbn", "title")})', "unique index"),
    "together as often as you like": Case(
        'migrations.AlterUniqueTogether("book", set())', known=('migrations.AlterUniqueTogether("book", {("isbn",)})',)
    ),
    # -- anything else
    "SQL that expands": Case('migrations.RunSQL("ALTER TABLE shop_book ADD COLUMN x integer", "SELECT 1")'),
    "SQL that does not": Case(
        'migrations.RunSQL(["ALTER TABLE shop_book ADD COLUMN y integer", ("UPDATE shop_book SET pages = %s", [3])])',
        "data",
    ),
    "SQL that drops": Case('migrations.RunSQL("ALTER TABLE shop_book DROP COLUMN subtitle")', "drop-column"),
    "nothing in Python": Case("migrations.RunPython(migrations.RunPython.noop)"),
}

CONTRACT = frozenset({
    "drop-column", "drop-table", "rename-column", "rename-table", "add-required-column", "add-column-default-dropped",
    "set-not-null", "drop-default", "narrow-type", "change-type", "in-a-transaction",
})  # fmt: skip
ASKED = frozenset({"unique", "constraint", "data", "retype"})
NO_TELL = frozenset({"a field that means another model"})
"""Where the old release happens to go on: its rows fit by chance."""


def tried(database: Mapping[str, Any], names: list[str]) -> dict[str, dict[str, Any]]:
    """What Django made of the cases, and what broke."""
    cases = [
        {"pending": CASES[name].pending, "known": CASES[name].known, "atomic": CASES[name].atomic} for name in names
    ]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("old_release.py"))],
        input=json.dumps({"database": database, "cases": cases}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(zip(names, json.loads(done.stdout), strict=True))


@pytest.fixture(scope="module")
def on_sqlite() -> dict[str, dict[str, Any]]:
    names = [name for name, case in CASES.items() if case.only != "postgres"]
    return tried({"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}, names)


@pytest.fixture(scope="module")
def on_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    with postgres(tmp_path_factory.mktemp("pg")) as server:
        server.sql("CREATE DATABASE shop")
        own = {
            "NAME": "shop",
            "USER": server.user,
            "PASSWORD": server.password,
            "HOST": server.host,
            "PORT": server.port,
        }
        yield tried({"ENGINE": "django.db.backends.postgresql", **own}, list(CASES))


def found(came: Mapping[str, Any], dialect: str) -> set[str]:
    """The rules that our reading of Django's own text says are touched."""
    known = sources({f"shop/migrations/000{at}_known.py": text for at, text in enumerate(came["known"])})
    new = sources({"shop/migrations/0009_new.py": came["text"]})
    return {one.rule for one in judged(new, known, dialect)}


@pytest.mark.parametrize("name", CASES)
def test_on_a_server(name: str, on_postgres: Mapping[str, Any]) -> None:
    """What breaks is found, what does not break is not called broken, and each rule is the expected one."""
    check(name, on_postgres[name], "postgres")


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.only != "postgres"])
def test_in_a_file(name: str, on_sqlite: Mapping[str, Any]) -> None:
    """The same in SQLite, where no lock counts."""
    check(name, on_sqlite[name], "sqlite")


def check(name: str, came: Mapping[str, Any], dialect: str) -> None:
    """Compare our judgement with what is expected, and with what happened."""
    wanted = set(CASES[name].rules.split())
    if dialect == "sqlite":
        wanted -= {"index", "foreign-key", "rewrite", "long-lock"}
    rules = found(came, dialect)
    assert wanted == rules, came["text"]
    if name in NO_TELL:
        return
    if rules & CONTRACT:
        assert came["broken"] is not None, f"{rules}, and the old release goes on"
    elif not rules & ASKED:
        assert came["broken"] is None, came["broken"]


def test_there_are_enough() -> None:
    """More than fifty operations are tried."""
    assert len(CASES) >= 60
