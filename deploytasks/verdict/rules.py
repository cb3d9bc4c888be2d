"""What a rollout is held to: values only, fixed at planning and recorded with the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal

from ..errors import UsageError
from ..ports import Color, Json
from .judge import Limits

Rule = Literal["sequential", "threshold"]
MEASURES = ("errors", "latency")
"""What can be judged of requests; a source may give one of them alone."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The course a rollout takes and when it turns back. Times in seconds, shares as fractions, stages in percent.

    ``home`` is the color that traffic goes back to (``None``: a first deployment, nothing is live yet).
    ``writer`` is how we sign the split, ``deploy:<id>``. ``lag`` is how late the numbers are, ``missing`` how long
    they may fail, ``hold`` how long a stage may wait beyond its watch, ``pause`` how long a person may stop it.
    With ``finish_at_end`` false the last stage is watched until a person says ``promote`` or ``abort``.
    ``measured_share``: a stage is held while the requests that were counted do not fit its weight.
    ``users`` is what the source of ``Reading.totals`` is called and ``measures`` what it gives; ``more`` are the names
    and measures of further sources (``Reading.more``), each of which is judged by itself.
    """

    home: Color | None
    target: Color
    writer: str
    stages: tuple[int, ...] = (10, 25, 50, 75, 100)
    watch: float = 300.0
    bake: float = 1800.0
    poll: float = 15.0
    hold: float = 900.0
    baseline: float = 60.0
    missing: float = 300.0
    lag: float = 0.0
    pause: float = 1800.0
    health_failures: int = 3
    min_requests: int = 30
    rule: Rule = "sequential"
    errors: float = 0.02
    p99: float = 2.0
    worse: float | None = 0.5
    worse_from: float = 0.0
    warn_errors: float = 0.01
    warn_p95: float = 0.5
    warn_p99: float = 1.0
    warn_query: float = 0.1
    warn_pool: float = 0.8
    warn_replication_lag: float = 5.0
    warn_cpu: float = 0.7
    warn_memory: float = 0.8
    warn_disk: float = 0.9
    probes: bool = False
    finish_at_end: bool = True
    measured_share: bool = False
    users: str = "users"
    measures: tuple[str, ...] = MEASURES
    more: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        rising = (0, *self.stages)
        if not self.stages or self.stages[-1] > 100 or any(b <= a for a, b in pairwise(rising)):
            raise UsageError(f"stages {list(self.stages)} must rise from above 0 to at most 100")

    @property
    def path(self) -> tuple[int, ...]:
        """The stages really taken: nothing can be shared with a color that does not exist."""
        return self.stages if self.home else (100,)

    @property
    def limits(self) -> Limits:
        """What is judged, without when."""
        return Limits(
            errors=self.errors,
            p99=self.p99,
            worse=self.worse,
            warn_errors=self.warn_errors,
            warn_p95=self.warn_p95,
            warn_p99=self.warn_p99,
            min_requests=self.min_requests,
            worse_from=self.worse_from,
        )

    @property
    def warn_levels(self) -> Mapping[str, float]:
        """From where on a reading of the database or the hosts warns, by its name in ``levels``."""
        return {
            "query_time": self.warn_query,
            "pool": self.warn_pool,
            "replication_lag": self.warn_replication_lag,
            "cpu": self.warn_cpu,
            "memory": self.warn_memory,
            "disk": self.warn_disk,
        }

    def to_json(self) -> dict[str, Json]:
        """All fields by name; those about sources only where there is more to say than before there were several."""
        said = {**asdict(self), "stages": list(self.stages), "measures": list(self.measures)}
        said["more"] = [[name, list(gives)] for name, gives in self.more]
        usual: dict[str, Json] = {"users": "users", "measures": list(MEASURES), "more": []}
        return {name: value for name, value in said.items() if name not in usual or value != usual[name]}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Rules:
        """The rules that ``to_json`` wrote."""
        measures = tuple(given.get("measures", MEASURES))
        more = tuple((name, tuple(gives)) for name, gives in given.get("more", ()))
        return cls(**{**given, "stages": tuple(given["stages"]), "measures": measures, "more": more})


def adequate(rules: Rules, rate_per_second: float) -> str | None:
    """Why the first stage cannot be judged with this many users' requests per second; ``None`` when it can."""
    first = rules.path[0]
    share = rate_per_second * first / 100
    if rules.probes or share * rules.watch >= rules.min_requests:
        return None
    seen = f"stage {first} % would see about {share * rules.watch:.0f} requests in {rules.watch:.0f} s"
    longer = f"watch for {rules.min_requests / share:.0f} s or more, " if share else ""
    return f"{seen}, {rules.min_requests} are needed: {longer}begin with a larger stage, or configure a probe"
