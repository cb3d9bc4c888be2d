"""Whole deployments in memory: an hour of rollout in milliseconds."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path

import memory
import pytest

from deploytasks import plans
from deploytasks.engine.run import Outcome
from deploytasks.errors import (
    DeployError,
    GateRefused,
    LeaseHeld,
    NotEnoughEvidence,
    SplitMoved,
    TakenBack,
    Unreachable,
    WayBackFailed,
)
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.opening import leased
from deploytasks.ports import Release, Split
from deploytasks.world import World


def deploy(world: World, release: Release, **wanted: object) -> Outcome:
    build = partial(plans.deploy, release=release, gates=False, **wanted)
    return carry_out(world, build, task="deploy")


def settled(folder: Path, version: str = "1.0.0") -> Split:
    """A first release is live and settled."""
    deploy(memory.world(folder), memory.release(version))
    return memory.world(folder).traffic.read()


def test_first_deployment_goes_live(tmp_path: Path) -> None:
    """The first release gets all traffic in one stage, and there is no way back from it."""
    split = settled(tmp_path)

    assert ("blue", None, "settled") == (split.live, split.way_back, split.verb)


def test_second_deployment_goes_blue_green_in_stages(tmp_path: Path) -> None:
    """The second release gets 10, 25, 50, 75, 100 percent, and the way back to the first stays open."""
    settled(tmp_path)
    deploy(memory.world(tmp_path), memory.release("1.1.0"))

    log = memory.state_of(tmp_path).read()["log"]
    shifts = [line.split()[1] for line in log if line.startswith("split") and "deploy:" in line][2:]
    split = memory.world(tmp_path).traffic.read()
    assert ["100/0", "90/10", "75/25", "50/50", "25/75", "0/100"] == shifts
    assert ("green", "blue") == (split.live, split.way_back)


def test_it_takes_the_time_of_its_stages_and_bake(tmp_path: Path) -> None:
    """Five stages of five minutes and half an hour of bake pass on the injected clock."""
    settled(tmp_path)
    before = memory.state_of(tmp_path).read()["elapsed"]
    deploy(memory.world(tmp_path), memory.release("1.1.0"))

    assert 55 * 60 <= memory.state_of(tmp_path).read()["elapsed"] - before <= 58 * 60


def test_backup_comes_before_migration(tmp_path: Path) -> None:
    """The database is copied, then migrated, then the release starts."""
    world = memory.world(tmp_path)
    deploy(world, memory.release())

    done = [e.facts["step"] for e in world.ledger.events() if e.kind == "step" and e.facts["state"] == "done"]
    assert ["back up the database", "migrate", "start blue"] == done[3:6]


def test_errors_take_it_back_with_code_4(tmp_path: Path) -> None:
    """Half of all answers are errors: one write home, the old release back on the idle color, code 4."""
    settled(tmp_path)
    memory.state_of(tmp_path).set(errors={"green": 0.5})
    with pytest.raises(TakenBack, match="errors") as caught:
        deploy(memory.world(tmp_path), memory.release("1.1.0"))

    state = memory.state_of(tmp_path).read()
    split = Split(*state["split"])
    assert 4 == caught.value.exit_code
    assert ("blue", None, "back") == (split.live, split.way_back, split.verb)
    assert state["colors"]["green"]["release"] is None
    assert state["colors"]["green"]["running"] is None
    assert state["armed"] is None


def test_a_failed_deployment_keeps_the_previous_release_on_the_idle_color(tmp_path: Path) -> None:
    """What stood on the idle color before stands there again, running, after a failure."""
    settled(tmp_path)
    deploy(memory.world(tmp_path), memory.release("1.1.0"))
    memory.state_of(tmp_path).set(errors={"blue": 0.5})
    with pytest.raises(TakenBack):
        deploy(memory.world(tmp_path), memory.release("1.2.0"))

    found = memory.world(tmp_path).fleet.installed("blue")
    assert found is not None
    assert ("1.0.0", True) == (found.version, found.running)


def test_a_failure_before_any_shift_leaves_the_way_back_open(tmp_path: Path) -> None:
    """A migration that fails is the end of it, and the balancer is signed as it was before."""
    settled(tmp_path)
    deploy(memory.world(tmp_path), memory.release("1.1.0"))
    before = memory.world(tmp_path).traffic.read()
    memory.state_of(tmp_path).set(migration_fails=True)
    with pytest.raises(TakenBack, match="the migration failed"):
        deploy(memory.world(tmp_path), memory.release("1.2.0"))

    assert before == memory.world(tmp_path).traffic.read()


def test_a_way_back_to_a_color_that_could_not_be_brought_back_is_closed(tmp_path: Path) -> None:
    """The new release does not start, and the old one does not start again: no rollback may lead there."""
    settled(tmp_path)
    deploy(memory.world(tmp_path), memory.release("1.1.0"))
    memory.state_of(tmp_path).set(start_fails=True)
    with pytest.raises(TakenBack, match="did not become healthy") as caught:
        deploy(memory.world(tmp_path), memory.release("1.2.0"))

    assert "but for" in caught.value.state
    assert memory.world(tmp_path).traffic.read().way_back is None


def test_no_traffic_is_not_enough_evidence(tmp_path: Path) -> None:
    """Without requests nothing is judged: traffic goes home, code 6, and the release stays installed."""
    settled(tmp_path)
    memory.state_of(tmp_path).set(rate=0.0)
    with pytest.raises(NotEnoughEvidence) as caught:
        deploy(memory.world(tmp_path), memory.release("1.1.0"))

    split = memory.world(tmp_path).traffic.read()
    found = memory.world(tmp_path).fleet.installed("green")
    assert 6 == caught.value.exit_code
    assert ("blue", "back") == (split.live, split.verb)
    assert found is not None
    assert ("1.1.0", True) == (found.version, found.running)


def test_three_failed_health_checks_take_it_back(tmp_path: Path) -> None:
    """An idle color that falls ill during the rollout is left after three readings."""
    settled(tmp_path)
    world = memory.world(tmp_path)

    class Ill(memory.TestWorld):
        def note(self, kind: str, **facts: object) -> object:  # type: ignore[override]  # a test's own hook
            if kind == "shifted":
                memory.state_of(tmp_path).set(sick={"green": "503"})
            return super().note(kind, **facts)  # type: ignore[arg-type]  # as given

    world = memory.world(tmp_path, kind=Ill)
    with pytest.raises(TakenBack, match="unhealthy in 3 readings"):
        deploy(world, memory.release("1.1.0"))


def test_a_critical_alert_takes_it_back(tmp_path: Path) -> None:
    """An alert that fires after the start sends traffic home."""
    settled(tmp_path)
    memory.state_of(tmp_path).set(alerts=["disk full"])
    with pytest.raises(TakenBack, match="disk full"):
        deploy(memory.world(tmp_path), memory.release("1.1.0"))


def test_a_foreign_split_stops_it_with_code_5(tmp_path: Path) -> None:
    """A rollback by somebody else is seen at the next look: nothing more is touched, code 5."""
    settled(tmp_path)

    class RolledBack(memory.TestWorld):
        def note(self, kind: str, **facts: object) -> object:  # type: ignore[override]  # a test's own hook
            event = super().note(kind, **facts)  # type: ignore[arg-type]  # as given
            if kind == "shifted":
                memory.state_of(tmp_path).change(split=[100, 0, None, "back:rollback-1"])
            return event

    world = memory.world(tmp_path, kind=RolledBack)
    with pytest.raises(SplitMoved) as caught:
        deploy(world, memory.release("1.1.0"))

    found = memory.world(tmp_path).fleet.installed("green")
    assert 5 == caught.value.exit_code
    assert "back:rollback-1" == memory.world(tmp_path).traffic.read().writer
    assert found is not None
    assert found.running


def test_a_balancer_that_refuses_the_way_back_is_code_8(tmp_path: Path) -> None:
    """When traffic cannot go home, a person is called."""
    settled(tmp_path)
    memory.state_of(tmp_path).set(errors={"green": 0.5})

    class Stuck(memory.TestWorld):
        def note(self, kind: str, **facts: object) -> object:  # type: ignore[override]  # a test's own hook
            if kind == "shifted":
                memory.state_of(tmp_path).set(balancer_refuses=True)
            return super().note(kind, **facts)  # type: ignore[arg-type]  # as given

    with pytest.raises(WayBackFailed) as caught:
        deploy(memory.world(tmp_path, kind=Stuck), memory.release("1.1.0"))
    assert 8 == caught.value.exit_code


def test_a_first_deployment_that_fails_after_exposure_closes_and_is_code_8(tmp_path: Path) -> None:
    """There is no way back from the first release: nothing is exposed any more, and a person is called."""
    memory.world(tmp_path)
    memory.state_of(tmp_path).set(errors={"blue": 0.5})
    with pytest.raises(WayBackFailed) as caught:
        deploy(memory.world(tmp_path), memory.release())

    split = memory.world(tmp_path).traffic.read()
    assert 8 == caught.value.exit_code
    assert (0, 0) == (split.blue, split.green)


def test_a_first_deployment_that_nobody_saw_is_taken_back_like_any_other(tmp_path: Path) -> None:
    """Held for want of evidence before its first shift: code 6, no person is called."""
    memory.world(tmp_path)
    memory.state_of(tmp_path).set(silent=True)
    with pytest.raises(NotEnoughEvidence):
        deploy(memory.world(tmp_path), memory.release())
    assert memory.world(tmp_path).traffic.read().weights() == "nothing exposed"


def test_an_error_before_any_write_keeps_its_own_code(tmp_path: Path) -> None:
    """A balancer that does not answer at the beginning is code 7, and nothing was changed."""
    settled(tmp_path)
    memory.state_of(tmp_path).set(balancer_down=True)
    with pytest.raises(Unreachable):
        deploy(memory.world(tmp_path), memory.release("1.1.0"))


def test_identical_release_is_nothing_to_do(tmp_path: Path) -> None:
    """Deploying what is live already is done at once, with code 0 and without a plan."""
    settled(tmp_path)
    outcome = deploy(memory.world(tmp_path), memory.release())

    assert (0, "nothing to do") == outcome[:2]


def test_redeploy_goes_out_again(tmp_path: Path) -> None:
    """With ``--redeploy`` the same content goes to the idle color."""
    settled(tmp_path)
    deploy(memory.world(tmp_path), memory.release(), redeploy=True)

    assert "green" == memory.world(tmp_path).traffic.read().live


def test_same_version_with_another_digest_is_refused(tmp_path: Path) -> None:
    """A version is one content for ever."""
    settled(tmp_path)
    with pytest.raises(GateRefused, match="another content"):
        deploy(memory.world(tmp_path), memory.release("1.0.0", "f" * 64))


def test_a_mixed_split_without_a_deployment_is_refused(tmp_path: Path) -> None:
    """Somebody's hand-made split is not guessed about."""
    settled(tmp_path)
    memory.state_of(tmp_path).change(split=[60, 40, "blue", "deploy:somebody"])
    with pytest.raises(GateRefused, match="inv rollback"):
        raise deploy_error(tmp_path)


def deploy_error(folder: Path) -> DeployError:
    with pytest.raises(DeployError) as caught:
        deploy(memory.world(folder), memory.release("1.1.0"))
    return GateRefused(str(caught.value))


def test_a_second_deployer_leaves_with_code_5(tmp_path: Path) -> None:
    """Who comes second is told who works, since when, and at what."""
    settled(tmp_path)
    with leased(memory.world(tmp_path), "a long deployment"), pytest.raises(LeaseHeld, match="a long deployment"):
        deploy(memory.world(tmp_path), memory.release("1.1.0"))


def test_the_ledger_verifies_after_everything(tmp_path: Path) -> None:
    """Whatever happened, the chain holds and nothing is open."""
    settled(tmp_path)
    memory.state_of(tmp_path).set(errors={"green": 0.5})
    with pytest.raises(TakenBack):
        deploy(memory.world(tmp_path), memory.release("1.1.0"))

    ledger = memory.world(tmp_path).ledger
    assert ledger.verify().ok
    assert ledger.head().standing.open is None


def test_plan_changes_nothing(tmp_path: Path) -> None:
    """A preview shows every call and leaves no trace, not even a lease."""
    settled(tmp_path)
    state, head = copy.deepcopy(memory.state_of(tmp_path).read()), memory.world(tmp_path).ledger.head()
    wanted = partial(plans.deploy, release=memory.release("1.1.0"), gates=False)
    outcome = carry_out(memory.world(tmp_path), wanted, task="deploy", preview=True)

    assert "planned" == outcome.word
    assert (state, head) == (memory.state_of(tmp_path).read(), memory.world(tmp_path).ledger.head())


def test_the_run_in_ci_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address, where there is one: messages and markers lead there."""
    settled(tmp_path)
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("BUILD_URL", "https://ann:s3cr3t@ci.example/job/7?token=s3cr3t")
    world = memory.world(tmp_path)
    deploy(world, memory.release("1.1.0"))
    runs = [event.facts.get("run") for event in world.ledger.events() if event.kind == "began"]
    assert [None, "https://ci.example/job/7"] == runs
