"""A snapshot restored beside the database, in which migrations are rehearsed, and deleted again."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from ....errors import DeployError, Unreachable, UsageError
from ....ports import Call, Scratch
from . import carrying
from .api import Taken, Unready
from .clusters import Clusters, members
from .inside import Inside
from .instances import Instances
from .names import REHEARSAL, instance_of, rehearsal
from .sorts import Machine, Shot, Sort
from .waiting import Over, Wait, is_broken, is_well


class Beside:
    """A database for one rehearsal. Its address is known once it is made: ``Scratch.values`` is filled then."""

    def __init__(
        self, sort: Sort, instances: Instances, live: str, mark: str, waiting: Callable[[float], Wait], inside: Inside
    ) -> None:
        self._sort = sort
        self._instances = instances
        self._live = live
        self._mark = mark
        self._name = rehearsal(live, mark)
        self._waiting = waiting
        self._inside = inside
        self._values: dict[str, str] = {}
        self._nowhere: dict[str, str] = {}

    def scratch(self, shot: Shot) -> Scratch:
        """See ``Database.scratch``."""
        made = f"rds: restore the snapshot {shot.id} as the new {self._sort.word} {self._name}, beside {self._live}"
        return Scratch(
            Call(made, lambda timeout: self._make(shot, timeout)),
            Call(f"rds: delete the {self._sort.word} {self._name}, without a last snapshot", self._drop),
            self._values,
            self._nowhere,
            {},
            lambda: self._inside.applied(self._values["url"]),
        )

    def _make(self, shot: Shot, timeout: float) -> None:
        waiting = self._waiting(timeout)
        live = self._sort.find(self._live).get(self._live)
        if live is None:
            raise UsageError(f"there is no {self._sort.word} {self._live}", do=f"check `database.{self._sort.word}`")
        wanted = {**self._sort.wanted(live), "DeletionProtection": False}
        wanted |= {"MultiAZ": False} if "MultiAZ" in wanted else {}
        machine = self._begun(self._sort, self._name, lambda: self._from(shot, wanted), waiting)
        if isinstance(self._sort, Clusters):
            writer = self._instances.find(*members(live)[:1])
            for like in writer.values():
                own = carrying.member(like.facts)
                self._begun(self._instances, self._member, lambda own=own: self._create(own), waiting)  # type: ignore[misc]  # bound at once
            machine = self._sort.find(self._name)[self._name]
        url = self._inside.url(machine)
        self._values |= {"url": url, "name": url.rpartition("/")[2].partition("?")[0]}
        self._nowhere |= {"url": self._inside.url(machine, "nowhere_of_a_rehearsal"), "name": "nowhere_of_a_rehearsal"}

    def _from(self, shot: Shot, wanted: dict[str, object]) -> None:
        self._sort.from_shot(shot, self._name, wanted, {REHEARSAL: self._mark})

    def _create(self, own: dict[str, object]) -> None:
        self._instances.create(self._member, self._name, own, {REHEARSAL: self._mark})

    @property
    def _member(self) -> str:
        return instance_of(self._name)

    def _begun(self, sort: Sort, name: str, begin: Callable[[], None], waiting: Wait) -> Machine:
        found: list[Machine] = []

        def look() -> str | None:
            there = sort.find(name).get(name)
            if there is None:
                with suppress(Taken):
                    begin()
                return "asked for"
            if is_broken(there.status):
                raise Over(f"{name} is `{there.status}`", state="the database is as it was", do="rehearse again")
            found[:] = [there]
            return None if is_well(there.status) else there.status

        waiting.until(look, f"the {sort.word} {name}")
        return found[0]

    def _drop(self, timeout: float) -> None:
        """Only what this rehearsal has made. Deleting goes on at AWS by itself once it is begun."""
        until = time.monotonic() + timeout
        pairs: list[tuple[Sort, str]] = [(self._instances, self._member), (self._sort, self._name)]
        for sort, name in pairs if isinstance(self._sort, Clusters) else pairs[1:]:
            there = sort.find(name).get(name)
            if there is None or there.tags.get(REHEARSAL) != self._mark:
                continue
            self._delete(sort, name, until)

    def _delete(self, sort: Sort, name: str, until: float) -> None:
        while True:
            try:
                sort.remove(name)
                return
            except (Unready, Unreachable) as error:  # what is still being created cannot be deleted yet
                if time.monotonic() > until:
                    raise _left(name, error) from error
                time.sleep(min(1.0, max(0.0, until - time.monotonic())))


def _left(name: str, error: DeployError) -> Unreachable:
    return Unreachable(
        f"{name} could not be deleted: {error.what}",
        state="the database is as it was; the copy is still there, and costs",
        do=f"delete it: `aws rds delete-db-instance --db-instance-identifier {name} --skip-final-snapshot`",
    )
