"""Signatures, made and checked by a real ``ssh-keygen``, with a real agent."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lab import keys

from deploytasks import signing
from deploytasks.errors import UsageError
from deploytasks.signers import fingerprint, person, read_key, read_public_half, read_signature, read_signers
from deploytasks.signing import Allowed, BadSignature, Key

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the keys nor the agent nor the git settings of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("SSH_AUTH_SOCK", "SSH_AGENT_PID", "DISPLAY", "SSH_ASKPASS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in keys.GIT.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "home" / ".ssh").mkdir(parents=True)


@pytest.fixture
def ann(tmp_path: Path) -> Path:
    return keys.make(tmp_path / "keys", "ann")


def key_of(path: Path) -> Key:
    return signing.keys(str(path), path.parent)[0]


def allowed(*lines: str, revoked: str | None = None) -> Allowed:
    return Allowed("".join(f"{line}\n" for line in lines).encode(), "allowed_signers", revoked and revoked.encode())


def signed(message: bytes, path: Path) -> str:
    return signing.sign(message, key_of(path), interactive=False)


def test_a_signature_tells_who_made_it(ann: Path) -> None:
    """The name from the file, and the fingerprint as ``ssh-keygen -l`` shows it."""
    found = signing.who_signed(b"yes", signed(b"yes", ann), allowed(f"ann@example.org {keys.public(ann)}"), [NOW])
    shown = subprocess.run(["ssh-keygen", "-l", "-f", ann], capture_output=True, text=True, check=True).stdout.split()[
        1
    ]
    assert ("ann@example.org", shown) == found


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_other_kinds_of_keys_sign_as_well(tmp_path: Path, kind: str) -> None:
    key = keys.make(tmp_path, "key", kind=kind)
    found = signing.who_signed(b"yes", signed(b"yes", key), allowed(f"ann@example.org {keys.public(key)}"), [NOW])
    assert "ann@example.org" == found.signer


def test_several_names_of_a_key_are_one_person(ann: Path) -> None:
    """The first name is the one that is recorded."""
    file = allowed(f"ann@example.org,ann@home.example {keys.public(ann)}")
    assert "ann@example.org" == signing.who_signed(b"yes", signed(b"yes", ann), file, [NOW]).signer


def refusal(message: bytes, signature: str, file: Allowed, at: datetime = NOW) -> str:
    with pytest.raises(BadSignature) as found:
        signing.who_signed(message, signature, file, [at])
    return found.value.what


def test_what_does_not_count_says_why(tmp_path: Path, ann: Path) -> None:
    """A changed statement, an unknown key, no signature, another purpose, a key for another purpose, a revoked one."""
    line, bob = f"ann@example.org {keys.public(ann)}", keys.make(tmp_path, "bob")
    good = signed(b"yes", ann)
    assert "the statement was changed" in refusal(b"yes!", good, allowed(line))
    assert "SHA256:" in (unknown := refusal(b"yes", signed(b"yes", bob), allowed(line)))
    assert "is not in allowed_signers" in unknown
    assert "it is no SSH signature" == refusal(b"yes", "-----BEGIN SSH SIGNATURE-----\nAAAA\n", allowed(line))
    assert "it is no SSH signature" == refusal(b"yes", "", allowed(line))
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", ann]
    foreign = subprocess.run(command, input=b"yes", capture_output=True, check=True).stdout.decode()
    assert "it was made for 'git', and not for 'deploytasks'" == refusal(b"yes", foreign, allowed(line))
    elsewhere = allowed(f'ann@example.org namespaces="git,file" {keys.public(ann)}')
    assert 'allowed_signers:1: key is not permitted for use in signature namespace "deploytasks"' == refusal(
        b"yes", good, elsewhere
    )
    assert "its key is revoked" in refusal(b"yes", good, allowed(line, revoked=keys.public(ann)))
    assert signing.who_signed(b"yes", good, allowed(line, revoked=keys.public(bob)), [NOW])


def test_a_key_counts_from_and_until(ann: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every instant that is asked for; in UTC, whatever the zone of the machine is."""
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    good = signed(b"yes", ann)
    file = allowed(f'ann@example.org valid-after="20261123",valid-before="202611231200" {keys.public(ann)}')
    early, late = datetime(2026, 11, 22, 23, 59, tzinfo=UTC), datetime(2026, 11, 23, 12, 1, tzinfo=UTC)
    assert signing.who_signed(b"yes", good, file, [NOW, NOW + timedelta(hours=1)])
    assert "key is not yet valid" in refusal(b"yes", good, file, early)
    assert "allowed_signers:1: key has expired" in refusal(b"yes", good, file, late)
    with pytest.raises(BadSignature, match="key has expired"):
        signing.who_signed(b"yes", good, file, [NOW, late])


def test_an_authority_speaks_for_keys(tmp_path: Path, ann: Path) -> None:
    """A certificate counts under the name that it has, where that fits; the authority's own key signs for nobody."""
    authority = keys.make(tmp_path, "authority")
    certificate = keys.certified(authority, ann, "ann@example.org")
    file = allowed(f"*@example.org cert-authority {keys.public(authority)}")
    good = signed(b"yes", certificate)
    assert "ann@example.org" == signing.who_signed(b"yes", good, file, [NOW]).signer
    assert "is not in allowed_signers" in refusal(b"yes", signed(b"yes", ann), file)
    assert "is not in allowed_signers" in refusal(b"yes", signed(b"yes", authority), file)
    other = allowed(f"*@example.com cert-authority {keys.public(authority)}")
    assert refusal(b"yes", good, other)
    assert certificate == signing.chosen([key_of(ann), key_of(certificate)], file).file


def test_a_key_of_a_crowd_counts_for_nobody(ann: Path) -> None:
    """Four eyes would be two."""
    assert "one key is one person's" in refusal(
        b"yes", signed(b"yes", ann), allowed(f"*@example.org {keys.public(ann)}")
    )


def test_a_passphrase_that_nobody_can_type(tmp_path: Path) -> None:
    """Without a terminal it says what to do, at once; with an agent it signs."""
    secret = keys.make(tmp_path, "secret", passphrase="correct horse")
    with pytest.raises(UsageError, match="wants its passphrase") as refused:
        signed(b"yes", secret)
    assert "ssh-add" in refused.value.do


def test_an_agent_signs(tmp_path: Path, ann: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its key is found without a file; and a configured public half needs nothing else."""
    file = allowed(f"ann@example.org {keys.public(ann)}")
    half = tmp_path / "half.pub"
    half.write_text(keys.public(ann))
    with keys.agent(ann) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        ann.unlink()
        found = signing.chosen(signing.keys(None, tmp_path), file)
        assert (None, "ssh-agent") == (found.file, found.origin)
        assert signing.who_signed(b"yes", signing.sign(b"yes", found, interactive=False), file, [NOW])
        for configured in (str(half), keys.public(ann), f"key::{keys.public(ann)}"):
            key = signing.chosen(signing.keys(configured, tmp_path), file)
            assert signing.who_signed(b"yes", signing.sign(b"yes", key, interactive=False), file, [NOW])
    with pytest.raises(UsageError, match="neither beside it nor in an agent"):
        signing.sign(b"yes", found, interactive=False)


def test_the_first_key_that_may_sign_is_taken(tmp_path: Path, ann: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git's, the agent's, those in ``~/.ssh``, in this order; one that is not allowed is passed over."""
    home = Path(os.environ["HOME"]) / ".ssh"
    by_default, of_git = keys.make(home, "id_ed25519"), keys.make(tmp_path, "git")
    keys.commit(tmp_path / "project", {"a": "b"})
    keys.git(tmp_path / "project", "config", "gpg.format", "ssh")
    keys.git(tmp_path / "project", "config", "user.signingkey", str(of_git))
    with keys.agent(ann) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        candidates = signing.keys(None, tmp_path / "project")
        named = {"git": of_git, "ann": ann, "home": by_default}
        order = [f"{who}@example.org {keys.public(key)}" for who, key in named.items()]
        origins = [signing.chosen(candidates, allowed(*order[at:])).origin for at in range(3)]
    assert [f"git's `user.signingkey`, {of_git}", "ssh-agent", "~/.ssh/id_ed25519"] == origins
    with pytest.raises(UsageError, match=r"none of your keys is in allowed_signers: git's.*SHA256:.*id_ed25519"):
        signing.chosen(candidates, allowed(f"eve@example.org {keys.public(keys.make(tmp_path, 'eve'))}"))


def test_a_missing_key_says_so(tmp_path: Path) -> None:
    """The configured one, or none at all."""
    with pytest.raises(UsageError, match=r"`signers\.key`: there is no key nowhere"):
        signing.keys("nowhere", tmp_path)
    with pytest.raises(UsageError, match="no SSH key of yours was found"):
        signing.chosen(signing.keys(None, tmp_path), allowed())


def test_without_openssh(tmp_path: Path, ann: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    key = key_of(ann)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(UsageError, match="ssh-keygen is not installed"):
        signing.sign(b"yes", key, interactive=False)


_AT_A_TERMINAL = """
import sys
from pathlib import Path
from deploytasks import signing
key = signing.keys(sys.argv[1], Path("/"))[0]
Path(sys.argv[2]).write_text(signing.sign(b"yes", key, interactive=True))
"""


def test_at_a_terminal_the_passphrase_is_asked_for(tmp_path: Path) -> None:
    """By ssh-keygen itself; a person's answer signs."""
    secret, out = keys.make(tmp_path, "secret", passphrase="correct horse"), tmp_path / "out"
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover  the child
        os.execv(sys.executable, [sys.executable, "-c", _AT_A_TERMINAL, str(secret), str(out)])
    said = b""
    while b"passphrase" not in said:
        said += os.read(terminal, 1000)
    os.write(terminal, b"correct horse\n")
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    assert 0 == code
    assert signing.who_signed(b"yes", out.read_text(), allowed(f"ann@example.org {keys.public(secret)}"), [NOW])


# -- the pure parts ----------------------------------------------------------------------------------


def test_an_allowed_signers_file_is_read(ann: Path, tmp_path: Path) -> None:
    """Comments, blank lines, quotes, options in any order and case, several names."""
    key = keys.public(ann)
    content = f"""# who may
ann@example.org {key} a comment

"bob b@example.org",bob@example.org NAMESPACES="a b,c",valid-before="20270101Z" {key}
*@example.org Cert-Authority {key}
"""
    found = read_signers(content.encode(), "allowed_signers")
    assert [("ann@example.org",), ("bob b@example.org", "bob@example.org"), ("*@example.org",)] == [
        one.principals for one in found
    ]
    assert [False, False, True] == [one.is_authority for one in found]
    assert {read_key(key)} == {one.key for one in found}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ann@example.org", "a type of key and a key are needed"),
        ("ann@example.org ssh-ed25519", "a type of key and a key are needed"),
        ("ann@example.org ssh-ed25519 AAAA", "cut off, or no key"),
        ("ann@example.org ssh-rsa {}", "it says ssh-rsa, and the key is of type ssh-ed25519"),
        ("ssh-ed25519 {}", "a type of key and a key are needed"),
    ],
)
def test_a_line_that_is_none_is_named(ann: Path, line: str, why: str) -> None:
    """``ssh-keygen`` passes over it in silence."""
    content = "# comment\n" + line.format(keys.public(ann).split()[1])
    with pytest.raises(UsageError, match=f"allowed_signers, line 2: .*{why}"):
        read_signers(content.encode(), "allowed_signers")


def test_a_public_half_is_read_from_a_locked_key(tmp_path: Path) -> None:
    """Without its passphrase: to choose a key nobody must be asked."""
    secret = keys.make(tmp_path, "secret", passphrase="correct horse")
    assert read_key(keys.public(secret)) == read_public_half(secret.read_text())
    assert read_public_half("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----") is None


def test_a_signature_says_its_key_and_purpose(ann: Path) -> None:
    found = read_signature(signed(b"yes", ann))
    assert found is not None
    assert ("deploytasks", read_key(keys.public(ann))) == (found.namespace, found.key)
    assert fingerprint(found.key).startswith("SHA256:")


def test_one_person_under_several_keys_and_names(tmp_path: Path) -> None:
    """Lines that share a name or a key are one person; an authority and a pattern join nobody."""
    first, second, third = (keys.public(keys.make(tmp_path, name)) for name in ("first", "second", "third"))
    file = read_signers(
        f"""ann@a,ann@b {first}
ann@b,ann@c {second}
ann@d {second}
*@e,bob@e {third}
*@a,*@e cert-authority {first}
""".encode(),
        "allowed_signers",
    )
    assert {"ann@a", "ann@b", "ann@c", "ann@d"} == person(file, "ann@d") == person(file, "ann@a")
    assert {"bob@e"} == person(file, "bob@e")
    assert {"carl@e"} == person(file, "carl@e")
