"""Rules that are tried instead of those that were recorded: by the names that they have in the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from ..errors import SettingsError, UsageError
from ..rollout import Rules
from ..settings.base import fraction, seconds
from ..settings.mistakes import check, did_you_mean
from ..settings.rollout import Rollout

FIELDS: Mapping[str, str] = {
    **{name: name for name in ("rule", "stages", "watch", "bake", "hold", "baseline", "missing", "min_requests")},
    "rollback_when.errors": "errors",
    "rollback_when.p99": "p99",
    "rollback_when.p99_worse": "worse",
    "rollback_when.p99_worse_from": "worse_from",
    "rollback_when.health_failures": "health_failures",
    **{f"warn_when.{name}": f"warn_{name}" for name in ("errors", "p95", "p99", "query", "pool")},
    **{f"warn_when.{name}": f"warn_{name}" for name in ("replication_lag", "cpu", "memory", "disk")},
}
"""Setting → what it is called in the rules that are recorded."""
_BEFORE: Mapping[str, Callable[[Any], Any]] = {"errors": fraction, "p99": seconds}
"""What must warn before it takes back, and how it is read."""


class Others(NamedTuple):
    """``fields`` of ``Rules`` with their values; ``settings``: the lines that say the same in invoke.yaml."""

    fields: Mapping[str, Any]
    settings: tuple[str, ...]

    def over(self, rules: Rules) -> Rules:
        """Rules that were recorded, with these instead. What had no bake gets none."""
        own = {name: value for name, value in self.fields.items() if name != "bake" or rules.bake > 0}
        return replace(rules, **own)


def wanted(named: Mapping[str, str], others: Sequence[str]) -> dict[str, str]:
    """Settings by their names, from options of their own and from ``KEY=VALUE``. Raises ``UsageError``."""
    found = dict(named)
    for given in others:
        key, sign, value = given.partition("=")
        if not sign or not value.strip():
            raise UsageError(f"--set {given}: no value", do="write --set min_requests=100")
        found[key.strip()] = value.strip()
    for key in found:
        if key not in FIELDS:
            raise UsageError(
                f"--set {key}: nothing that was recorded is judged by it{did_you_mean(key, FIELDS)}",
                do=f"choose one of: {', '.join(FIELDS)}",
            )
    return found


def others(asked: Mapping[str, str], environment: Mapping[str, Any], path: str) -> Others:
    """What is asked, checked beside what the ``environment`` says (as it is written). Raises ``SettingsError``."""
    said = _with(environment, asked)
    early = _earlier_warnings(said, asked)
    said = _with(said, early)
    mistakes: list[str] = []
    value = check(Rollout, said, path, mistakes)
    if value is None:
        raise SettingsError(mistakes)
    keys = [*asked, *early]
    return Others({FIELDS[key]: _at(value, key) for key in keys}, tuple(_lines(said, keys)))


def _with(said: Mapping[str, Any], asked: Mapping[str, str]) -> dict[str, Any]:
    """The settings about the rollout, with what is asked in them."""
    found = {key: value for key, value in said.items() if key in Rollout.model_fields}
    for key, given in asked.items():
        section, _, name = key.rpartition(".")
        if section:
            before = found.get(section)
            found[section] = {**(before if isinstance(before, Mapping) else {}), name: _value(key, given)}
        else:
            found[name] = _value(key, given)
    return found


def _value(key: str, given: str) -> Any:
    """A word of the command line as YAML would have it."""
    if key == "stages":
        words = [one.strip().removesuffix("%").strip() for one in given.strip("[] ").split(",")]
        return [int(one) if one.isdecimal() else one for one in words]
    if given in ("null", "none") and key == "rollback_when.p99_worse":
        return None
    return int(given) if given.isdecimal() else given


def _earlier_warnings(said: Mapping[str, Any], asked: Mapping[str, str]) -> dict[str, str]:
    """A limit that falls to where warnings begin takes those with it, to half of it: they must come before."""
    found = {}
    for name, read in _BEFORE.items():
        if f"rollback_when.{name}" in asked and f"warn_when.{name}" not in asked:
            warns = said.get("warn_when")
            default = getattr(Rollout().warn_when, name)
            with suppress(ValueError, TypeError):
                limit = float(read(asked[f"rollback_when.{name}"]))
                if float(read(warns.get(name, default) if isinstance(warns, Mapping) else default)) >= limit > 0:
                    found[f"warn_when.{name}"] = f"{50 * limit:g}%" if read is fraction else f"{500 * limit:g}ms"
    return found


def _at(value: Any, key: str) -> Any:
    for name in key.split("."):
        value = getattr(value, name)
    return value


def _lines(said: Mapping[str, Any], keys: Sequence[str]) -> Sequence[str]:
    """YAML, to be copied: sections whole, so that nothing else in them is lost."""
    names = dict.fromkeys(key.partition(".")[0] for key in keys)
    return [f"{name}: {_yaml(said[name])}" for name in names]


def _yaml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
