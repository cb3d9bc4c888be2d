"""Two operators, or sixteen, want the lease at the same moment: one gets it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from deploytasks.engine.clock import SystemClock
from deploytasks.errors import LeaseHeld
from deploytasks.ledger import Holder, Lease
from deploytasks.providers.identity import identity, is_alive

if TYPE_CHECKING:
    from .conftest import Open


@pytest.mark.parametrize(("operators", "rounds"), [(2, 100), (16, 10)])
def test_one_gets_the_lease(opened: Open, operators: int, rounds: int) -> None:
    """In each round exactly one wins, under a token that is one higher, and the others name the winner."""
    stores = [opened() for _ in range(operators)]
    gate = Barrier(operators)

    def want(number: int) -> tuple[int, Lease | str]:
        me, clock = Holder.here(f"op{number}@host", identity), SystemClock()
        gate.wait()
        try:
            return number, Lease.take(stores[number], "shop/production", me, "deploy", clock=clock, is_alive=is_alive)
        except LeaseHeld as error:
            return number, str(error)

    with ThreadPoolExecutor(operators) as threads:
        for token in range(1, rounds + 1):
            found = list(threads.map(want, range(operators)))
            winners = [(number, lease) for number, lease in found if isinstance(lease, Lease)]
            assert [lease.token for _, lease in winners] == [token]
            told = [text for _, text in found if isinstance(text, str)]
            assert all(f"is held by op{winners[0][0]}@host " in text for text in told), told
            assert winners[0][1].release()
