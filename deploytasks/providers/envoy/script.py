"""POSIX shell that changes Envoy's runtime keys on Envoy's own host: one round trip for a whole transaction. Pure.

The host needs a shell, one of curl and python3, and ``flock`` to compare and swap. The first word that a script prints
says how it went, see ``OUTCOMES``.
"""

from __future__ import annotations

from shlex import quote
from typing import NamedTuple

from .keys import Changes, Keys
from .layer import PATIENCE, SUBDIRECTORY

OUTCOMES = ("done", "differs", "busy", "failed", "unkept")
"""``differs``: other keys are there than expected; ``unkept``: in force, but a restart of Envoy would forget it."""


class Spot(NamedTuple):
    """Where Envoy's keys are on its host."""

    admin: str
    """``http://host:port`` or ``unix:/path``."""
    prefix: str
    folder: str
    """With a layer, the folder of it; else that of the copy. Relative to the home folder of who logs in."""
    has_layer: bool
    """Whether Envoy reads its keys from ``folder``, or forgets them when it restarts."""


_PRELUDE = r"""
LC_ALL=C; export LC_ALL
umask 022
cd || exit 1
nl='
'
has() { command -v "$1" >/dev/null 2>&1; }
fetch() {  # METHOD PATH
    if has curl; then
        at=; base=$admin
        case $admin in unix:*) at=${admin#unix:}; base=http://localhost ;; esac
        body=; [ "$1" = GET ] || body=--data
        curl -q -sS --fail --noproxy '*' --max-time "$patience" ${at:+--unix-socket "$at"} -X "$1" ${body:+"$body" ""} \
            "$base$2"
    elif has python3; then
        python3 -c '
import http.client, socket, sys
from urllib.parse import urlsplit
patience, admin, method, path = sys.argv[1:]
if admin.startswith("unix:"):
    link = http.client.HTTPConnection("localhost")
    link.sock = socket.socket(socket.AF_UNIX)
    link.sock.settimeout(int(patience))
    link.sock.connect(admin[5:])
else:
    parts = urlsplit(admin)
    link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=int(patience))
link.request(method, path, headers={"Connection": "close", "Content-Length": "0"})
answer = link.getresponse()
sys.stdout.buffer.write(answer.read())
sys.exit(answer.status != 200)' "$patience" "$admin" "$1" "$2"
    else
        echo 'neither curl nor python3 is installed on this host'
        return 1
    fi
}
look() {
    if ! runtime=$(fetch GET '/runtime?format=json' 2>&1); then
        why="envoy's admin at $admin does not answer: $(printf '%s' "$runtime" | tr '\n' ' ')"
        return 1
    fi
    runtime=$(printf '%s' "$runtime" | tr -d ' \n\t')
    case $runtime in *'"entries":'*) return 0 ;; esac
    why="envoy's admin at $admin answered something else"
    return 1
}
in_force() {  # KEY: its value, after look
    printf '%s\n' "$runtime" | sed -n "s/.*\"$(printf '%s' "$1" | sed 's/\./\\./g')\":{\([^}]*\)}.*/\1/p" |
        sed -n 's/.*"final_value":"\([^"]*\)".*/\1/p'
}
durable() { find "$@" -exec sync {} + 2>/dev/null || sync; }
lock() {
    mkdir -p "$folder" 2>/dev/null
    [ -r "$folder" ] && exec 9<"$folder" && has flock || return 1
    tries=0
    until flock -n 9; do
        tries=$((tries + 1))
        [ "$tries" -lt "$lock_tries" ] || return 1
        sleep 0.1
    done
}
"""

_COPY = r"""
file=$folder/keys
all_kept() { [ ! -e "$file" ] || cat "$file"; }
kept() { all_kept | sed -n "s/^$(printf '%s' "$1" | sed 's/\./\\./g') //p"; }
written() { in_force "$1"; }
forgotten() { [ -z "$(in_force "$prefix.open")" ] && [ -n "$(kept "$prefix.open")" ]; }
merged() {  # what is kept, with the changes
    all_kept | while read -r key value; do
        case "$nl$gone$nl$touched$nl" in *"$nl$key$nl"*) ;; *) printf '%s %s\n' "$key" "$value" ;; esac
    done
    [ -z "$new" ] || printf '%s\n' "$new"
}
keep() {
    why=$({ mkdir -p "$folder" && merged >"$file.$$" && durable "$file.$$" && mv -f "$file.$$" "$file" &&
        durable "$folder" -prune; } 2>&1) && return 0
    rm -f "$file.$$"
    why="$file cannot be written: $why"
    return 1
}
put() {  # an Envoy that has forgotten is told all again
    if forgotten; then lines=$(merged); else lines=$new; fi
    query=$(printf '%s\n' "$lines" | sed -n 's/%/%25/g; s/+/%2B/g; s/:/%3A/g; s/@/%40/g; s/,/%2C/g; s/&/%26/g
        s/^\([^ ]*\) \(.*\)$/\1=\2/p'; printf '%s\n' "$gone" | sed -n 's/^..*$/&=/p')
    said=$(fetch POST "/runtime_modify?$(printf '%s' "$query" | tr '\n' '&')" 2>&1) && return 0
    why="envoy refused: $(printf '%s' "$said" | tr '\n' ' ')"
    return 1
}
store() {
    if ! put; then echo "failed $why"; return; fi
    if keep; then echo done; else echo "unkept $why"; fi
}
"""

_LAYER = r"""
path() { printf '%s' "$subdirectory/$1" | tr . /; }
kept() { cat "$folder/current/$(path "$1")" 2>/dev/null; }
written() { kept "$1"; }
all_kept() {
    (cd "$folder/current/$subdirectory" 2>/dev/null || exit 0
    find . -type f | while read -r entry; do
        printf '%s %s\n' "$(printf '%s' "${entry#./}" | tr / .)" "$(cat "$entry")"
    done)
}
forgotten() { return 1; }
put_in() {  # FOLDER: all keys, whole, before it is put in place
    mkdir -p "$1/$subdirectory" || return 1
    if [ -d "$folder/current/." ]; then cp -R "$folder/current/." "$1" || return 1; fi
    printf '%s\n%s\n' "$gone" "$touched" | while read -r key; do
        [ -z "$key" ] || rm -f "$1/$(path "$key")" || exit 1
    done || return 1
    printf '%s\n' "$new" | while read -r key value; do
        [ -n "$key" ] || continue
        at=$1/$(path "$key")
        mkdir -p "${at%/*}" && printf '%s' "$value" >"$at" || exit 1
    done
}
link_to() {  # NAME, in one rename. GNU mv knows -T, BSD mv -h
    rm -f "$folder/.current.$$"
    ln -s "$1" "$folder/.current.$$" || return 1
    mv -fT "$folder/.current.$$" "$folder/current" 2>/dev/null || mv -fh "$folder/.current.$$" "$folder/current"
}
keep() {
    before=$(readlink "$folder/current"); fresh=$(date +%s)-$$
    why=$({ put_in "$folder/$fresh" && durable "$folder/$fresh" && link_to "$fresh" &&
        durable "$folder" -prune; } 2>&1) || {
        rm -rf "${folder:?}/$fresh"
        why="$folder cannot be written: $why"
        return 1
    }
    for old in "$folder"/[0-9]*-*; do
        case $old in "$folder/$fresh" | "$folder/$before") ;; *) rm -rf "$old" ;; esac
    done
}
put() { keep; }
store() { if keep; then echo done; else echo "failed $why"; fi; }
"""

_SWAP = r"""
if ! lock; then
    if [ ! -r "$folder" ]; then echo "failed $folder cannot be made or read"
    elif has flock; then echo busy
    else echo 'failed flock is not installed on this host'; fi
    exit 0
fi
if ! look; then echo "failed $why"; exit 0; fi
if forgotten; then echo differs; exit 0; fi
seen=$(printf '%s\n' "$expect" | while read -r key value; do printf '%s %s\n' "$key" "$(written "$key")"; done)
if [ "$seen" != "$expect" ]; then echo differs; exit 0; fi
store
"""

_WRITE = r"""
lock  # if it is to be had: traffic does not wait for it
look || runtime=
if [ -z "$runtime" ] && [ "$has_layer" != yes ]; then echo "failed $why"; exit 0; fi
store
"""

_HOME = r"""
lock
look || { echo "$why"; exit 1; }
signed=$(in_force "$prefix.writer")
if forgotten; then signed=$(kept "$prefix.writer"); fi
if [ "$signed" = "$after" ] && ! forgotten; then echo home; exit 0; fi
if [ "$signed" != "$ours" ] && [ "$signed" != "$after" ]; then
    echo "not: the split is signed ${signed:-by nobody}"
    exit 0
fi
put || { echo "$why"; exit 1; }
[ "$has_layer" = yes ] || keep
tries=0
until look && [ "$(in_force "$prefix.writer")" = "$after" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || { echo 'envoy does not use what was written'; exit 1; }
    sleep 0.1
done
echo home
"""


_EXAMINE = r"""
has curl || has python3 || echo 'neither curl nor python3 is installed'
has flock || echo 'flock is not installed'
mkdir -p "$folder" 2>/dev/null
[ -w "$folder" ] || echo "$folder cannot be written"
[ "$has_layer" = no ] || [ -d "$folder/current/." ] || echo "$folder/current leads nowhere"
"""


def examining(spot: Spot) -> str:
    """Print what is missing, a line each."""
    return f"{_about(spot, 1.0)}{_EXAMINE}"


def reading(spot: Spot) -> str:
    """Print the keys that are kept, one ``key value`` on each line."""
    return f"{_about(spot, 1.0)}all_kept\n"


def writing(spot: Spot, changes: Changes, expect: Keys | None, patience: float) -> str:
    """Change keys; with ``expect`` only while all of these have these values (an empty one: absent)."""
    names = _changes(changes)
    if expect is not None:
        names["expect"] = _lines({key: f"{value}" for key, value in expect.items()})
    return f"{_named(**names)}{_about(spot, patience)}{_WRITE if expect is None else _SWAP}"


def homing(spot: Spot, changes: Changes, ours: str, patience: float = 5.0) -> str:
    """Change keys if the split is signed ``ours``; print ``home``, or ``not: <why>``; fail while Envoy is silent.
    Idempotent."""
    names = {**_changes(changes), "ours": ours, "after": changes[f"{spot.prefix}.writer"] or ""}
    return f"{_named(**names)}{_about(spot, patience)}{_HOME}"


def _about(spot: Spot, patience: float) -> str:
    tries = str(max(1, round(PATIENCE * 10)))
    names = _named(
        admin=spot.admin,
        prefix=spot.prefix,
        folder=spot.folder,
        has_layer="yes" if spot.has_layer else "no",
        subdirectory=SUBDIRECTORY,
        patience=str(max(1, round(patience))),
        lock_tries=tries,
    )
    return f"{names}{_PRELUDE}{_LAYER if spot.has_layer else _COPY}"


def _changes(changes: Changes) -> dict[str, str]:
    put = {key: value for key, value in changes.items() if value}
    gone = [key for key in changes if key not in put]
    return {"new": _lines(put), "touched": "\n".join(put), "gone": "\n".join(gone)}


def _lines(keys: Keys) -> str:
    return "\n".join(f"{key} {value}" for key, value in keys.items())


def _named(**values: str) -> str:
    return "".join(f"{name}={quote(value)}\n" for name, value in values.items())
