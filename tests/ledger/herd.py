"""Real processes that race, and real processes that die: run as ``herd.py ROLE FOLDER [ARGUMENT…]``.

One process imports everything and forks the others, so that fifty of them really start at once. What they report
is printed as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.stores import ENDPOINT, opened

from deploytasks.engine.clock import SystemClock
from deploytasks.errors import Conflict, DeployError, LeaseHeld
from deploytasks.ledger import Holder, Lease, Ledger, Spool
from deploytasks.ports import Tag
from deploytasks.providers.identity import identity, is_alive

SCOPE = "library/production"


def race(count: int, act: Callable[[int], object]) -> list[Any]:
    """Let ``count`` processes do ``act`` at once; what each returned. None ends before all are done."""
    gate, results, rest = os.pipe(), os.pipe(), os.pipe()
    children = [_fork(number, act, gate, results, rest) for number in range(count)]
    for end in (gate[1], results[1]):
        os.close(end)
    with os.fdopen(results[0]) as lines:
        found = dict(json.loads(next(lines)) for _ in children)
    os.close(rest[1])
    for child in children:
        os.waitpid(child, 0)
    return [found[number] for number in range(count)]


def _fork(number: int, act: Callable[[int], object], *pipes: tuple[int, int]) -> int:
    child = os.fork()
    if child:
        return child
    gate, results, rest = pipes
    os.close(gate[1])
    os.close(rest[1])
    os.read(gate[0], 1)  # ends when the parent closes its end
    try:
        found = act(number)
    except BaseException as error:  # noqa: BLE001  whatever it is, the herd waits for an answer
        found = f"{type(error).__name__}: {error}"
    os.write(results[1], json.dumps([number, found]).encode() + b"\n")
    os.read(rest[0], 1)
    os._exit(0)


def append(folder: Path, count: int, each: int) -> list[Any]:
    """Append ``each`` notes in each of ``count`` processes."""

    def act(number: int) -> list[int]:
        ledger = Ledger(opened(folder), SCOPE, f"p{number}@host", SystemClock().now)
        return [ledger.append("note", {"by": number, "nth": nth}).number for nth in range(each)]

    return race(count, act)


def take(folder: Path, count: int) -> list[Any]:
    """Take the lease in each of ``count`` processes."""

    def act(number: int) -> str | int:
        me = Holder.here(f"p{number}@host", identity)
        try:
            return Lease.take(opened(folder), SCOPE, me, "deploy", clock=SystemClock(), is_alive=is_alive).token
        except LeaseHeld as error:
            return str(error)

    return race(count, act)


def drain(folder: Path, count: int) -> list[Any]:
    """Drain one spool in each of ``count`` processes."""

    def act(number: int) -> int:
        return Spool(folder / "spool").drain(Ledger(opened(folder), SCOPE, f"p{number}@host", SystemClock().now))

    return race(count, act)


def create(folder: Path, count: int) -> list[Any]:
    """Create one key in each of ``count`` processes: who succeeded."""

    def act(number: int) -> bool:
        try:
            opened(folder).put("a/b/c.json", str(number).encode(), None)
        except Conflict:
            return False
        return True

    return race(count, act)


def count_up(folder: Path, count: int, each: int) -> list[Any]:
    """Raise the number at one key ``each`` times in each of ``count`` processes; how often that met another's."""
    opened(folder).put("a/number", b"0", None)

    def act(number: int) -> int:
        here, lost, won = opened(folder), 0, 0
        while won < each:
            content, tag = here.get("a/number") or (b"", "")
            try:
                here.put("a/number", str(int(content) + 1).encode(), tag)
                won += 1
            except Conflict:
                lost += 1
        return lost

    return race(count, act)


class DyingStore:
    """Ends its process at one moment of one write."""

    def __init__(self, folder: Path, write: int, moment: str) -> None:
        self._store = opened(folder)
        self._writes, self._moment = write, moment
        self.get, self.keys, self.diagnose = self._store.get, self._store.keys, self._store.diagnose

    def put(self, key: str, value: bytes, expect: Tag | None) -> Tag:
        self._writes -= 1
        if not self._writes and self._moment == "before":
            os._exit(9)
        tag: Tag = self._store.put(key, value, expect)
        if not self._writes and self._moment == "after":
            os._exit(9)
        return tag


def die(folder: Path, write: int, moment: str) -> int:
    """Append three notes and end at the ``write``-th write, ``before`` or ``after`` it. How the process left."""

    def act() -> None:
        ledger = Ledger(DyingStore(folder, write, moment), SCOPE, "mortal@host", SystemClock().now)
        for nth in range(3):
            ledger.append("note", {"nth": nth})

    return in_child(act)


def die_inside(folder: Path, write: int) -> list[Any]:
    """End at every system call of one append in turn, and go on; what was found after each death."""
    found = []
    for call in range(1, 100):
        left = in_child(lambda call=call: _append_and_die(folder, call))
        ledger = Ledger(opened(folder), SCOPE, "next@host", SystemClock().now)
        before = ledger.head().number
        ledger.append("note", {"after": call})
        verified = ledger.verify()
        found.append([left, before, verified.count, list(verified.problems)])
        if left == 0:
            return found
    return found


def _append_and_die(folder: Path, call: int) -> None:
    left = call
    ledger = Ledger(opened(folder), SCOPE, "mortal@host", SystemClock().now)

    def mortal(real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if not left:
                os._exit(9)
            return real(*arguments, **named)

        return called

    for name in ("open", "write", "fsync", "close", "link", "replace", "unlink"):
        setattr(os, name, mortal(getattr(os, name)))
    ledger.append("note", {"dies at": call})


def in_child(act: Callable[[], None]) -> int:
    """Do it in a process of its own; the code it left with."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        act()
    except BaseException:  # noqa: BLE001  a forked child must not go on in its parent's code
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def hold(folder: Path, ttl: float, beat: float) -> None:
    """Hold the lease; say so, and at each line that is read, say what came of a check and of an append."""
    clock, where = SystemClock(), opened(folder)
    me = Holder.here("ann@host", identity)
    lease = Lease.take(where, SCOPE, me, "shift to 25 %", clock=clock, is_alive=is_alive, ttl=ttl, beat=beat)
    lease.start()
    ledger = Ledger(where, SCOPE, "ann@host", clock.now)
    ledger.append("began", {"deployment": "d1"}, lease.token)
    tell(lease.token)
    for _ in sys.stdin:
        tell([_tried(lease.check), _tried(lambda: ledger.append("note", {}, lease.token))])


def tell(what: object) -> None:
    """Say it to whoever started us."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _tried(act: Callable[[], object]) -> str:
    try:
        act()
    except DeployError as error:
        return type(error).__name__
    return "fine"


ROLES: dict[str, Callable[..., Any]] = {
    "append": append,
    "take": take,
    "drain": drain,
    "create": create,
    "count-up": count_up,
    "die": die,
    "die-inside": die_inside,
    "hold": hold,
}

if __name__ == "__main__":
    _, role, where, *rest = sys.argv
    numbers = [float(value) if "." in value else int(value) if value.isdecimal() else value for value in rest]
    if ENDPOINT in os.environ:
        opened(Path(where)).get("warm-up")  # what this reads its children need not
    answer = ROLES[role](Path(where), *numbers)
    if answer is not None:
        tell(answer)
