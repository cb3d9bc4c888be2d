"""Where a provider stands in the lab: credentials that nobody else takes, and a site whose AWS is a ``Cloud``."""

from __future__ import annotations

from pathlib import Path

import pytest  # noqa: TC002  whoever reads a type should find its import

from deploytasks.providers.site import Site
from deploytasks.settings.aws import AwsAccess
from deploytasks.settings.base import Value

from .cloud import Cloud

ACCESS_KEY = "AKIALABLABLABLABLAB1"
VARIABLES = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": "lab/secret/access/key/of/nobody/at/all01",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
"""The environment of whoever deploys: also for processes that a test starts."""


def logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the lab's credentials, and no other ones."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


def site_in(cloud: Cloud, root: Path, environment: str = "production", **sections: Value) -> Site:
    """A site whose ``aws`` leads to a cloud."""
    access = AwsAccess(region=cloud.region, endpoint=cloud.url)
    folder = root / ".deploy" / environment
    return Site("shop", environment, root, folder, None, "ann@laptop", {"aws": access, **sections})
