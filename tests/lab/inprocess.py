"""SSH servers in this process (asyncssh), for machines without root or OpenSSH.

All hosts are this machine. That ``root`` is another folder on each comes from replacing the path in commands.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import threading
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import asyncssh

from lab.labhost import Lab, LabHost, is_running, kill_all
from lab.parts import lacking

T = TypeVar("T")


class _Server(asyncssh.SSHServer):
    """Lets everybody with the key in, and forwards wherever they want."""

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        return True

    def unix_connection_requested(self, dest_path: str) -> bool:
        return True


class LoopHost(LabHost):
    """One server on a loopback port."""

    lab: InProcess

    def __init__(self, lab: InProcess, number: int) -> None:
        super().__init__(lab, number, "127.0.0.1", 0)
        self.root = str(lab.folder / "srv")
        self._links: set[asyncssh.SSHServerConnection] = set()
        self._listener: asyncssh.SSHAcceptor | None = None

    def start(self) -> None:
        if self._listener is None:
            self._listener = self.lab.wait(self._listen())
            self.port = self._listener.get_port()

    async def _listen(self) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            self.address, self.port, server_host_keys=[str(self.host_key)], server_factory=_Server,
            authorized_client_keys=str(self.key.with_suffix(".pub")), process_factory=self._serve, encoding=None,
            acceptor=self._links.add, reuse_address=True,
        )  # fmt: skip

    def stop(self) -> None:
        if self._listener is not None:
            self.lab.wait(self._unlisten(self._listener))
            self._listener = None

    async def _unlisten(self, listener: asyncssh.SSHAcceptor) -> None:
        listener.close()
        for link in self._links:
            link.abort()
        self._links.clear()
        await listener.wait_closed()

    def cut(self) -> None:
        lacking("a link can be cut only between network namespaces")

    def mend(self) -> None:
        """Nothing was cut."""

    async def _serve(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        command = (process.command or "").replace(self.root, str(self.home))
        environment = os.environ | {"LAB_HOST": self.name, "LAB_MARK": str(self.folder)}
        shell = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", command, env=environment, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert shell.stdin
        assert shell.stdout
        assert shell.stderr
        bringing = asyncio.ensure_future(_bring(process.stdin, shell.stdin))
        await asyncio.gather(_carry(shell.stdout, process.stdout), _carry(shell.stderr, process.stderr))
        code = await shell.wait()
        bringing.cancel()
        with contextlib.suppress(OSError, asyncssh.Error):
            if code < 0:
                process.exit_with_signal("KILL")
            else:
                process.exit(code)

    def processes(self) -> list[int]:
        mark = f"LAB_MARK={self.folder}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0") and is_running(int(entry.name)):
                    found.append(int(entry.name))
        return found


class InProcess(Lab):
    """Servers on loopback, in one event loop."""

    is_real: ClassVar[bool] = False
    here = "127.0.0.1"
    hosts: list[LoopHost]  # type: ignore[assignment]  # narrower than in Lab

    def open(self, count: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab", daemon=True)
        self._thread.start()
        self.hosts = [LoopHost(self, each + 1) for each in range(count)]
        for host in self.hosts:
            host.start()
        self.write_known_hosts()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def run_in(self, name: str, argv: Sequence[str], **options: object) -> subprocess.Popen[bytes]:
        host = self.host(name)
        own = [word.replace(host.root, str(host.home)) for word in argv]
        mark = {"LAB_HOST": name, "LAB_MARK": str(host.folder)}
        return subprocess.Popen(own, env=os.environ | mark, **options)  # type: ignore[call-overload]

    def close(self) -> None:
        if not hasattr(self, "_loop") or self._loop.is_closed():
            return
        for host in self.hosts:
            host.stop()
            kill_all(host.processes)
        self.wait(self._quiet())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _quiet(self) -> None:
        tasks = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _bring(given: asyncssh.SSHReader[bytes], to: asyncio.StreamWriter) -> None:
    """What the client sends to a command's stdin. A connection that breaks is an end as well."""
    with contextlib.suppress(OSError, asyncssh.Error):
        while piece := await given.read(1 << 16):
            to.write(piece)
            await to.drain()
    with contextlib.suppress(OSError):
        to.close()


async def _carry(said: asyncio.StreamReader, to: asyncssh.SSHWriter[bytes]) -> None:
    """What a command says to the client; to nobody when it does not listen any more."""
    while piece := await said.read(1 << 16):
        with contextlib.suppress(OSError, asyncssh.Error):
            to.write(piece)
            await to.drain()
