"""Moving the content of a SQLite database while others use it, by its online backup API.

https://www.sqlite.org/backup.html. The copy holds one read transaction from its first to its last page: it is one
moment of the database, and does not start again when someone else writes. In WAL mode nobody waits for it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ... import durable
from ...errors import Unreachable

_PAGES = 2048
"""Pages between two looks at the clock."""
_RETRY = 0.002
"""Seconds between two tries for a lock. SQLite's own waits grow to 100 ms, in which a busy writer starves us."""
_COMPANIONS = ("-wal", "-shm", "-journal")


@contextmanager
def opened(path: Path, patience: float, *, create: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection that waits ``patience`` seconds for locks, and makes no file unless it is told to."""
    uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
    database = sqlite3.connect(uri, uri=True, timeout=max(patience, 0.05), isolation_level=None)
    try:
        yield database
    finally:
        database.close()


def patiently(database: sqlite3.Connection, statement: str, deadline: float) -> list[tuple[object, ...]]:
    """The rows of a statement that needs a lock, as soon as it can be had. ``deadline``: on the monotonic clock."""
    while True:
        try:
            return database.execute(statement).fetchall()
        except sqlite3.OperationalError as error:
            if not is_lock(error) or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY)


def is_lock(error: sqlite3.Error) -> bool:
    """Whether another connection is in the way, and nothing else is wrong."""
    return error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def integrity(database: sqlite3.Connection, deadline: float, check: str = "integrity_check") -> str:
    """What is wrong with a database; empty when nothing is."""
    rows = [str(row[0]) for row in patiently(database, f"PRAGMA {check}(3)", deadline)]
    return "" if rows == ["ok"] else "; ".join(rows)[:300]


def copy(source: Path, target: Path, deadline: float) -> None:
    """Make ``target`` a verified copy of the database ``source``, in one file, on disk.

    ``deadline``: on the monotonic clock. Raises ``Unreachable``; then there is no ``target``.
    """
    try:
        _copy(source, target, deadline)
    except BaseException as error:
        remove(target)
        if isinstance(error, sqlite3.Error | OSError):
            raise _translated(f"cannot copy {source}", error) from error
        raise


def copy_beside(source: Path, target: Path, deadline: float) -> None:
    """Keep a database beside itself, also one so broken that only its bytes can be kept."""
    aside = target.with_name(f".{target.name}.part")
    try:
        copy(source, aside, deadline)
    except Unreachable as error:
        if not isinstance(error.__cause__, sqlite3.DatabaseError) or isinstance(
            error.__cause__, sqlite3.OperationalError
        ):
            raise
        _copy_bytes(source, target)
        return
    aside.replace(target)
    durable.sync_folder(target.parent)


def replace_content(source: Path, target: Path, deadline: float) -> None:
    """Give ``target`` the content of ``source``, in one transaction of ``target``; it may be in use, or absent.

    A target so broken that SQLite cannot write to it is replaced as a file. Raises ``Unreachable``; then the content
    is as before.
    """
    try:
        if target.exists():
            try:
                _pour(source, target, deadline)
                return
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                pass  # it is no database any more: nobody can be using it
        durable.make_folder(target.parent)
        aside = target.with_name(f".{target.name}.part")
        copy(source, aside, deadline)
        for companion in _COMPANIONS:
            target.with_name(target.name + companion).unlink(missing_ok=True)
        aside.replace(target)
        durable.sync_folder(target.parent)
    except (sqlite3.Error, OSError) as error:
        raise _translated(f"cannot restore into {target}", error) from error


def remove(path: Path) -> None:
    """Delete a database file with its companions; fine when there is none."""
    for name in (path.name, *(path.name + companion for companion in _COMPANIONS)):
        with suppress(OSError):
            path.with_name(name).unlink()


def _copy(source: Path, target: Path, deadline: float) -> None:
    remove(target)
    durable.make_folder(target.parent)
    with opened(source, 0) as origin, opened(target, 1.0, create=True) as made:
        origin.execute("BEGIN")
        patiently(origin, "SELECT count(*) FROM sqlite_master", deadline)  # takes the lock: BEGIN alone does not
        origin.backup(made, pages=_PAGES, progress=_until(deadline), sleep=_RETRY)
        origin.execute("ROLLBACK")  # nobody needs to wait while the copy is checked
        made.execute("PRAGMA journal_mode=DELETE")  # one file, without a write-ahead log beside it
        problem = integrity(made, deadline)
        if problem:
            raise sqlite3.DatabaseError(f"the copy is not whole: {problem}")
    shutil.copymode(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _pour(source: Path, target: Path, deadline: float) -> None:
    with opened(source, 5.0) as origin, opened(target, 0) as live:
        origin.backup(live, pages=_PAGES, progress=_until(deadline), sleep=_RETRY)
        # From here on the content is the copy's, whoever else is in the way.
        with suppress(sqlite3.OperationalError):
            live.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _copy_bytes(source: Path, target: Path) -> None:
    try:
        for companion in ("", *_COMPANIONS):
            part = source.with_name(source.name + companion)
            if part.exists():
                shutil.copy2(part, target.with_name(target.name + companion))
    except OSError as error:
        raise _translated(f"cannot keep {source} beside itself", error) from error


def _until(deadline: float) -> Callable[[int, int, int], None]:
    def look(_status: int, _remaining: int, _total: int) -> None:
        if time.monotonic() > deadline:
            raise TimeoutError("the time for it is over; another process may hold the database")

    return look


def _translated(what: str, error: Exception) -> Unreachable:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    full = "full" in reason or "No space" in reason
    do = "make room on the disk, then try again" if full else "see who uses it, and try again"
    return Unreachable(f"{what}: {reason}", state="the database is as it was", do=do)
