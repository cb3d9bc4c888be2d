"""Connecting: whom we trust, who lets us in, and how each refusal reads."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab.labhost import keypair
from lab.parts import program
from providers.ssh.conftest import reached, write

from deploytasks.errors import Unreachable, UsageError
from deploytasks.providers.ssh import host
from deploytasks.providers.ssh.failures import HostKeyRefused, LoginRefused
from deploytasks.providers.ssh.known_hosts import fingerprint
from deploytasks.providers.ssh.reaching import parts
from deploytasks.settings.ssh import SshAccess

if TYPE_CHECKING:
    from lab.hosts import Lab


def print_of(public: Path) -> str:
    """The fingerprint of a key, as ssh-keygen has it."""
    shown = subprocess.run(["ssh-keygen", "-lf", str(public)], capture_output=True, text=True, check=True)
    return shown.stdout.split()[1]


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("web1", (None, "web1", None)),
        ("deploy@web1:2222", ("deploy", "web1", 2222)),
        ("deploy@[fd00::1]:22", ("deploy", "fd00::1", 22)),
        ("[fd00::1]", (None, "fd00::1", None)),
    ],
)
def test_an_endpoint_has_parts(endpoint: str, expected: tuple[str | None, str, int | None]) -> None:
    """User and port may be left out; an IPv6 address stands in brackets."""
    assert expected == parts(endpoint)


def test_the_same_words_lead_to_the_same_connection(lab: Lab) -> None:
    """Sections that name a host alike share its connection, even when they call it differently."""
    one = lab.hosts[0]
    first = host(one.endpoint, one.access(), lab.folder, name="web")
    second = host(one.endpoint, one.access(), lab.folder, name="balancer")
    assert first.connection is second.connection
    assert host(one.endpoint, one.access(), lab.folder, name="web") is first


# -- host keys ---------------------------------------------------------------


def test_an_unknown_key_is_refused(lab: Lab, tmp_path: Path) -> None:
    """The error has host, port, the file looked in, the fingerprint, and a way to compare it."""
    one = lab.hosts[0]
    known = write(tmp_path / "known", lab.hosts[1].known_line().replace(str(lab.hosts[1].port), "1"))
    known.write_text("")
    with pytest.raises(HostKeyRefused) as caught:
        reached(one, known_hosts=str(known)).run("true", 10)
    said = str(caught.value)
    for part in ("h1: its host key is not known", one.address, str(known), print_of(one.host_key.with_suffix(".pub"))):
        assert part in said
    assert "ssh-keyscan" in caught.value.do
    assert "compare" in caught.value.do
    assert 7 == caught.value.exit_code


def test_a_changed_key_is_refused(lab: Lab, tmp_path: Path) -> None:
    """Both fingerprints, the presented and the expected, and the line of the file that has the old one."""
    one, other = lab.hosts
    line = one.known_line().split()[0] + " " + other.host_key.with_suffix(".pub").read_text()
    known = write(tmp_path / "known", f"# a comment\n{line}")
    with pytest.raises(HostKeyRefused) as caught:
        reached(one, known_hosts=str(known)).run("true", 10)
    said = str(caught.value)
    assert f"presents ssh-ed25519 {print_of(one.host_key.with_suffix('.pub'))}" in said
    assert f"expected ssh-ed25519 {print_of(other.host_key.with_suffix('.pub'))} ({known} line 2)" in said
    assert "ssh-keygen -R" in caught.value.do


def test_a_revoked_key_is_refused(lab: Lab, tmp_path: Path) -> None:
    """Even where another line names it."""
    one = lab.hosts[0]
    known = write(tmp_path / "known", f"{one.known_line()}@revoked * {one.host_key.with_suffix('.pub').read_text()}")
    with pytest.raises(HostKeyRefused, match="revoked"):
        reached(one, known_hosts=str(known)).run("true", 10)


def test_an_ssh_config_cannot_loosen_it(lab: Lab, tmp_path: Path) -> None:
    """StrictHostKeyChecking no is for people at keyboards."""
    one = lab.hosts[0]
    known = write(tmp_path / "known", "")
    config = write(tmp_path / "config", f"Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile {known}\n")
    access = SshAccess(key=str(one.key), ssh_config=str(config))
    with pytest.raises(HostKeyRefused):
        host(one.endpoint, access, tmp_path).run("true", 10)
    assert "" == known.read_text()


def test_another_known_key_of_the_host_is_asked_for(lab: Lab, tmp_path: Path) -> None:
    """A host with keys of several types is asked for one whose key is known."""
    one = lab.hosts[0]
    name = one.known_line().split()[0]
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(tmp_path / "ecdsa")], check=True)
    strange = f"{name} {(tmp_path / 'ecdsa.pub').read_text()}"
    known = write(tmp_path / "known", strange + one.known_line())
    assert "" == reached(one, known_hosts=str(known)).run("true", 10)


# -- who may log in ----------------------------------------------------------


def test_a_key_that_is_not_taken(lab: Lab, tmp_path: Path) -> None:
    """The error names user, host and the key's file."""
    strange = keypair(tmp_path / "strange")
    with pytest.raises(LoginRefused) as caught:
        reached(lab.hosts[0], key=str(strange)).run("true", 10)
    assert f"h1: {lab.user}@" in caught.value.what
    assert f"does not take {strange}" in caught.value.what
    assert "authorized_keys" in caught.value.do


def test_a_key_file_that_is_missing(lab: Lab, tmp_path: Path) -> None:
    """A path in the settings that leads nowhere is a mistake in the settings."""
    with pytest.raises(UsageError, match="no-such-key"):
        reached(lab.hosts[0], key=str(tmp_path / "no-such-key"))


def locked(lab: Lab, folder: Path) -> Path:
    """The lab's key with a passphrase."""
    key = write(folder / "locked", lab.key.read_text())
    key.chmod(0o600)
    write(folder / "locked.pub", lab.key.with_suffix(".pub").read_text())
    subprocess.run([program("ssh-keygen"), "-q", "-p", "-N", "a passphrase", "-f", str(key)], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    return key


@contextmanager
def agent(folder: Path, *keys: Path) -> Iterator[str]:
    """An agent that holds keys; the path of its socket."""
    path = f"{folder}/agent"
    running = subprocess.Popen([program("ssh-agent"), "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 5
        while not Path(path).exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        for key in keys:
            subprocess.run([program("ssh-add"), "-q", str(key)], check=True, env=os.environ | {"SSH_AUTH_SOCK": path})
        yield path
    finally:
        running.terminate()
        running.wait()


def test_a_key_with_a_passphrase_needs_an_agent(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked for a passphrase: the error says why the key could not be used."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    key = locked(lab, tmp_path)
    with pytest.raises(LoginRefused) as caught:
        reached(lab.hosts[0], key=str(key)).run("true", 10)
    assert f"{key} (has a passphrase)" in caught.value.what
    assert "ssh-add" in caught.value.do


def test_the_agent_has_the_key(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key with a passphrase is used through the agent, before the agent's other keys."""
    key = locked(lab, tmp_path)
    strangers = [keypair(tmp_path / f"stranger{number}") for number in range(8)]
    with agent(tmp_path, *strangers, lab.key) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        assert "in" == reached(lab.hosts[0], key=str(key)).run("printf in", 10)


# -- ways ----------------------------------------------------------------------


def test_names_of_the_ssh_config(lab: Lab, tmp_path: Path) -> None:
    """HostName, Port, User, IdentityFile and UserKnownHostsFile are respected, from an included file too."""
    lab.ssh_config(tmp_path / "hosts.conf")
    config = write(tmp_path / "config", f"Include {tmp_path}/*.conf\n")
    access = SshAccess(ssh_config=str(config))
    found = host("h2", access, tmp_path)
    assert "h2\n" == found.run("echo $LAB_HOST", 10)
    assert "h2" == found.name


def test_relative_files_belong_to_the_project(lab: Lab, tmp_path: Path) -> None:
    """key, known_hosts and ssh_config start at the project's folder."""
    write(tmp_path / "known", lab.known_hosts.read_text())
    write(tmp_path / "config", "")
    write(tmp_path / "key", lab.key.read_text()).chmod(0o600)
    access = SshAccess(key="key", known_hosts="known", ssh_config="config")
    assert "" == host(lab.hosts[0].endpoint, access, tmp_path).run("true", 10)


def test_a_gateway(lab: Lab) -> None:
    """The second host is reached through the first, whose keys are verified as well."""
    gateway, behind = lab.hosts
    found = reached(behind, gateway=gateway.endpoint)
    assert "h2\n" == found.run("echo $LAB_HOST", 10)
    assert found.connection.gateway.where == gateway.endpoint
    assert found.connection.gateway.is_connected
    assert 3_000_000 == len(found.run("head -c 3000000 /dev/zero", 10))


def test_a_gateway_with_an_unknown_key(lab: Lab, tmp_path: Path) -> None:
    """Nothing is sent through a host that nobody knows."""
    gateway, behind = lab.hosts
    known = write(tmp_path / "known", behind.known_line())
    with pytest.raises(HostKeyRefused, match=r"^h2: its gateway: .*its host key is not known") as caught:
        host(behind.endpoint, behind.access(gateway=gateway.endpoint, known_hosts=str(known)), tmp_path, name="h2").run(
            "true", 10
        )
    assert gateway.address in caught.value.what


def test_a_gateway_that_cannot_reach_the_host(lab: Lab, tmp_path: Path) -> None:
    """The error says that it is the gateway's failure, and whose way it was on."""
    nowhere = f"{lab.user}@{lab.hosts[1].address}:1"
    access = lab.hosts[0].access(gateway=lab.hosts[0].endpoint)
    with pytest.raises(Unreachable, match=r"web: .*its gateway cannot reach it"):
        host(nowhere, access, tmp_path, name="web").run("true", 10)


@pytest.mark.parametrize("way", ["ProxyJump h1", "ProxyCommand {program} -F {config} -q -W %h:%p h1"])
def test_jumps_and_commands_of_the_ssh_config(lab: Lab, tmp_path: Path, way: str) -> None:
    """ProxyJump and ProxyCommand lead to the host as they do for ssh."""
    config = tmp_path / "config"
    text = way.format(program=program("ssh"), config=f"{tmp_path}/plain")
    lab.ssh_config(tmp_path / "plain")
    lab.ssh_config(config)
    config.write_text(f"Host h2\n  {text}\n\n{config.read_text()}")
    found = host("h2", SshAccess(ssh_config=str(config)), tmp_path)
    assert "h2\n" == found.run("echo $LAB_HOST", 10)
    assert found.connection.gateway
    found.close()


def test_a_jump_in_a_circle(lab: Lab, tmp_path: Path) -> None:
    """Two hosts that are each other's jump are a mistake in the ssh_config."""
    config = write(tmp_path / "config", "Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n")
    with pytest.raises(UsageError, match="leads through itself"):
        host("a", lab.hosts[0].access(ssh_config=str(config)), tmp_path)


# -- who does not answer ---------------------------------------------------------


def test_a_host_that_refuses(lab: Lab) -> None:
    """No server: an error at once, with host and port."""
    one = lab.hosts[1]
    found = reached(one, connect_within=5)
    one.stop()
    try:
        with pytest.raises(Unreachable, match=f"h2: .*{one.port}: it refuses connections"):
            found.run("true", 10)
    finally:
        one.start()


def test_a_name_that_nobody_knows(lab: Lab, tmp_path: Path) -> None:
    """DNS has no such host."""
    with pytest.raises(Unreachable, match=r"no-such-host.invalid: .*(name is unknown|no connection after)"):
        host("no-such-host.invalid", lab.hosts[0].access(connect_within=5), tmp_path).run("true", 10)


def test_a_server_that_never_speaks(lab: Lab, tmp_path: Path) -> None:
    """Connecting is bounded as a whole, also when TCP stands and no greeting comes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = host(f"x@127.0.0.1:{silent.getsockname()[1]}", lab.hosts[0].access(connect_within=0.7), tmp_path)
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"no connection after 0\.7 s"):
            found.run("true", 10)
        assert time.monotonic() - began < 2.5
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"no connection after 0\.2 s"):
            found.run("true", 0.2)
        assert time.monotonic() - began < 2


def test_a_server_that_drips(lab: Lab, tmp_path: Path) -> None:
    """A greeting that comes in drops does not renew anybody's patience."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def drip() -> None:
            link, _ = server.accept()
            with link:
                while not ended.wait(0.05):
                    try:
                        link.sendall(b"a line before the greeting\r\n")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            found = host(f"x@127.0.0.1:{server.getsockname()[1]}", lab.hosts[0].access(connect_within=1), tmp_path)
            began = time.monotonic()
            with pytest.raises(Unreachable):
                found.run("true", 10)
            assert time.monotonic() - began < 3
        finally:
            ended.set()
            thread.join()


@contextmanager
def hanging_up(to: tuple[str, int], times: int) -> Iterator[int]:
    """A port that hangs up so many times, and then leads to a server."""

    def carry(source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            """One side is gone."""

    def serve(server: socket.socket) -> None:
        for left in range(times, -1, -1):
            try:
                near, _ = server.accept()
            except OSError:
                return
            if left:
                near.close()
        with near, socket.create_connection(to) as far:
            back = threading.Thread(target=carry, args=(far, near))
            back.start()
            carry(near, far)
            back.join()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@pytest.mark.parametrize("times", [2, 3])
def test_a_server_that_hangs_up_before_its_greeting(lab: Lab, tmp_path: Path, times: int) -> None:
    """As sshd does to some when many knock at once (MaxStartups): it is tried again, but not for ever."""
    one = lab.hosts[0]
    with hanging_up((one.address, one.port), times) as port:
        known = write(tmp_path / "known", f"[127.0.0.1]:{port} {one.known_line().partition(' ')[2]}")
        found = host(f"{one.user}@127.0.0.1:{port}", one.access(known_hosts=str(known)), tmp_path, name="busy")
        if times == 2:
            assert "in" == found.run("printf in", 10)
        else:
            with pytest.raises(Unreachable, match="before its greeting"):
                found.run("true", 10)
        found.close()


def test_it_connects_again(lab: Lab) -> None:
    """After the server went away and came back, the next command opens a new connection."""
    one = lab.hosts[1]
    found = reached(one)
    found.run("true", 10)
    before = found.connection.connects
    one.stop()
    one.start()
    assert "back" == found.run("printf back", 10)
    assert before + 1 == found.connection.connects


def test_a_connection_that_breaks_in_a_command(lab: Lab) -> None:
    """A server that dies meanwhile is a lost connection, noticed at once."""
    one = lab.hosts[1]
    found = reached(one)
    timer = threading.Timer(0.5, one.stop)
    timer.start()
    try:
        began = time.monotonic()
        with pytest.raises(Unreachable, match="h2: the connection was lost"):
            found.run("sleep 30", 20)
        assert time.monotonic() - began < 5
    finally:
        timer.join()
        one.start()


def test_the_fingerprint_is_that_of_openssh(tmp_path: Path) -> None:
    """People compare it by eye with what ssh-keygen prints."""
    import base64

    key = keypair(tmp_path / "key").with_suffix(".pub")
    assert print_of(key) == fingerprint(base64.b64decode(key.read_text().split()[1]))


def test_importing_the_table_imports_no_fabric() -> None:
    """Who has no host over SSH does not pay for it."""
    code = "import sys, deploytasks.providers; print([m for m in ('fabric', 'paramiko') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]\n" == shown.stdout
