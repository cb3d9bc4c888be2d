"""Maintenance as a key in Redis, for the application to read. While it is there, whatever it holds, the site is closed.

It is JSON: ``message``, ``who``, ``since`` (ISO 8601), ``retry_after`` (seconds). It never runs out by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import AuthenticationError, AuthorizationError, RedisError
from redis.retry import Retry

from ... import redaction
from ...errors import Unreachable, UsageError
from ...ports import Call, Finding, Notice
from ..maintenances import diagnosed

if TYPE_CHECKING:
    from ...settings.redis import MaintenanceSettings
    from ..site import Site

_DAWN = datetime.fromtimestamp(0, UTC)


class Maintenance:
    """The flag of one environment."""

    def __init__(self, settings: MaintenanceSettings, site: Site) -> None:
        self._settings = settings
        self._key = settings.key or f"maintenance:{site.application}:{site.environment}"
        self._url, self._told = _address(settings, site)
        self._shown = _place(self._url)

    def read(self) -> Notice | None:
        """The notice, or ``None``. A value that nobody of ours wrote closes the site as well."""
        found = self._ask(lambda client: client.get(self._key), self._settings.timeout, "read")
        return None if found is None else _notice(found)

    def write(self, notice: Notice | None) -> Call:
        text = f"redis {self._shown}: " + (
            f"DEL {self._key}" if notice is None else f"SET {self._key} {_document(notice).decode()}"
        )
        return Call(text, partial(self._write, notice))

    def diagnose(self) -> Sequence[Finding]:
        """Whether it answers, whether the flag is there, and whether it would stay there."""
        found = list(diagnosed(f"redis {self._shown}", self))
        with suppress(Unreachable):  # a role may read and write the flag, and not be told more
            found += _doubts(self._ask(lambda client: client.info(), self._settings.timeout, "look at"), self._shown)
        return found

    def _write(self, notice: Notice | None, timeout: float) -> None:
        wanted = None if notice is None else _document(notice)

        def write(client: redis.Redis) -> Any:
            client.delete(self._key) if wanted is None else client.set(self._key, wanted)
            return client.get(self._key)

        found = self._ask(write, timeout, "write")
        if found != wanted:
            raise Unreachable(
                f"{self._key} in redis {self._shown} is not what was written",
                do="see who else writes it: `redis-cli MONITOR`",
            )

    def _ask(self, act: Callable[[redis.Redis], Any], timeout: float, verb: str) -> Any:
        with self._translated(verb), self._client(timeout) as client:
            return act(client)

    @contextmanager
    def _client(self, timeout: float) -> Iterator[redis.Redis]:
        """A connection of its own for each question: there are few, and minutes lie between them."""
        within = min(timeout, self._settings.timeout)
        client = redis.Redis.from_url(
            self._url, socket_timeout=within, socket_connect_timeout=within, retry=Retry(NoBackoff(), 0), **self._told
        )
        try:
            yield client
        finally:
            client.close()

    @contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (RedisError, OSError) as error:
            is_refused = isinstance(error, AuthenticationError | AuthorizationError)
            do = "check `user` and the password's variable" if is_refused else "check that it runs and is reachable"
            raise Unreachable(
                f"cannot {verb} {self._key} in redis {self._shown}: {_said(error)}",
                state="it may have been written, or not" if verb == "write" else "",
                do=f"{do}: `inv doctor`",
            ) from None  # its cause may quote the URL


def _doubts(found: Mapping[str, Any], shown: str) -> Iterator[Finding]:
    """Why the flag may not stay where it is, or cannot be written."""
    policy = str(found.get("maxmemory_policy", ""))
    if policy.startswith("allkeys") and found.get("maxmemory"):
        what = f"redis {shown} may drop the flag when its memory is full (maxmemory-policy {policy})"
        yield Finding("maintenance", "warn", what, "use a Redis, or a policy, that drops only what may expire")
    if found.get("role") == "slave":
        yield Finding("maintenance", "fail", f"redis {shown} is a replica: it takes no writes", "name the primary")


def _document(notice: Notice) -> bytes:
    fields = {
        "message": notice.message,
        "who": notice.who,
        "since": notice.since.isoformat(),
        "retry_after": notice.retry_after,
    }
    return json.dumps(fields, ensure_ascii=False).encode()


def _notice(found: bytes) -> Notice:
    """What a value says; what it does not say is unknown, and the site closed all the same."""
    text = found.decode(errors="replace")
    try:
        told = json.loads(text)
        fields = told if isinstance(told, dict) else {"message": text}
    except ValueError:
        fields = {"message": text}
    try:
        since = datetime.fromisoformat(str(fields.get("since")))
    except ValueError:
        since = _DAWN
    retry_after = fields.get("retry_after")
    return Notice(
        str(fields.get("message") or ""),
        retry_after if isinstance(retry_after, int) else 0,
        since if since.tzinfo else since.replace(tzinfo=UTC),
        str(fields.get("who") or "unknown"),
    )


def _address(settings: MaintenanceSettings, site: Site) -> tuple[str, dict[str, Any]]:
    """The URL, and what redis-py is told beside it. Raises ``UsageError``, which never shows a password."""
    told: dict[str, Any] = {}
    url = settings.url or _variable(site, str(settings.url_from), "url_from")
    if settings.url_from:
        try:
            password = parse_url(url).get("password")  # type: ignore[no-untyped-call]  # redis-py's own
        except ValueError:  # its text may have the password in it
            raise UsageError(
                f"maintenance.url_from: the value of {settings.url_from} is no address of a Redis",
                do="write redis://user:password@host:port/0, with every odd character percent-encoded",
            ) from None
        redaction.hide(password or "", quote(password or "", safe=""))
    if settings.user:
        told["username"] = settings.user
    if settings.password_from:
        told["password"] = _variable(site, settings.password_from, "password_from")
        redaction.hide(told["password"])
    if settings.ca:
        if not url.startswith("rediss://"):
            raise UsageError("maintenance.ca is for a URL that begins with rediss://", do="write rediss://, or no `ca`")
        told["ssl_ca_certs"] = str(site.path(settings.ca))
    return url, told


def _place(url: str) -> str:
    """Where it is, for people. A password may stand before the host, and among the options as well."""
    place = url.partition("?")[0].rpartition("@")[2]
    return place.partition("://")[2] or place


def _variable(site: Site, name: str, key: str) -> str:
    value = site.vault.get(name)
    if not value:
        raise UsageError(f"maintenance.{key}: {site.vault.unset(name)}", do=f"set {name}")
    return value


def _said(error: Exception) -> str:
    """What an error says, in one line and without secrets."""
    return redaction.excerpt(error, 300) or type(error).__name__
