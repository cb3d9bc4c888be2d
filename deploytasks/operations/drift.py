"""What is otherwise than when a plan was approved, field by field. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..engine.plan import Situation
from ..ports import Installed, Release, Split

_NAMES: Mapping[str, tuple[str, ...]] = {
    "starts_from": Situation._fields,
    "split": Split._fields,
    "before": Split._fields,
    "blue": Installed._fields,
    "green": Installed._fields,
    "release": Release._fields,
}
"""What a plan's JSON has as a list of fields."""
_MOST = 30
"""Lines."""
_WHERE = ("application", "environment")


def drift(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """One line for each thing that differs between two contents (``engine.plan.content``); what follows from another
    line is left out."""
    lines = [_line(name, before, now) for name in _WHERE if before[name] != now[name]]
    old, new = _head(before), _head(now)
    lines += [_line(name, old, new) for name in _unequal(old, new)]
    known = {_pair(name, old, new) for name in _unequal(old, new)}
    lines += list(_steps(before, now, known)) or ([] if lines or before == now else ["calls: rendered otherwise"])
    more = [f"… and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return [*lines[:_MOST], *more]


def _head(of: Mapping[str, Any]) -> dict[str, Any]:
    """All fields of the plan itself."""
    return _flat({name: value for name, value in of["plan"].items() if name not in ("steps", "deployment")})


def _line(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    return f"{name}: {' → '.join(_pair(name, before, now))}"


def _steps(before: Mapping[str, Any], now: Mapping[str, Any], known: set[tuple[str, str]]) -> Iterator[str]:
    """Steps that came or went, fields that differ, and calls of steps whose fields are the same."""
    was, is_now = _by_name(before), _by_name(now)
    yield from (f"step `{name}`: is gone" for name in was if name not in is_now)
    yield from (f"step `{name}`: is new" for name in is_now if name not in was)
    for name in was:
        if name in is_now:
            (old, old_calls), (new, new_calls) = was[name], is_now[name]
            was_so, is_so = _flat(old), _flat(new)
            differing = _unequal(was_so, is_so)
            news = [at for at in differing if _pair(at, was_so, is_so) not in known]
            yield from (f"step `{name}`, {_line(at, was_so, is_so)}" for at in news)
            if not differing and old_calls != new_calls:
                yield from _calls(name, old_calls, new_calls)


def _calls(name: str, before: Sequence[Sequence[str]], now: Sequence[Sequence[str]]) -> Iterator[str]:
    old, new = ([text for batch in calls for text in batch] for calls in (before, now))
    yield from (f"step `{name}`, no longer: {_shown(text)}" for text in old if text not in new)
    yield from (f"step `{name}`, now: {_shown(text)}" for text in new if text not in old)
    if sorted(old) == sorted(new):
        yield f"step `{name}`: its calls come in another order, or in other batches"


def _by_name(of: Mapping[str, Any]) -> dict[str, tuple[Mapping[str, Any], Any]]:
    """The steps with their calls; those of one name are numbered."""
    found: dict[str, tuple[Mapping[str, Any], Any]] = {}
    for step, calls in zip(of["plan"]["steps"], of["calls"], strict=True):
        name = str(step["step"])
        count = sum(each.partition(" #")[0] == name for each in found)
        found[f"{name} #{count + 1}" if count else name] = ({k: v for k, v in step.items() if k != "step"}, calls)
    return found


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Every field with its path: ``{"split.blue": 100, "rules.stages": [10, 50, 100]}``."""
    name = path.rpartition(".")[2]
    if isinstance(value, list) and name in _NAMES and len(value) == len(_NAMES[name]):
        value = dict(zip(_NAMES[name], value, strict=True))
    if isinstance(value, dict) and value:
        return {at: one for key, each in value.items() for at, one in _flat(each, _join(path, key)).items()}
    return {path: value}


def _join(path: str, key: str) -> str:
    return key if path in ("", "starts_from") else f"{path}.{key}"


def _unequal(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [name for name in dict.fromkeys((*before, *now)) if len(set(_pair(name, before, now))) > 1]


def _pair(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, str]:
    """A change, wherever it shows: a new release shows in each step that has it."""
    return _shown(before.get(name)), _shown(now.get(name))


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else "nothing" if value is None else str(value)
    text = " ".join(text.split()) or "nothing"
    return text if len(text) <= 120 else f"{text[:117]}..."
