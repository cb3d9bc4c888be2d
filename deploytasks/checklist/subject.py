"""What a checklist is about: a release on its way to an environment, and what is known about both."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..errors import DeployError
from .item import LEVELS, Item

if TYPE_CHECKING:
    from ..ledger.projections import Standing
    from ..ports import Release
    from ..settings.gates import Gates
    from ..world import World


class Subject:
    """A release on its way to an environment.

    ``hotfix``: the short way. ``thorough``: commands that take their time (analysis, scans) are run where the ledger
    has no fresh evidence of theirs; otherwise such an item is ``pending``. ``older``: why a version older than the
    live one may go out.
    """

    def __init__(
        self, world: World, release: Release | None, *, hotfix: bool = False, thorough: bool = False, older: str = ""
    ) -> None:
        self.world = world
        self.release = release
        self.hotfix = hotfix
        self.thorough = thorough
        self.older = older
        self._lock = threading.Lock()
        self._standing: Standing | DeployError | None = None

    @property
    def gates(self) -> Gates:
        """What this environment demands."""
        return self.world.settings.gates

    @property
    def standing(self) -> Standing:
        """What the ledger says, read once. Raises ``Unreachable``, each time, when it cannot be read."""
        with self._lock:
            if self._standing is None:
                try:
                    self._standing = self.world.ledger.head().standing
                except DeployError as error:
                    self._standing = error
        if isinstance(self._standing, DeployError):
            raise self._standing
        return self._standing

    @property
    def commit(self) -> str:
        """What signatures and overrides are about: the commit, or, where it is not all, the content."""
        if self.release is None:
            return ""
        return f"content {self.release.digest}" if self.release.dirty else self.release.commit

    def why_not_demanded(self, item: Item) -> str:
        """Why this environment, or the short way, does without an item; empty when it is demanded."""
        level = self.world.settings.level
        if LEVELS.index(item.level) > LEVELS.index(level):
            return f"not demanded in {'an' if level[0] in 'aeiou' else 'a'} {level} environment"
        if self.hotfix and not item.critical:
            return "not demanded of a hotfix"
        return ""
