"""Hosts over SSH in the settings: short and long forms, colors apart or together, and every mistake with its path."""

from __future__ import annotations

from typing import Any

import pytest

from deploytasks.settings.mistakes import check
from deploytasks.settings.ssh_fleet import SshFleetSettings

PORTS = {"blue": 8101, "green": 8102}


def made(**given: Any) -> SshFleetSettings:
    return SshFleetSettings.model_validate({"start": "run {port}", "hosts": ["web1", "web2"], "ports": PORTS, **given})


def mistakes(**given: Any) -> list[str]:
    found: list[str] = []
    check(SshFleetSettings, {"start": "run", "hosts": ["web1", "web2"], "ports": PORTS, **given}, "fleet", found)
    return found


def test_hosts_with_both_colors() -> None:
    """A name alone is enough; what listens elsewhere, and what is called otherwise, says so."""
    fleet = made(hosts=["web1", {"address": "deploy@10.0.0.12:2222", "name": "web2", "at": "10.1.0.12"}])
    assert [host.called for host in fleet.of("blue")] == [host.called for host in fleet.of("green")] == ["web1", "web2"]
    assert [(host.bare, host.at) for host in fleet.all_hosts] == [("web1", None), ("10.0.0.12", "10.1.0.12")]
    assert (fleet.python, fleet.root, fleet.batch, fleet.max_failures, fleet.drain_within) == (
        "python3",
        None,
        "100%",
        0,
        30.0,
    )


def test_hosts_of_each_color() -> None:
    """Each color has its own, and both may listen at the same port there."""
    fleet = made(hosts={"blue": ["web1", "web2"], "green": ["web3", "web4"]}, ports={"blue": 80, "green": 80})
    assert [host.called for host in fleet.of("green")] == ["web3", "web4"]
    assert [host.called for host in fleet.all_hosts] == ["web1", "web2", "web3", "web4"]


def test_ipv6() -> None:
    """An address in brackets keeps them where it is used, and is called without."""
    (host,) = made(hosts=["deploy@[fd00::1]:2222"]).all_hosts
    assert (host.bare, host.called) == ("[fd00::1]", "fd00::1")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"hosts": []}, "fleet.hosts: a list of hosts is needed, not []"),
        ({"hosts": "web1"}, "fleet.hosts: a list of hosts is needed, not 'web1'"),
        ({"hosts": ["web1", "we b"]}, "fleet.hosts[1]: 'we b' is no host: write"),
        ({"hosts": ["web1", 7]}, "fleet.hosts[1]: a host is needed, such as deploy@web1, not 7"),
        ({"hosts": ["web1", {"adress": "x"}]}, "fleet.hosts[1].adress: unknown key; did you mean `address`?"),
        ({"hosts": ["web1", {"adress": "x"}]}, "fleet.hosts[1].address: missing"),
        ({"hosts": ["web1", {"address": "x", "name": "a,b"}]}, "fleet.hosts[1].name: 'a,b' does not match"),
        ({"hosts": ["web1", "ann@web1"]}, "fleet.hosts[1]: web1 is there already"),
        ({"hosts": {"blue": ["web1"]}}, "fleet.hosts.green: missing: which hosts have it?"),
        ({"hosts": {"blue": ["web1"], "green": ["w"], "red": ["w"]}}, "fleet.hosts.red: is no color"),
        ({"hosts": {"blue": ["web1"], "green": ["w", ""]}}, "fleet.hosts.green[1]: '' is no host: write"),
        ({"hosts": {"blue": ["web1"], "green": ["x@web1"]}}, "fleet.hosts.green[0]: web1 is another host already"),
        ({"ports": {"blue": 8101}}, "fleet.ports: the port of green is missing"),
        ({"ports": {"blue": 8101, "green": 8101}}, "fleet.ports: both colors cannot listen at port 8101 of web1"),
        ({"ports": {"blue": 8101, "green": 99999}}, "fleet.ports.green: 99999 is above 65535"),
        ({"batch": "0%"}, "fleet.batch: '0%' is no batch: write"),
        ({"batch": 0}, "fleet.batch: '0' is no batch"),
        ({"batch": "150%"}, "fleet.batch: '150%' is no batch"),
        ({"batch": True}, "fleet.batch: a text is needed, not True"),
        ({"max_failures": 2}, "fleet.max_failures: 2 would be all hosts of a color: it has 2"),
        ({"max_failures": -1}, "fleet.max_failures: -1 is below 0"),
        ({"root": "srv"}, "fleet.root: 'srv' must begin with /"),
        ({"ssh": {"prot": 22}}, "fleet.ssh.prot: unknown key; did you mean `port`?"),
        ({"drain_within": "-1s"}, "fleet.drain_within: '-1s' is not a duration"),
        ({"colors": {}}, "fleet.colors: unknown key"),
    ],
)
def test_mistakes(given: dict[str, Any], expected: str) -> None:
    """Each is named with its path, before anything runs."""
    assert [line for line in mistakes(**given) if line.startswith(expected)], mistakes(**given)


def test_all_mistakes_at_once() -> None:
    """Nobody mends them one by one."""
    found = mistakes(hosts=["a b", {"address": ""}], ports={"blue": "x"}, batch="x%")
    assert [line.partition(": ")[0] for line in found] == [
        "fleet.hosts[0]",
        "fleet.hosts[1].address",
        "fleet.ports.blue",
        "fleet.batch",
    ]


@pytest.mark.parametrize("batch", ["25%", "25 %", "12.5%", "0.5%", 1, 16, "100%"])
def test_batches(batch: object) -> None:
    """Shares and numbers."""
    assert str(batch) == made(batch=batch).batch
