"""A fleet without SSH: the same install plan as over SSH, by one command for all hosts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.aws.cloud import Cloud  # noqa: TC002  whoever reads a type should find its import
from lab.aws.ssm import SystemsManager  # noqa: TC002  see above

from deploytasks import redaction
from deploytasks.errors import GateRefused, HostsDown, HostsFailed, UsageError
from deploytasks.ports import Release
from deploytasks.providers.aws.ssm import roll
from deploytasks.providers.aws.ssm_fleet import SsmFleet
from deploytasks.providers.hosts.host import CommandFailed
from deploytasks.smoke import addresses
from deploytasks.world import World

from .conftest import APPLICATION, BUCKET, IDS, MakeFleet


def test_installed_and_started_everywhere(
    world: World, fleet: SsmFleet, release: Release, cloud: Cloud, manager: SystemsManager
) -> None:
    """Each host has a process of its own at its own address, asked for its health there; each step is one command."""
    assert fleet.colors() == {"blue": None, "green": None}
    with cloud.counting() as asked:
        world.perform(fleet.install(release, "green"), 30.0)
    assert asked.count("SendCommand") == 2, asked
    with cloud.counting() as asked:
        world.perform(fleet.start("green"), 30.0)
    assert asked.count("SendCommand") == 3, asked
    found = fleet.colors()["green"]
    assert found is not None
    assert (release.digest, True, {}) == (found.digest, found.running, found.odd)
    assert (True, 1.0) == (fleet.health("green").healthy, fleet.health("green").share)
    assert IDS == fleet.hosts()
    for host in manager.instances.values():
        assert (host.folder / "srv/app/current-green/app.py").is_file()
        assert list((host.folder / "srv/app/incoming").iterdir()) == []

    with cloud.counting() as asked:  # as it ran before, by the very same command: it runs, and is left alone
        world.perform(fleet.start("green", as_before=True), 30.0)
    assert asked.count("SendCommand") == 3, asked


def test_what_is_there_is_not_sent_again(
    world: World, fleet: SsmFleet, make_release: Callable[..., Release], cloud: Cloud
) -> None:
    """The second time each host is only asked, by one command, and the bucket once; a next release travels as what
    differs."""
    # what cannot be compressed: a difference is small against it
    many = {f"page{number}.bin": os.urandom(30_000).hex() for number in range(3)}
    first = named(make_release("1.0.0", **many))
    world.perform(fleet.install(first, "green"), 30.0)
    with cloud.counting() as asked:
        world.perform(fleet.install(first, "green"), 30.0)
    assert [asked.count(one) for one in ("SendCommand", "PutObject", "GetObject")] == [1, 0, 0]
    second = named(make_release("1.1.0", **many))
    with cloud.counting() as asked:
        world.perform(fleet.install(second, "blue"), 30.0)
    assert [asked.count(one) for one in ("SendCommand", "GetObject")] == [1, 3]
    found = fleet.colors()["blue"]
    assert found is not None
    assert found.digest == second.digest


def named(release: Release) -> Release:
    """Its archive where `inv build` puts it."""
    archive = Path(release.archive)
    return release._replace(archive=str(archive.rename(archive.with_name(f"{release.name}.tar.gz"))))


def test_the_url_shows_nowhere(world: World, fleet: SsmFleet, release: Release, cloud: Cloud) -> None:
    """It is in no process list while a host fetches, and in nothing that is recorded."""
    seen: list[str] = []

    def look() -> None:
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue

    cloud.before("s3", "GetObject", look)
    calls = fleet.install(release, "green")
    world.perform(calls, 30.0)
    assert [one for one in seen if "curl" in one]
    assert [one for one in seen if "X-Amz-Signature" in one] == []
    (text,) = {sent.params["Parameters"]["commands"][0] for sent in cloud["ssm"].sent.values() if "url" in sent.script}
    url = next(line for line in text.splitlines() if line.startswith("url = ")).split('"')[1]
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
    assert redaction.clean(f"fetched {url}!") == "fetched ***!"
    assert not [call.text for batch in calls for call in batch if "X-Amz" in call.text]


def test_what_arrives_is_verified(world: World, fleet: SsmFleet, release: Release, cloud: Cloud) -> None:
    """Whoever can write to the bucket cannot bring another release onto the hosts."""
    world.perform(fleet.install(release, "green")[:1])
    bucket = cloud["s3"].buckets[BUCKET]
    bucket.change(*bucket.keys, b"something else")
    with pytest.raises(HostsFailed, match="what arrived is not") as caught:
        world.perform(fleet.install(release, "green")[1:], 30.0)
    assert caught.value.exit_code == 4
    assert fleet.colors()["green"] is None


def test_a_host_whose_agent_is_away(make_fleet: MakeFleet, manager: SystemsManager) -> None:
    """Named at once, and no command is sent to it; the others can be asked without it."""
    manager.instances[IDS[1]].ping = "ConnectionLost"
    fleet = make_fleet()
    with pytest.raises(HostsDown, match=f"1 host does not answer, of 3: {IDS[1]}") as caught:
        fleet.colors()
    assert "its agent is not online: ConnectionLost" in caught.value.what
    assert not manager.instances[IDS[1]].ran
    assert {"blue": None, "green": None} == fleet.only([IDS[0], IDS[2]]).colors()


def test_instances_that_have_ended(make_fleet: MakeFleet, manager: SystemsManager) -> None:
    """SSM remembers what was scaled in for a while: it is no host any more. By its id it is missed."""
    manager.instances[IDS[0]].ping, manager.instances[IDS[0]].state = "ConnectionLost", "terminated"
    assert make_fleet().hosts() == IDS[1:]
    listed = make_fleet(tags=None, instances=[*IDS, "i-00000000000000009"])
    with pytest.raises(HostsDown) as caught:
        listed.colors()
    assert caught.value.hosts == (IDS[0], "i-00000000000000009")
    assert "SSM does not know it" in caught.value.what


def test_colors_with_instances_of_their_own(make_fleet: MakeFleet, manager: SystemsManager) -> None:
    """By a tag; what has no such tag is in no color."""
    for name, color in zip(IDS, ("blue", "green", "red"), strict=True):
        manager.instances[name].tags["color"] = color
    tags = {color: {"app": "shop", "color": color} for color in ("blue", "green")}
    fleet = make_fleet(tags=tags)
    assert (fleet.hosts(), fleet.hosts("blue"), fleet.hosts("green")) == (IDS[:2], [IDS[0]], [IDS[1]])
    assert fleet.address("green").startswith("http://127.0.7.2:")
    with pytest.raises(UsageError, match="SSM knows no instance with app=nobody"):
        make_fleet(tags={"app": "nobody"}).hosts()
    manager.instances[IDS[0]].platform = "Windows"
    with pytest.raises(UsageError, match="do not run Linux"):
        make_fleet().hosts()


def test_who_comes_while_we_are_at_work(
    world: World, fleet: SsmFleet, release: Release, manager: SystemsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instance that is scaled out meanwhile is named, and stops nothing; whoever deploys next has it."""
    world.perform(fleet.install(release, "green"), 30.0)
    monkeypatch.setattr(roll, "_KEPT", 0.0)
    came = manager.add("i-0000000000000000f", address="127.0.7.9", tags={"app": "shop"}).instance_id
    found = fleet.installed("green")
    assert found is not None
    assert (found.digest, found.odd) == (release.digest, {came: "came after this began"})
    assert fleet.health("green").detail.endswith(f"; came since: {came}")
    assert fleet.hosts() == IDS


def test_a_host_that_vanishes_midway(
    world: World, fleet: SsmFleet, release: Release, manager: SystemsManager, cloud: Cloud
) -> None:
    """The others finish; it is named; back again, only it is brought along."""
    manager.instances[IDS[1]].takes = "never"
    with pytest.raises(HostsFailed, match=f"1 host of 3 failed: {IDS[1]}") as caught:
        world.perform(fleet.install(release, "green"), 20.0)
    assert f"done on {IDS[0]}, {IDS[2]}" == caught.value.state
    assert "did not take a command in time" in caught.value.what
    manager.instances[IDS[1]].takes = ""
    with cloud.counting() as asked:
        world.perform(fleet.install(release, "green"), 20.0)
    assert asked.count("GetObject") == 1
    found = fleet.installed("green")
    assert found is not None
    assert found.digest == release.digest


def test_few_may_fail(
    make_fleet: MakeFleet,
    make_world: Callable[[SsmFleet], World],
    release: Release,
    manager: SystemsManager,
) -> None:
    """Set aside, and the deployment goes on: SSM's own limit is the same, and stops nothing before."""
    fleet = make_fleet(max_failures=1, max_concurrency=1)
    world = make_world(fleet)
    (manager.instances[IDS[0]].folder / "srv").write_text("in the way")
    world.perform(fleet.install(release, "green"), 20.0, color="green")
    assert list(world.aside) == [IDS[0]]
    assert manager.most_at_once == 1
    found = world.fleet.installed("green")
    assert found is not None
    assert found.digest == release.digest


def test_too_many_fail(
    make_fleet: MakeFleet,
    make_world: Callable[[SsmFleet], World],
    release: Release,
    manager: SystemsManager,
) -> None:
    """One at a time, and none may fail: the others are not begun, and nothing is on them."""
    fleet = make_fleet(max_concurrency=1)
    (manager.instances[IDS[0]].folder / "srv").write_text("in the way")
    with pytest.raises(HostsFailed, match="was not begun: too many others had failed before"):
        make_world(fleet).perform(fleet.install(release, "green"), 20.0)
    assert [len(one.ran) for one in manager.instances.values()] == [1, 0, 0]


def test_a_release_that_does_not_start(
    world: World, make_fleet: MakeFleet, make_release: Callable[..., Release], manager: SystemsManager
) -> None:
    """Its last words and its state of health are told, and nothing of it is left running."""
    fleet = make_fleet()
    world.perform(fleet.install(make_release(**{"app.py": "print('no database'); raise SystemExit(3)"}), "green"))
    with pytest.raises(HostsFailed, match="no database"):
        world.perform(fleet.start("green"), 20.0)
    ill = make_fleet(environment={"HEALTH": "503"}, start_within="1s")
    world.perform(ill.install(make_release("1.1.0", **{"app.py": APPLICATION}), "green"))
    with pytest.raises(HostsFailed, match="/health answered 503: fine"):
        world.perform(ill.start("green"), 20.0)
    assert not [file for one in manager.instances.values() for file in one.folder.glob("srv/app/run/*.start-*")]


def test_a_port_of_somebody_else(
    make_fleet: MakeFleet, world: World, release: Release, manager: SystemsManager
) -> None:
    """It is asked on the host, and nothing is started there."""
    import socket

    fleet = make_fleet(tags=None, instances=IDS[:1])
    world.perform(fleet.install(release, "green"), 20.0)
    with socket.create_server(("127.0.7.1", fleet._own.ports["green"])), pytest.raises(GateRefused, match="is in use"):
        world.perform(fleet.start("green"), 20.0)
    assert not list(manager.instances[IDS[0]].folder.glob("srv/app/run/*.start-*"))


def test_a_command_and_its_output(world: World, fleet: SsmFleet, release: Release) -> None:
    """What each says, by host; of what is longer than SSM tells, the end; and the code with which it ended."""
    world.perform(fleet.install(release, "green"), 30.0)
    heard: dict[str, list[str | int]] = {}

    def hear(host: str, said: str | int) -> None:
        heard.setdefault(host, []).append(said)

    world.perform(fleet.command("green", "echo $COLOR {{.Names}} $VERSION; echo wrong >&2", hear))
    assert heard == {name: ["green {{.Names}} 1.0.0", "wrong", 0] for name in IDS}
    heard.clear()
    with pytest.raises(HostsFailed, match="failed with code 3"):
        world.perform(fleet.command("green", "seq 1 9000; exit 3", hear))
    assert [said[-2:] for said in heard.values()] == [["9000", 3]] * 3
    assert heard[IDS[0]][0] == "(the beginning of 43896 bytes is left out)"


def test_output_of_any_length(fleet: SsmFleet) -> None:
    """Up to 2,500 characters it is in the list; up to 24,000 it is asked for; of more, there is nothing to go by. Of a
    failure the end is told."""
    (host,) = (member.host for member in fleet.only(IDS[:1])._members)
    assert host.run("printf short", 10.0) == "short"
    assert host.run("seq 1 2000", 10.0) == "".join(f"{number}\n" for number in range(1, 2001))
    with pytest.raises(Exception, match="says 48894 bytes, more than SSM can tell"):
        host.run("seq 1 10000", 10.0)
    with pytest.raises(CommandFailed) as caught:
        host.run("seq 1 10000; echo 'it went wrong' >&2; exit 9", 10.0)
    assert (caught.value.code, caught.value.lines[-2:]) == (9, ["10000", "it went wrong"])


def test_smoke_tests_ask_each_address_once(make_fleet: MakeFleet) -> None:
    """Without a way to the private addresses, a test listener stands for all hosts of a color."""
    urls = {"blue": "https://blue.example", "green": "https://green.example/"}
    assert addresses(make_fleet(urls=urls), "green") == {IDS[0]: "https://green.example"}
    assert len(addresses(make_fleet(), "green")) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_as_another_user(
    make_fleet: MakeFleet, world: World, release: Release, manager: SystemsManager, tmp_path: Path
) -> None:
    """The agent is root; the release is not."""
    fleet = make_fleet(tags=None, instances=IDS[:1], user="nobody")
    folder = manager.instances[IDS[0]].folder
    (folder / "srv").mkdir()
    for one in (folder / "srv", folder / "tmp"):
        one.chmod(0o777)
    for one in (tmp_path, *tmp_path.parents[:-2]):
        one.chmod(one.stat().st_mode | 0o011)
    world.perform(fleet.install(release, "green"), 20.0)
    assert (folder / "srv/app/current-green/app.py").stat().st_uid == 65534
    (host,) = (member.host for member in fleet._members)
    assert host.run("id -un", 10.0) == "nobody\n"


def test_doctor(make_fleet: MakeFleet, manager: SystemsManager) -> None:
    """Bucket, agents and hosts, each with what to do."""
    found = {one.subject: (one.state, one.detail) for one in make_fleet().diagnose()}
    assert found[f"bucket {BUCKET}"] == ("ok", "it can be reached")
    assert found["ssm"] == ("ok", "3 Online; agents: 3 × 3.3.3270.0")
    assert found[f"host {IDS[0]}"][0] == "ok"
    manager.instances[IDS[0]].ping = "Inactive"
    worse = {one.subject: (one.state, one.detail) for one in make_fleet(bucket="no-such-bucket").diagnose()}
    assert worse["bucket no-such-bucket"][0] == "fail"
    assert worse["ssm"][1].startswith("2 Online, 1 Inactive")
    assert worse[f"host {IDS[0]}"][0] == "fail"
    nowhere = make_fleet(tags={"app": "nobody"}).diagnose()
    assert [one.state for one in nowhere] == ["fail", "ok"]


def test_the_plan_says_what_is_done(fleet: SsmFleet, release: Release) -> None:
    """Each host has its call, and the bucket has one."""
    texts = [call.text for batch in fleet.install(release, "green") for call in batch]
    assert texts[0] == f"put {release.name} at s3://{BUCKET}/releases/shop/{release.digest}, unless it is there"
    assert texts[1] == f"{IDS[0]}: install {release.name} on green (sha256 {release.digest})"
    assert json.dumps(texts).count(release.digest) == 4
