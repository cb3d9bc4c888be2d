"""Which rules a statement of SQL touches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from .sql import Statement, statements

_VOLATILE = frozenset({
    "RANDOM", "GEN_RANDOM_UUID", "UUID_GENERATE_V1", "UUID_GENERATE_V4", "UUIDV4", "UUIDV7", "CLOCK_TIMESTAMP",
    "NEXTVAL", "TIMEOFDAY",
})  # fmt: skip
"""Functions whose value is another one for each row: PostgreSQL writes the table anew for such a default."""
_SERIAL = frozenset({"SERIAL", "BIGSERIAL", "SMALLSERIAL", "SERIAL4", "SERIAL8", "SERIAL2"})
_NEW_THINGS = (
    "SCHEMA", "TYPE", "DOMAIN", "EXTENSION", "SEQUENCE", "COLLATION", "STATISTICS", "VIEW", "MATERIALIZED VIEW",
    "FUNCTION", "PROCEDURE", "AGGREGATE", "OPERATOR", "CAST", "ROLE", "USER", "TEXT SEARCH", "TEMPORARY VIEW",
    "TEMP VIEW", "PUBLICATION", "RECURSIVE VIEW", "TEMPORARY SEQUENCE",
)  # fmt: skip
_HARMLESS = (
    "SET", "RESET", "BEGIN", "START TRANSACTION", "COMMIT", "END", "SAVEPOINT", "RELEASE", "COMMENT ON", "GRANT",
    "ANALYZE", "SHOW", "EXPLAIN", "PRAGMA", "DISCARD", "DEALLOCATE", "VACUUM",
)  # fmt: skip
_QUIET_ALTERATIONS = (
    "VALIDATE CONSTRAINT", "DROP CONSTRAINT", "DROP FOREIGN KEY", "RENAME CONSTRAINT", "CLUSTER ON",
    "SET WITHOUT CLUSTER", "REPLICA IDENTITY", "SET (", "RESET (", "DROP INDEX", "RENAME INDEX", "COMMENT",
)  # fmt: skip


class Touched(NamedTuple):
    """A rule, and what of a statement it is about."""

    rule: str
    what: str
    line: int


Lacks = Callable[[str, str], bool]
"""Whether the old release surely does not know a column of a table."""


class Known(NamedTuple):
    """What the old release does not know: tables, and columns of those that it knows."""

    created: set[str]
    lacks: Lacks


def judged(text: str, created: set[str], *, atomic: bool = False, lacks: Lacks | None = None) -> list[Touched]:
    """The rules that the statements of a text touch, in their order.

    ``created``: tables that the old release does not know; new ones are added. ``atomic``: whether all of it runs in
    one transaction. ``lacks``: as far as that is known.
    """
    known = Known(created, lacks or (lambda table, column: False))
    return [found for one in statements(text) for found in _judged(one, known, atomic)]


def _judged(one: Statement, known: Known, atomic: bool) -> Iterator[Touched]:
    for first, judge in _JUDGES.items():
        if one.take(*first.split()):
            for rule in judge(one, known):
                yield Touched(rule, str(one), one.line)
            if atomic and any(token.upper == "CONCURRENTLY" for token in one.tokens):
                yield Touched("in-a-transaction", str(one), one.line)
            return
    if not any(one.comes(*words.split()) for words in _HARMLESS):
        yield Touched("unread", str(one), one.line)


# -- statements; each is read past its first words ----------------------------------------------------


def _create_table(one: Statement, known: Known) -> Iterator[str]:
    one.take("IF", "NOT", "EXISTS")
    name = one.name()
    known.created.add(name)
    if not name:
        yield "unread"
    if one.has("PARTITION", "OF"):
        yield "long-lock"


def _create_index(one: Statement, known: Known, *, unique: bool = False) -> Iterator[str]:
    is_online = one.take("CONCURRENTLY")
    one.take("IF", "NOT", "EXISTS")
    while one.rest() and not one.take("ON"):
        one.at += 1
    one.take("ONLY")
    if one.name() in known.created:
        return
    if unique:
        yield "unique"
    if not is_online:
        yield "index"


def _create(one: Statement, known: Known) -> Iterator[str]:
    if one.take("OR", "REPLACE"):
        yield "behavior"
    elif one.take_any("UNLOGGED TABLE", "TEMPORARY TABLE", "TEMP TABLE", "GLOBAL TEMPORARY TABLE"):
        yield from _create_table(one, known)
    elif one.take_any("TRIGGER", "CONSTRAINT TRIGGER", "RULE", "POLICY", "EVENT TRIGGER"):
        if not any(token.name in known.created for token in one.rest()):
            yield "behavior"
    elif not one.take_any(*_NEW_THINGS):
        yield "unread"


def _drop(one: Statement, known: Known) -> Iterator[str]:
    if one.take("INDEX") or one.take_any("STATISTICS", "PUBLICATION"):
        return
    if one.take_any("TRIGGER", "RULE", "POLICY"):
        yield "behavior"
        return
    is_table = one.take("TABLE")
    one.take("IF", "EXISTS")
    if is_table:
        names = [part.name() for part in one.parts()]
        if not all(name in known.created for name in names):
            yield "drop-table"
        return
    yield "drop-object"


def _alter_table(one: Statement, known: Known) -> Iterator[str]:
    one.take("IF", "EXISTS")
    one.take("ONLY")
    table = one.name()
    if table in known.created:
        return
    one.take("*")
    for part in one.parts():
        yield from _altered(part, table, known)


def _altered(part: Statement, table: str, known: Known) -> Iterator[str]:
    if part.take_any(*_QUIET_ALTERATIONS):
        return
    if part.take("ADD"):
        yield from _added(part)
    elif part.take("DROP"):
        yield from _dropped(part, table, known)
    elif part.take("ALTER"):
        part.take("COLUMN")
        part.name()
        yield from _altered_column(part)
    elif part.take("RENAME"):
        yield "rename-table" if part.take_any("TO", "AS") else "rename-column"
    elif part.take_any("SET LOGGED", "SET UNLOGGED", "SET TABLESPACE", "ATTACH PARTITION", "SET ACCESS METHOD"):
        yield "long-lock"
    elif part.take_any("SET SCHEMA", "DETACH PARTITION"):
        yield "rename-table"
    elif part.take("CHANGE"):
        yield "change-type"
    elif part.take("MODIFY"):
        yield "retype"
    else:
        yield "behavior"  # owner, row level security, triggers, inheritance


def _dropped(part: Statement, table: str, known: Known) -> Iterator[str]:
    if part.take("PRIMARY", "KEY"):
        yield "change-key"
        return
    part.take("COLUMN")
    part.take("IF", "EXISTS")
    if not known.lacks(table, part.name()):
        yield "drop-column"


def _added(part: Statement) -> Iterator[str]:
    if part.take("CONSTRAINT"):
        part.name()
        yield from _constraint(part)
    elif any(map(part.comes, ("UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "PRIMARY"))):
        yield from _constraint(part)
    elif part.take_any("INDEX", "KEY", "FULLTEXT", "SPATIAL"):
        yield "index"
        yield from _column(part)  # elsewhere than in MySQL, KEY can be the name of a column
    else:
        part.take("COLUMN")
        part.take("IF", "NOT", "EXISTS")
        part.name()
        yield from _column(part)


def _constraint(part: Statement) -> Iterator[str]:
    if part.take("PRIMARY"):
        yield "change-key"
        return
    is_unique, is_foreign = part.take("UNIQUE"), part.take("FOREIGN")
    yield "unique" if is_unique else "constraint"
    if is_unique and not part.has("USING", "INDEX"):
        yield "index"
    if is_foreign and not part.has("NOT", "VALID"):
        yield "foreign-key"
    if not is_unique and not is_foreign and not part.has("NOT", "VALID"):
        yield "long-lock"


def _column(part: Statement) -> Iterator[str]:
    """A new column, past its name."""
    words = {token.upper for token in part.rest()}
    is_serial, is_identity = bool(words & _SERIAL), part.has("AS", "IDENTITY")
    is_generated = (part.has("AS", "(") and "GENERATED" in words) or (part.has("AS", "(") and "DEFAULT" not in words)
    is_filled_in = is_serial or is_identity or is_generated or ("DEFAULT" in words and not part.has("DEFAULT", "NULL"))
    if part.has("PRIMARY", "KEY"):
        yield "change-key"
    elif part.has("NOT", "NULL") and not is_filled_in:
        yield "add-required-column"
    if "UNIQUE" in words:
        yield "index"
    if "REFERENCES" in words:
        yield "foreign-key"
    if is_serial or is_identity or (is_generated and "VIRTUAL" not in words) or words & _VOLATILE:
        yield "rewrite"


def _altered_column(part: Statement) -> Iterator[str]:
    if part.take("SET", "NOT", "NULL"):
        yield "set-not-null"
    elif part.take("DROP", "DEFAULT") or part.take("DROP", "IDENTITY"):
        yield "drop-default"
    elif part.take("DROP", "EXPRESSION"):
        yield "behavior"
    elif part.take_any("TYPE", "SET DATA TYPE"):
        yield "retype"
        yield "rewrite"
    elif part.take_any("ADD GENERATED", "SET GENERATED", "RESTART"):
        yield "behavior"
    elif not part.take_any(
        "DROP NOT NULL", "SET DEFAULT", "SET STATISTICS", "SET STORAGE", "SET COMPRESSION", "SET (", "RESET ("
    ):
        yield "unread"


def _alter_type(one: Statement, known: Known) -> Iterator[str]:
    one.name()
    if one.take("ADD", "VALUE"):
        return
    yield "drop-object" if one.take("RENAME") or one.take("DROP") or one.take("SET", "SCHEMA") else "behavior"


def _alter(one: Statement, known: Known) -> Iterator[str]:
    if one.take_any("INDEX", "STATISTICS", "DEFAULT PRIVILEGES", "EXTENSION", "PUBLICATION"):
        return
    if one.take_any("VIEW", "MATERIALIZED VIEW", "SCHEMA", "FOREIGN TABLE") and one.has("RENAME"):
        yield "rename-table"
    else:
        yield "behavior"


def _data(one: Statement, known: Known) -> Iterator[str]:
    one.take_any("INTO", "FROM", "IGNORE INTO", "OR REPLACE INTO", "OR IGNORE INTO")
    one.take("ONLY")
    if one.name() not in known.created:
        yield "data"


def _truncate(one: Statement, known: Known) -> Iterator[str]:
    one.take("TABLE")
    one.take("ONLY")
    if not all(part.name() in known.created for part in one.parts()):
        yield "lose-rows"


def _select(one: Statement, known: Known) -> Iterator[str]:
    """A query changes nothing, unless a function that it calls does."""
    if one.take_any("SETVAL (", "PG_CATALOG . SETVAL (", "SET_CONFIG (", "PG_CATALOG . SET_CONFIG ("):
        return
    if one.has("("):
        yield "unread"


def _refresh(one: Statement, known: Known) -> Iterator[str]:
    if not one.take("CONCURRENTLY"):
        yield "long-lock"


def _locked(one: Statement, known: Known) -> Iterator[str]:
    if not one.has("CONCURRENTLY"):
        yield "long-lock"


def _as_it_says(rule: str) -> Callable[[Statement, Known], Iterator[str]]:
    def judge(one: Statement, known: Known) -> Iterator[str]:
        yield rule

    return judge


def _unique_index(one: Statement, known: Known) -> Iterator[str]:
    yield from _create_index(one, known, unique=True)


_JUDGES: Mapping[str, Callable[[Statement, Known], Iterator[str]]] = {
    "CREATE TABLE": _create_table,
    "CREATE INDEX": _create_index,
    "CREATE UNIQUE INDEX": _unique_index,
    "CREATE": _create,
    "DROP": _drop,
    "ALTER TABLE": _alter_table,
    "ALTER TYPE": _alter_type,
    "ALTER": _alter,
    "RENAME TABLE": _as_it_says("rename-table"),
    "INSERT": _data,
    "REPLACE": _data,
    "UPDATE": _data,
    "DELETE": _data,
    "COPY": _data,
    "MERGE": _data,
    "WITH": _as_it_says("unread"),
    "TRUNCATE": _truncate,
    "REVOKE": _as_it_says("drop-object"),
    "REFRESH MATERIALIZED VIEW": _refresh,
    "REINDEX": _locked,
    "CLUSTER": _locked,
    "VACUUM FULL": _locked,
    "LOCK": _as_it_says("long-lock"),
    "SELECT": _select,
}
"""First words → what is judged of the rest; the first that fits."""
