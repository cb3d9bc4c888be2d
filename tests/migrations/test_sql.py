"""SQL: its statements, what they do to the release before, and that a real PostgreSQL server agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import psycopg
import pytest
from lab.postgres import Server, postgres

from deploytasks.migrations.rules import RULES
from deploytasks.migrations.sql import sections, statements
from deploytasks.migrations.sql_judging import judged

CASES: Mapping[str, str] = {
    "CREATE TABLE shelf (id int PRIMARY KEY, book int REFERENCES author (id))": "",
    "CREATE TABLE IF NOT EXISTS public.shelf (id int); CREATE INDEX ON shelf (id); ALTER TABLE shelf ADD n int": "",
    "CREATE TABLE shelf (id int); INSERT INTO shelf VALUES (1); DROP TABLE shelf": "",
    "ALTER TABLE book ADD COLUMN shelf int": "",
    'ALTER TABLE ONLY public."book" ADD COLUMN IF NOT EXISTS shelf int NULL': "",
    "ALTER TABLE book ADD shelf int NOT NULL": "add-required-column",
    "ALTER TABLE book ADD shelf int NOT NULL DEFAULT 1": "",
    "ALTER TABLE book ADD shelf int DEFAULT 1 NOT NULL, ADD board text": "",
    "ALTER TABLE book ADD shelf int NOT NULL DEFAULT NULL": "add-required-column",
    "ALTER TABLE book ADD key text NOT NULL": "add-required-column index",
    "ALTER TABLE book ADD made timestamptz NOT NULL DEFAULT now()": "",
    "ALTER TABLE book ADD code uuid NOT NULL DEFAULT gen_random_uuid()": "rewrite",
    "ALTER TABLE book ADD luck float DEFAULT random()": "rewrite",
    "ALTER TABLE book ADD number serial": "rewrite",
    "ALTER TABLE book ADD number int GENERATED ALWAYS AS IDENTITY": "rewrite",
    "ALTER TABLE book ADD twice int GENERATED ALWAYS AS (pages * 2) STORED": "rewrite",
    "ALTER TABLE book ADD code text UNIQUE": "index",
    "ALTER TABLE book ADD writer int REFERENCES author (id)": "foreign-key",
    "ALTER TABLE book ADD shelf int NOT NULL DEFAULT 1; ALTER TABLE book ALTER shelf DROP DEFAULT": "drop-default",
    "ALTER TABLE book ADD shelf int; UPDATE book SET shelf = 1; ALTER TABLE book ALTER shelf SET NOT NULL": (
        "data set-not-null"
    ),
    "ALTER TABLE book DROP COLUMN title": "drop-column",
    "ALTER TABLE IF EXISTS book DROP IF EXISTS note": "drop-column",
    'ALTER TABLE book ADD "drop" int': "",
    "ALTER TABLE book RENAME COLUMN title TO name": "rename-column",
    "ALTER TABLE book RENAME title TO name": "rename-column",
    "ALTER TABLE book RENAME TO volume": "rename-table",
    "ALTER TABLE book RENAME CONSTRAINT book_pkey TO book_key": "",
    "ALTER TABLE book SET SCHEMA other": "rename-table",
    "ALTER TABLE book ALTER COLUMN note SET NOT NULL": "set-not-null",
    "ALTER TABLE book ALTER COLUMN title DROP NOT NULL": "",
    "ALTER TABLE book ALTER COLUMN pages SET DEFAULT 3": "",
    "ALTER TABLE book ALTER COLUMN year DROP DEFAULT": "drop-default",
    "ALTER TABLE book ALTER COLUMN title TYPE varchar(200)": "retype rewrite",
    "ALTER TABLE book ALTER COLUMN pages SET DATA TYPE text USING pages::text": "retype rewrite",
    "ALTER TABLE book ALTER COLUMN title SET STATISTICS 100, ALTER title SET STORAGE EXTENDED": "",
    "ALTER TABLE book ADD CONSTRAINT few CHECK (pages < 10)": "constraint long-lock",
    "ALTER TABLE book ADD CONSTRAINT few CHECK (pages < 10) NOT VALID": "constraint",
    "ALTER TABLE book VALIDATE CONSTRAINT book_pages_check": "",
    "ALTER TABLE book DROP CONSTRAINT IF EXISTS few": "",
    "ALTER TABLE book ADD CONSTRAINT once UNIQUE (title)": "unique index",
    "ALTER TABLE book ADD UNIQUE (title)": "unique index",
    "ALTER TABLE book ADD CONSTRAINT f FOREIGN KEY (author) REFERENCES author (id)": "constraint foreign-key",
    "ALTER TABLE book ADD CONSTRAINT f FOREIGN KEY (author) REFERENCES author (id) NOT VALID": "constraint",
    "ALTER TABLE book ADD PRIMARY KEY (title)": "change-key",
    "ALTER TABLE book ENABLE ROW LEVEL SECURITY": "behavior",
    "ALTER TABLE book OWNER TO postgres": "behavior",
    "ALTER TABLE book SET UNLOGGED": "long-lock",
    "ALTER TABLE book SET (fillfactor = 70)": "",
    "CREATE INDEX by_title ON book (title)": "index",
    "CREATE INDEX IF NOT EXISTS by_title ON ONLY public.book USING btree (title)": "index",
    "CREATE INDEX CONCURRENTLY by_title ON book (title)": "",
    "CREATE UNIQUE INDEX CONCURRENTLY once ON book (title)": "unique",
    "CREATE UNIQUE INDEX once ON book (title)": "unique index",
    "DROP INDEX IF EXISTS by_title": "",
    "DROP TABLE IF EXISTS book CASCADE": "drop-table",
    "DROP TABLE author, book": "drop-table",
    "DROP VIEW titles": "drop-object",
    "DROP TYPE mood": "drop-object",
    "CREATE VIEW titles AS SELECT title FROM book": "",
    "CREATE OR REPLACE VIEW titles AS SELECT title FROM book": "behavior",
    "CREATE TYPE mood AS ENUM ('sad', 'it; drops')": "",
    "ALTER TYPE mood ADD VALUE 'glad'": "",
    "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'": "drop-object",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm": "",
    "CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DROP TABLE book; RETURN 1; END $$": "",
    "CREATE TRIGGER t BEFORE INSERT ON book FOR EACH ROW EXECUTE FUNCTION one()": "behavior",
    "DO $do$ BEGIN DROP TABLE book; END $do$": "unread",
    "INSERT INTO author (id) VALUES (9)": "data",
    "UPDATE book SET pages = 1": "data",
    "DELETE FROM book": "data",
    "WITH gone AS (DELETE FROM book RETURNING *) SELECT * FROM gone": "unread",
    "TRUNCATE TABLE book": "lose-rows",
    "SELECT set_config('lock_timeout', '2s', false)": "",
    "SELECT lo_unlink(1)": "unread",
    "GRANT SELECT ON book TO public": "",
    "REVOKE ALL ON book FROM public": "drop-object",
    "COMMENT ON TABLE book IS 'ALTER TABLE book DROP COLUMN title'": "",
    "/* DROP TABLE book; /* inner */ */ SET lock_timeout = '2s'; -- DROP TABLE book;": "",
    "BEGIN; ALTER TABLE book ADD x int; COMMIT": "",
    "REFRESH MATERIALIZED VIEW titles": "long-lock",
    "REINDEX TABLE book": "long-lock",
    "VACUUM FULL book": "long-lock",
    "frobnicate the book": "unread",
}

BASE = """
CREATE TABLE author (id int PRIMARY KEY);
CREATE TABLE book (id int PRIMARY KEY, title varchar(50) NOT NULL, note text, pages int NOT NULL, author int,
                   year int NOT NULL DEFAULT 2000, CHECK (pages > 0) NOT VALID);
INSERT INTO author VALUES (1);
INSERT INTO book VALUES (1, 'first', NULL, 3, 1);
"""
WORK = """
INSERT INTO author VALUES (2);
INSERT INTO book (id, title, note, pages, author) VALUES (2, repeat('x', 50), NULL, 3, 2);
UPDATE book SET title = 'other', note = NULL WHERE id = 2;
SELECT id, title, note, pages, author, year FROM book;
DELETE FROM book WHERE id = 2;
"""
"""What the old release does."""

BREAKS = [
    "drop-column", "drop-table", "rename-column", "rename-table", "add-required-column", "set-not-null", "drop-default",
]  # fmt: skip
"""Rules whose breach shows at once. The others show by chance, or concern other objects."""


def rules(text: str) -> set[str]:
    return {found.rule for found in judged(text, set())}


@pytest.mark.parametrize("text", CASES)
def test_each_statement_touches_its_rules(text: str) -> None:
    """And no other."""
    assert set(CASES[text].split()) == rules(text)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgres(tmp_path_factory.mktemp("pg")) as running:
        running.sql("CREATE DATABASE shop")
        yield running


@pytest.mark.parametrize("text", [text for text in CASES if not text.startswith(("frobnicate", "DO "))])
def test_a_server_agrees(text: str, server: Server) -> None:
    """What touches no rule leaves the old release at work; what a rule forbids breaks it."""
    mood = "" if text.startswith("CREATE TYPE") else "CREATE TYPE mood AS ENUM ('sad');"
    anew = "DROP SCHEMA IF EXISTS public, other CASCADE; CREATE SCHEMA public; CREATE SCHEMA other;"
    server.sql(anew + mood + BASE, database="shop")
    found, is_done, is_well = rules(text), True, True
    with server.connect("shop") as connection:
        for one in split(text):
            try:
                connection.execute(one.encode())
            except psycopg.Error:
                is_done = False
        if connection.info.transaction_status:
            connection.execute("ROLLBACK")
        try:
            connection.execute(WORK.encode())
        except psycopg.Error:
            is_well = False
    if found & set(BREAKS):
        assert not (is_done and is_well)
    elif all(RULES[rule].verdict == "locks" for rule in found):
        assert is_well
        assert is_done or any(word in text for word in ("pg_trgm", "titles", "one()"))  # not there, in this database


def split(text: str) -> list[str]:
    """The statements as texts; none in quotes is cut here, but for the one with a semicolon in a string."""
    return (
        [text]
        if any(mark in text for mark in ("it; drops", "$$", "/*"))
        else [one for one in text.split(";") if one.strip()]
    )


def test_lines_are_counted_through_comments_and_strings() -> None:
    """From 1, where the statement begins."""
    text = "-- one\n/* two\n three */ ALTER TABLE a\n ADD b text DEFAULT 'x\ny';\n\nDROP TABLE c"
    assert [3, 7] == [one.line for one in statements(text)]
    assert [("drop-table", 7)] == [(found.rule, found.line) for found in judged(text, set())]


def test_a_file_with_both_ways() -> None:
    """Of dbmate and of goose: what goes back is no part of what goes forward."""
    for up, down in (("migrate:up", "migrate:down"), ("+goose Up", "+goose Down")):
        forward, back = sections(f"-- {up}\nALTER TABLE a ADD b int;\n-- {down}\nALTER TABLE a DROP b;\n")
        assert set() == {found.rule for found in judged(forward, set())}
        assert back is not None
        assert [("drop-column", 4)] == [(found.rule, found.line) for found in judged(back, set())]
    assert ("DROP TABLE a", None) == sections("DROP TABLE a")


def test_what_cannot_run_in_a_transaction() -> None:
    """It would fail there."""
    text = "CREATE INDEX CONCURRENTLY a ON b (c)"
    assert ["in-a-transaction"] == [found.rule for found in judged(text, set(), atomic=True)]


@pytest.mark.parametrize(
    "text", ["'", '"', "$$ never ends", "/* never ends", "E'\\", "\0", "ALTER TABLE", "ADD", ";;", "ß ALTER"]
)
def test_odd_text_is_read_to_its_end(text: str) -> None:
    """Without an error."""
    judged(text, set())
