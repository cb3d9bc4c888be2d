"""Secrets in AWS Secrets Manager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from .base import Value
from .environment import Text
from .web_access import VariableName


class KeptSecret(Value):
    """``{id: shop/production/db, key: url}``, or in short ``shop/production/db#url``."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9/_+=.@:-]{1,2048}$")]
    """The name of the secret, or its ARN."""
    key: Text | None = None
    """Where the secret is a JSON object: the key of the value."""
    stage: Text = "AWSCURRENT"
    """Which version, by its staging label."""


def _in_short(given: Any) -> Any:
    """``name#key`` as a map."""
    if not isinstance(given, str):
        return given
    name, mark, key = given.partition("#")
    return {"id": name, **({"key": key} if mark else {})}


class SecretsManagerSettings(Value):
    """``secrets: {kind: aws-secrets-manager, prefix: "shop/production/"}``."""

    beside: ClassVar[tuple[str, ...]] = ("aws",)

    kind: Literal["aws-secrets-manager"]
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9/_+=.@-]{1,400}$")] | None = None
    """What stands before the name of a variable in the name of its secret. Without it, only ``names`` are looked
    for."""
    names: Mapping[VariableName, Annotated[KeptSecret, BeforeValidator(_in_short)]] = {}
    """Variables whose secret is called otherwise, each as under ``secret``, or in short ``name#key``."""
