from __future__ import annotations

import json
import os
import signal
import threading
import time

import pytest
from django.test import override_settings

redis = pytest.importorskip("lab.redis", reason="the tests of the whole project bring a Redis")

NOTICE = {
    "message": "We <b>move</b> house.",
    "who": "ann@desk",
    "since": "2026-11-23T10:15:00+00:00",
    "retry_after": 60,
}
KEY = "maintenance:library:production"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with redis.redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def flag(server, monkeypatch):
    """A Redis without the flag, that the application is configured with and looks at again for every request."""
    from library import closed

    monkeypatch.setattr(closed, "LOOK_EVERY", 0)
    with server.client() as client:
        client.flushall()
        with override_settings(REDIS_URL=server.url):
            yield client


def close(flag, notice=NOTICE):
    flag.set(KEY, notice if isinstance(notice, bytes) else json.dumps(notice))


def test_open_while_there_is_no_flag(flag, client):
    """Configured and not closed, every page is as always."""
    assert [client.get(path).status_code for path in ("/", "/api/books/", "/health")] == [200, 200, 200]


def test_closed_while_there_is_a_flag(flag, client):
    """A page with the message, escaped, and when to come again; gone as soon as the flag is."""
    close(flag)
    response = client.get("/")

    assert (response.status_code, response["Retry-After"], response["Cache-Control"]) == (503, "60", "no-store")
    assert "We &lt;b&gt;move&lt;/b&gt; house." in response.text
    assert response["X-Color"] == "green"  # still signed
    flag.delete(KEY)
    assert client.get("/").status_code == 200


def test_programs_get_json(flag, client):
    """What asks for the API can read why."""
    close(flag)
    response = client.post("/api/loans/", {}, content_type="application/json")

    assert (response.status_code, response.json()["message"]) == (503, NOTICE["message"])


def test_health_stays_well(flag, client):
    """A closed library is a healthy one: nobody ends its process."""
    close(flag)
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("value", [b"1", b"", b"[]", b"{}"])
def test_a_flag_set_by_hand_closes(flag, client, value):
    """Whatever the flag holds, it closes."""
    close(flag, value)
    response = client.get("/")

    assert (response.status_code, response["Retry-After"]) == (503, "300")


def test_open_when_redis_does_not_answer(client):
    """A Redis that is down takes nothing with it."""
    with override_settings(REDIS_URL="redis://127.0.0.1:1"):
        assert client.get("/").status_code == 200


def test_a_redis_that_hangs_delays_one_request_at_a_time(server):
    """While one request waits for Redis, the others do not; and nobody waits long."""
    from library.closed import PATIENCE, Flag

    hanging = Flag(server.url, KEY)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        took = []

        def ask():
            began = time.monotonic()
            assert hanging.notice() is None
            took.append(time.monotonic() - began)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert len(took) == 8
    assert sum(one > PATIENCE / 2 for one in took) <= 1


def test_an_answer_is_believed_for_a_while(server, monkeypatch):
    """Redis is asked once a second, not once a request."""
    from library.closed import Flag

    flag = Flag(server.url, KEY)
    asked = []
    monkeypatch.setattr(flag, "_read", lambda: asked.append(1))
    for _ in range(100):
        flag.notice()
    assert len(asked) <= 2
