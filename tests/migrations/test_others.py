"""Migrations that others wrote, and text that nobody meant."""

from __future__ import annotations

from pathlib import Path

import django.contrib
import pytest
from hypothesis import given, strategies as st

from deploytasks.migrations import squawk
from deploytasks.migrations.files import Source, sources
from deploytasks.migrations.judging import judged
from deploytasks.migrations.reversing import way_back
from deploytasks.migrations.sql import sections, statements

APPS = ("auth", "admin", "contenttypes", "sessions", "sites", "redirects", "flatpages")
KNOWN = {
    "auth.0011_update_proxy_permissions": {"data"},
    "contenttypes.0002_remove_content_type_name": {"drop-column"},
    "sites.0002_alter_domain_unique": {"unique"},
}
"""Those of Django's own that do more than expand: each was one more migration of a release, on a live database."""


@pytest.mark.parametrize("app", APPS)
def test_djangos_own_migrations(app: str) -> None:
    """Each judged as the next one, with those before it known; and all of them can be taken back."""
    folder = Path(django.contrib.__file__).parent / app / "migrations"
    found = sources({f"{app}/migrations/{file.name}": file.read_text() for file in folder.glob("0*.py")})
    assert found
    for at, one in enumerate(found):
        assert KNOWN.get(one.full, set()) == {each.rule for each in judged([one], found[:at])}, one.full
        assert way_back(one).is_there


@given(st.text(alphabet=st.sampled_from(" \n;'\"$-/*(),.ABab\\`[]%"), max_size=60))
def test_any_text_is_read_to_its_end(text: str) -> None:
    """As SQL: without an error, lines rise, and nothing is invented."""
    found = [token for one in statements(text) for token in one.tokens]
    assert [token.line for token in found] == sorted(token.line for token in found)
    assert all(token.text in text for token in found)
    (one,) = sources({"db/1.sql": text})
    judged([one])
    way_back(one)


_WORDS = """ALTER TABLE book ADD COLUMN DROP x int NOT NULL DEFAULT 1 , ; ( ) CREATE INDEX CONCURRENTLY ON RENAME TO
            TYPE SET CONSTRAINT CHECK UNIQUE PRIMARY KEY IF EXISTS -- /* */"""
WORDS = st.lists(st.sampled_from([*_WORDS.split(), "\n"]), max_size=14)


@given(WORDS)
def test_any_words_are_judged(words: list[str]) -> None:
    """In any order."""
    (one,) = sources({"db/1.sql": " ".join(words)})
    judged([one])


@given(WORDS, WORDS)
def test_both_ways_stay_apart(up: list[str], down: list[str]) -> None:
    """Each with as many lines as the whole, so that the lines that are told are those of the file."""
    text = f"-- migrate:up\n{' '.join(up)}\n-- migrate:down\n{' '.join(down)}"
    forward, back = sections(text)
    assert back is not None
    assert text.count("\n") == forward.count("\n") == back.count("\n")
    assert " ".join(up) in forward
    assert " ".join(down) in back


def test_modules_that_are_no_migrations() -> None:
    """This package's own, read as migrations: nothing fails, whatever is found."""
    for file in Path(squawk.__file__).parents[1].rglob("*.py"):
        for one in (Source(kind, "a", "1", file.name, file.read_text()) for kind in ("django", "alembic")):
            judged([one], [one])
            way_back(one)
            squawk.pieces(one)
