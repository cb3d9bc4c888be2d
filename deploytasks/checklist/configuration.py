"""Configuration and secrets: what the application needs is there, is its own, and stays at home."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import DeployError
from . import fingerprints
from .item import Found, Item
from .leaks import nothing_leaks
from .secrets import declared, file_of, secrets, values
from .wellformed import mistakes

if TYPE_CHECKING:
    from ..world import World
    from .secrets import Secret
    from .subject import Subject


def variables_fit(of: Subject) -> Found:
    """Every variable that the application needs is there and well-formed; all mistakes are told at once."""
    world = of.world
    wanted = declared(world)
    if wanted.required is None and not wanted.optional:
        what = "nobody said which variables the application needs: `variables: {required: […]}`, or `required: []`"
        return Found("needs a signature" if world.settings.level == "production" else "warn", what)
    secrets(world)  # from here on, none of them is shown
    known = values(world)
    missing = [one.name for one in wanted.required or () if one.name not in known]
    wrong = [
        f"{one.name} {mistake}"
        for one in (*(wanted.required or ()), *wanted.optional)
        if one.name in known
        for mistake in mistakes(one, known[one.name])
    ]
    found = [*([f"not set: {', '.join(missing)}"] if missing else []), *wrong]
    if found:
        return Found("fail", "; ".join(found))
    present = [one for one in (*(wanted.required or ()), *wanted.optional) if one.name in known]
    where = file_of(world)
    return Found("pass", f"{_count(len(present), 'variable')} set and well-formed{f' ({where.name})' if where else ''}")


def secrets_resolve(of: Subject) -> Found:
    """Each secret that is named has a value, and not one that somebody forgot to replace."""
    found = secrets(of.world)
    wrong = [f"{one.name} ({one.named_by}) {why}" for one in found if (why := _unusable(one.value))]
    wrong += _readable_by_all(of.world)
    if wrong:
        return Found("fail", "; ".join(wrong))
    if not found:
        return Found("not applicable", "no secret is named in this environment")
    return Found("pass", f"{_count(len(found), 'secret')}: {', '.join(one.name for one in found)}")


_FORGOTTEN = (
    r"change.?(me|it|this).*|replace.?(me|this).*|your.?.{0,40}|my.?secret.?(key)?|to.?do|fix.?me|tbd|place.?holder"
    r"|(example|sample|dummy|test|testing|default|insecure|secret|password|passw0rd|passwd|token|key|none|null)[0-9]*"
    r"|undefined|nil|foo|bar|foobar|admin|root|123456[0-9]*|django-insecure-.*|<.*>|\$\{.*\}|\{\{.*\}\}|\.\.\."
)
"""As a whole, a value that nobody meant."""


def _unusable(value: str | None) -> str:
    """Why a secret cannot be meant; empty when it may be."""
    if value is None:
        return "is not set"
    if not value.strip():
        return "is empty"
    if re.fullmatch(_FORGOTTEN, value.strip().casefold()[:200], re.DOTALL) or len(set(value)) == 1:
        return "still has a placeholder for its value"
    return ""


def _readable_by_all(world: World) -> Sequence[str]:
    file = file_of(world)
    try:
        mode = file.stat().st_mode if file is not None else 0
    except OSError:
        return []  # told by whoever reads it
    return [f"{file} may be read by everybody on this machine: `chmod 600` it"] if stat.S_IMODE(mode) & 0o007 else []


def secrets_differ(of: Subject) -> Found:
    """No other environment has the value of a secret of this one."""
    from .elsewhere import environments, other_world

    own = [one for one in secrets(of.world) if one.value and not one.shared]
    if not own:
        return Found("not applicable", "this environment has no secret of its own")
    others = [name for name in environments(of.world) if name != of.world.site.environment]
    if not others:
        return Found("not applicable", "there is no other environment")
    same: list[str] = []
    unknown: list[str] = []
    silent: dict[str, DeployError] = {}
    for name in others:
        try:
            found = fingerprints.alike(own, other_world(of.world, name))
        except DeployError as error:
            silent[name] = error
            continue
        if found is None:
            unknown.append(name)
        same += [f"{ours} is {theirs} of {name}" for ours, theirs in found or ()]
    return _compared(own, others, same, unknown, silent)


def _compared(
    own: Sequence[Secret],
    others: Sequence[str],
    same: Sequence[str],
    unknown: Sequence[str],
    silent: Mapping[str, DeployError],
) -> Found:
    if same:
        return Found("fail", f"the same value: {'; '.join(same)}: make a new one, or say `shared` where that is meant")
    if silent:
        each = [f"unreachable: the ledger of {name}: {' '.join(why.what.split())}" for name, why in silent.items()]
        return Found("fail", "; ".join(each))
    known = [name for name in others if name not in unknown]
    text = f"{_count(len(own), 'secret')} compared with {', '.join(known)}" if known else "compared with nobody"
    if unknown:
        return Found("warn", f"{text}; nothing is known yet of {', '.join(unknown)}: `inv checklist` there")
    return Found("pass", f"{text}: none is the same")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


ITEMS = (
    Item(
        "configuration.variables",
        "Every required variable is present and well-formed",
        variables_fit,
        "staging",
        critical=True,
    ),
    Item(
        "configuration.secrets",
        "Every secret can be resolved",
        secrets_resolve,
        "staging",
        critical=True,
    ),
    Item(
        "configuration.distinct",
        "No secret is shared with another environment",
        secrets_differ,
        "production",
        asks="ledgers",
    ),
    Item(
        "configuration.leaks",
        "Nothing secret is in the tree or in the archive",
        nothing_leaks,
        "staging",
        critical=True,
    ),
)
