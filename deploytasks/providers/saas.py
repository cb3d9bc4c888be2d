"""A service on the internet: through the proxy of the environment, asked again as its own limits allow.

As ``WebService``, which is for what stands in the same network: one deadline for all of it, named errors, nothing of a
secret in them. By ``requests``, which knows proxies and their exceptions; it follows no redirect, since a token would
travel along, and reads no ``.netrc``, which would speak in our place.
"""

from __future__ import annotations

import json as jsons
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from ..errors import Unreachable
from ..settings.web_access import WebAccess
from .web_service import LARGEST, Answer, Exchange, WebService, explanation

if TYPE_CHECKING:
    from ..settings.saas_access import SaasAccess
    from .site import Site

Again = Callable[[Answer | None, int], float | None]
"""After an answer (``None``: silence) to so many attempts: seconds to wait before the next; ``None``: that was it."""
CHUNK = 1 << 16


class Busy(Unreachable):
    """It wants to be left alone for longer than there is time."""


def never(answer: Answer | None, attempt: int) -> float | None:
    """Ask once."""
    return None


class Saas(WebService):
    """One base URL. ``authorization``: the headers that prove who we are, made when they are needed; it may raise what
    ``secret`` raises. What is said about the service never has more of an address than ``url``."""

    def __init__(
        self,
        name: str,
        url: str,
        access: SaasAccess,
        site: Site,
        authorization: Callable[[Saas], Mapping[str, str]] = lambda _: {},
        *,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(name, url, WebAccess(verify=access.verify, within=access.within), site.root, site.vault)
        self._authorization = authorization
        self._wait = wait

    def ask(
        self,
        method: str,
        path: str,
        until: float,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        json: object = None,
        again: Again = never,
    ) -> Answer:
        """Whatever is answered in the end, of any status. ``until``: on the monotonic clock, for all attempts.

        Raises ``Unreachable`` for silence, ``Busy`` where it would have to be waited for longer than that, and
        ``UsageError`` when a secret or the file of authorities is not there.
        """
        body = None if json is None else jsons.dumps(json).encode()
        more = {**(headers or {}), **({} if body is None else {"Content-Type": "application/json"})}
        attempt = 0
        while True:
            attempt += 1
            answer, error = None, None
            try:
                answer = self.answer(path, query, until, headers=more, method=method, body=body)
            except Unreachable as silence:
                error = silence
            seconds = again(answer, attempt)
            if seconds is None or (error is not None and time.monotonic() + seconds >= until):
                if error is not None:
                    raise error
                assert answer is not None
                return answer
            if time.monotonic() + seconds >= until:
                assert answer is not None
                raise self._busy(answer, seconds)
            self._wait(max(0.0, seconds))

    def asked(self, method: str, path: str, until: float, **more: Any) -> Any:
        """The JSON of a 2xx answer. Raises as ``ask`` does, and ``Refused`` for any other status."""
        answer = self.ask(method, path, until, **more)
        if not 200 <= answer.status < 300:
            raise self.refusal(answer)
        return self.understood(answer)

    def secret(self, variable: str) -> str:
        """The value of a secret by its variable's name; hidden from all output from now on. Raises ``UsageError``."""
        return self._secret(variable)

    def _headers(self) -> dict[str, str]:
        return {"Accept": "application/json", "User-Agent": "deploytasks", **self._authorization(self)}

    def _exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Exchange:
        parts = urlsplit(self.url)
        url = f"{parts.scheme}://{parts.netloc}{parts.path}{target}"
        session = requests.Session()
        session.auth = _AsWeSay()
        verify = None
        if self._access.verify is not None:
            self._trust()  # a file that cannot be read is a mistake of its own, and not the service's
            verify = str(self._root / self._access.verify)
        return _Request(session, method, url, headers, body, seconds, verify, [])

    def refusal(self, answer: Answer) -> Unreachable:
        """As elsewhere; but of an address that it leads to, no more than where that is."""
        to = urlsplit(answer.headers.get("location", ""))
        if to.netloc:
            there = f"{to.scheme or 'https'}://{to.hostname}{f':{to.port}' if to.port else ''}"
        else:
            there = "another page of its own" if to.path else "nowhere"
        return super().refusal(answer._replace(headers={**answer.headers, "location": there}))

    def _busy(self, answer: Answer, seconds: float) -> Busy:
        at = datetime.fromtimestamp(time.time() + seconds, UTC)
        why = explanation(answer)
        return Busy(
            f"{self.name} at {self.url} wants to be left alone ({answer.status}{f': {why}' if why else ''})",
            do=f"try again after {at:%H:%M:%S} UTC",
        )


class _AsWeSay(AuthBase):
    """No other authorization than in our own headers."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Request(NamedTuple):
    session: requests.Session
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    seconds: float
    verify: str | None
    """The file of authorities. With each request: one of the session gives way to ``REQUESTS_CA_BUNDLE``."""
    answering: list[requests.Response]

    def made(self) -> Answer:
        try:
            return self._made()
        except HTTPException:
            raise
        except requests.Timeout:
            raise TimeoutError from None
        except requests.exceptions.ProxyError as error:
            raise OSError(f"through the proxy of the environment: {_reason(error)}") from None
        except Exception as error:  # noqa: BLE001  whose own words have the whole address, which may be a secret
            raise OSError(_reason(error)) from None
        finally:
            self.session.close()

    def _made(self) -> Answer:
        with self.session.request(
            self.method,
            self.url,
            data=self.body,
            headers=dict(self.headers),
            timeout=self.seconds,
            allow_redirects=False,
            stream=True,
            verify=self.verify,
        ) as response:
            self.answering.append(response)
            pieces, size = [], 0
            for piece in response.iter_content(CHUNK):
                pieces.append(piece)
                size += len(piece)
                if size > LARGEST:
                    raise HTTPException(f"the answer is larger than {LARGEST >> 20} MB: narrow what is asked for")
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, response.reason or "", names, b"".join(pieces))

    def hang_up(self) -> None:
        for response in self.answering:
            with suppress(Exception):  # an older urllib3 has no such method: its thread ends with the process
                response.raw.shutdown()
        with suppress(Exception):
            self.session.close()


def _reason(error: BaseException) -> str:
    """The innermost cause: an error of the system or of TLS, without any address."""
    found: list[BaseException] = []
    seen: set[int] = set()
    left: list[Any] = [error]
    while left:
        each = left.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        found.append(each)
        left += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    causes = [each for each in found if isinstance(each, OSError) and each.errno is not None]
    refusals = [str(each) for each in found if str(each).startswith("Tunnel connection failed: ")]
    if refusals:
        return refusals[0]
    if causes:
        return str(causes[-1].strerror or type(causes[-1]).__name__)
    return type(found[-1]).__name__
