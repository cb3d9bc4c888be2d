"""Values of options, and what stands behind a task without a name: from files, and without importing much."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from . import Offer
from .configured import environments, project_root, state_folder

Find = Callable[[Path], Sequence[Offer]]


def values(before: Sequence[str], option: str, folder: Path) -> Sequence[Offer] | None:
    """What could follow; ``None`` where a task or an option could. ``before``: the words before, without the program;
    ``option``: the one whose value is asked for, or nothing."""
    task = next((word for word in reversed(before) if word in _POSITIONAL or word in _OWN), "")
    if option:
        find = _OWN.get(task, {}).get(option) or _OPTIONS.get(option)
        return find(folder) if find else None
    if task and before[-1] == task and task in _POSITIONAL:
        return _POSITIONAL[task](folder)
    return None


def _said(**meanings: str) -> Find:
    found = [Offer(text.replace("_", "-"), meaning) for text, meaning in meanings.items()]
    return lambda folder: found


def _environments(folder: Path) -> Sequence[Offer]:
    return [Offer(name) for name in environments(project_root(folder))]


def _built(folder: Path) -> Sequence[Offer]:
    """The versions of which an artifact is there, the newest first."""
    root = project_root(folder)
    archives = sorted((root / state_folder(root) / "artifacts").glob("*.tar.gz"), key=_age, reverse=True)
    names = [re.sub(r"-[0-9a-f]{12}\.tar\.gz$", "", each.name) for each in archives]
    return [Offer(name, "is built") for name in dict.fromkeys(names)]


def _age(file: Path) -> float:
    return file.stat().st_mtime


def _told(folder: Path) -> Sequence[Offer]:
    """The versions that the changelog has."""
    text = (project_root(folder) / "CHANGELOG.md").read_text(encoding="utf-8")
    return [Offer(name) for name in re.findall(r"^## \[?([^\]\s]+)", text, re.MULTILINE)]


def _items(folder: Path) -> Sequence[Offer]:
    """The items of the checklist, as the source has them: importing it takes longer than anybody waits for Tab."""
    source = "".join(
        each.read_text(encoding="utf-8") for each in sorted((Path(__file__).parents[1] / "checklist").glob("*.py"))
    )
    return [Offer(*found) for found in re.findall(r'\bItem\(\s*"([a-z]+\.[a-z_]+)",\s*"([^"]+)"', source)]


_COLORS = _said(blue="", green="")
_ANY_COLOR = _said(blue="", green="", live="the one that has the traffic", idle="the other one")
_PERCENT: Find = lambda folder: [Offer(share, "percent") for share in ("10", "25", "50", "75", "100")]  # noqa: E731

_OPTIONS: Mapping[str, Find] = {
    "--env": _environments,
    "--color": _ANY_COLOR,
    "--target": _COLORS,
    "--version": _built,
}
_OWN: Mapping[str, Mapping[str, Find]] = {
    "rollback": {"--to": _COLORS},
    "shift": {"--to": _PERCENT},
    "release-notes": {"--style": _said(text="", github="", slack=""), "--version": _told},
    "check-error-rate": {"--color": _COLORS},
    "check-latency": {"--color": _COLORS},
}
"""Task → its options that take something else than others of that name."""
_POSITIONAL: Mapping[str, Find] = {
    "sign": _items,
    "override": _items,
    "shift": _PERCENT,
    "release-notes": _told,
    "maintenance-mode": _said(
        enable="visitors get 503 and a page", disable="let them in again", status="what they get now"
    ),
    "create-release": _said(
        major="what worked may not", minor="something is new", patch="something is mended", final="end pre-releases"
    ),
    "notify-deployment": _said(started="", finished="", failed="", rolled_back=""),
    "notify": _said(started="", finished="", failed="", rolled_back=""),
}
