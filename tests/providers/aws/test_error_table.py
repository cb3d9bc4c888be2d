"""Each error code that AWS is known to answer with, where it concerns us, is tried somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent

TABLE: dict[str, tuple[str, ...]] = {
    "alb": (
        "HealthUnavailable", "InvalidLoadBalancerAction", "InvalidTarget", "ListenerNotFound", "RuleNotFound",
        "TargetGroupAssociationLimit", "TargetGroupNotFound", "TooManyTargets",
    ),
    "rds": (
        "DBClusterSnapshotAlreadyExistsFault", "DBInstanceAlreadyExists", "DBInstanceNotFound",
        "DBSnapshotAlreadyExists", "InvalidDBClusterStateFault", "InvalidDBInstanceState",
        "PointInTimeRestoreNotEnabled", "SnapshotQuotaExceeded",
    ),
    "test_secrets.py": (
        "AccessDeniedException", "DecryptionFailure", "InternalServiceError", "InvalidParameterException",
        "InvalidRequestException", "ResourceNotFoundException",
    ),
    "eventbridge": ("ConflictException", "ResourceNotFoundException"),
    "s3": ("AccessDenied", "ConditionalRequestConflict", "PreconditionFailed"),
    "ssm": ("InvocationDoesNotExist",),
    "ecs": ("ConflictException", "ServiceDeploymentNotFoundException"),
    "test_session.py": (
        "AccessDenied", "ExpiredToken", "InternalFailure", "InvalidClientTokenId", "OptInRequired",
        "RequestLimitExceeded", "RequestTimeTooSkewed", "ServiceUnavailable", "SignatureDoesNotMatch", "SlowDown",
        "Throttling", "ThrottlingException", "UnauthorizedOperation", "UnrecognizedClientException",
    ),
}  # fmt: skip
"""Where it comes up, a folder or module of tests → the codes."""


def _tests_of(area: str) -> str:
    place = HERE / area
    files = [place] if place.is_file() else sorted(place.glob("test_*.py"))
    return "\n".join(file.read_text() for file in files)


@pytest.mark.parametrize(("area", "code"), [(area, code) for area, codes in TABLE.items() for code in codes])
def test_a_test_names_it(area: str, code: str) -> None:
    """What it means for people, and its exit code, stand there."""
    assert re.search(rf"\b{code}\b", _tests_of(area)), f"no test in {area} names {code}"
