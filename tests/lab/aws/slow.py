"""A server that takes a request and then lets its caller wait."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self


class Slow:
    """``with Slow(b"HTTP/1.1 200 OK…") as slow``: says this, then one byte after the other, until hung up on.

    ``pause``: seconds between two bytes; 0: not one more. ``hung_up`` counts callers that gave up.
    """

    def __init__(self, first: bytes, pause: float = 0.1) -> None:
        self._first = first
        self._pause = pause
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.callers = 0
        self.hung_up = threading.Semaphore(0)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                self.callers += 1
                self._start(self._keep, line)

    def _keep(self, line: socket.socket) -> None:
        with line:
            line.settimeout(0.02)
            try:
                line.sendall(self._first)
                while not self._ended.wait(self._pause or 0.05):
                    if self._pause:
                        line.sendall(b"x")
                    with suppress(TimeoutError):
                        if not line.recv(65536):
                            break
            except OSError:
                pass
            self.hung_up.release()
