"""``secrets: {kind: aws-secrets-manager}``: values by the names of variables, asked for together.

Secrets are looked up by their names, never in ``list_secrets``, which may be five minutes behind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from ... import redaction
from ...errors import DeployError, Unreachable, UsageError
from ...ports import Finding
from ...settings.secrets_manager import KeptSecret, SecretsManagerSettings
from ..site import Site
from .lists import pages
from .refusals import ADVICE, DENIED
from .session import client, code_of, translated

_CURRENT = "AWSCURRENT"
_AT_ONCE = 20
"""Secrets that one request may name."""
_DOING = "hand out secrets"
_Answer = Mapping[str, Any]
"""The secret as AWS answers it, or ``{"ErrorCode", "Message"}``."""


class SecretsManager:
    """The ``Secrets`` of one environment."""

    def __init__(self, settings: SecretsManagerSettings, site: Site) -> None:
        self._settings = settings
        self._site = site

    def get(self, names: Sequence[str]) -> Mapping[str, str | DeployError]:
        """The values by variable, see ``Secrets``. Raises ``Unreachable`` or ``UsageError`` when none can be had."""
        wanted = {name: at for name in names if (at := self._at(name)) is not None}
        answers = self._answers(list(dict.fromkeys((at.id, at.stage) for at in wanted.values())))
        found: dict[str, str | DeployError] = {}
        for name, at in wanted.items():
            answer = answers[at.id, at.stage]
            if not (name not in self._settings.names and _is_missing(answer)):
                found[name] = _understood(name, at, answer)
        return found

    def place(self, name: str) -> str:
        """The secret that a variable is looked for in."""
        at = self._at(name)
        return "" if at is None else f"the secret {_shown(at)}"

    def diagnose(self) -> Sequence[Finding]:
        """Whether each of ``names`` is there, and may be read."""
        names = list(self._settings.names)
        try:
            found = self.get(names)
        except DeployError as error:
            return [Finding("secrets", "fail", error.what, error.do)]
        wrong = [
            Finding(f"secrets: {name}", "fail", one.what, one.do)
            for name, one in found.items()
            if isinstance(one, DeployError)
        ]
        prefix = self._settings.prefix
        others = f"others below {prefix}" if prefix else ""
        told = [f"{len(names)} of AWS Secrets Manager can be read"] if names else []
        return wrong or [Finding("secrets", "ok", "; ".join(filter(None, [*told, others])) or "none is named")]

    def _at(self, name: str) -> KeptSecret | None:
        if name in self._settings.names:
            return self._settings.names[name]
        return None if self._settings.prefix is None else KeptSecret(id=self._settings.prefix + name)

    def _answers(self, wanted: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], _Answer]:
        found: dict[tuple[str, str], _Answer] = {}
        if not wanted:
            return found
        asked = client("secretsmanager", self._site)
        current = [secret for secret, stage in wanted if stage == _CURRENT]
        for at in range(0, len(current), _AT_ONCE):
            some = current[at : at + _AT_ONCE]
            answers = _batch(asked, some)
            found |= {(secret, _CURRENT): _of(secret, answers) for secret in some}
        for secret, stage in wanted:
            if stage != _CURRENT:  # a batch has current versions alone
                found[secret, stage] = _single(asked, secret, stage)
        return found


def _batch(asked: Any, secrets: Sequence[str]) -> list[_Answer]:
    with translated(_DOING):
        found = list(pages(asked.batch_get_secret_value, SecretIdList=list(secrets)))
    return [one for page in found for key in ("SecretValues", "Errors") for one in page.get(key, ())]


def _single(asked: Any, secret: str, stage: str) -> _Answer:
    with translated(_DOING):
        try:
            answer: _Answer = asked.get_secret_value(SecretId=secret, VersionStage=stage)
        except ClientError as error:
            if code_of(error) not in _MEANT:
                raise
            return {"ErrorCode": code_of(error), "Message": error.response["Error"].get("Message", "")}
    return answer


def _of(secret: str, answers: Sequence[_Answer]) -> _Answer:
    """The answer about one secret: named as it was asked for, by its name, or by its ARN, whole or without the six
    characters that AWS adds."""
    for answer in answers:
        arn = answer.get("ARN", "")
        if secret in (answer.get("SecretId"), answer.get("Name"), arn) or arn.startswith(f"{secret}-"):
            return answer
    return {"ErrorCode": "", "Message": "it was not in the answer"}


def _is_missing(answer: _Answer) -> bool:
    return answer.get("ErrorCode") == "ResourceNotFoundException" and "staging label" not in answer.get("Message", "")


_DENIED: tuple[type[DeployError], str, str] = (
    Unreachable, "may not be read", "allow secretsmanager:GetSecretValue on it to the role that deploys",
)  # fmt: skip
_MEANT: Mapping[str, tuple[type[DeployError], str, str]] = {
    **dict.fromkeys(DENIED, _DENIED),
    "DecryptionFailure": (
        Unreachable, "cannot be decrypted", "allow kms:Decrypt on its key to the role that deploys",
    ),
    "InternalServiceError": (Unreachable, "was not handed out", ADVICE["InternalServiceError"]),
    "InvalidParameterException": (UsageError, "has a name that AWS does not take", "mend `secrets.names`"),
    "InvalidRequestException": (
        UsageError, "cannot be read as it is", "name another one, or `aws secretsmanager restore-secret`",
    ),
    "ResourceNotFoundException": (
        UsageError, "is not there", "make it, or mend `secrets.names`, or `aws.region`",
    ),
}  # fmt: skip
"""Code, of a whole answer or of one secret in it → which error it is, what is with the secret, what to do."""


def _understood(name: str, at: KeptSecret, answer: _Answer) -> str | DeployError:
    """The value, or why there is none; that names the secret and never shows what is in it."""
    subject = f"{name}: the secret {_shown(at)}"
    if "ErrorCode" in answer:
        code, said = str(answer["ErrorCode"]), redaction.excerpt(answer.get("Message", ""), 300)
        kind, what, do = _MEANT.get(code, (Unreachable, "was not handed out", ADVICE.get(code, "")))
        return kind(f"{subject} {what}: {f'{code}: ' if code else ''}{said}", do=do)
    text = answer.get("SecretString")
    if text is None:
        return UsageError(f"{subject} is binary", do="store text: a value for a variable is none otherwise")
    return str(text) if at.key is None else _value(subject, at.key, str(text))


def _value(subject: str, key: str, text: str) -> str | DeployError:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return UsageError(f"{subject} is no JSON object", do="leave out the key, or store an object")
    if key not in fields:
        return UsageError(f"{subject} has no such key; it has {', '.join(sorted(fields)) or 'none'}", do="mend the key")
    value = fields[key]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return UsageError(f"{subject} has no text there", do="store text or a number under that key")
    return str(value)


def _shown(at: KeptSecret) -> str:
    version = "" if at.stage == _CURRENT else f" ({at.stage})"
    return f"{at.id}{f'#{at.key}' if at.key else ''}{version}"
