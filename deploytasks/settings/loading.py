"""From the ``deploy:`` section to frozen settings, with every mistake named at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from ..errors import SettingsError, UsageError
from . import kinds
from .base import Value
from .environment import Application, Environment, safe_name
from .mistakes import check, did_you_mean, shown
from .several import Several, parts

if TYPE_CHECKING:
    from .checks import Smoke, WarmUp
    from .gates import Gates
    from .rollout import Rollout

Level = Literal["development", "staging", "production"]
ROLLOUT = "rollout"
"""The name, in ``need``, of an environment's own values about stages, watching and limits."""


@dataclass(frozen=True)
class Settings:
    """One environment of one application, as far as it was asked for.

    ``sections`` has the value of every part that was needed and is configured: the providers' sections
    by their names, and ``rollout``, ``smoke``, ``warm_up``.
    """

    application: str
    source: str
    state: str
    tests: str | None
    tag_prefix: str
    name: str
    protected: bool
    dirty: bool
    parallel: int
    lease: float
    """Seconds."""
    keep_releases: int
    sections: Mapping[str, Value]
    strategy: Literal["stages", "ecs-native"] = "stages"
    """Who moves the traffic of a deployment."""

    @property
    def rollout(self) -> Rollout:
        """How traffic is moved, watched and judged."""
        return cast("Rollout", self._part("rollout"))

    @property
    def smoke(self) -> Smoke:
        """The smoke test."""
        return cast("Smoke", self._part("smoke"))

    @property
    def gates(self) -> Gates:
        """What must be true before a release goes there."""
        return cast("Gates", self._part("gates"))

    @property
    def level(self) -> Level:
        """How much the checklist demands."""
        return self.gates.level or (
            "production" if self.protected else "staging" if self.name == "staging" else "development"
        )

    @property
    def warm_up(self) -> WarmUp:
        """The requests that fill caches."""
        return cast("WarmUp", self._part("warm_up"))

    def _part(self, name: str) -> Value:
        try:
            return self.sections[name]
        except KeyError:
            raise LookupError(f"`{name}` was not asked for: add it to `need` where the settings are loaded") from None


def load(config: Mapping[str, Any], environment: str | None, need: Collection[str] | None = None) -> Settings:
    """The settings of one environment. ``config``: the plain ``deploy:`` section.

    ``need`` names the parts to validate: sections, ``rollout``, ``smoke``, ``warm_up``. A mistake elsewhere
    is not seen, so that a typo under ``metrics`` cannot block a rollback. ``None``: all parts.
    Raises ``UsageError`` for an environment that is not there, ``SettingsError`` with all mistakes otherwise.
    """
    given, name = _environment(config, environment)
    path = f"deploy.environments.{name}"
    mistakes: list[str] = []
    if need is None:
        _require_filled_in(config, given, path)
    general = {key: value for key, value in config.items() if key != "environments" and key not in kinds.SHARED}
    application = check(Application, _known(general, Application, need), "deploy", mistakes)
    own = check(Environment, _only(given, Environment), path, mistakes)
    sections = _parts(given, config, path, need, mistakes)
    mistakes.extend(_unmeasured(sections, path, mistakes))
    if need is None:
        mistakes.extend(_unknown(given, path))
        mistakes.extend(_unshared(own, sections, path))
        mistakes.extend(_unhanded(own, sections, path))
    if mistakes:
        raise SettingsError(mistakes)
    common = cast("Application", application)
    core = cast("Environment", own)
    return Settings(
        application=common.application,
        source=common.source,
        state=common.state,
        tests=common.tests,
        tag_prefix=common.tag_prefix,
        name=name,
        protected=core.protected,
        dirty=core.dirty,
        parallel=core.parallel,
        lease=core.lease,
        keep_releases=core.keep_releases,
        sections=sections,
        strategy=core.strategy,
    )


def _require_filled_in(config: Mapping[str, Any], given: Mapping[str, Any], path: str) -> None:
    """What a template left open hides all other mistakes: most of them would be about it."""
    from .placeholders import unfilled

    general = {key: value for key, value in config.items() if key != "environments"}
    if left := [*unfilled(general, "deploy"), *unfilled(given, path)]:
        raise SettingsError(left, do="fill them in; `python -m deploytasks keys` explains each key")


def plain(value: Any) -> Any:
    """Invoke's configuration proxies as dicts, recursively; lists and scalars as they are."""
    if isinstance(value, Mapping) or _is_proxy(value):
        return {str(key): plain(value[key]) for key in value}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def _is_proxy(value: object) -> bool:
    # A DataProxy is not a Mapping, and its attributes are the user's keys: only its type can be asked.
    return any(kind.__name__ == "DataProxy" for kind in type(value).__mro__)


def _environment(config: Mapping[str, Any], name: str | None) -> tuple[Mapping[str, Any], str]:
    environments = config.get("environments")
    if not isinstance(environments, Mapping) or not environments:
        raise UsageError(
            "deploy.environments: no environment is configured",
            do="`python -m deploytasks init` writes an invoke.yaml with a `development` environment",
        )
    known = ", ".join(map(str, environments))
    if not name:
        raise UsageError("which environment?", do=f"say --env, one of: {known}")
    if name not in environments:
        hint = did_you_mean(name, environments)
        raise UsageError(f"there is no environment {name!r}{hint}", do=f"choose one of: {known}")
    try:
        safe_name(name)
    except ValueError as error:
        raise SettingsError([f"deploy.environments: {error}"]) from None
    given = environments[name]
    if not isinstance(given, Mapping | None):
        raise SettingsError([f"deploy.environments.{name}: a section is needed, not {shown(given)}"])
    return given or {}, name


def _known(given: Mapping[str, Any], model: type[Value], need: Collection[str] | None) -> Mapping[str, Any]:
    """All keys when everything is validated, so that unknown ones are found; else only the known ones."""
    return given if need is None else _only(given, model)


def _only(given: Mapping[str, Any], model: type[Value]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key in model.model_fields}


def _parts(
    given: Mapping[str, Any], config: Mapping[str, Any], path: str, need: Collection[str] | None, mistakes: list[str]
) -> dict[str, Value]:
    found: dict[str, Value | None] = {}
    if need is None or ROLLOUT in need:
        from .rollout import Rollout

        found[ROLLOUT] = check(Rollout, _only(given, Rollout), path, mistakes)
    wanted = [name for name in (*kinds.GROUPS, *kinds.KINDS) if need is None or name in need]
    while wanted:
        for name in wanted:
            found[name] = _named(name, given, config, path, mistakes)
        wanted = sorted({name for value in found.values() for name in _beside(value)} - found.keys())
    return {name: value for name, value in found.items() if value is not None}


def _named(
    name: str, given: Mapping[str, Any], config: Mapping[str, Any], path: str, mistakes: list[str]
) -> Value | None:
    """A group or a section."""
    if name in kinds.GROUPS:
        return _group(name, kinds.GROUPS[name], given, config, path, mistakes)
    is_general = name in kinds.SHARED and name not in given
    return _section(name, *((config, "deploy") if is_general else (given, path)), mistakes)


def _beside(value: Value | None) -> tuple[str, ...]:
    """The other parts that a section, or one of several in it, cannot do without."""
    return tuple(name for part in parts(value) for name in part.beside)


def _group(
    group: str, target: str, given: Mapping[str, Any], config: Mapping[str, Any], path: str, mistakes: list[str]
) -> Value | None:
    """A group with defaults: what the environment says, and, for a shared one, what is said for all of them."""
    own, general = given.get(group, {}), config.get(group, {}) if group in kinds.SHARED else {}
    both = {**general, **own} if isinstance(own, Mapping) and isinstance(general, Mapping) else own
    if not isinstance(general, Mapping):
        mistakes.append(f"deploy.{group}: a section is needed, not {shown(general)}")
    found: list[str] = []
    value = check(kinds.model(target), both, f"{path}.{group}", found)
    elsewhere = [f"{path}.{group}.{key}" for key in general if isinstance(own, Mapping) and key not in own]
    mistakes.extend(_said_for_all(mistake, path, elsewhere) for mistake in found)
    return value


def _said_for_all(mistake: str, path: str, elsewhere: Sequence[str]) -> str:
    """A mistake with the path of where it stands, if that is directly below ``deploy:``."""
    is_there = any(mistake.startswith(key) and not mistake[len(key) :][:1].isalnum() for key in elsewhere)
    return "deploy" + mistake.removeprefix(path) if is_there else mistake


def _section(section: str, environment: Mapping[str, Any], path: str, mistakes: list[str]) -> Value | None:
    where = f"{path}.{section}"
    given = environment.get(section, kinds.DEFAULTS.get(section))
    if given is None and section not in environment:
        if section in kinds.REQUIRED:
            names = ", ".join(sorted(kinds.KINDS[section]))
            mistakes.append(f"{where}: missing{_misspelled(section, environment)}; kinds: {names}")
        return None
    if section in kinds.MANY and isinstance(given, list) and given:
        found = [_part(section, one, f"{where}[{at}]", mistakes) for at, one in enumerate(given)]
        return Several(parts=tuple(one for one in found if one is not None))
    return _part(section, given, where, mistakes)


def _part(section: str, given: object, where: str, mistakes: list[str]) -> Value | None:
    """A section with a ``kind``, or one of a list of them."""
    known = kinds.KINDS[section]
    names = ", ".join(sorted(known))
    if not isinstance(given, Mapping):
        mistakes.append(f"{where}: a section such as {{kind: {min(known)}}} is needed, not {shown(given)}")
        return None
    kind = given.get("kind")
    if kind is None:
        mistakes.append(f"{where}.kind: missing; known: {names}")
    elif not isinstance(kind, str) or kind not in known:
        mistakes.append(f"{where}.kind: {shown(kind)} is unknown{did_you_mean(str(kind), known)}; known: {names}")
    else:
        return check(kinds.model(known[kind]), given, where, mistakes)
    return None


def _unshared(own: Value | None, sections: Mapping[str, Value], path: str) -> list[str]:
    """What would keep the lease from keeping others away. Only who begins something asks: a way back must be free."""
    if not getattr(own, "protected", False) or getattr(sections.get("store"), "shared", True):
        return []
    why = "a folder of one machine, and the environment is protected: nobody elsewhere would see its lease and ledger"
    what_to_do = "use {kind: postgres} or {kind: s3}, or say `shared: true` if everybody deploys from this one machine"
    return [f"{path}.store: {why}; {what_to_do}"]


def _unhanded(own: Value | None, sections: Mapping[str, Value], path: str) -> list[str]:
    """What does not go together: ECS and we both moving the traffic, or neither."""
    by_ecs = getattr(own, "strategy", "stages") == "ecs-native"
    fleet, traffic = sections.get("fleet"), sections.get("traffic")
    found: list[str] = []
    if by_ecs and fleet is not None and not getattr(fleet, "is_one_service", False):
        found.append(f"{path}.fleet: `strategy: ecs-native` needs {{kind: ecs}} with one service for both colors")
    if not by_ecs and getattr(fleet, "is_one_service", False):
        found.append(f"{path}.fleet.services: two services are needed, one for each color, or `strategy: ecs-native`")
    if traffic is not None and by_ecs != (getattr(traffic, "kind", "") == "ecs"):
        found.append(f"{path}.traffic: {{kind: ecs}} and `strategy: ecs-native` need each other")
    if by_ecs and "deadman" in sections:
        found.append(f"{path}.deadman: with `strategy: ecs-native` ECS is its own; another would write to its rule")
    return found


def _unmeasured(sections: Mapping[str, Value], path: str, mistakes: Sequence[str]) -> list[str]:
    """Of sources that can be read at all: whether they count what is judged."""
    if "metrics" not in sections or any(mistake.startswith(f"{path}.metrics") for mistake in mistakes):
        return []
    from .sources import unmeasured

    return list(unmeasured(sections, path))


def _misspelled(section: str, environment: Mapping[str, Any]) -> str:
    """A hint when a key that nobody knows looks like the section that is missing."""
    known = {*kinds.KINDS, *kinds.GROUPS, *Environment.model_fields}
    hint = did_you_mean(section, [key for key in environment if key not in known])
    return hint.replace("did you mean", "did you mean it by")


def _unknown(given: Mapping[str, Any], path: str) -> list[str]:
    from .rollout import Rollout

    known = [*Environment.model_fields, *Rollout.model_fields, *kinds.GROUPS, *kinds.KINDS]
    return [f"{path}.{key}: unknown key{did_you_mean(str(key), known)}" for key in given if key not in known]
