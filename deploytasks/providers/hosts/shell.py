"""The few shell functions that our commands on hosts share. Portable ``sh``: Linux and macOS.

An identity has the form that ``providers/identity.py`` describes, so that both read each other's pid files.
``/proc`` is preferred to ``ps``, which small images do not have.
"""

from __future__ import annotations

from shlex import quote

BEGIN = "exec </dev/null\n"
"""How every command begins that does not read: what it starts cannot wait for us."""

IDENTITY = r"""
fail() { echo "$*" >&2; exit 1; }

# identity PID: "pid:start:boot", or nothing when it is gone or only its zombie is left
identity() {
  if [ -r /proc/self/stat ]; then
    line=; { read -r line < "/proc/$1/stat"; } 2>/dev/null
    [ -n "$line" ] || return 1
    set -- "$1" ${line##*) }
    case $2 in Z|X|x) return 1;; esac
    read -r boot < /proc/sys/kernel/random/boot_id
    echo "$1:${21}:$boot"
  else
    set -- "$1" $(LC_ALL=C ps -o stat=,lstart= -p "$1" 2>/dev/null)
    case ${2:-Z} in Z*) return 1;; esac
    pid=$1; shift 2
    echo "$pid:$(echo "$*" | tr ' :' '-.'):"
  fi
}

# known PIDFILE: the identity in a pid file
known() { first=; { read -r first < "$1"; } 2>/dev/null; echo "$first"; }

# lives IDENTITY: whether this very process runs
lives() { [ -n "$1" ] && [ "$(identity "${1%%:*}")" = "$1" ]; }
"""

GROUPS = r"""
# group_lives PGID: whether anything but zombies is left of a process group
group_lives() {
  kill -0 "-$1" 2>/dev/null || return 1
  group=$1
  if [ -r /proc/self/stat ]; then
    for entry in /proc/[0-9]*/stat; do
      line=; { read -r line < "$entry"; } 2>/dev/null
      [ -n "$line" ] || continue
      set -- ${line##*) }
      if [ "$3" = "$group" ]; then case $1 in Z|X|x) ;; *) return 0;; esac; fi
    done
    return 1
  fi
  LC_ALL=C ps -A -o pgid=,stat= | awk -v g="$group" '$1 == g && $2 !~ /^Z/ { found = 1 } END { exit !found }'
}

# wait_for_end PGID TENTHS: until the group is gone; fails when it is still there after that many tenths of a second
wait_for_end() {
  left=$2
  while group_lives "$1"; do
    [ "$left" -gt 0 ] || return 1
    left=$((left - 1)); sleep 0.1
  done
}

# is_leftover IDENTITY RELEASE: whether its leader is gone and a process of ours is left in its group. While a group
# has members, its number is given to no new process; RELEASE in the environment says that the member is ours.
is_leftover() {
  [ -n "$2" ] && [ -z "$(identity "${1%%:*}")" ] && [ -r /proc/self/environ ] || return 1
  leader=${1%%:*}; release=$2
  for entry in /proc/[0-9]*/stat; do
    line=; { read -r line < "$entry"; } 2>/dev/null
    set -- ${line##*) }
    [ "${3:-}" = "$leader" ] || continue
    tr '\0' '\n' < "${entry%stat}environ" 2>/dev/null | grep -Fqx "RELEASE=$release" && return 0
  done
  return 1
}

# stop_known PIDFILE TENTHS: TERM to the process group, KILL after that many tenths of a second; never to a stranger
stop_known() {
  file=$1; patience=$2
  for draft in "$file".[0-9]*; do
    [ -n "$(identity "${draft##*.}")" ] || rm -f "$draft"
  done
  [ -f "$file" ] || return 0
  who=$(known "$file"); leader=${who%%:*}
  if lives "$who" || is_leftover "$who" "$(sed -n 2p "$file")"; then
    [ "$patience" -gt 0 ] && kill -TERM "-$leader" 2>/dev/null
    if ! wait_for_end "$leader" "$patience"; then
      kill -KILL "-$leader" 2>/dev/null
      wait_for_end "$leader" 50 || fail "process group $leader does not end, not even by KILL"
    fi
    rm -f "$file.$leader"
  fi
  # Whoever else was waiting for the same end may have started another process by now.
  [ "$(known "$file")" != "$who" ] || rm -f "$file"
}
"""

_SET_SESSION = "import os,sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])"


def detach(python: str) -> str:
    """A function ``detach COMMAND…`` that becomes the command, as the leader of a session. macOS has no setsid."""
    return f"""
detach() {{
  if command -v setsid >/dev/null 2>&1; then exec setsid "$@"; fi
  exec {quote(python)} -c {quote(_SET_SESSION)} "$@"
}}
"""


DIGEST = r"""
# sha256: the digest of stdin, in hex
sums=sha256sum; command -v sha256sum >/dev/null 2>&1 || sums="shasum -a 256"
sha256() { sum=$($sums) && echo "${sum%% *}"; }
"""

LISTING = rf"""{DIGEST}
# list MODE…: the manifest (deploytasks/release/manifest.py) of the folder we are in, unsorted. A file with another
# mode, or of another owner than us, shows as "other": it is not as tar leaves it. One find for all of it; busybox'
# takes "-exec … +" neither in parentheses nor after "!".
list() {{
  for mode in "$@"; do shift; set -- "$@" -o -perm "$mode" -exec printf "$mode %s\\n" {{}} +; done
  find . -type d -exec printf 'd %s\n' {{}} + -o -type l -exec printf 'l %s\n' {{}} + \
    -o ! -type f -exec printf 'other %s\n' {{}} + \
    -o -exec $sums {{}} + ! -user "$(id -u)" -exec printf 'other %s\n' {{}} + \
    "$@" -o -exec printf 'other %s\n' {{}} +
}}
"""

LINK = r"""
# link TARGET NAME NOTE: point the link NAME at TARGET in one rename, and add to the NOTE, if there is one, that it was
# switched (deploytasks/providers/hosts/supervising.py). GNU mv knows -T, BSD mv -h.
link() {
  [ "$(readlink "$2" 2>/dev/null)" != "$1" ] || return 0
  [ ! -f "$3" ] || echo "${1##*/}" >> "$3" || exit 1
  ln -s "$1" "$2.$$" || exit 1
  mv -fT "$2.$$" "$2" 2>/dev/null || mv -fh "$2.$$" "$2" 2>/dev/null || { rm -f "$2.$$"; fail "cannot switch $2"; }
}

# unlink NAME NOTE: take the link away
unlink() {
  [ ! -f "$2" ] || echo "nothing" >> "$2" || exit 1
  rm -f "$1"
}
"""

PORTS = r"""
# is_taken PORT: whether something listens there, at any address; where nobody can say (no /proc), it may
is_taken() {
  [ -r /proc/net/tcp ] || return 0
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q ":$(printf %04X "$1") [0-9A-F]*:[0-9A-F]* 0A "
}
"""

TREE = r"""
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

# end_tree MYSELF PID…: KILL these processes, all that descend from them, and their groups; MYSELF with its group
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
  for pid in $roots; do kill -KILL "-$pid" 2>/dev/null; done
}
"""
