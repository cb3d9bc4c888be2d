"""The shell text around a command: it marks its output, and lets no orphan be left. Portable ``sh``.

sshd makes every command the leader of a session and process group. The leader is our wrapper; the command is its
child. Beside it a watcher waits until the command's time is up, or (for a command that is followed) until its caller
is gone, and then kills the whole tree. The wrapper ends the watcher when the command has ended.
"""

from __future__ import annotations

import re
from shlex import quote

from ..hosts.shell import TREE

_WATCHED = r"""
@KEEP
( trap 'kill -KILL "$!" 2>/dev/null; wait; exit' TERM
  @WAIT & wait "$!"
  { read -r myself rest < /proc/self/stat; } 2>/dev/null || myself=$(exec sh -c 'echo $PPID')
@TREE
  end_tree "$myself" $$
) >/dev/null 2>&1 &
watcher=$!
printf '\n%s begin\n' "$0"
/bin/sh -c "$2" @STREAMS
code=$?
kill "$watcher" 2>/dev/null
[ "$code" = 0 ] || printf '\n%s\n' "$0" >&2
printf '\n%s %s\n' "$0" "$code"
wait "$watcher" 2>/dev/null
exit "$code"
"""
"""Started with the mark, seconds and the command. The trap says KILL: a child that has not become its program yet
would take TERM for itself. What the shell gives a background job for stdin is nothing: hence 3."""

_KILL = (
    TREE
    + r"""
find_leaders() {
  if [ -r /proc/self/stat ]; then
    for entry in $(cd /proc && grep -ls -- "$0" [0-9]*/cmdline); do
      echo "${entry%/cmdline}"
      line=; { read -r line < "/proc/${entry%cmdline}stat"; } 2>/dev/null
      set -- "$0" ${line##*) }
      [ -z "$line" ] || [ -e "/proc/$4" ] || echo "$4"  # its group, whose leader somebody has killed
    done
  else
    ps -A -o pid= -o args= | grep -- "$0" | while read -r pid rest; do echo "$pid"; done
  fi
}
leaders=$(find_leaders)
[ -n "$leaders" ] || { sleep "$1"; leaders=$(find_leaders); }
end_tree $$ $leaders
"""
)


def wrapped(command: str, token: str, seconds: int) -> str:
    """What to send for a command that is killed after that many seconds. ``token`` marks its output and its process."""
    return _sent(_filled('sleep "$1"', keep="", streams=""), token, str(seconds), command)


def followed(command: str, token: str) -> str:
    """What to send for a command that is killed when its caller goes away. It has no stdin; stderr goes to stdout."""
    script = _filled("cat <&3", keep="exec 3<&0", streams="</dev/null 2>&1 3<&-")
    return _sent(script, token, "-", command)


def kill(token: str, *, patiently: bool) -> str:
    """What to send to kill the command of that token. ``patiently``: look twice, it may only just be starting.

    The pattern that looks for the token does not match itself.
    """
    return _sent(_KILL, f"[{token[0]}]{token[1:]}", "0.3" if patiently else "0")


def _filled(wait: str, keep: str, streams: str) -> str:
    text = _WATCHED.replace("@WAIT", wait).replace("@KEEP", keep).replace("@STREAMS", streams)
    return text.strip().replace("@TREE", TREE.strip())


def _sent(script: str, *arguments: str) -> str:
    return " ".join(["exec", "/bin/sh", "-c", *map(literal, (script, *arguments))])


def literal(text: str) -> str:
    r"""One word that sh, bash, zsh and fish read alike: fish takes ``\\`` and ``\'`` within quotes for escapes."""
    if not re.search(r"[\\']", text):
        return quote(text)
    pieces = re.split(r"([\\'])", text)
    return "".join(f"\\{piece}" if piece in ("\\", "'") else f"'{piece}'" for piece in pieces if piece)
