"""An Aurora cluster: a restored one has no instances, and its endpoints are those of both names."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.httpsession
import pytest

from deploytasks.errors import GateRefused

from .conftest import MARK, NEW, OLD, Place, perform

SHORT = "20261123-ab12cd"
MEMBERS = ["shop-reader", "shop-writer"]
KEPT = [f"{name}-old-{SHORT}" for name in MEMBERS]


class Killed(BaseException):
    """The process is gone."""


def restore(aurora: Place) -> None:
    perform(aurora.again(cluster="shop").restore("shop-1", MARK))


def is_whole(aurora: Place) -> bool:
    """Whether the restored cluster has the names, and the replaced one is kept, each with its own instances."""
    rds = aurora.rds
    of = {name: thing.facts["DBClusterIdentifier"] for name, thing in rds.instances.items()}
    tags = {one["Key"]: one["Value"] for one in rds.clusters["shop"].facts["TagList"]}
    return (
        sorted(rds.clusters) == ["shop", OLD]
        and tags == {"deploytasks:restore": MARK}
        and of == {**dict.fromkeys(MEMBERS, "shop"), **dict.fromkeys(KEPT, OLD)}
    )


def test_the_two_change_names(aurora: Place) -> None:
    """The cluster and its instances; the configuration is carried over, and the writer is created first."""
    before = dict(aurora.rds.clusters["shop"].facts)
    restore(aurora)
    assert is_whole(aurora)
    now = aurora.rds.clusters["shop"].facts
    other = {"DbClusterResourceId", "TagList", "DBClusterMembers"}
    assert {key for key in before if before[key] != now.get(key)} - other == set()
    writers = {one["DBInstanceIdentifier"]: one["IsClusterWriter"] for one in now["DBClusterMembers"]}
    assert writers == {"shop-writer": True, "shop-reader": False}
    assert aurora.rds.instances["shop-writer"].facts["DBInstanceClass"] == "db.r6g.large"


def test_the_plan_says_all_of_it(aurora: Place) -> None:
    """With each instance."""
    texts = [call.text for batch in aurora.database.restore("shop-1", MARK) for call in batch]
    assert texts[0].startswith(f"rds: restore the snapshot shop-1 as the new cluster {NEW}, with what shop has: ")
    assert texts[1] == (
        f"rds: create its instances shop-writer-r{SHORT}, shop-reader-r{SHORT}; wait until they are available"
    )
    assert texts[-1].startswith(f"rds: rename the instances shop-writer-r{SHORT} to shop-writer, ")


def test_done_again_it_does_nothing(aurora: Place) -> None:
    """Also while all of it is there."""
    restore(aurora)
    with aurora.cloud.counting() as asked:
        restore(aurora)
    assert [one for one in asked if not one.startswith("Describe")] == []
    assert is_whole(aurora)


def killed(aurora: Place, number: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Restore in a process that dies when the ``number``-th answer has come; whether it came so far."""
    counted, send = itertools.count(1), botocore.httpsession.URLLib3Session.send

    def sent(self: Any, request: Any) -> Any:
        came = send(self, request)
        if next(counted) >= number:
            raise Killed
        return came

    with monkeypatch.context() as patch:
        patch.setattr(botocore.httpsession.URLLib3Session, "send", sent)
        try:
            restore(aurora)
        except Killed:
            return True
    return False


@pytest.mark.parametrize("number", [2, 4, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42])
def test_killed_after_a_call(aurora: Place, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Whoever dies anywhere: the next one goes on, and the end is the same, with one restore."""
    aurora.rds.takes = 1
    assert killed(aurora, number, monkeypatch)
    restore(aurora)
    assert is_whole(aurora)
    assert aurora.cloud.operations().count("RestoreDBClusterFromSnapshot") == 1


def test_lost_answers(aurora: Place) -> None:
    """What was carried out is not done twice."""
    for operation in ("RestoreDBClusterFromSnapshot", "CreateDBInstance", "ModifyDBCluster", "ModifyDBInstance"):
        aurora.cloud.drop_answer("rds", operation)
    restore(aurora)
    assert is_whole(aurora)


def test_it_is_taken_back_when_nothing_has_the_name(aurora: Place) -> None:
    """Between the two renames of the cluster."""
    calls = aurora.database.restore("shop-1", MARK)
    perform(calls[:5])
    assert sorted(aurora.rds.clusters) == [OLD, NEW]
    perform(aurora.database.take_back(MARK))
    assert sorted(aurora.rds.clusters) == ["shop", NEW]
    restore(aurora)
    assert is_whole(aurora)


def test_a_point_in_time(aurora: Place) -> None:
    """Within the time that the cluster can be put back to."""
    perform(aurora.database.restore_to(datetime.now(UTC) - timedelta(hours=1), MARK))
    assert is_whole(aurora)
    assert aurora.cloud.operations().count("RestoreDBClusterToPointInTime") == 1


@pytest.mark.parametrize("code", ["DBClusterAlreadyExistsFault", "InvalidDBClusterSnapshotStateFault"])
def test_each_refusal(aurora: Place, code: str) -> None:
    """Nothing has changed afterwards."""
    aurora.cloud.fail("rds", "RestoreDBClusterFromSnapshot", code)
    with pytest.raises(GateRefused) as caught:
        restore(aurora)
    assert (caught.value.state, list(aurora.rds.clusters)) == ("the database is as it was", ["shop"])


def test_a_cluster_that_is_no_aurora(aurora: Place) -> None:
    """A Multi-AZ cluster brings its instances by itself: that is not done here."""
    aurora.rds.clusters["shop"].facts["DBClusterInstanceClass"] = "db.m6gd.large"
    with pytest.raises(GateRefused, match="only Aurora clusters and instances are restored here"):
        restore(aurora)
