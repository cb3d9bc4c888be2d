"""Who is who: one person may have several keys, and several names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..errors import DeployError
from ..signers import person
from .signing import allowed

if TYPE_CHECKING:
    from ..world import World

Person = frozenset[str]
"""All names of one person."""


def people(world: World, commit: str) -> Callable[[str], Person]:
    """All names of the person with a name: by their keys where people sign; elsewhere, whoever bears the name on any
    machine (``ann@desk`` and ``ann@ci``)."""
    if not world.settings.protected:
        return lambda name: frozenset({name.partition("@")[0] or name})
    try:
        signers = allowed(world, commit).signers
    except DeployError:  # then no signature counts either, and says why
        signers = ()
    return lambda name: person(signers, name)


def is_among(name: str, listed: Sequence[str], known: Callable[[str], Person]) -> bool:
    """Whether a list of names has this person, by any of them."""
    return bool(known(name) & {each for one in listed for each in (one, *known(one))})
