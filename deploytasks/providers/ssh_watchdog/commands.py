"""The commands that arm, look at and disarm a watcher on a host. Pure functions: values in, shell text out.

Each can be given twice: the second time changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from shlex import quote
from typing import NamedTuple

from ...ports import Json
from ..hosts.shell import GROUPS, IDENTITY
from .starting import START
from .watching import ATTEMPT, LIFETIME, PATIENCE, WATCH

BEGIN = "exec </dev/null\numask 077\n"


class Order(NamedTuple):
    """What a watcher is told."""

    id: str
    """Random; tells this order from the one before."""
    home: str
    """The commands that take traffic home."""
    grace: float
    """Seconds."""
    note: Mapping[str, Json]
    """What the ledger is told when it fires. The host does not look into it."""
    lifetime: float = LIFETIME
    patience: float = PATIENCE
    attempt: float = ATTEMPT

    @property
    def terms(self) -> str:
        """A digest of all that a watcher does; two orders with the same are one."""
        return hashlib.sha256(json.dumps([self.home, self._numbers, WATCH]).encode()).hexdigest()

    @property
    def _numbers(self) -> str:
        """Whole seconds: a shell knows no others."""
        return " ".join(str(math.ceil(some)) for some in (self.grace, self.lifetime, self.patience, self.attempt))

    @property
    def lines(self) -> str:
        """The file ``order``."""
        return "\n".join([self.id, self.terms, self._numbers, json.dumps(self.note)])


def folder(base: str, *names: str) -> str:
    """The folder of one environment's switch; a host's name is in it, because hosts may share a file system."""
    return "/".join([base.removeprefix("~/"), *(re.sub(r"[^A-Za-z0-9._-]", "-", name) for name in names), "deadman"])


def arm(at: str, order: Order, beat: str) -> str:
    """Have a watcher for ``order``: the one that is there, if it was told the same and lives; else a new one.

    Prints the id of the order that is in force. Fails, with nothing left behind, when no watcher starts.
    """
    return f"""{BEGIN}{IDENTITY}{GROUPS}{START}
{_enter(at)}
id={quote(order.id)} terms={quote(order.terms)}
{{ read -r armed && read -r told; }} 2>/dev/null < order
if [ "${{told:-}}" = "$terms" ] && watches "$armed"; then
  echo {quote(beat)} > beat
  if watches "$armed"; then echo "$armed"; exit 0; fi
fi
rm -f order
stop_known "$PWD/pid" 20
rm -f beat said state.new
printf '%s\\n' {quote(order.home)} > home && printf '%s\\n' {quote(WATCH)} > watch && echo {quote(beat)} > beat &&
  printf '%s\\n' {quote(order.lines)} > order.new && mv -f order.new order || fail "cannot write to $PWD"
if start && begun "$id"; then echo "$id"; exit 0; fi
said=$(tail -n 2 said 2>/dev/null)
rm -f order
stop_known "$PWD/pid" 20
rm -f beat home said watch
fail "the watcher did not start: ${{said:-nothing was said}}"
"""


def beat(at: str, order_id: str, word: str) -> str:
    """Change the beat of an order that is in force; fails when it is not, and when nobody watches over it."""
    return f"""{BEGIN}{IDENTITY}
{_enter(at, make=False, otherwise='fail "its folder is gone"')}
{{ read -r armed; }} 2>/dev/null < order
[ "${{armed:-}}" = {quote(order_id)} ] || fail "it is not armed any more"
echo {quote(word)} > beat
lives "$(known pid)" || fail "nobody watches"
"""


def disarm(at: str) -> str:
    """End the watcher, make sure that it is gone, and leave nothing but the state: one that fired stays known."""
    return f"""{BEGIN}{IDENTITY}{GROUPS}
{_enter(at, make=False)}
rm -f order
stop_known "$PWD/pid" 20
phase=; {{ read -r phase; }} 2>/dev/null < state
case $phase in
  watching|firing)
    {{ echo disarmed; sed -n 2p state; date -u +%Y-%m-%dT%H:%M:%SZ; sed -n 4,7p state; echo disarmed; }} > state.new &&
      mv -f state.new state;;
esac
rm -f beat home said watch pid order.new state.new pid.new
"""


def look(at: str) -> str:
    """Print who is armed (an empty line: nobody), whether that watcher lives (``lives``), and its state."""
    return f"""{BEGIN}{IDENTITY}
{_enter(at, make=False, otherwise="echo; echo; exit 0")}
armed=; {{ read -r armed; }} 2>/dev/null < order
echo "$armed"
if lives "$(known pid)"; then echo lives; else echo; fi
cat state 2>/dev/null || true
"""


def examine(at: str) -> str:
    """Print how a watcher would be run here; fails when none can be, or would not outlive us."""
    return f"""{BEGIN}{IDENTITY}{START}
{_enter(at)}
how
"""


def _enter(at: str, *, make: bool = True, otherwise: str = "exit 0") -> str:
    """Go to the folder, from the home folder of who logged in."""
    if make:
        return f"cd && mkdir -p {quote(at)} && cd {quote(at)} || fail {quote(f'cannot make the folder {at}')}"
    return f"cd; cd {quote(at)} 2>/dev/null || {{ {otherwise}; }}"
