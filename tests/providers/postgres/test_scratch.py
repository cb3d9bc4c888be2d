"""A copy in a database of its own, for a rehearsal."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from deploytasks import redaction
from deploytasks.errors import DeployError, GateRefused, UsageError
from deploytasks.providers.postgres.names import Names
from deploytasks.providers.postgres.scratch import url
from deploytasks.providers.postgres.server import Server
from deploytasks.settings.postgres import PostgresAccess

from .conftest import MARK, Make, perform

SIBLING = f"__rehearsal_{MARK}"


def test_it_is_there_between_make_and_drop(make: Make) -> None:
    """With all of the copy, under its own name, reached by its address and by PostgreSQL's programs; the live one is
    as it was."""
    place = make()
    database = place.open()
    database.back_up("one", {}).perform(30)
    place.sql("INSERT INTO books (title) VALUES ('later')")
    scratch = database.scratch("one", MARK, "/nowhere")
    assert [""] == place.siblings()
    perform([[scratch.make]])
    assert ["", SIBLING] == place.siblings()
    with psycopg.connect(scratch.values["url"]) as connection:
        assert (100,) == connection.execute("SELECT count(*) FROM books").fetchone()
        assert (place.name + SIBLING,) == connection.execute("SELECT current_database()").fetchone()
    told = {**{name: value for name, value in os.environ.items() if not name.startswith("PG")}, **scratch.environment}
    tools = database._programs.fit_for(15)
    done = subprocess.run(
        [str(tools.folder / "psql"), "-Atc", "SELECT count(*) FROM books"], env=told, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert "100" == done.stdout.strip()
    assert [(101,)] == place.sql("SELECT count(*) FROM books")
    perform([[scratch.drop], [scratch.drop]])
    assert [""] == place.siblings()


def test_nobody_keeps_it_from_going(make: Make) -> None:
    """An application that stays connected is disconnected."""
    place = make()
    database = place.open()
    database.back_up("one", {}).perform(30)
    scratch = database.scratch("one", MARK, "/nowhere")
    perform([[scratch.make]])
    with psycopg.connect(scratch.values["url"]):
        perform([[scratch.drop]])
    assert [""] == place.siblings()


def test_one_that_cannot_be_filled_is_not_left(make: Make) -> None:
    """A copy that is not what it was."""
    place = make()
    database = place.open()
    database.back_up("one", {}).perform(30)
    scratch = database.scratch("one", MARK, "/nowhere")
    file = place.copies / "one.dump"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DeployError):
        perform([[scratch.make]])
    assert [""] == place.siblings()


def test_a_backup_goes_on_beside_it(make: Make) -> None:
    """A rehearsal keeps nobody from deploying."""
    place = make()
    database = place.open()
    database.back_up("one", {}).perform(30)
    scratch = database.scratch("one", MARK, "/nowhere")
    perform([[scratch.make]])
    assert database.busy() is None
    database.back_up("two", {}).perform(30)
    perform([[scratch.drop]])


def test_what_dead_ones_have_left_goes_after_a_day(make: Make) -> None:
    """Not before, and nothing else."""
    place = make()
    database = place.open()
    database.back_up("one", {}).perform(30)
    for name, days in (("old", 2), ("new", 0)):
        place.server.sql(f'CREATE DATABASE "{place.name}_{name}"')
        at = datetime.now(UTC) - timedelta(days=days)
        said = f"deploytasks: a rehearsal for {place.name}, begun {at.isoformat()}"
        place.server.sql(f"COMMENT ON DATABASE \"{place.name}_{name}\" IS '{said}'")
    scratch = database.scratch("one", MARK, "/nowhere")
    perform([[scratch.make]])
    assert ["", SIBLING, "_new"] == place.siblings()
    perform([[scratch.drop]])


def test_a_role_that_may_not_is_told_what_it_needs(make: Make) -> None:
    """And nothing is made."""
    place = make()
    place.open().back_up("one", {}).perform(30)
    place.server.sql(f"CREATE ROLE \"{place.name}_weak\" LOGIN PASSWORD 'only-looks'")
    try:
        database = place.open(f"{place.name}_weak", "only-looks")
        with pytest.raises(GateRefused, match="CREATEDB"):
            perform([[database.scratch("one", MARK, "/nowhere").make]])
        assert [""] == place.siblings()
    finally:
        place.server.sql(f'DROP ROLE "{place.name}_weak"')


def test_an_unknown_copy_is_a_mistake(make: Make) -> None:
    """Before anything is made."""
    with pytest.raises(UsageError):
        make().open().scratch("none", MARK, "/nowhere")


@pytest.mark.parametrize(
    "given",
    [
        "postgresql://ann:s3cret%2Fpass@db.example.org:5433/shop?sslmode=require",
        "postgresql://ann@db.example.org/shop",
        "postgresql://[::1]:5433/shop",
        "postgresql:///shop?host=/run/postgresql",
        "postgresql://a.example.org:1,b.example.org:2/shop?target_session_attrs=primary",
        "host=db.example.org dbname=shop user='o\\'neil & co' password='a b:c@d/e'",
    ],
)
def test_the_address_is_the_live_one_but_for_the_name(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was said is said again."""
    monkeypatch.setenv("SHOP_URL", given)
    made = url(Server(PostgresAccess(url_from="SHOP_URL"), Path()), "shop & co")
    assert {**conninfo_to_dict(given), "dbname": "shop & co"} == conninfo_to_dict(made)


def test_the_driver_is_kept_and_the_password_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLAlchemy names it in the scheme."""
    monkeypatch.setenv("SHOP_URL", "postgresql+psycopg://ann:pass%20word%2Fmore@db/shop")
    made = url(Server(PostgresAccess(url_from="SHOP_URL"), Path()), "other")
    assert made.startswith("postgresql+psycopg://ann:pass%20word%2Fmore@db/other")
    assert "word" not in redaction.clean(f"failed: {made}; pass word/more; pass%20word%2Fmore")


def test_names_fit(make: Make) -> None:
    """However long the live one's is, and never the same."""
    names = Names.scratch("ü" * 31 + "x", MARK)
    assert len(names.new.encode()) <= 63
    assert names.new.endswith(SIBLING)
