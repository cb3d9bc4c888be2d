"""Snapshots of the database: made and waited for, listed, and let go of when there are too many of ours."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from ....errors import GateRefused, Unreachable, UsageError
from ....ports import Backup
from ...site import Site
from .api import Taken, Unready
from .names import DATABASE, NAME, OURS, identifier
from .sorts import Machine, Shot, Sort
from .waiting import Over, Wait, is_well

_STATE = "the database is as it was"


class Snapshots:
    """The manual snapshots of one database."""

    def __init__(self, sort: Sort, database: str, site: Site) -> None:
        self._sort = sort
        self._database = database
        self._site = site

    def make(self, name: str, tags: Mapping[str, str], waiting: Wait) -> None:
        """A snapshot that is whole. One of that name that is whole is kept; one that is being made is waited for.

        Raises ``GateRefused`` when the database is in no state for it, or the name is somebody else's; ``UsageError``
        when there is no such database; ``Unreachable`` when it fails or takes too long.
        """
        wanted, asked = identifier(name), False

        def look() -> str | None:
            nonlocal asked
            shot = self._sort.shot(wanted)
            if shot is None:
                if asked:
                    raise Unreachable(f"the snapshot {wanted} is gone", state=_STATE, do="make another one")
                self._begin(name, wanted, tags)
                asked = True
                return "asked for"
            self._require_ours(shot, name)
            if shot.status == "failed":
                if asked:
                    raise _failed(shot)
                self._sort.drop_shot(wanted)
                return "an earlier try failed, and is deleted"
            asked = True
            return None if shot.status == "available" else f"{shot.status}, {_tens(shot.percent)} %"

        waiting.until(look, f"the snapshot {wanted}")

    def found(self) -> Sequence[Backup]:
        """Those that are whole, newest first: ours, and others of this database."""
        whole = [shot for shot in self.all() if shot.status == "available"]
        return [Backup(shot.name, shot.at, shot.size, shot.arn, _told(shot)) for shot in whole]

    def all(self) -> Sequence[Shot]:
        """In any state, newest first."""
        shots = [one for one in self._sort.shots() if one.is_ours(self._database) or one.of == self._database]
        return sorted(shots, key=lambda shot: (shot.at, shot.id), reverse=True)

    def named(self, name: str) -> Shot:
        """One that is whole. Raises ``UsageError`` with those that may have been meant."""
        found = {shot.name: shot for shot in self.all() if shot.status == "available"}
        if name not in found:
            near = dict.fromkeys([*difflib.get_close_matches(name, found, 3), *list(found)[:3]])
            do = f"choose one of: {', '.join(near)}" if near else "there is none yet: `inv backup-database`"
            raise UsageError(f"there is no snapshot called {name!r}", do=do)
        return found[name]

    def prune(self, keep: int) -> None:
        """Delete all but the newest ``keep`` of ours, and those of ours that failed. Nobody else's is touched."""
        ours = [shot for shot in self.all() if shot.is_ours(self._database)]
        whole = [shot for shot in ours if shot.status == "available"]
        for shot in [*whole[keep:], *(shot for shot in ours if shot.status == "failed")]:
            self._sort.drop_shot(shot.id)

    def discard(self, names: Sequence[str]) -> None:
        """Delete those of ours with these names."""
        for shot in self.all():
            if shot.name in names and shot.is_ours(self._database):
                self._sort.drop_shot(shot.id)

    def _begin(self, name: str, wanted: str, tags: Mapping[str, str]) -> None:
        machine = self._sort.find(self._database).get(self._database)
        if machine is None:
            raise UsageError(
                f"there is no {self._sort.word} {self._database} in this account and region",
                state="nothing was changed",
                do=f"check `database.{self._sort.word}`, `aws.region` and whose credentials are used",
            )
        if not is_well(machine.status):
            raise self._unready(machine)
        site = {"application": self._site.application, "environment": self._site.environment, "who": self._site.who}
        own = {f"{OURS}{key}": value for key, value in [*site.items(), *tags.items()] if value}
        try:
            self._sort.shoot(self._database, wanted, {DATABASE: self._database, NAME: name, **own})
        except (Taken, Unready):
            shot = self._sort.shot(wanted)  # an answer of ours may have been lost
            if shot is None:
                raise
            self._require_ours(shot, name)

    def _unready(self, machine: Machine) -> GateRefused:
        return GateRefused(
            f"{machine.name} is `{machine.status}`: RDS makes snapshots of an available {self._sort.word} only",
            state=_STATE,
            do="wait until it is `available`, then run the same again",
        )

    def _require_ours(self, shot: Shot, name: str) -> None:
        if shot.tags.get(DATABASE) != self._database or shot.name != name:
            raise GateRefused(
                f"a snapshot {shot.id} is there already, and is not ours: it is of {shot.of or 'another database'}",
                state=_STATE,
                do="delete it, if nobody needs it; or run it again: then the snapshot has another name",
            )


def _failed(shot: Shot) -> Over:
    return Over(
        f"RDS could not make the snapshot {shot.id}: it failed at {shot.percent} %",
        state=f"{_STATE}; the failed snapshot is deleted with the next one",
        do="run the same again; the events of the database in the RDS console say why",
    )


def _tens(percent: int) -> int:
    """As people are told: not each percent is worth a line."""
    return percent // 10 * 10


def _told(shot: Shot) -> Mapping[str, str]:
    own = {key.removeprefix(OURS): value for key, value in shot.tags.items() if key.startswith(OURS)}
    return {key: value for key, value in own.items() if f"{OURS}{key}" not in (DATABASE, NAME)}
