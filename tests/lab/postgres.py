"""A real PostgreSQL server of a test's own: passwords over TCP, nothing of the machine's touched, gone at the end."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import psycopg

from deploytasks.runners import parents
from lab.parts import program

_DEFAULTS = {
    "fsync": "off",  # what a power cut would take is no test's matter
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "authentication_timeout": "10s",
    "max_connections": "120",
    "max_prepared_transactions": "5",
    "log_min_messages": "warning",
}
_OWNER = "postgres" if os.geteuid() == 0 else None
"""Whom the server runs as: it refuses root."""


class Server:
    """One cluster. ``user`` is its superuser; every connection but the operating system's own needs ``password``."""

    def __init__(self, place: Path, log: Path, listen: str) -> None:
        self.host = "127.0.0.1" if listen in ("*", "0.0.0.0") else listen
        self.user = "postgres"
        self.password = f"p@ss/{secrets.token_hex(6)}: %27'"
        self.socket = place / "s"
        self.data = place / "data"
        self.port = 0
        self._log = log
        self._listen = listen
        self._running: subprocess.Popen[bytes] | None = None
        self._initialize(place)

    @property
    def url(self) -> str:
        """What libpq takes, with the password in it, for the database ``postgres``."""
        return self.url_of("postgres")

    def url_of(self, database: str, user: str | None = None, password: str | None = None) -> str:
        """The same for another database, or another role."""
        who = f"{quote(user or self.user, safe='')}:{quote(password or self.password, safe='')}"
        return f"postgresql://{who}@{self.host}:{self.port}/{quote(database, safe='')}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection of the superuser's, each statement a transaction."""
        return psycopg.connect(self.url_of(database), autocommit=True, connect_timeout=5)

    def sql(self, text: str, *values: object, database: str = "postgres") -> list[tuple[Any, ...]]:
        """The rows of one statement, run by the superuser. Without values, ``text`` may be several statements."""
        with self.connect(database) as connection:
            cursor = connection.execute(text, values or None)
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Run it; on the same port as before, when it ran before. Returns when it answers."""
        for attempt in range(5):
            self.port = self.port if self._ran else _free_port(self.host)
            if self._serve():
                return
            if self._ran or attempt == 4:
                raise AssertionError(f"PostgreSQL does not start:\n{self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End it in good order, its connections cut. Fine when it does not run."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it, with every process of it, as a dead machine would."""
        if self._running is not None:
            self._end(signal.SIGKILL, [self._running.pid, *_children(self._running.pid)])

    def freeze(self) -> None:
        """Let all of it stand still: it is there, and says nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        self._signal(signal.SIGCONT)

    # -- how -----------------------------------------------------------------

    def _signal(self, number: signal.Signals) -> None:
        assert self._running is not None
        for pid in (self._running.pid, *_children(self._running.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _initialize(self, place: Path) -> None:
        self._ran = False
        self.socket.mkdir()
        given = place / "password"
        given.write_text(self.password)
        if _OWNER:
            for path in (place, self.socket, given):
                shutil.chown(path, _OWNER, _OWNER)
        command = [program("initdb"), "-D", str(self.data), "-U", self.user, "-N", "-E", "UTF8", "--locale=C.UTF-8"]
        with self._log.open("ab") as log:
            self._popen([*command, "-A", "scram-sha-256", f"--pwfile={given}"], log, place).communicate(timeout=60)
        given.unlink()
        access = self.data / "pg_hba.conf"
        with access.open("a") as more:  # opened as root, it stays its owner's
            more.write("host all all 0.0.0.0/0 scram-sha-256\nhost all all ::/0 scram-sha-256\n")

    def _serve(self) -> bool:
        settings = {
            **_DEFAULTS,
            "port": self.port,
            "listen_addresses": self._listen,
            "unix_socket_directories": self.socket,
        }
        command = [program("postgres"), "-D", str(self.data)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._running = self._popen(command, log, self.data)
        until = time.monotonic() + 30
        while self._running.poll() is None and time.monotonic() < until:
            with suppress(psycopg.OperationalError), self.connect():
                self._ran = True
                return True
            time.sleep(0.02)
        self.stop()
        return False

    def _end(self, how: signal.Signals, pids: list[int] | None = None) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        for pid in (running.pid, *_children(running.pid)):  # one that stands still would not hear it
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        for pid in pids or [running.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, how)
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:  # a backend whose client went before it said who it is keeps it waiting
            for pid in (*_children(running.pid), running.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            running.wait(10)

    @staticmethod
    def _popen(command: list[str], log: IO[bytes], place: Path) -> subprocess.Popen[bytes]:
        who: dict[str, Any] = {"user": _OWNER, "group": _OWNER, "extra_groups": []} if _OWNER else {}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return subprocess.Popen(
            command,
            cwd=place,
            env={**clean, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in the terminal is for the tests, which end it themselves
            preexec_fn=partial(_end_with_us, os.getpid()),  # noqa: PLW1509  # it makes two system calls
            **who,
        )


@contextmanager
def postgres(folder: Path, *, listen: str = "127.0.0.1") -> Iterator[Server]:
    """A running server; its log is in ``folder``. ``listen``: another address of this machine, such as a bridge's.

    Its data is in a folder of its own: the account that it runs as may not enter pytest's. Without PostgreSQL's
    programs the test is skipped.
    """
    program("initdb")
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        server = Server(place, folder / "postgres.log", listen)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    """By their parents: ``/proc/PID/task/PID/children`` leaves some out while they come and go."""
    return [child for child, parent in parents().items() if parent == pid]


def _end_with_us(parent: int) -> None:
    """Runs in the child: when the tests are killed, the server goes as well."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGQUIT)
