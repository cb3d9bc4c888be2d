"""What a checklist is about: a release on its way to an environment, and what is known about both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DeployError
from .asking import Asked
from .item import LEVELS, Item

if TYPE_CHECKING:
    from ..ledger.projections import Standing
    from ..ports import Color, Installed, Release
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
        self._installed: dict[Color, Installed | DeployError | None] = {}
        self._ledger: Asked[Standing] = Asked("the ledger", lambda: world.ledger.head().standing)

    @property
    def gates(self) -> Gates:
        """What this environment demands."""
        return self.world.settings.gates

    def look_at_ledger(self) -> None:
        """Begin to read it, so that nobody waits for it later."""
        self._ledger.begin()

    @property
    def standing(self) -> Standing:
        """What the ledger says, read once. Raises ``Unreachable``, each time, when it cannot be read."""
        return self._ledger.answer()

    def installed(self, color: Color) -> Installed | None:
        """What stands on a color: its hosts are asked once. Raises ``HostsDown``, each time, when some do not answer.

        For the items that ask the fleet, which come one after the other.
        """
        if color not in self._installed:
            try:
                self._installed[color] = self.world.fleet.installed(color)
            except DeployError as error:
                self._installed[color] = error
        found = self._installed[color]
        if isinstance(found, DeployError):
            raise found
        return found

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
