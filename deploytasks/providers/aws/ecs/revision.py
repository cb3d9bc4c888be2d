"""Task definitions as releases: which one an image and a release make, and what its tags say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....errors import UsageError
from ....ports import Installed, Release
from .asking import OWN

_KEPT = (
    "family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "volumes",
    "placementConstraints", "requiresCompatibilities", "cpu", "memory", "pidMode", "ipcMode", "proxyConfiguration",
    "inferenceAccelerators", "ephemeralStorage", "runtimePlatform", "enableFaultInjection",
    "trustedExecutionConfiguration",
)  # fmt: skip
"""What a definition has that a new one may be given; ECS says the rest by itself."""


def container_of(definition: Mapping[str, Any], name: str | None) -> str:
    """The container that has the release. Raises ``UsageError`` when that is not clear, or it is not there."""
    names = [str(one["name"]) for one in definition["containerDefinitions"]]
    if name is None and len(names) == 1:
        return names[0]
    if name is None:
        raise UsageError(
            f"{definition['family']} has {len(names)} containers", do=f"say fleet.container, one of: {', '.join(names)}"
        )
    if name not in names:
        raise UsageError(f"{definition['family']} has no container {name}", do=f"choose one of: {', '.join(names)}")
    return name


def tags(release: Release) -> dict[str, str]:
    """What a revision of ours says about itself."""
    return {
        "release": release.name,
        "version": release.version,
        "digest": release.digest,
        "commit": release.commit or "none",
    }


def made_of(definition: Mapping[str, Any], container: str, image: str, release: Release) -> dict[str, Any]:
    """The registration of a release: all as it was, with its image, labels and tags."""
    made = {key: definition[key] for key in _KEPT if key in definition}
    labels = {OWN + key: value for key, value in tags(release).items()}
    made["containerDefinitions"] = [
        {**one, "image": image, "dockerLabels": {**one.get("dockerLabels", {}), **labels}}
        if one["name"] == container
        else one
        for one in definition["containerDefinitions"]
    ]
    made["tags"] = [{"key": key, "value": value} for key, value in labels.items()]
    return made


def is_made(definition: Mapping[str, Any], said: Mapping[str, str], wanted: Mapping[str, Any]) -> bool:
    """Whether a definition is what such a registration would make: then no new one is needed."""
    named = {str(one["key"]).removeprefix(OWN): one["value"] for one in wanted["tags"]}
    if any(said.get(key) != value for key, value in named.items()):
        return False
    return all(definition.get(key) == value for key, value in wanted.items() if key != "tags")


def installed(said: Mapping[str, str], name: str, *, running: bool, partly: bool) -> Installed:
    """What stands on a color, by the tags of its revision; ``name``: the revision, ``shop-blue:12``."""
    release = said.get("release", name.replace(":", "-"))
    version, digest = said.get("version", name.partition(":")[2]), said.get("digest", "")
    return Installed(release, digest, version, running, partly and not running)
