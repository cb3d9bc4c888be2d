"""Move a ledger between stores: out to a file, and in again elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .. import interrupt, view
from ..durable import sync_folder
from ..errors import OverThreshold, Unreachable, UsageError
from ..ledger import moving
from ..ledger.event import instant_text
from .consent import agree
from .opening import open_world

if TYPE_CHECKING:
    from invoke import Context

    from ..world import World


def move(
    c: Context,
    env: str | None,
    *,
    export: str | None,
    bring_in: str | None,
    preview: bool,
    consent: bool,
    json: bool,
) -> None:
    """The whole of ``inv history --export FILE`` and ``--import FILE``."""
    if export and bring_in:
        raise UsageError("--export and --import at once?", do="export here, then import where the ledger is to be")
    if export:
        _export(c, env, Path(export), preview=preview, json=json)
    if bring_in:
        _bring_in(c, env, Path(bring_in), preview=preview, consent=consent, json=json)


def _export(c: Context, env: str | None, file: Path, *, preview: bool, json: bool) -> None:
    """Write the whole ledger to a new file."""
    world = open_world(c, env, need=("store",))
    if file.exists():
        raise UsageError(f"{file} is there already", do="name a new file, or delete that one")
    if preview:
        view.say(f"would write {world.ledger.head().number} events to {file}")
        return
    world.spool.drain(world.ledger)
    about = {
        "exported_at": instant_text(world.clock.now()),
        "exported_by": world.site.who,
        "store": str(getattr(world.settings.sections["store"], "kind", "")),
    }
    _write(file, moving.export(world.ledger, about))
    _show(world, "exported", file, moving.checked(file), json=json)


def _bring_in(c: Context, env: str | None, file: Path, *, preview: bool, consent: bool, json: bool) -> None:
    """Add to the ledger what a file has more than it; record that, and verify all of it."""
    world = open_world(c, env, need=("store",), consent=consent)
    header = moving.checked(file)
    if header.scope != world.scope:
        raise UsageError(
            f"{file.name} is the ledger of {header.scope}, and this is {world.scope}",
            state="nothing was changed",
            do="choose the --env that it belongs to",
        )
    added = moving.missing(world.ledger, file, header)
    if preview:
        view.say(f"would add {added} of {header.count} events to the ledger of {world.scope}")
        return
    agree(world, f"Import {added} events into the ledger of {world.settings.name}?")
    with interrupt.caught(), _alone(world):
        added = moving.missing(world.ledger, file, header)
        moving.adopt(world.ledger, file)
    if world.ledger.head().number == header.count:  # otherwise it was there already, and went on since
        world.note("imported", file=file.name, count=header.count, added=added, head=header.head, **_origin(header))
    found = world.ledger.verify(header.head or None)
    if not found.ok:
        raise OverThreshold(f"the ledger of {world.scope} is not whole: {'; '.join(found.problems)}")
    _show(world, "imported", file, header, json=json, added=added)


def _origin(header: moving.Header) -> dict[str, str]:
    """Where it came from, as its header says."""
    return {name: str(header.about.get(name, "")) for name in ("store", "exported_by", "exported_at")}


@contextmanager
def _alone(world: World) -> Iterator[None]:
    """Hold the lease without a word in the ledger: an event of ours would come before those that are imported."""
    from ..ledger import Holder, Lease
    from ..providers.identity import identity, is_alive

    me, ttl = Holder.here(world.site.who, identity, world.site.host), world.settings.lease
    with Lease.take(
        world.store, world.scope, me, "import the ledger", clock=world.clock, is_alive=is_alive, ttl=ttl, beat=ttl / 4
    ):
        yield


def _write(file: Path, lines: Iterator[bytes]) -> None:
    """Whole and on disk, or not there at all. For its owner only: it says who did what."""
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with open(aside, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as written:
            written.writelines(lines)
            written.flush()
            os.fsync(written.fileno())
        aside.replace(file)
        sync_folder(file.absolute().parent)
    except OSError as error:
        raise Unreachable(f"{file} cannot be written: {error.strerror}", state="nothing was changed") from error
    finally:
        aside.unlink(missing_ok=True)


def _show(world: World, did: str, file: Path, header: moving.Header, *, json: bool, added: int | None = None) -> None:
    answer = {
        "application": world.site.application,
        "environment": world.site.environment,
        "did": did,
        "file": str(file),
        "events": header.count,
        "added": added,
        "head": header.head,
    }
    view.show("moved", answer, json)
