"""What takes traffic home on a balancer's own host, when whoever deploys is gone."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import UsageError
from ...ports import Split
from ..hosts.host import Host
from ..hosts.localhost import LocalHost
from . import script
from .balancer import Balancer
from .far import FarBalancer
from .keys import encoded, split_keys
from .weights import Weights


def homing(
    balancers: Sequence[Balancer], weights: Weights | None, deployment: str, home: Split
) -> Sequence[tuple[Host, str]]:
    """Host and script for each balancer. Raises ``UsageError`` for one whose files nobody can reach."""
    keys = split_keys(home._replace(writer=f"deadman:{deployment}"))
    ours = encoded(f"deploy:{deployment}")
    found: list[tuple[Host, str]] = []
    for balancer in balancers:
        if balancer.split.file is None:
            raise UsageError(
                f"nothing can take traffic home at {balancer.name}: where its map's file lies is not known",
                do="say `host` and `state` of this balancer",
            )
        if isinstance(balancer, FarBalancer):
            found.append((balancer.host, script.homing(balancer.socket, balancer.split, keys, ours, weights)))
        else:
            found.append((LocalHost(), script.homing(balancer.name, balancer.split, keys, ours, weights)))
    return found
