"""The listener or rule that shares traffic, as a switch sees it: what would take everybody home, and what it left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from ....errors import UsageError
from ....ports import Color, Split
from ..alb.actions import Action, Groups, shares, with_shares
from ..alb.place import Place
from ..alb.signature import BEFORE, DUE, HOME, SPLIT, decided, due_in, home_in, split_in
from .schedule import Way

if TYPE_CHECKING:
    from ...site import Site


class Look(NamedTuple):
    """What a listener or rule showed."""

    actions: Sequence[Action]
    tags: Mapping[str, str]
    split: Split
    """The one in force."""

    @property
    def order(self) -> tuple[Color | None, str] | None:
        """Where a switch was told to put everything, and for which deployment; ``None``: none was armed."""
        return home_in(self.tags.get(HOME))

    @property
    def due(self) -> datetime | None:
        """When it was to go off, as far as is known."""
        return due_in(self.tags.get(DUE))

    @property
    def signed(self) -> Split | None:
        """The split that was signed last; a switch signs nothing."""
        return split_in(self.tags.get(SPLIT))

    @property
    def is_home(self) -> bool:
        """Whether everything is where the switch was told to put it."""
        return self.order is not None and (self.split.blue, self.split.green) == Split.all_on(self.order[0])[:2]

    @property
    def has_fired(self) -> bool:
        """Whether it was the switch that put it there."""
        return self.order is not None and self.split.writer == f"deadman:{self.order[1]}"


class Balancer:
    """Looks, and leaves tags. It never changes an action: the schedule does."""

    def __init__(self, site: Site) -> None:
        settings = site.sections.get("traffic")
        arn, groups = getattr(settings, "place", None), getattr(settings, "groups", None)
        if arn is None or groups is None:
            raise UsageError(
                "the dead-man's switch of kind eventbridge needs a load balancer of AWS",
                do="say `traffic: {kind: alb}`, or choose another kind of `deadman`",
            )
        self.place = Place(str(arn), site)
        self._groups = Groups(str(groups.blue), str(groups.green))

    def look(self) -> Look:
        """Two requests; twice, where somebody may have written between them. Raises ``Unreachable``."""
        seen = self._glance()
        remembered = [split_in(seen.tags.get(key)) for key in (SPLIT, BEFORE)]
        return seen if seen.split in remembered or SPLIT not in seen.tags else self._glance()

    def _glance(self) -> Look:
        actions, tags = self.place.actions(), self.place.tags()
        return Look(actions, tags, decided(shares(actions, self._groups, self.place.name), tags, datetime.now(UTC)))

    def way(self, home: Split) -> Way:
        """The request that takes everybody home, and leaves every other action as it is now."""
        actions = with_shares(self.place.actions(), self._groups, home.blue, home.green)
        operation, asked = self.place.request(actions)
        first, second = operation.split("_")
        return Way(first + second.title(), asked, self.place.arn.split(":")[1])

    def tag(self, **tags: str) -> None:
        """Set ``home``, ``due`` or both; the other tags stay."""
        self.place.tag({{"home": HOME, "due": DUE}[name]: value for name, value in tags.items()})

    def untag(self) -> None:
        """Take off what the switch has left."""
        self.place.untag(HOME, DUE)
