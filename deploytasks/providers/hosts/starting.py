"""The commands that start a process of ours and say how it is. Pure functions: values in, shell text out.

Each start has a file of its own, ``run/<color>.start-<id>``, that nobody else writes, and the link ``run/<color>.pid``
leads to that of the start which is wanted. Who starts points the link at a file that is not there yet, and then stops
what all other files name; the process writes its file, looks whether the link still leads there, and ends if not.
Whatever comes too late, or at the same time, at most one process is left, and it is known.
"""

from __future__ import annotations

from shlex import quote
from typing import NamedTuple

from ...ports import Color
from .layout import Layout
from .rendering import Program
from .shell import BEGIN, GROUPS, IDENTITY, PORTS, detach

RUNS, TAKEN = "runs", "taken"
"""What ``begin`` says instead of ``started <release>``: it runs already as wanted; its port may be in use."""

UNKNOWN = "?"
"""The release of something that runs when nobody knows which it is."""

GONE = 76
"""The code with which ``remember`` says that what was started does not run."""

FAILED = 77
"""The code with which ``begin`` says that the supervisor refused."""

SUPERSEDED = "another start is wanted by now"
"""What a start says when it gives up because another one came after it."""

END_OF_HEADER = " starts now =="
"""Ends the line of the log above what a new process says."""


class Start(NamedTuple):
    """How a start is meant."""

    start_id: str
    port: str
    """Where nothing may listen after what served before has stopped. Empty: it is known to be free."""
    stop_within: float
    """Seconds between TERM and KILL for what served before."""
    anew: bool
    """Even if it runs as wanted: it is not healthy."""

    @property
    def tenths(self) -> int:
        """``stop_within`` as the shell functions count."""
        return max(0, round(self.stop_within * 10))


def state(layout: Layout, color: Color) -> str:
    """Print five lines: current release, its digest, release of the running process, its fingerprint, its pid.
    What is not there is an empty line."""
    return f"""{BEGIN}{IDENTITY}
{standing(layout, color)}
who=$(known {quote(layout.pid(color))})
if lives "$who"; then sed -n '2,3p' {quote(layout.pid(color))}; echo "${{who%%:*}}"; else echo; echo; echo; fi
"""


def standing(layout: Layout, color: Color) -> str:
    """The part of a state that has nothing to do with processes: print the current release and its digest."""
    return f"""{current(layout, color)}
echo "$RELEASE"
[ -z "$RELEASE" ] || cat {quote(layout.releases)}/"$RELEASE"/.digest 2>/dev/null || RELEASE=
[ -n "$RELEASE" ] || echo"""


def current(layout: Layout, color: Color) -> str:
    """Set RELEASE and VERSION from the color's link; empty when there is none."""
    link = quote(layout.current(color))
    return f"RELEASE=$(readlink {link} 2>/dev/null); RELEASE=${{RELEASE##*/}}; VERSION=${{RELEASE%-*}}"


def begin(layout: Layout, color: Color, program: Program, python: str, how: Start) -> str:
    """Stop what served the color, and start a program detached, in its current release; say ``started <release>``.
    Or ``runs``, and touch nothing, when it does as configured; or, after stopping, ``taken``.

    The process writes its own file before it becomes the program: there is no moment in which it runs unknown.
    """
    pid, log = quote(layout.pid(color)), quote(layout.log(color))
    own = quote(layout.start(color, how.start_id))
    return f"""{BEGIN}{IDENTITY}{GROUPS}{PORTS}{detach(python)}
{current(layout, color)}
[ -n "$RELEASE" ] || fail {quote(f"no release is current on {color}")}
export RELEASE VERSION
if lives "$(known {pid})" && [ "$(sed -n '2,3p' {pid})" = "$RELEASE
{program.fingerprint}" ] && {"false" if how.anew else "true"}; then echo {RUNS}; exit 0; fi
{want(layout, color, how)}
{refuse_taken(how)}
if [ -n "$(find {log} -size +20000 2>/dev/null)" ]; then mv -f {log} {log}.1; fi
echo "== $RELEASE as {color}"{quote(END_OF_HEADER)} >> {log} || exit 1
detach /bin/sh -c {quote(_become_wanted(layout, color, program, how.start_id))} >> {log} 2>&1 &
started=$!
left=250
until [ "$(known {own})" != "" ]; do
  # it may have begun and ended between the two looks
  [ "$left" -gt 0 ] && [ -n "$(identity "$started")" ] || [ "$(known {own})" != "" ] ||
    fail "the process ended before it began: $(tail -n 2 {log})"
  left=$((left - 1)); sleep 0.02
done
[ "$(readlink {pid})" = {own} ] || fail {quote(SUPERSEDED)}
echo "started $RELEASE"
"""


def refuse_taken(how: Start) -> str:
    """Say ``taken``, and end, when something may listen at the port."""
    return f"if is_taken {quote(how.port)}; then echo {TAKEN}; exit 0; fi" if how.port else ""


def want(layout: Layout, color: Color, how: Start) -> str:
    """Let nothing but one start run from now on. What an older version of us has started becomes a start."""
    pid, before = quote(layout.pid(color)), quote(layout.start(color, "before"))
    link = f"ln -s {quote(layout.start(color, how.start_id))} {pid}.$$ && mv -f {pid}.$$ {pid}"
    return f"""mkdir -p {quote(layout.running)}
[ -L {pid} ] || [ ! -f {pid} ] || mv -f {pid} {before}
{link} || exit 1
{stop_all(layout, color, how.stop_within)}"""


def stop_all(layout: Layout, color: Color, within: float) -> str:
    """Stop what the files of all starts name: TERM, and KILL after ``within`` seconds."""
    return f'for one in {quote(layout.start(color, ""))}*; do stop_known "$one" {max(0, round(within * 10))}; done'


def end(layout: Layout, color: Color, within: float) -> str:
    """Stop a color's processes: TERM, and KILL after ``within`` seconds (0: at once). A start that is still on its way
    gives up."""
    pid = quote(layout.pid(color))
    return f"""{BEGIN}{IDENTITY}{GROUPS}
if [ -L {pid} ]; then rm -f {pid}; else stop_known {pid} {max(0, round(within * 10))}; fi
{stop_all(layout, color, within)}
"""


def give_up(layout: Layout, color: Color, within: float, start_id: str) -> str:
    """The same, if this start had begun, and no other one is wanted by now."""
    begun = f'[ "$(readlink {quote(layout.pid(color))})" = {quote(layout.start(color, start_id))} ] || exit 0'
    return f"{begun}\n{end(layout, color, within)}"


def remember(layout: Layout, name: str, color: Color, text: str) -> str:
    """Keep how a release was started, beside it, if it runs still (``GONE``: it does not)."""
    pid = quote(layout.pid(color))
    return f"""{BEGIN}{IDENTITY}
lives "$(known {pid})" && [ "$(sed -n 2p {pid})" = {quote(name)} ] || exit {GONE}
{keep(layout, name, color, text)}
"""


def keep(layout: Layout, name: str, color: Color, text: str) -> str:
    """Write a text beside a release, whole."""
    file = quote(layout.started(name, color))
    return f"printf %s {quote(text)} > {file}.$$ && mv -f {file}.$$ {file}"


def remembered(layout: Layout, color: Color) -> str:
    """Print how the color's current release was started; nothing when that is not known."""
    return f"""{BEGIN}{current(layout, color)}
[ -z "$RELEASE" ] || cat {quote(layout.releases)}/"$RELEASE"/.started-{color} 2>/dev/null || true
"""


def _become_wanted(layout: Layout, color: Color, program: Program, start_id: str) -> str:
    """Write the file of a start, and become the program, or give up when another start is wanted by then."""
    own, pid = quote(layout.start(color, start_id)), quote(layout.pid(color))
    return f"""{IDENTITY}
{introduce(program)} > {own}.$$ && mv -f {own}.$$ {own} || exit 1
if [ "$(readlink {pid})" != {own} ]; then rm -f {own}; echo {quote(SUPERSEDED)}; exit 1; fi
{become(layout, program)}
"""


def introduce(program: Program) -> str:
    """Print who this process is, its release, and how the program is configured."""
    return f'{{ identity $$ && echo "$RELEASE" && echo {program.fingerprint}; }}'


def become(layout: Layout, program: Program) -> str:
    """Enter the release, and become the program."""
    return f"""cd {quote(layout.releases)}/"$RELEASE" || exit 1
{program.line}
"""
