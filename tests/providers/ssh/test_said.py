"""What an ssh_config says."""

from __future__ import annotations

from pathlib import Path

import pytest
from providers.ssh.conftest import write

from deploytasks.errors import SettingsError
from deploytasks.providers.ssh import said


def test_includes_are_read_where_they_stand(tmp_path: Path) -> None:
    """What is first said counts, and after an included file its surroundings go on."""
    write(tmp_path / "one.conf", "Host web1\n  User included\n")
    write(tmp_path / "two.conf", "Port 2222\n")
    text = f"Host web1\n  Port 22\n  Include {tmp_path}/one.conf\n  HostName later\nInclude {tmp_path}/t*.conf\n"
    found = said.ssh_config(write(tmp_path / "config", text))
    assert ("included", "22", "later") == tuple(found.lookup("web1")[key] for key in ("user", "port", "hostname"))
    assert "port" not in found.lookup("web2")


def test_an_include_of_itself_ends(tmp_path: Path) -> None:
    """A file that includes itself is read to a bounded depth."""
    config = write(tmp_path / "config", f"Include {tmp_path}/config\nHost web1\n  User deploy\n")
    assert "deploy" == said.ssh_config(config).lookup("web1")["user"]


def test_a_file_that_cannot_be_understood(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(SettingsError, match="config: "):
        said.ssh_config(write(tmp_path / "config", "Match nonsense\n"))


def test_options_that_are_heeded() -> None:
    """As ssh_config(5) has them; none is none."""
    assert ["a", "deploy@b:22"] == said.hops({"proxyjump": "ssh://a, deploy@b:22"})
    assert [] == said.hops({"proxyjump": "none"})
    assert None is said.command({"proxycommand": "none"})
    assert 5.0 == said.limit({"connecttimeout": "5"})
    assert float("inf") == said.limit({}) == said.limit({"connecttimeout": "0"})
    assert "alias" == said.key_name({"hostkeyalias": "alias"}, "web1", 2222)
    assert "[web1]:2222" == said.key_name({}, "web1", 2222)
    assert Path.home() / ".ssh/known_hosts" == said.known_hosts({})[0]
    assert [Path("/a"), Path("/b")] == said.known_hosts({"userknownhostsfile": "/a", "globalknownhostsfile": "/b"})
    assert [Path("/b")] == said.known_hosts({"userknownhostsfile": "none", "globalknownhostsfile": "/b"})
