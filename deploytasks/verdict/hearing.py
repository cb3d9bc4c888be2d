"""Who of those that count users' requests says something new, and since when somebody does not.

Silence is never taken for zero errors: a source that cannot be read, and one to which nothing comes while the target
has traffic. Probes excuse the second where no source counts anybody: then users stay away. Where another one does
count somebody, whoever counts nobody has lost sight of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from ..ports import Counts, NoData, Reading
from .evidence import Evidence
from .rules import Rules


class Heard(NamedTuple):
    """``at``: when a source said something new last, or nothing was to be expected. ``why`` it does not now; empty
    when it does. ``readable``: whether it could be read now."""

    at: datetime
    why: str = ""
    readable: bool = True


def said(rules: Rules, reading: Reading) -> dict[str, Counts]:
    """What each source of users' requests says in a reading, by ``Evidence.source``."""
    missing = {name: reading.more.get(name, NoData("it was not asked")) for name, _ in rules.more}
    return {"users": reading.totals, **missing}


def listen(
    reading: Reading,
    counts: Mapping[str, Counts],
    before: Mapping[str, Heard],
    streams: Mapping[str, tuple[Evidence, Evidence]],
    exposed: bool,
    probed: bool,
) -> dict[str, Heard]:
    """Each source now. ``streams``: its evidence before and after this reading; ``exposed``: whether the target has a
    share; ``probed``: whether probes came to it."""
    lonely = not any(after.window.requests for _, after in streams.values())

    def hear(source: str) -> Heard:
        first, after = streams[source]
        found = counts[source]
        by = f"{after.name}: " if after.name else ""
        if isinstance(found, NoData):
            return Heard(before[source].at, f"{by}{found.why}", False)
        # Without a share, or right after a cut, no new request is to be expected.
        quiet = exposed and first.follows and not after.window.requests
        if quiet and not (probed and lonely):
            return Heard(before[source].at, f"{by}no new request reached {after.target}")
        return Heard(reading.at)

    return {source: hear(source) for source in counts}
