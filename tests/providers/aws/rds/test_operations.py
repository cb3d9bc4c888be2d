"""Backups and restores as tasks carry them out: recorded, followed, taken back and gone on with."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
from lab.aws.service import AwsError
from lab.aws.standing import site_in

from deploytasks import plans, view
from deploytasks.errors import GateRefused, TakenBack, UsageError
from deploytasks.operations import choices
from deploytasks.operations.carrying_out import carry_out, show_plan
from deploytasks.operations.resuming import resume
from deploytasks.providers.aws.rds import Rds
from deploytasks.settings.rds import RdsSettings
from deploytasks.steps.backup import patience
from deploytasks.world import World

from .conftest import Place


def world(shop: Place, **settings: Any) -> World:
    """A world in memory, but for its database."""
    made = memory.world(shop.root)
    own = RdsSettings(instance="shop", poll=0.005, keep=2, **settings)
    made.settings = replace(made.settings, sections={**made.settings.sections, "database": own})
    made._ports.sections["database"] = Rds(own, site_in(shop.cloud, shop.root))  # type: ignore[attr-defined]
    return made


def back_up(of: World) -> None:
    carry_out(of, partial(plans.back_up, who="ann@desk"), task="backup-database", hosts=False)


def restore(of: World, **what: str) -> None:
    carry_out(of, partial(plans.restore, **{"backup": "", **what}), task="restore-database", hosts=False)


def facts(of: World, kind: str) -> list[Any]:
    return [event.facts for event in of.ledger.events() if event.kind == kind]


def names(shop: Place) -> list[str]:
    return sorted(re.sub(r"\d{8}-\w+$", "", name) for name in shop.rds.instances)


def test_a_backup_is_recorded(shop: Place) -> None:
    """With its size and its ARN; the deployment and who it was are tags; the oldest go."""
    for _ in range(3):
        made = world(shop)
        back_up(made)
        made.clock.sleep(60)
    recorded = [one["name"] for one in facts(made, "backup")]
    assert (len(recorded), sorted(shop.rds.snapshots)) == (3, sorted(recorded)[1:])
    found = facts(made, "backup")[-1]
    assert (found["size"], found["digest"].endswith(found["name"])) == (100 * 2**30, True)
    (tags,) = [dict(one.tags) for one in made.database.backups() if one.name == recorded[-1]]  # type: ignore[union-attr]
    assert (tags["who"], tags["deployment"]) == ("ann@desk", recorded[-1].removeprefix("library-"))


def test_how_far_it_is_is_told_and_not_recorded(shop: Place) -> None:
    """Whoever watches sees it."""
    made = world(shop)
    back_up(made)
    heard = [event.facts["text"] for event in made.listeners[0].events if event.kind == "note"]  # type: ignore[attr-defined]
    assert any(re.match(r"the snapshot library-\S+: creating, \d+ %", str(text)) for text in heard)
    assert facts(made, "note") == []


def test_a_busy_database_is_left_alone(shop: Place) -> None:
    """The gate refuses, and nothing was written."""
    shop.rds.instances["shop"].rest = "upgrading"
    with pytest.raises(GateRefused, match="the database cannot be backed up now: shop is `upgrading`") as caught:
        back_up(world(shop))
    assert (caught.value.exit_code, shop.rds.snapshots) == (3, {})


def test_the_deadline_is_the_database_s_own(shop: Place) -> None:
    """Four hours at RDS; a step's usual one elsewhere."""
    assert (patience(world(shop), 3600.0), patience(memory.world(shop.root), 3600.0)) == (14400.0, 3600.0)


def test_a_restore_is_recorded(shop: Place) -> None:
    """What was there is kept, and what does not follow is told."""
    made = world(shop)
    back_up(made)
    restore(made, backup=choices.backup(made, None))
    (found,) = facts(made, "restored")
    assert (found["kept"] in shop.rds.instances, names(shop)) == (True, ["shop", "shop-old-"])
    assert found["lost"] == [f"points in time before the restore: they belong to {found['kept']}, and go with it"]


def test_a_failure_between_the_renames_gives_the_name_back(shop: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application has its old database again; ``resume`` goes on with the restored one."""
    made = world(shop)
    back_up(made)
    real = shop.rds.modify_db_instance

    def refused(params: Any) -> Any:
        if params.get("NewDBInstanceIdentifier") == "shop" and "-r" in params["DBInstanceIdentifier"]:
            raise AwsError("AccessDenied", "not to that name", 403)
        return real(params)

    monkeypatch.setattr(shop.rds, "modify_db_instance", refused)
    short = world(shop)
    with pytest.raises(TakenBack, match=r"AWS did not rename the instance shop-r\S+ to shop") as caught:
        restore(short, backup=choices.backup(short, None))
    assert (caught.value.exit_code, names(shop)) == (4, ["shop", "shop-r"])
    monkeypatch.setattr(shop.rds, "modify_db_instance", real)
    resume(world(shop))
    assert names(shop) == ["shop", "shop-old-"]
    assert shop.cloud.operations().count("RestoreDBInstanceFromDBSnapshot") == 1


def test_a_point_in_time(shop: Place) -> None:
    """It is recorded by its time."""
    made = world(shop)
    _, at = choices.restorable(made, None, "2026-11-23T10:00Z")
    assert at == "2026-11-23T10:00:00+00:00"
    shop.rds.instances["shop"].facts["LatestRestorableTime"] = datetime(2026, 11, 23, 12, tzinfo=UTC)
    restore(made, at=at)
    assert facts(made, "restored")[0]["name"] == "2026-11-23T10:00:00+00:00"


def test_the_plan_shows_the_time(shop: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is written."""
    shown: list[str] = []
    monkeypatch.setattr(view, "plan", lambda rendered, *_: shown.extend(str(one) for one in rendered))
    shop.rds.instances["shop"].facts["LatestRestorableTime"] = datetime(2026, 11, 23, 12, tzinfo=UTC)
    show_plan(world(shop), partial(plans.restore, backup="", at="2026-11-23T10:00:00+00:00"), hosts=False)
    assert "restore its content of 2026-11-23 10:00:00 UTC as the new instance shop-r" in shown[0]
    assert list(shop.rds.instances) == ["shop"]


def test_other_databases_have_no_points_in_time(shop: Place) -> None:
    """That is said before anything is asked for."""
    made = memory.world(shop.root)
    with pytest.raises(UsageError, match="cannot be put back to a point in time"):
        choices.restorable(made, None, "2026-11-23T10:00Z")


def test_nothing_restores_by_itself() -> None:
    """Only the task that asks for the environment's name makes a plan with a restore; no step's way back has one."""
    package = Path(plans.__file__).parent
    made = {path.name for path in package.rglob("*.py") if re.search(r"\bRestore\(|plans\.restore\b", path.read_text())}
    asked = {path.name for path in package.rglob("*.py") if re.search(r"\.restore(_to)?\(", path.read_text())}
    assert (made, asked) == ({"plans.py", "database.py", "restore.py"}, {"restore.py"})


@pytest.mark.parametrize(
    ("given", "said"),
    [("soon", "soon is no point in time"), ("2099-01-01T00:00Z", "2099-01-01 00:00:00 UTC is still to come")],
)
def test_what_is_no_time(shop: Place, given: str, said: str) -> None:
    """A mistake of who typed it."""
    with pytest.raises(UsageError, match=said):
        choices.restorable(world(shop), None, given)


def test_either_a_copy_or_a_time(shop: Place) -> None:
    """Both at once is a mistake."""
    with pytest.raises(UsageError, match="--backup and --at at once"):
        choices.restorable(world(shop), "shop-1", "2026-11-23T10:00Z")


@pytest.mark.parametrize(("given", "hour"), [("2026-11-23T10:00", 10), ("2026-11-23T10:00+02:00", 8)])
def test_times_are_in_utc(given: str, hour: int) -> None:
    """Unless they say another zone."""
    assert choices.instant(given, datetime(2027, 1, 1, tzinfo=UTC)) == datetime(2026, 11, 23, hour, tzinfo=UTC)
