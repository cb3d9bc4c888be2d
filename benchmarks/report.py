"""The report of a deployment of an hour: how large it is, and how soon a browser has it open.

Two sources count the users of both colors, and a poll comes every 15 s: 240 readings. The page is to be 500 kB at most
and open, painted and quiet, within a second in headless Chromium, of which the time for an empty page is shown beside
it. And a bake of twelve hours must not make it larger than that.

    python benchmarks/report.py [--quick]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from view import reported  # noqa: E402  the path comes first
from view.story import Story  # noqa: E402

from deploytasks.view.html.report import page  # noqa: E402

MOST_BYTES = 500_000
MOST_SECONDS = 1.0
EMPTY = "<!doctype html><title>nothing</title><p>nothing"


def hour(bake: float) -> dict[str, Any]:
    """The answer of `inv report` for a rollout with two sources. ``bake``: seconds."""
    told = Story(rules=replace(reported.HOUR, bake=bake), errors=0.004).tell()
    answer = reported.full()
    whole = reported.answer(told, checklist=answer["checklist"], signed=answer["signed"])
    for event in whole["events"]:
        if event["kind"] == "reading":
            facts = event["facts"]
            facts["outlook"] |= {"counted_by": "envoy", "more": {"prometheus": facts["outlook"]["users"]}}
            facts["reading"]["more"] = {"prometheus": facts["reading"]["totals"]}
    return whole


def opening(html: str, times: int) -> float:
    """Seconds from the request for the page until it is laid out, painted and its script has run; the median."""
    from lab.browsing import browser

    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        file = Path(folder) / "report.html"
        file.write_text(html, encoding="utf-8")
        found = []
        for _ in range(times):
            context = chromium.new_context(viewport={"width": 1100, "height": 900})
            opened = context.new_page()
            began = time.perf_counter()
            opened.goto(file.as_uri(), wait_until="load")
            opened.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            found.append(time.perf_counter() - began)
            context.close()
    return statistics.median(found)


def main() -> int:
    """Print what was measured; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    times = 3 if parser.parse_args().quick else 9
    answer = hour(2070.0)
    readings = sum(event["kind"] == "reading" for event in answer["events"])
    began = time.perf_counter()
    html = page(answer)
    took = time.perf_counter() - began
    size = len(html.encode())
    longest = len(page(hour(12 * 3600.0)).encode())
    print(f"{readings} readings, both colors, 2 sources: {size / 1000:.0f} kB (at most {MOST_BYTES / 1000:.0f} kB)")
    print(f"with a bake of 12 h: {longest / 1000:.0f} kB (at most {MOST_BYTES / 1000:.0f} kB)")
    print(f"made in {took:.2f} s")
    missed = max(size, longest) > MOST_BYTES
    if shutil.which("chromium") is None:
        print("opened: not measured, there is no chromium here")
        return int(missed)
    whole, empty = opening(html, times), opening(EMPTY, times)
    print(
        f"opened in {whole:.2f} s (at most {MOST_SECONDS:g} s), {whole / empty:.1f} times an empty page ({empty:.2f} s)"
    )
    return int(missed or whole > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
