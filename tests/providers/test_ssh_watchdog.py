from __future__ import annotations

import _thread
import contextlib
import itertools
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.file_balancers import HOME, Balancers, place, until, watchdog

from deploytasks import interrupt
from deploytasks.errors import Unreachable, UsageError
from deploytasks.providers import identity
from deploytasks.providers.hosts.localhost import LocalHost
from deploytasks.providers.site import Site
from deploytasks.providers.ssh_watchdog import SshWatchdog, commands
from deploytasks.providers.ssh_watchdog.beating import beating
from deploytasks.settings.ssh_watchdog import SshWatchdogSettings

WITHIN = 15.0
NEVER = 600.0


@pytest.fixture
def balancers(tmp_path: Path) -> Balancers:
    return Balancers(tmp_path / "balancers")


@pytest.fixture
def switch(tmp_path: Path, balancers: Balancers) -> Iterator[SshWatchdog]:
    """Goes off after a second."""
    made = watchdog(balancers, tmp_path)
    yield made
    made.disarm().perform(WITHIN)


@pytest.fixture
def patient(tmp_path: Path, balancers: Balancers) -> Iterator[SshWatchdog]:
    """Goes off after ten minutes."""
    made = watchdog(balancers, tmp_path, NEVER)
    yield made
    made.disarm().perform(WITHIN)


def watcher(folder: Path, name: str) -> str:
    """The identity of the watcher on a host; empty when there is none."""
    file = place(folder, name) / "pid"
    return file.read_text().split()[0] if file.exists() else ""


def files(folder: Path, name: str) -> set[str]:
    return {file.name for file in place(folder, name).iterdir()}


def state(folder: Path, name: str) -> list[str]:
    return (place(folder, name) / "state").read_text().splitlines()


def test_silence_takes_every_balancer_home(tmp_path: Path, balancers: Balancers, switch: SshWatchdog) -> None:
    """Each host's own watcher runs its own way home, not before the grace; only the state is left, and it says so."""
    switch.arm("d1", HOME).perform(WITHIN)
    armed_at = time.monotonic()
    switch._stop_beating()
    assert until(lambda: {balancers.split(name) for name in ("b1", "b2")} == {"home deadman:d1"})
    assert time.monotonic() - armed_at >= 1.0
    assert until(lambda: files(tmp_path, "b1") == {"state"} == files(tmp_path, "b2"))
    found = switch.state()
    assert (False, True) == (found.armed, found.fired_at is not None)
    assert "b1: fired at" in found.detail
    assert "b2: fired at" in found.detail


def test_a_beat_keeps_traffic_where_it_is(tmp_path: Path, balancers: Balancers) -> None:
    """While beats come, nothing moves, for longer than the grace."""
    switch = watchdog(balancers, tmp_path, 2.0)
    switch.arm("d1", HOME).perform(WITHIN)
    end = time.monotonic() + 5.0
    while time.monotonic() < end:
        switch.beat()
        time.sleep(0.1)
    assert {"out deploy:d1"} == {balancers.split(name) for name in ("b1", "b2")}
    assert switch.state().armed
    switch.disarm().perform(WITHIN)


def test_disarmed_is_gone(tmp_path: Path, balancers: Balancers, patient: SshWatchdog) -> None:
    """No process, no beat, no order; the state says that it was disarmed. Twice is once."""
    patient.arm("d1", HOME).perform(WITHIN)
    running = watcher(tmp_path, "b1")
    assert identity.is_alive(running)
    patient.disarm().perform(WITHIN)
    assert not identity.is_alive(running)
    assert {"state"} == files(tmp_path, "b1")
    assert "disarmed" == state(tmp_path, "b1")[0]
    assert not patient.state().armed
    patient.disarm().perform(WITHIN)
    assert "out deploy:d1" == balancers.split("b1")


def test_a_watcher_that_was_told_the_same_is_kept(tmp_path: Path, patient: SshWatchdog, balancers: Balancers) -> None:
    """A deployer that resumes goes on with the watcher of the dead one; another deployment gets a new one."""
    patient.arm("d1", HOME).perform(WITHIN)
    first = watcher(tmp_path, "b1")
    watchdog(balancers, tmp_path, NEVER).arm("d1", HOME).perform(WITHIN)
    assert first == watcher(tmp_path, "b1")
    watchdog(balancers, tmp_path, NEVER).arm("d2", HOME).perform(WITHIN)
    assert first != watcher(tmp_path, "b1")
    assert not identity.is_alive(first)


def test_a_replaced_deployer_beats_for_nobody(tmp_path: Path, switch: SshWatchdog, balancers: Balancers) -> None:
    """Beats of one whose order was replaced do not keep the new one's switch from going off."""
    switch.arm("d1", HOME).perform(WITHIN)
    balancers.shift("deploy:d2")
    successor = watchdog(balancers, tmp_path)
    successor.arm("d2", HOME).perform(WITHIN)
    successor._stop_beating()
    deadline = time.monotonic() + 10
    while balancers.split("b1") != "home deadman:d2" and time.monotonic() < deadline:
        switch.beat()
        time.sleep(0.1)
    assert "home deadman:d2" == balancers.split("b1")
    assert until(lambda: "not armed any more" in switch.state().detail)


def test_what_others_wrote_stays(tmp_path: Path, balancers: Balancers, switch: SshWatchdog) -> None:
    """A split that is not this deployment's any more is left alone, and the watcher ends saying whose it is."""
    switch.arm("d1", HOME).perform(WITHIN)
    balancers.shift("settled:d1")
    switch._stop_beating()
    assert until(lambda: "ended" == state(tmp_path, "b1")[0])
    assert "out settled:d1" == balancers.split("b1")
    assert "written by settled:d1" in switch.state().detail
    assert () == tuple(switch.news())


def test_a_silent_balancer_is_asked_again(tmp_path: Path, balancers: Balancers, switch: SshWatchdog) -> None:
    """While the balancer is down the watcher says so and goes on; traffic goes home once it answers."""
    (balancers.folder / "b1" / "silent").touch()
    switch.arm("d1", HOME).perform(WITHIN)
    switch._stop_beating()
    assert until(lambda: "nobody answers" in state(tmp_path, "b1")[-1])
    assert switch.state().detail.startswith("b1: d1: traffic cannot be taken home yet")
    (balancers.folder / "b1" / "silent").unlink()
    assert until(lambda: "fired" == state(tmp_path, "b1")[0])
    assert int(state(tmp_path, "b1")[5]) > 1


def test_it_gives_up_one_day(tmp_path: Path, balancers: Balancers) -> None:
    """A balancer that stays down, or hangs: the attempts are bounded, and the failure is news for the ledger."""
    (balancers.folder / "b1" / "silent").touch()
    (balancers.folder / "b2" / "hanging").touch()
    for name, (host, home) in zip(("b1", "b2"), balancers.homing("d1", HOME), strict=True):
        order = commands.Order("id" + name, home, 0, {"deployment": "d1"}, patience=4, attempt=1)
        host.run(commands.arm(str(place(tmp_path, name)), order, "word"), WITHIN)
    made = watchdog(balancers, tmp_path)
    assert until(lambda: [state(tmp_path, name)[0] for name in ("b1", "b2")] == ["gave-up"] * 2)
    assert ["deadman-failed"] * 2 == [news.kind for news in made.news()]
    assert "no answer within 1 s" in state(tmp_path, "b2")[-1]
    assert ["warn"] * 2 == [finding.state for finding in made.diagnose()]
    made.disarm().perform(WITHIN)
    assert "gave-up" == state(tmp_path, "b2")[0]
    assert [] == standing_in(balancers.folder / "b2")


def standing_in(folder: Path) -> list[str]:
    """The processes whose working directory that is."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").resolve() == folder:
                found.append((process / "cmdline").read_text())
    return found


def test_the_news_are_the_same_every_time(balancers: Balancers, switch: SshWatchdog) -> None:
    """What is asked twice, or by two machines, has one name: the ledger takes it once."""
    switch.arm("d1", HOME).perform(WITHIN)
    switch._stop_beating()
    assert until(lambda: len(switch.news()) == 2)
    first, second = switch.news(), switch.news()
    assert first == second
    one = first[0]
    assert ("deadman-fired", "ann@desk") == (one.kind, one.who)
    assert {
        "deployment": "d1",
        "split": [100, 0, None, "deadman:d1"],
        "host": "b1",
        "tries": 1,
    }.items() <= one.facts.items()


def test_a_dead_watcher_is_no_switch(tmp_path: Path, patient: SshWatchdog) -> None:
    """One that was killed is not armed, and doctor says so; beats to it fail; arming anew starts another."""
    patient.arm("d1", HOME).perform(WITHIN)
    assert identity.signal_if_same(watcher(tmp_path, "b1"), 9)
    assert until(lambda: not patient.state().armed)
    assert "b1: armed for d1, but its process is gone" in patient.state().detail
    assert ["b1: armed for d1, but its process is gone"] == [f.detail for f in patient.diagnose() if f.state == "warn"]
    patient.arm("d1", HOME).perform(WITHIN)
    assert patient.state().armed


def test_all_hosts_or_none(tmp_path: Path, balancers: Balancers) -> None:
    """Where one host cannot be armed, the others are not left armed; nothing claims to be."""
    place(tmp_path, "b2").parent.mkdir(parents=True)
    place(tmp_path, "b2").touch()  # no folder can be made there
    made = watchdog(balancers, tmp_path)
    with pytest.raises(Unreachable, match="b2"):
        made.arm("d1", HOME).perform(WITHIN)
    assert "disarmed" == state(tmp_path, "b1")[0]
    assert {"state"} == files(tmp_path, "b1")


def test_a_watcher_that_cannot_start_is_no_switch(tmp_path: Path, balancers: Balancers, monkeypatch: Any) -> None:
    """Arming verifies: a machine on which nothing starts is an error, with nothing left behind."""
    fake(tmp_path, monkeypatch, setsid="#!/bin/sh\necho no such luck >&2; exit 1\n")
    monkeypatch.setattr("deploytasks.providers.ssh_watchdog.commands.START", commands.START.replace("=100", "=10"))
    with pytest.raises(Unreachable, match="no such luck"):
        watchdog(balancers, tmp_path).arm("d1", HOME).perform(WITHIN)
    assert set() == files(tmp_path, "b1")


def test_a_hanging_connection_holds_nobody_up(tmp_path: Path) -> None:
    """However long one beat takes, `beat` returns at once, and beats that come meanwhile are one."""
    sent = []
    gate = threading.Event()

    class Hanging(LocalHost):
        def run(self, command: str, timeout: float, given: str | None = None) -> str:
            sent.append(command)
            gate.wait(30)
            raise Unreachable("the line is dead")

    beats = beating(Hanging(name="b1"), "there", "id", 0.6)
    began = time.monotonic()
    for _ in range(1000):
        beats.beat()
    assert until(lambda: len(sent) == 1)
    beats.beat()
    beats.stop()
    assert time.monotonic() - began < 1.0
    gate.set()
    assert until(lambda: beats.trouble == "the line is dead")
    beats._thread.join(5)
    assert 1 == len(sent)


def test_a_deployer_ends_though_a_beat_hangs(tmp_path: Path, balancers: Balancers) -> None:
    """A thread that is stuck in a beat does not keep the process alive: it is a daemon."""
    made = watchdog(balancers, tmp_path, NEVER)
    made.arm("d1", HOME).perform(WITHIN)
    assert all(beating._thread.daemon for beating in made._beating.values())
    made.disarm().perform(WITHIN)


def test_beats_are_few(tmp_path: Path) -> None:
    """At most six in one grace, however often the deployer beats."""
    sent = []

    class Counting(LocalHost):
        def run(self, command: str, timeout: float, given: str | None = None) -> str:
            sent.append(time.monotonic())
            return ""

    beats = beating(Counting(name="b1"), "there", "id", 1.2)
    end = time.monotonic() + 1.3
    while time.monotonic() < end:
        beats.beat()
        time.sleep(0.01)
    beats.stop(1.0)
    assert 4 <= len(sent) <= 8
    assert min(later - earlier for earlier, later in itertools.pairwise(sent)) >= 0.19


def fake(folder: Path, monkeypatch: pytest.MonkeyPatch, **programs: str) -> Path:
    """Put programs before all others on the hosts; returns their folder."""
    at = folder / "bin"
    at.mkdir()
    for name, text in programs.items():
        file = at / name.replace("_", "-")
        file.write_text(text)
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{at}{os.pathsep}{os.environ['PATH']}")
    return at


SYSTEMD = {
    "systemctl": "#!/bin/sh\necho degraded; exit 1\n",
    "systemd_run": """#!/bin/sh
echo "$*" >> "$(dirname "$0")/asked"
while [ "${1#--}" != "$1" ]; do shift; done
setsid "$@" >/dev/null 2>&1 &
""",
}


def test_systemd_is_preferred(tmp_path: Path, balancers: Balancers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where systemd runs, the watcher is a transient unit of its own, which is started again when it is killed."""
    at = fake(tmp_path, monkeypatch, **SYSTEMD)
    made = watchdog(balancers, tmp_path, NEVER)
    made.arm("d1", HOME).perform(WITHIN)
    asked = (at / "asked").read_text()
    assert 2 == asked.count("--unit=deploytasks-deadman-")
    assert "--property=Restart=on-failure" in asked
    assert "b1: watches over d1 (systemd)" in made.state().detail
    assert all("as a unit of systemd" in finding.detail for finding in made.diagnose())
    made.disarm().perform(WITHIN)


def test_a_machine_that_ends_it_at_log_out_is_refused(
    tmp_path: Path, balancers: Balancers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A detached process that dies with the deployer's log-in is no switch: arming says what to do instead."""
    fake(
        tmp_path,
        monkeypatch,
        id="#!/bin/sh\ncase $1 in -u) echo 1000;; *) echo deploy;; esac\n",
        busctl='#!/bin/sh\necho "b true"\n',
    )
    made = watchdog(balancers, tmp_path)
    with pytest.raises(Unreachable, match="loginctl enable-linger deploy"):
        made.arm("d1", HOME).perform(WITHIN)
    assert ["fail", "fail"] == [finding.state for finding in made.diagnose()]


def test_a_restarted_watcher_goes_on(tmp_path: Path, patient: SshWatchdog) -> None:
    """As systemd does it: the script is started again with the same words, and watches on."""
    patient.arm("d1", HOME).perform(WITHIN)
    at = place(tmp_path, "b1")
    order = (at / "order").read_text().splitlines()[0]
    assert identity.signal_if_same(watcher(tmp_path, "b1"), 9)
    LocalHost().run(f"cd {at} && setsid sh ./watch {at} {order} systemd >/dev/null 2>&1 &", WITHIN)
    assert until(lambda: patient.state().armed)


def test_a_balancer_without_a_way_home_of_its_own_is_refused(tmp_path: Path) -> None:
    """Kind ssh needs a balancer on hosts; the error names the other kind."""
    site = Site("library", "test", tmp_path, tmp_path, None, "ann@desk")
    made = SshWatchdog(SshWatchdogSettings(kind="ssh"), site)
    made.__dict__["_traffic"] = object()
    with pytest.raises(UsageError) as caught:
        made.arm("d1", HOME)
    assert "watchdog" in caught.value.do


def test_two_balancers_on_one_host(tmp_path: Path) -> None:
    """Each has a watcher and a folder of its own."""
    balancers = Balancers(tmp_path / "balancers")
    for name in balancers.hosts:
        balancers.hosts[name] = LocalHost(name="lb")
    made = watchdog(balancers, tmp_path, NEVER)
    made.arm("d1", HOME).perform(WITHIN)
    assert watcher(tmp_path, "lb") != watcher(tmp_path, "lb--2-") != ""
    assert "lb: watches over d1 (detached); lb (2): watches over d1 (detached)" in made.state().detail
    made.disarm().perform(WITHIN)


def test_names_cannot_leave_the_folder() -> None:
    """A host's name is one part of a path, whatever is in it; its folder is below the home folder."""
    assert ".deploytasks/a-b/test/root-10.0.0.1-22/deadman" == commands.folder(
        "~/.deploytasks", "a/b", "test", "root@10.0.0.1:22"
    )


def test_an_interrupt_does_not_wait_for_hosts_that_hang(
    tmp_path: Path, balancers: Balancers, patient: SshWatchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is told to leave while a switch is armed leaves, and has the hosts' commands ended on the way."""
    ended: list[str] = []

    def hang(host: LocalHost, command: str, timeout: float, given: str | None = None) -> str:
        stop = threading.Event()
        try:
            with interrupt.reaching(stop.set):
                stop.wait(timeout)
        finally:
            ended.append(host.name)
        raise Unreachable(f"{host.name}: was given up")

    with monkeypatch.context() as patched:
        patched.setattr(LocalHost, "run", hang)
        signal = threading.Timer(0.3, _thread.interrupt_main)
        signal.start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            patient.arm("d1", HOME).perform(30.0)
    assert time.monotonic() - began < 8
    assert {"b1", "b2"} == set(ended)
