"""One repository at GitHub: what it is called, and who asks about it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from ...errors import UsageError
from ...release import git
from ...reviews import NotTold
from ...settings.web_access import WebAccess
from ..web_service import WebService
from .client import Access, Client
from .limits import Pace
from .remote import repository_of, web_host

if TYPE_CHECKING:
    from ...settings.github import GitHubAccess
    from ..site import Site


class Repository:
    """The one that a ``section`` of the settings means."""

    def __init__(
        self, settings: GitHubAccess, site: Site, section: str, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._settings = settings
        self._site = site
        self._section = section
        self._wait = wait
        self._pace = Pace()

    def client(self, within: float) -> Client:
        """What asks for us; its time (``within`` seconds) runs from now on. Raises ``NotTold`` without a token."""
        of = self._settings
        if not (self._site.vault.get(of.token_from) or "").strip():
            raise NotTold(
                f"GitHub cannot be asked: {self._site.vault.unset(of.token_from)}",
                do=f"set {of.token_from} to a token (docs/github.md says what it must be allowed)",
            )
        # What `within` says there is only told in messages, and may not be longer than this.
        proof = WebAccess(token_from=of.token_from, verify=of.verify, within=max(0.1, min(within, 30.0)))
        service = WebService("GitHub", of.url, proof, self._site.root, self._site.vault)
        return Client(service, Access(self.name, of.token_from, within, self._section), self._wait, self._pace)

    @cached_property
    def name(self) -> str:
        """``owner/name``. Raises ``UsageError`` when neither the settings nor ``origin`` say it."""
        if self._settings.repository is not None:
            return self._settings.repository
        host = web_host(self._settings.url)
        try:
            found = repository_of(git.line(self._site.root, "remote", "get-url", "origin"), host)
        except git.GitRefused:
            found = None
        if found is None:
            raise UsageError(
                f"{self._section}.repository: `origin` is no repository at {host}", do="write `owner/name` there"
            )
        return found
