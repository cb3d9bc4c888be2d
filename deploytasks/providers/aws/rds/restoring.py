"""A database is put back: restored beside the live one, checked, and the two change names.

RDS never restores into a database that is there. So each restore makes a new one, which takes over the configuration of
the live one; that is renamed, and kept, and the new one gets its name. Each call looks first at what is so already: a
restore goes on after a death at any point. The restored database has the restore's mark as a tag.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from ....errors import GateRefused
from ....ports import Call, Calls
from . import carrying
from .api import Gone, Taken, Unready
from .clusters import Clusters, members
from .instances import Instances
from .names import RESTORE, Names, inherited
from .renaming import renamed
from .sorts import Machine, Sort, Source
from .waiting import Over, Wait, is_broken, is_well


class Restoring:
    """One restore, under its mark. ``waiting``: begins a wait of so many seconds; ``check``: raises when the restored
    database does not work."""

    def __init__(
        self, sort: Sort, instances: Instances, names: Names, mark: str, waiting: Callable[[float], Wait],
        check: Callable[[Machine, float], None],
    ) -> None:  # fmt: skip
        self._sort = sort
        self._instances = instances
        self._names = names
        self._mark = mark
        self._waiting = waiting
        self._check = check

    def calls(self, source: Source) -> Calls:
        """All that it does, in order. Raises ``GateRefused`` without a database whose configuration can be taken
        over, and when that is in no state to be replaced."""
        live, new, old, _ = self._names
        like = self._source()
        wanted = self._sort.wanted(like)
        word = self._sort.word
        made = (
            f"rds: restore {source.shown} as the new {word} {new}, with what {live} has: {carrying.described(wanted)}"
        )
        batches = [
            Call(f"{made}; wait until it is available", lambda timeout: self._make(source, timeout)),
            *self._new_members(like),
            Call(f"rds: change what a restore does not bring to {new}: {self._later(like)}", self._change),
            Call(f"rds: check that {new} works", self._checked),
            Call(f"rds: rename {live} to {old}, where it is kept; whoever is connected is cut off", self._move_away),
            Call(f"rds: rename {new} to {live}; it restarts, and is the database from then on", self._move_in),
            *self._moved_members(like),
        ]
        return [[call] for call in batches]

    def take_back(self) -> Calls:
        """Should nothing have the live name, what had it gets it back."""
        live, _, old, _ = self._names
        return [[Call(f"rds: if nothing is called {live} then, rename {old} back to {live}", self._move_back)]]

    # -- what is there -------------------------------------------------------

    def found(self) -> tuple[Machine | None, Machine | None, Machine | None]:
        """What has the live name; the restored one beside it; the one that was replaced."""
        found = self._sort.find(self._names.live, self._names.new, self._names.old)
        return found.get(self._names.live), found.get(self._names.new), found.get(self._names.old)

    def is_ours(self, machine: Machine) -> bool:
        """Whether this restore has made it."""
        return machine.tags.get(RESTORE) == self._mark

    def _is_replaced(self, machine: Machine) -> bool:
        return not self.is_ours(machine)

    def _is_over(self) -> bool:
        """Whether the restored database has the live name."""
        live = self.found()[0]
        return live is not None and self.is_ours(live)

    def _source(self) -> Machine:
        live, new, old = self.found()
        like = old or (live if live is not None and not self.is_ours(live) else None)
        if like is None:
            raise GateRefused(
                f"there is no {self._sort.word} {self._names.live} whose configuration a restored one could take over",
                state="nothing was changed",
                do="create one of this name with the right network and parameters (an empty one will do), then restore",
            )
        if like.facts.get("DBClusterInstanceClass"):
            raise GateRefused(
                f"{like.name} is a Multi-AZ cluster, and only Aurora clusters and instances are restored here",
                state="nothing was changed",
                do="restore it in the RDS console",
            )
        if new is None and not is_well(like.status) and like.pending != self._names.old:
            raise GateRefused(
                f"{like.name} is `{like.status}`", state="nothing was changed", do="wait until it is `available`"
            )
        return like

    def _later(self, like: Machine) -> str:
        empty = like._replace(facts={})
        return ", ".join(f"{key} {value}" for key, value in self._sort.missing(like, empty).items()) or "nothing"

    # -- one after the other -------------------------------------------------

    def _make(self, source: Source, timeout: float) -> None:
        new = self._names.new

        def look() -> str | None:
            live, there, old = self.found()
            if live is not None and self.is_ours(live):
                return None
            if there is None:
                like = old or live
                if like is None:
                    raise self._gone()
                self._begin(source, like)
                return "asked for"
            return self._far(there)

        self._waiting(timeout).until(look, f"the restored {self._sort.word} {new}")

    def _begin(self, source: Source, like: Machine) -> None:
        new, wanted = self._names.new, self._sort.wanted(like)
        tags = {**inherited(like.tags), RESTORE: self._mark}
        try:
            if source.shot is not None:
                self._sort.from_shot(source.shot, new, wanted, tags)
            elif source.at is not None:
                self._sort.from_time(like.name, source.at, new, wanted, tags)
        except Taken:
            there = self._sort.find(new).get(new)  # an answer of ours may have been lost
            if there is None or not self.is_ours(there):
                raise

    def _far(self, machine: Machine) -> str | None:
        if not self.is_ours(machine):
            raise Taken(f"there is another {self._sort.word} called {machine.name}", do="find out whose it is")
        if is_broken(machine.status):
            raise Over(
                f"{machine.name} is `{machine.status}`: it was not restored",
                state=f"{self._names.live} is as it was; {machine.name} is still there",
                do=f"the events of {machine.name} in the RDS console say why; delete it, then restore again",
            )
        percent = machine.facts.get("PercentProgress")
        return None if is_well(machine.status) else f"{machine.status}{f', {percent} %' if percent else ''}"

    def _change(self, timeout: float) -> None:
        asked = False

        def look() -> str | None:
            nonlocal asked
            live, new, old = self.found()
            like = old or live
            if like is None or (live is not None and self.is_ours(live)):
                return None
            if new is None:
                raise self._gone()
            if (far := self._far(new)) is not None:
                return far
            missing = self._sort.missing(like, new)
            pending = new.facts.get("PendingModifiedValues") or {}
            if not missing or asked:
                return f"not in force yet: {', '.join(pending)}" if pending else None
            self._begin_change(new.name, missing)
            asked = True
            return f"changing {', '.join(missing)}"

        self._waiting(timeout).until(look, f"the configuration of {self._names.new}")

    def _begin_change(self, name: str, missing: Mapping[str, object]) -> None:
        try:
            self._sort.change(name, f"change {', '.join(missing)} of {name}", **missing)
        except Unready:
            there = self._sort.find(name).get(name)  # an answer of ours may have been lost
            if there is None or is_well(there.status):
                raise

    def _checked(self, timeout: float) -> None:
        live, new, _ = self.found()
        if live is not None and self.is_ours(live):
            return
        if new is None:
            raise self._gone()
        self._check(new, timeout)

    def _move_away(self, timeout: float) -> None:
        if not self._is_over():
            state = f"{self._names.live} is as it was; {self._names.new} stands beside it"
            renamed(self._sort, self._names.live, self._names.old, self._is_replaced, self._waiting(timeout), state)

    def _move_in(self, timeout: float) -> None:
        live, new, old, _ = self._names
        state = f"the old database is {old}, the restored one {new}, and nothing is called {live}"
        renamed(self._sort, new, live, self.is_ours, self._waiting(timeout), state)

    def _move_back(self, timeout: float) -> None:
        live, _, old, _ = self._names

        def look() -> str | None:
            there, beside, kept = self.found()
            if there is not None:
                is_going = there.pending == old or there.status == "renaming"
                return "being renamed" if is_going and not self.is_ours(there) else None
            if beside is not None and beside.pending == live:
                return "being renamed"
            if kept is None:
                raise self._gone()
            if is_well(kept.status) and not kept.pending:
                with suppress(Unready, Gone):  # the next look tells
                    self._sort.rename(old, live)
            return f"{old} is renamed back"

        self._waiting(timeout).until(look, live)

    def _gone(self) -> GateRefused:
        live, new, old, _ = self._names
        return GateRefused(
            f"there is neither {live} nor {old} beside {new}, or no {new} any more",
            state="nothing more was done",
            do="look for them in the RDS console; somebody else has renamed or deleted one",
        )

    # -- the instances of a cluster ------------------------------------------

    def _members(self, like: Machine) -> Sequence[Names]:
        return [self._names.member(name) for name in members(like)] if isinstance(self._sort, Clusters) else ()

    def _new_members(self, like: Machine) -> Sequence[Call]:
        if not (of := self._members(like)):
            return ()
        listed = ", ".join(one.new for one in of)
        return [Call(f"rds: create its instances {listed}; wait until they are available", self._create)]

    def _moved_members(self, like: Machine) -> Sequence[Call]:
        of = self._members(like)
        return [
            Call(f"rds: rename the instances {', '.join(f'{one.live} to {one.old}' for one in of)}", self._move_olds),
            Call(f"rds: rename the instances {', '.join(f'{one.new} to {one.live}' for one in of)}", self._move_news),
        ] if of else ()  # fmt: skip

    def _create(self, timeout: float) -> None:
        waiting = self._waiting(timeout)
        for name, like in self._theirs().items():
            self._create_one(self._names.member(name).new, like, waiting)

    def _theirs(self) -> Mapping[str, Machine]:
        """The instances of the cluster that is replaced, the writer first; none when it has been."""
        live, _, old = self.found()
        like = old or live
        if like is None or (live is not None and self.is_ours(live)):
            return {}
        names = members(like)
        found = self._instances.find(*names)
        return {name: found[name] for name in names if name in found}

    def _create_one(self, name: str, like: Machine, waiting: Wait) -> None:
        def look() -> str | None:
            there = self._instances.find(name).get(name)
            if there is None:
                tags = {**inherited(like.tags), RESTORE: self._mark}
                try:
                    self._instances.create(name, self._names.new, carrying.member(like.facts), tags)
                except Taken:
                    return "asked for"
                return "asked for"
            return self._far(there)

        waiting.until(look, f"the instance {name}")

    def _move_olds(self, timeout: float) -> None:
        waiting = self._waiting(timeout)
        for one in self._members_of(self._names.old):
            state = f"the cluster {self._names.live} is the restored one; its instances keep other names"
            renamed(self._instances, one.live, one.old, self._is_replaced, waiting, state)

    def _move_news(self, timeout: float) -> None:
        waiting = self._waiting(timeout)
        for one in self._members_of(self._names.old):
            state = f"the cluster {self._names.live} is the restored one; its instances keep other names"
            renamed(self._instances, one.new, one.live, self.is_ours, waiting, state)

    def _members_of(self, cluster: str) -> Sequence[Names]:
        found = self._sort.find(cluster).get(cluster)
        return self._members(found) if found is not None else ()
