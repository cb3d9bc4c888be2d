"""A line to a server that can be cut at the worst moment: between a statement and its answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Between:
    """Passes bytes on in both directions, on a port of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lose: dict[str, Callable[[], object]] = {}
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_the_answer(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        """The next statement reaches the server, ``meanwhile`` happens, and then the line is cut: no answer."""
        self._lose["answer"] = meanwhile

    def lose_the_statement(self) -> None:
        """The line is cut before the next statement reaches the server."""
        self._lose["statement"] = lambda: None

    def close(self) -> None:
        """Cut everything."""
        self._listener.close()
        for pair in self._pairs:
            _cut(*pair)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._to)
                self._pairs.append((near, far))
                for which, source, target in (("statement", near, far), ("answer", far, near)):
                    threading.Thread(target=self._pass, args=(which, source, target), daemon=True).start()

    def _pass(self, which: str, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(1 << 16):
                if happening := self._lose.pop(which, None):
                    happening()
                    break
                target.sendall(content)
        _cut(source, target)


def _cut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextmanager
def between(host: str, port: int) -> Iterator[Between]:
    """Such a line, cut at the end."""
    line = Between(host, port)
    try:
        yield line
    finally:
        line.close()
