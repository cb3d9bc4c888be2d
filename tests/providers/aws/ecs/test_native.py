"""Whole deployments that ECS makes, judged by us at each pause."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import memory
import pytest
from lab.aws.native_place import NativePlace

from deploytasks import plans
from deploytasks.errors import (
    DeployError,
    GateRefused,
    Interrupted,
    NotEnoughEvidence,
    SplitMoved,
    TakenBack,
    Unreachable,
    UsageError,
    WayBackFailed,
)
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.resuming import resume
from deploytasks.operations.returning import roll_back
from deploytasks.ports import Split
from deploytasks.providers import open_provider
from deploytasks.providers.aws.ecs.fleet import EcsFleet
from deploytasks.providers.aws.ecs.native_fleet import NativeFleet

if TYPE_CHECKING:
    from lab.aws.ecs_place import Place

    from deploytasks.ports import Release
    from deploytasks.world import World


@pytest.fixture
def native(place: Place) -> NativePlace:
    return NativePlace(place)


def deploy(world: World, release: Release) -> Any:
    return carry_out(world, partial(plans.deploy, release=release, gates=False), task="deploy")


def at(world: World, share: int, act: Any) -> None:
    """Do something once, when that share has been reached and is looked at."""

    class Once:
        done = False

        def tell(self, event: Any) -> None:
            if not self.done and event.kind == "shifted" and event.facts["split"][1] == share:
                self.done = True
                act()

    world.listeners = (*world.listeners, Once())


def test_a_good_release_goes_through_all_pauses_to_the_true_end(native: NativePlace, tmp_path: Path) -> None:
    """Each step is released by a pass; ECS ends it as SUCCESSFUL, and the ledger knows its ARN."""
    world = native.world(tmp_path, rollout={"stages": [10, 25, 50, 75, 100]})
    deploy(world, native.push())
    one = native.deployment
    assert (one.status, one.how["linearConfiguration"]["stepPercent"]) == ("SUCCESSFUL", 20.0)
    shifts = [event.facts["split"][:2] for event in world.ledger.events() if event.kind == "shifted"]
    assert [[80, 20], [60, 40], [40, 60], [20, 80], [0, 100]] == shifts
    assert {"shop-blue": 0, "shop-green": 100} == native.balancer.weights(native.rule)
    assert [one.arn] == [event.facts["to"] for event in world.ledger.events() if event.kind == "handed-over"]
    split = world.traffic.read()
    assert (split.live, split.way_back, split.verb) == ("green", None, "settled")
    assert "ModifyRule" not in native.cloud.operations("elbv2")


def test_the_next_release_goes_to_the_other_color(native: NativePlace, tmp_path: Path) -> None:
    """ECS uses its target groups in turn."""
    deploy(native.world(tmp_path), native.push("1.4.2"))
    deploy(native.world(tmp_path), native.push("1.4.3"))
    world = native.world(tmp_path)
    found = world.fleet.colors()["blue"]
    assert world.traffic.read().live == "blue"
    assert found is not None
    assert (found.version, found.running) == ("1.4.3", True)


def test_the_plan_says_which_steps_ecs_goes_and_what_falls_away(native: NativePlace, tmp_path: Path) -> None:
    """Neither switch nor way back."""
    world = native.world(tmp_path, rollout={"stages": [10, 25, 50, 75, 100]})
    plan = plans.deploy(world.settings, world.situation(), "d1", release=native.push(), gates=False)
    names = [step.label for step in plan.steps]
    assert ["install", "begin", "smoke green", "hand over", "smoke public", "settle"] == names[2:-1]
    assert "ECS shifts in equal steps: 20, 40, 60, 80, 100 % instead of 10, 25, 50, 75, 100 %" in plan.notes


def test_a_bad_release_is_taken_back_by_ecs(native: NativePlace, tmp_path: Path) -> None:
    """Our verdict fails, so the deployment is stopped with ROLLBACK; code 4."""
    world = native.world(tmp_path)
    memory.state_of(tmp_path).set(errors={"green": 0.5})
    with pytest.raises(TakenBack):
        deploy(world, native.push())
    assert native.deployment.status == "ROLLBACK_SUCCESSFUL"
    assert {"shop-blue": 100, "shop-green": 0} == native.balancer.weights(native.rule)
    assert world.traffic.read().live == "blue"


def test_too_little_evidence_holds_and_can_be_resumed(native: NativePlace, tmp_path: Path) -> None:
    """Code 6; a resumption hands the same release over again."""
    world = native.world(tmp_path)
    memory.state_of(tmp_path).set(rate=0.0)
    with pytest.raises(NotEnoughEvidence):
        deploy(world, native.push())
    assert native.deployment.status == "ROLLBACK_SUCCESSFUL"
    memory.state_of(tmp_path).set(rate=100.0)
    resume(native.world(tmp_path))
    assert native.deployment.status == "SUCCESSFUL"
    assert native.world(tmp_path).traffic.read().live == "green"


def test_a_way_back_that_fails_asks_for_a_person(native: NativePlace, tmp_path: Path) -> None:
    """ROLLBACK_FAILED is code 8, and never told as taken back."""
    world = native.world(tmp_path)
    memory.state_of(tmp_path).set(errors={"green": 0.5})
    native.ecs.cannot_go_back = True
    with pytest.raises(WayBackFailed, match="could not"):
        deploy(world, native.push())
    assert native.deployment.status == "ROLLBACK_FAILED"


def test_somebody_who_stops_it_stops_us(native: NativePlace, tmp_path: Path) -> None:
    """In the console: code 5, and nothing more is written."""
    world = native.world(tmp_path)
    arn = {}

    def stop() -> None:
        arn["it"] = native.deployment.arn
        native.ecs.stop_service_deployment({"serviceDeploymentArn": native.deployment.arn})

    at(world, 50, stop)
    with pytest.raises(SplitMoved, match="somebody stopped"):
        deploy(world, native.push())
    assert native.deployment.arn == arn["it"]


def test_somebody_who_replaces_it_stops_us(native: NativePlace, tmp_path: Path) -> None:
    """Another task definition is what ECS goes for now: it is let go on."""
    world = native.world(tmp_path)

    def replace() -> None:
        native.place.define("shop", cpu="512")
        native.ecs.update_service({"cluster": "shop", "service": "shop", "taskDefinition": "shop"})

    at(world, 50, replace)
    with pytest.raises(SplitMoved):
        deploy(world, native.push())
    assert native.deployment.status in ("PENDING", "IN_PROGRESS")


def test_an_alarm_of_ecs_is_a_release_that_was_bad(native: NativePlace, tmp_path: Path) -> None:
    """ECS takes it back by itself; code 4, with the alarm's name."""
    world = native.world(tmp_path, alarms=["shop-slow"])
    at(world, 50, lambda: setattr(native.ecs, "firing", ("shop-slow",)))
    with pytest.raises(TakenBack, match="alarms fire: shop-slow"):
        deploy(world, native.push())
    assert native.deployment.status == "ROLLBACK_SUCCESSFUL"


def test_an_image_that_does_not_start_reaches_no_user(native: NativePlace, tmp_path: Path) -> None:
    """It is explained, and ECS has taken it back before its first step."""
    world = native.world(tmp_path)
    with pytest.raises(DeployError, match=r"shop does not start: .*code 3"):
        deploy(world, native.push(exit_code=3))
    assert (native.deployment.status, native.deployment.share) == ("ROLLBACK_SUCCESSFUL", 0.0)


def test_a_deployer_that_dies_is_resumed_where_ecs_waits(native: NativePlace, tmp_path: Path) -> None:
    """The same service deployment, from the share it has."""
    world = native.world(tmp_path)

    class Death(BaseException):
        """Nothing is taken back by who is dead."""

    real = world.note

    def note(kind: str, **facts: Any) -> Any:
        done = real(kind, **facts)
        if kind == "shifted" and facts["split"][1] == 50:
            memory.state_of(tmp_path).flush()
            raise Death
        return done

    world.note = note  # type: ignore[method-assign]  # the moment of death
    _die(world, native.push(), Death)
    arn = native.deployment.arn
    assert native.deployment.share == 50.0
    resume(native.world(tmp_path))
    assert (native.deployment.arn, native.deployment.status) == (arn, "SUCCESSFUL")


def _die(world: World, release: Release, kind: type[BaseException]) -> None:
    """Carry a plan out without anything that would clear up."""
    from deploytasks.engine.plan import new_deployment, to_json

    world.deployment = new_deployment(world.clock.now(), "abcdef")
    plan = plans.deploy(world.settings, world.situation(), world.deployment, release=release, gates=False)
    facts: dict[str, Any] = {"task": "deploy", "who": "ann", "host": "gone", "color": plan.color}
    world.note("began", plan=to_json(plan), first=0, **facts)

    def run() -> None:
        for step in plan.steps:
            world.note("step", step=step.label, state="began")
            step.do(world, ())
            world.note("step", step=step.label, state="done")

    with pytest.raises(kind):
        run()


def test_a_pause_that_nobody_answers_takes_it_back(native: NativePlace, tmp_path: Path) -> None:
    """ECS is its own dead-man's switch; how long it waits follows from our times."""
    world = native.world(tmp_path)
    of, world.deployment = native.push(), "d1"
    plan = plans.deploy(world.settings, world.situation(), "d1", release=of, gates=False)
    for step in plan.steps[:4]:
        step.do(world, ())
    (hook,) = native.deployment.hooks.values()
    left = hook["expiresAt"] - hook["expiresAt"].now(hook["expiresAt"].tzinfo)
    assert (hook["timeoutAction"], left.total_seconds() > 1800) == ("ROLLBACK", True)
    hook["expiresAt"] -= left * 2
    assert isinstance(world.traffic.trouble(), TakenBack)  # type: ignore[attr-defined]  # of ECS


def test_a_rollback_takes_back_what_is_under_way(native: NativePlace, tmp_path: Path) -> None:
    """It preempts the deployer, which leaves with 5."""
    world = native.world(tmp_path)
    at(world, 50, lambda: roll_back(native.world(tmp_path)))
    with pytest.raises(SplitMoved):
        deploy(world, native.push())
    found = native.world(tmp_path).traffic.read()
    assert (found.live, found.verb) == ("blue", "back")
    assert not roll_back(native.world(tmp_path)).changed


def test_a_way_back_needs_no_signature(native: NativePlace, tmp_path: Path) -> None:
    """Who may not tag the service still has ECS take its deployment back; that nobody signed it is said then."""
    world = native.world(tmp_path)
    found: list[DeployError] = []

    def back() -> None:
        native.cloud.fail("ecs", "TagResource", "AccessDeniedException", times=9)
        to = Split(100, 0, None, "back:rollback-1")
        with pytest.raises(Unreachable, match="AccessDenied") as caught:
            native.world(tmp_path).traffic.shift(to).perform(10)
        found.append(caught.value)
        assert native.deployment.status == "ROLLBACK_SUCCESSFUL"

    at(world, 50, back)
    with pytest.raises(SplitMoved):
        deploy(world, native.push())
    assert (len(found), native.balancer.weights(native.rule)) == (1, {"shop-blue": 100, "shop-green": 0})


def test_a_way_back_outlives_a_moment_of_silence(native: NativePlace, tmp_path: Path) -> None:
    """ECS is at it: that it cannot be looked at for a while is no failure."""
    world = native.world(tmp_path)
    memory.state_of(tmp_path).set(errors={"green": 0.5})

    def fall_silent() -> None:
        native.cloud.fail("ecs", "DescribeServiceDeployments", "ServerException", times=4)

    native.cloud.before("ecs", "StopServiceDeployment", fall_silent)
    with pytest.raises(TakenBack):
        deploy(world, native.push())
    assert native.deployment.status == "ROLLBACK_SUCCESSFUL"


def test_afterwards_no_way_back_is_open(native: NativePlace, tmp_path: Path) -> None:
    """ECS has stopped the old tasks: the previous version is deployed."""
    deploy(native.world(tmp_path), native.push())
    world = native.world(tmp_path)
    with pytest.raises(GateRefused, match="no way back is open") as caught:
        roll_back(world)
    assert "inv deploy --version" in caught.value.do
    with pytest.raises(GateRefused, match="ECS runs nothing but green"):
        roll_back(world, to="blue", force=True)


def test_traffic_is_not_moved_by_hand(native: NativePlace, tmp_path: Path) -> None:
    """It is ECS' to move."""
    world = native.world(tmp_path)
    with pytest.raises(GateRefused, match="ECS moves the traffic here"):
        plans.shift(world.settings, world.situation(), "d1", stages=[10], watch=1.0)


@pytest.mark.parametrize("operation", ["UpdateService", "ContinueServiceDeployment", "TagResource"])
def test_an_answer_that_is_lost_changes_nothing(native: NativePlace, tmp_path: Path, operation: str) -> None:
    """What was written is found, and not written twice."""
    world = native.world(tmp_path)
    native.cloud.drop_answer("ecs", operation)
    deploy(world, native.push())
    assert len(native.ecs.standing["shop", "shop"].native.deployments) == 1
    assert (native.deployment.status, native.deployment.how["strategy"]) == ("SUCCESSFUL", "CANARY")


@pytest.mark.parametrize("code", ["ConflictException", "ServiceDeploymentNotFoundException"])
def test_a_stop_that_is_refused_while_it_goes_on_is_an_error(native: NativePlace, tmp_path: Path, code: str) -> None:
    """Only where ECS goes back already is a refusal no matter."""
    world = native.world(tmp_path)
    memory.state_of(tmp_path).set(errors={"green": 0.5})
    native.cloud.fail("ecs", "StopServiceDeployment", code, times=9)
    with pytest.raises(WayBackFailed):
        deploy(world, native.push())


def test_status_reads_all_of_it_in_four_requests(native: NativePlace, tmp_path: Path) -> None:
    """Service, list, deployment, revisions."""
    deploy(native.world(tmp_path), native.push())
    world = native.world(tmp_path)
    with native.cloud.counting() as asked:
        world.traffic.read()
    assert len(asked) == 4
    assert [(one.subject, one.state) for one in world.traffic.diagnose()] == [("traffic", "ok")]


def test_an_interrupt_has_it_taken_back(native: NativePlace, tmp_path: Path) -> None:
    """Ctrl-C in the middle: ECS goes home before we leave, with 130."""
    world = native.world(tmp_path)

    def interrupt() -> None:
        raise Interrupted(130)

    at(world, 50, interrupt)
    with pytest.raises(Interrupted):
        deploy(world, native.push())
    assert native.deployment.status == "ROLLBACK_SUCCESSFUL"
    assert {"shop-blue": 100, "shop-green": 0} == native.balancer.weights(native.rule)


@pytest.mark.parametrize(
    "code", ["ServiceNotFoundException", "ClusterNotFoundException", "UnsupportedFeatureException", "ClientException"]
)
def test_each_code_about_deployments_is_an_error_of_ours(native: NativePlace, tmp_path: Path, code: str) -> None:
    """Told before anything is written."""
    native.cloud.fail("ecs", "ListServiceDeployments", code)
    with pytest.raises(UsageError) as caught:
        native.world(tmp_path).traffic.read()
    assert caught.value.do


def test_the_settings_say_which_fleet_it_is(native: NativePlace, tmp_path: Path) -> None:
    """One service for both colors is ECS' own to roll out; two are ours."""
    site = native.world(tmp_path).site
    one = site.sections["fleet"]
    two = one.model_copy(update={"services": {"blue": "shop-blue", "green": "shop-green"}})
    assert type(open_provider("fleet", one, site)) is NativeFleet
    assert type(open_provider("fleet", two, site)) is EcsFleet
