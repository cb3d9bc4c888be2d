"""What a bot remembers: which message in which channel belongs to which deployment. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ...bulletins import Memory

KEPT = 20
"""Deployments whose message is still known."""


class Place(NamedTuple):
    """A message. ``channel`` is an id: messages are posted by a channel's name, and edited by its id alone."""

    channel: str
    at: str
    """Slack's ``ts``, which is its name as well."""


def place(memory: Memory, deployment: str) -> Place | None:
    """The message about a deployment."""
    return next((found for name, found in _known(memory) if name == deployment), None) if deployment else None


def remembered(memory: Memory, deployment: str, at: Place) -> Memory:
    """The message about a deployment is that one from now on."""
    return _kept([*_others(memory, deployment), (deployment, at)]) if deployment else dict(memory)


def forgotten(memory: Memory, deployment: str) -> Memory:
    """Its message is gone."""
    return _kept([*_others(memory, deployment)])


def _others(memory: Memory, deployment: str) -> Iterator[tuple[str, Place]]:
    return (each for each in _known(memory) if each[0] != deployment)


def _known(memory: Memory) -> Iterator[tuple[str, Place]]:
    """What cannot be understood (another version wrote it) is not known."""
    found = memory.get("messages")
    for entry in found if isinstance(found, list | tuple) else ():
        if isinstance(entry, list | tuple) and len(entry) == 3 and all(isinstance(part, str) for part in entry):
            deployment, channel, at = map(str, entry)
            yield deployment, Place(channel, at)


def _kept(entries: list[tuple[str, Place]]) -> Memory:
    return {"messages": [[name, found.channel, found.at] for name, found in entries[-KEPT:]]}
