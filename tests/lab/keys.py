"""SSH keys of people, made by ``ssh-keygen``; an agent that ends with its test; repositories with files in them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

GIT = {
    **{f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in
       (("NAME", "Ann"), ("EMAIL", "ann@example.org"), ("DATE", "2026-11-23T09:00:00Z"))},
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
}  # fmt: skip
"""For git as nobody in particular."""


def make(folder: Path, name: str, *, passphrase: str = "", kind: str = "ed25519") -> Path:
    """A private key, with its public half beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", key], check=True, timeout=60)
    return key


def public(key: Path) -> str:
    """Its public half: type and key, without the comment."""
    return " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])


def certified(authority: Path, key: Path, name: str) -> Path:
    """The certificate of an authority that this key is this person's."""
    command = ["ssh-keygen", "-q", "-s", authority, "-I", name, "-n", name, f"{key}.pub"]
    subprocess.run(command, check=True, timeout=60)
    return key.with_name(f"{key.name}-cert.pub")


@contextmanager
def agent(*keys: Path) -> Iterator[Mapping[str, str]]:
    """An agent that holds these keys, as environment variables; it ends with the body."""
    started = subprocess.run(["ssh-agent", "-s"], check=True, capture_output=True, text=True, timeout=60)
    found = dict(part.split("=", 1) for part in started.stdout.replace("\n", ";").split(";") if "=" in part)
    variables = {name.strip(): found[name] for name in ("SSH_AUTH_SOCK", "SSH_AGENT_PID")}
    own = {**os.environ, **variables}
    try:
        for key in keys:
            subprocess.run(["ssh-add", "-q", key], env=own, check=True, timeout=60, stdin=subprocess.DEVNULL)
        yield variables
    finally:
        subprocess.run(["ssh-agent", "-k"], env=own, check=True, capture_output=True, timeout=60)


def git(folder: Path, *arguments: str) -> str:
    """What git says there."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **GIT},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout.strip()


def commit(folder: Path, files: Mapping[str, str], message: str = "Say who signs") -> str:
    """Write files into a repository, which is made if needed, and commit them; the commit."""
    if not (folder / ".git").exists():
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "-q", "-b", "main")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    git(folder, "add", "--force", "--", *files)
    git(folder, "commit", "-q", "--no-gpg-sign", "-m", message)
    return git(folder, "rev-parse", "HEAD")
