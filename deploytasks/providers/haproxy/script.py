"""POSIX shell that does on a balancer's host what ``near`` does on ours: one round trip for a whole transaction. Pure.

The host needs a shell and one of socat, nc (with ``-U`` for UNIX sockets), perl and python3; ``flock`` to compare
and swap. The first word that a script prints says how it went, see ``OUTCOMES``.
"""

from __future__ import annotations

from shlex import quote

from . import lock
from .balancer import Table
from .keys import Keys, lines
from .weights import STATE_FILE, Weights

OUTCOMES = ("done", "differs", "busy", "failed", "down", "unkept")
"""``differs``: other keys are in force (they follow); ``down``: kept on disk, not in force; ``unkept``: the reverse."""

_PRELUDE = r"""
LC_ALL=C; export LC_ALL
umask 022
nl='
'
bound=
if command -v timeout >/dev/null 2>&1; then bound="timeout $patience"; fi
has() { command -v "$1" >/dev/null 2>&1; }
ask() {
    case $socket in
    /*) to="UNIX-CONNECT:$socket" ;;
    *) to="TCP:$socket" ;;
    esac
    if has socat; then
        $bound socat -t "$patience" -T "$patience" - "$to"
    elif has perl && perl -MIO::Socket -e 1 2>/dev/null; then
        perl -MIO::Socket -e '
            alarm shift; my $at = shift;
            my $link = $at =~ m{^/} ? IO::Socket::UNIX->new(Peer => $at) : IO::Socket::INET->new(PeerAddr => $at);
            die "$at: $!\n" unless $link;
            local $/; print $link scalar <STDIN>; $link->flush; print scalar <$link>;' "$patience" "$socket"
    elif has python3; then
        python3 -c '
import signal, socket, sys
signal.alarm(int(sys.argv[1]))
at = sys.argv[2]
if at.startswith("/"):
    link = socket.socket(socket.AF_UNIX)
    link.connect(at)
else:
    host, _, port = at.rpartition(":")
    link = socket.create_connection((host.strip("[]"), int(port)))
link.sendall(sys.stdin.buffer.read())
while piece := link.recv(65536):
    sys.stdout.buffer.write(piece)' "$patience" "$socket"
    elif has nc; then
        case $socket in
        /*) $bound nc -U "$socket" ;;
        *) $bound nc "${socket%:*}" "${socket##*:}" ;;
        esac
    else
        echo 'none of socat, perl, python3 and nc is installed on this host'
    fi
}
"""

_TRANSACTION = r"""
folder=${file%/*}
aside="$folder/.deploytasks-$$"
trap 'rm -f "$aside"' EXIT
say() {  # an answer ends with an empty line; $why is set when it is none
    reply=$(printf '%s' "$1" | ask 2>&1; echo .)
    case $reply in
    "$nl." | *"$nl$nl.") return 0 ;;
    esac
    why="haproxy at $socket: $(printf '%s' "${reply%.}" | tr '\n' ' ')"
    return 1
}
tell() {  # for a command that changes something: nothing is the answer when it was done
    say "$1" || return 1
    [ -z "$(printf '%s' "${reply%.}" | tr -d '\n')" ] && return 0
    why="haproxy refused: $(printf '%s' "${reply%.}" | tr '\n' ' ')"
    return 1
}
look() {
    say "show map $map$nl" || return 1
    case $reply in
    "$nl." | 0x*) ;;
    *) why="haproxy refused: $(printf '%s' "${reply%.}" | tr '\n' ' ')"; return 1 ;;
    esac
    seen=$(printf '%s' "${reply%.}" | sed -n 's/^0x[0-9a-f]* //p' | sort)
}
put() {
    say "prepare map $map$nl" || return 1
    number=$(printf '%s' "$reply" | sed -n 's/^New version created: \([0-9][0-9]*\)$/\1/p')
    if [ -z "$number" ]; then why="haproxy refused: $(printf '%s' "${reply%.}" | tr '\n' ' ')"; return 1; fi
    if [ -n "$new" ]; then tell "add map @$number $map <<$nl$new$nl$nl" || return 1; fi
    tell "commit map @$number $map$nl" || return 1
    if [ -n "$weights" ]; then tell "$weights$nl" || return 1; fi
    look || return 1
    [ "$seen" = "$new" ] && return 0
    why='haproxy uses other keys than were written'
    return 1
}
durable() { sync "$1" 2>/dev/null || sync; }
keep() {  # $1: the whole file; $2: which, by default that of the map
    why=$({
        [ ! -d "${2:-$file}" ] && printf '%s' "$1" >"$aside" && chmod 644 "$aside" && durable "$aside" &&
            mv -f "$aside" "${2:-$file}" && durable "$folder"
    } 2>&1) && return 0
    why="${2:-$file} cannot be written: $why"
    return 1
}
keep_state() {  # what HAProxy reads its servers' weights from when it starts
    [ -n "$weights" ] || return 0
    say "show servers state$nl" && keep "${reply%.}" "$folder/$state_file"
}
restate() {  # the same while HAProxy is down: what it will start with, with other weights in it
    if [ -z "$weights" ] || [ ! -f "$folder/$state_file" ]; then return 0; fi
    keep "$(printf '%s\n' "$weights" | tr ';' '\n' | awk '
        NR == FNR { weight[$3] = $5; next }
        ($2 "/" $4) in weight { $8 = weight[$2 "/" $4] }
        { print }' - "$folder/$state_file")$nl" "$folder/$state_file"
}
lock() {
    [ -r "$folder" ] && exec 9<"$folder" || return 1
    has flock || return 1
    tries=0
    until flock -n 9; do
        tries=$((tries + 1))
        [ "$tries" -lt "$lock_tries" ] || return 1
        sleep 0.1
    done
}
"""

_SWAP = r"""
if [ ! -d "$folder" ]; then echo "failed $folder is no folder"; exit 0; fi
if ! lock; then has flock && echo busy || echo 'failed flock is not installed on this host'; exit 0; fi
if ! look; then echo "failed $why"; exit 0; fi
if [ "$seen" != "$expect" ]; then printf 'differs\n%s\n' "$seen"; exit 0; fi
before=$(cat "$file" 2>/dev/null; echo .)
if ! keep "$new${new:+$nl}"; then echo "failed $why"; exit 0; fi
if put && keep_state; then echo done; exit 0; fi
said=$why
keep "${before%.}"
new=$expect weights=$unweights put
echo "failed $said"
"""

_WRITE = r"""
lock  # if it is to be had: traffic does not wait for it
problem=
put || problem=$why
if ! keep "$new${new:+$nl}"; then
    if [ -n "$problem" ]; then echo "failed $problem; $why"; else echo "unkept $why"; fi
    exit 0
fi
if [ -n "$problem" ]; then restate; echo "down $problem"; exit 0; fi
if look && [ "$seen" != "$new" ]; then  # a reload in the middle: who answers now had the old file
    put || { echo "down $why"; exit 0; }
fi
if keep_state; then echo done; else echo "unkept $why"; fi
"""

_HOME = r"""
lock
signed() { case "$nl$1$nl" in *"${nl}writer $2$nl"*) return 0 ;; esac; return 1; }
if look; then
    if signed "$seen" "$after"; then echo home; exit 0; fi
    if ! signed "$seen" "$ours"; then
        echo "not: the split is signed $(printf '%s\n' "$seen" | sed -n 's/^writer //p' | grep . || echo by nobody)"
        exit 0
    fi
    if ! put; then echo "not: $why"; exit 0; fi
    keep "$new${new:+$nl}"
    if look && [ "$seen" != "$new" ]; then put || { echo "not: $why"; exit 0; }; fi
    keep_state
    echo home
    exit 0
fi
said=$why
if signed "$(cat "$file" 2>/dev/null)" "$ours" && keep "$new${new:+$nl}" && restate; then
    echo "not: haproxy does not answer ($said); it will be home when it starts"
else
    echo "not: haproxy does not answer ($said)"
fi
"""


def asking(socket: str, command: str, patience: float) -> str:
    """Print what HAProxy answers."""
    return f"{_named(socket=socket, patience=_whole(patience))}{_PRELUDE}printf '%s' {quote(command)} | ask"


def writing(
    socket: str, table: Table, keys: Keys, expect: Keys | None, patience: float, weights: Weights | None = None
) -> str:
    """Replace all keys of a map, in force and on disk; see ``Balancer.write``."""
    names = {"new": lines(keys).rstrip("\n"), **_weights(weights, weights=keys)}
    if expect is not None:
        seen = expect
        if weights is not None and "writer" not in expect:  # read from the weights alone: the map is still empty
            seen = {key: value for key, value in expect.items() if key == "way_back"}
        names |= {"expect": lines(seen).rstrip("\n"), **_weights(weights, unweights=expect)}
    body = _WRITE if expect is None else _SWAP
    return f"{_about(socket, table, patience)}{_named(**names)}{_PRELUDE}{_TRANSACTION}{body}"


def homing(
    socket: str, table: Table, keys: Keys, ours: str, weights: Weights | None = None, patience: float = 10.0
) -> str:
    """Put ``keys`` in force if the split is signed ``ours``; print ``home``, or ``not: <why>``. Idempotent."""
    names = {"new": lines(keys).rstrip("\n"), "ours": ours, "after": keys["writer"]}
    names |= _weights(weights, weights=keys)
    return f"{_about(socket, table, patience)}{_named(**names)}{_PRELUDE}{_TRANSACTION}{_HOME}"


def _about(socket: str, table: Table, patience: float) -> str:
    assert table.file is not None
    tries = str(max(1, round(lock.PATIENCE * 10)))
    return _named(socket=socket, map=table.map, file=table.file, patience=_whole(patience), lock_tries=tries)


def _weights(weights: Weights | None, /, **keys: Keys) -> dict[str, str]:
    """Commands that set the weights; none where each color has a backend of its own."""
    found = {name: weights.command(of).strip() if weights else "" for name, of in keys.items()}
    return {**found, "state_file": STATE_FILE}


def _named(**values: str) -> str:
    return "".join(f"{name}={quote(value)}\n" for name, value in values.items())


def _whole(seconds: float) -> str:
    """Seconds as the tools take them."""
    return str(max(1, round(seconds)))
