"""From settings to what libpq takes, without a secret on the way showing anywhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ... import redaction
from ...errors import UsageError

if TYPE_CHECKING:
    from ...settings.postgres_access import PostgresAccess

Parameters = dict[str, str]
"""Of libpq, by their names in its manual (34.1.2, "Parameter Key Words")."""

_FILES = ("passfile", "sslrootcert", "sslcert", "sslkey")
_HERE = ("", "localhost", "127.0.0.1", "::1")


class Place(NamedTuple):
    """Which database it is, as far as its address tells."""

    host: str
    port: str
    name: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.name}"


def parameters(access: PostgresAccess, root: Path, section: str) -> Parameters:
    """All parameters of a connection. Raises ``UsageError``, which never shows a URL or a password."""
    given = _from_url(access.url_from, section) if access.url_from else _from_keys(access, section)
    for name in ("sslmode", *_FILES):
        value = getattr(access, name)
        if value is not None:
            given[name] = value if name == "sslmode" or value == "system" else str(root / Path(value).expanduser())
    if "passfile" in given:
        _check_passfile(Path(given["passfile"]), section)
    if "password" in given:
        redaction.hide(given["password"], quote(given["password"], safe=""))
    return {
        "gssencmode": "disable",
        "application_name": "deploytasks",
        **given,
        "client_encoding": "utf8",
        "connect_timeout": str(round(access.connect_within)),
    }


def place(given: Parameters) -> Place:
    """The database that these parameters lead to; all names of this machine count as one."""
    host = given.get("host") or given.get("hostaddr") or ""
    return Place("localhost" if host in _HERE or host.startswith("/") else host.lower(),
                 given.get("port") or "5432", given.get("dbname") or "")  # fmt: skip


def _from_url(variable: str, section: str) -> Parameters:
    url = _value_of(variable, f"{section}.url_from")
    redaction.hide(url)
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.Error:  # its text has the URL in it
        raise UsageError(
            f"{section}.url_from: what {variable} holds is no PostgreSQL URL",
            do="write postgresql://user:password@host:5432/name, special characters percent-encoded",
        ) from None
    if not given.get("dbname") or not (given.get("host") or given.get("hostaddr")):
        raise UsageError(
            f"{section}.url_from: the URL in {variable} names no {'host' if given.get('dbname') else 'database'}",
            do="write postgresql://user:password@host:5432/name",
        )
    return given


def _from_keys(access: PostgresAccess, section: str) -> Parameters:
    given = {"host": access.host or "", "port": str(access.port), "dbname": access.name or ""}
    if access.user:
        given["user"] = access.user
    if access.password_from:
        given["password"] = _value_of(access.password_from, f"{section}.password_from")
    return given


def _value_of(variable: str, key: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise UsageError(f"{key}: the environment variable {variable} is not set", do=f"set {variable}")
    return value


def _check_passfile(file: Path, section: str) -> None:
    """What libpq would only murmur about, and then do without."""
    try:
        others_may = file.stat().st_mode & 0o077
    except OSError as error:
        raise UsageError(f"{section}.passfile: {file}: {error.strerror}", do="write it, mode 0600") from None
    if others_may:
        raise UsageError(f"{section}.passfile: others may read {file}", do=f"chmod 600 {file}")
