"""How databases and hosts are, by CloudWatch; and what the doctor says of its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lab.aws.cloudwatch_standing import GROUPS, START

from deploytasks.ports import NoData
from deploytasks.settings.cloudwatch import CloudWatchLevels, MetricsSettings

if TYPE_CHECKING:
    from lab.aws.cloudwatch_standing import World

GIB = 1 << 30


def observe(world: World, namespace: str, metric: str, value: float, at: float = 0, **dimensions: str) -> None:
    world.lab.observe(dimensions, metric, value, START.timestamp() + at, namespace=namespace)


def levels(world: World, **given: Any) -> dict[str, float]:
    found = world.metrics(levels=CloudWatchLevels(**given)).levels()
    assert not isinstance(found, NoData), found.why
    return {name: round(value, 6) for name, value in found.items()}


def test_a_database_of_rds_is_read_in_our_units(world: World) -> None:
    """Percent as shares, free bytes as the share in use, the worse of two latencies."""
    for metric, value in {
        "CPUUtilization": 40,
        "DatabaseConnections": 150,
        "ReplicaLag": 3,
        "FreeStorageSpace": 25 * GIB,
        "ReadLatency": 0.002,
        "WriteLatency": 0.02,
    }.items():
        observe(world, "AWS/RDS", metric, value, DBInstanceIdentifier="shop")
    world.at(90)
    assert levels(world, databases=[{"instance": "shop", "connections": 200, "storage": 100}]) == {
        "cpu": 0.4,
        "pool": 0.75,
        "replication_lag": 3.0,
        "disk": 0.75,
        "query_time": 0.02,
    }


def test_only_what_is_configured_is_read(world: World) -> None:
    """Without the number of connections or gibibytes nobody knows the share; without anything nobody is asked."""
    observe(world, "AWS/RDS", "DatabaseConnections", 150, DBInstanceIdentifier="shop")
    observe(world, "AWS/RDS", "FreeStorageSpace", 1, DBInstanceIdentifier="shop")
    world.at(90)
    assert levels(world, databases=[{"instance": "shop"}]) == {}
    with world.cloud.counting() as asked:
        assert levels(world) == {}
    assert asked == []


def test_aurora_has_names_and_milliseconds_of_its_own(world: World) -> None:
    """Its lag and the times of its statements."""
    observe(world, "AWS/RDS", "AuroraReplicaLag", 2500, DBInstanceIdentifier="shop")
    observe(world, "AWS/RDS", "SelectLatency", 80, DBInstanceIdentifier="shop")
    world.at(90)
    found = levels(world, databases=[{"instance": "shop", "aurora": True}])
    assert found == {"replication_lag": 2.5, "query_time": 0.08}


def test_a_replica_that_does_not_follow_is_far_behind(world: World) -> None:
    """RDS says -1."""
    observe(world, "AWS/RDS", "ReplicaLag", -1, DBInstanceIdentifier="shop")
    world.at(90)
    assert levels(world, databases=[{"instance": "shop"}])["replication_lag"] == 86400


def test_of_several_the_worst_counts_and_of_each_the_newest(world: World) -> None:
    """Instances, groups of them and services."""
    observe(world, "AWS/EC2", "CPUUtilization", 95, at=-300, InstanceId="i-1")
    observe(world, "AWS/EC2", "CPUUtilization", 20, InstanceId="i-1")
    observe(world, "AWS/EC2", "CPUUtilization", 60, AutoScalingGroupName="web")
    observe(world, "AWS/ECS", "CPUUtilization", 30, ClusterName="shop", ServiceName="blue")
    observe(world, "AWS/ECS", "MemoryUtilization", 50, ClusterName="shop", ServiceName="blue")
    world.at(90)
    ecs = {"cluster": "shop", "services": ["blue", "green"]}
    assert levels(world, instances=["i-1"], groups=["web"], ecs=ecs) == {"cpu": 0.6, "memory": 0.5}


def test_the_agents_metrics_are_found_with_whatever_dimensions_it_gives_them(world: World) -> None:
    """Which ones is the affair of its configuration."""
    observe(world, "CWAgent", "mem_used_percent", 70, InstanceId="i-1", ImageId="ami-1")
    observe(world, "CWAgent", "disk_used_percent", 20, InstanceId="i-1", path="/", fstype="ext4", device="nvme0n1p1")
    observe(world, "CWAgent", "disk_used_percent", 90, InstanceId="i-1", path="/srv", fstype="ext4", device="nvme1n1")
    observe(world, "CWAgent", "disk_used_percent", 99, InstanceId="i-2", path="/", fstype="ext4", device="nvme0n1p1")
    world.at(90)
    assert levels(world, instances=["i-1"], agent="CWAgent") == {"memory": 0.7, "disk": 0.9}


def test_readings_within_a_minute_cost_nothing(world: World) -> None:
    """And which metrics an agent writes is asked once."""
    observe(world, "CWAgent", "mem_used_percent", 50, InstanceId="i-1")
    metrics = world.metrics(levels=CloudWatchLevels(instances=("i-1",), agent="CWAgent"))
    with world.cloud.counting() as asked:
        for at in (60, 75, 90, 105, 120):
            world.at(at)
            assert metrics.levels() == {"memory": 0.5}
    assert asked == ["ListMetrics", "ListMetrics", "GetMetricData", "GetMetricData"]


def test_what_cannot_be_asked_is_not_known(world: World) -> None:
    """That is not the same as nothing to say."""
    world.cloud.fail("cloudwatch", "GetMetricData", "AccessDenied", status=403)
    found = world.metrics(levels=CloudWatchLevels(groups=("web",))).levels()
    assert isinstance(found, NoData)


# -- the doctor ---------------------------------------------------------------


def told(world: World, **given: Any) -> list[tuple[str, str, str]]:
    return [(each.subject, each.state, each.detail) for each in world.metrics(**given).diagnose()]


def test_the_doctor_says_how_old_the_newest_data_is(world: World) -> None:
    """Of each group; an idle one may have none."""
    world.serve("blue", 10)
    world.at(180)
    name = "targetgroup/shop-blue/0a1b2c3d4e5f6071"
    green = "targetgroup/shop-green/1a1b2c3d4e5f6072"
    assert told(world) == [
        ("metrics: blue", "ok", f"the newest data point of {name} is 120 s old"),
        ("metrics: green", "ok", f"{green} has no data point of the last hour: it had no request, and no target"),
    ]


def test_the_doctor_says_when_no_data_comes_at_all(world: World) -> None:
    """Either nobody comes, or a name or the region is wrong."""
    assert [(subject, state) for subject, state, _ in told(world)] == [("metrics: data", "warn")]


def test_the_doctor_says_when_data_has_stopped(world: World) -> None:
    """It came within the hour, and does not come now."""
    world.serve("blue", 10)
    world.at(1800)
    assert told(world)[0] == (
        "metrics: blue",
        "warn",
        "the newest data point of targetgroup/shop-blue/0a1b2c3d4e5f6071 is 1740 s old",
    )


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"period": "10s"}, "`period` is 10 s"),
        ({"lag": "30s"}, "`lag` is 30 s"),
        ({"shared": True}, "share the load balancer"),
    ],
)
def test_the_doctor_warns_of_settings_that_know_less(world: World, given: dict[str, Any], word: str) -> None:
    """A finer period than there is, incomplete minutes, errors that are not counted."""
    assert any(word in detail and state == "warn" for _, state, detail in told(world, **given))


def test_the_doctor_says_when_nothing_could_come_in_time(world: World) -> None:
    """A rollout that waits for data less long than data takes is always taken back."""
    found = world.metrics(lag="4m").diagnose()
    assert ("fail", "say `missing: 600s`") in {(each.state, each.do) for each in found}
    assert all(each.state != "fail" for each in world.metrics().diagnose())


def test_the_doctor_says_which_readings_come(world: World) -> None:
    """A name without data is a mistake; a primary without replication lag is not."""
    observe(world, "AWS/RDS", "CPUUtilization", 40, DBInstanceIdentifier="shop")
    world.at(90)
    given = CloudWatchLevels(databases=({"instance": "shop"},), groups=("web",))  # type: ignore[arg-type]
    found = {(subject, state) for subject, state, _ in told(world, levels=given) if subject != "metrics: data"}
    assert found == {
        ("metrics: cpu", "ok"),
        ("metrics: cpu", "warn"),
        ("metrics: replication_lag", "ok"),
        ("metrics: query_time", "ok"),
    }


# -- settings -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"period": "45s"}, "period: CloudWatch has"),
        ({"target_groups": GROUPS}, "belong together"),
        ({"levels": {"agent": "CWAgent"}}, "levels.agent"),
        ({"levels": {"instances": ["web-1"]}}, "pattern"),
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, Any], why: str) -> None:
    """Before anything is asked."""
    with pytest.raises(ValueError, match=why):
        MetricsSettings(**given)
