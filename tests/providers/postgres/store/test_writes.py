"""No write is lost or made twice, whatever happens to the line and to the server."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from lab import stores

from deploytasks.engine.clock import SystemClock
from deploytasks.errors import Conflict
from deploytasks.ledger import Holder, Lease, Ledger
from deploytasks.providers.identity import identity, is_alive
from deploytasks.providers.postgres.store import PostgresStore
from deploytasks.providers.postgres.table import REMEMBERED

from .between import Between, between
from .conftest import SCOPE, Open, backends, until

if TYPE_CHECKING:
    from lab.postgres import Server


@pytest.fixture
def line(ledgers: Server) -> Iterator[Between]:
    """A line that can be cut."""
    with between(ledgers.host, ledgers.port) as line:
        yield line


@pytest.fixture
def shaky(opened: Open, ledgers: Server, line: Between, store: PostgresStore) -> PostgresStore:
    """The same store over that line; connected, its table made."""
    store.put("a/made", b"", None)
    shaky = opened(ledgers.url_of(stores.DATABASE).replace(f":{ledgers.port}/", f":{line.port}/"))
    assert shaky.get("a/made") is not None
    return shaky


def test_a_value_that_comes_back_is_another_one(store: PostgresStore) -> None:
    """Who read a value before it was changed and changed back is told that somebody wrote meanwhile."""
    first = store.put("a/key", b"one", None)
    store.put("a/key", b"one", store.put("a/key", b"two", first))
    with pytest.raises(Conflict):
        store.put("a/key", b"three", first)


def test_lost_answer_to_a_creation(shaky: PostgresStore, line: Between, store: PostgresStore) -> None:
    """A creation whose answer is lost is recognized as our own, and is there once."""
    line.lose_the_answer()
    tag = shaky.put("a/key", b"ours", None)
    assert store.get("a/key") == (b"ours", tag)
    assert shaky.put("a/key", b"next", tag)


def test_lost_answer_to_a_swap(shaky: PostgresStore, line: Between, store: PostgresStore) -> None:
    """So is a swap."""
    tag = shaky.put("a/key", b"0", None)
    line.lose_the_answer()
    tag = shaky.put("a/key", b"1", tag)
    assert store.get("a/key") == (b"1", tag)


def test_lost_statement_is_sent_again(shaky: PostgresStore, line: Between, store: PostgresStore) -> None:
    """A write that never reached the server reaches it over a new connection."""
    tag = shaky.put("a/key", b"0", None)
    line.lose_the_statement()
    tag = shaky.put("a/key", b"1", tag)
    assert store.get("a/key") == (b"1", tag)


@pytest.mark.parametrize("others", [1, REMEMBERED - 1])
def test_lost_answer_after_which_others_wrote(
    shaky: PostgresStore, line: Between, store: PostgresStore, others: int
) -> None:
    """A swap that got through before others swapped as well was no conflict: it must not be made again."""
    tag = shaky.put("a/key", b"0", None)

    def meanwhile() -> None:
        until(lambda: (store.get("a/key") or (b"",))[0] == b"ours")
        for nth in range(others):
            _, seen = store.get("a/key") or (b"", "")
            store.put("a/key", b"%d" % nth, seen)

    line.lose_the_answer(meanwhile)
    ours = shaky.put("a/key", b"ours", tag)
    with pytest.raises(Conflict):
        shaky.put("a/key", b"again", ours)


def test_lost_answer_of_one_who_came_too_late(shaky: PostgresStore, line: Between, store: PostgresStore) -> None:
    """A lost answer that was a refusal is a refusal still."""
    tag = shaky.put("a/key", b"0", None)
    store.put("a/key", b"theirs", tag)
    line.lose_the_answer()
    with pytest.raises(Conflict):
        shaky.put("a/key", b"ours", tag)
    line.lose_the_answer()
    with pytest.raises(Conflict):
        shaky.put("a/key", b"ours", None)
    assert (store.get("a/key") or (b"",))[0] == b"theirs"


def test_killedbackends_lose_and_double_nothing(opened: Open, ledgers: Server) -> None:
    """While somebody keeps killing all sessions, every event is recorded once, and the chain verifies."""
    ledger = Ledger(opened(answer_within=20), SCOPE, "ann@host", SystemClock().now)
    numbers = [ledger.append("note", {"nth": 0}).number]
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'deploytasks store'"
    killed: list[object] = []

    def keep_killing() -> None:
        with ledgers.connect() as connection:
            while len(killed) < 40:
                reached = len(numbers)
                time.sleep(random.random() * 0.004)  # anywhere in what an append does
                killed.extend(connection.execute(kill).fetchall())
                until(lambda reached=reached: len(numbers) > reached)

    killer = threading.Thread(target=keep_killing)
    killer.start()
    while killer.is_alive():
        numbers.append(ledger.append("note", {"nth": len(numbers)}).number)
    killer.join()
    assert len(killed) >= 40
    assert numbers == list(range(1, len(numbers) + 1))
    assert [event.facts["nth"] for event in ledger.events()] == list(range(len(numbers)))
    assert ledger.verify()[:2] == (True, len(numbers))


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_server_that_restarts_is_waited_for(opened: Open, ledgers: Server, how: str) -> None:
    """A server that is away for a moment costs nothing but that moment; what it had acknowledged, it has."""
    store = opened(answer_within=15)
    ledger = Ledger(store, SCOPE, "ann@host", SystemClock().now)
    ledger.append("note", {"nth": 0})
    getattr(ledgers, how)()
    appending = threading.Thread(target=ledger.append, args=("note", {"nth": 1}))
    appending.start()
    ledgers.start()
    appending.join(15)
    assert [event.facts["nth"] for event in ledger.events()] == [0, 1]
    assert ledger.verify()[:2] == (True, 2)


def test_a_history_is_read_in_few_questions(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading 250 events asks a server, which may be far away, five times and not 250 times."""
    ledger = Ledger(store, SCOPE, "ann@host", SystemClock().now)
    for nth in range(250):
        ledger.append("note", {"nth": nth})
    asked: list[object] = []
    real = store._line.ask
    monkeypatch.setattr(store._line, "ask", lambda *given: asked.append(given) or real(*given))
    assert [event.facts["nth"] for event in ledger.events()] == list(range(250))
    assert len(asked) <= 2 + 1 + 3  # the head, the first event, and a hundred at a time from then on


def test_two_threads_do_not_wait_for_each_other(store: PostgresStore, ledgers: Server) -> None:
    """A lease beats while an event is being written that the database keeps waiting; on a line of its own."""
    store.put("a/key", b"", None)
    _, tag = store.get("a/key") or (b"", "")
    with ledgers.connect(stores.DATABASE) as holding, holding.transaction():
        holding.execute(f"SELECT * FROM {os.environ[stores.TABLE]} WHERE key = 'a/key' FOR UPDATE")
        waiting = threading.Thread(target=store.put, args=("a/key", b"1", tag))
        waiting.start()
        me = Holder.here("ann@host", identity)
        with Lease.take(store, SCOPE, me, "deploy", clock=SystemClock(), is_alive=is_alive, beat=0.01) as lease:
            lease.doing("something")
            lease.check()
        assert waiting.is_alive()
    waiting.join(10)
    assert (store.get("a/key") or (b"",))[0] == b"1"


def test_child_does_not_use_its_parents_line(store: PostgresStore) -> None:
    """After a fork, both go on, each on its own connection."""
    tag = store.put("a/key", b"parent", None)
    ours = backends(store)
    child = os.fork()
    if not child:
        store.put("a/key", b"child", tag)
        os._exit(0 if ours != backends(store) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (store.get("a/key") or (b"",))[0] == b"child"
    assert ours == backends(store)  # the same as before: the child did not end it
