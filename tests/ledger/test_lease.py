"""The lease: one holder at a time, and a lost one writes nothing more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deploytasks.engine.clock import SystemClock
from deploytasks.errors import LeaseHeld, LeaseLost, Unreachable
from deploytasks.ledger import Holder, Lease, Ledger, holding, lease as module
from deploytasks.ledger.holder import lease_key
from deploytasks.ports import Store, Tag
from deploytasks.providers.identity import identity, is_alive

from .conftest import FakeClock, surroundings

if TYPE_CHECKING:
    from lab.stores import Hand

SCOPE = "library/production"
ELSEWHERE = Holder("bob@far", "far", 7, "7:1:boot", "boot pid:[1]")


def nobody_lives(known: str) -> bool:
    """A machine on which every process is gone."""
    return False


@pytest.fixture
def take(store: Store, clock: FakeClock) -> Callable[..., Lease]:
    """Take the lease as this process, unless told otherwise."""

    def taken(holder: Holder | None = None, doing: str = "deploy", **named: Any) -> Lease:
        me = holder or Holder.here("ann@host", identity)
        return Lease.take(store, SCOPE, me, doing, **{"clock": clock, "is_alive": is_alive, **named})

    return taken


def test_free_lease_is_taken_and_given_back(take: Callable[..., Lease], store: Store) -> None:
    """A free lease is ours at once, shows who holds it, and is free again after; tokens rise."""
    first = take()
    held = holding(store, SCOPE)
    assert held is not None
    assert (first.token, first.taken_from, held.holder.pid, held.doing) == (1, None, os.getpid(), "deploy")
    assert (first.release(), holding(store, SCOPE)) == (True, None)
    assert (take().token, first.release()) == (2, False)


def test_second_taker_is_told_who_holds_it(take: Callable[..., Lease], clock: FakeClock) -> None:
    """Who comes second learns who is at work, since when, doing what, and what to do; without waiting."""
    take(Holder.here("ann@build-7", identity), doing="shift to 25 %")
    before = clock.elapsed()
    with pytest.raises(LeaseHeld) as caught:
        take(ELSEWHERE)
    shown = f"library/production is held by ann@build-7 on {os.uname().nodename} (pid {os.getpid()}) since 10:15:00 UTC"
    assert caught.value.what == f"{shown}, doing: shift to 25 %"
    assert ("--wait" in caught.value.do, clock.elapsed(), caught.value.exit_code) == (True, before, 5)


def test_dead_holder_of_this_machine_is_followed_at_once(take: Callable[..., Lease], clock: FakeClock) -> None:
    """Where the holder's pid means the same to us and its process is gone, nobody waits; it is told from whom."""
    take(doing="shift to 50 %")
    before = clock.elapsed()
    second = take(is_alive=nobody_lives)
    assert (second.token, clock.elapsed()) == (2, before)
    assert second.taken_from is not None
    assert "shift to 50 %" in second.taken_from


@pytest.mark.parametrize("other", [{"host": "far"}, {"place": "another boot, or container"}, {"identity": ""}])
def test_holder_of_another_machine_is_not_taken_for_dead(take: Callable[..., Lease], other: dict[str, str]) -> None:
    """A pid of another host, boot or container says nothing here: its holder is believed to live."""
    take(Holder.here("ann@host", identity)._replace(**other))
    with pytest.raises(LeaseHeld):
        take(is_alive=nobody_lives)


def test_silent_holder_is_followed_after_its_time_to_live(take: Callable[..., Lease], clock: FakeClock) -> None:
    """Waiting, a taker watches the beat stand still for one time to live, on its own clock, and takes over."""
    take(ELSEWHERE, ttl=60.0)
    began = clock.elapsed()
    second = take(wait=300)
    assert (second.token, 60 <= clock.elapsed() - began < 65) == (2, True)


def test_long_silent_holder_is_watched_without_a_wait(take: Callable[..., Lease], clock: FakeClock) -> None:
    """A last sign of life older than the time to live makes a taker look for one more time to live; clocks differ."""
    take(ELSEWHERE, ttl=60.0)
    clock.seconds += 61
    began = clock.elapsed()
    assert (take().token, 60 <= clock.elapsed() - began < 65) == (2, True)


@pytest.mark.parametrize("skew", [-500, 0, 500])
def test_living_holder_is_never_followed(take: Callable[..., Lease], clock: FakeClock, skew: float) -> None:
    """However wrong its clock, a holder that beats keeps its lease, and the taker gives up when its wait is over."""

    class Skewed(FakeClock):
        def now(self) -> Any:
            return clock.now().fromtimestamp(clock.now().timestamp() + skew, clock.now().tzinfo)

        def elapsed(self) -> float:
            return clock.elapsed()

    first = take(ELSEWHERE, clock=Skewed(), ttl=60.0)
    clock.meanwhile = first.check
    began = clock.elapsed()
    with pytest.raises(LeaseHeld):
        take(wait=200)
    assert 200 <= clock.elapsed() - began < 205
    first.check()


def test_waiting_taker_gets_a_lease_that_is_given_back(take: Callable[..., Lease], clock: FakeClock) -> None:
    """With a wait, the lease is ours as soon as it is free, long before the wait is over."""
    first = take(ELSEWHERE)
    began = clock.elapsed()
    clock.meanwhile = lambda: first.release() and None if clock.elapsed() > began + 10 else None
    second = take(wait=300)
    assert (second.token, second.taken_from, clock.elapsed() - began < 15) == (2, None, True)


def test_many_takers_at_once(herd: Callable[..., Any], crowd: int) -> None:
    """Of many processes that want a free lease at once, one gets it and the others are told that it did."""
    found = herd("take", crowd)
    winners = [number for number, answer in enumerate(found) if answer == 1]
    assert len(winners) == 1
    assert sum(f"is held by p{winners[0]}@host " in str(answer) for answer in found) == crowd - 1


def test_many_takers_of_a_dead_one(herd: Callable[..., Any], store: Store, crowd: int) -> None:
    """Of many processes that find a dead holder at once, one follows it; and so in each round."""
    herd("take", 1)  # takes it, and ends without giving it back
    assert holding(store, SCOPE) is not None
    for token in (2, 3, 4):
        assert [answer for answer in herd("take", crowd) if isinstance(answer, int)] == [token]


def test_token_rises_above_the_ledgers(take: Callable[..., Lease], ledger: Ledger) -> None:
    """A lease that was deleted from the store, or came back from an old copy, does not fence its holder off."""
    ledger.append("lease", {}, token=8)
    assert take().token == 9


@pytest.fixture
def stopped(tmp_path: Path, store: Store) -> Iterator[subprocess.Popen[str]]:
    """A process that took the lease (token 1, time to live 1 s), records ``began``, and is then stopped."""
    script = [sys.executable, str(Path(__file__).parent / "herd.py"), "hold", str(tmp_path), "1.0", "0.2"]
    own = surroundings()
    with subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=own) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        process.send_signal(signal.SIGSTOP)
        yield process
        process.send_signal(signal.SIGCONT)
        process.kill()


def test_stopped_holder_writes_nothing_after_it_was_followed(
    stopped: subprocess.Popen[str], store: Store, ledger: Ledger
) -> None:
    """Stopped beyond its time to live, followed, and continued: its check and its append both raise LeaseLost."""
    second = Lease.take(
        store, SCOPE, Holder.here("bob@host", identity), "resume", clock=SystemClock(), is_alive=is_alive, wait=30
    )
    ledger.append("lease", {"state": "taken-over"}, second.token)
    stopped.send_signal(signal.SIGCONT)
    assert stopped.stdin is not None
    assert stopped.stdout is not None
    stopped.stdin.write("go on\n")
    stopped.stdin.flush()
    assert json.loads(stopped.stdout.readline()) == ["LeaseLost", "LeaseLost"]
    assert [event.kind for event in ledger.events()] == ["began", "lease"]
    second.check()
    assert (second.token, second.release()) == (2, True)


def test_stopped_holder_that_nobody_followed_goes_on(stopped: subprocess.Popen[str]) -> None:
    """A pause alone takes no lease away: once it looked, it may go on."""
    stopped.send_signal(signal.SIGCONT)
    assert stopped.stdin is not None
    assert stopped.stdout is not None
    stopped.stdin.write("go on\n")
    stopped.stdin.flush()
    assert json.loads(stopped.stdout.readline()) == ["fine", "fine"]


def test_check_looks_only_when_the_last_renewal_is_old(
    take: Callable[..., Lease], store: Store, clock: FakeClock, hand: Hand
) -> None:
    """Up to half the time to live a check asks nobody; past it, it renews, or finds out that the lease is lost."""
    first = take(ttl=60.0)
    clock.seconds += 30
    hand.rename(lease_key(SCOPE), "away")
    first.check()
    hand.rename("away", lease_key(SCOPE))
    clock.seconds += 1
    first.check()
    assert (first.age_since_renewal, getattr(holding(store, SCOPE), "beat", 0)) == (0, 1)
    clock.seconds += 31
    hand.take_away(lease_key(SCOPE))
    with pytest.raises(LeaseLost, match="deleted"):
        first.check()


def test_lost_stays_lost(take: Callable[..., Lease], store: Store, clock: FakeClock) -> None:
    """Who lost the lease is told who has it, every time, and gives nothing back."""
    first = take()
    second = take(is_alive=nobody_lives, doing="resume")
    clock.seconds += 31
    for _ in range(2):
        with pytest.raises(LeaseLost, match=r"taken over by .* doing: resume"):
            first.check()
    first.doing("something else")
    assert (first.release(), getattr(holding(store, SCOPE), "token", 0)) == (False, second.token)


def test_given_back_is_lost(take: Callable[..., Lease]) -> None:
    """After the release nothing more may be written."""
    first = take()
    first.release()
    with pytest.raises(LeaseLost, match="given back"):
        first.check()


def test_doing_is_shown_at_once(take: Callable[..., Lease], store: Store) -> None:
    """What is being done can be read by others right away; saying the same again writes nothing."""
    first = take()
    first.doing("shift to 50 %")
    first.doing("shift to 50 %")
    held = holding(store, SCOPE)
    assert held is not None
    assert (held.doing, held.beat) == ("shift to 50 %", 1)


def test_beats_in_the_background(take: Callable[..., Lease], store: Store) -> None:
    """While it is kept alive its beat rises in real time, and stops after; a text is shown with a beat of its own."""
    with take(beat=0.01) as first:
        for beat in range(1, 4):
            until(lambda beat=beat: getattr(holding(store, SCOPE), "beat", 0) >= beat)
        first.doing("bake")
        until(lambda: getattr(holding(store, SCOPE), "doing", "") == "bake")
    assert holding(store, SCOPE) is None
    assert "lease" not in [thread.name for thread in threading.enumerate()]


def test_background_notices_a_follower(take: Callable[..., Lease]) -> None:
    """Once followed, the holder knows from its next beat on, without having to look."""
    with take(beat=0.01) as first:
        take(is_alive=nobody_lives)
        until(lambda: first._lost != "")
        with pytest.raises(LeaseLost):
            first.check()


def test_silent_store_is_told_and_survived(
    take: Callable[..., Lease], store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that does not take a renewal makes a check say so; the age counts on; later it is ours as before."""
    first = take(ttl=60.0)
    clock.seconds += 31

    def fail(key: str, value: bytes, expect: Tag | None) -> Tag:
        raise Unreachable("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store, "put", fail)
        with pytest.raises(Unreachable, match="No space"):
            first.check()
        first.doing("shift to 50 %")
        assert first.age_since_renewal == 31
    first.check()
    assert (first.age_since_renewal, getattr(holding(store, SCOPE), "doing", "")) == (0, "shift to 50 %")


def test_hanging_store_does_not_hang_a_check(
    take: Callable[..., Lease], store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that answers nothing at all costs a check a bounded time; when it wakes up, the lease is renewed."""
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    first = take(ttl=60.0)
    clock.seconds += 31
    awake, real = threading.Event(), store.put

    def hang(key: str, value: bytes, expect: Tag | None) -> Tag:
        assert awake.wait(20)
        return real(key, value, expect)

    monkeypatch.setattr(store, "put", hang)
    for _ in range(2):
        with pytest.raises(Unreachable):
            first.check()
    assert first.release() is False
    awake.set()
    until(lambda: "lease check" not in [thread.name for thread in threading.enumerate()])


def test_write_that_got_through_unheard_is_no_loss(
    take: Callable[..., Lease], store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renewal that reached the store though it reported an error is recognized as our own."""
    first = take(ttl=60.0)
    clock.seconds += 31
    real = store.put

    def unheard(key: str, value: bytes, expect: Tag | None) -> Tag:
        real(key, value, expect)
        raise Unreachable("the folder could not be synced")

    with monkeypatch.context() as patch:
        patch.setattr(store, "put", unheard)
        with pytest.raises(Unreachable):
            first.check()
    first.check()
    assert first.age_since_renewal == 0
    assert first.release() is True


@pytest.mark.parametrize("content", [b"", b"[]", b'{"token":1}'])
def test_unreadable_lease_is_an_error_with_advice(take: Callable[..., Lease], store: Store, content: bytes) -> None:
    """A lease that nobody wrote is neither trusted nor written over."""
    store.put(lease_key(SCOPE), content, None)
    for look in (take, lambda: holding(store, SCOPE)):
        with pytest.raises(Unreachable, match="unreadable") as caught:
            look()
        assert "delete library/production/lease.json" in caught.value.do


def until(happened: Callable[[], bool]) -> None:
    """Wait for something that another thread does."""
    pause = threading.Event()
    for _ in range(2000):
        if happened():
            return
        pause.wait(0.005)
    raise AssertionError("it did not happen within 10 s")
