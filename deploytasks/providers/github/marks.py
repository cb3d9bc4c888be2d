"""What a change of state means for the deployments that GitHub shows. Pure.

In GitHub's words: while it goes on it is ``in_progress``; what went well is a ``success``; what was judged bad or
failed is a ``failure``; what ended without a judgment, by a gate or by a person, is an ``error``; what users no longer
have is ``inactive``.

Whoever looks at an environment there asks which commit is live. So after a rollback the deployment that was left
becomes inactive, and the release that is live again gets a deployment of its own (task ``rollback``), as if it had been
deployed once more: GitHub knows no other way to say that. Where it is not known here what was live before, nothing is
made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ...bulletins import Bulletin, Change, Memory
from ...ledger.facts import Facts, part, text, whole

STATES: Mapping[Change, str] = {
    "started": "in_progress",
    "finished": "success",
    "failed": "failure",
    "taken-back": "failure",
    "stuck": "failure",
    "switch-fired": "failure",
    "refused": "error",
    "gave-up": "error",
    "stopped": "error",
    "interrupted": "error",
}
TASKS = frozenset({"deploy", "hotfix", "deploy-blue-green", "shift"})
"""Those that bring a release to users."""
LONGEST = 140
"""Characters of a description."""


class Mark(NamedTuple):
    """A deployment at GitHub and the state that it gets. ``key``: by which it is found again, in its payload."""

    key: str
    state: str
    description: str
    commit: str
    version: str
    id: int = 0
    """GitHub's own, if it is known."""
    task: str = "deploy"
    makes: bool = True
    """Whether it is made where it is not there."""


class Wanted(NamedTuple):
    """What is to be done, in order; and what is remembered then, once the ids by key are known."""

    marks: Sequence[Mark]
    after: Callable[[Mapping[str, int]], Memory]


def wanted(bulletin: Bulletin, memory: Memory) -> Wanted | None:
    """``None``: nothing. ``memory``: ``open`` is the deployment that goes on, ``ended`` the last one that does not,
    ``live`` and ``before`` are what users have and had."""
    if bulletin.change == "rolled-back" or (bulletin.change == "switch-fired" and not bulletin.task):
        return _rolled_back(bulletin, memory)
    if bulletin.change not in STATES or bulletin.task not in TASKS or not (bulletin.commit and bulletin.deployment):
        return None
    if bulletin.change != "started" and memory.get("ended") == bulletin.deployment:
        return None  # it was told as ended already, when somebody took traffic home
    return _moved(bulletin, memory)


def _moved(bulletin: Bulletin, memory: Memory) -> Wanted:
    """A deployment begins or ends."""
    known = part(memory, "open")
    number = whole(known, "id") if text(known, "deployment") == bulletin.deployment else 0
    own = Mark(
        bulletin.deployment, STATES[bulletin.change], _words(bulletin), bulletin.commit, bulletin.version, number
    )
    live = part(memory, "live")
    left = bulletin.change == "finished" and bulletin.protected and _is_another(live, own.key)
    # Elsewhere GitHub does that by itself: not where it was told that the environment is production.
    marks = [own, *([_inactive(live, f"{bulletin.version} is live")] if left else [])]

    def after(ids: Mapping[str, int]) -> Memory:
        entry = _entry(own, ids, bulletin.color or "")
        if bulletin.change == "started":
            return {**memory, "open": entry, "ended": ""}
        now = {**memory, "open": None, "ended": own.key}
        if bulletin.change != "finished":
            return now
        return {**now, "live": entry, "before": dict(live) if _is_another(live, own.key) else memory.get("before")}

    return Wanted(marks, after)


def _rolled_back(bulletin: Bulletin, memory: Memory) -> Wanted | None:
    """Of one that goes on: it failed. Of the last one: it is not live any more, and the one before it is."""
    going, live, before = (part(memory, name) for name in ("open", "live", "before"))
    if going and text(going, "deployment") == bulletin.deployment:
        own = _of(going, "failure", _words(bulletin))
        return Wanted([own], lambda _: {**memory, "open": None, "ended": own.key})
    if (
        bulletin.change == "switch-fired"
        or not live
        or (bulletin.color is not None and text(live, "color") != bulletin.color)
    ):
        return None
    gone = _inactive(live, _words(bulletin))
    if not text(before, "commit"):
        return Wanted([gone], lambda _: {**memory, "live": None})
    back = _of(before, "success", _short(f"{text(before, 'version')} is live again: {bulletin.why}"))
    back = back._replace(
        key=f"{text(before, 'first') or back.key}+{bulletin.number}", id=0, task="rollback", makes=True
    )

    def after(ids: Mapping[str, int]) -> Memory:
        again = {
            **_entry(back, ids, text(before, "color")),
            "first": text(before, "first") or text(before, "deployment"),
        }
        return {**memory, "live": again, "before": dict(live)}

    return Wanted([gone, back], after)


def _is_another(live: Facts, key: str) -> bool:
    return bool(live) and text(live, "deployment") != key


def _inactive(live: Facts, words: str) -> Mark:
    return _of(live, "inactive", _short(words))


def _of(entry: Facts, state: str, words: str) -> Mark:
    known = {"commit": text(entry, "commit"), "version": text(entry, "version"), "id": whole(entry, "id")}
    return Mark(text(entry, "deployment"), state, words, makes=False, **known)  # type: ignore[arg-type]  # by name


def _entry(of: Mark, ids: Mapping[str, int], color: str) -> dict[str, Any]:
    """What is remembered of a deployment."""
    return {"deployment": of.key, "id": ids[of.key], "commit": of.commit, "version": of.version, "color": color}


def _words(bulletin: Bulletin) -> str:
    return _short(f"{bulletin.headline}: {bulletin.why}" if bulletin.why else bulletin.headline)


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"
