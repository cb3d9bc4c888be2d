from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import deploytasks
from deploytasks.errors import SplitMoved, Unreachable, UsageError
from deploytasks.ports import Split
from deploytasks.providers import identity
from deploytasks.providers.site import Site
from deploytasks.providers.watchdog import Watchdog
from deploytasks.providers.watchdog.arming import Arming, read_arming, read_state
from deploytasks.providers.watchdog.homecoming import go_home, reason_not_to, target
from deploytasks.settings.watchdog import WatchdogSettings

DOUBLES = Path(__file__).parent / "doubles"
ID, OTHER_ID = "20261123-101500-ab12cd", "20261123-111500-ef34ab"
HOME = Split(100, 0, None, f"deadman:{ID}")
MIXED = Split(75, 25, "blue", f"deploy:{ID}")
GRACE = 1.0
TIMEOUT = 15.0


@pytest.fixture
def balancer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A balancer that every process of this test can open, at 25 %."""
    monkeypatch.syspath_prepend(str(DOUBLES))
    import file_balancer

    file_balancer.install(monkeypatch.setitem)
    (tmp_path / "sitecustomize.py").write_text(file_balancer.sitecustomize(DOUBLES))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path(deploytasks.__file__).parents[1])]))
    (tmp_path / "split.json").write_text(json.dumps(list(MIXED)))
    return file_balancer.FileBalancer(file_balancer.FileBalancerSettings(path="split.json"), site_at(tmp_path))


@pytest.fixture
def site(tmp_path: Path, balancer) -> Site:
    import file_balancer

    return site_at(tmp_path)._replace(sections={"traffic": file_balancer.FileBalancerSettings(path="split.json")})


@pytest.fixture
def deadman(site: Site) -> Iterator[Watchdog]:
    made = Watchdog(WatchdogSettings(grace=GRACE), site)
    yield made
    made.disarm().perform(TIMEOUT)


def site_at(root: Path) -> Site:
    return Site("library", "development", root, root / ".deploy" / "development", None, "ann@host")


def wait_for(claim: Callable[[], object], within: float = GRACE + 5) -> None:
    """Poll until it is true; fail when it does not become so."""
    until = time.monotonic() + within
    while not claim():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.02)


def process(site: Site) -> str:
    """The identity of the watchdog that runs, or ran last."""
    state = read_state(site.folder / "deadman")
    assert state is not None
    return state.process


def spooled(site: Site) -> str:
    return "\n".join(file.read_text() for file in (site.folder / "spool").glob("*") if file.is_file())


def test_a_normal_end_disarms_and_nothing_is_left(deadman, site, balancer):
    """Armed, then disarmed: the process is gone and traffic is where it was."""
    deadman.arm(ID, HOME).perform(TIMEOUT)
    watching = process(site)

    assert deadman.state().armed
    assert identity.is_alive(watching)
    deadman.disarm().perform(TIMEOUT)
    assert (deadman.state().armed, deadman.state().detail) == (False, "not armed")
    assert not identity.is_alive(watching)
    assert balancer.read() == MIXED


def test_silence_takes_traffic_home(deadman, site, balancer):
    """Without a beat, everything goes home within the grace + 5 s, signed, shown, and noted for the ledger."""
    deadman.arm(ID, HOME).perform(TIMEOUT)
    wait_for(lambda: balancer.read() == HOME)
    wait_for(lambda: deadman.state().fired_at)

    state = deadman.state()
    assert not state.armed
    assert "blue 75 % / green 25 % → blue 100 % / green 0 %" in state.detail
    wait_for(lambda: not identity.is_alive(process(site)))
    assert "deadman-fired" in spooled(site)
    assert ID in spooled(site)
    assert [finding.state for finding in deadman.diagnose()] == ["warn"]


def test_a_beat_keeps_traffic_where_it_is(deadman, balancer):
    """As long as the deployer beats, nothing happens, longer than the grace."""
    deadman.arm(ID, HOME).perform(TIMEOUT)
    until = time.monotonic() + 2.5 * GRACE
    while time.monotonic() < until:
        deadman.beat()
        time.sleep(0.05)

    assert balancer.read() == MIXED
    assert deadman.state().armed
    assert ID in deadman.state().detail


def test_only_the_deployer_that_armed_can_beat(deadman, site, balancer):
    """Another process that pulses (a status, a smoke test) does not keep a dead deployer's split alive."""
    deadman.arm(ID, HOME).perform(TIMEOUT)
    bystander = Watchdog(WatchdogSettings(grace=GRACE), site)

    def gone_home() -> bool:
        bystander.beat()
        return balancer.read() == HOME

    wait_for(gone_home)


@pytest.mark.parametrize("writer", [f"deploy:{OTHER_ID}", f"settled:{ID}", None])
def test_a_split_of_someone_else_is_left_alone(deadman, balancer, writer):
    """Traffic that another deployment, a settled one or a person put somewhere is not touched."""
    balancer.shift(MIXED._replace(writer=writer)).perform(1)
    deadman.arm(ID, HOME).perform(TIMEOUT)
    wait_for(lambda: not deadman.state().armed)

    assert balancer.read() == MIXED._replace(writer=writer)
    assert deadman.state().fired_at is None
    assert "not this deployment's" in deadman.state().detail


@pytest.mark.parametrize(
    ("split", "stays"),
    [
        (MIXED, None),
        (Split(0, 100, "blue", f"deploy:{ID}"), None),
        (Split(100, 0, None, f"deploy:{ID}"), "home already"),
        (Split(100, 0, None, f"back:{ID}"), "not this deployment's"),
        (Split(0, 100, "blue", f"settled:{ID}"), "not this deployment's"),
        (Split(75, 25, "blue", f"deploy:{OTHER_ID}"), "not this deployment's"),
        (Split(0, 0), "nobody who signed"),
    ],
)
def test_what_goes_home(split, stays):
    """Only what this deployment wrote on its way, the bake at 100 % included, and only if it is not home."""
    reason = reason_not_to(split, order())

    assert (reason is None) == (stays is None)
    assert (stays or "") in (reason or "")


def order() -> Arming:
    return Arming("a", ID, HOME, GRACE, "library", "development", "/", "/", "ann@host", {})


def test_a_deployer_back_in_the_last_moment_stops_it(balancer):
    """If the beat returns between look and write, nothing is written."""
    assert go_home(balancer, order(), lambda: False) is None
    assert balancer.read() == MIXED


def test_a_lost_answer_is_no_second_write(balancer):
    """What an earlier attempt already put home counts as home."""
    balancer.shift(target(order())).perform(1)

    assert go_home(balancer, order(), lambda: True).written


def test_arming_twice_is_one_watchdog(deadman, site):
    """For the same deployment the watchdog that runs is kept, also by another deployer that resumes."""
    deadman.arm(ID, HOME).perform(TIMEOUT)
    first = process(site)
    resumed = Watchdog(WatchdogSettings(grace=GRACE), site)
    resumed.arm(ID, HOME).perform(TIMEOUT)

    assert process(site) == first
    assert identity.is_alive(first)


def test_arming_for_another_deployment_replaces(deadman, site, balancer):
    """One watchdog per environment: the one before is ended, and its deployer's beat counts for nothing."""
    deadman.arm(ID, HOME).perform(TIMEOUT)
    first = process(site)
    other = Watchdog(WatchdogSettings(grace=GRACE), site)
    balancer.shift(MIXED._replace(writer=f"deploy:{OTHER_ID}")).perform(1)
    other.arm(OTHER_ID, HOME).perform(TIMEOUT)

    assert not identity.is_alive(first)
    assert OTHER_ID in deadman.state().detail

    def gone_home() -> bool:
        deadman.beat()
        return balancer.read().writer == f"deadman:{OTHER_ID}"

    wait_for(gone_home)


def test_it_tries_until_the_balancer_answers(deadman, balancer, tmp_path):
    """A balancer that is down is asked again; meanwhile the state says so."""
    (tmp_path / "down").touch()
    deadman.arm(ID, HOME).perform(TIMEOUT)
    wait_for(lambda: "the balancer does not answer" in deadman.state().detail)
    assert deadman.state().armed
    (tmp_path / "down").unlink()

    wait_for(lambda: balancer.read() == HOME)


def test_a_lock_that_nobody_gives_back_is_no_obstacle(deadman, balancer, tmp_path):
    """A deployer stopped in the middle of a write holds the lock: after two polite attempts it is passed over."""
    (tmp_path / "locked").touch()
    deadman.arm(ID, HOME).perform(TIMEOUT)

    wait_for(lambda: balancer.read() == HOME)
    wait_for(lambda: deadman.state().fired_at)


def test_a_split_that_moves_in_the_last_moment_stays(balancer):
    """What someone writes between look and write is not written over."""
    moved = Split(0, 100, None, "back:x")

    def move() -> bool:
        balancer.shift(moved).perform(1)
        return True

    with pytest.raises(SplitMoved):
        go_home(balancer, order(), move)
    assert balancer.read() == moved


def test_a_beat_that_returns_while_it_tries_calls_it_off(deadman, balancer, tmp_path):
    """A deployer that was only stopped takes over again: the watchdog watches on."""
    (tmp_path / "down").touch()
    deadman.arm(ID, HOME).perform(TIMEOUT)
    wait_for(lambda: "cannot be taken home yet" in deadman.state().detail)

    def watches() -> bool:
        deadman.beat()
        return deadman.state().detail.startswith("watches over")

    wait_for(watches)
    deadman.disarm().perform(TIMEOUT)
    (tmp_path / "down").unlink()
    assert balancer.read() == MIXED


@pytest.mark.parametrize(
    ("limit", "said"),
    [({"patience": 0.2}, "gave up: traffic cannot be taken home yet"), ({"lifetime": 0.2}, "lifetime")],
)
def test_it_does_not_live_for_ever(deadman, site, tmp_path, monkeypatch, limit, said):
    """It gives up on a balancer that stays away, and on a deployment that never ends; and says so."""
    (tmp_path / "down").touch()
    ordered = deadman._order
    monkeypatch.setattr(deadman, "_order", lambda *given: ordered(*given)._replace(**limit))
    deadman.arm(ID, HOME).perform(TIMEOUT)
    wait_for(lambda: said in deadman.state().detail)

    wait_for(lambda: not identity.is_alive(process(site)))
    assert ("deadman-failed" in spooled(site)) == ("patience" in limit)


def test_it_ends_with_its_folder(deadman, site):
    """A state folder that is deleted takes the watchdog with it, and traffic is not touched."""
    deadman.arm(ID, HOME).perform(TIMEOUT)
    watching = process(site)
    (site.folder / "deadman" / "arming.json").unlink()

    wait_for(lambda: not identity.is_alive(watching))


def test_a_dead_watchdog_is_seen(deadman, site):
    """Killed from outside, it shows as not armed; disarming is fine, and arming starts a new one."""
    deadman.arm(ID, HOME).perform(TIMEOUT)
    identity.signal_if_same(process(site), signal.SIGKILL)
    wait_for(lambda: not deadman.state().armed)

    assert "its process is gone" in deadman.state().detail
    assert [finding.state for finding in deadman.diagnose()] == ["warn"]
    deadman.arm(ID, HOME).perform(TIMEOUT)
    assert deadman.state().armed


def test_a_stopped_watchdog_can_be_disarmed(deadman, site):
    """One that does not react to being asked is ended by force."""
    deadman.arm(ID, HOME).perform(TIMEOUT)
    watching = process(site)
    identity.signal_if_same(watching, signal.SIGSTOP)
    deadman.disarm().perform(1.0)

    assert not identity.is_alive(watching)


def test_it_outlives_its_deployer(site, balancer):
    """Ctrl-C, a closed terminal and kill -9 end the deployer's whole process group; traffic goes home all the same."""
    deployer = subprocess.Popen(
        [sys.executable, "-c", DEPLOYER, str(site.root)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert deployer.stdout is not None
    with deployer:
        assert deployer.stdout.readline() == "armed\n"
        watching = process(site)
        assert os.getpgid(identity.pid_of(watching)) != deployer.pid
        for signum in (signal.SIGINT, signal.SIGHUP):
            assert identity.signal_if_same(watching, signum)
        killed_at = time.monotonic()
        os.killpg(deployer.pid, signal.SIGKILL)
    wait_for(lambda: balancer.read() == HOME)

    assert GRACE - 0.5 <= time.monotonic() - killed_at < GRACE + 5
    wait_for(lambda: not identity.is_alive(watching))


DEPLOYER = """
import sys, time
from pathlib import Path
from file_balancer import FileBalancerSettings
from deploytasks.ports import Split
from deploytasks.providers.site import Site
from deploytasks.providers.watchdog import Watchdog
from deploytasks.settings.watchdog import WatchdogSettings

root = Path(sys.argv[1])
site = Site("library", "development", root, root / ".deploy" / "development", None, "ann@host",
            {"traffic": FileBalancerSettings(path="split.json")})
deadman = Watchdog(WatchdogSettings(grace=1.0), site)
deadman.arm("20261123-101500-ab12cd", Split(100, 0)).perform(15)
print("armed", flush=True)
while True:
    deadman.beat()
    time.sleep(0.05)
"""


def test_it_cannot_be_armed_without_the_balancers_settings(site):
    """What it could not do when it must is refused when it is armed."""
    with pytest.raises(UsageError, match="traffic"):
        Watchdog(WatchdogSettings(), site._replace(sections={})).arm(ID, HOME).perform(TIMEOUT)


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(site):
    """A file in the place of the folder: nothing is armed, and the error says where to look."""
    site.folder.parent.mkdir()
    site.folder.touch()
    deadman = Watchdog(WatchdogSettings(), site)

    with pytest.raises(Unreachable, match="cannot be armed") as raised:
        deadman.arm(ID, HOME).perform(TIMEOUT)
    assert str(site.folder) in raised.value.do


def test_a_watchdog_that_does_not_start_is_an_error(deadman, site, monkeypatch):
    """Nothing is left armed when the process cannot run."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    began = time.monotonic()

    with pytest.raises(Unreachable, match="did not start"):
        deadman.arm(ID, HOME).perform(TIMEOUT)
    assert time.monotonic() - began < TIMEOUT / 2
    assert deadman.state() == (False, None, "not armed")


def test_a_beat_never_raises(deadman, site):
    """With its file gone, a beat fails quietly and the state tells."""
    deadman.beat()
    deadman.arm(ID, HOME).perform(TIMEOUT)
    for beat in (site.folder / "deadman").glob("beat-*"):
        beat.unlink()
    deadman.beat()

    assert "beats fail" in deadman.state().detail


def test_the_order_has_no_secret_and_survives_its_file(deadman, site, monkeypatch):
    """What is written is what was ordered, readable by its owner only."""
    deadman.arm(ID, HOME).perform(TIMEOUT)
    file = site.folder / "deadman" / "arming.json"
    there = read_arming(file.parent)

    assert there is not None
    assert there.asks_the_same(deadman._order(ID, HOME))
    assert file.stat().st_mode & 0o077 == 0
    assert set(there.sections) == {"traffic"}


def test_waiting_costs_little():
    """What the process loads while it waits has neither pydantic nor anything of Invoke."""
    code = "import sys, deploytasks.providers.watchdog.vigil; print({'pydantic', 'invoke'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout == "set()\n"
