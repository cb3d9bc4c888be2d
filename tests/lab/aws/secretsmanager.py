"""Secrets Manager: secrets with versions, as far as they are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from .service import AwsError, Service

_MESSAGES = {
    "ResourceNotFoundException": "Secrets Manager can't find the specified secret.",
    "InvalidRequestException": "You can't perform this operation on the secret because it was marked for deletion.",
    "DecryptionFailure": "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
    "AccessDeniedException": "User is not authorized to perform: secretsmanager:GetSecretValue",
    "InternalServiceError": "An error occurred on the server side.",
}


class Kept(NamedTuple):
    """A secret. ``versions``: staging label → text, or bytes. ``refused``: the code with which it is not handed out."""

    versions: dict[str, str | bytes]
    refused: str = ""


class SecretsManager(Service):
    """``SecretsManager({"shop/db": '{"url": "…"}'})``; ``kept`` may be changed at any time."""

    name = "secretsmanager"

    def __init__(self, secrets: dict[str, str | bytes] | None = None, page: int = 20) -> None:
        super().__init__()
        self.kept = {name: Kept({"AWSCURRENT": value}) for name, value in (secrets or {}).items()}
        self.page = page
        """How many secrets an answer has at most."""

    def batch_get_secret_value(self, params: dict[str, Any]) -> dict[str, Any]:
        """Those that there are, and the others under ``Errors``; the order is AWS's own."""
        wanted = params.get("SecretIdList")
        if not wanted or "Filters" in params or "MaxResults" in params:
            raise AwsError("InvalidParameterException", "either SecretIdList or Filters")
        if len(wanted) > 20 or len(set(wanted)) < len(wanted):
            raise AwsError("InvalidParameterException", "20 secrets at most, and each once")
        begin = int(params.get("NextToken", 0))
        values, errors = [], []
        for secret in sorted(wanted, reverse=True)[begin : begin + self.page]:
            try:
                values.append(self._value(secret, "AWSCURRENT"))
            except AwsError as error:
                errors.append({"SecretId": secret, "ErrorCode": error.code, "Message": error.message})
        more = {"NextToken": str(begin + self.page)} if begin + self.page < len(wanted) else {}
        return {"SecretValues": values, "Errors": errors, **more}

    def get_secret_value(self, params: dict[str, Any]) -> dict[str, Any]:
        """One version of a secret."""
        return self._value(params["SecretId"], params.get("VersionStage", "AWSCURRENT"))

    def _value(self, secret: str, stage: str) -> dict[str, Any]:
        name = next((name for name in self.kept if secret in (name, self._arn(name), self._arn(name)[:-7])), None)
        if name is None:
            raise self._error("ResourceNotFoundException")
        kept = self.kept[name]
        if kept.refused:
            raise self._error(kept.refused)
        if stage not in kept.versions:
            message = f"Secrets Manager can't find the specified secret value for staging label: {stage}"
            raise AwsError("ResourceNotFoundException", message)
        value = kept.versions[stage]
        text = {"SecretBinary": value} if isinstance(value, bytes) else {"SecretString": value}
        return {
            "ARN": self._arn(name), "Name": name, "VersionId": "0" * 32, "VersionStages": [stage],
            "CreatedDate": datetime.now(UTC), **text,
        }  # fmt: skip

    def _arn(self, name: str) -> str:
        return self.arn(f"secret:{name}-AbCdEf")

    def _error(self, code: str) -> AwsError:
        return AwsError(code, _MESSAGES[code])
