"""How database and hosts are: one query each, the worst series counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...errors import DeployError
from ...ports import NoData
from ...verdict.levels import LEVELS
from .api import Api
from .presets import LEVELS as PRESETS

if TYPE_CHECKING:
    from ...settings.prometheus import LevelQueries


def level_queries(settings: LevelQueries) -> dict[str, str]:
    """Level → PromQL: what is written out, then the presets in their order."""
    found: dict[str, str] = {}
    for name in LEVELS:
        given = [getattr(settings, name), *(PRESETS[preset].get(name) for preset in settings.presets)]
        if query := next(filter(None, given), None):
            found[name] = query
    return found


def read_levels(api: Api, queries: Mapping[str, str]) -> Mapping[str, float] | NoData:
    """What has a result. ``NoData`` when a query could not be asked or was refused: that is not the same as a result
    that is empty."""
    found: dict[str, float] = {}
    try:
        for name, query in queries.items():
            values = [series.samples[-1][1] for series in api.query(query)]
            if values:
                found[name] = max(values)
    except DeployError as error:
        return NoData(error.what)
    return found
