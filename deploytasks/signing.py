"""Signatures by SSH keys: made and checked by ``ssh-keygen -Y`` (OpenSSH 8.9 or newer), never by ourselves.

Everything is called by argument lists, with a deadline, in English and in UTC, whatever the machine's own zone is: a
``valid-before`` without a Z means the same everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from .errors import GateRefused, Unreachable, UsageError
from .signers import (
    Signer,
    fingerprint,
    is_certificate,
    key_line,
    read_key,
    read_public_half,
    read_signature,
    read_signers,
)

if TYPE_CHECKING:
    from subprocess import CompletedProcess

NAMESPACE = "deploytasks"
"""What is signed for something else (git, files) is no signature of ours."""
_QUICK = 10.0
"""Seconds for what needs nobody."""
_PATIENT = 120.0
"""Seconds for somebody who types a passphrase or touches a key."""
_NAMES = ("id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa")
"""In ``~/.ssh``, as ssh tries them, the best first."""


class BadSignature(GateRefused):
    """A signature does not count; the message says why."""


class Allowed(NamedTuple):
    """Whose signatures count: the content of the allowed-signers file, and of a list of revoked keys if there is one.

    ``name``: of the file, for messages.
    """

    content: bytes
    name: str
    revoked: bytes | None = None

    @property
    def signers(self) -> tuple[Signer, ...]:
        """The lines. Raises ``UsageError`` for one that is none."""
        return read_signers(self.content, self.name)


class Key(NamedTuple):
    """A key that may sign: a file (private, public with an agent, or a certificate), or one that an agent has."""

    file: Path | None
    """``None``: an agent has it."""
    public: bytes | None
    """The public half; ``None`` when it cannot be read without the passphrase."""
    origin: str
    """Where it was found, for messages."""


class Proof(NamedTuple):
    """Who made a signature."""

    signer: str
    """The first name that the allowed-signers file has for the key."""
    key: str
    """Its fingerprint."""


# -- which key ---------------------------------------------------------------------------------------


def keys(configured: str | None, root: Path) -> list[Key]:
    """The keys that could sign, the first choice first: the configured one and no other, or git's
    ``user.signingkey``, those of the agent, those in ``~/.ssh``."""
    if configured:
        return [_named(configured, root, "`signers.key`")]
    found = [*_of_git(root), *_of_the_agent(), *_at_home()]
    return list({key.public or key.file: key for key in reversed(found)}.values())[::-1]


def _named(text: str, root: Path, origin: str) -> Key:
    """A key that somebody wrote down: a path, or the public half itself."""
    literal = text.removeprefix("key::").strip()
    if public := read_key(literal):
        return Key(None, public, origin)
    path = root / Path(text).expanduser()
    if not path.exists() and not path.with_name(f"{path.name}.pub").exists():
        raise UsageError(f"{origin}: there is no key {text}", do="name a private key, or the public half of an agent's")
    return _file(path, f"{origin}, {text}")


def _file(path: Path, origin: str) -> Key:
    """A key in a file; its public half stands beside it, or, in OpenSSH's own format, in it."""
    half = path if path.suffix == ".pub" else path.with_name(f"{path.name}.pub")
    with suppress(OSError):
        return Key(path, read_key(half.read_text(errors="replace")), origin)
    with suppress(OSError):
        return Key(path, read_public_half(path.read_text(errors="replace")), origin)
    return Key(path, None, origin)


def _of_git(root: Path) -> list[Key]:
    """Git's, when it signs by SSH."""
    by, key = (_said(["git", "config", "--get", name], root) for name in ("gpg.format", "user.signingkey"))
    if by != "ssh" or not key:
        return []
    with suppress(UsageError):  # it is there for git, and may be gone
        return [_named(key, root, "git's `user.signingkey`")]
    return []


def _of_the_agent() -> list[Key]:
    if not os.environ.get("SSH_AUTH_SOCK"):
        return []
    lines = _said(["ssh-add", "-L"], None).splitlines()
    return [Key(None, public, "ssh-agent") for line in lines if (public := read_key(line))]


def _at_home() -> list[Key]:
    folder = Path("~/.ssh").expanduser()
    names = [each for name in _NAMES for each in (f"{name}-cert.pub", name)]
    return [_file(folder / name, f"~/.ssh/{name}") for name in names if (folder / name).is_file()]


def chosen(candidates: Sequence[Key], allowed: Allowed) -> Key:
    """The first of the keys that the allowed-signers file has; a certificate where that has an authority.

    Raises ``UsageError`` when there is none, with what was looked at and what to do.
    """
    known = allowed.signers
    listed = {one.key for one in known if not one.is_authority}
    has_authority = any(one.is_authority for one in known)
    for key in candidates:
        if key.public in listed or (key.public and has_authority and is_certificate(key.public)):
            return key
    seen = ", ".join(f"{key.origin} ({fingerprint(key.public) if key.public else 'unreadable'})" for key in candidates)
    raise UsageError(
        f"none of your keys is in {allowed.name}: {seen}" if seen else "no SSH key of yours was found to sign with",
        state="nothing was signed",
        do=f"add a line with your public key to {allowed.name} and have it reviewed and committed, or name another "
        "key: `signers.key`; a new one: ssh-keygen -t ed25519",
    )


# -- signing -----------------------------------------------------------------------------------------


def sign(message: bytes, key: Key, *, interactive: bool) -> str:
    """The armored signature. Where somebody is at the terminal (``interactive``), they may be asked for a passphrase or
    a touch; otherwise nobody is, and nothing waits. Raises ``UsageError`` when the key does not sign."""
    with _files(message=message, public=key_line(key.public or b"")) as place:
        file = key.file or place / "public"
        command = ["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(file), str(place / "message")]
        done = _run(command, timeout=_PATIENT if interactive else _QUICK, interactive=interactive)
        if done.returncode == 0:
            return (place / "message.sig").read_text()
    said = (done.stderr or b"").decode(errors="replace").strip().splitlines()
    raise _unsigned(key, said[-1] if said else "", interactive=interactive)


def _unsigned(key: Key, said: str, *, interactive: bool) -> UsageError:
    where = key.origin
    if "passphrase" in said and not interactive:
        what = f"the key {where} wants its passphrase, and nobody is at a terminal"
        do = f"let an agent hold it: eval $(ssh-agent); ssh-add {key.file or ''}".rstrip()
    elif "agent" in said or "No private key" in said or key.file is None:
        what, do = (
            f"the private half of {where} is neither beside it nor in an agent",
            "ssh-add it, or name another key",
        )
    else:
        what, do = f"{where} does not sign{f': {said}' if said else ''}", "`ssh-keygen -l -f` tells whether it is a key"
    return UsageError(what, state="nothing was signed", do=do)


# -- checking ----------------------------------------------------------------------------------------


def who_signed(message: bytes, signature: str, allowed: Allowed, at: Sequence[datetime]) -> Proof:
    """Who made a signature under a message, by a key that counted at all of these instants.

    Raises ``BadSignature`` with the reason when nobody did who may; ``UsageError`` for an unreadable file.
    """
    known, seen = allowed.signers, read_signature(signature)
    if seen is None:
        raise BadSignature("it is no SSH signature")
    if seen.namespace != NAMESPACE:
        raise BadSignature(f"it was made for {seen.namespace!r}, and not for {NAMESPACE!r}")
    of_key = [one for one in known if one.key == seen.key and not one.is_authority]
    if not of_key and not (is_certificate(seen.key) and any(one.is_authority for one in known)):
        raise BadSignature(f"its key {fingerprint(seen.key)} is not in {allowed.name}")
    if any(one.has_pattern for one in of_key):
        raise BadSignature(f"{allowed.name} has its key for {of_key[0].principals[0]}: one key is one person's")
    with _files(allowed=allowed.content, signature=signature.encode(), revoked=allowed.revoked or b"") as place:
        name = _principal(place, at[0], allowed)
        for moment in at:
            _verify(place, message, name, moment, allowed)
    return Proof(name, fingerprint(seen.key))


def _principal(place: Path, at: datetime, allowed: Allowed) -> str:
    """The first name that the file has for the key at this instant."""
    done = _run(
        [
            "ssh-keygen",
            "-Y",
            "find-principals",
            _time(at),
            "-s",
            str(place / "signature"),
            "-f",
            str(place / "allowed"),
        ],
        timeout=_QUICK,
    )
    names = done.stdout.decode(errors="replace").splitlines()
    if done.returncode != 0 or not names:
        raise BadSignature(_why(done, place, allowed))
    return names[0]


def _verify(place: Path, message: bytes, name: str, at: datetime, allowed: Allowed) -> None:
    command = ["ssh-keygen", "-Y", "verify", _time(at), "-f", str(place / "allowed"), "-I", name, "-n", NAMESPACE]
    command += ["-s", str(place / "signature")]
    done = _run(command, timeout=_QUICK, given=message)
    if done.returncode != 0:
        raise BadSignature(_why(done, place, allowed))
    if allowed.revoked is None:
        return
    done = _run([*command, "-r", str(place / "revoked")], timeout=_QUICK, given=message)
    if done.returncode != 0:  # it says nothing then
        raise BadSignature("its key is revoked, or the list of revoked keys cannot be read")


def _time(at: datetime) -> str:
    return f"-Overify-time={at.astimezone(UTC):%Y%m%d%H%M%S}"


def _why(done: CompletedProcess[bytes], place: Path, allowed: Allowed) -> str:
    """What ``ssh-keygen`` says, in words about the files as their owners know them."""
    said = done.stderr.decode(errors="replace").replace(str(place / "allowed"), allowed.name)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if any("incorrect signature" in line for line in lines):
        return "it does not fit what was signed: the statement was changed"
    return lines[0] if lines else "ssh-keygen refuses it"


# -- running -----------------------------------------------------------------------------------------


@contextmanager
def _files(**contents: bytes) -> Iterator[Path]:
    """A folder of our own with these files, for the length of the body."""
    with TemporaryDirectory(prefix="deploytasks-") as folder:
        for name, content in contents.items():
            (Path(folder) / name).write_bytes(content)
        yield Path(folder)


def _run(
    command: Sequence[str],
    *,
    timeout: float,
    given: bytes | None = None,
    interactive: bool = False,
    at: Path | None = None,
) -> CompletedProcess[bytes]:
    """Run it to its end. Nobody is asked anything, unless ``interactive``: then it has our terminal."""
    import subprocess

    try:
        return subprocess.run(
            command, cwd=at, env=_environment(interactive=interactive), timeout=timeout, check=False, input=given,
            stdin=None if interactive or given is not None else subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=None if interactive else subprocess.PIPE, start_new_session=not interactive,
        )  # fmt: skip
    except FileNotFoundError:
        raise UsageError(
            f"{command[0]} is not installed, or not on PATH",
            state="nothing was signed",
            do="install OpenSSH 8.9 or newer",
        ) from None
    except subprocess.TimeoutExpired:
        raise Unreachable(f"{command[0]} did not answer within {timeout:g} s", state="nothing was signed") from None


def _environment(*, interactive: bool) -> Mapping[str, str]:
    """In English, in UTC. A new session has no terminal to ask at; a window must not open either."""
    named = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    if not interactive:
        named.pop("DISPLAY", None)
        named["SSH_ASKPASS_REQUIRE"] = "never"
    return named


def _said(command: Sequence[str], at: Path | None) -> str:
    """What a program says; nothing, when it is not there, or fails."""
    try:
        done = _run(command, timeout=_QUICK, at=at)
    except (UsageError, Unreachable):
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""
