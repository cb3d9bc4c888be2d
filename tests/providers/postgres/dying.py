"""Restores a copy, and is killed at its N-th change: ``python dying.py ROOT BACKUP MARK N`` (0: never).

The database is the one of ``ANY_DATABASE_URL``. Writes the number of changes it makes when it comes to its end.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from deploytasks.providers.postgres import fill
from deploytasks.providers.postgres.database import PostgresDatabase
from deploytasks.providers.site import Site
from deploytasks.settings.postgres import PostgresSettings

CHANGES = ("CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE", "COMMIT", "ANALYZE")


class Countdown:
    """Kills this process just before the change that is awaited. Statements of other threads are not counted."""

    def __init__(self, last: int) -> None:
        self.count = 0
        self._last = last

    def passed(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self.count += 1
            if self.count == self._last:
                os.kill(os.getpid(), signal.SIGKILL)

    def before(self, kind: type[Any], method: str) -> None:
        """Let a method of psycopg's connection pass here first."""
        real = getattr(kind, method)

        def counted(connection: Any, statement: Any, *rest: Any, **more: Any) -> Any:
            text = statement.as_string() if isinstance(statement, sql.Composable) else statement
            text = text.decode() if isinstance(text, bytes) else str(text)
            if text.lstrip().upper().startswith(CHANGES):
                self.passed()
            return real(connection, statement, *rest, **more)

        setattr(kind, method, counted)


def main(root: Path, backup: str, mark: str, last: int) -> None:
    """Restore, as far as it comes."""
    countdown = Countdown(last)
    for method in ("execute", "_exec_command"):
        countdown.before(psycopg.Connection, method)
    real = fill.run

    def run(*given: Any) -> str:
        countdown.passed()
        said = real(*given)
        countdown.passed()
        return said

    fill.run = run
    site = Site("app", "test", root, root / ".deploy", None, "ann@here")
    database = PostgresDatabase(PostgresSettings(url_from="ANY_DATABASE_URL"), site)
    for batch in database.restore(backup, mark):
        for call in batch:
            call.perform(60)
    sys.stdout.write(f"{countdown.count}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
