"""Secrets of different environments, compared without showing any: by HMAC-SHA256 under a random key.

Each environment has a key of its own, in its store beside the ledger, not in it: a ledger that is exported or read
elsewhere tells nothing. Its checklist records the fingerprints of its secrets (an event, ``secrets``); another
environment makes those of its own secrets under that same key, and looks for them there.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from ..errors import Conflict, DeployError, Unreachable

if TYPE_CHECKING:
    from ..ports import Store, Tag
    from ..world import World
    from .secrets import Secret


class Kept(NamedTuple):
    """What lies beside a ledger: the key, and the number of the event with the fingerprints (0: none yet)."""

    key: bytes
    event: int


def remember(world: World) -> None:
    """Record the fingerprints of an environment's secrets where they have changed. Best effort: what is not there
    is missed by ``alike``, which says so."""
    from .secrets import secrets

    with suppress(DeployError, Conflict, OSError, ValueError):
        all_of_them = [secret for secret in secrets(world) if not secret.shared]
        own = [secret for secret in all_of_them if secret.value]
        kept, tag = _kept(world.store, world.scope) or (None, None)
        if not own and kept is None:
            return
        key = kept.key if kept else os.urandom(32)
        before = _recorded(world, kept.event) if kept and kept.event else {}
        unset = {secret.name for secret in all_of_them if not secret.value}  # not here: somebody else has them
        now = {**{name: found for name, found in before.items() if name in unset}, **fingerprints(own, key)}
        if kept and kept.event and before == now:
            return
        tag = _put(world, Kept(key, 0), tag) if kept is None else tag
        event = world.note("secrets", fingerprints={name: list(found) for name, found in now.items()})
        if event is not None:
            _put(world, Kept(key, event.number), tag)


def alike(secrets: Sequence[Secret], other: World) -> Sequence[tuple[str, str]] | None:
    """Names of secrets that are the same: (here, there). ``None``: the other environment has recorded none yet.

    Raises ``Unreachable`` when its store does not answer.
    """
    found = _kept(other.store, other.scope)
    if found is None or not found[0].event:
        return None
    there = _recorded(other, found[0].event)
    here = fingerprints([secret for secret in secrets if secret.value], found[0].key)
    return [(ours, theirs) for ours in here for theirs in there if set(here[ours]) & set(there[theirs])]


def fingerprints(secrets: Sequence[Secret], key: bytes) -> Mapping[str, Sequence[str]]:
    """By name: the fingerprint of the value, and, where it is a URL, that of the password in it."""
    return {one.name: [_fingerprint(part, key) for part in parts_of(one.value or "")] for one in secrets}


def _fingerprint(value: str, key: bytes) -> str:
    return hmac.new(key, value.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


def parts_of(value: str) -> Iterator[str]:
    """A secret, and the password in it where it is a URL."""
    yield value
    if "://" in value:
        from urllib.parse import unquote, urlsplit

        with suppress(ValueError):
            password = urlsplit(value).password
            if password:
                yield unquote(password)


def _beside(scope: str) -> str:
    return f"{scope}/fingerprints.json"


def _kept(store: Store, scope: str) -> tuple[Kept, Tag] | None:
    found = store.get(_beside(scope))
    if found is None:
        return None
    try:
        facts = json.loads(found[0])
        return Kept(bytes.fromhex(facts["key"]), int(facts["event"])), found[1]
    except (ValueError, KeyError, TypeError):
        do = f"delete {_beside(scope)} from the store: the next checklist there makes it anew"
        raise Unreachable(f"{_beside(scope)} in the store is unreadable", do=do) from None


def _put(world: World, kept: Kept, tag: Tag | None) -> Tag:
    document = json.dumps({"event": kept.event, "key": kept.key.hex()}).encode()
    return world.store.put(_beside(world.scope), document, tag)


def _recorded(world: World, number: int) -> Mapping[str, Sequence[str]]:
    """The fingerprints in that event; none, where it is something else."""
    event = next(iter(world.ledger.events(after=number - 1)), None)
    facts = event.facts.get("fingerprints") if event is not None and event.kind == "secrets" else None
    return {name: [str(one) for one in list(found)] for name, found in facts.items()} if isinstance(facts, dict) else {}
