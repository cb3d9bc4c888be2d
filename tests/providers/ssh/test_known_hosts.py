"""Files of host keys, as sshd(8) describes them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from lab.labhost import keypair
from lab.parts import program

from deploytasks.providers.ssh.known_hosts import is_named, read

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "patterns", "expected"),
    [
        ("web1", "web1", True),
        ("web1", "WEB1,10.0.0.1", True),
        ("10.0.0.1", "web1,10.0.0.1", True),
        ("web2", "web1", False),
        ("[web1]:2222", "[web1]:2222", True),
        ("[web1]:2222", "web1", False),
        ("web1", "[web1]:2222", False),
        ("a.example.org", "*.example.org", True),
        ("a.example.org", "*.example.org,!a.example.org", False),
        ("b.example.org", "*.example.org,!a.example.org", True),
        ("web1", "web?", True),
        ("[web1]:2222", "[web?]:2222", True),
        ("[web1]:2222", "[*]:2222", True),
        ("w", "[web1]:2222", False),
        ("web1", "|1|no|hash", False),
    ],
)
def test_which_lines_mean_a_host(name: str, patterns: str, expected: bool) -> None:
    """Exact names, wildcards, negations and ports; brackets are no pattern."""
    assert expected == is_named(name, patterns)


def test_hashed_names(tmp_path: Path) -> None:
    """What ssh-keygen -H has hashed is found, and nothing else."""
    public = keypair(tmp_path / "key").with_suffix(".pub").read_text()
    file = tmp_path / "known"
    file.write_text(f"web1 {public}[web2]:2222 {public}")
    subprocess.run([program("ssh-keygen"), "-H", "-f", str(file)], check=True, capture_output=True)
    assert "web1" not in file.read_text()
    known = read([file])
    assert [1, 2] == [known.of("web1")[0].line, known.of("[web2]:2222")[0].line]
    assert [] == known.of("web3")


def test_what_is_no_key_is_passed_over(tmp_path: Path) -> None:
    """Comments, authorities and broken lines trust nobody; a missing file has no keys."""
    public = keypair(tmp_path / "key").with_suffix(".pub").read_text()
    file = tmp_path / "known"
    file.write_text(f"# web1 {public}\n@cert-authority web1 {public}web1\nweb1 ssh-ed25519 ###\n")
    assert [] == read([file, tmp_path / "missing"]).of("web1")
    assert f"{file} and {tmp_path}/missing" == read([file, tmp_path / "missing"]).shown


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """A key that was added meanwhile counts."""
    public = keypair(tmp_path / "key").with_suffix(".pub").read_text()
    file = tmp_path / "known"
    file.write_text("")
    assert [] == read([file]).of("web1")
    file.write_text(f"web1 {public}")
    assert 1 == len(read([file]).of("web1"))
