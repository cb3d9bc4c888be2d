"""What a fleet of two services does with them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from lab.aws.ecs_place import COMMIT, DIGEST, SERVER, carried_out, release
from lab.aws.images import HOST

from deploytasks.errors import CommandsFailed, DeployError, GateRefused, Interrupted, TakenBack, Unreachable, UsageError

if TYPE_CHECKING:
    from lab.aws.ecs_place import Place


def image_of(place: Place, service: str) -> str:
    """What the service's own revision names."""
    arn = place.ecs.standing["shop", service].rollouts[0].definition
    return str(place.ecs.definitions[arn]["containerDefinitions"][0]["image"])


def test_installing_registers_a_revision_pinned_by_digest_and_starts_nothing(place: Place) -> None:
    """The service itself is only tagged: what runs there goes on."""
    of = place.push()
    fleet = place.fleet()
    carried_out(fleet.install(of, "green"))
    found = fleet.installed("green")
    assert found is not None
    assert (found.release, found.digest, found.version, found.runs) == (of.name, DIGEST, "1.4.2", False)
    newest = list(place.ecs.definitions.values())[-1]
    assert newest["containerDefinitions"][0]["image"] == f"{HOST}/shop@{place.registry.images[-1].digest}"
    assert newest["containerDefinitions"][0]["dockerLabels"]["deploytasks:commit"] == COMMIT
    assert "UpdateService" not in place.cloud.operations("ecs")


def test_installing_twice_or_after_a_lost_answer_makes_one_revision(place: Place) -> None:
    """A revision with the same content and tags is taken again."""
    of = place.push()
    fleet = place.fleet()
    place.cloud.drop_answer("ecs", "RegisterTaskDefinition")
    for _ in range(2):
        carried_out(fleet.install(of, "green"))
    ours = [arn for arn, tags in place.ecs.definition_tags.items() if tags.get("deploytasks:release")]
    assert len(ours) <= 2  # the retry of an answer that was lost may have made a second one
    assert fleet.installed("green") is not None


def test_both_colors_are_read_in_three_requests(place: Place) -> None:
    """One for the services, one for each definition."""
    fleet = place.fleet()
    with place.cloud.counting() as asked:
        fleet.colors()
    assert sorted(asked) == ["DescribeServices", "DescribeTaskDefinition", "DescribeTaskDefinition"]


def test_starting_waits_until_the_service_is_stable_and_healthy(place: Place) -> None:
    """The revision is there, with as many tasks as are configured."""
    fleet = place.deployed(place.push(), "blue", count=2)
    found = fleet.colors()["blue"]
    assert found is not None
    assert (found.running, fleet.health("blue").healthy) == (True, True)
    assert place.ecs.standing["shop", "shop-blue"].desired == 2
    assert image_of(place, "shop-blue").startswith(f"{HOST}/shop@sha256:")


def test_a_color_starts_with_no_fewer_tasks_than_the_other_wants(place: Place) -> None:
    """The live one may have been scaled out: all of its users will come."""
    of = place.push()
    place.deployed(of, "blue")
    place.ecs.standing["shop", "shop-blue"].desired = 4
    place.deployed(of, "green")
    assert place.ecs.standing["shop", "shop-green"].desired == 4


def test_what_runs_already_is_not_started_anew(place: Place) -> None:
    """A second start asks, and writes nothing."""
    fleet = place.deployed(place.push(), "blue")
    with place.cloud.counting() as asked:
        carried_out(fleet.start("blue"))
    assert "UpdateService" not in asked


def test_an_update_whose_answer_is_lost_is_made_once(place: Place) -> None:
    """The same update again changes nothing."""
    of = place.push()
    fleet = place.fleet()
    carried_out(fleet.install(of, "blue"))
    place.cloud.drop_answer("ecs", "UpdateService")
    carried_out(fleet.start("blue"))
    assert len(place.ecs.standing["shop", "shop-blue"].rollouts) == 1
    assert len(place.ecs.of(place.ecs.standing["shop", "shop-blue"])) == 1


def test_stopping_waits_for_the_last_task_and_may_be_repeated(place: Place) -> None:
    """Twice is once."""
    fleet = place.deployed(place.push(), "blue")
    for _ in range(2):
        carried_out(fleet.stop("blue"))
    found = fleet.installed("blue")
    assert found is not None
    assert not found.runs
    assert not fleet.health("blue").is_usable
    assert place.cloud.operations("ecs").count("UpdateService") == 2  # one start, one stop


def test_switching_back_takes_the_revision_of_an_earlier_release(place: Place) -> None:
    """As a failed deployment leaves it: the release from before, running again."""
    first, second = place.push("1.4.1"), place.push("1.4.2")
    fleet = place.deployed(first, "blue")
    carried_out(fleet.install(second, "blue"))
    carried_out(fleet.switch("blue", first.name))
    carried_out(fleet.start("blue", as_before=True))
    found = fleet.installed("blue")
    assert found is not None
    assert (found.release, found.running) == (first.name, True)


def test_switching_to_nothing_leaves_no_release(place: Place) -> None:
    """As before the first installation; what was there before ours can be named by its revision."""
    fleet = place.fleet()
    carried_out(fleet.install(place.push(), "blue"))
    carried_out(fleet.switch("blue", None))
    assert fleet.installed("blue") is None
    carried_out(fleet.switch("blue", "shop-blue-1"))
    assert fleet.installed("blue") is not None
    with pytest.raises(GateRefused, match=r"no revision of shop-blue is 9\.9\.9-abc"):
        carried_out(fleet.switch("blue", "9.9.9-abc"))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {"exit_code": 3, "said": ["no such table"]},
            r"Essential container in task exited \(web: code 3\).*no such table",
        ),
        ({"is_sick": True}, "failed ELB health checks"),
    ],
)
def test_tasks_that_fail_are_explained_before_the_time_is_up(place: Place, facts: dict[str, object], said: str) -> None:
    """Three failed tasks are enough; the reason, the code and the last words are told."""
    fleet = place.fleet(start_within=60)
    carried_out(fleet.install(place.push(**facts), "blue"))
    with pytest.raises(Unreachable, match=f"(?s)shop-blue does not start: .*{said}"):
        carried_out(fleet.start("blue"))


def test_an_image_that_is_gone_is_explained(place: Place) -> None:
    """It was there when the revision was registered."""
    fleet = place.fleet(start_within=60)
    carried_out(fleet.install(place.push(), "blue"))
    place.registry.images.clear()
    with pytest.raises(Unreachable, match="CannotPullContainerError"):
        carried_out(fleet.start("blue"))


def test_a_circuit_breaker_that_opened_is_seen_and_the_next_start_is_a_new_deployment(place: Place) -> None:
    """ECS starts nothing more in a failed deployment, so the next one is forced."""
    image = place.registry.push("shop", "1.4.2", exit_code=1)
    place.ecs.standing["shop", "shop-blue"].facts["deploymentConfiguration"] = {
        "deploymentCircuitBreaker": {"enable": True, "rollback": False}
    }
    fleet = place.fleet()
    carried_out(fleet.install(release(), "blue"))
    with pytest.raises(Unreachable, match="shop-blue does not start"):
        carried_out(fleet.start("blue"))
    place.ecs.pass_by()
    image.exit_code = None
    carried_out(fleet.start("blue"))
    assert fleet.health("blue").healthy


def test_a_start_that_takes_too_long_says_what_is_missing(place: Place) -> None:
    """And how far it has come."""
    place.ecs.starts = 60.0
    fleet = place.fleet(start_within=0.2)
    carried_out(fleet.install(place.push(), "blue"))
    with pytest.raises(Unreachable, match=r"not stable within 0\.2 s \(0 of 1 tasks run, 1 pending\)"):
        carried_out(fleet.start("blue"))


def test_starting_without_a_release_is_refused(place: Place) -> None:
    """Somebody took it away."""
    fleet = place.fleet()
    carried_out(fleet.switch("blue", None))
    with pytest.raises(GateRefused, match="no release is current on blue"):
        carried_out(fleet.start("blue"))


def test_health_counts_the_healthy_targets(place: Place) -> None:
    """A balancer sends to unhealthy ones when it has no other: none unhealthy is not enough."""
    balancer = place.cloud["elbv2"]
    group = balancer.group("shop-blue", [("10.0.0.1", 80), ("10.0.0.2", 80)])
    balancer.listener(group)
    place.ecs.standing["shop", "shop-blue"].facts["loadBalancers"] = [
        {"targetGroupArn": group, "containerName": "web", "containerPort": 80}
    ]
    fleet = place.deployed(place.push(), "blue", count=2)
    assert fleet.health("blue")[::2] == (True, 1.0)
    balancer.says(group, "unhealthy", "Target.FailedHealthChecks", ("10.0.0.2", 80))
    found = fleet.health("blue")
    assert (found.healthy, found.share, found.is_usable) == (False, 0.5, True)
    assert "1 of 2 targets of shop-blue healthy, others unhealthy" in found.detail


def test_health_needs_the_page_too(place: Place) -> None:
    """Tasks may run and serve nobody."""
    fleet = place.deployed(place.push(), "blue")
    silent = place.fleet(addresses={"blue": "http://127.0.0.1:9", "green": "http://127.0.0.1:9"})
    assert fleet.health("blue").healthy
    assert not silent.health("blue").is_usable


def test_tasks_run_as_processes_and_are_registered_with_their_target_group(place: Place) -> None:
    """Real requests come to a real process of the release."""
    (place.root / "serve.py").write_text(SERVER)
    balancer = place.cloud["elbv2"]
    group = balancer.group("shop-blue", path="/")
    balancer.listener(group)
    place.ecs.standing["shop", "shop-blue"].facts["loadBalancers"] = [
        {"targetGroupArn": group, "containerName": "web", "containerPort": 80}
    ]
    of = place.push(command=[sys.executable, "serve.py"], folder=place.root, environment={"COLOR": "blue"})
    fleet = place.deployed(of, "blue")
    assert "1 of 1 targets of shop-blue healthy" in fleet.health("blue").detail
    carried_out(fleet.stop("blue"))
    assert not [one for one in place.ecs.tasks.values() if one.process is not None]


def test_a_migration_runs_as_one_task_in_the_network_of_the_service(place: Place) -> None:
    """By the color's current revision, though nothing of it runs yet."""
    fleet = place.fleet()
    carried_out(fleet.install(place.push(), "green"))
    place.cloud.drop_answer("ecs", "RunTask")
    fleet.run("green", "./manage.py migrate", "migrate").perform(60.0)
    (task,) = place.ecs.tasks.values()
    assert task.command == ["sh", "-c", "./manage.py migrate"]
    assert task.definition["containerDefinitions"][0]["image"].startswith(f"{HOST}/shop@")
    run = next(seen for seen in place.cloud.seen if seen.operation == "RunTask")
    assert run.params["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == ["subnet-1"]
    assert run.params["launchType"] == "FARGATE"


def test_a_migration_that_fails_says_its_last_words(place: Place) -> None:
    """With the code it ended with."""
    fleet = place.fleet()
    carried_out(fleet.install(place.push(command=["true"], folder=place.root), "green"))
    with pytest.raises(TakenBack, match=r"(?s)migrate failed on green with code 4.*no such column"):
        fleet.run("green", "echo no such column; exit 4", "migrate").perform(60.0)


@pytest.mark.parametrize(
    ("service", "operation"), [("ecs", "DescribeTasks"), ("logs", "GetLogEvents")], ids=["itself", "its log"]
)
def test_a_migration_outlives_a_moment_of_silence(place: Place, service: str, operation: str) -> None:
    """It is AWS that says nothing, not the migration that fails: it is not stopped in the middle."""
    fleet = place.fleet()
    carried_out(fleet.install(place.push(command=["true"], folder=place.root), "green"))
    place.cloud.fail(service, operation, "ThrottlingException", times=4)
    fleet.run("green", "true", "migrate").perform(60.0)
    assert "StopTask" not in place.cloud.operations("ecs")


def test_who_may_not_read_its_log_can_still_migrate(place: Place) -> None:
    """When it fails, that nobody could read why is said."""
    fleet = place.fleet()
    carried_out(fleet.install(place.push(command=["true"], folder=place.root), "green"))
    place.cloud.fail("logs", "GetLogEvents", "AccessDeniedException", times=999)
    with pytest.raises(TakenBack, match=r"(?s)with code 4.*could be read: .*AccessDenied"):
        fleet.run("green", "exit 4", "migrate").perform(60.0)


def test_an_interrupt_stays_one_when_the_task_cannot_be_stopped(place: Place) -> None:
    """The exit code is that of the signal."""
    fleet = place.fleet()
    carried_out(fleet.install(place.push(command=["true"], folder=place.root), "green"))
    place.cloud.fail("ecs", "StopTask", "AccessDeniedException", times=9)

    def hear(_name: str, _said: str | int) -> None:
        raise Interrupted(130)

    with pytest.raises(Interrupted):
        carried_out(fleet.command("green", "echo one; sleep 1", hear))


def test_a_migration_does_not_run_beside_itself(place: Place) -> None:
    """One that somebody's death has left running is named."""
    fleet = place.fleet()
    carried_out(fleet.install(place.push(command=["true"], folder=place.root), "green"))
    place.ecs.run_task(
        {
            "cluster": "shop",
            "taskDefinition": "shop-green",
            "startedBy": "deploytasks/migrate",
            "networkConfiguration": {},
            "overrides": {"containerOverrides": [{"name": "web", "command": ["sleep", "60"]}]},
        }
    )
    with pytest.raises(GateRefused, match="migrate still runs, as task"):
        fleet.run("green", "true", "migrate").perform(60.0)


def test_a_command_that_does_not_end_is_stopped(place: Place) -> None:
    """Nothing of it is left."""
    fleet = place.fleet(run_within=0.2)
    carried_out(fleet.install(place.push(command=["true"], folder=place.root), "green"))
    with pytest.raises(Unreachable, match=r"did not end within 0\.2 s"):
        fleet.run("green", "sleep 60", "migrate").perform(60.0)
    assert [one.status for one in place.ecs.tasks.values()] == ["STOPPED"]


def test_a_cluster_without_room_says_so(place: Place) -> None:
    """What RunTask answers as failures is no success."""
    fleet = place.fleet()
    carried_out(fleet.install(place.push(), "green"))
    place.ecs.is_full = True
    with pytest.raises(GateRefused, match="no room for a task: RESOURCE:MEMORY"):
        fleet.run("green", "true", "migrate").perform(60.0)


def test_a_command_is_heard_line_by_line(place: Place) -> None:
    """By its log; its code at last."""
    fleet = place.fleet()
    carried_out(fleet.install(place.push(command=["true"], folder=place.root), "green"))
    heard: list[tuple[str, str | int]] = []
    with pytest.raises(CommandsFailed):
        carried_out(fleet.command("green", "echo one; echo two; exit 7", lambda name, said: heard.append((name, said))))
    assert heard == [("shop-green", "one"), ("shop-green", "two"), ("shop-green", 7)]


def test_lines_of_all_tasks_are_followed(place: Place) -> None:
    """The last ones that were said, then what comes."""
    fleet = place.deployed(place.push(), "blue")
    place.logs.put("/ecs/shop", "web/web/abcdef0123456789", "old", "older", "new")
    heard: list[object] = []

    def hear(name: str, said: object) -> None:
        heard.append((name, said))
        if len(heard) == 2:
            place.logs.put("/ecs/shop", "web/web/abcdef0123456789", "newest")
        if len(heard) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fleet.follow("blue", 2, hear)
    assert [said for _, said in heard] == ["older", "new", "newest"]
    assert heard[0] == ("shop-blue/abcdef01", "older")


def test_nothing_can_be_followed_without_a_log(place: Place) -> None:
    """Which options are missing is said."""
    for definition in place.ecs.definitions.values():
        definition["containerDefinitions"][0].pop("logConfiguration", None)
    with pytest.raises(UsageError, match="does not log to CloudWatch"):
        place.fleet().follow("blue", 2, lambda *_: None)


def test_pruning_lets_go_of_our_oldest_revisions_only(place: Place) -> None:
    """Neither somebody else's, nor one that a service has, nor one that is spared."""
    fleet = place.fleet()
    releases = [place.push(f"1.0.{number}") for number in range(1, 6)]
    for of in releases:
        carried_out(fleet.install(of, "blue"))
    carried_out(fleet.switch("blue", releases[0].name))
    carried_out(fleet.prune(2, [releases[1].name]))
    left = {
        place.ecs.definition_tags[arn].get("deploytasks:version")
        for arn, one in place.ecs.definitions.items()
        if one["status"] == "ACTIVE"
    }
    assert left == {None, "1.0.1", "1.0.2", "1.0.4", "1.0.5"}


def test_long_lists_are_read_to_their_end(place: Place) -> None:
    """A hundred revisions are a page."""
    fleet = place.fleet()
    for _ in range(120):
        place.define("shop-blue")
    first = place.push("1.0.1")
    carried_out(fleet.install(first, "blue"))
    assert fleet.installed("blue") is not None
    assert len(fleet._ecs.definitions("shop-blue")) == 122


def test_a_fleet_of_one_service_asks_for_nothing_of_the_other(place: Place) -> None:
    """As a deployment goes on without what was left out."""
    fleet = place.fleet()
    assert (fleet.hosts(), fleet.hosts("green")) == (["shop-blue", "shop-green"], ["shop-green"])
    alone = fleet.only(["shop-green"])
    assert alone.colors()["blue"] is None
    with pytest.raises(UsageError, match="no service has blue"):
        alone.installed("blue")


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "LINEAR", "CANARY"])
def test_a_rule_that_ecs_owns_is_never_ours_to_edit(place: Place, strategy: str) -> None:
    """The mistake is told before anything is written, with both ways out of it."""
    place.ecs.standing["shop", "shop-green"].facts["deploymentConfiguration"] = {"strategy": strategy}
    fleet = place.fleet()
    for ask in (fleet.colors, lambda: carried_out(fleet.install(place.push(), "green"))):
        with pytest.raises(UsageError, match=f"ECS moves the traffic of shop-green itself \\({strategy}\\)") as caught:
            ask()
        assert "ROLLING" in caught.value.do
        assert "strategy: ecs-native" in caught.value.do
    assert {*place.cloud.operations("ecs")} == {"DescribeServices"}


def test_a_service_of_another_controller_is_refused(place: Place) -> None:
    """Nothing of CodeDeploy's is touched."""
    place.ecs.standing["shop", "shop-green"].facts["deploymentController"] = {"type": "CODE_DEPLOY"}
    with pytest.raises(UsageError, match="belong to CODE_DEPLOY"):
        place.fleet().colors()


def test_an_image_of_another_commit_is_refused(place: Place) -> None:
    """Where its tags name commits, the release's is among them."""
    place.registry.push("shop", "1.4.2", "f" * 40)
    with pytest.raises(GateRefused, match=r"was built from ffffffffffff, and 1\.4\.2 is c0ffee000000"):
        carried_out(place.fleet().install(release(), "green"))
    assert "RegisterTaskDefinition" not in place.cloud.operations("ecs")


def test_an_image_of_another_registry_goes_by_its_tag(place: Place) -> None:
    """Nobody is asked for it."""
    fleet = place.fleet(image="registry.example/shop:{version}-{commit}")
    carried_out(fleet.install(release("1.4.2+hotfix.1"), "green"))
    newest = list(place.ecs.definitions.values())[-1]
    assert newest["containerDefinitions"][0]["image"] == f"registry.example/shop:1.4.2-hotfix.1-{COMMIT}"
    assert place.cloud.operations("ecr") == []


def test_several_containers_need_a_name(place: Place) -> None:
    """The one that has the release; the others are left as they are."""
    side = {"name": "proxy", "image": "envoy:1"}
    arn = place.define("shop-green", containerDefinitions=[{"name": "web", "image": f"{HOST}/shop:1.0.0"}, side])
    place.ecs.standing["shop", "shop-green"].rollouts[0].definition = arn
    of = place.push()
    with pytest.raises(UsageError, match="has 2 containers") as caught:
        carried_out(place.fleet().install(of, "green"))
    assert "web, proxy" in caught.value.do
    with pytest.raises(UsageError, match="has no container app"):
        carried_out(place.fleet(container="app").install(of, "green"))
    carried_out(place.fleet(container="web").install(of, "green"))
    newest = list(place.ecs.definitions.values())[-1]
    assert [one["image"] for one in newest["containerDefinitions"]][1] == "envoy:1"


def test_limits_are_read_in_two_requests(place: Place) -> None:
    """What each service wants, and what auto-scaling lets it have."""
    place.cloud["application-autoscaling"].limits["service/shop/shop-blue"] = (1, 6)
    fleet = place.fleet()
    with place.cloud.counting() as asked:
        found = fleet.limits()
    assert found == {"shop-blue": (0, 6), "shop-green": (0, None)}
    assert len(asked) == 2


def test_doctor_tells_what_stands_and_what_is_missing(place: Place) -> None:
    """The cluster, and each service."""
    found = place.deployed(place.push(), "blue").diagnose()
    assert [(one.subject, one.state) for one in found if one.state != "warn"] == [
        ("cluster", "ok"),
        ("service shop-blue", "ok"),
        ("service shop-green", "ok"),
    ]
    assert "1 of 1 tasks run" in found[1].detail
    assert all("no target group" in one.detail for one in found if one.state == "warn")
    place.ecs.clusters.clear()
    assert [one.state for one in place.fleet().diagnose()] == ["fail"]


@pytest.mark.parametrize(
    ("service", "operation", "code", "kind"),
    [
        ("ecs", "DescribeServices", "ClusterNotFoundException", UsageError),
        ("ecs", "UpdateService", "ServiceNotFoundException", UsageError),
        ("ecs", "UpdateService", "ServiceNotActiveException", GateRefused),
        ("ecs", "UpdateService", "InvalidParameterException", UsageError),
        ("ecs", "UpdateService", "ClientException", UsageError),
        ("ecs", "UpdateService", "PlatformUnknownException", UsageError),
        ("ecs", "UpdateService", "PlatformTaskDefinitionIncompatibilityException", UsageError),
        ("ecs", "UpdateService", "UnsupportedFeatureException", UsageError),
        ("ecs", "UpdateService", "NamespaceNotFoundException", UsageError),
        ("ecs", "UpdateService", "AccessDeniedException", Unreachable),
        ("ecs", "RegisterTaskDefinition", "LimitExceededException", GateRefused),
        ("ecr", "DescribeImages", "ImageNotFoundException", GateRefused),
        ("ecr", "DescribeImages", "RepositoryNotFoundException", UsageError),
        ("ecr", "DescribeImages", "InvalidParameterException", UsageError),
    ],
)
def test_each_code_of_aws_is_an_error_of_ours(
    place: Place, service: str, operation: str, code: str, kind: type[DeployError]
) -> None:
    """With its own exit code, what AWS said, and what to do."""
    of, fleet = place.push(), place.fleet()
    place.cloud.fail(service, operation, code, why="the lab says no", times=3)  # what may pass is tried again
    with pytest.raises(kind) as caught:
        carried_out([*fleet.install(of, "blue"), *fleet.start("blue")])
    assert type(caught.value) is kind
    assert caught.value.do


@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [("ecs", "DescribeServices", "ServerException", 500), ("ecr", "DescribeImages", "ServerException", 500)],
)
def test_trouble_of_aws_is_waited_out_and_then_told(
    place: Place, service: str, operation: str, code: str, status: int
) -> None:
    """Once is retried by itself; three times are an error."""
    of, fleet = place.push(), place.fleet()
    place.cloud.fail(service, operation, code, status=status)
    carried_out(fleet.install(of, "blue"))
    place.cloud.fail(service, operation, code, status=status, times=3)
    with pytest.raises(Unreachable, match="trouble of its own"):
        carried_out(fleet.install(of, "blue"))


def test_a_blocked_account_says_so(place: Place) -> None:
    """Only a task of its own meets it."""
    fleet = place.fleet()
    carried_out(fleet.install(place.push(), "green"))
    place.cloud.fail("ecs", "RunTask", "BlockedException")
    with pytest.raises(Unreachable, match="blocked this account"):
        fleet.run("green", "true", "migrate").perform(60.0)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ResourceNotFoundException", UsageError),
        ("InvalidParameterException", UsageError),
        ("ServiceUnavailableException", Unreachable),
    ],
)
def test_each_code_of_the_log_is_an_error_of_ours(place: Place, code: str, kind: type[DeployError]) -> None:
    """Whoever wants to see lines learns why there are none."""
    place.cloud.fail("logs", "FilterLogEvents", code, status=503 if kind is Unreachable else 400, times=3)
    with pytest.raises(kind):
        place.fleet().follow("blue", 2, lambda *_: None)


def test_a_service_that_is_not_there_is_named(place: Place) -> None:
    """ECS tells it as a failure among answers."""
    fleet = place.fleet(services={"blue": "shop-blue", "green": "shop-gren"})
    with pytest.raises(UsageError, match="no active service shop-gren in the cluster shop"):
        fleet.colors()
