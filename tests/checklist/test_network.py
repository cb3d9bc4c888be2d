"""Whether a host takes connections, found out soon."""

from __future__ import annotations

import socket
import threading

import pytest

from deploytasks.checklist import network, tools


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in network._PROXIES:
        monkeypatch.delenv(name, raising=False)


def test_a_host_that_listens() -> None:
    """Whether it says anything is not asked."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert network.takes_connections("127.0.0.1", port)
    assert not network.takes_connections("127.0.0.1", port)


def test_a_silent_name_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking up a name has no time-out of its own."""
    over = threading.Event()

    def silent(*_: object, **__: object) -> None:
        over.wait(5)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", silent)
    assert not network.takes_connections("pypi.org", within=0.05)
    over.set()


def test_behind_a_proxy_nobody_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tool itself is asked then."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert network.takes_connections("no.such.host.invalid", within=0.05)


def test_who_asks_whom() -> None:
    """The default command of pip-audit; what somebody configured may ask others."""
    assert "pypi.org" == tools.host_of(f"{tools.PIP_AUDIT.command.replace('{requirements}', '')} --requirement a.txt")
    assert ["", ""] == [tools.host_of("pip-audit --vulnerability-service osv"), tools.host_of(tools.BANDIT.command)]
