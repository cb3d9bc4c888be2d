"""The commands for a color that the host's own supervisor serves. Pure functions: values in, shell text out.

Which release a service runs is known from a note, ``run/<color>.service``: the release and the configuration of our
last restart, and a line more for each switch of the color's link since. A service may come up without us, after a crash
or a reboot. With no switch since our restart it runs the current release all the same; after one, nobody knows.
"""

from __future__ import annotations

from shlex import quote
from typing import NamedTuple

from ...ports import Color
from .layout import Layout
from .rendering import Program
from .shell import BEGIN, GROUPS, IDENTITY, PORTS
from .starting import (
    FAILED,
    GONE,
    RUNS,
    UNKNOWN,
    Start,
    current,
    end,
    give_up as give_up_process,
    keep,
    refuse_taken,
    standing,
    want,
)


class Orders(NamedTuple):
    """What the supervisor is told and asked beside the restart, as shell text."""

    stop: str
    running: str
    last_words: str
    """Empty: the color's log has them."""
    follow: str = ""
    """Prints what the service says, for as long as it is let; ``-n`` and a number of lines are added. Empty: the
    color's log has it."""


def state(layout: Layout, color: Color, orders: Orders) -> str:
    """Print five lines, as ``starting.state`` does; there is never a pid."""
    note = quote(layout.service(color))
    return f"""{BEGIN}{_running(orders)}
{standing(layout, color)}
if is_running; then
  if [ -s {note} ] && [ -z "$(sed -n 3p {note})" ]; then sed -n 1,2p {note}; else echo '{UNKNOWN}'; echo; fi
else echo; echo; fi
echo
"""


def begin(layout: Layout, color: Color, program: Program, orders: Orders, how: Start) -> str:
    """Restart the service, and say ``started <release>``. Or ``runs``, and touch nothing, when it runs the current
    release as configured; or ``taken``, when it does not run and something may listen at its port.

    A process that was started by ourselves, when that was configured, is stopped first.
    """
    note, link = quote(layout.service(color)), quote(layout.current(color))
    return f"""{BEGIN}{IDENTITY}{GROUPS}{PORTS}{_running(orders)}
{current(layout, color)}
[ -n "$RELEASE" ] || fail {quote(f"no release is current on {color}")}
export RELEASE VERSION
if [ "$(cat {note} 2>/dev/null)" = "$RELEASE
{program.fingerprint}" ] && {"false" if how.anew else "true"} && is_running; then echo {RUNS}; exit 0; fi
{want(layout, color, how)}
if ! is_running; then :
{refuse_taken(how)}
fi
rm -f {note}
( {program.line} ) >&2 || exit {FAILED}
[ "$(readlink {link})" = "releases/$RELEASE" ] || fail "another release became current meanwhile"
{{ echo "$RELEASE"; echo {program.fingerprint}; }} > {note}.$$ && mv -f {note}.$$ {note} || exit 1
echo "started $RELEASE"
"""


def stop(layout: Layout, color: Color, orders: Orders, within: float) -> str:
    """Stop the service, and wait that many seconds until it does not run. What it said is shown if it still does."""
    return f"{end(layout, color, within)}{_running(orders)}{_stop(orders, within)}"


def give_up(layout: Layout, color: Color, orders: Orders, within: float, start_id: str) -> str:
    """Stop what a start has begun, unless it had not begun yet, or another one is wanted by now."""
    return f"{give_up_process(layout, color, within, start_id)}{_running(orders)}{_stop(orders, within)}"


def remember(layout: Layout, name: str, color: Color, orders: Orders, text: str) -> str:
    """Keep how a release was started, beside it, if it runs still (``GONE``: it does not)."""
    return f"""{BEGIN}{_running(orders)}
is_running || exit {GONE}
{keep(layout, name, color, text)}
"""


def last_words(layout: Layout, color: Color, orders: Orders, lines: int) -> str:
    """Print what the service said last: by its own command, or else the end of the color's log."""
    log = f"tail -n {int(lines)} {quote(layout.log(color))} 2>/dev/null || true"
    own = f'said=$( {{ {orders.last_words}\n}} 2>/dev/null )\nif [ -n "$said" ]; then echo "$said"; exit 0; fi\n'
    return f"{BEGIN}{own if orders.last_words else ''}{log}"


def _running(orders: Orders) -> str:
    return f"\nis_running() {{ ( {orders.running}\n) >/dev/null 2>&1; }}\n"


def _stop(orders: Orders, within: float) -> str:
    return f"""said=$( {{ {orders.stop}
}} 2>&1 )
left={max(0, round(within * 10))}
while is_running; do
  [ "$left" -gt 0 ] || {{ echo "$said" >&2; echo "it still runs" >&2; exit 1; }}
  left=$((left - 1)); sleep 0.1
done
"""
