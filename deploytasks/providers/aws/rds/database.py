"""``database: {kind: rds}``: an instance or an Aurora cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from ....errors import GateRefused, UsageError
from ....ports import Backup, Call, Calls, Finding, Json, Scratch
from ....settings.rds import RdsSettings
from ...site import Site
from .api import Api
from .behind import stays_behind
from .clusters import Clusters
from .diagnosing import diagnose, waiting_actions
from .inside import Inside
from .instances import Instances
from .names import Names, identifier
from .restoring import Restoring
from .scratch import Beside
from .snapshots import Snapshots
from .sorts import Machine, Sort, Source
from .waiting import Waiting, is_well

_SOON = timedelta(hours=1)
"""Before maintenance that AWS has announced, nothing is begun."""


class Rds:
    """Copies are manual snapshots. ``hear`` is told how far a wait is; whoever carries calls out may set it."""

    def __init__(self, settings: RdsSettings, site: Site) -> None:
        self.hear: Callable[[str], None] = _unheard
        self._settings = settings
        self._api = Api(site)
        self._instances = Instances(self._api)
        self._sort: Sort = self._instances if settings.instance else Clusters(self._api)
        self._name = settings.name
        self._snapshots = Snapshots(self._sort, self._name, site)
        self._inside = Inside(settings, site)

    # -- copies --------------------------------------------------------------

    def back_up(self, name: str, tags: Mapping[str, str]) -> Call:
        """A snapshot with these tags, waited for until it is whole."""
        text = f"rds: make the snapshot {identifier(name)} of the {self._sort.word} {self._name}, and wait for it"
        return Call(text, lambda timeout: self._snapshots.make(name, tags, self._waiting(timeout)))

    def backups(self) -> Sequence[Backup]:
        """The manual snapshots of this database that are whole, newest first. ``digest``: the ARN; ``size``: bytes,
        of the storage where RDS does not say how much of it is in the snapshot."""
        return self._snapshots.found()

    def prune(self, keep: int) -> Calls:
        """Which snapshots go is decided when it is done: only ours."""
        text = f"rds: delete all but the newest {keep} snapshots that were made here"
        return [[Call(text, lambda _timeout: self._snapshots.prune(keep))]]

    def discard(self, names: Sequence[str]) -> Calls:
        """Of these, only those that are ours."""
        text = f"rds: delete the snapshots {', '.join(names)}"
        return [[Call(text, lambda _timeout: self._snapshots.discard(names))]]

    def restore(self, name: str, mark: str = "") -> Calls:
        """Restore a snapshot beside the database, then let the two change names. Raises ``UsageError`` for an unknown
        one, ``GateRefused`` when the database is in no state to be replaced."""
        return self._restoring(mark).calls(Source(self._snapshots.named(name)))

    def restore_to(self, at: datetime, mark: str = "") -> Calls:
        """The same, to what it was at a point in time. Raises ``GateRefused`` when there are no automated backups,
        ``UsageError`` for a time that they do not reach."""
        restoring = self._restoring(mark)
        live, new, old = restoring.found()
        if new is None and old is None and live is not None and not restoring.is_ours(live):
            self._require_reaching(live, at)
        return restoring.calls(Source(None, at))

    def restored(self, mark: str) -> Mapping[str, Json]:
        """What the replaced database is called now, and what stays with it."""
        live, _, old = self._restoring(mark).found()
        if live is None or old is None:
            return {}
        lost: list[Json] = [*stays_behind(self._api, self._sort, old, live)]
        return {"kept": old.name, "lost": lost}

    def take_back(self, mark: str) -> Calls:
        """After a restore that failed between its two renames, the database gets its name back."""
        return self._restoring(mark).take_back()

    def busy(self) -> str | None:
        """Its state, or what AWS will do to it within the hour. What was begun here is no reason: it is gone on with.
        Nor is a database that is gone."""
        machine = self._sort.find(self._name).get(self._name)
        if machine is None or self._is_ours_at_work(machine):
            return None
        if not is_well(machine.status):
            return f"{machine.name} is `{machine.status}`"
        for shot in self._snapshots.all():
            if shot.status == "creating" and not shot.is_ours(self._name):
                return f"the snapshot {shot.id} of {machine.name} is being made, {shot.percent} %"
        return next((f"AWS does {action} to it at {at:%H:%M} UTC" for at, action in self._soon(machine)), None)

    # -- migrations ----------------------------------------------------------

    def scratch(self, name: str, mark: str, folder: str) -> Scratch:
        """A database of its own, restored from a snapshot, whose URL is the live one's with another address. Raises
        ``UsageError`` for an unknown snapshot, and where ``url_from`` is not set."""
        if self._settings.url_from is None:
            raise UsageError(
                "nothing says how a restored copy of the database is reached",
                state="nothing was changed",
                do="set `database.url_from`: a rehearsal puts the copy's address into that URL",
            )
        shot = self._snapshots.named(name)
        waiting = self._waiting
        return Beside(self._sort, self._instances, self._name, mark, waiting, self._inside).scratch(shot)

    def applied(self) -> Sequence[str]:
        """What the preset's tool has written down in the database; nothing without ``url_from``."""
        return self._inside.applied()

    def run(self, command: str, what: str) -> Call:
        """A command in the project's folder."""
        return self._inside.run(command, what)

    def diagnose(self) -> Sequence[Finding]:
        """Its state, points in time, copies, and leftovers."""
        return diagnose(self._api, self._sort, self._instances, self._name, self._snapshots)

    # -- how -----------------------------------------------------------------

    def _waiting(self, timeout: float) -> Waiting:
        return Waiting(timeout, self._settings.poll, self._told)

    def _told(self, text: str) -> None:
        self.hear(text)

    def _restoring(self, mark: str) -> Restoring:
        mark = mark or f"{datetime.now(UTC):%Y%m%d-%H%M%S%f}"
        names = Names.of(self._name, mark)
        return Restoring(self._sort, self._instances, names, mark, self._waiting, self._inside.check)

    def _soon(self, machine: Machine) -> Sequence[tuple[datetime, str]]:
        until = datetime.now(UTC) + _SOON
        return [one for one in waiting_actions(self._api, machine) if one[0] <= until]

    def _is_ours_at_work(self, machine: Machine) -> bool:
        if machine.status == "renaming" or machine.pending.startswith(f"{self._name}-old-"):
            return True
        making = [shot for shot in self._snapshots.all() if shot.status == "creating"]
        return machine.status == "backing-up" and any(shot.is_ours(self._name) for shot in making)

    def _require_reaching(self, live: Machine, at: datetime) -> None:
        latest = live.restorable_to
        if not live.retention or latest is None:
            raise GateRefused(
                f"{live.name} keeps no automated backups, so that there is no point in time to go back to",
                state="nothing was changed",
                do="restore a snapshot: `inv restore-database --backup NAME`",
            )
        earliest = self._sort.earliest(live)
        if at > latest or (earliest is not None and at < earliest):
            since = f"from {earliest:%Y-%m-%dT%H:%M:%SZ} " if earliest else ""
            raise UsageError(
                f"{live.name} cannot be put back to {at:%Y-%m-%d %H:%M:%S} UTC",
                state="nothing was changed",
                do=f"choose a time {since}to {latest:%Y-%m-%dT%H:%M:%SZ}; the newest moves on every five minutes",
            )


def _unheard(_text: str) -> None:
    """Nobody listens."""
