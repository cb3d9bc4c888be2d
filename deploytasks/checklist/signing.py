"""What somebody states by signing, and whether what the ledger says somebody signed was signed by them.

Whose keys count stands in the repository, and is read as it is committed, not as it lies in the work tree: nobody lets
himself in by an edit that nobody has reviewed.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from ..errors import DeployError, UsageError
from ..ledger.event import canonical, instant_text
from ..ledger.facts import Facts, instant, text
from ..signing import Allowed, BadSignature, Proof, who_signed

if TYPE_CHECKING:
    from ..ledger.projections import Signed
    from ..settings.people import Signers
    from ..world import World

AT_ONCE = timedelta(minutes=10)
"""A statement is recorded as soon as it is signed; what comes later was taken from another event."""


class Statement(NamedTuple):
    """What is signed, word for word."""

    application: str
    environment: str
    act: str
    item: str
    about: str
    note: str
    at: datetime
    who: str

    def __str__(self) -> str:
        """As canonical JSON."""
        return canonical({**self._asdict(), "at": instant_text(self.at)}).decode()


def statement_in(written: str) -> Statement | None:
    """The statement in a text; ``None`` unless it is exactly what one looks like."""
    try:
        found = json.loads(written)
    except ValueError:
        return None
    if not isinstance(found, dict) or set(found) != set(Statement._fields):
        return None
    at = instant(found, "at")
    if at is None or not all(isinstance(value, str) for value in found.values()):
        return None
    made = Statement(**{**found, "at": at})
    return made if str(made) == written else None


def signers(world: World) -> Signers:
    """Where the allowed signers stand. ``signers`` must have been asked for when the settings were loaded."""
    return cast("Signers", world.settings.sections["signers"])


def allowed(world: World, commit: str = "", of: Signers | None = None) -> Allowed:
    """Whose signatures count at a commit (by default the one that is checked out).

    ``of``: which files say so; by default as the settings have it now. Raises ``UsageError`` when it has no such file.
    """
    of = of or signers(world)
    revoked = None if of.revoked is None else _committed(world, of.revoked, commit)
    return Allowed(_committed(world, of.file, commit), of.file, revoked)


def _committed(world: World, name: str, commit: str) -> bytes:
    """A file as a commit has it; one that lies outside of the repository, as it is."""
    from ..release import git

    top = git.top(world.site.root).resolve()
    file = Path(os.path.normpath(world.site.root.resolve() / Path(name).expanduser()))
    at = commit or "HEAD"
    if not file.is_relative_to(top):
        return _outside(file, name)
    try:
        return git.ask(top, "cat-file", "blob", f"{at}:{file.relative_to(top).as_posix()}")
    except git.GitRefused as error:
        raise UsageError(
            f"{name} is not in {at[:12]}: nobody's signature counts there",
            do=f"commit it, see docs/approvals.md (git: {error.said})",
        ) from error


def _outside(file: Path, name: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}", do="mend `signers` in invoke.yaml") from error


def holds(signed: Signed, world: World, commit: str = "") -> bool:
    """Whether the event has a statement that says just this, with a signature by a key that counts today."""
    return not flaw(signed, world, commit)


def flaw(signed: Signed, world: World, commit: str = "", of: Signers | None = None) -> str:
    """Why a signature does not count; empty when it does. ``commit``, ``of``: the one whose allowed signers count, and
    the files that have them."""
    try:
        proof_of(signed, world, commit, of)
    except DeployError as error:
        return error.what
    return ""


def proof_of(signed: Signed, world: World, commit: str = "", of: Signers | None = None) -> Proof:
    """Who signed what the ledger says. Raises ``BadSignature`` when nobody did, or not just this, here and then."""
    facts = _facts(signed, world)
    what = (signed.act, signed.item, signed.about, text(facts, "note"))
    stated, found = proven(facts, what, world, commit, of)
    name = world.site.recorded(found.signer)
    if name != signed.signer:
        raise BadSignature(f"{name} made it, and the ledger says {signed.signer or 'nobody'}")
    if abs(signed.at - stated.at) > AT_ONCE:
        raise BadSignature(f"it was signed {stated.at:%Y-%m-%d %H:%M} UTC, and recorded at another time")
    return found


def _facts(signed: Signed, world: World) -> Facts:
    """The facts of the event. Raises ``BadSignature`` when there is no such event."""
    event = next(world.ledger.events(after=signed.number - 1), None) if signed.number else None
    if event is None or event.kind != "signed":
        raise BadSignature("the ledger has no such event")
    return event.facts


def proven(
    facts: Facts, what: tuple[str, ...], world: World, commit: str = "", of: Signers | None = None
) -> tuple[Statement, Proof]:
    """The ``statement`` in some facts and who made its ``signature``, if it states just this for this environment.

    ``what``: act, item, what it is about, note. Raises ``BadSignature`` with the reason otherwise.
    """
    if not text(facts, "signature"):
        raise BadSignature("nobody signed it with a key")
    stated = statement_in(text(facts, "statement"))
    if stated is None:
        raise BadSignature("its statement is none of ours")
    if (stated.application, stated.environment) != (world.site.application, world.site.environment):
        raise BadSignature(f"it was signed for {stated.application} in {stated.environment}")
    if what != (stated.act, stated.item, stated.about, stated.note):
        about = f" about {stated.about[:12]}" if stated.about else ""
        raise BadSignature(f"what was signed is: {stated.act} {stated.item}{about}: {stated.note}".rstrip(": "))
    times = (stated.at, world.clock.now())
    return stated, who_signed(str(stated).encode(), text(facts, "signature"), allowed(world, commit, of), times)
