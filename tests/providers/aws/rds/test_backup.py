"""Snapshots: made, waited for, listed, and let go of."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lab.aws.rds import Rds as LabRds
from lab.aws.rds_state import Stage

from deploytasks.errors import DeployError, GateRefused, Unreachable, UsageError

from .conftest import MARK, TAGS, Place, perform


def names(shop: Place) -> list[str]:
    return [backup.name for backup in shop.database.backups()]


def add_foreign(shop: Place, name: str, of: str = "shop") -> None:
    """A snapshot that a person made in the console."""
    if of not in shop.rds.instances:
        shop.rds.add_instance(of)
    shop.rds.create_db_snapshot({"DBSnapshotIdentifier": name, "DBInstanceIdentifier": of, "Tags": []})
    shop.rds.snapshots[name].begin()
    while shop.rds.snapshots[name].stages:
        shop.rds.snapshots[name].look()
    shop.rds.instances[of].stages.clear()


def test_a_snapshot_is_made_and_waited_for(shop: Place) -> None:
    """It is there afterwards, whole, with who, version, commit and deployment as tags."""
    shop.database.back_up("shop-1", TAGS).perform(20)
    (found,) = shop.database.backups()
    assert (found.name, found.size, found.digest.endswith(":snapshot:shop-1")) == ("shop-1", 100 * 2**30, True)
    assert dict(found.tags) == {**TAGS, "application": "shop", "environment": "production"}
    assert (datetime.now(UTC) - found.at).total_seconds() < 60
    tags = {one["Key"]: one["Value"] for one in shop.rds.snapshots["shop-1"].facts["TagList"]}
    assert (tags["deploytasks:who"], tags["deploytasks:version"]) == ("ann@laptop", "1.2.0")


def test_who_it_was_is_always_said(shop: Place) -> None:
    """A deployment that copies the database before it migrates names nobody: whoever runs it is meant."""
    shop.database.back_up("shop-1", {**TAGS, "who": ""}).perform(20)
    assert shop.database.backups()[0].tags["who"] == "ann@laptop"


def test_how_far_it_is_is_told(shop: Place) -> None:
    """Whoever listens hears each new word once."""
    shop.rds.takes = 5
    heard: list[str] = []
    shop.database.hear = heard.append
    shop.database.back_up("shop-1", TAGS).perform(20)
    assert heard[0] == "the snapshot shop-1: asked for"
    assert "the snapshot shop-1: creating, 40 %" in heard
    assert len(heard) == len(set(heard))


def test_one_that_is_there_is_kept(backed_up: Place) -> None:
    """The same name makes no second one."""
    with backed_up.cloud.counting() as asked:
        backed_up.database.back_up("shop-1", TAGS).perform(20)
    assert asked == ["DescribeDBSnapshots"]


def test_one_that_is_being_made_is_waited_for(shop: Place) -> None:
    """Whoever died while it was made: the next one waits for the same snapshot."""
    shop.rds.takes = 50
    with pytest.raises(Unreachable, match=r"the snapshot shop-1 is not done after 0\.05 s: "):
        shop.database.back_up("shop-1", TAGS).perform(0.05)
    assert shop.database.busy() is None
    shop.again().back_up("shop-1", TAGS).perform(20)
    assert (names(shop), shop.cloud.operations().count("CreateDBSnapshot")) == (["shop-1"], 1)


def test_a_name_that_rds_does_not_take_is_kept_as_a_tag(shop: Place) -> None:
    """Names of ours may have dots and capitals; identifiers there may not."""
    shop.database.back_up("My.Shop_2--x", TAGS).perform(20)
    assert (names(shop), list(shop.rds.snapshots)) == (["My.Shop_2--x"], ["my-shop-2-x"])


def test_tags_that_rds_does_not_take_are_made_fit(shop: Place) -> None:
    """Any name of a person, and any length."""
    shop.database.back_up("shop-1", {"who": "zoë <z@x>;'", "commit": "a" * 300}).perform(20)
    (found,) = shop.database.backups()
    assert (found.tags["who"], len(found.tags["commit"])) == ("zoë _z@x___", 256)


@pytest.mark.parametrize("drop", ["drop", "drop_answer"])
def test_a_lost_answer_makes_no_second_one(shop: Place, drop: str) -> None:
    """Whether it was carried out or not."""
    getattr(shop.cloud, drop)("rds", "CreateDBSnapshot")
    shop.database.back_up("shop-1", TAGS).perform(20)
    assert names(shop) == ["shop-1"]


def test_some_silence_while_it_is_made_is_outlived(shop: Place) -> None:
    """A wait of hours does not end for one bad minute."""
    shop.rds.takes = 3
    shop.database.hear = lambda text: (
        shop.cloud.drop("rds", "DescribeDBSnapshots", times=3) if "asked" in text else None
    )
    shop.database.back_up("shop-1", TAGS).perform(20)
    assert names(shop) == ["shop-1"]


def test_a_snapshot_that_fails(shop: Place) -> None:
    """It is said how far it came, and it is no backup; the next try deletes it and makes another."""
    shop.rds.failing = 1
    with pytest.raises(Unreachable, match="could not make the snapshot shop-1: it failed at 42 %") as caught:
        shop.database.back_up("shop-1", TAGS).perform(20)
    assert (caught.value.exit_code, names(shop)) == (7, [])
    shop.database.back_up("shop-1", TAGS).perform(20)
    assert names(shop) == ["shop-1"]


@pytest.mark.parametrize("status", ["stopped", "modifying", "backing-up", "incompatible-parameters"])
def test_in_a_wrong_state(shop: Place, status: str) -> None:
    """Refused with the state, before anything is asked for."""
    shop.rds.instances["shop"].rest = status
    with pytest.raises(GateRefused, match=f"shop is `{status}`: RDS makes snapshots of an available instance only"):
        shop.database.back_up("shop-1", TAGS).perform(20)
    assert shop.rds.snapshots == {}
    assert shop.database.busy() == f"shop is `{status}`"


def test_while_storage_is_optimized(shop: Place) -> None:
    """That lasts for hours, and hinders nothing."""
    shop.rds.instances["shop"].rest = "storage-optimization"
    assert shop.database.busy() is None
    shop.database.back_up("shop-1", TAGS).perform(20)
    assert names(shop) == ["shop-1"]


CODES: list[tuple[str, str, int, type[DeployError], str]] = [
    ("CreateDBSnapshot", "InvalidDBInstanceState", 400, GateRefused, "the instance is not in a state for it"),
    ("CreateDBSnapshot", "DBSnapshotAlreadyExists", 400, GateRefused, "a snapshot of this name is there already"),
    ("CreateDBSnapshot", "SnapshotQuotaExceeded", 400, GateRefused, "as many manual snapshots"),
    ("CreateDBSnapshot", "DBInstanceNotFound", 404, UsageError, "there is no such instance"),
]


@pytest.mark.parametrize(("operation", "code", "status", "kind", "said"), CODES)
def test_each_refusal(shop: Place, operation: str, code: str, status: int, kind: type[DeployError], said: str) -> None:
    """Each code has its sentence and exit code, and leaves nothing behind."""
    shop.cloud.fail("rds", operation, code, status=status)
    with pytest.raises(kind, match=said) as caught:
        shop.database.back_up("shop-1", TAGS).perform(20)
    assert (caught.value.exit_code, caught.value.state) == (kind.exit_code, "the database is as it was")
    assert (bool(caught.value.do), shop.rds.snapshots) == (True, {})


def test_the_quota(shop: Place) -> None:
    """When it is used up, that is what is said."""
    shop.rds.most["ManualSnapshots"] = 0
    with pytest.raises(GateRefused, match="as many manual snapshots in this region as it may have"):
        shop.database.back_up("shop-1", TAGS).perform(20)


def test_a_name_that_is_somebody_else_s(shop: Place) -> None:
    """A snapshot of that name that we did not make is neither kept nor taken for ours."""
    add_foreign(shop, "shop-1")
    with pytest.raises(GateRefused, match="a snapshot shop-1 is there already, and is not ours"):
        shop.database.back_up("shop-1", TAGS).perform(20)


def test_without_the_instance(shop: Place) -> None:
    """A mistake in the configuration is called one."""
    with pytest.raises(UsageError, match="there is no instance other in this account and region"):
        shop.again(instance="other").back_up("shop-1", TAGS).perform(20)


def test_the_oldest_of_ours_go(shop: Place) -> None:
    """``keep`` counts ours; a snapshot that a person made is never deleted, nor one of another database."""
    for name in ("shop-1", "shop-2", "shop-3"):
        shop.database.back_up(name, TAGS).perform(20)
    add_foreign(shop, "by-hand")
    add_foreign(shop, "of-another", of="other")
    perform(shop.database.prune(2))
    assert sorted(shop.rds.snapshots) == ["by-hand", "of-another", "shop-2", "shop-3"]
    assert names(shop) == ["by-hand", "shop-3", "shop-2"]


def test_failed_ones_of_ours_go(backed_up: Place) -> None:
    """They count against the quota, and are good for nothing."""
    backed_up.rds.failing = 1
    with pytest.raises(Unreachable):
        backed_up.database.back_up("shop-2", TAGS).perform(20)
    perform(backed_up.database.prune(5))
    assert list(backed_up.rds.snapshots) == ["shop-1"]


def test_some_are_discarded(backed_up: Place) -> None:
    """Ours, by name; what is gone is no mistake, and what a person made stays."""
    add_foreign(backed_up, "by-hand")
    perform(backed_up.database.discard(["shop-1", "by-hand", "gone"]))
    assert list(backed_up.rds.snapshots) == ["by-hand"]
    perform(backed_up.database.discard(["shop-1"]))


def test_many_pages(shop: Place) -> None:
    """All are found, however many RDS shows at once."""
    shop.rds.page_size = 1
    for number in range(3):
        shop.database.back_up(f"shop-{number}", TAGS).perform(20)
    assert names(shop) == ["shop-2", "shop-1", "shop-0"]


def test_a_foreign_snapshot_that_is_being_made(shop: Place) -> None:
    """Nothing is begun meanwhile; one of ours is waited for instead."""
    shop.rds.takes = 50
    shop.rds.create_db_snapshot({"DBSnapshotIdentifier": "by-hand", "DBInstanceIdentifier": "shop", "Tags": []})
    assert shop.database.busy() == "shop is `backing-up`"
    shop.rds.instances["shop"].stages.clear()
    assert str(shop.database.busy()).startswith("the snapshot by-hand of shop is being made")


def test_maintenance_that_is_due(shop: Place) -> None:
    """Nothing is begun that AWS would interrupt within the hour."""
    arn = shop.rds.instances["shop"].facts["DBInstanceArn"]
    shop.rds.maintenance[arn] = [{"Action": "system-update", "CurrentApplyDate": datetime.now(UTC)}]
    assert str(shop.database.busy()).startswith("AWS does system-update to it at ")
    shop.rds.maintenance[arn][0]["CurrentApplyDate"] = datetime(2099, 1, 1, tzinfo=UTC)
    assert shop.database.busy() is None


def test_the_plan_names_it(shop: Place) -> None:
    """What would be done is said before."""
    call = shop.database.back_up(f"shop-{MARK}", TAGS)
    assert call.text == f"rds: make the snapshot shop-{MARK} of the instance shop, and wait for it"


def test_a_cluster(aurora: Place) -> None:
    """An Aurora cluster is copied as a whole."""
    (found,) = aurora.database.backups()
    assert (found.name, found.size, found.digest.split(":")[5]) == ("shop-1", 2**30, "cluster-snapshot")
    perform(aurora.database.prune(1))
    assert "DeleteDBClusterSnapshot" not in aurora.cloud.operations()


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("DBClusterSnapshotAlreadyExistsFault", GateRefused, "a snapshot of this name is there already"),
        ("InvalidDBClusterStateFault", GateRefused, "the cluster is not in a state for it"),
        ("SnapshotQuotaExceeded", GateRefused, "as many manual snapshots"),
        ("DBClusterNotFoundFault", UsageError, "there is no such cluster"),
    ],
)
def test_each_refusal_about_a_cluster(aurora: Place, code: str, kind: type[DeployError], said: str) -> None:
    """The same for clusters, whose codes have other names."""
    aurora.cloud.fail("rds", "CreateDBClusterSnapshot", code)
    with pytest.raises(kind, match=said):
        aurora.database.back_up("shop-2", TAGS).perform(20)
    assert list(aurora.rds.cluster_snapshots) == ["shop-1"]


def test_the_lab_forbids_what_rds_forbids() -> None:
    """A snapshot takes its time, and the instance is not available meanwhile."""
    rds = LabRds()
    thing = rds.add_instance("shop")
    rds.create_db_snapshot({"DBSnapshotIdentifier": "a", "DBInstanceIdentifier": "shop"})
    assert (thing.status, rds.snapshots["a"].status) == ("backing-up", "creating")
    thing.begin(Stage("available", 1))
