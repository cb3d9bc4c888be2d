"""A database gets another name: begun, waited for, and gone on with after a death at any point."""

from __future__ import annotations

from collections.abc import Callable

from ....errors import GateRefused, Unreachable
from .api import Gone, Taken, Unready
from .sorts import Machine, Sort
from .waiting import Over, Wait, is_broken, is_well

IsIt = Callable[[Machine], bool]


def renamed(sort: Sort, name: str, to: str, is_it: IsIt, waiting: Wait, state: str) -> None:
    """Rename what ``is_it`` from ``name``, and wait until it is available as ``to``. Nothing to do when it is.

    ``state``: how things are when it fails. Raises ``GateRefused`` when the new name is somebody else's,
    ``Unreachable`` when it breaks or takes too long.
    """

    def look() -> str | None:
        found = sort.find(name, to)
        there, here = found.get(to), found.get(name)
        if here is not None and is_it(here):
            if there is not None:
                raise _taken(sort, there, state)
            return _begun(sort, here, to, is_it, state)
        if there is None:
            raise Unreachable(f"there is neither {name} nor {to}", state=state, do="look for it in the RDS console")
        if not is_it(there):
            raise _taken(sort, there, state)
        return None if is_well(there.status) else _passing(there, state)

    waiting.until(look, f"{name}, on its way to the name {to}")


def _begun(sort: Sort, machine: Machine, to: str, is_it: IsIt, state: str) -> str:
    """Begin it, unless that was done, or it is not ready yet."""
    if machine.pending == to or machine.status == "renaming":
        return "renaming"
    if not is_well(machine.status):
        return _passing(machine, state)
    try:
        sort.rename(machine.name, to)
    except (Unready, Gone):  # its state is just changing; or an answer was lost, and it has the name
        return "not ready to be renamed"
    except Taken:
        other = sort.find(to).get(to)
        if other is not None and not is_it(other):
            raise _taken(sort, other, state) from None
    return "renaming"


def _passing(machine: Machine, state: str) -> str:
    if is_broken(machine.status):
        raise Over(f"{machine.name} is `{machine.status}`", state=state, do="the events in the RDS console say why")
    return machine.status


def _taken(sort: Sort, other: Machine, state: str) -> GateRefused:
    return GateRefused(
        f"there is another {sort.word} called {other.name}, and it is not ours",
        state=state,
        do="find out whose it is (Terraform may have created it again); rename or delete it, then restore again",
    )
