"""What belongs to a database and not to its content: a dump of the content leaves it behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Self

import psycopg
from psycopg import sql

from ...ports import Json
from .server import Connection

_SELECT = """
    SELECT to_jsonb(d) - 'datacl', pg_catalog.pg_get_userbyid(d.datdba), pg_catalog.pg_encoding_to_char(d.encoding),
      (SELECT spcname FROM pg_catalog.pg_tablespace t WHERE t.oid = d.dattablespace),
      pg_catalog.shobj_description(d.oid, 'pg_database')
    FROM pg_catalog.pg_database d WHERE d.datname = %s
"""
_GRANTS = """
    SELECT CASE WHEN a.grantee = 0 THEN '' ELSE pg_catalog.pg_get_userbyid(a.grantee) END, a.privilege_type,
      a.is_grantable
    FROM pg_catalog.pg_database d, pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
    WHERE d.datname = %s ORDER BY 1, 2
"""
_SETTINGS = """
    SELECT CASE WHEN s.setrole = 0 THEN '' ELSE pg_catalog.pg_get_userbyid(s.setrole) END, unnest(s.setconfig)
    FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
    WHERE d.datname = %s ORDER BY 1, 2
"""
_PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}
_LISTS = ("local_preload_libraries", "search_path", "session_preload_libraries", "temp_tablespaces")
"""Settings whose value is a list, kept as it was quoted (GUC_LIST_QUOTE): to quote it again would make it one name."""
_PAIRS = ("grants", "settings")


class Properties(NamedTuple):
    """A database without its content. ``''`` as a role: everybody (``grants``), no one in particular (``settings``)."""

    owner: str
    encoding: str
    collate: str
    ctype: str
    provider: str
    """Of its collation: ``libc``, ``icu`` or ``builtin``."""
    locale: str | None
    rules: str | None
    tablespace: str
    limit: int
    """Connections; -1: no limit."""
    comment: str | None
    grants: tuple[tuple[str, str, bool], ...]
    """Role, privilege, whether it may be granted on."""
    settings: tuple[tuple[str, str], ...]
    """Role, ``name=value``."""

    def to_json(self) -> dict[str, Json]:
        """As plain data."""
        plain: dict[str, Json] = self._asdict()
        pairs: dict[str, Json] = {name: [list(one) for one in getattr(self, name)] for name in _PAIRS}
        return {**plain, **pairs}

    @classmethod
    def from_json(cls, found: object) -> Self | None:
        """Back from plain data; ``None`` when that is nothing of ours."""
        if not isinstance(found, Mapping) or set(found) != set(cls._fields):
            return None
        lists: dict[str, Any] = {name: tuple(tuple(one) for one in found[name]) for name in _PAIRS}
        return cls(**{**found, **lists})

    def lost(self, now: Properties) -> list[str]:
        """What another database has otherwise, in words for people."""
        names = [name for name in self._fields if name not in _PAIRS]
        plain = [(name, getattr(self, name), getattr(now, name)) for name in names]
        said = [f"{name} {_shown(new)} instead of {_shown(old)}" for name, old, new in plain if old != new]
        gone, come = _without(self.grants, now.grants), _without(now.grants, self.grants)
        said += [f"{role or 'everybody'} may not {right} any more" for role, right, _ in gone]
        said += [f"{role or 'everybody'} may {right} now" for role, right, _ in come]
        left = [(role, one.partition("=")[0]) for role, one in _without(self.settings, now.settings)]
        return said + [f"the setting {name}{f' of {role}' if role else ''}" for role, name in left]


def read(connection: Connection, database: str) -> Properties | None:
    """The properties of a database; ``None`` when there is no such database."""
    row = connection.execute(_SELECT, (database,)).fetchone()
    if row is None:
        return None
    found, owner, encoding, tablespace, comment = row
    return Properties(
        owner=owner,
        encoding=encoding,
        collate=found["datcollate"],
        ctype=found["datctype"],
        provider=_PROVIDERS.get(found.get("datlocprovider", "c"), "libc"),
        locale=found.get("datlocale") or found.get("daticulocale"),  # its name since version 17, and before
        rules=found.get("daticurules"),
        tablespace=tablespace,
        limit=found["datconnlimit"],
        comment=comment,
        grants=tuple((role, right, bool(on)) for role, right, on in connection.execute(_GRANTS, (database,))),
        settings=tuple((role, setting) for role, setting in connection.execute(_SETTINGS, (database,))),
    )


def creation(database: str, wanted: Properties) -> sql.Composed:
    """The statement that makes an empty database with the properties that can be had only then."""
    word, text = sql.Identifier, sql.Literal
    parts = [
        sql.SQL("CREATE DATABASE {} TEMPLATE template0 OWNER {}").format(word(database), word(wanted.owner)),
        sql.SQL("ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(
            text(wanted.encoding), text(wanted.collate), text(wanted.ctype)
        ),
    ]
    if wanted.provider != "libc":
        kind = {"icu": "ICU_LOCALE", "builtin": "BUILTIN_LOCALE"}[wanted.provider]
        parts.append(sql.SQL(f"LOCALE_PROVIDER {wanted.provider} {kind} {{}}").format(text(wanted.locale)))
        if wanted.rules:
            parts.append(sql.SQL("ICU_RULES {}").format(text(wanted.rules)))
    if wanted.tablespace != "pg_default":  # to name even that one needs a right
        parts.append(sql.SQL("TABLESPACE {}").format(word(wanted.tablespace)))
    parts.append(sql.SQL("CONNECTION LIMIT {}").format(text(wanted.limit)))
    return sql.SQL(" ").join(parts)


def apply(connection: Connection, database: str, wanted: Properties) -> None:
    """Give a database the grants and settings that it lacks, as far as we may; ``lost`` says what was refused."""
    name = sql.Identifier(database)
    found = read(connection, database)
    if found is None:
        return
    for role, right, _ in _without(found.grants, wanted.grants):
        _try(connection, sql.SQL("REVOKE {} ON DATABASE {} FROM {}").format(sql.SQL(right), name, _role(role)))
    for role, right, on in _without(wanted.grants, found.grants):
        option = sql.SQL(" WITH GRANT OPTION" if on else "")
        grant = sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(sql.SQL(right), name, _role(role), option)
        _try(connection, grant)
    for role, setting in _without(wanted.settings, found.settings):
        key, _, value = setting.partition("=")
        _set(connection, name, role, key, value)


def _set(connection: Connection, database: sql.Identifier, role: str, key: str, value: str) -> None:
    whom = sql.SQL("DATABASE {}").format(database)
    if role:
        whom = sql.SQL("ROLE {} IN DATABASE {}").format(_role(role), database)
    alter = sql.SQL("ALTER {} SET {} ").format(whom, sql.Identifier(*key.split(".")))
    if key.lower() not in _LISTS:
        _try(connection, alter + sql.SQL("TO {}").format(sql.Literal(value)))
        return
    with suppress(psycopg.Error), connection.transaction():
        connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (key, value))
        connection.execute(alter + sql.SQL("FROM CURRENT"))


def _try(connection: Connection, statement: sql.Composed) -> None:
    with suppress(psycopg.Error):
        connection.execute(statement)


def _role(name: str) -> sql.Composable:
    return sql.Identifier(name) if name else sql.SQL("PUBLIC")


def _without(these: Sequence[Any], those: Sequence[Any]) -> list[Any]:
    return [one for one in these if one not in those]


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
