"""Releases on this machine: installed whole, started healthy or not at all, stopped with all they started."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploytasks.errors import DeployError, GateRefused, UsageError
from deploytasks.ports import Release
from deploytasks.providers.hosts.host import CommandFailed
from deploytasks.providers.hosts.serving import DidNotStart
from deploytasks.providers.identity import identity, is_alive
from deploytasks.providers.local import LocalFleet
from deploytasks.providers.site import Site
from deploytasks.web import fetch

from .conftest import MakeFleet, MakeRelease, perform


def known(site: Site, color: str = "green") -> str:
    """The identity in a color's pid file."""
    return (site.folder / "run" / f"{color}.pid").read_text().splitlines()[0]


def wait_for(condition: Callable[[], object], seconds: float = 5.0) -> bool:
    """Whether the condition came true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


def test_nothing_is_installed_at_first(fleet: LocalFleet) -> None:
    """A color without a release is ``None``, not an error, even before the root exists."""
    assert fleet.installed("blue") is None


def test_secrets_come_from_a_file_on_the_host(
    make_fleet: MakeFleet, make_release: MakeRelease, site: Site, tmp_path: Path
) -> None:
    """Variables of ``environment_file`` reach the application, also when it is started as before; they are nowhere in
    what is shown or kept, and without the file nothing is started."""
    file = tmp_path / "app's env"
    file.write_text("GREETING='s3cret $HOME'\n")
    fleet = make_fleet(environment_file=str(file))
    perform(fleet.install(make_release(), "green"))
    calls = fleet.start("green")
    perform(calls)
    assert json.loads(fetch(fleet.address("green") + "/").body)["GREETING"] == "s3cret $HOME"
    perform(fleet.stop("green"))
    perform(make_fleet().start("green", as_before=True))
    assert json.loads(fetch(fleet.address("green") + "/").body)["GREETING"] == "s3cret $HOME"
    perform(fleet.stop("green"))
    kept = [one for one in site.folder.rglob("*") if one.is_file() and b"s3cret" in one.read_bytes()]
    assert kept == []
    assert "s3cret" not in str(calls)
    file.unlink()
    with pytest.raises(DeployError):
        perform(fleet.start("green"))
    assert not (fleet.installed("green") or (0,) * 9)[3]


def test_installs_and_starts_a_release(fleet: LocalFleet, make_release: MakeRelease, site: Site) -> None:
    """After install and start, the color answers, healthy, from the release's own folder."""
    release = make_release("1.2.3-dev.4+gabc1234")
    perform(fleet.install(release, "green"))
    assert (fleet.installed("green") or ())[:4] == (release.name, release.digest, release.version, False)
    perform(fleet.start("green"))
    seen = json.loads(fetch(fleet.address("green") + "/").body)
    assert (seen["COLOR"], seen["RELEASE"], seen["VERSION"]) == ("green", release.name, release.version)
    assert Path(seen["folder"]) == site.folder / "releases" / release.name
    assert (fleet.installed("green") or ())[:4] == (release.name, release.digest, release.version, True)
    assert fleet.health("green").healthy
    assert fleet.installed("blue") is None


def test_both_colors_run_side_by_side(fleet: LocalFleet, make_release: MakeRelease) -> None:
    """Stopping one color leaves the other alone."""
    for color, version in (("blue", "1.0.0"), ("green", "1.1.0")):
        perform(fleet.install(make_release(version), color))
        perform(fleet.start(color))
    perform(fleet.stop("green"))
    assert (fleet.health("blue").healthy, fleet.health("green").healthy) == (True, False)


def test_pid_file_and_identity_module_agree(fleet: LocalFleet, make_release: MakeRelease, site: Site) -> None:
    """The shell writes the very identity that ``providers.identity`` computes."""
    perform(fleet.install(make_release(), "green"))
    perform(fleet.start("green"))
    pid = int(known(site).partition(":")[0])
    assert known(site) == identity(pid)


def test_same_twice_is_once(fleet: LocalFleet, make_release: MakeRelease, site: Site) -> None:
    """Installing and starting again leaves the running process alone."""
    release = make_release()
    for _ in range(2):
        perform(fleet.install(release, "green"))
        perform(fleet.start("green"))
        first = known(site)
    assert is_alive(first)
    assert known(site) == first


def test_another_release_replaces_the_running_one(fleet: LocalFleet, make_release: MakeRelease, site: Site) -> None:
    """Installing does not touch what runs; starting then does."""
    perform(fleet.install(make_release("1.0.0"), "green"))
    perform(fleet.start("green"))
    before = known(site)
    perform(fleet.install(make_release("1.1.0"), "green"))
    installed = fleet.installed("green")
    assert installed is not None
    assert (installed.version, installed.running, is_alive(before)) == ("1.1.0", False, True)
    perform(fleet.start("green"))
    assert not is_alive(before)
    assert json.loads(fetch(fleet.address("green") + "/").body)["VERSION"] == "1.1.0"


def test_changed_configuration_restarts(make_fleet: MakeFleet, make_release: MakeRelease) -> None:
    """The same release with another environment is not what was asked for: it is started anew."""
    fleet = make_fleet(environment={"GREETING": "hello"})
    perform(fleet.install(make_release(), "green"))
    perform(fleet.start("green"))
    fleet = make_fleet(environment={"GREETING": "{color} {{color}} $HOME `id` 'x' {version}"})
    perform(fleet.start("green"))
    seen = json.loads(fetch(fleet.address("green") + "/").body)
    assert seen["GREETING"] == "green {color} $HOME `id` 'x' 1.0.0"


def test_a_release_comes_back_as_it_ran_before(make_fleet: MakeFleet, make_release: MakeRelease) -> None:
    """Taking back does not depend on today's configuration: a typo in it cannot cost yesterday's release."""
    release = make_release()
    fleet = make_fleet(environment={"GREETING": "yesterday's"})
    perform(fleet.install(release, "green"))
    perform(fleet.start("green"))
    fleet = make_fleet(start="{python} appp.py {port}", start_within=5.0)
    with pytest.raises(DidNotStart):
        perform(fleet.start("green"))
    perform(fleet.start("green", as_before=True))

    assert json.loads(fetch(fleet.address("green") + "/").body)["GREETING"] == "yesterday's"
    assert (fleet.installed("green") or ())[:4] == (release.name, release.digest, release.version, True)


def test_what_never_ran_starts_as_configured(fleet: LocalFleet, make_release: MakeRelease) -> None:
    """Without a before, there is only today's configuration."""
    perform(fleet.install(make_release(), "green"))
    perform(fleet.start("green", as_before=True))
    assert fleet.health("green").healthy


def test_hung_process_is_replaced(make_fleet: MakeFleet, make_release: MakeRelease, site: Site) -> None:
    """A process of the right release that does not answer is not what was asked for: it is started anew."""
    fleet = make_fleet(health_within=0.2, stop_within=0.2)
    perform(fleet.install(make_release(), "green"))
    perform(fleet.start("green"))
    hung = known(site)
    os.killpg(int(hung.partition(":")[0]), signal.SIGSTOP)
    perform(fleet.start("green"))
    assert not is_alive(hung)
    assert fleet.health("green").healthy


def test_wrong_digest_is_refused(fleet: LocalFleet, make_release: MakeRelease, site: Site) -> None:
    """An archive that is not what it should be is never unpacked, and no link moves."""
    release = make_release()
    with pytest.raises(CommandFailed, match="its sha256 is"):
        perform(fleet.install(release._replace(digest="0" * 64), "green"))
    assert fleet.installed("green") is None
    assert [*(site.folder / "releases").iterdir(), *(site.folder / "incoming").iterdir()] == []


def test_half_unpacked_folder_is_no_release(fleet: LocalFleet, make_release: MakeRelease, site: Site) -> None:
    """A folder without the marker is replaced, and cannot be switched to."""
    release = make_release()
    half = site.folder / "releases" / release.name
    half.mkdir(parents=True)
    (half / "half").touch()
    with pytest.raises(CommandFailed, match="no release"):
        perform(fleet.switch("green", release.name))
    perform(fleet.install(release, "green"))
    assert (half / "app.py").exists()
    assert not (half / "half").exists()


def test_broken_archive_leaves_nothing(fleet: LocalFleet, make_release: MakeRelease, site: Site) -> None:
    """When unpacking fails half-way, the temporary folder goes too."""
    release = make_release(**{"big.bin": os.urandom(200_000).hex()})
    archive = Path(release.archive)
    archive.write_bytes(archive.read_bytes()[:100_000])
    torn = release._replace(digest=hashlib.sha256(archive.read_bytes()).hexdigest())
    with pytest.raises(CommandFailed, match="unpacking"):
        perform(fleet.install(torn, "green"))
    assert list((site.folder / "releases").iterdir()) == []


def test_missing_archive_is_a_short_error(fleet: LocalFleet, make_release: MakeRelease) -> None:
    """A release that was planned and never built says what to do."""
    with pytest.raises(UsageError, match="archive"):
        perform(fleet.install(make_release()._replace(archive=""), "green"))


def test_switch_and_unlink(fleet: LocalFleet, make_release: MakeRelease) -> None:
    """A color can go back to a release that is there, and to none."""
    old, new = make_release("1.0.0"), make_release("1.1.0")
    perform(fleet.install(old, "green"))
    perform(fleet.install(new, "green"))
    perform(fleet.switch("green", old.name))
    installed = fleet.installed("green")
    assert installed is not None
    assert installed.release == old.name
    for _ in range(2):
        perform(fleet.switch("green", None))
        assert fleet.installed("green") is None


def test_start_without_a_release_is_refused(fleet: LocalFleet) -> None:
    """There is nothing to start on a color that has no release."""
    with pytest.raises(DidNotStart, match="no release is current on green"):
        perform(fleet.start("green"))


def test_process_that_ends_early(make_fleet: MakeFleet, make_release: MakeRelease, site: Site) -> None:
    """Its last five lines are shown, those of this start only, and the pid file is gone."""
    said = "; ".join(f"echo line {number}" for number in range(7))
    perform(make_fleet().install(make_release(), "green"))
    for word in ("first", "second"):
        with pytest.raises(DidNotStart) as caught:
            perform(make_fleet(start=f"echo {word}; {said}; exit 3").start("green"))
    lines = [line.strip() for line in str(caught.value).splitlines() if line.startswith("    ")]
    assert lines == [f"line {number}" for number in range(2, 7)]
    assert not (site.folder / "run" / "green.pid").exists()
    with pytest.raises(DidNotStart) as caught:
        perform(make_fleet(start="exit 3").start("green"))
    assert "(nothing)" in str(caught.value)


def test_health_that_never_comes(make_fleet: MakeFleet, make_release: MakeRelease, site: Site) -> None:
    """The error says what the health page answered, and the process is not left running."""
    fleet = make_fleet(environment={"HEALTH": "503"}, start_within=1.0)
    perform(fleet.install(make_release(), "green"))
    with pytest.raises(DidNotStart, match="503: the database is away"):
        perform(fleet.start("green"))
    assert not (site.folder / "run" / "green.pid").exists()
    assert wait_for(lambda: not fleet.health("green").healthy)


def test_the_calls_timeout_bounds_the_start(make_fleet: MakeFleet, make_release: MakeRelease) -> None:
    """``perform``'s timeout wins over a longer ``start_within``."""
    fleet = make_fleet(start="sleep 60", start_within=60.0)
    perform(fleet.install(make_release(), "green"))
    began = time.monotonic()
    with pytest.raises(DidNotStart):
        perform(fleet.start("green"), timeout=0.5)
    assert time.monotonic() - began < 10


def test_port_in_use(fleet: LocalFleet, make_release: MakeRelease, site: Site) -> None:
    """A port that something foreign has: a refusal that names it, and nothing started."""
    perform(fleet.install(make_release(), "green"))
    port = int(fleet.address("green").rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)), pytest.raises(GateRefused, match=f"port {port} is in use"):
        perform(fleet.start("green"))
    assert not (site.folder / "run" / "green.pid").exists()


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
wait = "import signal, time; signal.signal(15, 1); time.sleep(99)"
child = subprocess.Popen([sys.executable, "-c", wait])
open(os.environ["CHILD"], "w").write(str(child.pid))
exec(open("app.py").read())
"""


def test_stop_kills_the_whole_group(
    make_fleet: MakeFleet, make_release: MakeRelease, site: Site, tmp_path: Path
) -> None:
    """What ignores TERM is killed after ``stop_within``, with its children."""
    fleet = make_fleet(start="{python} stubborn.py {port}", stop_within=0.3, environment={"CHILD": str(tmp_path / "c")})
    perform(fleet.install(make_release(**{"stubborn.py": STUBBORN}), "green"))
    perform(fleet.start("green"))
    child = identity(int((tmp_path / "c").read_text()))
    leader = known(site)
    assert child is not None
    perform(fleet.stop("green"))
    assert (is_alive(leader), is_alive(child)) == (False, False)
    assert not (site.folder / "run" / "green.pid").exists()
    perform(fleet.stop("green"))


def test_children_of_a_dead_leader_are_stopped(
    make_fleet: MakeFleet, make_release: MakeRelease, site: Site, tmp_path: Path
) -> None:
    """When the leader was killed and its children live on, stopping ends them: they hold the port."""
    fleet = make_fleet(start="{python} stubborn.py {port}", stop_within=0.3, environment={"CHILD": str(tmp_path / "c")})
    perform(fleet.install(make_release(**{"stubborn.py": STUBBORN}), "green"))
    perform(fleet.start("green"))
    child = identity(int((tmp_path / "c").read_text()))
    assert child is not None
    os.kill(int(known(site).partition(":")[0]), signal.SIGKILL)
    assert wait_for(lambda: not is_alive(known(site)))
    perform(fleet.stop("green"))
    assert not is_alive(child)


@pytest.mark.skipif(sys.platform != "linux", reason="a start time that differs by a tick is made up for /proc")
def test_reused_pid_is_never_killed(fleet: LocalFleet, make_release: MakeRelease, site: Site) -> None:
    """A pid file whose number belongs to a stranger by now: the stranger lives on, the file goes."""
    perform(fleet.install(make_release(), "green"))
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    try:
        number, start, boot = (identity(stranger.pid) or "").split(":")
        file = site.folder / "run" / "green.pid"
        file.write_text(f"{number}:{int(start) - 1}:{boot}\n{make_release().name}\n000000000000\n")
        installed = fleet.installed("green")
        assert installed is not None
        assert not installed.running
        perform(fleet.stop("green"))
        assert (stranger.poll(), file.exists()) == (None, False)
    finally:
        stranger.kill()
        stranger.communicate()


def test_run_works_in_the_release(fleet: LocalFleet, make_release: MakeRelease, site: Site) -> None:
    """A command runs in the color's current release with its placeholders and environment."""
    release = make_release()
    perform(fleet.install(release, "green"))
    call = fleet.run("green", "echo {release} $VERSION {color} {port} $PORT > {shared}/seen && cat version.txt", "look")
    call.perform(10)
    port = fleet.address("green").rpartition(":")[2]
    assert call.text.startswith(f'local: look on green: echo "$RELEASE" $VERSION green {port} $PORT > ')
    assert (site.folder / "shared" / "seen").read_text().split() == [release.name, "1.0.0", "green", port, port]
    assert list((site.folder / "run").iterdir()) == []


def test_failing_run_shows_its_last_lines(fleet: LocalFleet, make_release: MakeRelease) -> None:
    """The error has what was done, the code, and the last lines of stdout and stderr together."""
    perform(fleet.install(make_release(), "green"))
    with pytest.raises(CommandFailed) as caught:
        fleet.run("green", "for i in 1 2 3 4 5 6; do echo out $i; done; echo broken >&2; exit 7", "migrate").perform(10)
    assert "migrate failed with code 7" in caught.value.what
    assert caught.value.lines == ["out 3", "out 4", "out 5", "out 6", "broken"]


def test_run_out_of_time_leaves_no_orphan(fleet: LocalFleet, make_release: MakeRelease, tmp_path: Path) -> None:
    """A command that is given up is killed with its children, those in other sessions too."""
    perform(fleet.install(make_release(), "green"))
    note = tmp_path / "pids"
    line = f"(sleep 98 & echo $! >> {note}); setsid sh -c 'echo $$ >> {note}; exec sleep 99' & echo $$ >> {note}; wait"
    with pytest.raises(DeployError, match=r"not done after 0\.6 s"):
        fleet.run("green", line, "wait").perform(0.6)
    pids = [int(pid) for pid in note.read_text().split()]
    assert len(pids) == 3
    assert wait_for(lambda: not any(identity(pid) for pid in pids))


def test_run_refuses_to_run_beside_itself(fleet: LocalFleet, make_release: MakeRelease, site: Site) -> None:
    """A migration that a dead deployer left at work is not started a second time."""
    perform(fleet.install(make_release(), "green"))
    (site.folder / "run" / "command-migrate.pid").write_text(f"{identity(os.getpid())}\nx\ny\n")
    with pytest.raises(GateRefused, match=f"process {os.getpid()} still runs"):
        fleet.run("green", "true", "migrate").perform(10)
    fleet.run("green", "true", "something else").perform(10)


def test_prune_keeps_the_newest_and_what_is_needed(fleet: LocalFleet, make_release: MakeRelease, site: Site) -> None:
    """Never a current, a running or a spared release, however old."""
    releases: list[Release] = []
    for number in range(6):
        release = make_release(f"1.{number}.0")
        perform(fleet.install(release, "green"))
        os.utime(site.folder / "releases" / release.name / ".digest", (number, number))
        releases.append(release)
    perform(fleet.switch("green", releases[0].name))
    perform(fleet.start("green"))
    perform(fleet.switch("green", releases[1].name))
    perform(fleet.prune(2, spare=[releases[2].name]))
    left = sorted(path.name for path in (site.folder / "releases").iterdir())
    assert left == sorted(release.name for release in (*releases[:3], *releases[4:]))


def test_texts_say_what_will_be_done(fleet: LocalFleet, make_release: MakeRelease) -> None:
    """The texts are the same before and after the calls were made: a plan can be compared."""
    release = make_release()

    def texts() -> list[str]:
        calls = [*fleet.install(release, "green"), *fleet.start("green"), *fleet.stop("green"), *fleet.prune(2)]
        return [call.text for batch in calls for call in batch]

    before = texts()
    assert release.digest in before[0]
    assert "app.py" in before[1]
    perform(fleet.install(release, "green"))
    perform(fleet.start("green"))
    assert texts() == before


def test_diagnose(fleet: LocalFleet, make_release: MakeRelease) -> None:
    """Host and colors are fine when they are, and a color that answers badly is not."""
    perform(fleet.install(make_release(), "green"))
    assert [finding.state for finding in fleet.diagnose()] == ["ok", "ok", "ok"]
