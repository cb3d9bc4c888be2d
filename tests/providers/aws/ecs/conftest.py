"""The lab with a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.aws import Cloud
from lab.aws.ecs import Containers
from lab.aws.ecs_place import Place
from lab.aws.elbv2 import ElasticLoadBalancing
from lab.aws.images import Registry
from lab.aws.logs import Logs
from lab.aws.scaling import Scaling


@pytest.fixture(scope="session")
def page() -> Iterator[str]:
    """A page that always answers 200: what stands behind a test listener."""
    import http.server
    import threading

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def place(tmp_path: Path, page: str) -> Iterator[Place]:
    registry, logs, balancer = Registry(), Logs(), ElasticLoadBalancing()
    services = (Containers(registry, logs, balancer), registry, logs, balancer, Scaling())
    with Cloud(*services) as cloud:
        yield Place(cloud, tmp_path, page)
