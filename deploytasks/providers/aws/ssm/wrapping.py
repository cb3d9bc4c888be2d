"""The shell text around a command that SSM's agent runs. Portable ``sh``.

A request to SSM has no name of its own: boto3 repeats one whose answer was lost, and then the command is there twice.
So it has a folder, named by its token. Whoever comes second waits for the first one and says what that has said.

The agent keeps the beginning of an output, and little of it. So the output is written to files; told are the length
and, of what failed, the end. The agent kills the process group of a command that takes too long or is cancelled; the
watcher comes before, and reaches what has left the group, too.

``{{`` means something to SSM. It travels as ``{``, a mark, ``{``.
"""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import NamedTuple

from ...hosts.shell import TREE

AT = "@@host@@"
"""Stands in commands for the address of the host that runs them: the same command serves all of them."""
_BRACE = "@@brace@@"
MOST = 23_000
"""Bytes of an output that are told: SSM keeps 24,000 characters."""
_MOST_OF_A_FAILURE = 1800
"""Of a failure everything must fit into SSM's list of many answers, 2,500 characters each."""
LATE = "late"
"""Instead of the exit code of what was killed because its time was up."""
NOT_FETCHED = 79
"""The code of a command that could not fetch the file that it was to be given."""


class Given(NamedTuple):
    """A file that a command gets for its stdin: where it is fetched from, and the folder into which it is put first."""

    url: str
    folder: str


class Wrapping(NamedTuple):
    """How a command is to be run."""

    token: str
    seconds: int
    """After them it is killed."""
    user: str = ""
    """As whom; empty: as the agent."""
    given: Given | None = None


def wrapped(command: str, how: Wrapping, addresses: Mapping[str, str]) -> str:
    """The script for the agent. ``addresses``: what stands for ``AT`` on each instance, by its id."""
    script = f"{_fetching(how.given, how) if how.given else ''}{command}\n"
    own = quote(how.user)
    text = _SCRIPT.format(
        token=how.token,
        seconds=how.seconds,
        patience=how.seconds + 10,
        most=MOST,
        most_of_a_failure=_MOST_OF_A_FAILURE,
        late=LATE,
        at=_table(addresses) if AT in script else "",
        hand_over=f'chown -R {own} "$stage" || exit 1' if how.user else "",
        run=f"runuser -u {own} -- /bin/sh" if how.user else "/bin/sh",
        tree=TREE.strip(),
        script=script.replace("{{", "{" + _BRACE + "{").replace("{{", "{" + _BRACE + "{"),
    )
    return text.strip() + "\n"


def _table(addresses: Mapping[str, str]) -> str:
    if len(addresses) == 1:
        return f"at={quote(next(iter(addresses.values())))}"
    lines = "\n".join(f"  {name}) at={quote(address)};;" for name, address in addresses.items())
    return f'case $AWS_SSM_INSTANCE_ID in\n{lines}\n  *) echo "the agent does not say who it is" >&2; exit 1;;\nesac'


def _fetching(given: Given, how: Wrapping) -> str:
    """Fetch a file and read it. The URL stands in no process list."""
    folder = quote(given.folder)
    return f"""mkdir -p {folder} || exit 1
find {folder} -name '.given-*' -mmin +60 -exec rm -f {{}} + 2>/dev/null
given={folder}/.given-{how.token}
trap 'rm -f "$given"' EXIT
curl -qfsS --globoff --retry 2 --connect-timeout 10 --max-time {how.seconds} --config - <<FETCHED || exit {NOT_FETCHED}
url = "{given.url}"
output = "$given"
FETCHED
exec <"$given"
rm -f "$given"
trap - EXIT
"""


_SCRIPT = """
umask 022
around=${{TMPDIR:-/tmp}}
stage=$around/deploytasks-ssm-{token}
report() {{
  read -r code < "$stage/code" || code=1
  if [ "$code" = 0 ]; then
    echo "{token} 0 $(($(wc -c < "$stage/out")))"
    tail -c {most} "$stage/out"
  else
    echo "{token} $code 0"
    cat "$stage/out" "$stage/err" | tail -c {most_of_a_failure}
  fi
  printf '\\n%s\\n' "{token} end"
  case $code in {late}) exit 124;; *) exit "$code";; esac
}}
if ! mkdir -m 700 "$stage" 2>/dev/null; then
  [ -d "$stage" ] || {{ echo "cannot write to $around" >&2; exit 1; }}
  left={patience}
  until [ -e "$stage/code" ] || [ "$left" -le 0 ]; do sleep 1; left=$((left - 1)); done
  report
fi
find "$around" -maxdepth 1 -name 'deploytasks-ssm-*' -mmin +180 -exec rm -rf {{}} + 2>/dev/null
{at}
sed -e "s|@@host@@|$at|g" -e 's|@@brace@@||g' > "$stage/script" <<'END-{token}'
{script}
END-{token}
{hand_over}
cd /
{run} "$stage/script" </dev/null >"$stage/out" 2>"$stage/err" &
child=$!
( left={seconds}
  while [ "$left" -gt 0 ]; do sleep 1; kill -0 "$child" || exit 0; left=$((left - 1)); done
  {{ read -r myself rest < /proc/self/stat; }} 2>/dev/null || myself=$(exec sh -c 'echo $PPID')
{tree}
  : > "$stage/late"
  end_tree "$myself" "$child"
) >/dev/null 2>&1 &
watcher=$!
wait "$child" 2>/dev/null
code=$?
[ -e "$stage/late" ] || kill -KILL "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
[ ! -e "$stage/late" ] || code={late}
rm -f "$stage/script"
echo "$code" > "$stage/code.new" && mv -f "$stage/code.new" "$stage/code"
report
"""
