"""What AWS refuses, and what keeps boto3 from asking, as errors of ours.

What is configured wrong is a ``UsageError`` (2): nothing was asked. A refusal and a silence are ``Unreachable`` (7).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import botocore.exceptions as failed

from ... import redaction
from ...errors import DeployError, Unreachable, UsageError

_LOGIN = "get new credentials (`aws sso login`, or a new job), then run it again"
_CREDENTIALS = "check the credentials: `aws sts get-caller-identity`"
_AGAIN = "AWS limits how often it is asked: run it again in a minute"
_LATER = "AWS has a problem of its own (health.aws.amazon.com): run it again in a few minutes"
_CLOCK = "set this machine's clock (`timedatectl`): AWS takes no request that is five minutes off"
_OPT_IN = "check `aws.region`, and enable the region for this account, or the service in it"
_FOR_CREDENTIALS = frozenset(
    {"AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "GetRoleCredentials", "CreateToken"}
)
"""Operations that boto3 asks for by itself, on the way to another one."""
_WORD_FOR_CLOCK = ("Signature expired", "Signature not yet current")

ADVICE: Mapping[str, str] = {
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException"), _LOGIN),
    **dict.fromkeys(
        ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure"),
        f"{_CREDENTIALS}; a region that this account has not enabled knows none",
    ),
    **dict.fromkeys(
        (
            "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "IncompleteSignatureException",
            "MissingAuthenticationToken", "MissingAuthenticationTokenException", "InvalidToken",
        ),
        _CREDENTIALS,
    ),
    **dict.fromkeys(("RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"), _CLOCK),
    **dict.fromkeys(("OptInRequired", "SubscriptionRequiredException"), _OPT_IN),
    **dict.fromkeys(
        (
            "Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "RequestThrottled",
            "RequestThrottledException", "TooManyRequestsException", "SlowDown", "BandwidthLimitExceeded",
            "ProvisionedThroughputExceededException", "PriorRequestNotComplete", "EC2ThrottledException",
        ),
        _AGAIN,
    ),
    **dict.fromkeys(
        (
            "InternalError", "InternalFailure", "InternalServerError", "InternalServiceError",
            "InternalServerException", "InternalServiceErrorException", "ServiceUnavailable",
            "ServiceUnavailableException", "RequestTimeout", "RequestTimeoutException", "HealthUnavailable",
        ),
        _LATER,
    ),
}  # fmt: skip
"""Codes that belong to no single service → what to do about them."""
DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "AllAccessDisabled"}
)
"""Codes that say that the role may not do this."""


class Known(NamedTuple):
    """What an error code of AWS means where it comes up: which error of ours it is, and what to do about it."""

    kind: type[DeployError]
    what: str
    do: str = ""


@contextmanager
def translated(doing: str, known: Mapping[str, Known] | None = None, *, state: str = "") -> Iterator[None]:
    """Raise what AWS or boto3 raises as an error of ours. ``known``: the codes that mean something special here."""
    try:
        yield
    except failed.ClientError as error:
        raise _refusal(doing, error, known or {}, state) from error
    except failed.BotoCoreError as error:
        raise _failure(doing, error, state) from error
    except RuntimeError as error:
        if "still expired" not in str(error):
            raise
        raise UsageError(f"cannot {doing}: {_plain(error)}", state=state, do=f"{_LOGIN}; or {_CLOCK}") from error
    except FileNotFoundError as error:
        if not error.filename or error.filename != os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
            raise
        what = f"cannot {doing}: the file that AWS_WEB_IDENTITY_TOKEN_FILE names is not there"
        raise UsageError(what, state=state, do="let the job write its token there") from error


def code_of(error: failed.ClientError) -> str:
    """The code on the wire: ``ListenerNotFound``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _refusal(doing: str, error: failed.ClientError, known: Mapping[str, Known], state: str) -> DeployError:
    code, is_on_the_way = code_of(error), error.operation_name in _FOR_CREDENTIALS
    if code in known and not is_on_the_way:
        meant = known[code]
        return meant.kind(meant.what, state=state, do=meant.do)
    said = _plain(error.response.get("Error", {}).get("Message", ""))
    told = f"HTTP {code}" if code.isdecimal() else code or "it gave no reason"
    why = f"{told}{f': {said}' if said and said != code else ''}"
    if is_on_the_way:
        way = f"{error.operation_name} was refused, which the credentials for it need"
        return Unreachable(f"AWS could not be asked to {doing}: {way}: {why}", state=state, do=_to_assume(code))
    return Unreachable(f"AWS did not {doing}: {why}", state=state, do=_advice(code, said, error))


def _to_assume(code: str) -> str:
    if code in DENIED:
        return (
            "let `aws.role_arn` (or the role of the profile) trust who deploys, with the `external_id` that it asks for"
        )
    return ADVICE.get(code, "check `aws.role_arn`, and `aws sts get-caller-identity`")


def _advice(code: str, said: str, error: failed.ClientError) -> str:
    if code in DENIED:
        return f"allow {error.operation_name} to the role that deploys: docs/aws.md has the policies"
    advice = _CLOCK if any(word in said for word in _WORD_FOR_CLOCK) else ADVICE.get(code)
    if advice is _CLOCK and (off := _clock_off(error)):
        return f"{advice}; it is {off}"
    if advice is None and code.isdecimal() and code.startswith("5"):
        return _LATER
    return advice or "`inv doctor` tries it again"


def _clock_off(error: failed.ClientError) -> str:
    """How far this machine's clock is from that of AWS, by the date of its answer."""
    date = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        minutes = round((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds() / 60)
    except (ValueError, TypeError):
        return ""
    return f"{abs(minutes)} min {'ahead' if minutes > 0 else 'behind'}" if minutes else ""


_SSO = (failed.SSOError, failed.TokenRetrievalError, failed.NoAuthTokenError, failed.LoginError)
_NOBODY = (
    failed.NoCredentialsError, failed.PartialCredentialsError, failed.CredentialRetrievalError,
    failed.MetadataRetrievalError, failed.RefreshWithMFAUnsupportedError,
)  # fmt: skip
_MISTAKES: tuple[tuple[Any, str], ...] = (
    (_SSO, "log in again: `aws sso login`, or `aws login`, with the same profile"),
    (_NOBODY, 'log in to AWS, or set `aws.profile`: docs/aws.md, "Who deploys"'),
    (failed.ProfileNotFound, "mend `aws.profile` (or AWS_PROFILE), or add it to ~/.aws/config"),
    (
        (
            failed.ConfigParseError, failed.ConfigNotFound, failed.InvalidConfigError, failed.InfiniteLoopConfigError,
            failed.UnknownCredentialError,
        ),
        "mend ~/.aws/config and ~/.aws/credentials",
    ),
    ((failed.InvalidRegionError, failed.UnknownRegionError), "mend `aws.region`"),
    ((failed.ProxyConnectionError, failed.InvalidProxiesConfigError), "mend HTTPS_PROXY, or name the host in NO_PROXY"),
    (failed.SSLError, "check the certificates: AWS_CA_BUNDLE names the authorities of a proxy that looks into TLS"),
    (failed.MissingDependencyException, "install what it names"),
)  # fmt: skip
_SILENT = (failed.ProxyConnectionError, failed.SSLError, failed.MetadataRetrievalError)
"""Of those, what is no mistake in a configuration for certain."""


def _failure(doing: str, error: failed.BotoCoreError, state: str) -> DeployError:
    why = _plain(error)
    if isinstance(error, failed.ParamValidationError):
        raise error  # a mistake of ours
    if isinstance(error, failed.NoRegionError):
        return UsageError(f"cannot {doing}: no AWS region is named", state=state, do="say `aws: {region: …}`")
    advice = next((do for kind, do in _MISTAKES if isinstance(error, kind)), "")
    if advice and not isinstance(error, _SILENT):
        return UsageError(f"cannot {doing}: {why}", state=state, do=advice)
    do = advice or "check the network and the region"
    return Unreachable(f"AWS could not be asked to {doing}: {why}", state=state, do=do)


def _plain(text: object) -> str:
    """In one line, and without secrets."""
    return redaction.excerpt(text, 300)
