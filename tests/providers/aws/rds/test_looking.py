"""What ``doctor`` says, what is asked of the database itself, and the copy in which migrations are rehearsed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from deploytasks.errors import GateRefused, Unreachable, UsageError
from deploytasks.providers.aws.rds import carrying
from deploytasks.providers.aws.rds.names import Names, identifier, instance_of, rehearsal
from deploytasks.settings.rds import RdsSettings

from .conftest import MARK, NEW, TAGS, Place, perform

REHEARSED = "shop-rx20261123-ab12cd"

if TYPE_CHECKING:
    from lab.aws.cloud import Cloud

URL = "postgresql://shop:s3cret%21@shop.c1x2y3z4.eu-central-1.rds.amazonaws.com:5432/shop?sslmode=require"


def findings(shop: Place) -> dict[str, tuple[str, str]]:
    return {one.subject: (one.state, one.detail) for one in shop.database.diagnose()}


# -- doctor ----------------------------------------------------------------------------------------


def test_all_is_well(backed_up: Place) -> None:
    """State, points in time and copies, with the quota."""
    found = findings(backed_up)
    assert {state for state, _ in found.values()} == {"ok"}
    assert found["database"][1] == "instance shop, postgres 16.4, is available"
    assert found["database points in time"][1].startswith("kept 7 days; up to ")
    assert found["database copies"][1].startswith("1, the newest shop-1 of ")
    assert found["database copies"][1].endswith("; the account has 1 of 100")


@pytest.mark.parametrize(
    ("facts", "subject", "said"),
    [
        ({"DeletionProtection": False}, "database deletion", "nothing protects it"),
        ({"BackupRetentionPeriod": 0}, "database points in time", "no automated backups are kept"),
        ({"LatestRestorableTime": datetime(2026, 1, 1, tzinfo=UTC)}, "database points in time", "2026-01-01"),
        ({"MaxAllocatedStorage": 105}, "database storage", "100 GiB of the 105"),
    ],
)
def test_what_is_not_well(shop: Place, facts: dict[str, Any], subject: str, said: str) -> None:
    """Each is a warning, with what to do."""
    shop.rds.instances["shop"].facts |= facts
    found = next(one for one in shop.database.diagnose() if one.subject == subject)
    assert (found.state, said in found.detail, bool(found.do)) == ("warn", True, True)


def test_a_quota_that_is_nearly_used_up(backed_up: Place) -> None:
    """Before the next backup fails for it."""
    backed_up.rds.most["ManualSnapshots"] = 1
    assert findings(backed_up)["database copies"][0] == "warn"


def test_what_restores_have_left(backed_up: Place) -> None:
    """The replaced database is there, and costs; so is a restored one that never took the place."""
    perform(backed_up.database.restore("shop-1", MARK)[:1])
    assert findings(backed_up)["database leftovers"][1].startswith(f"{NEW} (")


def test_maintenance_and_no_database(shop: Place) -> None:
    """What AWS will do by itself is told; without a database that is all."""
    arn = shop.rds.instances["shop"].facts["DBInstanceArn"]
    shop.rds.maintenance[arn] = [{"Action": "system-update"}]
    assert findings(shop)["database maintenance"] == ("warn", "pending: system-update")
    del shop.rds.instances["shop"]
    assert findings(shop) == {"database": ("fail", "there is no instance shop")}


def test_a_silent_rds_fails(shop: Place) -> None:
    """What cannot be asked is no finding that all is well."""
    shop.cloud.fail("rds", "DescribeDBInstances", "AccessDenied", status=403)
    assert findings(shop)["database"][0] == "fail"


# -- inside ----------------------------------------------------------------------------------------


def test_without_a_url_nothing_is_known(shop: Place) -> None:
    """No migration is known, and none can be rehearsed."""
    assert shop.database.applied() == ()
    with pytest.raises(UsageError, match="nothing says how a restored copy of the database is reached"):
        shop.database.scratch("shop-1", MARK, "/nowhere")
    with pytest.raises(UsageError, match=r"`database\.url_from` is not set"):
        shop.database.run("true", "migrate")


def test_a_restored_database_that_does_not_answer(backed_up: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked SELECT 1 at its own address; the password is in no word of it."""
    monkeypatch.setenv("DATABASE_URL", URL)
    backed_up.rds.place = ("127.0.0.1", 1)
    database = backed_up.again(url_from="DATABASE_URL")
    with pytest.raises(GateRefused, match=f"the restored {NEW} does not work: .*127.0.0.1.* port 1") as caught:
        perform(database.restore("shop-1", MARK))
    assert "s3cret" not in str(caught.value)
    assert sorted(backed_up.rds.instances) == ["shop", NEW]


@pytest.mark.parametrize("length", [4, 43, 44, 52])
def test_the_names_of_a_rehearsal_are_as_long_as_rds_takes(length: int) -> None:
    """Also that of the instance of a cluster; and none is that of a restore."""
    live = "a" * length
    name = rehearsal(live, MARK)
    assert len(instance_of(name)) <= 63
    assert name.startswith(f"{live}-r")
    assert name not in Names.of(live, MARK)


def test_a_rehearsal_has_a_database_of_its_own(backed_up: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The live URL with its address; one zone, no protection; and gone afterwards, without a last snapshot."""
    monkeypatch.setenv("DATABASE_URL", URL)
    scratch = backed_up.again(url_from="DATABASE_URL").scratch("shop-1", MARK, "/nowhere")
    perform([[scratch.make]])
    name = REHEARSED
    facts = backed_up.rds.instances[name].facts
    assert (facts["MultiAZ"], facts["DeletionProtection"]) == (False, False)
    assert scratch.values["url"] == URL.replace("@shop.", f"@{name}.")
    assert (scratch.values["name"], "/nowhere_of_a_rehearsal?" in scratch.nowhere["url"]) == ("shop", True)
    perform([[scratch.drop]])
    (deleted,) = [one.params for one in backed_up.cloud.seen if one.operation == "DeleteDBInstance"]
    assert (deleted["DBInstanceIdentifier"], deleted["SkipFinalSnapshot"]) == (name, True)
    perform([[scratch.drop]])


def test_a_rehearsal_deletes_nothing_else(backed_up: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance of that name without our tag stays."""
    monkeypatch.setenv("DATABASE_URL", URL)
    backed_up.rds.add_instance(REHEARSED, DeletionProtection=False)
    scratch = backed_up.again(url_from="DATABASE_URL").scratch("shop-1", MARK, "/nowhere")
    perform([[scratch.drop]])
    assert "DeleteDBInstance" not in backed_up.cloud.operations()


def test_a_rehearsal_that_could_not_be_cleared_up(backed_up: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """How it is deleted by hand is said: it costs."""
    monkeypatch.setenv("DATABASE_URL", URL)
    scratch = backed_up.again(url_from="DATABASE_URL").scratch("shop-1", MARK, "/nowhere")
    perform([[scratch.make]])
    backed_up.rds.instances[REHEARSED].facts["DeletionProtection"] = True
    with pytest.raises(Unreachable, match=f"{REHEARSED} could not be deleted") as caught:
        scratch.drop.perform(0.05)
    assert f"--db-instance-identifier {REHEARSED}" in caught.value.do


def test_a_rehearsal_of_a_cluster(aurora: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one instance; both go."""
    monkeypatch.setenv("DATABASE_URL", URL)
    scratch = aurora.again(cluster="shop", url_from="DATABASE_URL").scratch("shop-1", MARK, "/nowhere")
    perform([[scratch.make]])
    assert instance_of(REHEARSED) in aurora.rds.instances
    aurora.rds.takes = 1
    aurora.rds.instances[instance_of(REHEARSED)].stages.clear()
    perform([[scratch.drop]])
    deleted = [one for one in aurora.cloud.operations() if one.startswith("Delete")]
    assert deleted == ["DeleteDBInstance", "DeleteDBCluster"]


# -- words -----------------------------------------------------------------------------------------


def test_names_leave_room() -> None:
    """Up to 63 characters; a long name gets a shorter mark, one that is too long is refused."""
    assert Names.of("a" * 43, MARK).old == f"{'a' * 43}-old-20261123-ab12cd"
    assert Names.of("a" * 50, MARK).old == f"{'a' * 50}-old-ab12cd"
    with pytest.raises(UsageError, match="is too long a name"):
        Names.of("a" * 60, MARK)


@pytest.mark.parametrize(("name", "found"), [("Shop_1.2--x-", "shop-1-2-x"), ("1-shop", "copy-1-shop")])
def test_identifiers(name: str, found: str) -> None:
    """As RDS takes them."""
    assert identifier(name) == found


def test_rates_of_volumes() -> None:
    """Only where RDS lets one choose them."""
    small = {"StorageType": "gp3", "AllocatedStorage": 100, "Iops": 3000, "StorageThroughput": 125}
    assert carrying.instance(small) == {"StorageType": "gp3", "VpcSecurityGroupIds": []} or (
        "Iops" not in carrying.instance(small)
    )
    large = {**small, "AllocatedStorage": 500, "Iops": 15000}
    assert (carrying.instance(large)["Iops"], carrying.instance(large)["StorageThroughput"]) == (15000, 125)
    assert carrying.instance({**small, "StorageType": "io2"})["Iops"] == 3000


@pytest.mark.parametrize(
    "given", [{}, {"instance": "a", "cluster": "b"}, {"instance": "Shop"}, {"instance": "a--b"}, {"instance": "1a"}]
)
def test_one_database(given: dict[str, Any]) -> None:
    """Either an instance or a cluster, in RDS' own spelling."""
    with pytest.raises(ValidationError):
        RdsSettings(**given)


def test_expired_credentials(cloud: Cloud, shop: Place) -> None:
    """As everywhere: who must log in again is told."""
    cloud.fail("rds", "DescribeDBSnapshots", "ExpiredToken", status=403)
    with pytest.raises(Unreachable, match="ExpiredToken") as caught:
        shop.database.back_up("shop-1", TAGS).perform(5)
    assert "credentials" in caught.value.do


def test_a_time_that_lags(shop: Place) -> None:
    """Half an hour is too much; five minutes are usual."""
    thing = shop.rds.instances["shop"]
    thing.facts["LatestRestorableTime"] = datetime.now(UTC) - timedelta(minutes=31)
    assert findings(shop)["database points in time"][0] == "warn"
