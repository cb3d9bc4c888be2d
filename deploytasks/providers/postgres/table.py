"""The table of a store, and what is said to it.

A row is a key, its value, and the ids of its last writes, the newest first: that one is the tag. Ids are random, so
a value that comes back is not taken for the one from before; and whoever lost the answer to a write finds its id
there, even when others have written since.
"""

from __future__ import annotations

from typing import Any

from psycopg import sql

REMEMBERED = 32
"""Writes of one key whose ids are kept."""

_MAKE = """\
CREATE TABLE {table} (
    key text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL,
    writes uuid[] NOT NULL CHECK (cardinality(writes) > 0),
    written_at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what the ledger has recorded is neither changed nor deleted'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER keep_events BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW WHEN (OLD.key ~ '/events/[0-9]{{12}}\\.json$') EXECUTE FUNCTION {function}();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION {function}();
"""


class Table:
    """The statements for one table, ``schema.table``. ``%`` stands for a value."""

    def __init__(self, name: str) -> None:
        schema, _, table = name.partition(".")
        self.name = name
        self._names: dict[str, Any] = {
            "schema": sql.Identifier(schema),
            "table": sql.Identifier(schema, table),
            "function": sql.Identifier(schema, f"{table}_is_kept"),
        }
        self.create = self._statement(
            "INSERT INTO {table} (key, value, writes) VALUES (%s, %s, ARRAY[%s::uuid])"
            " ON CONFLICT (key) DO NOTHING RETURNING 1"
        )
        """Key, value, id."""
        self.swap = self._statement(
            "UPDATE {table} SET value = %s, writes = %s::uuid || writes[1:{older}], written_at = now()"
            " WHERE key = %s AND writes[1] = %s::uuid RETURNING 1"
        )
        """Value, id, key, the tag that is expected."""
        self.was_written = self._statement("SELECT 1 FROM {table} WHERE key = %s AND %s::uuid = ANY(writes)")
        """Key, id."""
        self.read = self._statement("SELECT value, writes[1]::text FROM {table} WHERE key = %s")
        """Key."""
        self.read_on = self._statement(
            "SELECT key, value, writes[1]::text FROM {table} WHERE key >= %s AND key LIKE %s ORDER BY key LIMIT %s"
        )
        """First key, pattern, how many."""
        self.list = self._statement("SELECT key FROM {table} WHERE key > %s AND key LIKE %s ORDER BY key LIMIT %s")
        """The key before, pattern, how many."""
        self.make = self._statement(_MAKE)
        self.find = self._statement(
            "SELECT to_regclass({quoted}) IS NOT NULL, to_regnamespace({in_schema}) IS NOT NULL"
        )
        """Whether there is the table, and the schema."""
        self.make_schema = self._statement("CREATE SCHEMA {schema}")
        self.lock = self._statement("SELECT pg_advisory_xact_lock(hashtextextended({quoted}, 0))")
        """Held by whoever makes the table, to the end of its transaction."""
        self.may_make = self._statement(
            "SELECT CASE WHEN to_regnamespace({in_schema}) IS NULL"
            " THEN has_database_privilege(current_database(), 'CREATE')"
            " ELSE has_schema_privilege({in_schema}, 'CREATE') END"
        )
        self.keeps_events = self._statement(
            "SELECT count(*) = 2 FROM pg_trigger WHERE tgrelid = to_regclass({quoted})"
            " AND tgname IN ('keep_events', 'keep_all') AND tgenabled IN ('O', 'A')"
        )
        self.server = self._statement(
            "SELECT current_setting('server_version'), current_setting('fsync') = 'on'"
            " AND current_setting('synchronous_commit') <> 'off',"
            " (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), inet_client_addr() IS NULL"
            " OR inet_client_addr() = inet_server_addr()"
        )
        """Its version, whether it loses nothing, whether TLS is in use, whether it is this machine's."""

    def _statement(self, text: str) -> sql.Composed:
        quoted, in_schema = (sql.Literal(self._names[name].as_string(None)) for name in ("table", "schema"))
        more = {"quoted": quoted, "in_schema": in_schema, "older": sql.Literal(REMEMBERED - 1)}
        return sql.SQL(text).format(**self._names, **more)


def pattern(prefix: str) -> str:
    """A prefix for LIKE."""
    return "".join(f"\\{letter}" if letter in "\\%_" else letter for letter in prefix) + "%"
