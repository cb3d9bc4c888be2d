"""Short tours: each drives every operation of AWS that one of our providers can make.

What they ask for is compared with the policies in the documentation: an action that is missing there, or that nothing
asks for, is found.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Tour = Callable[[Path], set[str]]
"""Given an empty folder, brings up what it needs, and returns what was asked for, as ``service:Operation``."""

TOURS: dict[str, Tour] = {}
"""The name of the role or policy in docs/aws that a provider needs → its tours."""


def tour_secrets(root: Path) -> set[str]:
    """``secrets: {kind: aws-secrets-manager}``: values together, a version by its label, and ``doctor``."""
    from deploytasks.providers.aws.secrets import SecretsManager
    from deploytasks.settings.secrets_manager import SecretsManagerSettings

    from . import Cloud, secretsmanager
    from .standing import site_in

    names = {"A": "shop/a", "B": {"id": "shop/a", "stage": "AWSPENDING"}}
    settings = SecretsManagerSettings.model_validate({"kind": "aws-secrets-manager", "names": names})
    with Cloud(secretsmanager.SecretsManager({"shop/a": "1"})) as cloud:
        SecretsManager(settings, site_in(cloud, root)).diagnose()
        return {f"{seen.service}:{seen.operation}" for seen in cloud.seen}


def tour_identity(root: Path) -> set[str]:
    """Who deploys, as ``doctor`` asks it."""
    from deploytasks.providers.aws.account import Account
    from deploytasks.settings.aws import AwsAccess

    from . import Cloud, sts
    from .standing import site_in

    with Cloud(sts.Sts()) as cloud:
        Account(AwsAccess(), site_in(cloud, root)).diagnose()
        return {f"{seen.service}:{seen.operation}" for seen in cloud.seen}


def tour_cloudwatch(root: Path) -> set[str]:
    """``metrics`` and ``alerts`` of ``kind: cloudwatch``: counts, readings with an agent's, alarms by their tags."""
    from deploytasks.providers.aws.cloudwatch import Alarms
    from deploytasks.settings.cloudwatch import AlarmSettings, CloudWatchLevels

    from . import Cloud, cloudwatch, tagging
    from .cloudwatch_standing import World
    from .standing import site_in

    with Cloud(cloudwatch.CloudWatch(), tagging.Tagging()) as cloud:
        world = World(cloud, root)
        arn = world.lab.put_alarm(cloudwatch.Alarm("shop-errors", "ALARM"))
        cloud["resourcegroupstaggingapi"].tag(arn, service="shop")
        world.metrics(levels=CloudWatchLevels(instances=("i-1",), agent="CWAgent")).diagnose()
        Alarms(AlarmSettings(tags={"service": "shop"}), site_in(cloud, root)).diagnose()
        return {f"{seen.service}:{seen.operation}" for seen in cloud.seen}


def tour_elbv2(root: Path) -> set[str]:
    """``traffic`` and ``maintenance`` of ``kind: alb``, at a listener and at a rule: there, back, closed, open."""
    from datetime import UTC, datetime

    from deploytasks.ports import Notice, Split
    from deploytasks.providers.aws.alb import Maintenance, Traffic
    from deploytasks.settings.alb import MaintenanceSettings, TrafficSettings

    from . import Cloud, elbv2
    from .standing import site_in

    lab = elbv2.ElasticLoadBalancing()
    groups = {color: lab.group(f"shop-{color}", [("10.0.0.1", 8001)]) for color in ("blue", "green")}
    listener = lab.listener(groups["blue"])
    notice = Notice("Back at noon.", 300, datetime(2026, 11, 23, tzinfo=UTC), "ann")
    with Cloud(lab) as cloud:
        for place in ({"listener": listener}, {"rule": lab.rule(listener, 1, groups["blue"])}):
            given = {"public": "https://shop.example", "groups": groups, **place}
            settings = TrafficSettings.model_validate(given)
            traffic = Traffic(settings, site_in(cloud, root))
            for [call] in traffic.prepare():
                call.perform(10)
            for split in (Split(90, 10, "blue", "deploy:d-1"), Split(100, 0, None, "back:d-1")):
                traffic.shift(split).perform(10)
            traffic.drained("green")
            traffic.diagnose()
            maintenance = Maintenance(MaintenanceSettings(), site_in(cloud, root, traffic=settings))
            for said in (notice, notice, None):
                maintenance.write(said).perform(10)
        return {f"{seen.service}:{seen.operation}" for seen in cloud.seen}


def tour_ledger(root: Path) -> set[str]:
    """``store: {kind: s3}``: record with retention, hold the lease, verify, and ``doctor``."""
    from .s3_standing import ledger_at_work

    return ledger_at_work(root)


def tour_auditor(root: Path) -> set[str]:
    """Who reads, and verifies all of it: ``inv history --verify``."""
    from .s3_standing import ledger_read

    return ledger_read(root)


def tour_ecs(root: Path) -> set[str]:
    """``fleet: {kind: ecs}``: install, migrate, start, fail, stop, lines, prune, ``doctor``."""
    from .ecs_standing import ecs_at_work

    return ecs_at_work(root)


def tour_ecs_native(root: Path) -> set[str]:
    """``strategy: ecs-native``, with all that its fleet asks for."""
    from .ecs_standing import ecs_at_work, ecs_handed_over

    return ecs_at_work(root) | ecs_handed_over(root)


def tour_scheduler(root: Path) -> set[str]:
    """``deadman: {kind: eventbridge}``: armed, moved by a beat, disarmed, and ``doctor``. What it asks of the load
    balancer is in the policy of ``traffic``."""
    from .scheduler_standing import switched

    return {one for one in switched(root) if one.startswith("scheduler:")}


def tour_deadman(root: Path) -> set[str]:
    """The role of a schedule that goes off, at a listener and at a rule, as EventBridge uses it."""
    from .scheduler_standing import gone_off

    return gone_off(root)


def tour_rds(root: Path) -> set[str]:
    """``database: {kind: rds}``: an instance and a cluster copied, put back by copy and by time, rehearsed on."""
    from .rds_standing import toured

    return toured(root)


def tour_ssm(root: Path) -> set[str]:
    """``fleet: {kind: ssm}``: looked at, installed on, and what nobody was given cancelled."""
    from .ssm_standing import toured

    return toured(root)


TOURS["ledger"] = tour_ledger
TOURS["auditor"] = tour_auditor
TOURS["secrets"] = tour_secrets
TOURS["identity"] = tour_identity
TOURS["cloudwatch"] = tour_cloudwatch
TOURS["elbv2"] = tour_elbv2
TOURS["ecs"] = tour_ecs
TOURS["ecs-native"] = tour_ecs_native
TOURS["scheduler"] = tour_scheduler
TOURS["deadman"] = tour_deadman
TOURS["rds"] = tour_rds
TOURS["ssm"] = tour_ssm
