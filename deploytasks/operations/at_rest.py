"""Whether an environment in which nobody is at work is in order, by everything that can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..world import World


def problems(world: World) -> list[str]:
    """What is not in order in an environment in which nobody is at work."""
    from ..ledger import holding

    world.catch_up()
    split, head = world.traffic.read(), world.ledger.head()
    found = [] if split.live else [f"traffic is at {split.weights()}"]
    found += [f"{split.live} is not healthy"] if split.live and not world.fleet.health(split.live).healthy else []
    back = split.way_back
    found += [f"the way back, {back}, is not healthy"] if back and not world.fleet.health(back).healthy else []
    found += [f"{head.standing.open.deployment} is open"] if head.standing.open else []
    found += ["the dead-man's switch is armed"] if world.deadman and world.deadman.state().armed else []
    found += ["somebody holds the lease"] if holding(world.store, world.scope) else []
    checked = world.ledger.verify()
    return found if checked.ok else [*found, f"the ledger does not verify: {checked.problems[0]}"]
