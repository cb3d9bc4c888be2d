"""Which revisions of ours are too old to go back to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .asking import Ecs, tags_of
from .settling import primary_of


def too_old(ecs: Ecs, services: Mapping[str, Mapping[str, Any]], keep: int, spare: Collection[str]) -> Sequence[str]:
    """The revisions that bear our tags and a release beyond the newest ``keep``; never one that a service has, nor one
    of a release in ``spare``."""
    found: list[str] = []
    used = {arn for service in services.values() for arn in in_use(service)}
    families = dict.fromkeys(_family(str(primary_of(service)["taskDefinition"])) for service in services.values())
    for family in families:
        kept: set[str] = set()
        for arn in ecs.definitions(family):
            release = ecs.definition(arn)[1].get("release")
            if release is None:
                continue  # somebody else's
            if release in kept or len(kept) < keep:
                kept.add(release)
            elif arn not in used and release not in spare:
                found.append(arn)
    return found


def in_use(service: Mapping[str, Any]) -> set[str]:
    """The revisions that a service has, runs, or would go back to."""
    noted = tags_of(service)
    found = {value for key, value in noted.items() if key.startswith("current")}
    return found | {str(one["taskDefinition"]) for one in service["deployments"]} | {str(service["taskDefinition"])}


def _family(arn: str) -> str:
    return arn.rpartition("/")[2].rpartition(":")[0]
