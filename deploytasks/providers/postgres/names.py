"""The databases of one restore: their names, and the comments by which a half one is told from a whole one."""

from __future__ import annotations

from typing import NamedTuple

from psycopg import sql

from . import properties
from .census import Census
from .properties import Properties
from .server import Connection

_LONGEST = 63
"""Bytes of a name."""


class Names(NamedTuple):
    """The live database, the new one beside it, and what the live one is called afterwards."""

    live: str
    new: str
    before: str

    @classmethod
    def of(cls, live: str, mark: str) -> Names:
        """The names for one restore. ``mark``: unique to it, letters, digits and ``-``."""
        return cls(live, _beside(live, f"__restore_{mark}"), _beside(live, f"__before_{mark}"))

    @classmethod
    def scratch(cls, live: str, mark: str) -> Names:
        """The names for one rehearsal; nothing is ever renamed."""
        return cls(live, _beside(live, f"__rehearsal_{mark}"), "")


class Source(NamedTuple):
    """A copy: its name, its file, what was counted in it and how its database was."""

    name: str
    file: str
    census: Census | None
    properties: Properties | None


def comment(connection: Connection, name: str, text: str | None) -> None:
    """Write a database's comment (``None``: none)."""
    connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(text)))


def unfinished(names: Names) -> str:
    """The comment of a new database until it is verified. One that a dead restore has left is known by it."""
    return f"deploytasks: being restored for {names.live}"


def verified(source: Source) -> str:
    """The comment of a new database that holds all of a copy."""
    return f"deploytasks: the copy {source.name}, restored and verified"


def is_verified(connection: Connection, name: str, source: Source) -> bool:
    """Whether a database is there that holds all of a copy."""
    found = properties.read(connection, name)
    return found is not None and found.comment == verified(source)


def state(names: Names) -> str:
    """What an error says as long as the live database was not touched."""
    return f"{names.live} is as it was"


def _beside(live: str, ending: str) -> str:
    """The name with an ending, cut where it would be too long; never within a character."""
    return live.encode()[: _LONGEST - len(ending)].decode(errors="ignore") + ending
