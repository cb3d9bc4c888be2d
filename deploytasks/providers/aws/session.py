"""Clients of AWS's services, made once each, and what goes wrong with any of them as errors of ours.

boto3 looks for credentials where the AWS CLI does. Its own standard retries are used: three attempts, throttling and
silence among what they are made for; ``answer_within`` bounds each of them, so every call ends.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple, cast

import boto3
import botocore.exceptions as failed
from botocore.config import Config

from ...errors import DeployError, Unreachable, UsageError
from ...settings.aws import AwsAccess
from ..site import Site

_CONNECT_WITHIN = 2.0
"""Seconds until a connection must stand."""
_ATTEMPTS = 3
_lock = threading.Lock()
"""A session may not make two clients at once."""


class Known(NamedTuple):
    """What an error code of AWS means where it comes up: which error of ours it is, and what to do about it."""

    kind: type[DeployError]
    what: str
    do: str = ""


def access_of(site: Site) -> AwsAccess:
    """How this environment reaches AWS."""
    return cast("AwsAccess", site.sections.get("aws") or AwsAccess())


def client(service: str, site: Site) -> Any:
    """The client of a service, as boto3 calls it. Raises ``UsageError`` when no region or profile is to be found."""
    with _lock, translated(f"reach {service}"):
        return _client(service, *_key(access_of(site)))


def region_of(site: Site) -> str:
    """The region in which all of this environment is."""
    return str(client("sts", site).meta.region_name)


@contextmanager
def translated(doing: str, known: Mapping[str, Known] | None = None, *, state: str = "") -> Iterator[None]:
    """Raise what AWS or boto3 raises as an error of ours. ``known``: the codes that mean something special here."""
    try:
        yield
    except failed.ClientError as error:
        raise _refusal(doing, error, known or {}, state) from error
    except failed.BotoCoreError as error:
        raise _failure(doing, error, state) from error


def code_of(error: failed.ClientError) -> str:
    """The code on the wire: ``ListenerNotFound``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _key(access: AwsAccess) -> tuple[Any, ...]:
    endpoints = tuple(sorted(access.endpoints.items()))
    return (
        access.region, access.profile, access.role_arn, access.external_id, access.endpoint, endpoints,
        access.answer_within,
    )  # fmt: skip


@cache
def _client(service: str, *key: Any) -> Any:
    region, profile, role_arn, external_id, endpoint, endpoints, within = key
    config = Config(
        connect_timeout=_CONNECT_WITHIN,
        read_timeout=within,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        user_agent_extra="deploytasks",
    )
    session = _session(region, profile)
    if role_arn is not None:
        session = _assumed(session, role_arn, external_id, region, endpoint, endpoints, config)
    return session.client(service, endpoint_url=dict(endpoints).get(service, endpoint), config=config)


@cache
def _session(region: str | None, profile: str | None) -> Any:
    return boto3.Session(region_name=region, profile_name=profile)


def _assumed(
    session: Any, role: str, external: str | None, region: str | None, endpoint: str | None, endpoints: Any, config: Any
) -> Any:
    """A session whose credentials come from a role, and are renewed before they end."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.session import get_session

    def source(_: str, **named: Any) -> Any:
        address = dict(endpoints).get("sts", endpoint)
        return session.client("sts", endpoint_url=address, config=config)

    named = {"RoleSessionName": "deploytasks", **({"ExternalId": external} if external else {})}
    fetcher = AssumeRoleCredentialFetcher(source, session.get_credentials(), role, extra_args=named)
    inner = get_session()
    inner._credentials = DeferredRefreshableCredentials(  # noqa: SLF001  botocore has no public way in
        refresh_using=fetcher.fetch_credentials, method="assume-role"
    )
    return boto3.Session(botocore_session=inner, region_name=region or session.region_name)


_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN = {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled"}
_BUSY = {"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown"}


def _refusal(doing: str, error: failed.ClientError, known: Mapping[str, Known], state: str) -> DeployError:
    code = code_of(error)
    if code in known:
        meant = known[code]
        return meant.kind(meant.what, state=state, do=meant.do)
    said = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())[:300]
    what = f"AWS did not {doing}: {code}{f': {said}' if said and said != code else ''}"
    if code in _EXPIRED:
        return Unreachable(
            what, state=state, do="get new credentials (`aws sso login`, or a new job), then run it again"
        )
    if code in _UNKNOWN:
        return Unreachable(what, state=state, do="check the credentials: `aws sts get-caller-identity`")
    if code in _DENIED:
        do = f"allow {error.operation_name} to the role that deploys: docs/aws.md has the policies"
        return Unreachable(what, state=state, do=do)
    if code in _BUSY:
        return Unreachable(what, state=state, do="AWS limits how often it is asked: run it again in a minute")
    return Unreachable(what, state=state, do="`inv doctor` tries it again")


def _failure(doing: str, error: failed.BotoCoreError, state: str) -> DeployError:
    why = " ".join(str(error).split())
    match error:
        case failed.NoCredentialsError() | failed.PartialCredentialsError() | failed.CredentialRetrievalError():
            return UsageError(f"cannot {doing}: {why}", state=state, do="log in to AWS, or set `aws.profile`")
        case failed.NoRegionError():
            return UsageError(f"cannot {doing}: no AWS region is named", state=state, do="say `aws: {region: …}`")
        case failed.ProfileNotFound():
            return UsageError(f"cannot {doing}: {why}", state=state, do="mend `aws.profile`, or ~/.aws/config")
        case failed.ParamValidationError():
            raise error  # a mistake of ours
    return Unreachable(f"AWS could not be asked to {doing}: {why}", state=state, do="check the network and the region")
