"""A service on the internet is asked through the environment's proxy, in time, and without telling anybody a secret."""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lab.answering import Asked, Raw, answering, page, took
from lab.certificates import certificate

from deploytasks import redaction
from deploytasks.errors import Unreachable, UsageError
from deploytasks.providers import saas
from deploytasks.providers.saas import Busy, Saas
from deploytasks.providers.site import Site
from deploytasks.providers.web_service import Answer, Refused
from deploytasks.settings.saas_access import SaasAccess

OK = page(200, "[]", "application/json").pieces[0]
PATH = "/services/T0/B0/s3cr3t-path"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy but what a test says."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def service(url: str, root: Path = Path(), *, waits: list[float] | None = None, **access: Any) -> Saas:
    site = Site("library", "production", root, root, None, "ann@desk")
    settings = SaasAccess.model_validate({"within": 0.5, **access})
    return Saas("It", url, settings, site, wait=(waits if waits is not None else []).append)


def ask(of: Saas, seconds: float = 5, path: str = PATH, **more: Any) -> Any:
    return of.asked("GET", path, time.monotonic() + seconds, **more)


def refused(of: Saas, seconds: float = 5, **more: Any) -> str:
    """What is said, and nothing of it is secret."""
    with pytest.raises(Unreachable) as caught:
        ask(of, seconds, **more)
    said = str(caught.value)
    assert "s3cr3t" not in said
    assert of.url in said
    return said


# -- proxies -------------------------------------------------------------------------------------------------------


@dataclass
class Proxy:
    """``asked``: the first lines of what came; ``heads``: all of their headers."""

    url: str
    asked: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)


@contextmanager
def proxying(refuses: str = "") -> Iterator[Proxy]:
    """A proxy on loopback: it tunnels what ``CONNECT`` asks for, and passes on whole addresses. ``refuses``: the status
    line with which it answers instead."""
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=_carry, args=(client, proxy, refuses), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield proxy
    finally:
        listener.close()


def _carry(client: socket.socket, proxy: Proxy, refuses: str) -> None:
    with suppress(OSError), client:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(1 << 16)
        lines = head.decode().split("\r\n")
        proxy.asked.append(lines[0])
        proxy.heads.append(head.decode())
        if refuses:
            client.sendall(f"HTTP/1.1 {refuses}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        method, target, _ = lines[0].split(" ")
        host, _, port = target.removeprefix("http://").partition("/")[0].rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as server:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = "/" + target.removeprefix("http://").partition("/")[2]
                server.sendall(head.replace(target.encode(), path.encode(), 1))
            there = threading.Thread(target=_pour, args=(client, server), daemon=True)
            there.start()
            _pour(server, client)


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(1 << 16):
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def test_tls_goes_through_a_tunnel_of_the_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy learns the host, and neither path nor token."""
    with answering(lambda asked: asked.path, trusted(tmp_path)) as lab, proxying() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert ask(service(lab.url, tmp_path, verify="it.crt", within=5)) == PATH
        assert [f"CONNECT {lab.url.removeprefix('https://')}"] == [each.rpartition(" ")[0] for each in proxy.asked]
        assert "s3cr3t" not in "".join(proxy.heads)


def test_plain_http_goes_through_its_own_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """``HTTP_PROXY``, with the whole address; not the one for TLS."""
    with answering(lambda asked: asked.path) as lab, proxying() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        assert ask(service(lab.url, within=5)) == PATH
        assert [f"GET {lab.url}{PATH} HTTP/1.1"] == proxy.asked


def test_what_no_proxy_names_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """``NO_PROXY``: what stands in the same network."""
    with answering(lambda asked: asked.path) as lab, proxying() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "example.com,127.0.0.1")
        assert ask(service(lab.url, within=5)) == PATH
        assert [] == proxy.asked


def test_a_proxy_that_refuses_is_named_as_the_culprit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own password stays unsaid."""
    with answering(lambda _: [], trusted(tmp_path)) as lab, proxying("407 Proxy Authentication Required") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//ann:s3cr3t-word@"))
        said = refused(service(lab.url, tmp_path, verify="it.crt", within=5))
        assert "proxy" in said
        assert "407" in said
        assert [] == lab.asked


def test_a_proxy_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who mends it must look at the proxy, and not at the service."""
    with answering(lambda _: [], trusted(tmp_path)) as lab:
        monkeypatch.setenv("HTTPS_PROXY", "http://ann:s3cr3t@127.0.0.1:9")
        said = refused(service(lab.url, tmp_path, verify="it.crt", within=5))
    assert "proxy" in said
    assert "refused" in said


# -- whom we tell what ---------------------------------------------------------------------------------------------


def test_no_netrc_speaks_in_our_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither instead of our token, nor where we have none."""
    (tmp_path / "netrc").write_text("default login ann password s3cr3t\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with answering(lambda _: []) as lab:
        ask(service(lab.url))
        assert "authorization" not in lab.asked[0].headers


def test_the_token_goes_along_and_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made when it is needed, from the variable that is named."""
    monkeypatch.setenv("ITS_WORD", "open-sesame")
    site = Site("library", "production", Path(), Path(), None, "ann@desk")
    with answering(lambda _: []) as lab:
        access = SaasAccess(within=5)
        of = Saas("It", lab.url, access, site, lambda it: {"Authorization": f"Bearer {it.secret('ITS_WORD')}"})
        ask(of)
    assert "Bearer open-sesame" == lab.asked[0].headers["authorization"]
    assert "say ***" == redaction.clean("say open-sesame")


def test_no_redirect_is_followed() -> None:
    """A token would travel along; and of the address only its host is told."""
    with answering(lambda _: []) as other:
        location = f"{other.url}{PATH}?key=s3cr3t"
        with answering(lambda _: page(307, "", Location=location)) as lab:
            said = refused(service(lab.url), headers={"Authorization": "Bearer s3cr3t"})
        assert f"it leads to {other.url}\n" in said
        assert [] == other.asked


def test_a_body_goes_as_json() -> None:
    """With its type."""
    with answering(lambda _: {}) as lab:
        service(lab.url).asked("POST", "/it", time.monotonic() + 5, json={"a": "ü"})
    assert (b'{"a": "\\u00fc"}', "application/json") == (lab.asked[0].body, lab.asked[0].headers["content-type"])


# -- time ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        Raw(hang=True),
        Raw(*(bytes([each]) for each in OK), every=0.2),
        Raw(b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 50, every=0.1),
        Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", *[b"x"] * 100, every=0.1),
        Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n"] * 100, every=0.1),
    ],
    ids=["silence", "drips", "drips headers", "drips a body", "drips chunks"],
)
def test_one_deadline_holds_for_the_whole_exchange(raw: Raw) -> None:
    """However small the pieces."""
    with answering(lambda _: raw) as lab:
        assert took(lambda: refused(service(lab.url), 0.4)) < 1.5


def test_a_body_that_drips_is_hung_up_on() -> None:
    """No thread stays behind for as long as the server likes."""
    raw = Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", *[b"x"] * 400, every=0.05)
    with answering(lambda _: raw) as lab:
        of = service(lab.url)
        of.name = "Dripping"
        refused(of, 0.3)
        for thread in [each for each in threading.enumerate() if each.name == "ask Dripping"]:
            thread.join(3)
            assert not thread.is_alive()


def test_a_huge_body_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither as it is, nor as a small one that unpacks to it."""
    monkeypatch.setattr(saas, "LARGEST", 1 << 20)
    packed = gzip.compress(b"0" * (64 << 20))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    with answering(lambda asked: Raw(head + packed) if asked.path == "/packed" else "x" * (2 << 20)) as lab:
        assert "larger than 1 MB" in refused(service(lab.url))
        assert "larger than 1 MB" in refused(service(lab.url), path="/packed")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n[]"), "IncompleteRead|broken"),
        (Raw(b"SSH-2.0-OpenSSH\r\n\r\n"), "BadStatusLine|Protocol"),
        (Raw(), "RemoteDisconnected|reset|ECONN|closed"),
        (page(200, "<html>log in", "text/html"), "text/html, which is not JSON"),
        (page(200, "{", "application/json"), "not JSON"),
    ],
    ids=["cut off", "no HTTP", "nothing", "html", "half"],
)
def test_what_is_no_answer_is_said_so(raw: Raw, said: str) -> None:
    """Half an answer, another protocol, a log-in page."""
    with answering(lambda _: raw) as lab:
        assert re.search(said, refused(service(lab.url)))


def test_nobody_listens() -> None:
    """The path is a secret with some services: it stays unsaid."""
    assert "refused" in refused(service("http://127.0.0.1:9"))


# -- certificates --------------------------------------------------------------------------------------------------


def trusted(folder: Path, hours: float = 1) -> ssl.SSLContext:
    made = certificate(folder, hours=hours)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain, made.key)
    return context


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    """It is not talked to; named in the file of authorities, it is."""
    with answering(lambda _: [1], trusted(tmp_path)) as lab:
        assert "CERTIFICATE_VERIFY_FAILED" in refused(service(lab.url, within=5))
        assert [] == lab.asked
        assert [1] == ask(service(lab.url, tmp_path, verify="it.crt", within=5))


def test_the_authorities_of_the_settings_go_before_those_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``REQUESTS_CA_BUNDLE`` does not widen, or narrow, what was configured."""
    other = certificate(tmp_path, "other")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.chain))
    with answering(lambda _: [1], trusted(tmp_path)) as lab:
        assert [1] == ask(service(lab.url, tmp_path, verify="it.crt", within=5))


def test_a_certificate_that_has_expired(tmp_path: Path) -> None:
    """Also one that is vouched for."""
    with answering(lambda _: [1], trusted(tmp_path, hours=-1)) as lab:
        said = refused(service(lab.url, tmp_path, verify="it.crt", within=5))
    assert "expired" in said


def test_authorities_that_cannot_be_read(tmp_path: Path) -> None:
    """The file is named: it is no fault of the service."""
    with pytest.raises(UsageError, match=r"authorities in no\.pem cannot be read"):
        ask(service("https://127.0.0.1:9", tmp_path, verify="no.pem"))


# -- asking again --------------------------------------------------------------------------------------------------


def after(answer: Answer | None, attempt: int) -> float | None:
    """As a service with ``Retry-After`` wants it; silence is asked again once."""
    if answer is None:
        return 0.05 if attempt == 1 else None
    return float(answer.headers["retry-after"]) if answer.status == 429 else None


def test_it_is_asked_again_when_the_service_says() -> None:
    """So many seconds later, with the same words."""
    answers = iter([page(429, "", Retry_After="0.25"), [7]])
    waits: list[float] = []
    with answering(lambda _: next(answers)) as lab:
        assert [7] == ask(service(lab.url, waits=waits), again=after)
    assert [0.25] == waits
    assert [PATH, PATH] == [each.path for each in lab.asked]


def test_silence_may_be_asked_again() -> None:
    """As often as the rule says; then it is silence."""
    waits: list[float] = []
    assert "refused" in refused(service("http://127.0.0.1:9", waits=waits), again=after)
    assert [0.05] == waits


def test_who_must_wait_longer_than_there_is_time_hears_when() -> None:
    """Nothing is waited for then."""
    waits: list[float] = []
    busy = page(429, '{"message": "slow down"}', "application/json", Retry_After="900")
    with answering(lambda _: busy) as lab, pytest.raises(Busy, match=r"left alone \(429: slow down\)") as caught:
        ask(service(lab.url, waits=waits), again=after)
    assert "try again after " in caught.value.do
    assert [] == waits


def test_another_status_is_refused_with_its_words() -> None:
    """Without any of the address's path."""
    with answering(lambda _: page(403, '{"message": "no"}', "application/json")) as lab:
        with pytest.raises(Refused, match="403 Said: no"):
            ask(service(lab.url))
        assert 403 == service(lab.url).ask("GET", PATH, time.monotonic() + 5).status


def test_a_header_that_cannot_be_sent_is_not_repeated() -> None:
    """Whoever builds it wrongly does not read its value."""

    def say(_: Asked) -> Any:
        return []

    with answering(say) as lab:
        refused(service(lab.url), headers={"X-Key": "s3cr3t\r\nX: y"})
