"""The page of a release at GitHub: https://docs.github.com/en/rest/releases/releases. Nothing else of the API."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from .. import redaction, web
from ..errors import GateRefused, Unreachable, UsageError
from ..vault import HERE, Vault

if TYPE_CHECKING:
    from ..settings.release import ReleasePage

_VERSION = "2022-11-28"
_LARGEST = 120_000
"""Characters of a body; GitHub takes 125,000."""


class Place(NamedTuple):
    """Where a page is made. ``url``: of the API. ``variable``: the one that holds the token, which is in ``vault``."""

    url: str
    repository: str
    variable: str
    within: float
    vault: Vault = HERE

    @property
    def releases(self) -> str:
        """The address of all releases."""
        return f"{self.url}/repos/{self.repository}/releases"


class Page(NamedTuple):
    """What stands on it. ``is_latest``: whether it may become the one that is shown first."""

    tag: str
    notes: str
    is_prerelease: bool
    is_latest: bool


def place(rules: ReleasePage, remote: str | None, vault: Vault = HERE) -> Place:
    """Where the page of a release is made. ``remote``: its web address, ``https://github.com/owner/name``; ``vault``:
    where the token is.

    Raises ``GateRefused`` where nobody can tell, ``UsageError`` when there is no token.
    """
    parts = urlsplit(remote or "")
    repository = rules.repository or parts.path.strip("/")
    url = rules.url or _api(parts.netloc)
    if url is None or repository.count("/") != 1:
        raise GateRefused(
            "which repository at GitHub is meant is not known: the remote does not say it",
            state="nothing was changed",
            do="set deploy.release.page.repository (and url, for a server of your own)",
        )
    found = Place(url, repository, rules.token_from, rules.within, vault)
    _token(found)
    return found


def _api(host: str) -> str | None:
    if not host:
        return None
    return "https://api.github.com" if host.lower() in ("github.com", "ssh.github.com") else f"https://{host}/api/v3"


def publish(at: Place, page: Page) -> str:
    """Make the page; its address. One that is there already is left as it is: who died after making it asks again.

    Raises ``Unreachable``, with what GitHub says.
    """
    until = time.monotonic() + at.within
    body = {
        "tag_name": page.tag,
        "name": page.tag,
        "body": page.notes[:_LARGEST],
        "prerelease": page.is_prerelease,
        "make_latest": "true" if page.is_latest and not page.is_prerelease else "false",
    }
    there = _ask(at, "GET", f"{at.releases}/tags/{quote(page.tag, safe='')}", until)
    if there.status == 200:
        return _address(there)
    made = _ask(at, "POST", at.releases, until, body)
    if made.status != 201:
        why = _said(made).get("message") or "no reason given"
        raise Unreachable(
            f"GitHub did not make the page of {page.tag}: {made.status}, {redaction.excerpt(why, 300)}",
            do=f"check that the token in {at.variable} may write contents of {at.repository}",
        )
    return _address(made)


def _ask(at: Place, method: str, url: str, until: float, body: Mapping[str, Any] | None = None) -> web.Answer:
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {_token(at)}",
        "Content-Type": "application/json",
        "User-Agent": "deploytasks",
        "X-GitHub-Api-Version": _VERSION,
    }
    left = until - time.monotonic()
    if left <= 0:
        raise Unreachable(f"GitHub gave no answer within {at.within:g} s", do="see whether it is reached from here")
    content = None if body is None else json.dumps(body).encode()
    return web.fetch(url, method=method, body=content, headers=headers, timeout=left)


def _token(at: Place) -> str:
    found = (at.vault.get(at.variable) or "").strip()
    redaction.hide(found)
    if not found or not (found.isascii() and found.isprintable()):  # http.client would quote all of it in its error
        odd = f"the value of {at.variable} has characters that no header takes"
        raise UsageError(f"GitHub: {odd if found else at.vault.unset(at.variable)}", do=f"set {at.variable} to a token")
    return found


def _address(answer: web.Answer) -> str:
    return str(_said(answer).get("html_url") or "")


def _said(answer: web.Answer) -> Mapping[str, Any]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
