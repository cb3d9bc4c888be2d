"""How often the rollout's judgement is wrong, how often it cannot tell, and how fast it is right.

Drives the real fold through simulated deployments (``deploytasks.simulation``), beside the literal
point-threshold rule on fresh deployments of the same kind. Nothing sleeps; every run has a fresh seed and prints
it. Leaves with 1 when a bar is missed.

    python benchmarks/verdict.py            # the full size: 2,000 deployments per row
    python benchmarks/verdict.py --quick    # for CI
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from deploytasks import rollout
from deploytasks.simulation.playing import play
from deploytasks.simulation.scene import Scene
from deploytasks.simulation.traffic import App

RULES = rollout.Rules(home="blue", target="green", writer="deploy:simulated")


@dataclass(frozen=True)
class Cell:
    """One row: ``rate`` requests per second in all, both colors, and the bars it must meet.

    ``most_false``: share of deployments judged bad; ``within``: seconds from the first shift in which ``caught``
    (a share) are judged bad. ``portion`` of the deployments that are asked for are enough for this row.
    """

    name: str
    rate: float
    green: App
    blue: App
    most_false: float | None = None
    within: float = math.inf
    caught: float = 0.0
    portion: float = 1.0


class Outcome(NamedTuple):
    """How a deployment ended: 0, 4 or 6, and the seconds since the first shift."""

    code: int
    seconds: float
    why: str


def deploy(cell: Cell, rules: rollout.Rules, seed: int) -> Outcome:
    """One deployment from start to end."""
    run = play(rules, Scene(cell.rate, cell.blue, cell.green), seed)
    return Outcome(run.code, run.ended - (run.shifted or 0.0), run.why)


def batch(work: tuple[Cell, rollout.Rules, Sequence[int]]) -> list[Outcome]:
    """Several deployments of one cell."""
    cell, rules, seeds = work
    return [deploy(cell, rules, seed) for seed in seeds]


def cells() -> list[Cell]:
    """All rows."""
    rows = []
    for errors in (0.005, 0.01):
        for rate in (1, 5, 20, 100):
            app = App(errors)
            rows.append(Cell(f"healthy {errors:.1%}", rate, app, app, most_false=0.0))
    for rate in (1, 5, 20, 100):
        app = App(0.005, cluster=5)
        rows.append(Cell("healthy 0.5%, clusters of 5", rate, app, app, most_false=0.01))
    fine, poll = App(0.001), RULES.poll
    rows += [
        Cell("bad: 50% errors", 20, App(0.5), fine, within=2 * poll, caught=0.99),
        Cell("bad: 50% errors", 5, App(0.5), fine, portion=0.25),
        Cell("bad: 50% errors", 1, App(0.5), fine, portion=0.25),
        Cell("bad: 5% errors", 20, App(0.05), fine, within=300, caught=0.5),
        Cell("bad: 5% errors, blue 0.5%", 20, App(0.05), App(0.005), within=300, caught=0.5),
        Cell("bad: 5% errors, blue 0%", 20, App(0.05), App(0.0), within=300, caught=0.5),
        Cell("bad: 10% errors", 5, App(0.1), fine, portion=0.25),
        Cell("bad: 3% errors", 20, App(0.03), fine, portion=0.25),
    ]
    quick, slow = App(0.001, p99=0.8), App(0.001, p99=4.8)
    rows += [
        Cell("healthy latency, P99 800 ms", rate, quick, quick, most_false=0.0, portion=0.1) for rate in (1, 5, 20)
    ]
    rows += [Cell("bad: P99 4800 ms, blue 800", rate, slow, quick, portion=0.1) for rate in (1, 5, 20)]
    rows += [Cell("bad: P99 300 ms, blue 100", 20, App(0.001, p99=0.3), App(0.001, p99=0.1), portion=0.1)]
    return rows


def sized(cell: Cell, asked: int, is_quick: bool) -> int:
    """How many deployments of a row; few are dear (latency), and those that end early are cheap."""
    if is_quick:
        return 400 if cell.caught else asked // 2 if cell.green.p99 else asked
    return max(1, round(asked * cell.portion))


def spread(found: list[float], q: float) -> str:
    """A quantile in seconds; ``never`` when it is not reached."""
    value = sorted(found)[min(len(found) - 1, int(q * len(found)))]
    return "never" if math.isinf(value) else f"{value:.0f}"


def missed(cell: Cell, found: list[Outcome]) -> str:
    """Which bar this row misses; empty when it meets all it has."""
    judged = sum(each.code == 4 for each in found)
    # Where some are allowed, few deployments must not miss the bar by the luck of one.
    most = None if cell.most_false is None else max(cell.most_false * len(found), 2 if cell.most_false else 0)
    if most is not None and judged > most:
        return f"MISSED: at most {most:.0f} may be judged bad"
    caught = sum(each.code == 4 and each.seconds <= cell.within for each in found) / len(found)
    if caught < cell.caught:
        return f"MISSED: {caught:.1%} within {cell.within:.0f} s, {cell.caught:.0%} are needed"
    return "" if cell.most_false is None and not cell.caught else "ok"


def main(argv: Sequence[str] | None = None) -> int:
    """Run and print all rows; 1 when a bar is missed."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--deployments", type=int, default=2000, help="simulated deployments per row")
    options.add_argument("--quick", action="store_true", help="small: 40 per row, the same bars")
    options.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(48))
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--only", default="", help="rows whose name contains this")
    options.add_argument("--verbose", action="store_true", help="print why deployments were taken back")
    given = options.parse_args(argv)
    asked = 40 if given.quick else given.deployments
    print(f"seed {given.seed}, {asked} deployments per row (fewer where said), stages {RULES.stages}")
    print(f"{'':32}{'req/s':>6}{'runs':>6} | {'judged bad':>10} {'inconcl.':>8} {'median s':>8} {'p95 s':>6}"
          f" | {'naive rule: bad':>15} {'median s':>8} |")  # fmt: skip
    began, bad = time.monotonic(), 0
    with ProcessPoolExecutor(given.processes) as pool:
        for number, cell in enumerate(cell for cell in cells() if given.only in cell.name):
            runs = sized(cell, asked, given.quick)
            found = _spread_out(pool, cell, RULES, given.seed + number * 10**6, runs)
            naive_runs = max(10, runs // 20)
            naive = _spread_out(
                pool, cell, replace(RULES, rule="threshold"), given.seed - (number + 1) * 10**6, naive_runs
            )
            verdict = missed(cell, found)
            bad += verdict.startswith("MISSED")
            _print_row(cell, found, naive, verdict)
            if given.verbose:
                print(*sorted({f"    {each.code} {each.seconds:.0f} s {each.why}" for each in found if each.code})[:8],
                      sep="\n")  # fmt: skip
    print(f"{time.monotonic() - began:.0f} s; " + (f"{bad} bars missed" if bad else "all bars met"))
    return 1 if bad else 0


def _spread_out(pool: ProcessPoolExecutor, cell: Cell, rules: rollout.Rules, seed: int, runs: int) -> list[Outcome]:
    seeds = range(seed, seed + runs)
    parts = [(cell, rules, seeds[place : place + 25]) for place in range(0, runs, 25)]
    return [outcome for part in pool.map(batch, parts) for outcome in part]


def _print_row(cell: Cell, found: list[Outcome], naive: list[Outcome], verdict: str) -> None:
    judged = [each.seconds if each.code == 4 else math.inf for each in found]
    count, unclear = sum(each.code == 4 for each in found), sum(each.code == 6 for each in found)
    by_naive = [each.seconds for each in naive if each.code == 4]
    times = (spread(judged, 0.5), spread(judged, 0.95)) if cell.most_false is None else ("", "")
    print(
        f"{cell.name:32}{cell.rate:>6}{len(found):>6} | {count / len(found):>10.2%} {unclear / len(found):>8.2%} "
        f"{times[0]:>8} {times[1]:>6} | {len(by_naive) / len(naive):>15.0%} "
        f"{f'{median(by_naive):.0f}' if by_naive else '-':>8} | {verdict}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
