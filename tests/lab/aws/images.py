"""ECR, as far as tags and digests go; and what comes of a task that runs an image."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .service import ACCOUNT, REGION, AwsError, Params, Service

HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


@dataclass
class Image:
    """What is in a repository. ``command`` runs as a process in ``folder``; without one a task only counts as running.

    ``exit_code``: the task ends by itself at once. ``is_sick``: the balancer finds it unhealthy.
    """

    repository: str
    tags: list[str]
    digest: str
    command: Sequence[str] = ()
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    exit_code: int | None = None
    is_sick: bool = False
    said: Sequence[str] = ()
    """Lines that a task says before it ends by itself."""


class Registry(Service):
    """``DescribeImages``, and images to put there: ``push("shop", "1.4.2")``."""

    name = "ecr"

    def __init__(self) -> None:
        super().__init__()
        self.images: list[Image] = []
        self.repositories: set[str] = set()

    def push(self, repository: str, *tags: str, **facts: Any) -> Image:
        """A new image. A tag that another one has is taken from it."""
        for one in self.images:
            if one.repository == repository:
                one.tags = [tag for tag in one.tags if tag not in tags]
        known = f"{repository} {tags} {len(self.images)}"
        image = Image(repository, list(tags), "sha256:" + hashlib.sha256(known.encode()).hexdigest(), **facts)
        self.images.append(image)
        self.repositories.add(repository)
        return image

    def find(self, reference: str) -> Image | None:
        """The image that a container definition names, by tag or by digest."""
        name = reference.removeprefix(f"{HOST}/")
        repository, at, digest = name.partition("@")
        tag = ""
        if not at:
            repository, _, tag = name.rpartition(":")
        ours = [one for one in self.images if one.repository == repository]
        return next((one for one in ours if one.digest == digest or tag in one.tags), None)

    def describe_images(self, params: Params) -> Params:
        repository = params["repositoryName"]
        if repository not in self.repositories:
            raise AwsError("RepositoryNotFoundException", f"The repository with name '{repository}' does not exist")
        found = []
        for wanted in params.get("imageIds") or [{}]:
            ours = [
                one
                for one in self.images
                if one.repository == repository
                and ("imageTag" not in wanted or wanted["imageTag"] in one.tags)
                and ("imageDigest" not in wanted or wanted["imageDigest"] == one.digest)
            ]
            if not ours and wanted:
                raise AwsError("ImageNotFoundException", f"The image with imageId {wanted} does not exist")
            found += ours
        details = [
            {"registryId": ACCOUNT, "repositoryName": repository, "imageDigest": one.digest, "imageTags": one.tags}
            for one in found
        ]
        return {"imageDetails": details}
