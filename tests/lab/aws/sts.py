"""STS: who asks, and roles that they assume for a while."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from .service import ACCOUNT, AwsError, Service


class Sts(Service):
    """``roles``: ARN → the external id that its trust policy asks for (``""``: none). Each time one is assumed,
    another access key is handed out; ``sessions`` has the ARN of each."""

    name = "sts"

    def __init__(self, roles: dict[str, str] | None = None, lifetime: float = 3600.0) -> None:
        super().__init__()
        self.roles = roles or {}
        self.lifetime = lifetime
        """Seconds until what is handed out from now on ends."""
        self.sessions: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        """Access key of a user → their ARN."""
        self._count = itertools.count(1)

    def assume_role(self, params: dict[str, Any]) -> dict[str, Any]:
        """Credentials of a role, under the name that is asked for."""
        role, name = params["RoleArn"], params["RoleSessionName"]
        if self.roles.get(role) != params.get("ExternalId", ""):
            who = "arn:aws:iam::123456789012:user/ann"
            raise AwsError(
                "AccessDenied", f"User: {who} is not authorized to perform: sts:AssumeRole on resource: {role}", 403
            )
        number = next(self._count)
        key, arn = (
            f"ASIALAB{number:013d}",
            f"{role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/{name}",
        )
        self.sessions[key] = arn
        return {
            "Credentials": {
                "AccessKeyId": key,
                "SecretAccessKey": f"secret-of-{key}-which-nobody-may-see-0000",
                "SessionToken": f"token-of-{key}-which-nobody-may-see",
                "Expiration": datetime.now(UTC) + timedelta(seconds=self.lifetime),
            },
            "AssumedRoleUser": {"AssumedRoleId": f"AROALAB:{name}", "Arn": arn},
        }

    def get_caller_identity(self, params: dict[str, Any]) -> dict[str, Any]:
        """The one who signs; the server says who that is (``asking``)."""
        del params
        arn = self.sessions.get(self.asking) or f"arn:aws:iam::{ACCOUNT}:user/ann"
        return {"UserId": "AIDALAB", "Account": ACCOUNT, "Arn": arn}
