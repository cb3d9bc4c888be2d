"""Visitors ask at their pace, and count what they do not get."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploytasks.visitors import Seen, Visitors


class Page(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(type(self).status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    """A page that is there."""
    Page.status = 200
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


def until(visitors: Visitors, sent: int) -> Seen:
    deadline = time.monotonic() + 10
    while visitors.seen.sent < sent:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return visitors.seen


def test_good_answers_are_counted(url: str) -> None:
    """And nothing more is asked once it is over; not more often than it was said."""
    began = time.monotonic()
    with Visitors(url, 50) as visitors:
        until(visitors, 10)
    seen, took = visitors.seen, time.monotonic() - began
    assert 0 == seen.lost
    assert seen.sent <= 50 * took + 4
    assert seen == visitors.seen


def test_what_is_not_served_is_lost(url: str) -> None:
    """A 503 and a refused connection; and why. What was lost before is not told of what came after."""
    Page.status = 503
    with Visitors(url, 100) as visitors:
        before = until(visitors, 4)
        Page.status = 200
        until(visitors, before.sent + 8)
        time.sleep(0)
    assert before.lost
    assert "503" in before.why
    assert Seen(3, 0, "") == Seen(7, 2, "503").since(Seen(4, 2, "503"))
    with Visitors("http://127.0.0.1:9/", 100) as visitors:
        assert until(visitors, 2).lost
