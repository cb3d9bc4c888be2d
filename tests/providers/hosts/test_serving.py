"""A start, command by command: how many it takes, and what it makes of what comes in between."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deploytasks.errors import DeployError
from deploytasks.ports import COLORS, Color
from deploytasks.providers.hosts import choosing, commands, serving, starting
from deploytasks.providers.hosts.host import CommandFailed, Member
from deploytasks.providers.hosts.installing import install
from deploytasks.providers.hosts.layout import Layout
from deploytasks.providers.hosts.rendering import Program
from deploytasks.providers.hosts.serving import DidNotStart, Serving
from deploytasks.providers.identity import identity, is_alive
from deploytasks.settings.hosts import HostsSettings

from .conftest import MakeRelease, free_port
from .trees import Counting


class Place:
    """A host, and a port for each color."""

    def __init__(self, root: Path) -> None:
        self.host = Counting()
        self.layout = Layout(str(root))
        self.member = Member(self.host, {color: f"127.0.0.1:{free_port()}" for color in COLORS})

    def serving(self, color: Color = "green", **given: Any) -> Serving:
        """What serves a color."""
        settings = HostsSettings(**{"start": "{python} app.py {port}", "stop_within": 5.0, **given})
        return choosing.serving(settings, self.member, self.layout, color, sys.executable)

    def trips(self, work: Callable[[], object]) -> int:
        """How many commands it takes."""
        before = self.host.round_trips
        work()
        return self.host.round_trips - before


@pytest.fixture
def place(tmp_path: Path, make_release: MakeRelease) -> Iterator[Place]:
    """With a release on green; nothing runs at the end."""
    made = Place(tmp_path / "it's a host")
    install(made.host, made.layout, make_release(), "green", None, 20.0)
    yield made
    for color in COLORS:
        made.serving(color).stop(0.5)


def known(place: Place) -> str:
    file = Path(place.layout.pid("green"))
    return file.read_text().split("\n")[0] if file.exists() else ""


def test_round_trips(place: Place, make_release: MakeRelease, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start takes two, also when it stops something first; none is needed to see that all is well; one to take back
    how it was started before; one for the states of both colors."""
    monkeypatch.setattr(serving, "_STATE", 60.0)
    green = place.serving()
    assert place.trips(lambda: green.start(10)) == 2
    assert place.trips(lambda: green.start(10)) == 1
    install(place.host, place.layout, make_release("1.1.0"), "green", None, 20.0)
    first = known(place)
    assert place.trips(lambda: green.start(10)) == 2
    assert not is_alive(first)
    assert place.trips(green.as_before) == 1
    assert place.trips(lambda: serving.states([place.serving("blue"), green])) == 1
    assert place.trips(lambda: green.stop(5)) == 1


def test_both_states_in_one(place: Place) -> None:
    """Each color's own, in the order that was asked for, whatever is missing of one of them."""
    green = place.serving()
    green.start(10)
    blue_state, green_state = serving.states([place.serving("blue"), green])
    assert blue_state == ("", "", "", "", "")
    assert green_state == green.state()
    assert (green_state.running, green_state.pid) == (green_state.release, known(place).partition(":")[0])


def test_a_slow_start_is_not_asked_about_all_the_time(place: Place) -> None:
    """The host is asked once a second at most while its health page does not answer."""
    slow = place.serving(start="sleep 1.2; exec {python} app.py {port}")
    began = time.monotonic()
    trips = place.trips(lambda: slow.start(20))
    assert 3 <= trips <= 3 + (time.monotonic() - began)


def test_the_port_of_another_address(place: Place) -> None:
    """A listener that is not at the color's own address is in nobody's way."""
    port = int(place.member.addresses["green"].rpartition(":")[2])
    try:
        other = socket.create_server(("127.0.0.3", port))
    except OSError:
        pytest.skip("only one loopback address here")
    with other:
        green = place.serving()
        assert place.trips(lambda: green.start(10)) == 3
        assert is_alive(known(place))


def test_something_else_answers(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Health that is not ours: what was started has ended, and a foreign process listens there by then."""
    monkeypatch.setattr(starting, "refuse_taken", lambda how: "")
    host, _, port = place.member.addresses["green"].rpartition(":")
    page = "import http.server as h; h.HTTPServer((%r, %d), h.SimpleHTTPRequestHandler).serve_forever()"
    foreign = subprocess.Popen([sys.executable, "-c", page % (host, int(port))], stderr=subprocess.DEVNULL)
    try:
        green = place.serving(health="/", start="echo no port; exit 1")
        assert wait_for(lambda: green.health().healthy)
        with pytest.raises(DidNotStart, match="ended, and something else answers in its place") as caught:
            green.start(10)
        assert "no port" in str(caught.value)
    finally:
        foreign.kill()
        foreign.wait()


def wait_for(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not condition():
        time.sleep(0.02)
    return bool(condition())


def test_two_starts_at_once(place: Place) -> None:
    """Two deployers, of which one should not be: at most one process is left, and it is known."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: _tried(place.serving(environment={"N": str(number)})), range(4)))
    port = place.member.addresses["green"].rpartition(":")[2]
    assert wait_for(lambda: len(_running(port)) <= 1)
    running = _running(port)
    if running:
        assert known(place) == identity(os.getpgid(running[0]))
    place.serving().start(10)
    (one,) = _running(port)
    assert known(place) == identity(os.getpgid(one))


def _tried(green: Serving) -> None:
    with contextlib.suppress(DeployError):
        green.start(5)


def _running(port: str) -> list[int]:
    """The processes of the application that serve a port."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if words[1:3] == [b"app.py", port.encode()] and identity(int(entry.name)):
                found.append(int(entry.name))
    return found


def test_a_start_that_comes_too_late(place: Place) -> None:
    """Of a deployer that is dead: another start is wanted by now, and it gives up without a trace."""
    program = place.serving().program
    late = starting.begin(place.layout, "green", program, sys.executable, starting.Start("1a7e", "", 1.0, anew=False))
    stop_others = starting.stop_all(place.layout, "green", 1.0)
    assert stop_others in late
    pid = shlex.quote(place.layout.pid("green"))
    late = late.replace(stop_others, f"{stop_others}\nln -sf {shlex.quote(place.layout.start('green', 'newer'))} {pid}")
    with pytest.raises(CommandFailed):
        place.host.run(late, 10.0)
    assert known(place) == ""
    assert "another start is wanted by now" in Path(place.layout.log("green")).read_text()


def test_giving_up_what_had_not_begun(place: Place) -> None:
    """A deployer that is interrupted before its start has stopped anything takes nothing away from others."""
    green = place.serving()
    green.start(10)
    place.host.run(green._give_up_command("not begun"), 10.0)
    assert is_alive(known(place))


def test_follows_the_log(place: Place) -> None:
    """From its end on, through its rotation, for as long as somebody listens; also before there is one."""
    log = Path(place.layout.log("green"))
    command = commands.follow(place.layout, "green", 2)
    process = subprocess.Popen(["/bin/sh", "-c", command], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout
    try:
        assert wait_for(log.exists)
        log.write_text("one\n")
        assert process.stdout.readline() == "one\n"
        log.rename(log.with_suffix(".1"))
        log.write_text("two\n")
        assert process.stdout.readline() == "two\n"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_a_command_beside_itself(place: Place) -> None:
    """Another name, and it runs beside; the same name, and it is refused while the first one is at work."""
    program = Program("echo $$ > ../../at-work; exec sleep 60", {})
    line = commands.run(place.layout, "green", program, "console", sys.executable)
    at_work = Path(place.layout.root) / "at-work"
    first = subprocess.Popen(["/bin/sh", "-c", line])
    try:
        assert wait_for(lambda: at_work.exists() and at_work.read_text())
        with pytest.raises(CommandFailed, match="still runs"):
            place.host.run(line, 10.0)
        other = commands.run(place.layout, "green", Program("echo beside", {}), "console 2", sys.executable)
        assert place.host.run(other, 10.0) == "beside\n"
    finally:
        place.host.run(commands.stop(place.layout.command_pid("console"), 0), 10.0)
        first.wait()
