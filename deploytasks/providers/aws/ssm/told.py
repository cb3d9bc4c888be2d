"""What SSM says about a command on one instance, and what that means. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ....errors import DeployError, Unreachable
from ...hosts.host import CommandFailed
from .wrapping import LATE, NOT_FETCHED

_DONE = frozenset({"Success", "Failed", "TimedOut", "Cancelled"})

_ENDED: Mapping[str, tuple[str, str]] = {
    "deliverytimedout": ("did not take a command in time", "it was not started"),
    "undeliverable": ("cannot be brought a command: SSM does not reach it", "it was not started"),
    "terminated": ("was not begun: too many others had failed before (max_errors)", "it was not started"),
    "cancelled": ("a command was cancelled", "it was killed, if it had begun"),
    "executiontimedout": ("a command was not done in time", "SSM's agent has killed it"),
    "invalidplatform": ("its platform does not fit AWS-RunShellScript", "it was not started"),
    "accessdenied": ("whoever sends the command may not send it there", "it was not started"),
}
_DO = "`inv doctor` says how its agent is; look at amazon-ssm-agent there"
_WHOLE: Mapping[str, str] = {
    "rateexceeded": "more commands wait in this account than SSM allows: run it again in a minute",
    "limitexceeded": "more commands wait in this account than SSM allows: run it again in a minute",
    "noinstancesintag": "no instance was found",
    "accessdenied": "allow ssm:SendCommand on the instances and on the document: docs/aws.md has the policy",
}


class Told(NamedTuple):
    """How a command ended on an instance."""

    status: str
    """As SSM says it in detail, without blanks and in lower case: ``deliverytimedout``."""
    code: str
    """The exit code, or ``LATE``; empty when the command itself has said nothing."""
    text: str
    size: int
    """Bytes of what it has said. More than the text has: the beginning is missing."""
    is_whole: bool
    """Whether all that was to be told has come."""
    rest: str = ""
    """What came instead."""


def is_done(invocation: Mapping[str, Any]) -> bool:
    """Whether nothing more will happen to it."""
    return invocation.get("Status") in _DONE


def told(invocation: Mapping[str, Any], output: str, token: str) -> Told:
    """An invocation that is done, with its output."""
    status = re.sub(r"[\s_-]", "", str(invocation.get("StatusDetails") or invocation.get("Status"))).lower()
    head = re.search(rf"^{token} (\w+) (\d+)\n", output, re.MULTILINE)
    if head is None:
        return Told(status, "", "", 0, status not in {"success", "failed"} or bool(output), output)
    body, is_whole = output[head.end() :], False
    end = body.rfind(f"\n{token} end")
    if end >= 0:
        body, is_whole = body[:end], True
    return Told(status, head[1], body, int(head[2]), is_whole)


def said(name: str, of: Told, *, keeps_the_end: bool = False) -> str:
    """What the command has said. Raises ``CommandFailed`` or ``Unreachable``, as ``Host.run`` does.

    ``keeps_the_end``: of too much, the end will do.
    """
    if of.code == LATE:
        raise Unreachable(f"{name}: a command was not done in time: {_last(of.text)}".removesuffix(": "), state=_KILLED)
    if of.code == str(NOT_FETCHED) and "curl" in of.text:
        raise Unreachable(
            f"{name}: cannot fetch from the bucket: {_last(of.text)}",
            state="nothing was installed there",
            do="it needs curl and a way to S3 (a gateway endpoint, or NAT); see fleet.url_expires",
        )
    if of.code and of.code != "0":
        raise CommandFailed(name, int(of.code), of.text)
    if of.code and not of.is_whole:
        raise Unreachable(f"{name}: a command says {of.size} bytes, and SSM tells fewer")
    if of.code:
        if len(of.text.encode()) >= of.size:
            return of.text
        if keeps_the_end:
            return f"(the beginning of {of.size} bytes is left out)\n" + of.text.partition("\n")[2]
        raise Unreachable(f"{name}: a command says {of.size} bytes, more than SSM can tell")
    raise _ended(name, of)


_KILLED = "it was killed with everything it had started"


def _ended(name: str, of: Told) -> DeployError:
    """What else became of it."""
    if of.status in _ENDED:
        what, state = _ENDED[of.status]
        return Unreachable(f"{name}: {what}", state=state, do=_DO)
    if of.status in {"success", "failed"}:
        why = _last(of.rest) or "it said nothing"
        return Unreachable(f"{name}: its agent did not run a command as it was given: {why}", do=_DO)
    return Unreachable(f"{name}: a command ended as {of.status}", do=_DO)


def of_a_whole_command(details: str) -> str | None:
    """What to do when a command came to nothing everywhere; ``None``: it did not."""
    return _WHOLE.get(re.sub(r"[\s_-]", "", details).lower())


def _last(text: str) -> str:
    return "; ".join([line.rstrip() for line in text.splitlines() if line.strip()][-2:])
