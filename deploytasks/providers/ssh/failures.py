"""What can go wrong on the way to a host, in words that say which host, what, and what to do."""

from __future__ import annotations

import errno
import os
import socket

from paramiko.ssh_exception import AuthenticationException, ChannelException, NoValidConnectionsError, SSHException

from ...errors import DeployError, Unreachable

NOTHING_SENT = "nothing was sent to it"


class HostKeyRefused(Unreachable):
    """The host's key is not the known one, or none is known: nobody knows who answered. No password, no command and
    no proof of our key was given to it."""


class LoginRefused(Unreachable):
    """The host answered and is who it should be, but does not let us in."""


class ConnectionLost(Unreachable):
    """The connection stood, and broke."""


def cannot_connect(name: str, where: str, error: BaseException, seconds: float, *, is_late: bool) -> DeployError:
    """The error to raise for whatever ended a connection that did not stand yet.

    ``name``: of the host for people; ``where``: ``user@host:port``. ``is_late``: whether the time was up.
    """
    if isinstance(error, DeployError):
        return error
    if is_late or isinstance(error, TimeoutError):
        what, do = f"no connection after {seconds:.1f} s", "check that it runs, and the network and firewalls to it"
    elif isinstance(error, socket.gaierror):
        what, do = f"the name is unknown ({error.strerror})", "check the name in `hosts` and the ssh_config"
    elif isinstance(error, AuthenticationException):
        return LoginRefused(f"{name}: {where}: log-in failed: {_said(error)}", state="no command was sent to it")
    elif isinstance(error, ChannelException):
        what, do = f"its gateway cannot reach it: {error.text}", "try it on the gateway: `nc -vz HOST PORT`"
    else:
        what, do = _said(error), "check that it runs, that sshd listens there, and the firewalls to it"
    return Unreachable(f"{name}: {where}: {what}", state=NOTHING_SENT, do=do)


def _said(error: BaseException) -> str:
    """What an error of paramiko or of the system says, in one line."""
    if isinstance(error, NoValidConnectionsError):
        return _said(next(iter(error.errors.values())))
    if isinstance(error, OSError) and error.errno:
        known = {errno.ECONNREFUSED: "it refuses connections", errno.EHOSTUNREACH: "there is no way to it"}
        return known.get(error.errno, os.strerror(error.errno))
    if isinstance(error, EOFError) or (isinstance(error, SSHException) and not str(error)):
        return "it closed the connection"
    return " ".join(str(error).split()) or type(error).__name__
