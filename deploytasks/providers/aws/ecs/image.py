"""The image of a release: that it is there, of the same commit, and which digest it has."""

from __future__ import annotations

import re
from typing import NamedTuple

from ....errors import GateRefused, Unreachable, UsageError
from ....ports import Release
from ...site import Site
from ..session import Known, client
from .meaning import meaning

_ECR = re.compile(r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z0-9.]+/(?P<repository>.+)")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Image(NamedTuple):
    """``name`` as it was asked for; ``pinned`` as a task definition should name it."""

    name: str
    pinned: str


def wanted(template: str, release: Release) -> str:
    """The name and tag of a release's image. ``+`` of a version cannot be in a tag and becomes ``-``."""
    tag = release.version.replace("+", "-")
    return template.replace("{version}", tag).replace("{commit}", release.commit)


def find(template: str, release: Release, site: Site) -> Image:
    """The image; one in ECR by its digest. Raises ``GateRefused`` when it is not there, or of another commit.

    Another registry is not asked: the image is taken by its tag, and a task that cannot pull it says so.
    """
    name = wanted(template, release)
    there, _, tag = name.rpartition(":")
    if not there or "/" in tag:
        raise UsageError(f"{name} has no tag", do="write it into `fleet.image`: shop:{version}")
    ecr = _ECR.fullmatch(there)
    if ecr is None:
        return Image(name, name)
    known = {
        "ImageNotFoundException": Known(
            GateRefused, f"there is no image {name}", "push it first; its tag must be the version's or the commit's"
        ),
        "RepositoryNotFoundException": Known(
            UsageError, f"there is no repository {ecr['repository']} in ECR", "mend `fleet.image`, or create it"
        ),
        "InvalidParameterException": Known(UsageError, f"ECR does not take {name}: {{said}}", "mend `fleet.image`"),
        "ServerException": Known(Unreachable, "ECR has trouble of its own: {said}", "run it again in a few minutes"),
    }
    with meaning(f"describe the image {name}", known):
        answer = client("ecr", site).describe_images(
            registryId=ecr["account"], repositoryName=ecr["repository"], imageIds=[{"imageTag": tag}]
        )
    details = answer["imageDetails"][0]
    require_commit(name, details.get("imageTags", ()), release)
    return Image(name, f"{there}@{details['imageDigest']}")


def require_commit(name: str, tags: object, release: Release) -> None:
    """Raise ``GateRefused`` when an image bears tags of commits, and none is the release's."""
    commits = [tag for tag in tags if _COMMIT.fullmatch(str(tag))] if isinstance(tags, list | tuple) else []
    if commits and release.commit and release.commit not in commits:
        raise GateRefused(
            f"{name} was built from {commits[0][:12]}, and {release.version} is {release.commit[:12]}",
            state="nothing was changed",
            do="build the image from the commit that is deployed, and push it",
        )
