"""The commands that install, run and stop a release on a host. Pure functions: values in, shell text out.

Every value is quoted here and nowhere else. Each command can be given twice: the second time changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from shlex import quote

from ...ports import Color
from .layout import Layout
from .rendering import Program
from .shell import BEGIN, DIGEST, GROUPS, IDENTITY, LINK, detach

STILL_RUNS = 75
"""The code with which a command refuses to run beside itself (EX_TEMPFAIL of sysexits(3))."""

END_OF_HEADER = " starts now =="
"""Ends the line of the log above what a new process says."""


def prepare(layout: Layout) -> str:
    """Make the folders."""
    return f"{BEGIN}mkdir -p {' '.join(map(quote, layout.folders))}"


def has_release(layout: Layout, name: str, digest: str) -> str:
    """Print ``yes`` when this release is here and whole."""
    marker = quote(f"{layout.release(name)}/.digest")
    return f"""{BEGIN}
if [ "$(cat {marker} 2>/dev/null)" = {quote(digest)} ]; then touch {marker}; echo yes; else echo no; fi
"""


def unpack(layout: Layout, name: str, digest: str) -> str:
    """Take an archive in from stdin, verify it, unpack it beside, and rename it to its place."""
    archive, target = quote(layout.incoming(name)), quote(layout.release(name))
    return f"""cat > {archive} || exit 1
{BEGIN}{IDENTITY}{DIGEST}
found=$(sha256 < {archive})
[ "$found" = {quote(digest)} ] || {{ rm -f {archive}; fail "the archive arrived with sha256 $found, not {digest}"; }}
rm -rf {quote(layout.releases)}/.unpack-{quote(name)}.*
new={quote(layout.releases)}/.unpack-{quote(name)}.$$
trap 'rm -rf "$new"' EXIT
mkdir "$new" && tar -xzof {archive} -C "$new" && echo {quote(digest)} > "$new/.digest" || exit 1
if [ -e {target} ]; then
  mv {target} {quote(layout.releases)}/.trash-{quote(name)}.$$ || exit 1
fi
mv "$new" {target} || exit 1
rm -rf {quote(layout.releases)}/.trash-{quote(name)}.* {archive}
"""


def switch(layout: Layout, color: Color, name: str) -> str:
    """Make a release that is here the color's current one."""
    return f"""{BEGIN}{IDENTITY}{LINK}
[ -f {quote(layout.release(name))}/.digest ] || fail {quote(f"there is no release {name} here")}
link {quote(f"releases/{name}")} {quote(layout.current(color))}
"""


def unlink(layout: Layout, color: Color) -> str:
    """Let the color have no release."""
    return f"{BEGIN}rm -f {quote(layout.current(color))}"


def state(layout: Layout, color: Color) -> str:
    """Print five lines: current release, its digest, release of the running process, its fingerprint, its pid.
    What is not there is an empty line."""
    return f"""{BEGIN}{IDENTITY}
{_current(layout, color)}
echo "$RELEASE"
[ -z "$RELEASE" ] || cat {quote(layout.releases)}/"$RELEASE"/.digest 2>/dev/null || RELEASE=
[ -n "$RELEASE" ] || echo
who=$(known {quote(layout.pid(color))})
if lives "$who"; then sed -n '2,3p' {quote(layout.pid(color))}; echo "${{who%%:*}}"; else echo; echo; echo; fi
"""


def start(layout: Layout, color: Color, program: Program, python: str, start_id: str) -> str:
    """Start a program detached, in the color's current release. Does not look whether another one runs.

    The process writes its own pid file before it becomes the program: there is no moment in which it runs unknown.
    This command may outlive the deployer that gave it, and come too late: it gives up unless ``start_id`` is still
    the start that ``stop`` was told to make room for.
    """
    pid, log = quote(layout.pid(color)), quote(layout.log(color))
    return f"""{BEGIN}{IDENTITY}{detach(python)}
{_current(layout, color)}
[ -n "$RELEASE" ] || fail {quote(f"no release is current on {color}")}
export RELEASE VERSION
if [ -n "$(find {log} -size +20000 2>/dev/null)" ]; then mv -f {log} {log}.1; fi
echo "== $RELEASE as {color}"{quote(END_OF_HEADER)} >> {log} || exit 1
detach /bin/sh -c {quote(_become(layout, layout.pid(color), program, start_id))} >> {log} 2>&1 &
started=$!
left=250
until [ "$(known {pid})" != "" ]; do
  [ "$left" -gt 0 ] && [ -n "$(identity "$started")" ] || fail "the process ended before it began: $(tail -n 2 {log})"
  left=$((left - 1)); sleep 0.02
done
"""


def remember(layout: Layout, name: str, color: Color, program: Program) -> str:
    """Keep how a release was started, beside it."""
    file = layout.started(name, color)
    text = json.dumps([program.command, dict(program.environment)])
    return f"{BEGIN}printf %s {quote(text)} > {quote(file)}.new && mv -f {quote(file)}.new {quote(file)}"


def remembered(layout: Layout, name: str, color: Color) -> str:
    """Print how a release was started; nothing when that is not known."""
    return f"{BEGIN}cat {quote(layout.started(name, color))} 2>/dev/null || true"


def stop(pid_file: str, within: float, start_id: str = "") -> str:
    """Stop the process group that a pid file names: TERM, and KILL after ``within`` seconds (0: at once).

    From now on only ``start_id`` may start; a start whose deployer has died, and that is still on its way, gives up:
    it writes its pid file first and looks then, we write first what is wanted and look then for the pid file.
    """
    wanted, folder = quote(_wanted(pid_file)), quote(pid_file.rpartition("/")[0])
    note = f"mkdir -p {folder} && echo {quote(start_id)} > {wanted}.$$ && mv -f {wanted}.$$ {wanted} || exit 1"
    return f"""{BEGIN}{IDENTITY}{GROUPS}
{note if start_id else f"rm -f {wanted}"}
stop_known {quote(pid_file)} {max(0, round(within * 10))}
"""


def run(layout: Layout, color: Color, program: Program, what: str, python: str) -> str:
    """Run a program in the color's current release, and wait for it. Refused (``STILL_RUNS``) while it runs already."""
    pid = quote(layout.command_pid(what))
    return f"""{BEGIN}{IDENTITY}{detach(python)}
{_current(layout, color)}
[ -n "$RELEASE" ] || fail {quote(f"no release is current on {color}")}
export RELEASE VERSION
who=$(known {pid})
if lives "$who"; then echo "process ${{who%%:*}} still runs" >&2; exit {STILL_RUNS}; fi
rm -f {pid}
( detach /bin/sh -c {quote(_become(layout, layout.command_pid(what), program))} ) 2>&1
code=$?
rm -f {pid}
exit $code
"""


def tail(layout: Layout, color: Color, lines: int = 60) -> str:
    """Print the end of the color's log."""
    return f"{BEGIN}tail -n {int(lines)} {quote(layout.log(color))} 2>/dev/null || true"


def prune(layout: Layout, keep: int, spare: Sequence[str]) -> str:
    """Delete all but the newest ``keep`` releases; never one that is current, runs, or is named in ``spare``.

    A release is renamed before it is deleted: what is half gone is never taken for a release.
    """
    return f"""{BEGIN}cd {quote(layout.releases)} 2>/dev/null || exit 0
keep_names=" $(echo {" ".join(map(quote, spare))}) "
for link in {quote(layout.root)}/current-*; do keep_names="$keep_names$(basename "$(readlink "$link")") "; done
for file in {quote(layout.running)}/*.pid; do keep_names="$keep_names$(sed -n 2p "$file" 2>/dev/null) "; done
rm -rf ./.trash-*
seen=0
ls -1td -- */.digest 2>/dev/null | while read -r entry; do
  name=${{entry%/.digest}}; seen=$((seen + 1))
  [ "$seen" -gt {int(keep)} ] || continue
  case $keep_names in *" $name "*) continue;; esac
  mv -- "$name" ".trash-$name" && rm -rf -- ".trash-$name"
done
"""


def tools(layout: Layout) -> str:
    """Print what is missing on the host, and last the free space of its disk in KiB."""
    return f"""{BEGIN}for tool in tar gzip sed find; do command -v $tool >/dev/null 2>&1 || echo "missing $tool"; done
command -v sha256sum >/dev/null 2>&1 || command -v shasum >/dev/null 2>&1 || echo "missing sha256sum or shasum"
mkdir -p {quote(layout.root)} 2>/dev/null && [ -w {quote(layout.root)} ] || echo "unwritable"
df -Pk {quote(layout.root)} 2>/dev/null | awk 'NR == 2 {{ print "free " $4 }}'
"""


def _current(layout: Layout, color: Color) -> str:
    """Set RELEASE and VERSION from the color's link; empty when there is none."""
    link = quote(layout.current(color))
    return f"RELEASE=$(readlink {link} 2>/dev/null); RELEASE=${{RELEASE##*/}}; VERSION=${{RELEASE%-*}}"


def _wanted(pid_file: str) -> str:
    """The file that says which start is wanted now."""
    return f"{pid_file}.wanted"


def _become(layout: Layout, pid_file: str, program: Program, start_id: str = "") -> str:
    """Write the pid file, enter the release, and become the program; or give up when another start is wanted by then.

    The pid file is linked, not renamed: it must not replace that of a process that has not given up yet.
    """
    pid = quote(pid_file)
    give_up = f"""
if [ "$(cat {quote(_wanted(pid_file))} 2>/dev/null)" != {quote(start_id)} ]; then
  rm -f {pid}; echo "another start is wanted by now"; exit 1
fi"""
    return f"""{IDENTITY}
{{ identity $$ && echo "$RELEASE" && echo {program.fingerprint}; }} > {pid}.$$ || exit 1
left=100
until ln {pid}.$$ {pid} 2>/dev/null; do
  left=$((left - 1)); [ "$left" -gt 0 ] || {{ rm -f {pid}.$$; echo "another process has {pid}"; exit 1; }}
  sleep 0.05
done
rm -f {pid}.$$ {give_up if start_id else ""}
cd {quote(layout.releases)}/"$RELEASE" || exit 1
{program.line}
"""
