"""Alembic's revisions: what they touch, and that a real server, migrated by a real Alembic, agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from lab.postgres import postgres

from deploytasks.migrations.files import Source, sources
from deploytasks.migrations.judging import judged
from deploytasks.migrations.reversing import way_back
from deploytasks.migrations.rules import RULES

CASES: Mapping[str, str] = {
    "pass": "",
    "op.create_table('shelf', sa.Column('id', sa.Integer, primary_key=True))": "",
    "op.create_table('shelf', sa.Column('id', sa.Integer))\nop.create_index('i', 'shelf', ['id'])\n"
    "op.add_column('shelf', sa.Column('n', sa.Integer, nullable=False))\nop.drop_table('shelf')": "",
    "op.drop_table('tale')": "drop-table",
    "op.rename_table('tale', 'story')": "rename-table",
    "op.add_column('book', sa.Column('shelf', sa.Integer))": "",
    "op.add_column('book', sa.Column('shelf', sa.Integer(), nullable=True), schema='public')": "",
    "op.add_column('book', sa.Column('shelf', sa.Integer(), nullable=False))": "add-required-column",
    "op.add_column('book', sa.Column('shelf', sa.Integer(), nullable=False, default=1))": "add-required-column",
    "op.add_column('book', sa.Column('shelf', sa.Integer(), nullable=False, server_default='1'))": "",
    "op.add_column('book', sa.Column('made', sa.DateTime(), nullable=False, server_default=sa.func.now()))": "",
    "op.add_column('book', sa.Column('c', sa.Uuid(), nullable=False, server_default=sa.text('gen_random_uuid()')))": (
        "rewrite"
    ),
    "op.add_column('book', sa.Column('twice', sa.Integer(), sa.Computed('pages % 2', persisted=True)))": "rewrite",
    "op.add_column('book', sa.Column('number', sa.Integer(), sa.Identity(), nullable=False))": "rewrite",
    "op.add_column('book', sa.Column('writer', sa.Integer(), sa.ForeignKey('author.id')))": "foreign-key",
    "op.add_column('book', sa.Column('code', sa.Text(), unique=True))": "index",
    "op.drop_column('book', 'title')": "drop-column",
    "op.alter_column('book', 'title', new_column_name='name')": "rename-column",
    "op.alter_column('book', 'note', nullable=False)": "set-not-null",
    "op.alter_column('book', 'title', nullable=True)": "",
    "op.alter_column('book', 'year', server_default=None)": "drop-default",
    "op.alter_column('book', 'year', server_default='2026')": "",
    "op.alter_column('book', 'title', existing_type=sa.String(50), type_=sa.String(200))": "",
    "op.alter_column('book', 'title', existing_type=sa.String(length=50), type_=sa.Text())": "",
    "op.alter_column('book', 'title', existing_type=sa.String(50), type_=sa.String(20))": "narrow-type",
    "op.alter_column('book', 'note', existing_type=sa.Text(), type_=sa.String(20))": "narrow-type",
    "op.alter_column('book', 'pages', existing_type=sa.Integer(), type_=sa.BigInteger())": "rewrite",
    "op.alter_column('book', 'pages', existing_type=sa.Integer(), type_=sa.SmallInteger())": "narrow-type",
    "op.alter_column('book', 'pages', existing_type=sa.Integer(), type_=sa.Text())": "change-type",
    "op.alter_column('book', 'title', type_=sa.String(200))": "retype",
    "op.alter_column('book', 'title', comment='the name')": "",
    "op.create_index('by_title', 'book', ['title'])": "index",
    "op.create_index(op.f('by_title'), 'book', ['title'], unique=True)": "unique index",
    "op.create_index('by_title', 'book', ['title'], postgresql_concurrently=True)": "in-a-transaction",
    "with op.get_context().autocommit_block():\n    "
    "op.create_index('by_title', 'book', ['title'], postgresql_concurrently=True)": "",
    "op.drop_index('by_pages', table_name='book')": "",
    "op.create_unique_constraint('once', 'book', ['title'])": "unique index",
    "op.create_check_constraint('few', 'book', 'pages < 99')": "constraint long-lock",
    "op.create_check_constraint('few', 'book', 'pages < 99', postgresql_not_valid=True)": "constraint",
    "op.create_foreign_key('f', 'book', 'author', ['author'], ['id'])": "constraint foreign-key",
    "op.create_foreign_key('f', 'book', 'author', ['author'], ['id'], postgresql_not_valid=True)": "constraint",
    "op.drop_constraint('positive', 'book', type_='check')": "",
    "op.drop_constraint('book_pkey', 'book', type_='primary')": "change-key",
    "op.execute('ALTER TABLE book ADD COLUMN x int')": "",
    "op.execute(sa.text('ALTER TABLE book DROP COLUMN title'))": "drop-column",
    "op.execute('UPDATE book ' + 'SET pages = 1')": "unread",
    "op.execute('UPDATE book SET pages = 1')": "data",
    "op.execute(f'SELECT {1}')": "unread",
    "op.bulk_insert(sa.table('author', sa.column('id')), [{'id': 9}])": "data",
    "connection = op.get_bind()": "unread",
    "with op.batch_alter_table('book') as batch:\n    batch.add_column(sa.Column('x', sa.Integer()))\n"
    "    batch.create_index('by_x', ['x'])": "index",
    "with op.batch_alter_table('book', schema=None) as batch_op:\n    batch_op.drop_column('title')\n"
    "    batch_op.alter_column('note', nullable=False)": "drop-column set-not-null",
    "with op.batch_alter_table('book') as batch:\n    batch.create_unique_constraint('o', ['title'])": "unique index",
    "if sa.Text:\n    op.drop_column('book', 'note')\nelse:\n    op.drop_table('tale')": "drop-column drop-table",
    "for name in ('a', 'b'):\n    op.add_column('book', sa.Column(name, sa.Integer()))": "",
    "sa.inspect(op)": "unread",
    "op.add_column('book', *[sa.Column('x', sa.Integer())])": "unread",
}

BASE = """
DROP SCHEMA public CASCADE; CREATE SCHEMA public;
CREATE TABLE author (id int PRIMARY KEY);
CREATE TABLE tale (id int PRIMARY KEY);
CREATE TABLE book (id int PRIMARY KEY, title varchar(50) NOT NULL, note text, pages int NOT NULL, author int,
                   year int NOT NULL DEFAULT 2000, CONSTRAINT positive CHECK (pages > 0));
CREATE INDEX by_pages ON book (pages);
INSERT INTO author VALUES (1);
"""
WORK = """
INSERT INTO author VALUES (2);
INSERT INTO book (id, title, note, pages, author) VALUES (2, repeat('x', 50), repeat('y', 90), 2000000000, 2);
INSERT INTO book (id, title, note, pages, author) VALUES (3, '', NULL, 3, NULL);
INSERT INTO tale VALUES (1);
UPDATE book SET title = 'other', note = NULL, pages = pages + 0 WHERE id = 2;
SELECT id, title, note, pages, author, year FROM book;
"""


def revision(upgrade: str) -> Source:
    body = upgrade.replace("\n", "\n    ")
    text = f"import sqlalchemy as sa\nfrom alembic import op\n\nrevision = 'a1'\n\n\ndef upgrade():\n    {body}\n"
    (found,) = sources({"app/versions/a1_more.py": text})
    return found


@pytest.mark.parametrize("upgrade", CASES)
def test_each_operation_touches_its_rules(upgrade: str) -> None:
    """And no other."""
    assert set(CASES[upgrade].split()) == {found.rule for found in judged([revision(upgrade)])}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    with postgres(tmp_path_factory.mktemp("pg")) as server:
        address = sa.URL.create(
            "postgresql+psycopg", server.user, server.password, server.host, server.port, "postgres"
        )
        made = sa.create_engine(address, poolclass=sa.NullPool)
        yield made
        made.dispose()


@pytest.mark.parametrize("upgrade", CASES)
def test_a_server_agrees(upgrade: str, engine: sa.Engine) -> None:
    """What touches no rule leaves the old release at work; what a rule forbids breaks it."""
    found = {one.rule for one in judged([revision(upgrade)])}
    with engine.begin() as connection:
        connection.exec_driver_sql(BASE)
    broken = _migrated(upgrade, engine) or _worked(engine)
    if any(RULES[rule].verdict == "contract" for rule in found - {"change-key"}):
        assert broken
    elif all(RULES[rule].verdict == "locks" for rule in found):
        assert not broken


def _migrated(upgrade: str, engine: sa.Engine) -> str:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        names: dict[str, Any] = {"sa": sa, "op": Operations(context)}
        try:
            with context.begin_transaction():
                exec(upgrade, names)
        except sa.exc.SQLAlchemyError as error:
            return str(error)
    return ""


def _worked(engine: sa.Engine) -> str:
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(WORK)
    except sa.exc.SQLAlchemyError as error:
        return str(error)
    return ""


def test_lines_and_files_are_named() -> None:
    """Where the operation stands, with what is wrong and what to do instead."""
    (found,) = judged([revision("pass\nop.drop_column('book', 'title')")])
    assert ("app/versions/a1_more.py", 9) == (found.path, found.line)
    assert str(found).startswith("app/versions/a1_more.py:9 drop_column book.title: the old release still")


@pytest.mark.parametrize(
    ("downgrade", "why"),
    [
        ("op.drop_column('book', 'x')", ""),
        ("pass", "downgrade() does nothing"),
        ('"""No way."""', "downgrade() does nothing"),
        ("raise NotImplementedError", "downgrade() raises"),
    ],
)
def test_a_downgrade_must_do_something(downgrade: str, why: str) -> None:
    """Where the upgrade does."""
    one = revision("op.add_column('book', sa.Column('x', sa.Integer()))")
    with_it = one._replace(text=f"{one.text}\n\ndef downgrade():\n    {downgrade}\n")
    assert (not why, why) == way_back(with_it)
    assert not way_back(one).is_there
    assert way_back(revision("pass")._replace(text=revision("pass").text + "\ndef downgrade():\n    pass\n")).is_there
