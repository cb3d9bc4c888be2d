"""A snapshot in the place of the database: restored beside it, checked, and then the two change names."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploytasks.errors import DeployError, GateRefused, Unreachable, UsageError

from .conftest import MARK, NEW, OLD, TAGS, Place, perform

CALLS = 19
"""How often AWS is asked in a restore where nothing takes longer than one look."""
WRITES = {
    "RestoreDBInstanceFromDBSnapshot", "ModifyDBInstance", "CreateDBInstance", "RestoreDBInstanceToPointInTime",
    "RestoreDBClusterFromSnapshot", "ModifyDBCluster",
}  # fmt: skip


def restore(shop: Place, name: str = "shop-1") -> None:
    perform(shop.again().restore(name, MARK))


def resource(shop: Place, name: str) -> str:
    return str(shop.rds.instances[name].facts["DbiResourceId"])


def marked(shop: Place, name: str) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in shop.rds.instances[name].facts["TagList"]}


def test_the_two_change_names(backed_up: Place) -> None:
    """What was restored is ``shop`` afterwards, at the same address; what was there is kept."""
    before = resource(backed_up, "shop")
    address = backed_up.rds.instances["shop"].facts["Endpoint"]
    restore(backed_up)
    assert sorted(backed_up.rds.instances) == ["shop", OLD]
    assert (resource(backed_up, OLD), resource(backed_up, "shop") == before) == (before, False)
    assert backed_up.rds.instances["shop"].facts["Endpoint"] == address
    assert marked(backed_up, "shop") == {"team": "shop", "deploytasks:restore": MARK}


def test_the_configuration_is_carried_over(backed_up: Place) -> None:
    """RDS would give it the default groups, one zone, and no protection."""
    before = dict(backed_up.rds.instances["shop"].facts)
    restore(backed_up)
    now = backed_up.rds.instances["shop"].facts
    other = {"DbiResourceId", "TagList", "InstanceCreateTime", "PerformanceInsightsRetentionPeriod"}
    differs = {key for key in before if before[key] != now.get(key)} - other
    assert {key: (before[key], now.get(key)) for key in differs if key != "DBParameterGroups"} == {}
    assert now["DBParameterGroups"][0]["DBParameterGroupName"] == "shop-parameters"


def test_the_plan_says_all_of_it(backed_up: Place) -> None:
    """Each call, in order, with the names that there will be; and nothing is written."""
    texts = [call.text for batch in backed_up.database.restore("shop-1", MARK) for call in batch]
    assert [re.sub(r":? .*", "", text.removeprefix("rds: ")) for text in texts] == [
        "restore", "change", "check", "rename", "rename",
    ]  # fmt: skip
    assert texts[0] == (
        f"rds: restore the snapshot shop-1 as the new instance {NEW}, with what shop has: db.m6g.large, Multi-AZ, "
        "subnet group shop-subnets, security group sg-0123456789abcdef0, parameter group shop-parameters, "
        "deletion protection on; wait until it is available"
    )
    assert f"rename shop to {OLD}, where it is kept" in texts[3]
    assert WRITES & set(backed_up.cloud.operations()) == set()


def test_done_again_it_does_nothing(backed_up: Place) -> None:
    """A restore that was carried out is one that is done."""
    restore(backed_up)
    there = {name: resource(backed_up, name) for name in backed_up.rds.instances}
    with backed_up.cloud.counting() as asked:
        restore(backed_up)
    assert (set(asked) & WRITES, {name: resource(backed_up, name) for name in backed_up.rds.instances}) == (
        set(),
        there,
    )


@pytest.mark.parametrize("number", range(1, 21))
def test_killed_after_each_call(backed_up: Place, number: int) -> None:
    """Whoever dies after whichever call of AWS: the next one goes on, and the end is the same, with one restore."""
    before = resource(backed_up, "shop")
    backed_up.rds.takes = 1
    died = killed(backed_up, number)
    restore(backed_up)
    writes = [one for one in backed_up.cloud.operations() if one == "RestoreDBInstanceFromDBSnapshot"]
    assert (sorted(backed_up.rds.instances), resource(backed_up, OLD)) == (["shop", OLD], before)
    assert (len(writes), died) == (1, number <= CALLS)


class Killed(BaseException):
    """The process is gone."""


def killed(shop: Place, number: int) -> bool:
    """Restore in a process that dies when the ``number``-th answer has come; whether it came so far."""
    import botocore.httpsession

    counted, send = itertools.count(1), botocore.httpsession.URLLib3Session.send

    def sent(self: Any, request: Any) -> Any:
        came = send(self, request)
        if next(counted) >= number:
            raise Killed
        return came

    botocore.httpsession.URLLib3Session.send = sent
    try:
        restore(shop)
    except Killed:
        return True
    finally:
        botocore.httpsession.URLLib3Session.send = send
    return False


@pytest.mark.parametrize("operation", ["RestoreDBInstanceFromDBSnapshot", "ModifyDBInstance"])
def test_lost_answers(backed_up: Place, operation: str) -> None:
    """What was carried out is not done twice."""
    backed_up.cloud.drop_answer("rds", operation)
    restore(backed_up)
    assert sorted(backed_up.rds.instances) == ["shop", OLD]


def test_a_restore_that_breaks(backed_up: Place) -> None:
    """The database is as it was, and what has failed is named."""
    backed_up.rds.breaks = "incompatible-restore"
    with pytest.raises(Unreachable, match=f"{NEW} is `incompatible-restore`: it was not restored") as caught:
        restore(backed_up)
    assert caught.value.state == f"shop is as it was; {NEW} is still there"
    assert sorted(backed_up.rds.instances) == ["shop", NEW]


def test_a_restore_that_takes_too_long(backed_up: Place) -> None:
    """It is said how far it is; AWS goes on, and so does the next one."""
    backed_up.rds.takes = 10_000
    with pytest.raises(Unreachable, match=f"the restored instance {NEW} is not done after 0.05 s: ") as caught:
        perform(backed_up.database.restore("shop-1", MARK), 0.05)
    assert caught.value.do == "`inv resume` goes on with it; `database.within` gives it longer"


def test_a_database_that_does_not_work_takes_no_place(backed_up: Place) -> None:
    """The command that checks it fails: no name is changed, and its last line is told."""
    database = backed_up.again(check="echo asked $DATABASE_HOST at $DATABASE_PORT; false")
    with pytest.raises(GateRefused, match=f"left with 1: asked {NEW}.c1x2y3z4.*rds.amazonaws.com at 5432"):
        perform(database.restore("shop-1", MARK))
    assert sorted(backed_up.rds.instances) == ["shop", NEW]


def test_a_name_that_somebody_took_meanwhile(backed_up: Place) -> None:
    """Terraform creates ``shop`` again between the renames: that is not touched, and said."""
    calls = backed_up.database.restore("shop-1", MARK)
    perform(calls[:-1])
    backed_up.rds.add_instance("shop")
    with pytest.raises(GateRefused, match="there is another instance called shop, and it is not ours") as caught:
        perform(calls[-1:])
    assert caught.value.state == f"the old database is {OLD}, the restored one {NEW}, and nothing is called shop"


def test_it_is_taken_back_when_nothing_has_the_name(backed_up: Place) -> None:
    """The second rename fails: the database gets its name back, and the restore can go on later."""
    before = resource(backed_up, "shop")
    calls = backed_up.database.restore("shop-1", MARK)
    perform(calls[:-1])
    assert sorted(backed_up.rds.instances) == [OLD, NEW]
    perform(backed_up.again().take_back(MARK))
    assert (sorted(backed_up.rds.instances), resource(backed_up, "shop")) == (["shop", NEW], before)
    restore(backed_up)
    assert (sorted(backed_up.rds.instances), resource(backed_up, OLD)) == (["shop", OLD], before)


@pytest.mark.parametrize("done", [0, 1, 5])
def test_otherwise_nothing_is_taken_back(backed_up: Place, done: int) -> None:
    """While something has the name, that stays; twice is once."""
    perform(backed_up.database.restore("shop-1", MARK)[:done])
    there = {name: resource(backed_up, name) for name in backed_up.rds.instances}
    perform(backed_up.database.take_back(MARK))
    perform(backed_up.database.take_back(MARK))
    assert {name: resource(backed_up, name) for name in backed_up.rds.instances} == there


def test_what_does_not_follow_is_told(backed_up: Place) -> None:
    """Replicas, proxies, secrets, subscriptions and roles: each by its name."""
    role = {"RoleArn": "arn:aws:iam::123456789012:role/import", "FeatureName": "s3Import", "Status": "ACTIVE"}
    backed_up.rds.instances["shop"].facts |= {
        "ReadReplicaDBInstanceIdentifiers": ["shop-reader"], "AssociatedRoles": [role],
        "MasterUserSecret": {"SecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x"},
    }  # fmt: skip
    backed_up.rds.proxies = {"shop-proxy": [{"RdsResourceId": "shop"}], "others": [{"RdsResourceId": "other"}]}
    backed_up.rds.subscriptions = [{"CustSubscriptionId": "night", "SourceIdsList": ["shop"]}]
    restore(backed_up)
    found = backed_up.database.restored(MARK)
    assert found["kept"] == OLD
    assert [str(one).partition(":")[0] for one in found["lost"]] == [  # type: ignore[union-attr]  # a list
        "the read replica shop-reader", "the password that Secrets Manager rotates",
        "the role arn", "points in time before the restore", "the proxy shop-proxy", "the event subscription night",
    ]  # fmt: skip


def test_what_may_not_be_looked_at_is_unknown(backed_up: Place) -> None:
    """A role without the right to list proxies: that is said, and all else is told."""
    restore(backed_up)
    backed_up.cloud.fail("rds", "DescribeDBProxies", "AccessDenied", status=403)
    lost = [str(one) for one in backed_up.database.restored(MARK)["lost"]]  # type: ignore[union-attr]  # a list
    assert any(one.startswith("proxies, which could not be looked at: AWS did not list the proxies") for one in lost)


def test_before_it_is_done_nothing_was_restored(backed_up: Place) -> None:
    """A mark that nothing has."""
    assert backed_up.database.restored(MARK) == {}


def test_an_unknown_snapshot(backed_up: Place) -> None:
    """Those that may have been meant are named."""
    with pytest.raises(UsageError, match="no snapshot called 'shop-2'") as caught:
        backed_up.database.restore("shop-2", MARK)
    assert caught.value.do == "choose one of: shop-1"


def test_a_database_in_a_wrong_state(backed_up: Place) -> None:
    """Nothing is begun."""
    backed_up.rds.instances["shop"].rest = "upgrading"
    with pytest.raises(GateRefused, match="shop is `upgrading`"):
        backed_up.database.restore("shop-1", MARK)


def test_without_a_database(backed_up: Place) -> None:
    """There is nothing whose network and parameters could be taken over."""
    del backed_up.rds.instances["shop"]
    assert backed_up.database.busy() is None
    with pytest.raises(GateRefused, match="no instance shop whose configuration a restored one could take over"):
        backed_up.database.restore("shop-1", MARK)


@pytest.mark.parametrize(
    ("operation", "code", "kind", "said"),
    [
        ("RestoreDBInstanceFromDBSnapshot", "DBInstanceAlreadyExists", GateRefused, "an instance of this name"),
        ("RestoreDBInstanceFromDBSnapshot", "InvalidDBSnapshotState", GateRefused, "the snapshot is not in a state"),
        ("RestoreDBInstanceFromDBSnapshot", "DBSnapshotNotFound", UsageError, "there is no such snapshot"),
        ("RestoreDBInstanceFromDBSnapshot", "InstanceQuotaExceeded", GateRefused, "as many instances"),
        ("RestoreDBInstanceFromDBSnapshot", "StorageQuotaExceeded", GateRefused, "as much storage"),
        ("RestoreDBInstanceFromDBSnapshot", "DBParameterGroupNotFound", GateRefused, "its parameter group is gone"),
        ("RestoreDBInstanceFromDBSnapshot", "OptionGroupNotFoundFault", GateRefused, "its option group is gone"),
        ("RestoreDBInstanceFromDBSnapshot", "DBSubnetGroupNotFoundFault", GateRefused, "its subnet group is gone"),
        ("RestoreDBInstanceFromDBSnapshot", "KMSKeyNotAccessibleFault", GateRefused, "key cannot be used"),
        ("RestoreDBInstanceFromDBSnapshot", "InsufficientDBInstanceCapacity", Unreachable, "AWS has no room"),
        ("RestoreDBInstanceFromDBSnapshot", "InvalidRestoreFault", GateRefused, "cannot be restored in this way"),
        ("RestoreDBInstanceFromDBSnapshot", "AccessDenied", Unreachable, "AWS did not restore shop-1"),
        ("ModifyDBInstance", "InvalidDBInstanceState", GateRefused, "the instance is not in a state for it"),
        ("ModifyDBInstance", "DBInstanceNotFound", UsageError, "there is no such instance"),
    ],
)
def test_each_refusal(backed_up: Place, operation: str, code: str, kind: type[DeployError], said: str) -> None:
    """Each code has its sentence; the live database is as it was, under its name."""
    before = resource(backed_up, "shop")
    backed_up.cloud.fail("rds", operation, code, times=20)
    with pytest.raises(kind, match=said) as caught:
        restore(backed_up)
    assert (bool(caught.value.do), resource(backed_up, "shop")) == (True, before)


def test_a_rename_waits_until_it_may(backed_up: Place) -> None:
    """A restored instance makes its first backup by itself: until then it is not renamed."""
    calls = backed_up.database.restore("shop-1", MARK)
    perform(calls[:3])
    backed_up.cloud.fail("rds", "ModifyDBInstance", "InvalidDBInstanceState", times=3)
    perform(calls[3:])
    assert sorted(backed_up.rds.instances) == ["shop", OLD]


def test_a_restore_that_is_half_done_is_no_reason_to_wait(backed_up: Place) -> None:
    """Whoever resumes finds the database being renamed, or gone under its name: by us."""
    calls = backed_up.database.restore("shop-1", MARK)
    perform(calls[:3])
    backed_up.rds.modify_db_instance({"DBInstanceIdentifier": "shop", "NewDBInstanceIdentifier": OLD})
    assert backed_up.database.busy() is None
    perform(calls[3:4])
    assert backed_up.database.busy() is None


# -- a point in time -------------------------------------------------------------------------------


def test_a_point_in_time(shop: Place) -> None:
    """Restored from the automated backups, under the same name."""
    at = datetime.now(UTC) - timedelta(hours=1)
    calls = shop.database.restore_to(at, MARK)
    assert f"restore its content of {at:%Y-%m-%d %H:%M:%S} UTC as the new instance {NEW}" in calls[0][0].text
    perform(calls)
    (seen,) = [one for one in shop.cloud.seen if one.operation == "RestoreDBInstanceToPointInTime"]
    assert (seen.params["SourceDBInstanceIdentifier"], sorted(shop.rds.instances)) == ("shop", ["shop", OLD])
    assert abs((seen.params["RestoreTime"].replace(tzinfo=UTC) - at).total_seconds()) < 1
    perform(shop.again().restore_to(at, MARK))


@pytest.mark.parametrize("ago", [timedelta(minutes=1), timedelta(days=8)])
def test_a_time_that_is_not_kept(shop: Place, ago: timedelta) -> None:
    """Too new, or too old: what can be chosen is said."""
    with pytest.raises(UsageError, match="shop cannot be put back to") as caught:
        shop.database.restore_to(datetime.now(UTC) - ago, MARK)
    assert re.match(r"choose a time from 20\S+Z to 20\S+Z", caught.value.do)


def test_without_automated_backups(shop: Place) -> None:
    """There is no point in time, and that is said before anything is begun."""
    shop.rds.instances["shop"].facts["BackupRetentionPeriod"] = 0
    with pytest.raises(GateRefused, match="keeps no automated backups"):
        shop.database.restore_to(datetime.now(UTC) - timedelta(hours=1), MARK)


def test_rds_says_that_there_are_no_automated_backups(shop: Place) -> None:
    """The same, when they were turned off a moment ago."""
    shop.cloud.fail("rds", "RestoreDBInstanceToPointInTime", "PointInTimeRestoreNotEnabled")
    with pytest.raises(GateRefused, match="it keeps no automated backups") as caught:
        perform(shop.database.restore_to(datetime.now(UTC) - timedelta(hours=1), MARK))
    assert (caught.value.exit_code, list(shop.rds.instances)) == (3, ["shop"])


def test_tags_of_ours_are_not_inherited(backed_up: Place) -> None:
    """A second restore is not taken for the first one."""
    restore(backed_up)
    backed_up.database.back_up("shop-2", TAGS).perform(20)
    second = "20261124-090000-0f0f0f"
    perform(backed_up.database.restore("shop-2", second))
    assert sorted(backed_up.rds.instances) == ["shop", OLD, "shop-old-20261124-0f0f0f"]
    assert marked(backed_up, "shop")["deploytasks:restore"] == second
