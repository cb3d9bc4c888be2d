"""What ``inv simulate`` is asked, from the words on its command line. Every mistake says which option it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..errors import UsageError
from ..settings.base import fraction, seconds
from ..simulation.scene import Scene
from ..simulation.traffic import App

MOST_RUNS = 100_000
MOST_RPS = 100_000.0


class Asked(NamedTuple):
    """A fault, the traffic it comes into, and how often. Shares from 0 to 1, times in seconds."""

    rps: float
    errors: float
    usual_errors: float
    p99: float | None
    usual_p99: float | None
    stage: int
    after: float
    cluster: int
    silent_after: float | None
    unhealthy_after: float | None
    probed: bool
    orders: tuple[tuple[float, str], ...]
    runs: int
    seed: int

    def scene(self, probes: float) -> Scene:
        """What happens. ``probes``: our own requests a second to each color."""
        well = App(self.usual_errors, self.cluster, self.usual_p99 or 0.0)
        ill = App(self.errors, self.cluster, self.p99 or 0.0)
        return Scene(
            self.rps, well, ill, self.stage, self.after, self.silent_after, self.unhealthy_after, probes, self.probed,
            self.orders,
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """All of it by name."""
        return self._asdict() | {"orders": [list(order) for order in self.orders]}


def asked(given: dict[str, Any]) -> Asked:
    """What the options say, by their names. Raises ``UsageError``."""
    usual = _share("baseline-error-rate", given["baseline_error_rate"])
    errors = _share("error-rate", given["error_rate"]) if given["error_rate"] is not None else usual
    p99, usual_p99 = _latency(given["p99"], given["baseline_p99"])
    return Asked(
        rps=_number("rps", given["rps"], 0.0, MOST_RPS),
        errors=errors,
        usual_errors=usual,
        p99=p99,
        usual_p99=usual_p99,
        stage=_stage(given["from_"]),
        after=_length("after", given["after"]) or 0.0,
        cluster=_whole("cluster", given["cluster"], 100),
        silent_after=_length("silent-after", given["silent_after"]),
        unhealthy_after=_length("unhealthy-after", given["unhealthy_after"]),
        probed=not given["unprobed"],
        orders=_orders(given),
        runs=_whole("runs", given["runs"], MOST_RUNS),
        seed=int(given["seed"]),
    )


def _orders(given: dict[str, Any]) -> tuple[tuple[float, str], ...]:
    """What people ask, and when."""
    times = {verb: _length(f"{verb}-at", given[f"{verb}_at"]) for verb in ("pause", "continue", "promote")}
    return tuple(sorted((at, verb) for verb, at in times.items() if at is not None))


def _latency(p99: Any, usual: Any) -> tuple[float | None, float | None]:
    """The P99 of the new release and of the live one; none of both, unless one is said."""
    own, other = _length("p99", p99), _length("baseline-p99", usual)
    for name, length in (("p99", own), ("baseline-p99", other)):
        if length == 0:
            raise UsageError(f"--{name}: 0 s is no time that an answer can take", do="write 800ms or 1.5s")
    if other is None:
        other = None if own is None else 0.2
    return (other if own is None else own), other


def _share(name: str, given: Any) -> float:
    share = _parsed(name, fraction, given)
    if not 0 <= share <= 1:
        raise UsageError(f"--{name}: {given} is not between 0 and 100 %", do="write 3% or 0.03")
    return share


def _length(name: str, given: Any) -> float | None:
    if given is None:
        return None
    length = _parsed(name, seconds, given)
    if not 0 <= length <= 7 * 86400:
        raise UsageError(f"--{name}: {given} is not between nothing and a week", do="write 800ms, 90s or 10m")
    return length


def _parsed(name: str, parse: Callable[[Any], Any], given: Any) -> float:
    try:
        return float(parse(given))
    except ValueError as error:
        raise UsageError(f"--{name}: {error}") from None


def _stage(given: Any) -> int:
    """``25%`` or ``25``; none: from the beginning."""
    text = "0" if given is None else str(given).strip().removesuffix("%").strip()
    if not text.isdecimal() or not (0 if given is None else 1) <= int(text) <= 100:
        raise UsageError(f"--from: {given!r} is no share of the traffic", do="write the percent of a stage, like 25%")
    return int(text)


def _number(name: str, given: Any, least: float, most: float) -> float:
    try:
        found = float(given)
    except (TypeError, ValueError):
        raise UsageError(f"--{name}: {given!r} is not a number") from None
    if not least < found <= most:
        raise UsageError(f"--{name}: {given} is not above {least:g} and at most {most:g}")
    return found


def _whole(name: str, given: int, most: int) -> int:
    if not 1 <= given <= most:
        raise UsageError(f"--{name}: {given} is not between 1 and {most}")
    return given
