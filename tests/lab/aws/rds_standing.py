"""A tour through all that is asked of RDS."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploytasks.ports import Calls
from deploytasks.providers.aws.rds import Rds as Database
from deploytasks.settings.rds import RdsSettings

from .cloud import Cloud
from .rds import Rds
from .standing import site_in

_VARIABLE = "DATABASE_URL_OF_A_TOUR"


def toured(root: Path) -> set[str]:
    """What was asked for, as ``service:Operation``."""
    lab = Rds(takes=1)
    lab.add_instance("shop")
    lab.add_cluster("orders", "orders-1")
    lab.proxies = {"shop": [{"RdsResourceId": "shop"}]}
    os.environ[_VARIABLE] = "postgresql://shop:nobody@127.0.0.1/shop"
    with Cloud(lab) as cloud:
        try:
            for given in ({"instance": "shop"}, {"cluster": "orders"}):
                settings = RdsSettings.model_validate({"poll": 0.005, **given})
                _one(settings, site_in(cloud, root))
        finally:
            del os.environ[_VARIABLE]
        return {f"{seen.service}:{seen.operation}" for seen in cloud.seen}


def _one(settings: RdsSettings, site: object) -> None:
    database = Database(settings, site)  # type: ignore[arg-type]  # a Site
    for name in ("shop-1", "shop-2"):
        database.back_up(name, {"who": "ann"}).perform(20)
    _perform(database.prune(1))
    rehearsing = Database(settings.model_copy(update={"url_from": _VARIABLE}), site)  # type: ignore[arg-type]  # a Site
    scratch = rehearsing.scratch("shop-2", "20261123-101500-cccccc", "")
    _perform([[scratch.make], [scratch.drop]])
    _perform(database.restore("shop-2", "20261123-101500-aaaaaa"))
    database.restored("20261123-101500-aaaaaa")
    _perform(database.restore_to(datetime.now(UTC) - timedelta(hours=1), "20261123-101500-bbbbbb"))
    database.busy()
    database.diagnose()


def _perform(calls: Calls) -> None:
    for batch in calls:
        for call in batch:
            call.perform(20)
