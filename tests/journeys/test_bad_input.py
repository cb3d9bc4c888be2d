"""What goes wrong before or beside a release: a short error, the right code, nothing left running or half shifted."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from journeys.environment import until

from deploytasks import web
from deploytasks.ports import other
from deploytasks.providers.identity import pid_of

if TYPE_CHECKING:
    from journeys.conftest import Pool
    from journeys.environment import Done, Environment


def assert_short(done: Done, code: int, *words: str) -> None:
    """The code, the words, what to do, and no more than a person reads."""
    assert done.code == code, done.said
    for word in words:
        assert word in done.said, done.said
    assert re.search(r"^\s+do:?\s", done.said, re.MULTILINE), done.said


def assert_nothing_began(environment: Environment) -> None:
    """No process, and no deployment that was not refused at once."""
    assert environment.processes() == {}
    assert {event.facts["outcome"] for event in environment.events("ended")} <= {"refused"}
    assert environment.world.ledger.head().standing.open is None


@pytest.fixture(scope="module")
def untouched(pool: Pool) -> Iterator[Environment]:
    """An environment in which nothing was done, and nothing gets done by what is refused."""
    environment = pool.new()
    yield environment
    environment.end()


@pytest.fixture
def refused(untouched: Environment) -> Iterator[Environment]:
    """The same, with the usual settings again and the proof that nothing was done."""
    untouched.configure()
    yield untouched
    untouched.configure()
    assert_nothing_began(untouched)


def test_an_environment_that_does_not_exist(refused: Environment) -> None:
    """Code 2, and a guess at what was meant."""
    assert_short(refused.inv("deploy", "--env", "develpment"), 2, "develpment", "development")


def test_a_color_that_does_not_exist(refused: Environment) -> None:
    """Code 2, for a deployment as for a rollback."""
    assert_short(refused.inv("rollback", "--to", "red", "--reason", "x"), 2, "red", "--to blue")
    assert_short(refused.inv("smoke", "--color", "red"), 2, "red", "blue, green")


def test_stages_that_fall(refused: Environment) -> None:
    """Code 2, with the path in the file."""
    refused.configure(stages=[10, 75, 60, 100])
    path = "deploy.environments.development.stages[2]: 60 is below 75"
    assert_short(refused.inv("deploy"), 2, path)


def test_no_git_repository(refused: Environment) -> None:
    """Code 2, and how to make one."""
    hidden = refused.root / ".git"
    hidden.rename(refused.root.parent / "hidden.git")
    try:
        assert_short(refused.inv("deploy"), 2, "git", "git init")
    finally:
        (refused.root.parent / "hidden.git").rename(hidden)


def test_a_dirty_tree_where_only_commits_may_go_out(refused: Environment) -> None:
    """Code 3, naming what is in no commit."""
    refused.configure(dirty=False)
    change = refused.root / "library/uncommitted.txt"
    change.write_text("never committed")
    try:
        assert_short(refused.inv("deploy"), 3, "changes that no commit has: library/uncommitted.txt")
    finally:
        change.unlink()


def test_the_public_port_in_use(refused: Environment) -> None:
    """Code 7, naming the port; nothing was started."""
    with socket.create_server(("127.0.0.1", refused.port)):
        done = refused.inv("deploy")
    assert_short(done, 7, str(refused.port))
    assert refused.processes() == {}


def test_the_port_of_a_color_in_use(live: Environment) -> None:
    """Something else answers there, even healthily: taken back, the stranger is left alone."""
    home = live.live()
    away = other(home)
    if live.split().way_back or len(live.servers()) > 1:
        assert live.inv("retire", "--force").code == 0
    port = live.blue if away == "blue" else live.green
    with socket.create_server(("127.0.0.1", port)) as stranger:
        done = live.inv("deploy")
        assert stranger.fileno() > 0
    assert_short(done, 4, str(port), "in use")
    live.assert_at_rest(home, running={home})


def test_no_envoy(refused: Environment) -> None:
    """A program that is not there: code 7 or 2, and how to get it."""
    refused.configure(traffic={"binary": "nowhere/envoy"})
    done = refused.inv("deploy")
    assert done.code in (2, 7), done.said
    assert_short(done, done.code, "nowhere/envoy")
    assert refused.processes() == {}


def _kill_the_balancer(environment: Environment) -> None:
    state = environment.world.traffic._place.read_state()  # type: ignore[attr-defined]  # whom to kill
    for known in (state.supervisor, state.envoy):
        environment.kill(pid_of(known))


def test_a_dead_envoy_is_told_of_and_cannot_be_rolled_back_but_the_next_deployment_brings_it_up(
    live: Environment,
) -> None:
    """Status says so, a rollback leaves with 7, and `deploy` has users served again where they were."""
    home = live.live()
    _kill_the_balancer(live)
    status = live.inv("status", "--json")
    assert status.code == 0, status.said
    assert "unreadable" in status.answer["traffic"]
    assert_short(live.inv("rollback", "--no-watch", "--reason", "dead"), 7)
    done = live.inv("deploy")
    assert done.code == 0, done.said
    live.assert_at_rest(other(home))


def test_an_envoy_that_dies_alone_is_back_at_once_with_its_split(live: Environment) -> None:
    """The supervisor starts it again, weights, way back and writer as they were."""
    before = live.split()
    state = live.world.traffic._place.read_state()  # type: ignore[attr-defined]  # whom to kill
    live.kill(pid_of(state.envoy))
    until(lambda: live.split() == before, 10)
    until(lambda: web.fetch(f"{live.url}/health", timeout=2).status == 200, 10)
    live.assert_at_rest(before.live or "blue")


def test_a_release_that_does_not_start(live: Environment) -> None:
    """Code 4, with its last words."""
    home = live.live()
    (live.root / "library/library/wsgi.py").write_text("raise RuntimeError('no wsgi today')\n")
    live.commit()
    try:
        done = live.inv("deploy")
    finally:
        live.git("checkout", "--quiet", "HEAD~1", "--", "library/library/wsgi.py")
    assert_short(done, 4, "no wsgi today")
    live.assert_at_rest(home)


def test_a_health_page_that_never_comes(live: Environment) -> None:
    """Code 4, naming the page."""
    home = live.live()
    live.configure(fleet={"health": "/nowhere", "start_within": "2s"}, smoke={"checks": [{"name": "p", "path": "/"}]})
    done = live.inv("deploy-blue-green", "--redeploy")
    if done.code == 3:  # not built yet
        live.inv("build")
        done = live.inv("deploy-blue-green", "--redeploy")
    assert_short(done, 4, "/nowhere")
    live.configure()
    live.assert_at_rest(home)


def test_a_ledger_that_cannot_be_written(fresh: Environment) -> None:
    """A store below a file: refused with 7 before anything runs; `doctor` names it."""
    (fresh.root / "a-file").write_text("")
    fresh.configure(store={"kind": "directory", "path": "a-file/store"})
    assert_short(fresh.inv("deploy"), 7, "a-file/store")
    assert fresh.processes() == {}
    doctor = fresh.inv("doctor")
    assert doctor.code == 7, doctor.said
    assert "a-file/store" in doctor.said


def test_an_unwritable_ledger_does_not_keep_anybody_from_rolling_back(settled: Environment) -> None:
    """Traffic goes home all the same; what happened is recorded when the ledger is back."""
    home = settled.split().way_back
    (settled.root / "a-file").write_text("")
    settled.configure(store={"kind": "directory", "path": "a-file/store"})
    done = settled.inv("rollback", "--no-watch", "--reason", "no ledger")
    assert (done.code, settled.live()) == (0, home), done.said
    settled.configure()
    assert settled.inv("status").code == 0
    assert settled.events("rolled-back")[-1].facts["reason"] == "no ledger"


@pytest.mark.full
def test_a_mistake_elsewhere_in_the_settings_does_not_keep_anybody_from_rolling_back(settled: Environment) -> None:
    """Under metrics, say: traffic goes home, and the words say what was left out, and why."""
    home = settled.split().way_back
    settled.configure(metrics={"kind": "nonsense"}, deadman={"grace": "never"}, stages=[75, 10])
    done = settled.inv("rollback", "--reason", "a bad day")
    assert done.code == 0, done.said
    assert "metrics.kind" in done.err
    settled.configure()
    settled.assert_at_rest(home or "blue")


def test_a_ledger_that_is_configured_wrong_does_not_keep_anybody_from_rolling_back(settled: Environment) -> None:
    """Traffic goes home, and what happened is recorded as soon as the ledger can be found again."""
    home = settled.split().way_back
    settled.configure(store={"kind": "nonsense"}, database={"kind": "nonsense"})
    done = settled.inv("rollback", "--reason", "a worse day")
    assert done.code == 0, done.said
    settled.configure()
    settled.assert_at_rest(home or "blue")
    assert settled.events("rolled-back")[-1].facts["reason"] == "a worse day"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk(small_disk: Path, fresh: Environment) -> None:
    """Code 4 or 7 and a word about space; traffic and processes as before; with room again it works."""
    (fresh.root / ".deploy").symlink_to(small_disk)
    first = fresh.inv("deploy")
    assert first.code == 0, first.said
    filler = small_disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(65536)):
            pass
    fresh.commit()
    done = fresh.inv("deploy")
    seen = fresh.colors_seen()
    filler.unlink()
    assert done.code in (4, 7), done.said
    assert "No space left" in done.said, done.said
    assert seen == {"blue"}
    again = fresh.inv("deploy")
    assert again.code == 0, again.said
    fresh.assert_at_rest("green")


def test_a_limit_on_the_size_of_files(live: Environment) -> None:
    """A deployer whose files may not grow (``ulimit -f``) leaves with an error of ours, and traffic stays."""
    import resource

    home = live.live()

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))

    done = live.inv("deploy", preexec_fn=limited)
    assert done.code in (4, 7), done.said
    live.inv("status")
    live.assert_at_rest(home)
