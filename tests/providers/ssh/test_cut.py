"""A host whose link goes down: every wait is bounded by the command's time and two seconds more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab.labhost import is_running
from providers.ssh.conftest import reached

from deploytasks.errors import Unreachable
from deploytasks.providers.ssh import SshHost
from deploytasks.providers.ssh.wrapping import wrapped

if TYPE_CHECKING:
    from lab.hosts import Lab, LabHost


@contextmanager
def cut(one: LabHost) -> Iterator[None]:
    """The link is down in the block."""
    one.cut()
    try:
        yield
    finally:
        one.mend()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """The block takes no longer than that, and two seconds more."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds + 2


def when(true: Callable[[], bool], act: Callable[[], None]) -> threading.Thread:
    """Do something as soon as something is true."""

    def wait() -> None:
        deadline = time.monotonic() + 10
        while not true() and time.monotonic() < deadline:
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def again(host: SshHost, seconds: float = 15) -> str:
    """What the host says when it is there again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return host.run("printf again", 2)
        except Unreachable:
            if time.monotonic() > deadline:
                raise


def test_before_connecting(real_lab: Lab) -> None:
    """Connecting ends when its time is up, or the command's if that is less."""
    one = real_lab.hosts[0]
    host = reached(one, connect_within=1.0)
    host.close()
    with cut(one):
        with within(1.0), pytest.raises(Unreachable, match="h1: "):
            host.run("true", 30)
        with within(0.3), pytest.raises(Unreachable, match="h1: "):
            host.run("true", 0.3)
    assert "again" == again(host)


def test_a_silent_host_is_not_waited_for_twice(real_lab: Lab) -> None:
    """Who clears up right after a host fell silent does not wait for it at full length again; when it is back, it is
    reached."""
    one = real_lab.hosts[0]
    host = reached(one, hasty=True, connect_within=4.0)
    host.close()
    with cut(one):
        with within(4.0), pytest.raises(Unreachable, match="h1: "):
            host.run("true", 30)
        began = time.monotonic()
        with pytest.raises(Unreachable, match="h1: "):
            host.run("true", 30)
        assert time.monotonic() - began < 3
    assert "again" == again(host)


def test_on_a_connection_that_stands(real_lab: Lab) -> None:
    """A command on a connection that is dead, which nobody has noticed yet, is not waited for."""
    one = real_lab.hosts[0]
    host = reached(one)
    host.run("true", 10)
    with cut(one), within(0.5), pytest.raises(Unreachable, match=r"not done after 0\.5 s") as caught:
        host.run("true", 0.5)
    assert "it was not started" == caught.value.state
    assert "again" == again(host)


def test_in_a_command(real_lab: Lab) -> None:
    """The wait ends in time, and the host ends the command by itself: no orphan, also when nobody comes back."""
    one = real_lab.hosts[0]
    host = reached(one)
    note = one.path("/srv/cut-off")
    cutting = when(note.exists, one.cut)
    try:
        command = "echo $$ > /srv/noted; sleep 90 & echo $! >> /srv/noted; mv /srv/noted /srv/cut-off; wait"
        with within(1.0), pytest.raises(Unreachable, match=r"not done after 1\.0 s") as caught:
            host.run(command, 1.0)
        assert "ends the command by itself" in caught.value.state
        pids = [int(word) for word in note.read_text().split()]
        deadline = time.monotonic() + 8
        while any(map(is_running, pids)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [] == [pid for pid in pids if is_running(pid)]
    finally:
        cutting.join()
        one.mend()
    assert "again" == again(host)


def test_in_an_upload(real_lab: Lab, tmp_path: Path) -> None:
    """A write that blocks in the kernel ends as well."""
    one = real_lab.hosts[0]
    host = reached(one)
    with (tmp_path / "big").open("wb") as big:
        big.truncate(300_000_000)
    target = one.path("/srv/big")
    cutting = when(lambda: target.exists() and target.stat().st_size > 100_000, one.cut)
    try:
        with within(1.0), pytest.raises(Unreachable, match="h1: a command was not done"):
            host.run("cat > /srv/big", 1.0, str(tmp_path / "big"))
    finally:
        cutting.join()
        one.mend()
    assert "again" == again(host)
    target.unlink()


@pytest.mark.parametrize("which", ["gateway", "host"])
def test_behind_a_gateway(real_lab: Lab, tmp_path: Path, which: str) -> None:
    """Uploads through a gateway are bounded too, whichever link breaks; the other hosts behind it go on."""
    gateway, behind, other = real_lab.hosts
    host = reached(behind, gateway=gateway.endpoint)
    beside = reached(other, gateway=gateway.endpoint)
    broken = gateway if which == "gateway" else behind
    host.run("true", 10)
    beside.run("true", 10)
    opened = beside.connection.connects
    with (tmp_path / "big").open("wb") as big:
        big.truncate(300_000_000)
    target = behind.path("/srv/big")
    target.unlink(missing_ok=True)
    cutting = when(lambda: target.exists() and target.stat().st_size > 100_000, broken.cut)
    try:
        with within(1.0), pytest.raises(Unreachable, match="h2: a command was not done"):
            host.run("cat > /srv/big", 1.0, str(tmp_path / "big"))
        if which == "host":
            assert "" == beside.run("true", 5)
            assert opened == beside.connection.connects
    finally:
        cutting.join()
        broken.mend()
    assert "again" == again(host)
    assert "again" == again(beside)


def test_a_silent_connection_is_noticed(real_lab: Lab) -> None:
    """However long a command may take, keepalives and the kernel notice it: after `keepalive` + `lost_after`, about."""
    one = real_lab.hosts[0]
    host = reached(one, keepalive=1, lost_after=1)
    note = one.path("/srv/silent")
    cutting = when(note.exists, one.cut)
    try:
        with within(6), pytest.raises(Unreachable, match="h1: the connection was lost during a command"):
            host.run("touch /srv/silent; sleep 89", 60)
    finally:
        cutting.join()
        one.mend()
    assert "again" == again(host)


def test_an_orphan_of_a_killed_deployer_ends(real_lab: Lab) -> None:
    """What runs on the host when nobody is left to kill it ends when its time is up, sessions of its own included."""
    one = real_lab.hosts[0]
    command = "echo $$ > /srv/orphans; setsid sh -c 'echo $$ >> /srv/orphans; exec sleep 88' & wait"
    process = one.popen(["setsid", "sh", "-c", wrapped(command, "0123456789abcdef", 1)])
    process.wait(10)
    pids = [int(word) for word in one.path("/srv/orphans").read_text().split()]
    deadline = time.monotonic() + 5
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [] == [pid for pid in pids if is_running(pid)]
