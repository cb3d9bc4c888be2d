"""Where the library keeps its books: a SQLite file, or a PostgreSQL server."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit


def database(given: str) -> dict:
    """Django's settings for a path or for ``postgresql://user@host:port/name?sslmode=require`` (needs psycopg).

    A password is better not in the URL, which shows wherever the environment does: libpq finds it in ~/.pgpass, or
    in the file that PGPASSFILE names.
    """
    return _on_a_server(given) if given.startswith(("postgres://", "postgresql://")) else _in_a_file(given)


def _in_a_file(path: str | Path) -> dict:
    # Both colors and a backup use the file at once. WAL lets readers and one writer work side by side; a write takes
    # its lock at the beginning (IMMEDIATE), where SQLite waits for the other one instead of failing half-way.
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def _on_a_server(url: str) -> dict:
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.removeprefix("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": parts.port or "",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,  # a restore disconnects everybody; the next request connects again
        "OPTIONS": {"connect_timeout": 5, **dict(parse_qsl(parts.query))},
    }
