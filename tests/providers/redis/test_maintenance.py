"""The maintenance flag in a real Redis: written and read back, and never taken for absent when nobody can tell."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lab.certificates import certificate
from lab.redis import Server, free_port, redis

from deploytasks import redaction
from deploytasks.errors import Unreachable, UsageError
from deploytasks.ports import Notice
from deploytasks.providers import open_provider
from deploytasks.providers.redis.maintenance import Maintenance
from deploytasks.providers.site import Site
from deploytasks.settings.redis import MaintenanceSettings

NOTICE = Notice("We move house: „bald zurück“.", 600, datetime(2026, 11, 23, 10, 15, tzinfo=UTC), "ann@desk")
HOST = "127.0.0.1"
KEY = "maintenance:library:production"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One Redis for these tests; it asks for user and password."""
    with redis(tmp_path_factory.mktemp("redis"), secured=True) as server:
        yield server


@pytest.fixture(autouse=True)
def _nothing_there(server: Server) -> None:
    with server.client() as client:
        client.flushall()


def site(root: Path) -> Site:
    return Site("library", "production", root, root / ".deploy", None, "ann@desk")


@pytest.fixture
def opened(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Maintenance]:
    """Open the flag, by default with the URL in a variable."""
    monkeypatch.setenv("THE_REDIS_URL", server.url)
    monkeypatch.setenv("THE_REDIS_PASSWORD", server.password)

    def open_flag(**settings: Any) -> Maintenance:
        given = settings if {"url", "url_from"} & settings.keys() else {"url_from": "THE_REDIS_URL", **settings}
        return Maintenance(MaintenanceSettings(**given), site(tmp_path))

    return open_flag


def test_closed_and_opened_again(opened: Callable[..., Maintenance], server: Server) -> None:
    """The notice is there as it was written, as JSON without an end of its own, and gone when the site opens."""
    flag = opened()
    assert flag.read() is None
    flag.write(NOTICE).perform(5)
    assert flag.read() == NOTICE
    with server.client() as client:
        assert json.loads(client.get(KEY) or b"") == {
            "message": NOTICE.message, "who": "ann@desk", "since": "2026-11-23T10:15:00+00:00", "retry_after": 600,
        }  # fmt: skip
        assert client.ttl(KEY) == -1
    flag.write(None).perform(5)
    assert flag.read() is None
    flag.write(None).perform(5)


def test_plan_shows_what_is_written_and_no_secret(opened: Callable[..., Maintenance], server: Server) -> None:
    """The text of a call names server, key and value; the password is nowhere."""
    shown = opened().write(NOTICE).text, opened().write(None).text
    assert shown[0].startswith(f"redis {server.address}/0: SET {KEY} {{")
    assert shown[1] == f"redis {server.address}/0: DEL {KEY}"
    assert server.password not in str(shown)


def test_user_and_password_beside_the_url(opened: Callable[..., Maintenance], server: Server) -> None:
    """A URL without a secret may stand in the file, with the password's variable beside it; and another key."""
    flag = opened(url=f"redis://{server.address}/1", user="deployer", password_from="THE_REDIS_PASSWORD", key="closed")
    flag.write(NOTICE).perform(5)
    assert flag.read() == NOTICE
    assert opened().read() is None


@pytest.mark.parametrize("value", [b"1", b"", b"[]", b"{", b"\xff", b'{"message": 7, "since": "soon"}', b'"closed"'])
def test_whatever_it_holds_it_closes(opened: Callable[..., Maintenance], server: Server, value: bytes) -> None:
    """A flag that somebody set by hand closes the site as well; who and since when is not known then."""
    with server.client() as client:
        client.set(KEY, value)
    notice = opened().read()
    assert notice is not None
    assert (notice.who, notice.since.year, notice.retry_after) == ("unknown", 1970, 0)


def test_dead_redis_is_not_an_open_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers: that is said, at reading and at writing, in time; and all is well when it is back."""
    with redis(tmp_path) as mortal:
        monkeypatch.setenv("THE_REDIS_URL", mortal.url)
        flag = Maintenance(MaintenanceSettings(url_from="THE_REDIS_URL", timeout=1), site(tmp_path))
        flag.write(NOTICE).perform(5)
        mortal.kill()
        for use in (flag.read, lambda: flag.write(None).perform(5)):
            with pytest.raises(Unreachable, match=f"redis {mortal.address}/0: ") as caught:
                use()
            assert ("inv doctor" in caught.value.do, caught.value.exit_code) == (True, 7)
        assert [finding.state for finding in flag.diagnose()] == ["fail"]
        mortal.start()
        assert flag.read() == NOTICE


def test_hanging_redis_is_given_up(tmp_path: Path) -> None:
    """A server that takes connections and says nothing costs the configured time, no more."""
    with redis(tmp_path) as hanging:
        flag = Maintenance(MaintenanceSettings(url=f"redis://{hanging.address}", timeout=0.3), site(tmp_path))
        os.kill(hanging.pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            with pytest.raises(Unreachable):
                flag.read()
        finally:
            os.kill(hanging.pid, signal.SIGCONT)
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("url", ["redis://{address}", "redis://{address}/0"])
def test_refused_log_in(opened: Callable[..., Maintenance], server: Server, url: str) -> None:
    """A missing or wrong password is said as that, and not shown."""
    told = {"url": url.format(address=server.address)}
    for more in ({}, {"user": "nobody", "password_from": "THE_REDIS_PASSWORD"}):
        with pytest.raises(Unreachable) as caught:
            opened(**told, **more).read()
        assert "password's variable" in caught.value.do
        assert server.password not in str(caught.value)


def test_password_is_redacted_from_now_on(opened: Callable[..., Maintenance], server: Server) -> None:
    """Once the URL was read, its password is shown nowhere, however it is spelled."""
    opened()
    assert redaction.clean(f"x {server.password} y") == "x *** y"


def test_a_password_among_the_options_of_a_url_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """redis-py takes it there, too; however short it is."""
    monkeypatch.setenv("THE_REDIS_URL", "redis://127.0.0.1:1/0?password=pw1")
    flag = Maintenance(MaintenanceSettings(url_from="THE_REDIS_URL"), site(tmp_path))
    assert flag.write(None).text.startswith("redis 127.0.0.1:1/0: DEL ")
    with pytest.raises(Unreachable) as caught:
        flag.read()
    assert "pw1" not in str(caught.value)


def test_mistakes_are_named_and_secrets_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is missing, or holds no address, is code 2; what it holds might be a password."""
    monkeypatch.delenv("NOT_SET", raising=False)
    with pytest.raises(UsageError, match="NOT_SET is not set"):
        Maintenance(MaintenanceSettings(url_from="NOT_SET"), site(tmp_path))
    monkeypatch.setenv("THE_REDIS_URL", "geheim42@host")
    with pytest.raises(UsageError, match="no address") as caught:
        Maintenance(MaintenanceSettings(url_from="THE_REDIS_URL"), site(tmp_path))
    assert "geheim42" not in str(caught.value)
    with pytest.raises(UsageError, match="rediss://"):
        Maintenance(MaintenanceSettings(url="redis://host/0", ca="ca.pem"), site(tmp_path))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "say where it is"),
        ({"url": "redis://a", "url_from": "A"}, "say where it is"),
        ({"url": "redis://user:secret@host/0"}, "pattern"),
        ({"url_from": "A", "password_from": "B"}, "leave out"),
    ],
)
def test_settings_say_where_once(given: dict[str, str], said: str) -> None:
    """One address, and no password in the file."""
    with pytest.raises(ValueError, match=said):
        MaintenanceSettings(**given)


def test_doctor_warns_of_a_redis_that_forgets(tmp_path: Path) -> None:
    """A cache that drops any key when it is full is no place for a flag; a replica takes no writes."""
    options = ("maxmemory 100mb", "maxmemory-policy allkeys-lru")
    with (
        redis(tmp_path, options=options) as cache,
        redis(tmp_path, options=[f"replicaof 127.0.0.1 {cache.port}"]) as copy,
    ):
        found = Maintenance(MaintenanceSettings(url=f"redis://{cache.address}"), site(tmp_path)).diagnose()
        assert [(finding.state, finding.subject) for finding in found] == [
            ("ok", "maintenance"),
            ("warn", "maintenance"),
        ]
        assert "allkeys-lru" in found[1].detail
        replica = Maintenance(MaintenanceSettings(url=f"redis://{copy.address}"), site(tmp_path))
        assert "replica" in replica.diagnose()[1].detail
        with pytest.raises(Unreachable, match="read only"):
            replica.write(NOTICE).perform(5)


def test_tls_proves_who_answers(tmp_path: Path) -> None:
    """With the right authority the flag is written over TLS; with another one nobody is talked to."""
    ours, stranger = certificate(tmp_path, "ours"), certificate(tmp_path, "stranger")
    options = (f"tls-cert-file {ours.chain}", f"tls-key-file {ours.key}", "tls-auth-clients no")
    with redis(tmp_path, options=options) as server:
        with server.client() as client:
            client.config_set("tls-port", port := free_port())
        url = f"rediss://{HOST}:{port}/0"
        flag = Maintenance(MaintenanceSettings(url=url, ca=ours.chain.name), site(tmp_path))
        flag.write(NOTICE).perform(5)
        assert flag.read() == NOTICE
        for known in ({"ca": stranger.chain.name}, {}):
            with pytest.raises(Unreachable, match="certificate verify failed"):
                Maintenance(MaintenanceSettings(url=url, **known), site(tmp_path)).read()


def test_is_what_the_settings_call_redis(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kind ``redis`` of the section ``maintenance`` opens it, without asking the server anything."""
    monkeypatch.setenv("THE_REDIS_URL", "redis://127.0.0.1:1")
    opened = open_provider("maintenance", MaintenanceSettings(url_from="THE_REDIS_URL"), site(tmp_path))
    assert isinstance(opened, Maintenance)
