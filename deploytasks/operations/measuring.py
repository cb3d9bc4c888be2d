"""How well an environment is delivered to, from its ledger and git: ``inv metrics``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .. import view
from ..delivery.measures import Changes, Period, measured
from ..errors import DeployError, UsageError
from ..ledger.deployment import Deployment
from ..ledger.deployments import Fold
from ..ledger.projections import happened_at
from ..release.commits import between, committed
from ..settings import plain
from . import files, periods
from .opening import open_world
from .translating import readable

if TYPE_CHECKING:
    from invoke import Context

    from ..ports import Event
    from ..world import World

Answer = dict[str, Any]
USUAL = "90d"
LONGEST = timedelta(days=3653)


def metrics(c: Context, env: str | None, *, since: str | None, until: str | None, html: str | None, json: bool) -> None:
    """The whole of ``inv metrics``. Raises ``UsageError`` for a period that is none."""
    world = open_world(c, env or usual(c), need=("store",))
    now = world.clock.now()
    begin, end = periods.since(since or USUAL, now), periods.until(until, now) or now
    assert begin is not None  # it was typed, or is the usual one
    periods.ordered(begin, end)
    if end - begin > LONGEST:
        raise UsageError("--since: more than ten years", do="say 90d, 52w, or a date")
    answer = measure(world, begin, min(end, now) if begin < now else end)
    view.show("metrics", answer, json)
    if html:
        from ..view.html.metrics import page

        written = files.written(html, page(answer).encode("utf-8", "replace"), "metrics.html")
        view.say(f"the same as a page: {written}")


def usual(c: Context) -> str | None:
    """The one protected environment, or the only one that there is: production is what DORA means. Raises
    ``UsageError`` where there are several."""
    environments = plain(c.config.get("deploy", {})).get("environments")
    if not isinstance(environments, Mapping):
        return None
    protected = [name for name, of in environments.items() if isinstance(of, Mapping) and of.get("protected") is True]
    found = protected or list(environments)
    if len(found) > 1:
        raise UsageError("which environment?", do=f"say --env, one of: {', '.join(map(str, environments))}")
    return str(found[0]) if found else None


@readable
def measure(world: World, since: datetime, until: datetime) -> Answer:
    """DORA's measures of a period, as plain data."""
    world.spool.drain(world.ledger)
    found, begins = _folded(world.ledger.events())
    return of_deployments(world, found, Period(since, until, begins))


def of_deployments(world: World, found: tuple[Deployment, ...], period: Period) -> Answer:
    """The same, for whoever has folded the ledger already."""
    answer = measured(found, period, _changes(world, found))
    return {"application": world.site.application, "environment": world.site.environment, **answer}


def _folded(events: Iterable[Event]) -> tuple[tuple[Deployment, ...], datetime | None]:
    """All deployments, and when the ledger begins."""
    fold, begins = Fold(), None
    for event in events:
        begins = begins or happened_at(event)
        fold.take(event)
    return fold.deployments(), begins


def _changes(world: World, found: Iterable[Deployment]) -> Callable[[Deployment], Changes | None]:
    """What a deployment brought, as far as git here or the ledger knows."""
    first: dict[str, str] = {}
    for one in sorted((one for one in found if one.settled and one.commit), key=lambda one: one.number):
        first.setdefault(one.commit, one.deployment)

    def of(one: Deployment) -> Changes | None:
        if first.get(one.commit) != one.deployment:
            return None  # it was live before, or nobody knows what it is
        if (times := _asked(lambda: between(world.site.root, one.previous_commit, one.commit))) is not None:
            return Changes(times, is_all=True) if times else None
        own = one.committed or _asked(lambda: committed(world.site.root, one.commit))
        return Changes((own,), is_all=False) if own else None

    return of


def _asked(git: Callable[[], Any]) -> Any:
    """What git says; nothing where there is none."""
    try:
        return git()
    except (DeployError, OSError):
        return None
