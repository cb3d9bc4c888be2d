"""Short tours: each drives every operation of AWS that one of our providers can make.

What they ask for is compared with the policies in the documentation: an action that is missing there, or that nothing
asks for, is found.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Tour = Callable[[Path], set[str]]
"""Given an empty folder, brings up what it needs, and returns what was asked for, as ``service:Operation``."""

TOURS: dict[str, Tour] = {}
"""The name of the role or policy in docs/aws that a provider needs → its tours."""


def tour_secrets(root: Path) -> set[str]:
    """``secrets: {kind: aws-secrets-manager}``: values together, a version by its label, and ``doctor``."""
    from deploytasks.providers.aws.secrets import SecretsManager
    from deploytasks.settings.secrets_manager import SecretsManagerSettings

    from . import Cloud, secretsmanager
    from .standing import site_in

    names = {"A": "shop/a", "B": {"id": "shop/a", "stage": "AWSPENDING"}}
    settings = SecretsManagerSettings.model_validate({"kind": "aws-secrets-manager", "names": names})
    with Cloud(secretsmanager.SecretsManager({"shop/a": "1"})) as cloud:
        SecretsManager(settings, site_in(cloud, root)).diagnose()
        return {f"{seen.service}:{seen.operation}" for seen in cloud.seen}


def tour_identity(root: Path) -> set[str]:
    """Who deploys, as ``doctor`` asks it."""
    from deploytasks.providers.aws.account import Account
    from deploytasks.settings.aws import AwsAccess

    from . import Cloud, sts
    from .standing import site_in

    with Cloud(sts.Sts()) as cloud:
        Account(AwsAccess(), site_in(cloud, root)).diagnose()
        return {f"{seen.service}:{seen.operation}" for seen in cloud.seen}


TOURS["secrets"] = tour_secrets
TOURS["identity"] = tour_identity
