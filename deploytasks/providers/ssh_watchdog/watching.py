"""The watcher that stands on a balancer's host: one POSIX shell script, which needs nothing but a shell and ``sleep``.

Its folder holds, while it watches:

``order``    what it was told, see ``commands.arm``; it ends when this is gone or names another arming
``beat``     a word that the deployer changes; it looks whether that changed, never at a time
``home``     the commands that take traffic home on this host; they print ``home``, or ``not: <why>``
``watch``    this script
``pid``      who it is, see ``providers/identity.py``
``said``     what the last attempt to take traffic home printed
``state``    what it does or did; all that is left at the end: phase, arming, instant, how it runs, seconds of silence,
             attempts, the deployer's note (opaque), and why, a line each
"""

from __future__ import annotations

from ..hosts.shell import IDENTITY

LIFETIME = 24 * 3600
"""Seconds after which a watcher ends, whatever happens."""
PATIENCE = 600
"""Seconds for which it tries to take traffic home while the balancer does not answer."""
ATTEMPT = 15
"""Seconds for one attempt."""

WATCH = (
    IDENTITY
    + r"""
folder=$1 id=$2 how=$3
cd "$folder" || exit 1
umask 077
trap '' HUP INT
me=$(identity $$)
{ echo "$me"; echo "$id"; } > pid.new && mv -f pid.new pid || exit 1
exec </dev/null >/dev/null 2>&1

now=0 tries=0 shown= why= seen= seen_at=0

# clock: seconds in `now`, on a clock that goes on while the machine sleeps and that nobody can set. Without /proc our
# own ticks are counted: the switch may then go off later, never earlier.
clock() {
  if { read -r now rest < /proc/uptime; } 2>/dev/null; then now=${now%%.*}; else now=$((now + 1)); fi
}

# in_force: whether the order still stands; if so, its terms are in `grace`, `lifetime`, `patience`, `attempt`, `note`
in_force() {
  { read -r order && read -r terms && read -r grace lifetime patience attempt && read -r note; } < order &&
    [ "$order" = "$id" ]
}

# silent: whether the beat has not changed for more than the grace; the time without one is in `silence`
silent() {
  clock
  beat=; { read -r beat < beat; } 2>/dev/null
  if [ "$beat" != "$seen" ]; then seen=$beat seen_at=$now; fi
  silence=$((now - seen_at))
  [ "$silence" -gt "$grace" ]
}

# say PHASE WHY: write the state down, once. A full disk must not keep traffic from going home.
say() {
  [ "$1 $2" != "$shown" ] || return 0
  shown="$1 $2"
  printf '%s\n' "$1" "$id" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$how" "${silence:-0}" "$tries" "$note" "$2" > state.new &&
    mv -f state.new state
}

# leave: everything but the state goes
leave() {
  in_force && rm -f order beat home said watch pid
  exit 0
}

# attempt: one try to take traffic home; its last line is in `answer`
attempt() {
  sh ./home > said 2>&1 &
  child=$!
  left=$((attempt * 10))
  while [ -n "$(identity "$child")" ]; do
    if [ "$left" -le 0 ]; then
      trap '' TERM; kill -TERM 0; trap - TERM  # all that it started is of our group, and none of it is deaf to it
      kill -KILL "$child"
      wait "$child"
      answer="no answer within $attempt s"
      return
    fi
    left=$((left - 1)); sleep 0.1
  done
  wait "$child"
  code=$?
  answer=$(tail -n 1 said)
  case $answer in
    home|not:*) [ "$code" = 0 ] || answer="$answer (code $code)";;
    *) answer="${answer:-nothing was said} (code $code)";;
  esac
}

# take_home: try until it is done, or until the beat is back or the order is gone
take_home() {
  began=$now tries=0
  say firing "no beat for $silence s"
  while in_force && silent; do
    tries=$((tries + 1))
    attempt
    case $answer in
      home) silent; say fired "no beat for $silence s: traffic went home"; leave;;
      not:*) case $answer in *"(code "*) ;; *) say ended "${answer#not: }"; leave;; esac;;
    esac
    say firing "traffic cannot be taken home yet: $answer"
    clock
    if [ $((now - began)) -ge "$patience" ]; then say gave-up "traffic could not be taken home: $answer"; leave; fi
    sleep 1
  done
  in_force && say watching "the beat came back"
}

in_force || exit 0
{ read -r phase && read -r whose; } < state && [ "$whose" = "$id" ] && case $phase in fired|ended|gave-up) leave;; esac
silent
seen_at=$now until=$((now + lifetime))
say watching "a beat is awaited"
while in_force; do
  if silent; then take_home; fi
  if [ "$now" -ge "$until" ]; then say ended "its lifetime is over"; leave; fi
  sleep 1
done
[ "$(known pid)" != "$me" ] || rm -f pid
"""
)
