"""An application that starts at once, for journeys about everything but the application.

    python small.py HOST:PORT

Nothing but the standard library, so that it can be a release by itself. While ``/srv/hold-<color>`` is there, its
health page waits.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COLOR = os.environ.get("COLOR", "")
APPLIED: Counter[str] = Counter()


class Application(BaseHTTPRequestHandler):
    """The sample application's manners, without its weight."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 75

    def do_GET(self) -> None:
        """A greeting; at ``/api/loans/duplicates/`` how many POSTs came more than once."""
        if self.path == "/health":
            while Path(f"/srv/hold-{COLOR}").exists():
                time.sleep(0.05)
        twice = sum(times > 1 for times in APPLIED.values())
        self._answer({"duplicates": twice} if self.path.endswith("/duplicates/") else {"status": "ok"})

    def do_POST(self) -> None:
        """Apply once more."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        APPLIED[body["id"]] += 1
        self._answer({"id": body["id"]}, 201)

    def _answer(self, content: object, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("X-Color", COLOR)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer):
    """One color on one host."""

    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    at, _, port = sys.argv[1].rpartition(":")
    Server((at, int(port)), Application).serve_forever()
