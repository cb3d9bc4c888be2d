"""A fleet of several hosts: some fail, some are down, some come back; and what a deployment makes of that."""

from __future__ import annotations

import shutil
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import crowd
import memory
import pytest
import stories

from deploytasks import plans
from deploytasks.engine.run import Outcome
from deploytasks.errors import DeployError, GateRefused, HostsDown, NotEnoughEvidence, TakenBack, UsageError
from deploytasks.operations import answers
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.hosts import leave_out
from deploytasks.operations.resuming import resume
from deploytasks.operations.returning import roll_back
from deploytasks.ports import Call
from deploytasks.view.paint import Paint
from deploytasks.view.text.status import status
from deploytasks.world import World

SHORT = stories.SHORT


def world(folder: Path, **changes: Any) -> World:
    return crowd.world(folder, **{**SHORT, **changes})


def deploy(world: World, version: str = "1.1.0") -> Outcome:
    return stories.deploy(world, version)


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """1.0.0 is live on blue, on four hosts; 0.9.0 was on green before."""
    deploy(world(tmp_path), "0.9.0")
    deploy(world(tmp_path), "1.0.0")
    assert "green" == stories.split(tmp_path).live
    return tmp_path


def on(folder: Path, color: str = "blue") -> dict[str, str]:
    """What runs on each host."""
    found = {}
    for name in crowd.NAMES:
        there = crowd.Crowd(folder).host(name).color(color) or {}  # type: ignore[arg-type]  # a color
        found[name] = str(there.get("running") or "-").partition("-")[0] or "-"
    return found


def writes(folder: Path) -> dict[str, list[str]]:
    return {name: list(crowd.Crowd(folder).state(name).read()["log"]) for name in crowd.NAMES}


def new_writes(folder: Path, before: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: log[len(before[name]) :] for name, log in writes(folder).items()}


def make(folder: Path, **how: object) -> None:
    memory.state_of(folder).set(**how)


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [dict(event.facts) for event in world(folder).ledger.events() if event.kind == kind]


def everywhere(version: str) -> dict[str, str]:
    return dict.fromkeys(crowd.NAMES, version)


# -- a host that is down before the start ----------------------------------------------------------


def test_a_host_that_is_down_is_refused(live: Path) -> None:
    """Code 7, before anything is written; all of them are named, and how to go on without them."""
    make(live, down=["h2", "h3"])
    before = writes(live)
    with pytest.raises(HostsDown, match="h2, h3") as caught:
        deploy(world(live))

    assert (7, "nothing was changed") == (caught.value.exit_code, caught.value.state)
    assert "--exclude-host h2,h3" in caught.value.do
    assert {name: [] for name in crowd.NAMES} == new_writes(live, before)
    assert memory.world(live).ledger.head().standing.open is None


def test_a_host_is_left_out(live: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a reason, which is recorded and told; the others get the release."""
    make(live, down=["h3"])
    without = world(live)
    leave_out(without, ["h3"], "disk broken")
    outcome = deploy(without)

    assert 0 == outcome.code
    assert {**everywhere("1.1.0"), "h3": "0.9.0"} == on(live)
    assert {"h3": "disk broken"} == events(live, "began")[-1]["aside"]
    said = capsys.readouterr()
    assert "without  h3 (disk broken): it must be down, or be taken out of the balancer" in said.out


def test_a_host_that_is_left_out_and_answers_runs_nothing_old(live: Path) -> None:
    """Its color is stopped: an older release would be served as if it were the new one."""
    without = world(live)
    leave_out(without, ["h3", "h4"], "disk broken")
    deploy(without)

    assert {"h1": "1.1.0", "h2": "1.1.0", "h3": "-", "h4": "-"} == on(live)


@pytest.mark.parametrize(
    ("names", "reason", "expected"),
    [
        (["h3"], None, "why leave out h3"),
        (["h3"], "  ", "why leave out h3"),
        (["h3,web9"], "broken", "there is no host web9"),
        (["h1,h2", "h3", "h4"], "broken", "no host is left for blue"),
    ],
)
def test_who_may_be_left_out(live: Path, names: list[str], reason: str | None, expected: str) -> None:
    """Not without a reason, not somebody unknown, not everybody: code 2."""
    with pytest.raises(UsageError, match=expected) as caught:
        leave_out(world(live), names, reason)
    assert 2 == caught.value.exit_code


def test_the_database_is_backed_up_without_the_hosts(live: Path) -> None:
    """What has nothing to do with hosts does not wait for them."""
    make(live, down=["h3"])
    outcome = carry_out(world(live), partial(plans.back_up, who="ann"), task="backup-database", hosts=False)
    assert 0 == outcome.code


# -- a host that fails on the way ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["broken_install", "broken_start"])
def test_a_host_that_fails_takes_the_deployment_back(live: Path, kind: str) -> None:
    """All of its batch finish, the error names it, the others run again what they ran before."""
    make(live, **{kind: ["h3"]})
    with pytest.raises(TakenBack, match="1 host of 4 failed: h3") as caught:
        deploy(world(live))

    assert 4 == caught.value.exit_code
    assert "0.9.0" == on(live)["h1"] == on(live)["h4"]
    assert ("green", "settled") == (stories.split(live).live, stories.split(live).verb)


def test_a_later_batch_is_not_begun(live: Path) -> None:
    """The error says where it is done and where it was not begun."""
    make(live, broken_install=["h2"])
    before = writes(live)
    with pytest.raises(DeployError) as caught:
        deploy(world(live, batch=2))

    assert [] == new_writes(live, before)["h3"][:-2]  # its undo: a link that is as it was, a process that runs
    assert "h2: the disk is full" in str(caught.value.__cause__)
    assert "done on h1; not begun on h3, h4" in str(caught.value.__cause__)


def test_a_host_that_dies_midway(live: Path) -> None:
    """Undone where it can be; what is left on the dead host is told, and is no failure of the way back."""

    def die(world: World) -> None:
        make(live, down=["h3"])

    dying = world(live, kind=stories.when("step", die, step="start blue", state="began"))
    with pytest.raises(TakenBack) as caught:
        deploy(dying)

    assert 4 == caught.value.exit_code
    ended = events(live, "ended")[-1]
    assert ("taken back", 4, True) == (ended["outcome"], ended["code"], ended["resumable"])
    assert all("h3" in left for left in ended["left"])
    assert {"h1": "0.9.0", "h2": "0.9.0", "h4": "0.9.0"} == {n: v for n, v in on(live).items() if n != "h3"}
    assert stories.split(live).way_back == "blue"


def test_it_is_resumed_when_the_host_is_back(live: Path) -> None:
    """From where it stands: what was undone is done again, what never was is done on all, and the backup is not."""
    make(live, broken_start=["h3"])
    with pytest.raises(TakenBack):
        deploy(world(live))
    backups = len(memory.state_of(live).read()["backups"])
    make(live, broken_start=[])
    outcome = resume(world(live))

    assert 0 == outcome.code
    assert everywhere("1.1.0") == on(live)
    assert "blue" == stories.split(live).live
    assert backups == len(memory.state_of(live).read()["backups"])


def test_what_was_judged_bad_is_not_resumed(live: Path) -> None:
    """Hosts that come back are one thing, a bad release another."""
    make(live, errors={"blue": 0.5})
    with pytest.raises(TakenBack):
        deploy(world(live))
    with pytest.raises(GateRefused, match="nothing to resume"):
        resume(world(live))


def test_a_resumed_deployment_touches_only_hosts_that_need_it(live: Path) -> None:
    """Its deployer died when two of four hosts were done: nothing is written on those two."""
    killed_between(live)
    before = writes(live)
    resume(world(live))

    written = new_writes(live, before)
    assert everywhere("1.1.0") == on(live)
    assert [] == [line for line in (*written["h1"], *written["h2"]) if line.startswith("blue ->")]
    assert [1, 1] == [sum(line.startswith("blue ->") for line in written[name]) for name in ("h3", "h4")]


def killed_between(folder: Path) -> None:
    """A deployer that dies when the first batch is installed."""

    class Mortal(memory.TestWorld):
        def _failures(self, batch: Any, deadline: float) -> Any:
            if [call.host for call in batch] == ["h3", "h4"]:
                stories.die(self)
            return super()._failures(batch, deadline)

    assert stories.in_a_fork(lambda: deploy(world(folder, kind=Mortal, batch=2)))


# -- some may fail ---------------------------------------------------------------------------------


def test_a_few_hosts_may_fail(live: Path) -> None:
    """They are set aside and recorded, run nothing of that color, and are not asked any more."""
    make(live, broken_install=["h3"])
    outcome = deploy(world(live, max_failures=1))

    assert 0 == outcome.code
    assert {**everywhere("1.1.0"), "h3": "-"} == on(live)
    (aside,) = events(live, "host-set-aside")
    assert ("h3", "install", "the disk is full") == (aside["host"], aside["step"], aside["why"])
    assert "blue" == stories.split(live).live


def test_one_more_is_too_many(live: Path) -> None:
    """Over all steps together: the deployment is taken back, and those set aside before as well."""
    make(live, broken_install=["h3"], broken_start=["h1"])
    with pytest.raises(TakenBack, match="h1"):
        deploy(world(live, max_failures=1))

    assert "green" == stories.split(live).live
    assert "0.9.0" == on(live)["h2"] == on(live)["h4"]


def test_never_all_of_them(tmp_path: Path) -> None:
    """Where everybody fails there is nobody to go on with, however many may."""
    make(tmp_path, broken_install=list(crowd.NAMES))
    with pytest.raises(TakenBack, match="4 hosts of 4 failed"):
        deploy(world(tmp_path, max_failures=3))


def test_a_host_that_was_set_aside_comes_back_with_resume(live: Path) -> None:
    """After a good end: `resume` brings it along, and touches no other host. Then there is nothing more to resume."""
    make(live, broken_install=["h3"])
    deploy(world(live, max_failures=1))
    with pytest.raises(TakenBack):
        resume(world(live))  # it is as broken as before: nothing of it runs, the others serve
    assert {**everywhere("1.1.0"), "h3": "-"} == on(live)

    make(live, broken_install=[])
    before = writes(live)
    outcome = resume(world(live))
    assert 0 == outcome.code
    assert everywhere("1.1.0") == on(live)
    assert [[], [], []] == [new_writes(live, before)[name] for name in ("h1", "h2", "h4")]
    assert ["h3"] == events(live, "hosts-back")[-1]["hosts"]
    with pytest.raises(GateRefused, match="nothing to resume"):
        resume(world(live))


def test_a_host_comes_back_with_what_the_others_have_and_nothing_else(live: Path) -> None:
    """A ledger that somebody has added to must not bring another release to users: resuming passes no gates."""
    make(live, broken_install=["h3"])
    deploy(world(live, max_failures=1))
    make(live, broken_install=[])
    ours = world(live)
    began, evil = events(live, "began")[-1], memory.release("6.6.6")
    plan = {**began["plan"], "release": list(evil), "deployment": "d-6"}
    told = {"color": "blue", "version": "6.6.6", "digest": evil.digest, "commit": evil.commit, "deployment": "d-6"}
    ours.note("began", **{**began, **told, "plan": plan})
    ours.note("host-set-aside", host="h3", step="install", why="broken", deployment="d-6")
    ours.note("settled", **told, release=evil.name)
    ours.note("ended", deployment="d-6", outcome="deployed", code=0, why="")
    with pytest.raises(GateRefused, match=r"says that 6\.6\.6-\w+ is live on blue, and the other hosts have 1\.1\.0"):
        resume(world(live))
    assert {**everywhere("1.1.0"), "h3": "-"} == on(live)


def test_a_host_that_is_still_down_is_waited_for(live: Path) -> None:
    """Said in one line, and nothing is begun."""
    make(live, down=["h3"])
    without = world(live)
    leave_out(without, ["h3"], "disk broken")
    deploy(without)
    with pytest.raises(GateRefused, match="h3, which the last deployment went on without, does not answer"):
        resume(world(live))


def held_without(live: Path) -> None:
    """1.1.0 was held for want of evidence; h3 was left out."""
    make(live, down=["h3"], rate=0.0)
    without = world(live)
    leave_out(without, ["h3"], "disk broken")
    with pytest.raises(NotEnoughEvidence):
        deploy(without)
    make(live, rate=100.0)


def test_a_resumed_deployment_leaves_out_who_is_still_down(live: Path) -> None:
    """The exclusion holds as long as the host does not answer."""
    held_without(live)
    outcome = resume(world(live))
    assert 0 == outcome.code
    assert {**everywhere("1.1.0"), "h3": "0.9.0"} == on(live)


def test_a_resumed_deployment_brings_along_who_is_back(live: Path) -> None:
    """It answers again: it gets the release before traffic moves, and the others are not touched."""
    held_without(live)
    make(live, down=[])
    before = writes(live)
    outcome = resume(world(live))
    assert 0 == outcome.code
    assert everywhere("1.1.0") == on(live)
    assert [[], [], []] == [new_writes(live, before)[name] for name in ("h1", "h2", "h4")]


def test_who_is_back_and_left_out_again_stays_out(live: Path) -> None:
    """Whoever resumes may say so once more."""
    held_without(live)
    make(live, down=[])
    again = world(live)
    leave_out(again, ["h3"], "not yet")
    assert 0 == resume(again).code
    assert "0.9.0" == on(live)["h3"]


def test_who_is_back_and_fails_again_is_set_aside_again(live: Path) -> None:
    """That a host is still broken does not cost the others their release."""
    held_without(live)
    make(live, down=[], broken_start=["h3"])
    assert 0 == resume(world(live)).code
    assert {**everywhere("1.1.0"), "h3": "-"} == on(live)
    assert "h3" == events(live, "host-set-aside")[-1]["host"]


def test_a_resumption_needs_all_others(live: Path) -> None:
    """Another host that is down meanwhile is named: code 7."""
    held_without(live)
    make(live, down=["h3", "h1"])
    with pytest.raises(HostsDown, match="h1"):
        resume(world(live))


# -- hosts that disagree ---------------------------------------------------------------------------


def test_hosts_that_disagree_are_deployed_over(live: Path) -> None:
    """The idle color is one release afterwards, and the plan tells who was odd."""
    make(live, down=["h3"])
    without = world(live)
    leave_out(without, ["h3"], "disk broken")
    deploy(without)
    make(live, down=[])
    deploy(world(live), "1.2.0")
    deploy(world(live), "1.3.0")

    assert (everywhere("1.2.0"), everywhere("1.3.0")) == (on(live, "green"), on(live, "blue"))
    notes = events(live, "began")[-2]["plan"]["notes"]
    assert [note for note in notes if "disagree about blue: most have 1.1.0" in note and "h3 has 0.9.0" in note]


def test_the_same_version_is_not_live_where_hosts_disagree(live: Path) -> None:
    """Instead of a deployment to the other color: the way to bring the odd one along."""
    without = world(live)
    leave_out(without, ["h3"], "disk broken")
    deploy(without)
    with pytest.raises(GateRefused, match=r"not on every host: h3") as caught:
        deploy(world(live))
    assert "inv resume" in caught.value.do


# -- the way back ----------------------------------------------------------------------------------


@pytest.mark.parametrize("down", [["h3"], ["h1"], ["h1", "h3"]])
def test_a_rollback_with_hosts_down(live: Path, down: list[str]) -> None:
    """The balancer is all that it needs: half of the hosts are enough for who comes back."""
    deploy(world(live))
    make(live, down=down)
    assert roll_back(world(live)).changed
    assert "green" == stories.split(live).live


def test_a_rollback_to_almost_nobody_is_refused(live: Path) -> None:
    """One of four hosts is no home, while the other color is whole; with force it is."""
    deploy(world(live))
    for name in ("h1", "h2", "h3"):
        crowd.Crowd(live).host(name).stop("green")[0][0].perform(1.0)
    with pytest.raises(GateRefused, match="3 of 4 hosts"):
        roll_back(world(live))
    assert roll_back(world(live), force=True).changed


def test_a_dead_host_at_home_keeps_no_bad_release_live(live: Path) -> None:
    """Judged bad while one host of the old color is down: traffic goes home all the same."""
    make(live, errors={"blue": 0.5})

    def lose_one(world: World) -> None:
        crowd.Crowd(live).host("h1").stop("green")[0][0].perform(1.0)

    with pytest.raises(TakenBack):
        deploy(world(live, kind=stories.when("shifted", lose_one)))
    assert "green" == stories.split(live).live


# -- what is seen ----------------------------------------------------------------------------------


def test_status_tells_who_is_silent_and_who_differs(live: Path) -> None:
    """The others are shown all the same; a color of which nobody answers is unreadable."""
    without = world(live)
    leave_out(without, ["h3"], "disk broken")
    deploy(without)
    make(live, down=["h1"])
    found = answers.status(world(live))
    assert ("1.1.0", ["h1"]) == (found["colors"]["blue"]["version"], found["colors"]["blue"]["silent"])
    shown = "\n".join(status(found, Paint(False, 120)))
    assert "hosts do not answer: h1" in shown
    assert "the hosts disagree about blue: most have 1.1.0-110110110110; h3 has 0.9.0" in shown

    make(live, down=list(crowd.NAMES))
    found = answers.status(world(live))
    assert "4 hosts do not answer, of 4" in found["colors"]["blue"]["unreadable"]


# -- killed ----------------------------------------------------------------------------------------


class Mortal(memory.TestWorld):
    """Dies at the n-th point: before and after each note, and before and after what is done on each host."""

    dies_at = 0
    points = 0
    lock = threading.Lock()

    def _point(self) -> None:
        with self.lock:
            type(self).points += 1
            if self.points == self.dies_at:
                stories.die(self)

    def note(self, kind: str, **facts: Any) -> Any:
        self._point()
        event = super().note(kind, **facts)
        self._point()
        return event

    def _make(self, call: Call, deadline: float) -> None:
        self._point()
        super()._make(call, deadline)
        self._point()


@pytest.mark.parametrize("way", ["resume", "deploy"])
def test_killed_anywhere_all_hosts_come_together(
    live: Path, tmp_path_factory: pytest.TempPathFactory, way: str
) -> None:
    """With one host that fails and is set aside: every third point, and whoever comes next brings all hosts along."""
    make(live, broken_start=["h3"])
    wrong: list[str] = []
    point = 1 if way == "resume" else 2
    while True:
        folder = tmp_path_factory.mktemp("killed") / "it"
        shutil.copytree(live, folder)
        if not killed_at(folder, point):
            break
        make(folder, broken_start=[])
        with suppress(GateRefused, TakenBack):
            if way == "deploy":
                deploy(world(folder, batch=2, max_failures=1), "1.2.0")
            else:
                resume(world(folder, batch=2, max_failures=1))
        with suppress(GateRefused):
            resume(world(folder))  # whoever was set aside before the death
        wrong += [f"point {point}: {problem}" for problem in problems(folder)]
        shutil.rmtree(folder)
        point += 3
    assert point > 60
    assert [] == wrong


def killed_at(folder: Path, point: int) -> bool:
    def work() -> None:
        Mortal.dies_at, Mortal.points = point, 0
        deploy(world(folder, kind=Mortal, batch=2, max_failures=1))

    return stories.in_a_fork(work)


def problems(folder: Path) -> list[str]:
    """What is wrong with where it ended."""
    seen = world(folder)
    live = seen.traffic.read().live
    found = seen.fleet.installed(live) if live else None
    wrong = [] if found and found.digest and found.running else [f"{live}: {found}"]
    if seen.ledger.head().standing.open is not None:
        wrong.append("something is open")
    return wrong
