"""Deployment windows against the oracle by brute force: fresh pairs with every run.

Draws random windows, freezes and instants over zones with every kind of clock change, asks ``deploytasks.windows`` and
the oracle of ``tests/wall_clocks.py``, and leaves with 1 when one pair differs. Prints its seed.

    python benchmarks/windows.py                 # 100,000 pairs
    python benchmarks/windows.py --count 1000000 --seed 7
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from wall_clocks import ZONES, pairs  # noqa: E402  found beside us, installed or not

from deploytasks.windows import is_open  # noqa: E402


def main() -> int:
    """Count the pairs that differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    given = parser.parse_args()
    drawn = list(pairs(given.count, given.seed))
    began = time.perf_counter()
    found = [is_open(pair.windows, pair.freezes, pair.instant) for pair in drawn]
    took = time.perf_counter() - began
    wrong = [pair for pair, is_so in zip(drawn, found, strict=True) if is_so is not pair.expected]
    for pair in wrong[:5]:
        print(f"the oracle says {pair.expected}: {pair}")
    share = sum(pair.expected for pair in drawn) / len(drawn)
    print(f"seed {given.seed}: {len(ZONES)} zones, {share:.0%} open, {took / len(drawn) * 1e6:.1f} µs per answer")
    print(f"{len(drawn)} pairs, {len(wrong)} differ")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
