"""Clients of AWS's services, made once each.

boto3 looks for credentials where the AWS CLI does. Its own standard retries are used: three attempts, throttling and
silence among what they are made for; ``answer_within`` bounds each of them, so every call ends.
"""

from __future__ import annotations

import gc
import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import NoCredentialsError
from botocore.loaders import Loader

from ...errors import UsageError
from ...settings.aws import AwsAccess
from ..site import Site
from .line import CONNECT_WITHIN, Line, verified_by
from .refusals import Known, code_of, translated

__all__ = ["Known", "access_of", "client", "code_of", "region_of", "translated"]

_ATTEMPTS = 3
_lock = threading.Lock()
"""A session may not make two clients at once."""


class _Loader(Loader):  # type: ignore[misc]  # botocore has no types
    """Reads service models once, however many sessions there are. It takes each folder for a service: botocore would
    look into all of their four hundred."""

    def list_available_services(self, type_name: str) -> list[str]:
        del type_name
        found = [path for path in map(Path, self.search_paths) if path.is_dir()]
        return sorted({one.name for path in found for one in os.scandir(path) if one.is_dir()})


_loader = _Loader()


class _Way(NamedTuple):
    """All that makes one session different from another. ``who``: as whom a role is assumed."""

    region: str | None
    profile: str | None
    role: str | None
    external_id: str | None
    who: str
    endpoint: str | None
    endpoints: tuple[tuple[str, str], ...]
    within: float

    def address(self, service: str) -> str | None:
        """Where a service is asked; ``None``: where it is at AWS."""
        return dict(self.endpoints).get(service, self.endpoint)


def access_of(site: Site) -> AwsAccess:
    """How this environment reaches AWS."""
    return cast("AwsAccess", site.sections.get("aws") or AwsAccess())


def client(service: str, site: Site) -> Any:
    """The client of a service, as boto3 calls it. Raises ``UsageError`` when no region or profile is to be found."""
    with _lock, translated(f"reach {service}"):
        return _client(service, _way(site))


def region_of(site: Site) -> str:
    """The region in which all of this environment is. Raises ``UsageError`` when none is named anywhere."""
    with _lock, translated("find the region"):
        region = _session(_way(site)).region_name
    if not region:
        raise UsageError("no AWS region is named", do="say `aws: {region: …}`")
    return str(region)


def session_name(who: str) -> str:
    """Under which name somebody assumes a role, as CloudTrail shows it: 2 to 64 letters, digits and ``_+=,.@-``."""
    name = re.sub(r"[^\w+=,.@-]+", "-", who, flags=re.ASCII).strip("-")[:64]
    return name if len(name) > 1 else "deploytasks"


def _way(site: Site) -> _Way:
    access = access_of(site)
    who = session_name(site.who) if access.role_arn else ""
    return _Way(
        access.region, access.profile, access.role_arn, access.external_id, who,
        access.endpoint, tuple(sorted(access.endpoints.items())), access.answer_within,
    )  # fmt: skip


@cache
def _client(service: str, way: _Way) -> Any:
    with _uncollected():
        return _session(way).client(service, endpoint_url=way.address(service))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let nobody look for garbage among the hundred thousand values of botocore's models: half the time of a client."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@cache
def _session(way: _Way) -> Any:
    found = _own_session(way._replace(role=None, external_id=None, who=""))
    return found if way.role is None else _assumed(found, way)


@cache
def _own_session(way: _Way) -> Any:
    """A session with the credentials that are found."""
    return boto3.Session(botocore_session=_core(way, way.region))


def _core(way: _Way, region: str | None) -> Any:
    for name in ("boto3", "botocore"):  # what they would tell to whoever debugs has secrets in it
        logging.getLogger(name).setLevel(logging.WARNING)
    core = botocore.session.Session(profile=way.profile)
    core.register_component("data_loader", _loader)
    if region:
        core.set_config_variable("region", region)
    config = Config(
        connect_timeout=CONNECT_WITHIN,
        read_timeout=way.within,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        user_agent_extra="deploytasks",
    )
    core.set_default_client_config(config)  # also those that ask for credentials
    core.register("before-send", Line(way.within, verified_by(core.get_config_variable("ca_bundle"))).send)
    return core


def _assumed(source: Any, way: _Way) -> Any:
    """A session whose credentials come from a role, and are renewed before they end."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    credentials = source.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    sts = source.client("sts", endpoint_url=way.address("sts"))  # now: whoever renews them later holds no lock
    named = {"RoleSessionName": way.who, **({"ExternalId": way.external_id} if way.external_id else {})}
    fetcher = AssumeRoleCredentialFetcher(lambda *_, **__: sts, credentials, way.role, extra_args=named)

    @cache
    def is_it_already() -> bool:
        has_session = credentials.get_frozen_credentials().token
        return bool(has_session) and is_session_of(way.role or "", sts.get_caller_identity()["Arn"])

    def fetch() -> dict[str, Any]:
        return _as_it_is(credentials) if is_it_already() else fetcher.fetch_credentials()

    core = _core(way, way.region or source.region_name)
    core._credentials = DeferredRefreshableCredentials(  # noqa: SLF001  botocore has no public way in
        refresh_using=fetch, method="assume-role"
    )
    return boto3.Session(botocore_session=core)


def is_session_of(role: str, who: str) -> bool:
    """Whether somebody has a role already: a job that was given it cannot assume it once more, for no role trusts
    itself. ``role``: its ARN, with its path; ``who``: as ``GetCallerIdentity`` has it, without."""
    told = re.fullmatch(r"arn:([^:]+):sts::(\d+):assumed-role/([^/]+)/.*", who)
    wanted = re.fullmatch(r"arn:([^:]+):iam::(\d+):role/(?:.*/)?([^/]+)", role)
    return bool(told and wanted) and told.groups() == wanted.groups()  # type: ignore[union-attr]


def _as_it_is(credentials: Any) -> dict[str, Any]:
    """Credentials that somebody else renews, to be looked at again in five minutes: botocore does so a quarter of an
    hour before they end."""
    found = credentials.get_frozen_credentials()
    again = (datetime.now(UTC) + timedelta(minutes=20)).isoformat()
    return {
        "access_key": found.access_key, "secret_key": found.secret_key, "token": found.token, "expiry_time": again,
    }  # fmt: skip


def _forget() -> None:
    """In a forked process: two processes never share a connection, nor a lock that a thread of the other one holds."""
    global _lock  # noqa: PLW0603  there is one
    _lock = threading.Lock()
    for made in (_client, _session, _own_session):
        made.cache_clear()


os.register_at_fork(after_in_child=_forget)
