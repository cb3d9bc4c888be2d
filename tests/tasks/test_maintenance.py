"""``inv maintenance-mode`` with a flag in Redis, as it is typed; and what is refused while the site is closed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.redis import Server, redis

from .project import Done, Project

KEY = "maintenance:library:production"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis(tmp_path_factory.mktemp("redis"), secured=True) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that closes by a flag in this Redis, which has none yet."""
    monkeypatch.setenv("THE_REDIS_URL", server.url)
    monkeypatch.setenv("DEPLOY_WHO", "ann@desk")
    with server.client() as client:
        client.flushall()
    made = Project(tmp_path / "project")
    made.configure(maintenance={"kind": "redis", "url_from": "THE_REDIS_URL", "retry_after": 120})
    return made


def flag(server: Server) -> dict[str, Any] | None:
    """What is in Redis."""
    with server.client() as client:
        found = client.get(KEY)
    return None if found is None else json.loads(found)


def test_enable_status_disable(project: Project, server: Server) -> None:
    """Closed with who, why and since; shown as that; open again; and both recorded. No secret is said."""
    closed = project.inv("maintenance-mode", "enable", "--message", "We move house.")
    assert closed.code == 0
    found = flag(server)
    assert found is not None
    assert (found["message"], found["who"], found["retry_after"]) == ("We move house.", "ann@desk", 120)
    shown = project.inv("maintenance-mode", "status", "--json")
    assert shown.answer["notice"]["since"] == found["since"]
    assert "CLOSED since" in (status := project.inv("status")).out
    assert "by ann@desk: We move house." in status.out
    assert project.inv("maintenance-mode", "disable").code == 0
    assert flag(server) is None
    told = project.inv("history", "--json")
    assert [(event["kind"], event["facts"]["on"]) for event in told.answer["events"]] == [
        ("maintenance", True), ("maintenance", False),
    ]  # fmt: skip
    assert server.password not in "".join(done.out + done.err for done in (closed, shown, status, told))


@pytest.mark.parametrize("command", [("deploy-blue-green",), ("shift", "--to", "50"), ("resume",)])
def test_traffic_stays_while_the_site_is_closed(project: Project, server: Server, command: tuple[str, ...]) -> None:
    """Nothing that moves traffic begins: code 3, and who closed it, since when, why, and how to open it."""
    project.inv("maintenance-mode", "enable", "--message", "We move house.")
    refused = project.inv(*command)
    assert refused.code == 3
    assert "the site is not open: closed by ann@desk since 20" in refused.err
    assert "UTC: We move house. (`inv maintenance-mode disable` opens it)" in refused.err
    assert "nothing was changed" in refused.err


def test_a_flag_that_cannot_be_read_is_not_open(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an answer from Redis nobody knows: status says so, and nothing that moves traffic begins."""
    monkeypatch.setenv("THE_REDIS_URL", "redis://127.0.0.1:1")
    assert project.inv("maintenance-mode", "status").code == 7
    assert "Connection refused" in project.inv("status").out
    refused = project.inv("shift", "--to", "50")
    assert (refused.code, "unreachable: " in refused.err) == (3, True)


def test_several_places(project: Project, server: Server) -> None:
    """A list is written as a whole; what disagrees is told by status and doctor."""
    url = {"kind": "redis", "url_from": "THE_REDIS_URL"}
    project.configure(maintenance=[url, {**url, "key": "other"}])
    planned = project.inv("maintenance-mode", "enable", "--plan")
    assert f"SET {KEY} " in _said(planned)
    assert "; then redis" in _said(planned)
    assert project.inv("maintenance-mode", "enable").code == 0
    with server.client() as client:
        assert client.exists(KEY, "other") == 2
        client.delete("other")
    said = "redis 1 is closed, redis 2 is open"
    for command in (("maintenance-mode", "status"), ("status",), ("doctor",)):
        assert said in _said(project.inv(*command)), command
    assert project.inv("maintenance-mode", "disable").code == 0
    assert project.inv("maintenance-mode", "status", "--json").answer["notice"] is None


def _said(done: Done) -> str:
    return done.out + done.err
