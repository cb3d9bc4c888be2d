"""Run by a Python with Django: apply migrations to a real database, and let the release before them go on working.

Reads cases from stdin as JSON, and prints for each the migration's module as Django writes it, and what broke.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any

import django
from django.conf import settings

BASE = """
migrations.CreateModel("Author", fields=[
    ("id", models.BigAutoField(primary_key=True)),
    ("name", models.CharField(max_length=100)),
    ("nick", models.CharField(max_length=20, unique=True, null=True)),
]),
migrations.CreateModel("Book", fields=[
    ("id", models.BigAutoField(primary_key=True)),
    ("title", models.CharField(max_length=100)),
    ("subtitle", models.CharField(max_length=50, null=True)),
    ("slug", models.SlugField(max_length=60)),
    ("text", models.TextField(default="")),
    ("pages", models.IntegerField()),
    ("rank", models.SmallIntegerField(default=0)),
    ("price", models.DecimalField(max_digits=8, decimal_places=2)),
    ("year", models.IntegerField(db_default=2000)),
    ("isbn", models.CharField(max_length=20, db_column="isbn_13")),
    ("sold", models.DateField(null=True)),
    ("author", models.ForeignKey("shop.Author", on_delete=models.CASCADE, null=True)),
    ("critic", models.ForeignKey("shop.Author", on_delete=models.CASCADE, related_name="+", null=True,
                                 db_constraint=False, db_index=False)),
    ("readers", models.ManyToManyField("shop.Author", related_name="read")),
]),
migrations.CreateModel("Tale", fields=[("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())],
                       options={"db_table": "tales"}),
"""


def main() -> None:
    given = json.load(sys.stdin)
    settings.configure(DATABASES={"default": given["database"]}, INSTALLED_APPS=[], USE_TZ=True)
    django.setup()
    json.dump([tried(case) for case in given["cases"]], sys.stdout)


def tried(case: dict[str, Any]) -> dict[str, Any]:
    """What one case's migration is as text, and what broke of the old release."""
    from django.db import connection
    from django.db.migrations.state import ProjectState
    from django.db.migrations.writer import MigrationWriter

    empty(connection)
    state = ProjectState()
    old, texts = ProjectState(), []
    for number, source in enumerate([BASE, *case["known"]]):
        migration = made(f"000{number}_known", source)
        texts.append(MigrationWriter(migration, include_header=False).as_string())
        old = migration.mutate_state(old)
        with connection.schema_editor(atomic=migration.atomic) as editor:
            state = migration.apply(state, editor)
    row(state.apps, "first")
    migration = made("0009_new", case["pending"], atomic=case["atomic"])
    text = MigrationWriter(migration, include_header=False).as_string()
    if not case["atomic"]:  # people add that by hand
        text = text.replace("    dependencies = [", "    atomic = False\n\n    dependencies = [")
    try:
        with connection.schema_editor(atomic=migration.atomic) as editor:
            migration.apply(state, editor)
        work(old.apps)
        broken = None
    except Exception as error:  # noqa: BLE001  # whatever it is, it is what a user would have seen
        broken = f"{type(error).__name__}: {error}"
    return {"known": texts, "text": text, "broken": broken}


def made(name: str, source: str, *, atomic: bool = True) -> Any:
    """A migration of these operations."""
    import datetime as dt

    from django.contrib.postgres import operations as postgres
    from django.db import migrations, models
    from django.db.models import functions

    names = {
        "migrations": migrations,
        "models": models,
        "functions": functions,
        "postgres": postgres,
        "dt": dt,
    }
    body = {"operations": eval(f"[{source}]", names), "atomic": atomic}
    return type("Migration", (migrations.Migration,), body)(name, "shop")


def empty(connection: Any) -> None:
    """Leave nothing in the database."""
    connection.close()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            return
        cursor.execute("PRAGMA foreign_keys = OFF")
        for (name,) in tables(cursor):
            cursor.execute(f'DROP TABLE "{name}"')
        cursor.execute("PRAGMA foreign_keys = ON")


def tables(cursor: Any) -> list[tuple[str]]:
    """The tables of a SQLite database."""
    return list(cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%%'"))


def row(apps: Any, name: str, **more: Any) -> Any:
    """A book, as plain as can be."""
    book = apps.get_model("shop", "Book")
    known = {"title": "t", "slug": "s", "pages": 1, "price": Decimal("1.00"), "isbn": name, **more}
    fields = {field.name for field in book._meta.get_fields()}
    return book.objects.create(**{key: value for key, value in known.items() if key in fields})


def work(apps: Any) -> None:
    """All that the old release might do."""
    book, author, tale = (apps.get_model("shop", name) for name in ("Book", "Author", "Tale"))
    ann = author.objects.create(name="Ann", nick=None)
    row(apps, "full", title="x" * 100, subtitle="y" * 50, slug="z" * 60, text="w" * 500, pages=2_000_000_000,
        rank=30_000, price=Decimal("999999.99"), author=ann, critic=ann)  # fmt: skip
    plain = row(apps, "empty", subtitle=None, pages=-1, rank=-1, author=None)
    plain.readers.add(ann)
    tale.objects.create(name="once")
    assert len(list(book.objects.all())) == 3
    assert list(tale.objects.values_list("name", flat=True)) == ["once"]
    assert list(author.objects.filter(read=plain)) == [ann]
    for each in book.objects.all():
        assert isinstance(each.pages, int), each.pages
        assert isinstance(each.price, Decimal), each.price
        each.title = "other"
        each.save()
    plain.delete()


main()
