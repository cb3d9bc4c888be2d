"""The policies of docs/aws: each allows what its part asks AWS for, and nothing that nobody asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from lab.aws.standing import logged_in
from lab.aws.tours import TOURS

FOLDER = Path(__file__).parents[2] / "docs/aws"
DOCUMENTS = sorted(FOLDER.glob("*.json"))
POLICIES = sorted(FOLDER.glob("*-policy.json"))
PREFIXES = {
    "cloudwatch": "cloudwatch",
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
}
"""How IAM calls a service, where that is not as boto3 calls it."""
MAKES_WITH_TAGS = (
    "CreateDBSnapshot", "CreateDBClusterSnapshot", "CreateDBInstance", "RestoreDBInstanceFromDBSnapshot",
    "RestoreDBInstanceToPointInTime", "RestoreDBClusterFromSnapshot", "RestoreDBClusterToPointInTime",
)  # fmt: skip
"""Operations of RDS that put tags on what they make."""
OTHERWISE: Mapping[str, frozenset[str]] = {
    **{f"rds:{name}": frozenset({f"rds:{name}", "rds:AddTagsToResource"}) for name in MAKES_WITH_TAGS},
    # What an operation needs, where that is not the action of the same name: the service authorization reference.
    "s3:ListObjectsV2": frozenset({"s3:ListBucket"}),
    "s3:HeadBucket": frozenset({"s3:ListBucket"}),
    "s3:HeadObject": frozenset({"s3:GetObject"}),
    "s3:ListObjectVersions": frozenset({"s3:ListBucketVersions"}),
    "s3:GetObjectLockConfiguration": frozenset({"s3:GetBucketObjectLockConfiguration"}),
    "s3:PutObject with retention": frozenset({"s3:PutObject", "s3:PutObjectRetention"}),
    "secretsmanager:BatchGetSecretValue": frozenset(
        {"secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"}
    ),
    "sts:GetCallerIdentity": frozenset(),  # everybody may
    "ssm:SendCommand": frozenset({"ssm:SendCommand"}),
}
PASSES_A_ROLE = frozenset(
    {
        "scheduler:CreateSchedule",
        "scheduler:UpdateSchedule",
        "rds:ModifyDBInstance",
        "ecs:RegisterTaskDefinition",
        "ecs:RunTask",
    }
)
"""Operations that hand a role over: ``iam:PassRole``."""


def actions(operations: set[str]) -> set[str]:
    """The IAM actions that operations need, as ``service:Operation``."""
    found: set[str] = set()
    for one in operations:
        service, _, operation = one.partition(":")
        found |= OTHERWISE.get(one, frozenset({f"{PREFIXES.get(service, service)}:{operation}"}))
        if one in PASSES_A_ROLE:
            found.add("iam:PassRole")
    return found


def statements(document: Any) -> Iterator[Mapping[str, Any]]:
    """The statements of a policy."""
    given = document["Statement"]
    yield from [given] if isinstance(given, dict) else given


def allowed(path: Path) -> set[str]:
    """What a policy allows."""
    found: set[str] = set()
    for statement in statements(json.loads(path.read_text())):
        if statement["Effect"] == "Allow":
            named = statement["Action"]
            found |= {named} if isinstance(named, str) else set(named)
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_is_a_policy(path: Path) -> None:
    """It is JSON of IAM's shape, with no wildcard among its actions, and all actions of the world are not allowed on
    everything when they could be on something."""
    document = json.loads(path.read_text())
    assert document["Version"] == "2012-10-17"
    for statement in statements(document):
        assert statement["Effect"] in {"Allow", "Deny"}
        named = statement["Action"]
        for action in [named] if isinstance(named, str) else named:
            is_denied = statement["Effect"] == "Deny"
            assert re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+" if not is_denied else r"[a-z0-9-]+:[A-Za-z*]+", action), action
        assert "Resource" in statement or "Principal" in statement


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.name)
def test_every_policy_has_its_tour(path: Path) -> None:
    """Nothing is allowed that is not tried; the switch's own role is tried where the lab's scheduler goes off."""
    assert path.name.removesuffix("-policy.json") in {*TOURS, "deadman"}


@pytest.mark.parametrize("name", sorted(TOURS))
def test_it_allows_what_is_asked_for(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it, and no more."""
    logged_in(monkeypatch)
    asked = TOURS[name](tmp_path)
    needed = actions(asked)
    if not needed:
        return
    assert allowed(FOLDER / f"{name}-policy.json") == needed


def test_terraform_reads_what_is_there() -> None:
    """Every document that a Terraform file names is in the folder, and every one that is no policy is named by one."""
    named: set[str] = set()
    for path in FOLDER.glob("*.tf"):
        named |= set(re.findall(r'\$\{path\.module\}/([\w.-]+\.json)"', path.read_text()))
    chosen = {path.name for path in POLICIES} - named  # by their names, in `policies`
    assert {path.name for path in DOCUMENTS} == named | chosen


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.tf")), ids=lambda path: path.name)
def test_braces_are_closed(path: Path) -> None:
    """As far as can be seen without Terraform."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"|#.*', "", path.read_text())
    for opening, closing in ("{}", "[]", "()"):
        assert text.count(opening) == text.count(closing)
