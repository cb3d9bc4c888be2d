"""Every call of AWS ends, whatever the other side does."""

from __future__ import annotations

import ssl
from pathlib import Path
from types import SimpleNamespace

import pytest
from lab.aws import Cloud
from lab.aws.slow import Slow
from lab.aws.standing import site_in
from lab.aws.sts import Sts
from lab.certificates import certificate

from deploytasks.errors import Unreachable
from deploytasks.providers.aws.session import client, translated
from deploytasks.providers.site import Site
from deploytasks.settings.aws import AwsAccess

_WITHIN = 0.15
"""Seconds for an attempt: less than the settings take."""


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that botocore would have waited between its attempts."""
    found: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=found.append))
    return found


def _site(url: str, root: Path) -> Site:
    return Site("shop", "production", root, root, None, "ann@laptop", {"aws": _access(url, _WITHIN)})


def _access(url: str, within: float) -> AwsAccess:
    return AwsAccess.model_construct(region="eu-central-1", endpoint=url, answer_within=within)


def _ask(site: Site) -> str:
    with translated("see who deploys"):
        return str(client("sts", site).get_caller_identity()["Arn"])


@pytest.mark.parametrize(
    ("first", "pause"),
    [
        (b"", 0.0),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", 0.1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n", 0.0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n", 0.1),
    ],
    ids=["nothing", "a head in drops", "a head alone", "a body in drops"],
)
def test_who_is_slow_is_hung_up_on(tmp_path: Path, first: bytes, pause: float) -> None:
    """Three attempts are made, each ends in time, and none of their connections stays open."""
    with Slow(first, pause) as slow:
        with pytest.raises(Unreachable, match="AWS could not be asked to see who deploys: Read timeout") as found:
            _ask(_site(slow.url, tmp_path))
        assert found.value.exit_code == 7
        assert slow.callers == 3
        assert all(slow.hung_up.acquire(timeout=20) for _ in range(3))


def test_a_stream_ends_in_time_too(tmp_path: Path) -> None:
    """What S3 streams is read within the time of the attempt."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n"
    with Slow(head) as slow, pytest.raises(Unreachable, match="timeout"), translated("read the ledger"):
        client("s3", _site(slow.url, tmp_path)).get_object(Bucket="ledger", Key="head")["Body"].read()


def test_a_stream_is_read_whole(tmp_path: Path) -> None:
    """The body of an answer that was streamed is what the server sent."""
    with Slow(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\none\ntwo\n", 0.0) as slow:
        answer = client("s3", _site(slow.url, tmp_path)).get_object(Bucket="ledger", Key="head")
    assert answer["Body"].read() == b"one\ntwo\n"


def test_a_large_body_may_take_longer() -> None:
    """Who sends 16 MB is given the time that they take on a slow line."""
    from deploytasks.providers.aws.line import _SLOWEST, _length

    assert _length({"Content-Length": "16000000"}) / _SLOWEST == 160
    assert _length({"Content-Length": "odd"}) == _length({}) == 0


def test_nobody_there(tmp_path: Path) -> None:
    """An address at which nobody listens is told in the end, after three attempts."""
    with Slow(b"") as slow:
        pass
    with pytest.raises(Unreachable, match="Could not connect to the endpoint URL"):
        _ask(_site(slow.url, tmp_path))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("Throttling", 400), ("ThrottlingException", 400), ("RequestLimitExceeded", 503),
        ("TooManyRequestsException", 429), ("SlowDown", 503), ("InternalFailure", 500), ("ServiceUnavailable", 503),
    ],
)  # fmt: skip
def test_busy(tmp_path: Path, pauses: list[float], code: str, status: int) -> None:
    """Throttling and trouble of AWS's own are overcome by the third attempt, after pauses that grow. When they are not,
    there is no fourth, and people are told to wait."""
    with Cloud(Sts()) as cloud:
        site = site_in(cloud, tmp_path)
        cloud.fail("sts", "GetCallerIdentity", code, status=status, times=2)
        assert _ask(site).endswith("user/ann")
        assert (len(cloud.operations()), len(pauses)) == (3, 2)
        cloud.fail("sts", "GetCallerIdentity", code, status=status, times=3)
        with pytest.raises(Unreachable, match=f"AWS did not see who deploys: {code}") as found:
            _ask(site)
        assert (len(cloud.operations()), len(pauses)) == (6, 4)
        assert "run it again in a" in found.value.do


def test_an_answer_that_is_lost(tmp_path: Path) -> None:
    """A connection that breaks is no end: the next attempt is answered."""
    with Cloud(Sts()) as cloud:
        cloud.drop("sts", "GetCallerIdentity")
        cloud.drop_answer("sts", "GetCallerIdentity")
        assert _ask(site_in(cloud, tmp_path)).endswith("user/ann")
        assert cloud.operations() == ["GetCallerIdentity"] * 3


def test_by_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that the environment names is used, but for the hosts that it does not lead to."""
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Cloud(Sts()) as cloud:
        monkeypatch.setenv("HTTP_PROXY", cloud.url)
        assert _ask(_site("http://aws.invalid", tmp_path)).endswith("user/ann")
        monkeypatch.setenv("NO_PROXY", "sts.invalid")
        with pytest.raises(Unreachable, match="Could not connect"):
            _ask(_site("http://sts.invalid", tmp_path))


def test_a_proxy_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice names the variable."""
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Slow(b"") as slow:
        pass
    monkeypatch.setenv("HTTPS_PROXY", slow.url)
    with pytest.raises(Unreachable, match="proxy") as found:
        _ask(_site("https://aws.invalid", tmp_path))
    assert "HTTPS_PROXY" in found.value.do


def test_certificates_are_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is vouched for by nobody is not talked to, and told apart from who is silent; AWS_CA_BUNDLE vouches."""
    made = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain, made.key)
    with Cloud(Sts()) as cloud:
        server = cloud._server
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        address = cloud.url.replace("http:", "https:")
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED") as found:
            _ask(site_in(cloud, tmp_path)._replace(sections={"aws": _access(address, 5.0)}))
        assert "AWS_CA_BUNDLE" in found.value.do
        monkeypatch.setenv("AWS_CA_BUNDLE", str(made.chain))
        site = site_in(cloud, tmp_path)._replace(sections={"aws": _access(address, 5.5)})
        assert _ask(site).endswith("user/ann")
