"""A tour of ``fleet: {kind: ssm}``: all that it can ask AWS for."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from unittest.mock import patch

from deploytasks.errors import DeployError
from deploytasks.ports import Release
from deploytasks.providers.aws.ssm import flight
from deploytasks.providers.aws.ssm_fleet import SsmFleet
from deploytasks.settings.ssm_fleet import SsmFleetSettings

from .cloud import Cloud
from .s3 import S3
from .ssm import Instance, Machines, SystemsManager
from .standing import site_in

_BUCKET = "shop-releases"


def toured(root: Path) -> set[str]:
    """Who is there, and who has ended; a release brought; a long answer; nobody's command; one that is cancelled."""
    manager, s3 = SystemsManager(root / "hosts", light=_says), S3()
    s3.bucket(_BUCKET)
    for number, ping in enumerate(("Online", "ConnectionLost")):
        state = "running" if ping == "Online" else "terminated"
        manager.add(f"i-{number:017x}", address="10.0.0.1", tags={"app": "shop"}, ping=ping, state=state)
    settings = SsmFleetSettings.model_validate(
        {
            "tags": {"app": "shop"},
            "ports": {"blue": 1, "green": 2},
            "bucket": _BUCKET,
            "service": "shop",
            "poll": "50ms",
        }
    )
    archive = root / "shop.tar.gz"
    archive.write_bytes(b"a release")
    release = Release("1.0.0", "c0ffee", "0" * 64, str(archive))
    with Cloud(manager, Machines(manager), s3) as cloud:
        fleet = SsmFleet(settings.model_copy(update={"taken_within": -14.9}), site_in(cloud, root))
        fleet.diagnose()
        for batch in fleet.install(release, "green"):
            for call in batch:
                call.perform(5.0)
        (member,) = fleet._members
        _fetch(fleet._bucket.url(archive))
        manager.shy = 1000
        with patch.object(flight, "_EMPTY", 0.0), contextlib.suppress(DeployError):
            member.host.run("true", 1.0)
    return {f"{one.service}:{one.operation}" for one in cloud.seen}


def _fetch(url: str) -> None:
    """As an instance does."""
    import urllib.request

    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() == b"a release"


def _says(instance: Instance, script: str) -> tuple[int, str]:
    token = re.findall(r"deploytasks-ssm-(\w{16})", script)[0]
    long = "release x\n" * 400 if "space $line" in script else ""
    return 0, f"{token} 0 {len(long)}\n{long}\n{token} end\n"
