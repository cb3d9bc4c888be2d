"""What came of calls on several hosts: who failed and why, who is done, and the one error that says all of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .errors import DeployError, HostsFailed, LeaseHeld, SplitMoved
from .ports import Call, Calls


class Failure(NamedTuple):
    """A call that failed."""

    call: Call
    error: Exception

    @property
    def why(self) -> str:
        """What happened, without the host's name before it."""
        what = self.error.what if isinstance(self.error, DeployError) else f"{type(self.error).__name__}: {self.error}"
        return what.removeprefix(f"{self.call.host}: ")

    @property
    def is_the_host_s(self) -> bool:
        """Whether this one host is to blame: neither a bug, nor somebody who took over."""
        ours = isinstance(self.error, DeployError) and not isinstance(self.error, LeaseHeld | SplitMoved)
        return bool(self.call.host) and ours


def hosts_of(calls: Calls) -> list[str]:
    """The hosts that calls are for, each once, in order."""
    return list(dict.fromkeys(call.host for batch in calls for call in batch if call.host))


def one_error(failures: Sequence[Failure], calls: Calls, begun: Iterable[str]) -> Exception:
    """All failures as one error. What is no host's own is raised as it is, and so is what only one host was asked.

    ``calls``: all that was to be done. ``begun``: the hosts on which something of it was begun.
    """
    first = next((failure for failure in failures if not failure.is_the_host_s), failures[0])
    hosts = hosts_of(calls)
    if not first.is_the_host_s or len(hosts) == 1:
        return first.error
    failed = list(dict.fromkeys(failure.call.host for failure in failures))
    lines = [f"  {failure.call.host}: {failure.why}" for failure in failures]
    tried = set(begun)
    done = [host for host in hosts if host in tried and host not in failed]
    left = [host for host in hosts if host not in tried]
    what = "\n".join([f"{_counted(len(failed))} of {len(hosts)} failed: {', '.join(failed)}", *lines])
    return HostsFailed(what, failed, state=_state(done, left), do=getattr(first.error, "do", ""))


def _counted(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"


def _state(done: Sequence[str], left: Sequence[str]) -> str:
    said = [f"done on {', '.join(done)}" if done else "done on no host"]
    return "; ".join([*said, *([f"not begun on {', '.join(left)}"] if left else [])])
