"""The words of the house, and the small protocols through which it meets the world.

Two things hold for every port. A method that reads, reads now, and raises ``Unreachable`` when it cannot.
A method that writes does not write: it returns a ``Call``, whose text and effect come from the same
values, and ``World.perform`` alone carries calls out. That is why a printed plan cannot lie.

Units everywhere: seconds as ``float``, shares in whole percent, instants as aware UTC ``datetime``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from .errors import DeployError

Color = Literal["blue", "green"]
Digest = str
Tag = str
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

COLORS: tuple[Color, Color] = ("blue", "green")


def other(color: Color) -> Color:
    """The opposite color."""
    return "green" if color == "blue" else "blue"


class Call(NamedTuple):
    """One idempotent write, not yet made.

    ``text`` is its wire form as people may read it: never a header, never a secret.
    ``perform`` makes it; its argument is the timeout in seconds. ``host``: the one that is written to, when it is
    one of several to which the same is done.
    """

    text: str
    perform: Callable[[float], None]
    host: str = ""


Calls = Sequence[Sequence[Call]]
"""Outer: one after the other. Inner: at once (a batch of hosts)."""

Hear = Callable[[str, str | int], None]
"""Told by a host, in any thread: its name, and a line that a command says, or the code with which it has ended."""


class Split(NamedTuple):
    """How traffic is shared, and what the balancer remembers about it.

    ``blue`` and ``green`` are percent and sum to 100, or both are 0: nothing is exposed yet.
    ``way_back`` is the color a rollback goes to (``None``: nowhere). ``writer`` says what wrote this split
    and for which deployment, as ``verb:deployment``, with the verb one of

    * ``deploy``: a deployment at work (or dead at its work);
    * ``settled``: a deployment that ended well, its way back open;
    * ``back``: traffic was taken home; ``deadman``: the same, by the dead-man's switch;
    * ``retired``: the way back was given up.
    """

    blue: int
    green: int
    way_back: Color | None = None
    writer: str | None = None

    @classmethod
    def all_on(cls, color: Color | None, way_back: Color | None = None, writer: str | None = None) -> Split:
        """Everything on one color (``None``: nothing exposed)."""
        return cls(100 * (color == "blue"), 100 * (color == "green"), way_back, writer)

    @classmethod
    def partly_on(cls, color: Color, percent: int, way_back: Color | None, writer: str) -> Split:
        """``percent`` on one color, the rest on the other."""
        share = {color: percent, other(color): 100 - percent}
        return cls(share["blue"], share["green"], way_back, writer)

    def share(self, color: Color) -> int:
        """Percent of requests that ``color`` gets."""
        return self.blue if color == "blue" else self.green

    @property
    def live(self) -> Color | None:
        """The color that has everything; ``None`` when the split is mixed or nothing is exposed."""
        return "blue" if self.blue == 100 else "green" if self.green == 100 else None

    @property
    def is_mixed(self) -> bool:
        """Whether both colors have traffic."""
        return self.blue > 0 and self.green > 0

    @property
    def verb(self) -> str:
        """The first half of ``writer``; empty when nobody signed."""
        return (self.writer or "").partition(":")[0]

    @property
    def deployment(self) -> str:
        """The second half of ``writer``: who wrote it, on the way there or back, or whose switch did."""
        return (self.writer or "").partition(":")[2]

    def weights(self) -> str:
        """For people: ``blue 90 % / green 10 %``."""
        return f"blue {self.blue} % / green {self.green} %" if self.blue + self.green else "nothing exposed"


class Release(NamedTuple):
    """An artifact of one version and commit.

    ``digest`` is the SHA-256 (hex) of the archive at ``archive``, a path on the machine that deploys.
    ``dirty`` is true when the work tree had changes that the commit does not have.
    """

    version: str
    commit: str
    digest: Digest
    archive: str
    dirty: bool = False

    @property
    def name(self) -> str:
        """The folder of this release on a host: ``<version>-<first 12 of the digest>``."""
        return release_name(self.version, self.digest)


def release_name(version: str, digest: Digest) -> str:
    """The folder of a release on a host; a function of version and digest alone."""
    return f"{version}-{digest[:12]}"


class Installed(NamedTuple):
    """What stands on one color: the release its ``current`` link names, and whether its process runs.

    Where several hosts have the color: what most of them have.
    """

    release: str
    """The folder name, ``<version>-<digest12>``."""
    digest: Digest
    """Empty when the hosts disagree."""
    version: str
    running: bool
    """On every host."""
    partly: bool = False
    """Not so, but something of this color runs."""
    down: tuple[str, ...] = ()
    """The hosts that have it and do not run it."""
    odd: Mapping[str, str] = {}
    """How hosts differ from the others, by their names."""

    @property
    def runs(self) -> bool:
        """Whether anything of this color runs anywhere."""
        return self.running or self.partly


class Health(NamedTuple):
    """Whether a color would serve users now, and why (not): one line.

    ``share``: the fraction of its hosts that would, 0 to 1; ``None``: all or none.
    """

    healthy: bool
    detail: str
    share: float | None = None

    @property
    def is_usable(self) -> bool:
        """Whether half of its hosts or more would: a balancer does without the others."""
        return self.healthy if self.share is None else self.share >= 0.5


class NoData(NamedTuple):
    """Nothing could be read, and why. Never to be taken for zero."""

    why: str
    heard: Sequence[Alert] = ()
    """Of several sources of alerts, what those say that could be read: bad news counts, and no news is none."""


class Totals(NamedTuple):
    """Cumulative counts of one color. They only rise; a fall means that the counter was reset.

    ``slower`` maps an edge (seconds) to how many requests took longer than it. It holds every edge that was
    asked for at which the count is above zero; an edge that is absent counts 0.
    """

    requests: int
    errors: int
    slower: Mapping[float, int]


Counts = Mapping[Color, Totals] | NoData
"""What one source says of both colors."""


ACCEPTED = "accepted"
"""The severity in a reading of a critical alert that fired before the deployment, and was set aside at its gate."""


class Alert(NamedTuple):
    """One alert of this service that fires now."""

    name: str
    severity: str
    """``critical`` rolls back, or holds when it fired before; ``ACCEPTED`` and anything else warns."""
    since: datetime
    summary: str = ""


class Command(NamedTuple):
    """What a person asks of a running rollout: ``pause``, ``continue``, ``abort`` or ``promote``."""

    verb: str
    who: str
    reason: str
    number: int = 0
    """Of the event that asks it; 0: it is in no ledger."""


class Reading(NamedTuple):
    """All that one look at a rollout saw. Recorded whole, so that a resumed deployment can replay it.

    ``totals`` counts what users sent; ``probes`` what our own prober sent, a stream of its own (``None``: no
    prober). ``health`` has both colors. ``alerts`` are those that fire now. ``levels`` are readings of the database and
    the hosts, by the names in ``verdict.levels``: seconds, or a share from 0 to 1; one that is absent is not watched.
    ``more``: what further sources count of users, by their names, where there are several.
    """

    at: datetime
    split: Split
    totals: Mapping[Color, Totals] | NoData
    probes: Mapping[Color, Totals] | None
    health: Mapping[Color, Health]
    alerts: Sequence[Alert] | NoData
    command: Command | None = None
    levels: Mapping[str, float] | NoData = {}  # noqa: RUF012  # the default of a tuple's field: nobody changes it
    more: Mapping[str, Counts] = {}  # see above


class Backup(NamedTuple):
    """A verified copy of the database."""

    name: str
    at: datetime
    size: int
    """Bytes."""
    digest: str
    tags: Mapping[str, str] = {}
    """Who, version, commit, deployment."""


class AlertRule(NamedTuple):
    """A rule that would fire an alert. ``broken``: why it cannot be evaluated; empty when it can."""

    name: str
    labels: Mapping[str, str]
    """Those that the rule itself gives its alerts."""
    broken: str = ""


class Scratch(NamedTuple):
    """A copy of the database in which migrations are rehearsed. It is not there before ``make``, nor after ``drop``.

    ``values``: ``path`` of its file, or ``url`` and ``name`` on a server; ``nowhere``: the same of a database that is
    not there. ``environment``: variables with which PostgreSQL's programs reach it; they hold secrets. ``applied``:
    the migrations that are in it.
    """

    make: Call
    drop: Call
    values: Mapping[str, str]
    nowhere: Mapping[str, str]
    environment: Mapping[str, str]
    applied: Callable[[], Sequence[str]]


class Notice(NamedTuple):
    """A maintenance notice: what visitors read with their 503, and how long they should wait."""

    message: str
    retry_after: int
    """Seconds, as in the HTTP header."""
    since: datetime
    who: str


class Switch(NamedTuple):
    """The state of a dead-man's switch."""

    armed: bool
    fired_at: datetime | None
    detail: str


class News(NamedTuple):
    """What somebody did by himself, for the ledger to know: an event with a name that is always the same."""

    name: str
    """Sorts by time. The ledger takes each name once."""
    kind: str
    facts: Mapping[str, Json]
    at: datetime
    who: str


class Finding(NamedTuple):
    """What ``doctor`` found out about one thing: ``ok``, ``warn`` or ``fail``, and how to mend it."""

    subject: str
    state: Literal["ok", "warn", "fail"]
    detail: str
    do: str = ""


class Event(NamedTuple):
    """One line of the ledger: event ``number`` (from 1), chained to ``previous`` by its ``digest``.

    ``token`` is the fencing token of the lease under which it was written (0: without a lease).
    """

    number: int
    at: datetime
    kind: str
    facts: Mapping[str, Json]
    who: str
    token: int
    previous: str
    digest: str


class Traffic(Protocol):
    """A balancer in front of both colors."""

    def prepare(self) -> Calls:
        """What must be done before traffic can be shared: nothing when the balancer runs as configured."""

    def read(self) -> Split:
        """The split that is in force, as the balancer itself reports it."""

    def at_rest(self) -> Split:
        """The split it has, or will have once ``prepare`` was carried out: what it remembers while it is down."""

    def shift(self, to: Split, expect: Split | None = None) -> Call:
        """Share traffic like ``to``, in one write. With ``expect``, raise ``SplitMoved`` instead of writing
        over a split that is not this one."""

    def address(self) -> str:
        """The public base URL, without a trailing slash."""

    def shut_down(self) -> Calls:
        """Stop what ``prepare`` started (nothing, for a balancer that is not ours)."""

    def diagnose(self) -> Sequence[Finding]: ...


class Drains(Protocol):
    """A balancer that can also count requests."""

    def drained(self, color: Color) -> int:
        """How many requests are still open at a color; 0: it may be stopped."""


class Targets(Protocol):
    """A balancer that checks by itself whether a color can serve."""

    up_within: float
    """Seconds that a color may take to be found healthy, before its first traffic."""

    def targets(self, color: Color) -> Health:
        """What its own checks say. A color that it does not check is not ill."""


class Binds(Protocol):
    """A balancer that binds visitors to a color, whatever the split says."""

    def lingering(self, color: Color) -> float:
        """Seconds for which somebody may still be bound to a color that gets no new visitors."""


class Fleet(Protocol):
    """The hosts that run both colors. What is said of a color concerns the hosts that have it."""

    def hosts(self, color: Color | None = None) -> Sequence[str]:
        """Their names; with a ``color``, of those that have it."""

    def only(self, hosts: Collection[str]) -> Fleet:
        """The same fleet, as if it had these hosts and no other."""

    def colors(self) -> Mapping[Color, Installed | None]:
        """What stands on both colors. Raises ``HostsDown`` with the names of all hosts that do not answer."""

    def installed(self, color: Color) -> Installed | None:
        """What stands on a color."""

    def install(self, release: Release, color: Color) -> Calls:
        """Bring a release to the hosts, verify its digest, unpack it and make it the color's current one.
        Does not restart anything."""

    def switch(self, color: Color, release: str | None) -> Calls:
        """Make a release that is on the hosts already (a folder name) the current one; ``None``: none."""

    def start(self, color: Color, *, as_before: bool = False) -> Calls:
        """With ``as_before``: by the command with which this release was healthy here last, whatever is configured
        now; so that a mistake in today's configuration cannot cost yesterday's release. Else as configured.

        Start the current release (after stopping another that still runs) and wait until it is healthy."""

    def stop(self, color: Color) -> Calls:
        """Stop what runs on a color; fine when nothing does. Never kills a process that is not ours."""

    def run(self, color: Color, command: str, what: str) -> Call:
        """Run a configured command in the current release of a color; ``what`` names it for people."""

    def command(self, color: Color, command: str, hear: Hear) -> Calls:
        """Run a command in the current release of a color on all its hosts; ``hear`` what they say."""

    def follow(self, color: Color, lines: int, hear: Hear) -> None:
        """Hand on the last ``lines`` lines that each host of a color said, and all that follow, until interrupted."""

    def prune(self, keep: int, spare: Sequence[str] = ()) -> Calls:
        """Delete all but the newest ``keep`` releases, never a current one nor one of ``spare``."""

    def health(self, color: Color) -> Health:
        """Ask the color's own health page, past the balancer."""

    def address(self, color: Color) -> str:
        """The base URL of a color, past the balancer, without a trailing slash."""

    def diagnose(self) -> Sequence[Finding]: ...


class Rooms(Protocol):
    """A fleet that also knows how much room its hosts have."""

    def room(self) -> Mapping[str, int]:
        """Free bytes on the disk of the releases, by host. Raises ``HostsDown``."""


class Scales(Protocol):
    """A fleet whose hosts are groups of tasks that something makes larger and smaller."""

    def limits(self) -> Mapping[str, tuple[int, int | None]]:
        """How many tasks each wants now, and how many it may have; ``None``: nothing limits it."""


class HandingFleet(Fleet, Protocol):
    """A fleet on a platform that brings a release to users by itself."""

    def begin(self, color: Color, stages: Sequence[int], patience: float) -> Calls:
        """Hand the color's release over, in steps that come nearest to ``stages``. Done when it runs, is healthy, and
        waits before its first step. Where that is so already, nothing is done. ``patience``: seconds after which the
        platform takes the release back, when nobody answers it at a pause."""


class HandedTraffic(Traffic, Protocol):
    """Traffic that a platform moves by itself."""

    def trouble(self) -> Exception | None:
        """Why what was handed over does not go on as ours: taken back, stopped or replaced by somebody."""

    def handed(self) -> str:
        """What the platform calls what was handed over last; empty: nothing ever was."""


class Database(Protocol):
    """The database behind both colors."""

    def back_up(self, name: str, tags: Mapping[str, str]) -> Call:
        """Make a copy called ``name`` and verify it. A copy of that name that is whole already is kept."""

    def backups(self) -> Sequence[Backup]:
        """The verified copies, newest first."""

    def prune(self, keep: int) -> Calls:
        """Delete all but the newest ``keep`` copies."""

    def discard(self, names: Sequence[str]) -> Calls:
        """Delete these copies; those that are gone already are no mistake."""

    def restore(self, name: str, mark: str = "") -> Calls:
        """Put a copy in the place of the database; what was there is kept beside it. ``mark``: unique to this restore,
        so that it can be gone on with after a death."""

    def restored(self, mark: str) -> Mapping[str, Json]:
        """Where that restore has kept what was there (``kept``), and what of it the new one lacks (``lost``)."""

    def scratch(self, name: str, mark: str, folder: str) -> Scratch:
        """A copy of the copy called ``name``, beside the database and never in its place. ``mark``: unique to it;
        ``folder``: one that is gone afterwards, for what lies in files."""

    def applied(self) -> Sequence[str]:
        """The migrations that are in the database, the oldest first: ``app.name`` (Django), or the heads' revisions
        (Alembic). None without a preset."""

    def run(self, command: str, what: str) -> Call:
        """Run a configured command where we are, for migrations that do not run on the fleet."""

    def busy(self) -> str | None:
        """Why a backup or restore must not run now (a migration or another writer holds it), or ``None``."""

    def diagnose(self) -> Sequence[Finding]: ...


class Rewinds(Protocol):
    """A database that can also be put back to what it was at a point in time."""

    def restore_to(self, at: datetime, mark: str = "") -> Calls:
        """Like ``Database.restore``. ``at``: UTC."""


class TakesBack(Protocol):
    """A database whose restore goes through a moment at which nothing has its name."""

    def take_back(self, mark: str) -> Calls:
        """Should a restore have ended there, the database that was to be replaced gets its name back."""


class Slow(Protocol):
    """A port whose calls may take hours, and which says meanwhile how far they are."""

    hear: Callable[[str], None]
    """Told in a few words, in the thread of the call, whenever that has changed. May be set."""


class Metrics(Protocol):
    """What users experienced, per color."""

    lag: float
    """Seconds until what happens shows in the numbers."""

    def totals(self, since: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        """Cumulative counts since ``since`` or earlier. ``edges``: seconds, see ``Totals.slower``."""

    def levels(self) -> Mapping[str, float] | NoData:
        """Readings of the database and the hosts (``Reading.levels``): only those that are watched, the worst of
        several. They warn; they never roll back."""

    def diagnose(self) -> Sequence[Finding]: ...


class Recalls(Protocol):
    """Metrics that remember, so that nobody has to wait for a window of time to go by."""

    def between(self, since: datetime, until: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        """Counts of a time that is over. ``until``: at least ``lag`` seconds ago, or what came late is missing."""


class SeveralSources(Protocol):
    """Metrics of several sources, of which ``totals`` is what the first one says that counts errors."""

    sources: Sequence[Metrics]
    """Each by itself, as they are configured."""

    def streams(self, since: datetime, edges: Sequence[float]) -> tuple[Counts, Mapping[str, Counts]]:
        """``totals``; and by its name what each other source says that gives errors or latency. All are asked at
        once, and one that is silent keeps no other from being heard."""


class Dated(Protocol):
    """Metrics that are copied from somewhere, and know how old the copy is."""

    def age(self, color: Color) -> float | None:
        """Seconds since the newest sample of a color that was read last; ``None``: it has none."""


class Ruled(Protocol):
    """Alerts, or metrics, that also know the rules by which alerts fire."""

    def alert_rules(self) -> Sequence[AlertRule]:
        """All that there are, also those that may be about another service. Raises ``Unreachable``."""


class Alerts(Protocol):
    """Where other systems say that this service is in trouble."""

    def firing(self) -> Sequence[Alert] | NoData:
        """What fires now."""

    def diagnose(self) -> Sequence[Finding]: ...


class Maintenance(Protocol):
    """The page that visitors see while the site is closed."""

    def read(self) -> Notice | None: ...

    def write(self, notice: Notice | None) -> Call:
        """Close the site with this notice (``None``: open it)."""

    def diagnose(self) -> Sequence[Finding]: ...


class Deadman(Protocol):
    """Puts traffic home by itself when the deployer's beat stops."""

    def arm(self, deployment: str, home: Split) -> Call:
        """From now on: no beat for the configured grace means that ``home`` is written."""

    def beat(self) -> None:
        """Still alive. Never raises; what fails here shows in ``state``."""

    def disarm(self) -> Call: ...

    def state(self) -> Switch: ...

    def news(self) -> Sequence[News]:
        """What it did by itself, and left no note of where this machine finds it."""

    def diagnose(self) -> Sequence[Finding]: ...


@runtime_checkable
class Unconditional(Deadman, Protocol):
    """A ``Deadman`` that writes home whatever it finds: it cannot look whose split it is.

    So it is disarmed, and proven to be, before anybody signs a split that is not home; and whoever stops without going
    home takes his own away.
    """

    def stand_down(self) -> Calls:
        """Disarm, if it is this very deployer that has armed; else nothing."""


class Prober(Protocol):
    """Sends requests of its own to both colors, past the balancer, where too few users come."""

    def totals(self, edges: Sequence[float]) -> Mapping[Color, Totals]:
        """What it has sent and seen since it was started."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Secrets(Protocol):
    """Where the values of secrets are kept, by the names of the variables that would have them."""

    def get(self, names: Sequence[str]) -> Mapping[str, str | DeployError]:
        """The values; what is not there is absent. A secret that cannot be had is the error that says why, with its
        name and without its value. Raises ``Unreachable`` when none can be asked for."""

    def place(self, name: str) -> str:
        """For people: where the value of a variable is looked for; empty: nowhere."""

    def diagnose(self) -> Sequence[Finding]: ...


class Listener(Protocol):
    """Someone who wants to know: a terminal, Slack, a pager. Told once per event, after it was recorded."""

    def tell(self, event: Event) -> None: ...


class Store(Protocol):
    """Where ledger, lease and plans live: three operations, of which ``put`` compares and swaps."""

    def get(self, key: str) -> tuple[bytes, Tag] | None:
        """The value and its tag, or ``None``."""

    def put(self, key: str, value: bytes, expect: Tag | None) -> Tag:
        """Write durably if the key still has the tag ``expect`` (``None``: must not exist), else ``Conflict``."""

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """Keys with this prefix greater than ``after``, in order."""

    def diagnose(self) -> Sequence[Finding]: ...


@runtime_checkable
class Keeping(Protocol):
    """A ``Store`` that can tell what was done to its values, past the ledger, by whoever may write there."""

    def rewritten(self, prefix: str) -> Iterator[str]:
        """Sentences about keys with this prefix that were written more than once, or deleted."""
