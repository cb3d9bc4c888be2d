"""Which migrations are in a database, as the tools themselves write it down there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

TABLES = {"django": "django_migrations", "alembic": "alembic_version"}
"""Preset → the table in which its tool keeps what it has applied."""

_COLUMNS = {"django": "app, name FROM {} ORDER BY id", "alembic": "version_num FROM {} ORDER BY version_num"}


def applied(
    preset: str | None, find: Callable[[str], str | None], rows: Callable[[str], Iterable[Sequence[object]]]
) -> Sequence[str]:
    """``app.name`` in the order in which they were applied (Django), or the revisions of the heads (Alembic).

    ``find``: the quoted name of a table, if there is one; ``rows``: those of a query.
    """
    table = find(TABLES[preset]) if preset else None
    if preset is None or table is None:
        return ()
    return [".".join(map(str, row)) for row in rows("SELECT " + _COLUMNS[preset].format(table))]
