"""The shell text around a command: it marks its output, and lets no orphan be left. Portable ``sh``.

sshd makes every command the leader of a session and process group. The leader is our wrapper; the command is its
child. Beside it a watcher waits until the command's time is up, or (for a command that is followed) until its stdin
ends, and then kills the whole tree. The wrapper ends the watcher when the command has ended.
"""

from __future__ import annotations

import re
from shlex import quote

_TREE = r"""
# pairs: "pid:parent" of every process
pairs() {
  if [ -r /proc/self/stat ]; then
    for entry in /proc/[0-9]*/stat; do
      line=; { read -r line < "$entry"; } 2>/dev/null
      pid=${entry#/proc/}; set -- ${line##*) }
      [ -z "$line" ] || echo "${pid%/stat}:$2"
    done
  else
    ps -A -o pid= -o ppid= | while read -r pid parent; do echo "$pid:$parent"; done
  fi
}

# end_tree MYSELF PID…: KILL these processes, all that descend from them, and their groups; MYSELF at the very end
end_tree() {
  myself=$1; shift
  roots=$*; doomed=" $* "; all=$(pairs); grew=1
  while [ -n "$grew" ]; do
    grew=
    for pair in $all; do
      case $doomed in *" ${pair%:*} "*) continue;; esac
      case $doomed in *" ${pair#*:} "*) doomed="$doomed${pair%:*} "; grew=1;; esac
    done
  done
  for pid in $doomed; do [ "$pid" = "$myself" ] || kill -KILL "$pid" 2>/dev/null; done
  for pid in $roots; do kill -KILL -- "-$pid" 2>/dev/null; done
}
"""

_WATCHED = r"""
( trap 'kill -KILL "$!" 2>/dev/null; wait; exit' TERM
  WAIT & wait "$!"
  read -r myself rest < /proc/self/stat || myself=$(exec sh -c 'echo $PPID')
TREE
  end_tree "$myself" $$
) </dev/null >/dev/null 2>&1 SOURCE&
watcher=$!
printf '\n%s begin\n' "$0"
COMMAND
code=$?
kill "$watcher" 2>/dev/null
printf '\n%s %s\n' "$0" "$code"
wait "$watcher" 2>/dev/null
exit "$code"
"""

_KILL = (
    _TREE
    + r"""
mark=$0$1
if [ -r /proc/self/stat ]; then
  found=$(cd /proc && grep -lsF -- "$mark" [0-9]*/cmdline)
  leaders=$(for entry in $found; do echo "${entry%/cmdline}"; done)
else
  leaders=$(ps -A -o pid= -o args= | grep -F -- "$mark" | grep -v grep | while read -r pid rest; do echo "$pid"; done)
fi
end_tree $$ $leaders
"""
)


def wrapped(command: str, token: str, seconds: int) -> str:
    """What to send for a command that is killed after that many seconds. ``token`` marks its output and its process."""
    watch = _WATCHED.replace("WAIT", 'sleep "$1"').replace("SOURCE", "").replace("COMMAND", '/bin/sh -c "$2"')
    return _sent(watch.replace("TREE", _TREE), token, str(seconds), command)


def followed(command: str, token: str) -> str:
    """What to send for a command that is killed when its caller goes away. Its stdin is empty."""
    watch = _WATCHED.replace("WAIT", "cat <&3 >/dev/null").replace("SOURCE", "3<&0 ")
    watch = watch.replace("COMMAND", '/bin/sh -c "$2" </dev/null 2>&1')
    return _sent(watch.replace("TREE", _TREE), token, "-", command)


def kill(token: str) -> str:
    """What to send to kill the command of that token. The two halves of the token keep it from finding itself."""
    return _sent(_KILL, token[:8], token[8:])


def _sent(script: str, *arguments: str) -> str:
    return " ".join(["exec", "/bin/sh", "-c", *map(literal, (script, *arguments))])


def literal(text: str) -> str:
    r"""One word that sh, bash, zsh and fish read alike: fish takes ``\\`` and ``\'`` within quotes for escapes."""
    if not re.search(r"[\\']", text):
        return quote(text)
    pieces = re.split(r"([\\'])", text)
    return "".join(f"\\{piece}" if piece in ("\\", "'") else f"'{piece}'" for piece in pieces if piece)
