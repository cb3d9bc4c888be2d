"""The server: it takes requests for all services, answers with ours, and leaves the others to moto."""

from __future__ import annotations

import io
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import unquote, urlsplit

from botocore import xform_name

from . import wire
from .service import REGION, AwsError, Service

MOTO = threading.Lock()
"""Moto's own state is not guarded: one request at a time makes it as atomic as AWS is."""

_PORTS: set[int] = set()
"""Where this process had clouds: none comes twice, for clients are kept by their address, credentials and all."""


class Seen(NamedTuple):
    """An operation that somebody asked for, by one of our services or by moto."""

    service: str
    operation: str
    params: dict[str, Any]
    access_key: str


class Fault(NamedTuple):
    """What befalls the next ``times`` calls of an operation, instead of it or before it."""

    service: str
    operation: str
    act: Callable[[], None]


class Dropped(Exception):
    """The connection is closed without an answer."""


class Cloud:
    """``with Cloud(ElasticLoadBalancing(), …) as cloud:`` — ``cloud.url`` is the endpoint of every service.

    ``with_moto``: what has no service of ours is answered by moto, atomically; its state is new for each cloud, and
    one process has one such cloud at a time.
    """

    def __init__(self, *services: Service, with_moto: bool = False) -> None:
        self.services = {service.name: service for service in services}
        self.seen: list[Seen] = []
        self.refused_keys: dict[str, str] = {}
        """Access key → the code with which all of its requests are refused: ``ExpiredToken``."""
        self.requests = 0
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._moto = _moto() if with_moto else None
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.region = REGION
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for service in self.services.values():
            service.close()
        self._server.shutdown()
        self._server.end()
        self._thread.join()

    def __getitem__(self, name: str) -> Any:
        """One of our services."""
        return self.services[name]

    # -- faults --------------------------------------------------------------

    def fail(
        self, service: str, operation: str, code: str, *, status: int = 400, times: int = 1, why: str = ""
    ) -> None:
        """The next calls are refused, and nothing is done: ``fail("elbv2", "ModifyListener", "Throttling")``."""

        def act() -> None:
            raise AwsError(code, why or f"the lab refuses {operation}", status)

        self._add(service, operation, act, times)

    def drop(self, service: str, operation: str, *, times: int = 1) -> None:
        """The next calls are hung up on, before anything is done."""

        def act() -> None:
            raise Dropped

        self._add(service, operation, act, times)

    def drop_answer(self, service: str, operation: str, *, times: int = 1) -> None:
        """The next calls are carried out, and their answer is lost."""
        self._add(service, operation, _after(Dropped), times)

    def delay(self, service: str, operation: str, seconds: float, *, times: int = 1) -> None:
        """The next calls take a while longer."""
        self._add(service, operation, lambda: time.sleep(seconds), times)

    def before(self, service: str, operation: str, act: Callable[[], None], *, times: int = 1) -> None:
        """Something happens right before the next calls are carried out: another writer is faster."""
        self._add(service, operation, act, times)

    def forget(self) -> None:
        """What was asked for, and what is still to befall, is over: for the next test."""
        with self._lock:
            self._faults.clear()
            self.seen.clear()

    def operations(self, service: str = "") -> list[str]:
        """What was asked for, in order."""
        return [seen.operation for seen in self.seen if not service or seen.service == service]

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """The operations that are asked for while the body runs, once it has ended."""
        before, found = len(self.seen), []
        yield found
        found.extend(seen.operation for seen in self.seen[before:])

    def _add(self, service: str, operation: str, act: Callable[[], None], times: int) -> None:
        with self._lock:
            self._faults.extend([Fault(service, operation, act)] * times)

    def _fault(self, service: str, operation: str) -> Callable[[], None] | None:
        with self._lock:
            for at, fault in enumerate(self._faults):
                if fault.service == service and fault.operation in (operation, "*"):
                    return self._faults.pop(at).act
        return None

    # -- answering -----------------------------------------------------------

    def answer(self, request: wire.Request) -> tuple[int, dict[str, str], bytes]:
        """Carry out a request."""
        with self._lock:
            self.requests += 1
        key, region, signer = request.signer
        name = next((name for name in self.services if wire.signing_name(name) == signer), "")
        if key in self.refused_keys:
            protocol = str(wire.model_of(name or signer).protocol)
            return wire.refused(None, protocol, AwsError(self.refused_keys[key], "the lab refuses this key", 403))
        if name:
            return self._answered(self.services[name], request, key, region)
        if self._moto is None:
            raise AssertionError(
                f"nobody answers for {signer or 'what is not signed'}: {request.method} {request.path}"
            )
        return self._by_moto(request, signer, key)

    def _answered(
        self, service: Service, request: wire.Request, key: str, region: str
    ) -> tuple[int, dict[str, str], bytes]:
        operation, protocol = None, str(wire.model_of(service.name).protocol)
        try:
            operation, params, protocol = wire.understood(service.name, request)
            self.seen.append(Seen(service.name, str(operation.name), params, key))
            late = self._befallen(service.name, str(operation.name))
            work = getattr(service, xform_name(str(operation.name)), None)
            if work is None:
                raise AssertionError(f"the lab's {service.name} cannot {operation.name}")
            with service.lock:
                service.asking = key
                service.admit(str(operation.name), params, key, region)
                result = work(params)
            answer = wire.answered(operation, protocol, result)
        except AwsError as error:
            return wire.refused(operation, protocol, error)
        if late is not None:
            late()
        return answer

    def _befallen(self, service: str, operation: str) -> Callable[[], None] | None:
        """Let what is due happen; what is due after the work is returned."""
        act = self._fault(service, operation)
        if act is None or getattr(act, "is_late", False):
            return act
        act()
        return None

    def _by_moto(self, request: wire.Request, signer: str, key: str) -> tuple[int, dict[str, str], bytes]:
        service = signer or "s3"
        operation = _guessed(service, request)
        self.seen.append(Seen(service, operation, {"path": request.path}, key))
        try:
            late = self._befallen(service, operation)
        except AwsError as error:
            return wire.refused(None, str(wire.model_of(service).protocol), error)
        with MOTO:
            answer = _asked(self._moto, request)
        if late is not None:
            late()
        return answer


def _after(kind: type[Exception]) -> Callable[[], None]:
    def act() -> None:
        raise kind

    act.is_late = True  # type: ignore[attr-defined]
    return act


def _guessed(service: str, request: wire.Request) -> str:
    """The operation, as far as a request for moto shows it: S3's by method and path, others' by their names."""
    if service == "s3":
        from urllib.parse import parse_qs

        url = urlsplit(request.path)
        asked = parse_qs(url.query, keep_blank_values=True)
        has_key = bool(unquote(url.path).strip("/").partition("/")[2])
        if not has_key:
            sub = next(
                (word for word in ("object-lock", "versioning", "location", "policy", "encryption") if word in asked),
                "",
            )
            if sub:
                return f"{request.method.title()}Bucket:{sub}"
            if "versions" in asked:
                return "ListObjectVersions"
            return {"GET": "ListObjectsV2", "PUT": "CreateBucket", "HEAD": "HeadBucket"}.get(
                request.method, request.method
            )
        sub = next((f":{word}" for word in ("retention", "legal-hold", "tagging", "uploads") if word in asked), "")
        return f"{request.method.title()}Object{sub}"
    try:
        return str(wire.understood(service, request)[0].name)
    except Exception:  # noqa: BLE001  moto says what is wrong with it
        return request.headers.get("x-amz-target", request.path).rpartition(".")[2]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        while self.server_address[1] in _PORTS:
            self._another_port()
        _PORTS.add(self.server_address[1])
        self.cloud = cloud
        self._open: set[socket.socket] = set()

    def _another_port(self) -> None:
        before = self.socket
        self.socket = socket.socket(self.address_family, self.socket_type)
        self.server_address = ("127.0.0.1", 0)
        self.server_bind()  # before the other one is given back: it would come again
        self.server_activate()
        before.close()

    def end(self) -> None:
        """Hang up on clients that keep their connections."""
        for one in list(self._open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            status, named, content = self.server.cloud.answer(wire.Request(self.command, self.path, headers, body))
        except Dropped:
            self.close_connection = True
            return
        except Exception as error:  # noqa: BLE001  a mistake in a test's server must be seen by the test
            import traceback

            traceback.print_exc()
            status, named, content = (
                400,
                {},
                f"<Error><Code>LabMistake</Code><Message>{error}</Message></Error>".encode(),
            )
        self.send_response(status)
        for name, value in named.items():
            if name.lower() not in {"content-length", "connection", "date", "server", "transfer-encoding"}:
                self.send_header(name, value)
        length = named.get("content-length") or named.get("Content-Length") if self.command == "HEAD" else None
        self.send_header("content-length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("expect", "").lower() == "100-continue":
            pass  # answered by the base class
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        pieces = io.BytesIO()
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            pieces.write(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return pieces.getvalue()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


def _moto() -> Any:
    """Moto's application, with nothing in it."""
    from moto.core.models import patch_client  # noqa: F401  it must be imported before its backends are
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    application = DomainDispatcherApplication(create_backend_app)
    _asked(application, wire.Request("POST", "/moto-api/reset", {"host": "moto.lab"}, b""))
    return application


def _asked(application: Any, request: wire.Request) -> tuple[int, dict[str, str], bytes]:
    from werkzeug.test import EnvironBuilder, run_wsgi_app

    headers = {name: value for name, value in request.headers.items() if name != "transfer-encoding"}
    builder = EnvironBuilder(
        request.path.partition("?")[0],
        method=request.method,
        query_string=request.path.partition("?")[2],
        headers=headers,
        data=request.body,
    )
    environ = builder.get_environ()
    environ["CONTENT_LENGTH"] = str(len(request.body))
    body, status, named = run_wsgi_app(application, environ, buffered=True)
    content = b"".join(body)
    return int(status.partition(" ")[0]), dict(named.items()), content
