"""The sources of a rollout, before they have said anything: each with its tests and its part of the budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .evidence import ALPHA, Evidence, gather, measure_of
from .rules import MEASURES, Rules


class Streams(NamedTuple):
    """What users met, by the first source and by further ones; and what our own prober met."""

    users: Evidence
    more: tuple[Evidence, ...]
    probes: Evidence | None


def begin(rules: Rules) -> Streams:
    """Nothing seen yet."""
    alphas = budget(rules)
    users = gather("users", rules.target, rules.limits, alphas, rules.measures, rules.users if rules.more else "")
    more = tuple(gather(name, rules.target, rules.limits, alphas, gives, name) for name, gives in rules.more)
    probes = gather("probes", rules.target, rules.limits, alphas, name="probes") if rules.probes else None
    return Streams(users, more, probes)


def budget(rules: Rules) -> Mapping[str, float]:
    """What each test may spend on each source. A deployment gives a false alarm when any of them does, which is at
    most as likely as all together: so the sources that are tested share what there is for a test (Bonferroni)."""
    sources = [rules.measures, *(gives for _, gives in rules.more), *([MEASURES] if rules.probes else [])]
    return {test: alpha / max(1, sum(measure_of(test) in gives for gives in sources)) for test, alpha in ALPHA.items()}
