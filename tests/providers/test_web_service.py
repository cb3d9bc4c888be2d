"""A JSON service is asked once, with one deadline and a named error."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lab.answering import Raw, answering, page, took

from deploytasks import redaction
from deploytasks.errors import Unreachable, UsageError
from deploytasks.providers import web_service
from deploytasks.providers.web_service import Refused, WebService
from deploytasks.settings.web_access import WebAccess

OK = page(200, "[]", "application/json").pieces[0]


def service(url: str, root: Path = Path(), **access: Any) -> WebService:
    return WebService("It", url, WebAccess.model_validate({"within": 0.4, **access}), root)


def ask(of: WebService, seconds: float = 0.4) -> Any:
    return of.get("/path", [("q", 'a"b&c')], time.monotonic() + seconds)[0]


def test_json_comes_back_with_its_headers() -> None:
    """The path below the base URL, the query encoded, the headers in lower case."""
    with answering(lambda asked: asked.query["q"]) as lab:
        found, headers = service(f"{lab.url}/base").get("/path", [("q", 'a"b&c')], time.monotonic() + 5)
    assert ['a"b&c'] == found
    assert "/base/path" == lab.asked[0].path
    assert "application/json" == headers["content-type"]


@pytest.mark.parametrize(
    "raw",
    [
        Raw(hang=True),
        Raw(*(bytes([each]) for each in OK), every=0.2),
        Raw(b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 50, every=0.1),
        Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", *[b"x"] * 100, every=0.1),
        Raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b" "] * 100, every=0.1),
    ],
    ids=["hangs", "drips", "drips headers", "drips a body", "drips without an end"],
)
def test_one_deadline_holds_for_the_whole_answer(raw: Raw) -> None:
    """However small the pieces that arrive: it ends in time, and says so."""
    with answering(lambda _: raw) as lab:
        of = service(lab.url)

        def refused() -> None:
            with pytest.raises(Unreachable, match=r"no whole answer within 0\.4 s"):
                ask(of)

        assert took(refused) < 1.5


def test_time_that_has_passed_already_is_no_time() -> None:
    """Nothing is asked after the deadline."""
    with answering(lambda _: []) as lab:
        with pytest.raises(Unreachable, match="no whole answer"):
            ask(service(lab.url), seconds=-1)
        assert [] == lab.asked


def test_nobody_listens() -> None:
    """A refused connection names the URL."""
    with pytest.raises(Unreachable, match=r"It at http://127\.0\.0\.1:9: .*refused"):
        ask(service("http://127.0.0.1:9"))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            page(422, '{"status":"error","errorType":"execution","error":"bad"}', "application/json"),
            "422.*execution: bad",
        ),
        (page(400, '"bad matcher format"', "application/json"), "400 Said: bad matcher format"),
        (page(503, "Service Unavailable\n"), "503 Said: Service Unavailable"),
        (page(502, "<html><h1>Bad", "text/html"), "502 Said\n"),
        (page(301, "", Location="https://there/"), "301 Said: it leads to https://there/"),
        (page(401, ""), "401 Said"),
    ],
    ids=["422", "400", "503", "html", "redirect", "401"],
)
def test_a_refusal_says_what_the_service_says(raw: Raw, said: str) -> None:
    """Status, and its own words; not a page of HTML."""
    with answering(lambda _: raw) as lab, pytest.raises(Refused, match=said) as raised:
        ask(service(lab.url))
    assert raised.value.do


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (page(200, "<html>log in", "text/html; charset=utf-8"), "with text/html, which is not JSON: '<html>log in'"),
        (page(200, '{"half": ', "application/json"), "which is not JSON"),
        (page(200, "[" * 100_000, "application/json"), "which is not JSON"),
        (Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n[]"), "IncompleteRead"),
        (Raw(b"SSH-2.0-OpenSSH\r\n\r\n"), "SSH-2.0"),
        (Raw(), "closed connection|reset"),
    ],
    ids=["html", "half", "deep", "cut off", "no HTTP", "nothing"],
)
def test_what_is_no_answer_is_said_so(raw: Raw, said: str) -> None:
    """Half an answer, another protocol, a log-in page: named, never understood as something."""
    with answering(lambda _: raw) as lab, pytest.raises(Unreachable, match=said):
        ask(service(lab.url))


def test_an_answer_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger is not kept in memory."""
    monkeypatch.setattr(web_service, "LARGEST", 1 << 20)
    with answering(lambda _: "x" * (2 << 20)) as lab, pytest.raises(Unreachable, match="larger than 1 MB"):
        ask(service(lab.url), seconds=5)


def test_a_bearer_token_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its variable's name; whatever that is called, its value is hidden from then on."""
    monkeypatch.setenv("ITS_WORD", "open-sesame")
    with answering(lambda _: []) as lab:
        ask(service(lab.url, token_from="ITS_WORD"))
    assert "Bearer open-sesame" == lab.asked[0].headers["authorization"]
    assert "say ***" == redaction.clean("say open-sesame")


def test_basic_authentication(monkeypatch: pytest.MonkeyPatch) -> None:
    """User and password as one word, which is hidden as well."""
    monkeypatch.setenv("ITS_WORD", "open-sesame")
    with answering(lambda _: []) as lab:
        ask(service(lab.url, user="ann", password_from="ITS_WORD"))
    assert "Basic YW5uOm9wZW4tc2VzYW1l" == lab.asked[0].headers["authorization"]
    assert "***" == redaction.clean("YW5uOm9wZW4tc2VzYW1l")


@pytest.mark.parametrize("secret", ["s3cr3t-first\nsecond-line", "s3cr3t-\u2026"])
def test_a_secret_that_no_header_takes_is_not_repeated(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    """A token of two lines is refused by the name of its variable: whoever sends it would quote it in the error."""
    monkeypatch.setenv("ITS_WORD", secret)
    with answering(lambda _: "never") as lab, pytest.raises(UsageError, match="ITS_WORD") as caught:
        ask(service(lab.url, token_from="ITS_WORD"))
    assert "s3cr3t" not in str(caught.value)
    assert [] == lab.asked


def test_a_secret_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named; nothing is asked without it."""
    monkeypatch.delenv("ITS_WORD", raising=False)
    with pytest.raises(UsageError, match="ITS_WORD is not set"):
        ask(service("http://127.0.0.1:9", token_from="ITS_WORD"))


@pytest.fixture
def authority(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that nobody knows but the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "it")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain = tmp_path / "it.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "it.key").write_bytes(private)
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, tmp_path / "it.key")
    return chain, context


def test_tls_is_verified(authority: tuple[Path, ssl.SSLContext]) -> None:
    """Whoever is not vouched for by the file of authorities is not talked to."""
    chain, context = authority
    with answering(lambda _: [1], context) as lab:
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            ask(service(lab.url), seconds=5)
        assert [1] == ask(service(lab.url, chain.parent, verify="it.pem"), seconds=5)


def test_tls_that_drips_ends_in_time_as_well(authority: tuple[Path, ssl.SSLContext]) -> None:
    """The deadline holds inside of TLS."""
    chain, context = authority
    raw = Raw(*(bytes([each]) for each in OK), every=0.2)
    with answering(lambda _: raw, context) as lab, pytest.raises(Unreachable, match="no whole answer"):
        ask(service(lab.url, chain.parent, verify="it.pem"), seconds=1)


def test_authorities_that_cannot_be_read(tmp_path: Path) -> None:
    """The file is named."""
    with pytest.raises(UsageError, match=r"authorities in no\.pem cannot be read"):
        ask(service("https://127.0.0.1:9", tmp_path, verify="no.pem"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"token_from": "s3cr3t-t0ken"}, "name of an environment variable"),
        ({"user": "ann"}, "belong together"),
        ({"user": "ann", "password_from": "A", "token_from": "B"}, "not both"),
    ],
)
def test_wrong_access_is_refused_without_repeating_a_secret(given: dict[str, str], said: str) -> None:
    """Who writes the secret itself does not find it in the message."""
    from deploytasks.settings.mistakes import check

    mistakes: list[str] = []
    assert check(WebAccess, given, "it", mistakes) is None
    assert said in "; ".join(mistakes)
    assert "s3cr3t" not in "; ".join(mistakes)
