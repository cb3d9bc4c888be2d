"""The commands that every fleet gives its hosts. Pure functions: values in, shell text out.

Every value is quoted here and nowhere else. Each command can be given twice: the second time changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from ...ports import Color
from .layout import Layout
from .rendering import Program
from .shell import BEGIN, GROUPS, IDENTITY, LINK, detach
from .starting import become, current, introduce

STILL_RUNS = 75
"""The code with which a command refuses to run beside itself (EX_TEMPFAIL of sysexits(3))."""


def switch(layout: Layout, color: Color, name: str) -> str:
    """Make a release that is here the color's current one."""
    return f"""{BEGIN}{IDENTITY}{LINK}
[ -f {quote(layout.release(name))}/.digest ] || fail {quote(f"there is no release {name} here")}
link {quote(f"releases/{name}")} {quote(layout.current(color))} {quote(layout.service(color))}
"""


def unlink(layout: Layout, color: Color) -> str:
    """Let the color have no release."""
    return f"{BEGIN}{LINK}\nunlink {quote(layout.current(color))} {quote(layout.service(color))}"


def stop(pid_file: str, within: float) -> str:
    """Stop the process group that a pid file names: TERM, and KILL after ``within`` seconds (0: at once)."""
    return f"{BEGIN}{IDENTITY}{GROUPS}\nstop_known {quote(pid_file)} {max(0, round(within * 10))}\n"


def run(layout: Layout, color: Color, program: Program, what: str, python: str) -> str:
    """Run a program in the color's current release, and wait for it. Refused (``STILL_RUNS``) while it runs already."""
    pid = quote(layout.command_pid(what))
    own = f"""{IDENTITY}
{introduce(program)} > {pid}.$$ && ln {pid}.$$ {pid} && rm -f {pid}.$$ || {{ rm -f {pid}.$$; exit {STILL_RUNS}; }}
{become(layout, program)}"""
    return f"""{BEGIN}{IDENTITY}{detach(python)}
{current(layout, color)}
[ -n "$RELEASE" ] || fail {quote(f"no release is current on {color}")}
export RELEASE VERSION
who=$(known {pid})
if lives "$who"; then echo "process ${{who%%:*}} still runs" >&2; exit {STILL_RUNS}; fi
rm -f {pid}
( detach /bin/sh -c {quote(own)} ) 2>&1
code=$?
[ "$code" = {STILL_RUNS} ] || rm -f {pid}
exit $code
"""


def tail(layout: Layout, color: Color, lines: int = 60) -> str:
    """Print the end of the color's log."""
    return f"{BEGIN}tail -n {int(lines)} {quote(layout.log(color))} 2>/dev/null || true"


def follow(layout: Layout, color: Color, lines: int = 10) -> str:
    """Print the end of the color's log, and go on for as long as it is written. Does not end by itself."""
    log = quote(layout.log(color))
    return f"{BEGIN}mkdir -p {quote(layout.root)}/log && touch {log} && exec tail -n {int(lines)} -F {log} 2>/dev/null"


def prune(layout: Layout, keep: int, spare: Sequence[str]) -> str:
    """Delete all but the newest ``keep`` releases; never one that is current, runs, or is named in ``spare``.

    A release is renamed before it is deleted: what is half gone is never taken for a release.
    """
    running = quote(layout.running)
    return f"""{BEGIN}cd {quote(layout.releases)} 2>/dev/null || exit 0
keep_names=" $(echo {" ".join(map(quote, spare))}) "
for link in {quote(layout.root)}/current-*; do keep_names="$keep_names$(basename "$(readlink "$link")") "; done
for file in {running}/*.pid {running}/*.start-*; do keep_names="$keep_names$(sed -n 2p "$file" 2>/dev/null) "; done
for file in {running}/*.service; do keep_names="$keep_names$(echo $(cat "$file" 2>/dev/null)) "; done
rm -rf ./.trash-*
seen=0
ls -1td -- */.digest 2>/dev/null | while read -r entry; do
  name=${{entry%/.digest}}; seen=$((seen + 1))
  [ "$seen" -gt {int(keep)} ] || continue
  case $keep_names in *" $name "*) continue;; esac
  mv -- "$name" ".trash-$name" && rm -rf -- ".trash-$name"
done
"""


def tools(layout: Layout, secrets: str = "") -> str:
    """Print what is missing on the host, and last the free space of its disk in KiB.

    ``secrets``: a shell word, the file of the application's secrets.
    """
    return f"""{BEGIN}for tool in tar gzip sed find; do command -v $tool >/dev/null 2>&1 || echo "missing $tool"; done
command -v sha256sum >/dev/null 2>&1 || command -v shasum >/dev/null 2>&1 || echo "missing sha256sum or shasum"
mkdir -p {quote(layout.root)} 2>/dev/null && [ -w {quote(layout.root)} ] || echo "unwritable"
{f"[ -r {secrets} ] || echo unreadable {secrets}" if secrets else ""}
df -Pk {quote(layout.root)} 2>/dev/null | awk 'NR == 2 {{ print "free " $4 }}'
"""


def room(layout: Layout) -> str:
    """Print the free space, in KiB, of the disk on which releases lie, or will. Makes nothing."""
    return f"""there={quote(layout.root)}
while [ ! -d "$there" ]; do there=$(dirname "$there"); done
df -Pk "$there" | awk 'NR == 2 {{ print $4 }}'
"""
