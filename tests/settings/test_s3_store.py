"""A bucket in the settings: its name, what stands before its keys, and how long events are kept."""

from __future__ import annotations

from typing import Any

import pytest

from deploytasks.settings.loading import load
from deploytasks.settings.mistakes import check
from deploytasks.settings.s3_store import S3StoreSettings


def mistakes(**given: Any) -> list[str]:
    found: list[str] = []
    check(S3StoreSettings, {"bucket": "acme-ledger", **given}, "store", found)
    return found


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"prefix": "teams/shop"},
        {"prefix": "teams/shop/"},
        {"retain": "400d"},
        {"retain": "1d", "lock": "governance"},
        {"kms_key": "alias/ledger"},
    ],
)
def test_what_may_be_said(given: dict[str, Any]) -> None:
    """A bucket is enough."""
    assert mistakes(**given) == []


@pytest.mark.parametrize(
    "given",
    [
        {"bucket": "Acme"}, {"bucket": "s3://acme"}, {"bucket": "ab"}, {"prefix": "/shop"}, {"prefix": "shop//"},
        {"prefix": "a//b"}, {"prefix": ""}, {"prefix": "a b"}, {"retain": "1h"}, {"retain": "for ever"},
        {"lock": "strict"}, {"kms_key": "a key"}, {"shared": True},
    ],
)  # fmt: skip
def test_what_may_not(given: dict[str, Any]) -> None:
    """Each mistake is named by its key, before anything is asked of S3."""
    assert [one.partition(":")[0] for one in mistakes(**given)] == [f"store.{key}" for key in given]


def test_a_protected_environment_takes_it_with_the_account_beside_it() -> None:
    """It is shared by what it is; ``aws`` comes along, whatever else is needed."""
    config = {
        "application": "shop",
        "aws": {"region": "eu-central-1"},
        "environments": {"production": {"protected": True, "store": {"kind": "s3", "bucket": "acme-ledger"}}},
    }
    found = load(config, "production", {"store"})
    assert sorted(found.sections) == ["aws", "store"]
