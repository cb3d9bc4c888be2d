"""The classic way: one backend with the servers of both colors, shared by their weights. Pure.

The map beside it holds the split that is wanted, and its marks; the weights are made from it. HAProxy keeps them
over a restart only through its server-state-file, which is written with every shift. When weights and map do not
fit together (a restart without that file: configured weights are often 50/50), no split is read from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from ...errors import Unreachable
from ...ports import COLORS, Color, Split
from . import replies
from .balancer import Balancer, Table
from .keys import Keys, split_from, split_keys

HEAVIEST = 256
"""The largest weight that HAProxy takes; it cuts larger ones down to it without a word."""
STATE = "show servers state\n"
_BACKEND, _SERVER, _WEIGHT = 1, 3, 7
"""Columns of its answer, in version 1 of it."""
STATE_FILE = "servers.state"
"""Beside the maps."""


class Weights:
    """``backends``: each with its servers by color; a split is made in each of them."""

    def __init__(self, backends: Mapping[str, Mapping[Color, Sequence[str]]]) -> None:
        self._backends = backends

    def wanted(self, split: Split) -> dict[str, int]:
        """``backend/server`` → its weight for a split."""
        found: dict[str, int] = {}
        for backend, servers in self._backends.items():
            pair = shared(split.blue, split.green, len(servers["blue"]), len(servers["green"]))
            for color, weight in zip(COLORS, pair, strict=True):
                found.update({f"{backend}/{server}": weight for server in servers[color]})
        return found

    def command(self, keys: Keys) -> str:
        """One line that sets all weights for the split of these keys."""
        each = (f"set server {server} weight {weight}" for server, weight in self.wanted(split_from(keys)).items())
        return ";".join(each) + "\n"

    def restated(self, state: str, keys: Keys) -> str:
        """The text of a server-state-file with the weights for the split of these keys."""
        wanted = self.wanted(split_from(keys))

        def changed(line: str) -> str:
            parts = line.split(" ")
            weight = wanted.get(f"{parts[_BACKEND]}/{parts[_SERVER]}") if len(parts) > _WEIGHT else None
            return line if weight is None else " ".join([*parts[:_WEIGHT], str(weight), *parts[_WEIGHT + 1 :]])

        return "".join(changed(line) for line in state.splitlines(keepends=True))

    def off_by(self, split: Split) -> float:
        """Percent points by which whole weights miss a split, in the worst backend."""
        worst = 0.0
        for servers in self._backends.values():
            blue, green = len(servers["blue"]), len(servers["green"])
            of_blue, of_green = shared(split.blue, split.green, blue, green)
            total = of_blue * blue + of_green * green
            worst = max(worst, abs(100 * of_blue * blue / total - split.blue) if total else 0.0)
        return worst

    def in_force(self, name: str, keys: Keys, has: Mapping[str, int]) -> Keys:
        """The keys that HAProxy really uses. Raises ``Unreachable`` when its weights are not those of the map."""
        missing = [server for server in self.wanted(Split(0, 0)) if server not in has]
        if missing:
            raise Unreachable(f"haproxy at {name} has no server {missing[0]}", do="mend traffic.servers")
        if "writer" not in keys and not any(color in keys for color in COLORS):
            return {**split_keys(self._found(has)), **keys}
        wanted = self.wanted(split_from(keys))
        wrong = {server: has[server] for server, weight in wanted.items() if has[server] != weight}
        if wrong:
            server, weight = next(iter(wrong.items()))
            raise Unreachable(
                f"haproxy at {name} does not share traffic as its map says ({split_from(keys).weights()}): "
                f"{server} has weight {weight} instead of {wanted[server]}",
                state=f"by its weights it is {self._found(has).weights()}",
                do="`inv rollback` writes both; was it restarted? it must load its server-state-file (docs/haproxy.md)",
            )
        return keys

    def _found(self, has: Mapping[str, int]) -> Split:
        """What the weights of the first backend come to, in whole percent."""
        backend, servers = next(iter(self._backends.items()))
        blue, green = (sum(has[f"{backend}/{server}"] for server in servers[color]) for color in COLORS)
        if not blue + green:
            return Split(0, 0)
        share = round(100 * blue / (blue + green))
        return Split(share, 100 - share)


@cache
def shared(blue: int, green: int, blues: int, greens: int) -> tuple[int, int]:
    """A weight for each of ``blues`` servers and one for each of ``greens``, so that the colors have these percents.

    Of all pairs up to ``HEAVIEST`` the nearest one, and of those the heaviest: small weights are spread less evenly.
    """
    if not blue + green:
        return 0, 0
    if not (blue and green):
        return (100, 0) if blue else (0, 100)

    def miss(pair: tuple[int, int]) -> float:
        return abs(pair[0] * blues * green - pair[1] * greens * blue) / (pair[0] * blues + pair[1] * greens)

    ratio = green * blues / (blue * greens)
    pairs = [(weight, min(max(1, round(weight * ratio)), HEAVIEST)) for weight in range(1, HEAVIEST + 1)]
    return min(pairs, key=lambda pair: (round(miss(pair), 6), -sum(pair)))


def used(reply: str) -> dict[str, int]:
    """``backend/server`` → its weight, from the answer to ``show servers state``. Raises ``Unreachable``."""
    version, _, rest = reply.partition("\n")
    names, _, body = rest.partition("\n")
    columns = names.removeprefix("# ").split()
    if version != "1" or columns[_BACKEND : _WEIGHT + 1 : 2] != ["be_name", "srv_name", "srv_op_state", "srv_uweight"]:
        raise replies.refused("show servers state", reply)
    rows = (line.split(" ") for line in body.splitlines() if line)
    return {f"{row[_BACKEND]}/{row[_SERVER]}": int(row[_WEIGHT]) for row in rows}


def in_force(balancer: Balancer, table: Table, weights: Weights | None, timeout: float) -> Keys:
    """The keys of a map that a balancer uses, in one question; of the split's, held against the weights."""
    if weights is None or table is not balancer.split:
        return replies.entries(balancer.ask(replies.show(table.map), timeout))
    reply = balancer.ask(f"show map {table.map};{STATE}", timeout)
    entries, _, state = ("\n" + reply).partition("\n\n")
    return weights.in_force(balancer.name, replies.entries(entries), used(state))
