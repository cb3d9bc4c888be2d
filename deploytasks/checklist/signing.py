"""Whether what the ledger says somebody signed was signed by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..ledger.projections import Signed
    from ..world import World


def holds(signed: Signed, world: World) -> bool:
    """Whether the event has a statement that says just this, with a signature by a key that counts today."""
    raise NotImplementedError
