"""The remote that a branch is compared with and pushed to: read, never fetched."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import DeployError
from . import git, unattended
from .checkout import Checkout, refused

WITHIN = 20.0
"""Seconds for one answer of the remote."""


@dataclass(frozen=True)
class Upstream:
    """A remote as it is now. ``ref``: our branch there; ``tip``: its commit, if it is there."""

    name: str
    url: str
    ref: str
    tip: str | None = None
    tags: frozenset[str] = frozenset()
    silent: str = ""
    """Why it is not known what it has; empty when it is."""


def url_of(at: Checkout, name: str | None) -> str | None:
    """Where a remote is; ``None`` when there is none of this name."""
    if name is None or name not in git.ask(at.top, "remote").decode(errors="replace").splitlines():
        return None
    return _said(at.top, "remote", "get-url", name)


def main_branch(top: Path, remote: str | None) -> str:
    """The branch that the next versions come from, as the remote says, or as most call it."""
    if remote is not None and (found := _said(top, "symbolic-ref", "--quiet", f"refs/remotes/{remote}/HEAD")):
        return found.removeprefix(f"refs/remotes/{remote}/")
    return "main" if _said(top, "rev-parse", "--verify", "--quiet", "refs/heads/main") else "master"


def ask(at: Checkout, name: str | None) -> Upstream | None:
    """What the remote has; ``None`` when there is no such remote."""
    url = url_of(at, name)
    if name is None or url is None:
        return None
    ref = _upstream_of(at, name) or at.ref
    try:
        found = references(at.top, name, ref, "refs/tags/*")
    except DeployError as error:
        return Upstream(name, url, ref, silent=error.what)
    tags = {known.removeprefix("refs/tags/") for known in found if known.startswith("refs/tags/")}
    return Upstream(name, url, ref, found.get(ref), frozenset(tags))


def references(top: Path, remote: str, *patterns: str) -> dict[str, str]:
    """The objects that the remote's references name, now; nobody is asked for a password. Raises ``Unreachable``."""
    until = time.monotonic() + WITHIN
    said = unattended.ask(top, "ls-remote", "--refs", "--", remote, *patterns, until=until, remote=remote)
    return {ref: number for number, _, ref in (line.partition("\t") for line in said.splitlines())}


def refuse_behind(at: Checkout, upstream: Upstream) -> None:
    """Raise ``GateRefused`` when the remote's branch has commits that ours does not."""
    if upstream.tip is None or holds(at.top, at.head, upstream.tip):
        return
    raise refused(
        f"{at.branch} does not have all that {upstream.name} has: {upstream.tip[:12]} is missing",
        f"git pull --rebase {upstream.name} {upstream.ref.removeprefix('refs/heads/')}",
    )


def holds(top: Path, commit: str, other: str) -> bool:
    """Whether the history of a commit has another one, which may be unknown here."""
    try:
        git.ask(top, "merge-base", "--is-ancestor", other, commit)
    except git.GitRefused:
        return False
    return True


def _upstream_of(at: Checkout, remote: str) -> str | None:
    """What our branch is called there, if it follows one there."""
    if _said(at.top, "config", "--get", f"branch.{at.branch}.remote") != remote:
        return None
    return _said(at.top, "config", "--get", f"branch.{at.branch}.merge") or None


def _said(top: Path, *arguments: str) -> str:
    try:
        return git.line(top, *arguments)
    except git.GitRefused:
        return ""


def web_address(url: str) -> str | None:
    """``https://host/owner/name`` of a remote's URL; ``None`` for a folder and the like.

    Without user and password, and without a port of ssh, which is not that of the web.
    """
    if scp := re.fullmatch(r"(?:[^@/\s]+@)?([\w.-]+):(?!//)([^\s]+)", url):
        host, path = scp[1], scp[2]
    else:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https", "ssh", "git") or not parts.hostname:
            return None
        port = f":{parts.port}" if parts.port and parts.scheme in ("http", "https") else ""
        host, path = parts.hostname + port, parts.path
    path, host = path.strip("/").removesuffix(".git"), "github.com" if host == "ssh.github.com" else host
    return f"https://{host}/{path}" if path.count("/") >= 1 else None
