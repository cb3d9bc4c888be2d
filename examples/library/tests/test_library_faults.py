from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from django.test import Client, override_settings
from library import middleware
from library.faults import HALT, Faults, FaultsError, parse_faults, read_faults


def behaving(given):
    """The application with these faults on."""
    return override_settings(FAULTS=parse_faults(given))


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ({}, Faults()),
        ({"errors": 0.5}, Faults(errors=0.5)),
        ({"errors": {"share": 0.5, "after": 8}}, Faults(errors=0.5, errors_after=8.0)),
        ({"latency": 2}, Faults(latency=2.0)),
        ({"latency": {"seconds": 2.5, "share": 0.2}}, Faults(latency=2.5, latency_share=0.2)),
        ({"health": "failing"}, Faults(unhealthy_after=0.0)),
        ({"health": {"after": 20}}, Faults(unhealthy_after=20.0)),
        ({"slow_start": 45, "crash_after": 30}, Faults(slow_start=45.0, crash_after=30.0)),
        ({"migration": "broken"}, Faults(broken_migration=True)),
    ],
)
def test_faults_are_understood(given, faults):
    """Each way of writing a fault means what the documentation says."""
    assert parse_faults(given) == faults


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "an object such as"),
        ({"error": 1}, "error: unknown; there are errors, latency"),
        ({"errors": 2}, "errors: a number from 0 to 1 is needed, not 2"),
        ({"errors": True}, "errors: a number from 0 to 1 is needed, not true"),
        ({"latency": {"seconds": 1}}, "latency: seconds, or"),
        ({"health": "bad"}, 'health: "failing" or'),
        ({"slow_start": -1}, "slow_start: seconds are needed, not -1"),
        ({"migration": True}, 'migration: "broken" is needed, not true'),
        ({"errors": "x", "what": 1}, "what: unknown; there are errors, latency, health, slow_start, crash_after"),
    ],
)
def test_wrong_faults_are_named(given, said):
    """A mistake in faults.json is told with its key, what is needed and what was found."""
    with pytest.raises(FaultsError) as raised:
        parse_faults(given)

    assert said in str(raised.value)


def test_an_absent_file_asks_for_nothing(tmp_path):
    """Without a file there are no faults."""
    assert read_faults(tmp_path / "faults.json") == Faults()


def test_a_broken_file_is_refused(tmp_path):
    """What is not JSON is a mistake, not the absence of faults."""
    (tmp_path / "faults.json").write_text("{")

    with pytest.raises(FaultsError, match="not JSON"):
        read_faults(tmp_path / "faults.json")


def test_errors_spare_health():
    """With all requests failing, the health page still answers by what it finds, and all are signed."""
    with behaving({"errors": 1}):
        client = Client()
        responses = [client.get(path) for path in ("/", "/api/books/", "/health")]

    assert [response.status_code for response in responses] == [500, 500, 200]
    assert {response["X-Version"] for response in responses} == {"1.2.3"}


@pytest.mark.parametrize(("age", "status"), [(59, 200), (61, 500)])
def test_errors_may_come_later(age, status):
    """A release may be well at first, so that smoke checks pass it."""
    with behaving({"errors": {"share": 1, "after": 60}}), override_settings(STARTED=time.monotonic() - age):
        assert Client().get("/api/").status_code == status


def test_errors_hit_their_share(monkeypatch):
    """A request fails when the die falls below the fraction."""
    throws = iter([0.49, 0.51])
    monkeypatch.setattr(middleware.random, "random", lambda: next(throws))
    with behaving({"errors": 0.5}):
        client = Client()

        assert [client.get("/api/").status_code for _ in range(2)] == [500, 200]


def test_latency_is_added_to_its_share(monkeypatch):
    """The share gets all of the seconds, the rest none."""
    slept, throws = [], iter([0.19, 0.9, 0.21, 0.9])
    monkeypatch.setattr(middleware.random, "random", lambda: next(throws))
    monkeypatch.setattr(middleware.time, "sleep", slept.append)
    with behaving({"latency": {"seconds": 2.5, "share": 0.2}}):
        client = Client()
        for _ in range(2):
            client.get("/api/")

    assert slept == [2.5]


@pytest.mark.parametrize(("given", "status"), [({"health": "failing"}, 503), ({"health": {"after": 3600}}, 200)])
def test_health_fails_by_order(given, status):
    """The health page fails at once, or only when its time has come; users notice nothing."""
    with behaving(given):
        client = Client()

        assert client.get("/health").status_code == status
        assert client.get("/").status_code == 200


def test_a_broken_migration_fails_and_a_good_one_is_done(release, manage):
    """On one migrated database, the broken release cannot migrate, and the good one has nothing to do."""
    broken = manage(release({"migration": "broken"}), "migrate", "--noinput")

    assert broken.returncode != 0
    assert "broken, by order of faults.json" in broken.stderr


def test_the_models_are_migrated(release, manage):
    """No model change lacks its migration, and nothing is left to do on a migrated database."""
    copy = release({})

    assert manage(copy, "makemigrations", "--check", "--dry-run").returncode == 0
    assert manage(copy, "migrate", "--check").returncode == 0


def test_migrations_expand_only(release, manage):
    """A row that the version before the newest migration writes is taken after it."""
    from catalog.models import Book
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO catalog_loan (client_id, since, book_id) VALUES (%s, %s, %s)",
            ["0" * 32, "2026-01-01", Book.objects.first().pk],
        )
        cursor.execute("SELECT returned_at FROM catalog_loan")
        assert cursor.fetchall() == [(None,)]


def test_a_real_server_starts_late_and_crashes_for_good(release, folder, books):
    """Under gunicorn: deaf until the slow start is over, then healthy, then gone with all its processes."""
    port = free_port()
    began = time.monotonic()
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "library.wsgi", "--bind", f"127.0.0.1:{port}"],
        cwd=release({"slow_start": 0.7, "crash_after": 1.0}), start_new_session=True,
        env={**os.environ, "LIBRARY_DATABASE": books, "LIBRARY_CACHE": str(folder / "cache")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert first_status(port, "/health", within=10) == 200
        assert time.monotonic() - began >= 0.7
        assert server.wait(timeout=10) == HALT
        with pytest.raises(ConnectionRefusedError):
            ask(port, "/health")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def ask(port: int, path: str) -> int:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request("GET", path)
        return link.getresponse().status
    finally:
        link.close()


def first_status(port: int, path: str, within: float) -> int:
    deadline = time.monotonic() + within
    while True:
        try:
            return ask(port, path)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
