"""One HAProxy: what is written is in force at once, kept, and read back."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploytasks.errors import SplitMoved, Unreachable
from deploytasks.ports import Color, Split
from deploytasks.providers.haproxy.keys import keys_in, split_from
from deploytasks.providers.haproxy.lock import locked

from .conftest import BLUE, Application, House, until

STAGE = Split(90, 10, "blue", "deploy:abc")


def _kept(house: House, number: int = 0) -> Split:
    return split_from(keys_in((house.balancers[number].state / "split.map").read_text()))


def test_nothing_is_exposed_before_the_first_shift(house: House) -> None:
    """An empty map: no color has traffic, and visitors hear that nothing is deployed."""
    assert Split(0, 0) == house.traffic.read() == house.traffic.at_rest()
    answer = house.get()
    assert (503, "10") == (answer.status, answer.headers["retry-after"])
    assert b"Not deployed yet." in answer.body


def test_a_split_is_read_back_with_its_marks(house: House) -> None:
    """Weights, way back and signature come back as they were written, in force and on disk."""
    signed = Split(25, 75, "blue", "deploy:a b;c%20\n# é")
    house.traffic.shift(signed).perform(30)
    assert [signed] * 3 == [house.traffic.read(), house.traffic.at_rest(), _kept(house)]


@pytest.mark.parametrize("green", [0, 10, 50, 100])
def test_requests_follow_the_split(house: House, green: int) -> None:
    """Each request is drawn by itself: 400 of them are near their share, and a share of 0 gets none."""
    house.traffic.shift(Split(100 - green, green, "blue", "deploy:x")).perform(30)
    found = house.colors_of(400)
    assert 400 == found["blue"] + found["green"]
    assert abs(found["green"] - 4 * green) <= (0 if green in (0, 100) else 50)


def test_the_share_does_not_depend_on_how_many_servers_are_up(
    tmp_path: Path, applications: dict[Color, Application]
) -> None:
    """Three servers of one color and one of the other: 50 % are 50 %."""
    from lab.haproxy import haproxy

    colors = {"blue": [applications["blue"].address], "green": [applications["green"].address] * 3}
    with haproxy(tmp_path / "lb", colors=colors) as balancer:
        house = House(tmp_path, [balancer], {})
        house.traffic.shift(Split(50, 50, "blue", "deploy:x")).perform(30)
        assert 150 <= house.colors_of(400)["blue"] <= 250


def test_expect_refuses_to_write_over_another_split(house: House) -> None:
    """Compare and swap: what somebody else wrote stays, and the error says what is there."""
    house.traffic.shift(BLUE).perform(30)
    with pytest.raises(SplitMoved, match="settled:before") as caught:
        house.traffic.shift(STAGE, expect=BLUE._replace(writer="settled:other")).perform(30)
    assert "expected was blue 100 %" in caught.value.state
    assert BLUE == house.traffic.read() == _kept(house)


def test_of_many_who_write_at_once_one_wins(house: House) -> None:
    """Twenty compare-and-swaps over the same split: one is written, the others are refused."""
    house.traffic.shift(BLUE).perform(30)
    traffic = house.traffic

    def write(number: int) -> str | None:
        try:
            traffic.shift(STAGE._replace(writer=f"deploy:{number}"), expect=BLUE).perform(30)
        except (SplitMoved, Unreachable):
            return None
        return f"deploy:{number}"

    with ThreadPoolExecutor(20) as pool:
        winners = [who for who in pool.map(write, range(20)) if who]
    assert 1 == len(winners)
    assert winners[0] == house.traffic.read().writer == _kept(house).writer


def test_a_rollback_does_not_wait_for_a_writer_that_was_stopped(house: House) -> None:
    """The lock is held by somebody else: a comparing write is refused, an absolute one is made."""
    house.traffic.shift(STAGE).perform(30)
    with locked(house.balancer.state) as is_ours:
        assert is_ours
        with pytest.raises(Unreachable, match="another process is writing"):
            house.traffic.shift(BLUE, expect=STAGE).perform(30)
        house.traffic.shift(BLUE).perform(30)
    assert BLUE == house.traffic.read()


@pytest.mark.parametrize("how", ["restart", "reload", "kill"])
def test_split_and_marks_survive_haproxy(house: House, how: str) -> None:
    """A restart, a reload, and a kill with a new start: the same weights, way back and signature."""
    house.traffic.shift(STAGE).perform(30)
    getattr(house.balancer, how)()
    if how == "kill":
        assert STAGE == house.traffic.at_rest()
        with pytest.raises(Unreachable):
            house.traffic.read()
        house.balancer.start()
    assert STAGE == house.traffic.read()
    assert {"blue", "green"} >= set(house.colors_of(20))


def test_what_is_written_while_haproxy_is_down_is_in_force_when_it_starts(house: House) -> None:
    """A rollback at a dead HAProxy says that it is not in force, and is kept; a comparing write changes nothing."""
    house.traffic.shift(STAGE).perform(30)
    house.balancer.kill()
    with pytest.raises(Unreachable):
        house.traffic.shift(STAGE._replace(blue=50, green=50), expect=STAGE).perform(30)
    assert STAGE == _kept(house)
    with pytest.raises(Unreachable, match="haproxy at") as caught:
        house.traffic.shift(BLUE).perform(30)
    assert "will be in force when haproxy starts" in caught.value.state
    house.balancer.start()
    assert BLUE == house.traffic.read()


def test_a_haproxy_that_hangs_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes connections and says nothing: bounded, at rest its file speaks, and a rollback is kept there."""
    from deploytasks.providers.haproxy import traffic as module

    monkeypatch.setattr(module, "LOOK_WITHIN", 0.2)
    house.traffic.shift(STAGE).perform(30)
    os.kill(house.balancer.pid, signal.SIGSTOP)
    try:
        with pytest.raises(Unreachable, match="timed out"):
            house.traffic.read()
        assert STAGE == house.traffic.at_rest()
        with pytest.raises(Unreachable, match="timed out"):
            house.traffic.shift(STAGE._replace(blue=50, green=50), expect=STAGE).perform(0.5)
        assert STAGE == _kept(house)
        with pytest.raises(Unreachable, match="timed out"):
            house.traffic.shift(BLUE).perform(0.5)
    finally:
        os.kill(house.balancer.pid, signal.SIGCONT)
    assert BLUE == _kept(house)
    house.balancer.restart()
    assert BLUE == house.traffic.read()


def test_a_folder_that_cannot_be_written_stops_a_shift_and_not_a_rollback(house: House) -> None:
    """Forward: nothing changes. Back: traffic moves, and the error says that a restart would forget it."""
    house.traffic.shift(STAGE).perform(30)
    state = house.balancer.state
    (state / "split.map").unlink()
    (state / "split.map").mkdir()  # root may write anywhere: a folder in its place stops even root
    with pytest.raises(Unreachable, match=r"split\.map"):
        house.traffic.shift(STAGE._replace(blue=50, green=50), expect=STAGE).perform(30)
    assert "blue 90" in house.balancer.ask(f"show map {state}/split.map")
    with pytest.raises(Unreachable, match="cannot be written") as caught:
        house.traffic.shift(BLUE).perform(30)
    assert "a restart of haproxy would forget it" in caught.value.state
    assert BLUE == house.traffic.read()


def test_a_folder_that_is_missing(house: House, tmp_path: Path) -> None:
    """Nothing is compared and swapped without its lock; a rollback moves traffic, and says what is amiss."""
    house.traffic.shift(STAGE).perform(30)
    house.wish["balancers"] = [{"socket": house.balancer.socket, "state": str(tmp_path / "nowhere")}]
    with pytest.raises(Unreachable, match="nowhere cannot be used"):
        house.traffic.shift(BLUE, expect=STAGE).perform(30)
    with pytest.raises(Unreachable, match="cannot be written"):
        house.traffic.shift(BLUE).perform(30)
    assert BLUE == house.traffic.read()


def test_half_an_answer_is_none(house: House, tmp_path: Path) -> None:
    """A HAProxy that dies in the middle of its answer must not leave a map without its marks."""
    house.traffic.shift(STAGE).perform(30)
    whole = house.balancer.ask(f"show map {house.balancer.state}/split.map")
    with Peer([whole.encode()[:-30]]) as address:
        house.wish["balancers"] = [address]
        with pytest.raises(Unreachable, match="broke off in the middle"):
            house.traffic.read()


def test_a_peer_that_drips_is_given_up(house: House) -> None:
    """The deadline is for the whole answer, not for each byte of it."""
    from deploytasks.providers.haproxy import api

    with Peer([b"x"] * 400, pause=0.01) as address, pytest.raises(Unreachable, match="timed out"):
        api.ask(address, "show info\n", 0.3)


class Peer:
    """Something that listens, and answers each connection with the same pieces."""

    def __init__(self, pieces: list[bytes], pause: float = 0.0) -> None:
        self._pieces = pieces
        self._pause = threading.Event(), pause
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._pause[0].set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        stopped, pause = self._pause
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            with link:
                link.recv(65536)
                for piece in self._pieces:
                    if stopped.is_set():
                        break
                    try:
                        link.sendall(piece)
                    except OSError:
                        break
                    stopped.wait(pause)


def test_a_silent_color_gets_no_first_traffic(house: House, applications: dict[Color, Application]) -> None:
    """HAProxy's checks hold green for down: a shift to it is refused before anything is written."""
    house.traffic.shift(BLUE).perform(30)
    applications["green"].is_healthy = False
    until(lambda: "green1 DOWN" in str(house.traffic.diagnose()))
    house.wish["up_within"] = "200ms"
    with pytest.raises(Unreachable, match="holds green for down"):
        house.traffic.shift(STAGE, expect=BLUE).perform(30)
    assert BLUE == house.traffic.read()


def test_a_first_shift_waits_until_haproxy_has_found_the_color(
    house: House, applications: dict[Color, Application]
) -> None:
    """A color that was started just now is found by the checks a moment later: nobody gets a 503 in between."""
    house.traffic.shift(BLUE).perform(30)
    applications["green"].is_healthy = False
    until(lambda: "green1 DOWN" in str(house.traffic.diagnose()))
    threading.Timer(0.3, setattr, (applications["green"], "is_healthy", True)).start()
    house.traffic.shift(Split.all_on("green", "blue", "deploy:x"), expect=BLUE).perform(30)
    assert {"green": 20} == house.colors_of(20)


def test_a_color_that_is_down_lends_its_users_to_an_exposed_one(
    house: House, applications: dict[Color, Application]
) -> None:
    """Green dies at 50 %: everybody gets blue, and nobody an error."""
    house.traffic.shift(Split(50, 50, "blue", "deploy:x")).perform(30)
    applications["green"].is_healthy = False
    until(lambda: "green1 DOWN" in str(house.traffic.diagnose()))
    assert {"blue": 40} == house.colors_of(40)


def test_nobody_is_lent_to_a_release_that_was_not_exposed(house: House, applications: dict[Color, Application]) -> None:
    """Blue has everything and dies: green, which is being installed, gets nobody."""
    house.traffic.shift(Split.all_on("blue", "blue", "deploy:x")).perform(30)
    applications["blue"].is_healthy = False
    until(lambda: "blue1 DOWN" in str(house.traffic.diagnose()))
    assert {"none": 5} == house.colors_of(5)


def test_drained_counts_what_is_open(house: House) -> None:
    """A request that is still at a color keeps it from being drained."""
    house.traffic.shift(BLUE).perform(30)
    asking = threading.Thread(target=lambda: house.get("/?delay=0.5"))
    asking.start()
    until(lambda: house.traffic.drained("blue") == 1)
    assert 0 == house.traffic.drained("green")
    asking.join()
    until(lambda: house.traffic.drained("blue") == 0)


def test_the_call_says_where_and_what(house: House) -> None:
    """The text that people approve names the socket and every key."""
    text = house.traffic.shift(STAGE).text
    assert f"haproxy map at {house.balancer.socket}: blue=90 green=10 way_back=blue writer=deploy:abc" == text


def test_the_template_is_valid(new_house: Callable[..., House]) -> None:
    """HAProxy itself finds nothing wrong with what the package offers to copy."""
    assert "" == new_house().balancer.check()
