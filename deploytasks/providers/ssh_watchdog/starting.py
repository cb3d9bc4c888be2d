"""How a watcher is started on its host, so that it outlives whoever started it. Shell functions."""

from __future__ import annotations

START = r"""
# watches ID: whether the watcher of this order lives and watches
watches() {
  [ -n "$1" ] && lives "$(known pid)" && [ "$(sed -n 2p pid)" = "$1" ] &&
    { read -r phase && read -r whose; } 2>/dev/null < state && [ "$phase $whose" = "watching $1" ]
}

# begun ID: whether it does so within 5 s
begun() {
  left=100
  until watches "$1"; do
    [ "$left" -gt 0 ] || return 1
    left=$((left - 1)); sleep 0.05
  done
}

# has_systemd: whether systemd runs this machine
has_systemd() {
  command -v systemd-run >/dev/null 2>&1 || return 1
  case $(systemctl is-system-running 2>/dev/null) in running|degraded|starting|maintenance) ;; *) return 1;; esac
}

# units: whose units outlive the log-out here, `system`, `user` or `sudo`; fails when nobody's do
units() {
  has_systemd || return 1
  if [ "$(id -u)" = 0 ]; then echo system
  elif [ "$(loginctl show-user "$(id -un)" --property=Linger --value 2>/dev/null)" = yes ]; then echo user
  elif sudo -n -l systemd-run >/dev/null 2>&1; then echo sudo
  else return 1
  fi
}

# unit: run the watcher as a transient unit
unit() {
  kind=$(units) || return 1
  set -- --quiet --collect --unit="deploytasks-deadman-$id" --property=Restart=on-failure \
    /bin/sh "$PWD/watch" "$PWD" "$id" systemd
  case $kind in
    system) systemd-run "$@";;
    user) XDG_RUNTIME_DIR=/run/user/$(id -u) systemd-run --user "$@";;
    sudo) sudo -n systemd-run --uid="$(id -u)" --gid="$(id -g)" "$@";;
  esac >said 2>&1
}

# ends_at_logout: whether this machine ends what somebody leaves running who logs out
ends_at_logout() {
  [ "$(id -u)" != 0 ] && command -v busctl >/dev/null 2>&1 || return 1
  login=org.freedesktop.login1
  [ "$(busctl get-property $login /org/freedesktop/login1 $login.Manager KillUserProcesses 2>/dev/null)" = "b true" ]
}

# detached: run it in a session of its own
detached() {
  if ends_at_logout; then
    echo "this machine ends it at log-out (KillUserProcesses); do: loginctl enable-linger $(id -un)" > said
    return 1
  fi
  if command -v setsid >/dev/null 2>&1; then
    setsid /bin/sh "$PWD/watch" "$PWD" "$id" detached >said 2>&1 &
  else
    set -m
    nohup /bin/sh "$PWD/watch" "$PWD" "$id" detached >said 2>&1 &
    set +m
  fi
}

# start: whichever there is
start() { unit || detached; }

# how: which of both it would be
how() {
  if units >/dev/null; then echo systemd; return; fi
  ! ends_at_logout || fail "KillUserProcesses ends the watcher at log-out; do: loginctl enable-linger $(id -un)"
  echo detached
}
"""
