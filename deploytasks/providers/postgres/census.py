"""What is in a database, counted: by it a copy is checked when it is made, and again when it was put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from psycopg import sql

from ...ports import Json
from .server import Connection

_TABLES = """
    SELECT c.oid::bigint, n.nspname, c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY n.nspname, c.relname
"""
"""All tables with rows of their own, each partition among them; but those that an extension brings by itself."""


class Table(NamedTuple):
    """A table with rows of its own."""

    oid: int
    schema: str
    name: str


class Census(NamedTuple):
    """Rows of every table by ``(schema, table)``, large objects, and extensions by name."""

    rows: Mapping[tuple[str, str], int]
    objects: int
    extensions: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """As plain data."""
        rows: list[Json] = [[schema, table, count] for (schema, table), count in self.rows.items()]
        return {"rows": rows, "objects": self.objects, "extensions": list(self.extensions)}

    @classmethod
    def from_json(cls, found: Mapping[str, Json]) -> Self | None:
        """Back from plain data; ``None`` when that is nothing of ours."""
        try:
            listed = found["rows"]
            assert isinstance(listed, Sequence)
            rows = {(str(one[0]), str(one[1])): int(one[2]) for one in listed}  # type: ignore[index,arg-type]  # tried
            names = found["extensions"]
            assert isinstance(names, Sequence)
            return cls(rows, int(str(found["objects"])), tuple(map(str, names)))
        except (KeyError, IndexError, TypeError, ValueError, AssertionError):
            return None

    def difference(self, found: Census) -> str:
        """What another count has otherwise, for people; empty when nothing."""
        names = sorted({*self.rows, *found.rows})
        other = [
            f"{schema}.{table} has {_rows(found, schema, table)}, not {_rows(self, schema, table)}"
            for schema, table in names
            if self.rows.get((schema, table)) != found.rows.get((schema, table))
        ]
        if self.objects != found.objects:
            other.append(f"{found.objects} large objects, not {self.objects}")
        if missing := set(self.extensions) - set(found.extensions):
            other.append(f"without the extensions {', '.join(sorted(missing))}")
        more = f"; and {len(other) - 5} more" if len(other) > 5 else ""
        return "; ".join(other[:5]) + more


def tables(connection: Connection) -> Sequence[Table]:
    """The tables whose rows belong into a copy."""
    return [Table(*row) for row in connection.execute(_TABLES)]


def count(connection: Connection, of: Sequence[Table]) -> Census:
    """Count everything, in the connection's snapshot. A policy that would hide rows is an error."""
    rows = {}
    for table in of:
        query = sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(table.schema, table.name))
        rows[table.schema, table.name] = _number(connection, query)
    objects = _number(connection, sql.SQL("SELECT count(*) FROM pg_catalog.pg_largeobject_metadata"))
    names = connection.execute("SELECT extname FROM pg_catalog.pg_extension ORDER BY 1")
    return Census(rows, objects, tuple(row[0] for row in names))


def _number(connection: Connection, query: sql.Composed | sql.SQL) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None  # an aggregate has one row
    return int(row[0])


def _rows(census: Census, schema: str, table: str) -> str:
    found = census.rows.get((schema, table))
    return "no such table" if found is None else f"{found} rows"
