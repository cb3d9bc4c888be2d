"""Nothing secret travels: what is found in a release and its commit, and how fast."""

from __future__ import annotations

import base64
import random
import shutil
import string
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import memory
import pytest
from hypothesis import given, strategies as st

from deploytasks.checklist.configuration import nothing_leaks
from deploytasks.checklist.leaks import look_through
from deploytasks.checklist.scanning import Finding, needles, scan
from deploytasks.checklist.shapes import SHAPES, never_travels
from deploytasks.checklist.subject import Subject
from deploytasks.errors import DeployError
from deploytasks.release import artifact

SECRET = "Zk3-horse.battery/staple+9"
BODY = "".join(random.Random(4).choices(string.ascii_letters + string.digits, k=120))

LOOKS_SECRET = {
    f"-----BEGIN RSA PRIVATE KEY-----\n{BODY[:64]}\n": "a private key",
    f"-----BEGIN OPENSSH PRIVATE KEY-----\r\n{BODY[:64]}": "a private key",
    f"-----BEGIN PRIVATE KEY-----\\n{BODY[:64]}\\n": "a private key",
    f"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{BODY[:64]}": "a private key",
    f"PuTTY-User-Key-File-2: ssh-rsa {BODY}": "a private key (PuTTY)",
    f"AGE-SECRET-KEY-1{BODY[:58].upper()}": "a private key (age)",
    "AKIA" + BODY[:16].upper(): "an AWS access key",
    f"aws_secret_access_key = {BODY[:40]}": "an AWS secret key",
    f"ghp_{BODY[:36]}": "a GitHub token",
    f"ghs_{BODY[:36]}": "a GitHub token",
    f"github_pat_{BODY[:82]}": "a GitHub token",
    f"glpat-{BODY[:20]}": "a GitLab token",
    f"xoxb-{BODY[:40]}": "a Slack token",
    f"https://hooks.slack.com/services/T0{BODY[:8].upper()}/B0{BODY[8:16].upper()}/{BODY[:24]}": "a Slack webhook",
    f"sk_live_{BODY[:24]}": "a Stripe key",
    f"rk_live_{BODY[:24]}": "a Stripe key",
    f"whsec_{BODY[:32]}": "a Stripe webhook secret",
    f'"routing_key": "{BODY[:32]}"': "a PagerDuty key",
    f"Authorization: Token token={BODY[:20]}": "a PagerDuty token",
    f"AIza{BODY[:35]}": "a Google key",
    f"SG.{BODY[:22]}.{BODY[:43]}": "a SendGrid key",
    f"npm_{BODY[:36]}": "an npm token",
    f"//registry.npmjs.org/:_authToken={BODY[:36]}": "an npm token",
    f"pypi-AgEIcHlwaS5vcmc{BODY}": "a PyPI token",
    f"hvs.{BODY[:24]}": "a Vault token",
    f"sk-ant-{BODY[:40]}": "an API key",
    f"NRAK-{BODY[:27].upper()}": "a New Relic key",
    f"sntrys_{BODY[:60]}": "a Sentry token",
    f"AccountKey={BODY[:86]}==": "an Azure storage key",
}

LOOKS_LIKE_IT = [
    "-----BEGIN RSA PRIVATE KEY-----",
    "PuTTY-User-Key-File-2: ssh-rsa",
    'if line.startswith("-----BEGIN PRIVATE KEY-----"):\n    return True\n',
    f"-----BEGIN PUBLIC KEY-----\n{BODY}",
    f"-----BEGIN CERTIFICATE-----\n{BODY}",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_" + "x" * 36,
    f"bghp_{BODY[:36]}",
    "ghp_tooshort",
    "//registry.npmjs.org/:_authToken=${NPM_TOKEN}",
    f"sk_test_{BODY[:24]}",
    f"will_live_{BODY[:24]}",
    "_live_",
    "SG.",
]


def found(content: bytes, path: str = "app.py", known: str | None = None, step: int = 1 << 20) -> list[Finding]:
    """What is found in one file that comes in pieces of ``step`` bytes."""
    pieces = (content[at : at + step] for at in range(0, len(content), step))
    return scan(path, pieces, needles([("SECRET_KEY", known)] if known else []))


@pytest.mark.parametrize("text", LOOKS_SECRET)
@pytest.mark.parametrize("step", [1 << 20, 97])
def test_shapes_are_found_wherever_they_are_cut(text: str, step: int) -> None:
    """Each well-known shape is found on its line, in text and in binary, in one piece and in many."""
    before = "one = 1\n" * 99
    assert (100, f"has {LOOKS_SECRET[text]}") in [
        (one.line, one.what) for one in found(f'{before}key = "{text}"\n'.encode(), step=step)
    ]
    assert found(b"\x00\xff\x00" + text.encode() + b"\x00\x01", "app.bin", step=step)


@pytest.mark.parametrize("text", LOOKS_LIKE_IT)
def test_what_only_looks_like_it_is_not_told(text: str) -> None:
    """A name of a key without the key, an example of the documentation, a variable in its place: none is a secret."""
    assert [] == found(f'key = "{text}"\n'.encode())


def test_every_shape_is_tried() -> None:
    """No shape is without its example here."""
    assert {shape.what for shape in SHAPES} == set(LOOKS_SECRET.values())


@pytest.mark.parametrize(
    "written",
    [
        SECRET.encode(),
        base64.b64encode(SECRET.encode()),
        base64.b64encode(SECRET.encode() + b" and more"),
        b"postgres://app:Zk3-horse.battery%2Fstaple%2B9@db/app",
        SECRET.encode("utf-16-le"),
    ],
    ids=["as it is", "base64", "in base64", "in a URL", "UTF-16"],
)
@pytest.mark.parametrize("step", [1 << 20, 13])
def test_a_known_value_is_found_in_every_dress(written: bytes, step: int) -> None:
    """A known value is found as it is and as files hold it, on its line; the value itself is not in what is told."""
    (only,) = found(b"a\nb\n" + written + b"\n" + b"x" * 500, known=SECRET, step=step)
    assert str(only) == "app.py:3 has the value of SECRET_KEY"
    assert only.is_known


def test_short_values_are_not_searched_for() -> None:
    """A value of seven characters would be found in ordinary words."""
    assert [] == needles([("PASSWORD", "library")])


@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(1, 64))
def test_pieces_change_nothing(before: bytes, after: bytes, step: int) -> None:
    """Whatever stands around it and however it is cut: the value is found, once, on its line."""
    content = before + SECRET.encode() + after
    lines = [one.line for one in found(content, known=SECRET, step=step) if one.is_known]
    assert [before.count(b"\n") + 1] == lines


@pytest.mark.parametrize(
    ("path", "is_bad"),
    [
        (".env", True), ("deploy/.env.production", True), (".env.example", False), ("config/.env.sample", False),
        ("keys/id_rsa", True), ("keys/id_rsa.pub", False), ("id_ed25519", True), ("certs/server.p12", True),
        ("backup/library.dump", True), ("dump.sql.gz", True), ("home/.aws/credentials", True),
        ("home/.docker/config.json", True), ("src/config.json", False), (".npmrc", False), ("environment.py", False),
        ("terraform.tfstate", True), (".netrc", True), ("db.sqlite3", True), (".envrc.md", False),
    ],
)  # fmt: skip
def test_files_that_stay_at_home(path: str, is_bad: bool) -> None:
    """Some files are told by their name alone; samples of them may travel."""
    assert (never_travels(path) is not None) == is_bad


def test_a_dump_is_told_by_its_rows() -> None:
    """A dump with rows stays at home; a schema alone may travel."""
    schema = b"--\n-- PostgreSQL database dump\n--\nCREATE TABLE users (id int);\n"
    assert [] == found(schema, "structure.sql")
    assert found(schema + b"COPY public.users (id) FROM stdin;\n1\n", "structure.sql")
    assert found(b"PGDMP\x01\x0e", "data.bin")


def test_fifty_megabytes_in_a_second() -> None:
    """Ordinary sources, 50 MB in 5,000 files, with ten known secrets: a second of this processor at most."""
    words = random.Random(1).choices(["def", "return", "self._key", "AKI", "http://", "0x1f", "'a'\n", "    "], k=2_000)
    source = (" ".join(words).encode() * 2)[:10_000]
    files = [(f"app/module_{number}.py", [source]) for number in range(5_000)]
    known = needles((f"SECRET_{number}", f"{SECRET}-{number}") for number in range(10))
    began = time.process_time()
    seen = look_through(((path, iter(pieces)) for path, pieces in files), known, ())
    took = time.process_time() - began
    assert (5_000, []) == (seen.files, seen.findings)
    assert took < 2.5  # twice and a half what it may take, for machines that are busy; benchmarks are elsewhere


def test_it_ends_in_time() -> None:
    """What takes too long is no pass."""
    with pytest.raises(DeployError, match="could not be looked through in time"):
        look_through([("a", iter([b"x"]))], [], (), longest=-1)


# -- in a repository -----------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository whose source is a folder of it."""
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "src" / "app.py").write_text("one = 1\n")
    (root / "README.md").write_text("An application.\n")
    git(root, "init", "-q", "-b", "main")
    commit(root)
    return root


def git(root: Path, *arguments: str) -> None:
    """Run git there."""
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def commit(root: Path) -> None:
    """Commit all of it."""
    git(root, "add", "--all")
    git(root, "commit", "-q", "-m", "A change")


def subject(
    root: Path, monkeypatch: pytest.MonkeyPatch | None = None, build: bool = False, **variables: object
) -> Subject:
    """What is checked out there, on its way, with one known secret."""
    if monkeypatch is not None:
        monkeypatch.setenv("SECRET_KEY", SECRET)
    declared = {"required": [{"name": "SECRET_KEY", "secret": True}], **variables}
    folder = root.parent / "world"
    folder.mkdir(exist_ok=True)
    world = memory.world(folder, variables=declared, dirty=True)
    world.site = world.site._replace(root=root)
    world.settings = replace(world.settings, source="src")
    release = artifact.describe(root, "src", artifacts=world.artifacts)
    return Subject(world, artifact.build(root, "src", release, world.artifacts) if build else release)


@pytest.mark.parametrize("build", [False, True])
def test_a_clean_release_passes(project: Path, monkeypatch: pytest.MonkeyPatch, build: bool) -> None:
    """What was looked through is told."""
    said = nothing_leaks(subject(project, monkeypatch, build))
    assert said.answer == "pass"
    assert said.evidence.startswith("2 files, 0.0 MB: none of 1 known secrets")


@pytest.mark.parametrize("build", [False, True])
@pytest.mark.parametrize("file", ["src/settings.py", "README.md"])
def test_a_value_in_the_release_or_beside_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, build: bool, file: str
) -> None:
    """A known value is found in what is deployed and in the rest of the commit, with file and line."""
    (project / file).write_text(f"# settings\nSECRET_KEY = {SECRET!r}\n")
    commit(project)
    said = nothing_leaks(subject(project, monkeypatch, build))
    assert said.answer == "fail"
    assert f"{file}:2 has the value of SECRET_KEY" in said.evidence
    assert SECRET not in said.evidence


def test_changes_that_no_commit_has(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a dirty tree may be deployed, what lies there is looked through."""
    (project / "src" / "new.py").write_text(f"\nkey = {SECRET!r}\n")
    said = nothing_leaks(subject(project, monkeypatch))
    assert "src/new.py:2 has the value of SECRET_KEY" in said.evidence


def test_only_in_the_archive(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive itself is looked through, not only what it was made from."""
    of = subject(project, monkeypatch, build=True)
    assert of.release is not None
    (project / "src" / "app.py").write_text(f"key = {SECRET!r}\n")
    commit(project)
    other = subject(project, monkeypatch, build=True)
    assert other.release is not None
    shutil.copy(other.release.archive, of.release.archive)
    assert "src/app.py:1 has the value of SECRET_KEY" in nothing_leaks(of).evidence


def test_allowed_paths_may_look_secret_but_hold_no_known_value(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of tests may be there where that was said; the value of a known secret may not."""
    key = f"-----BEGIN PRIVATE KEY-----\n{BODY[:64]}\n"
    (project / "src" / "test_key.pem").write_text(key)
    commit(project)
    assert nothing_leaks(subject(project, monkeypatch)).evidence == "src/test_key.pem:1 has a private key"
    assert nothing_leaks(subject(project, monkeypatch, leaks_allowed=["src/test_*"])).answer == "pass"
    (project / "src" / "test_key.pem").write_text(f"{key}{SECRET}\n")
    commit(project)
    said = nothing_leaks(subject(project, monkeypatch, leaks_allowed=["*"]))
    assert said.evidence.startswith("src/test_key.pem:3 has the value of SECRET_KEY (")


def test_without_a_release_or_a_repository(tmp_path: Path) -> None:
    """Nothing chosen yet: pending. Nothing that could be looked through: no pass."""
    world = memory.world(tmp_path)
    assert nothing_leaks(Subject(world, None)).answer == "pending"
    assert nothing_leaks(Subject(world, memory.release())).answer == "fail"
