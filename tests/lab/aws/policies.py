"""What a policy says about a request: as much of IAM's language as our own policies speak."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal

Policy = Mapping[str, Any]
"""A policy document, as its JSON has it."""
Keys = Mapping[str, str]
"""Condition keys of a request, ``aws:SecureTransport`` in lower case; one that is absent is not in the request."""


def says(policies: Sequence[Policy], effect: Literal["Allow", "Deny"], action: str, resource: str, keys: Keys) -> bool:
    """Whether any statement of this effect speaks of such a request. ``action``: ``s3:PutObject``."""
    return any(
        statement["Effect"] == effect
        and _matches(statement["Action"], action.lower(), lower=True)
        and _matches(statement["Resource"], resource)
        and all(_holds(test, wanted, keys) for test, wanted in statement.get("Condition", {}).items())
        for policy in policies
        for statement in policy["Statement"]
    )


def _matches(patterns: str | Sequence[str], given: str, *, lower: bool = False) -> bool:
    return any(fnmatchcase(given, one.lower() if lower else one) for one in _listed(patterns))


def _holds(test: str, wanted: Mapping[str, Any], keys: Keys) -> bool:
    return all(_one_holds(test, keys.get(key.lower()), list(_listed(values))) for key, values in wanted.items())


def _one_holds(test: str, given: str | None, values: Sequence[str]) -> bool:
    match test:
        case "Null":
            return (given is None) == (values == ["true"])
        case "Bool" | "StringEquals" | "ArnEquals":
            return given is not None and given in values
        case "StringNotEquals":
            return given not in values
        case "StringNotEqualsIfExists":
            return given is None or given not in values
        case "StringLike":
            return given is not None and any(fnmatchcase(given, value) for value in values)
        case "NumericLessThan":
            return given is not None and any(float(given) < float(value) for value in values)
    raise AssertionError(f"the lab does not know the condition {test}")


def _listed(given: str | Sequence[str]) -> Iterator[str]:
    yield from [given] if isinstance(given, str) else given
