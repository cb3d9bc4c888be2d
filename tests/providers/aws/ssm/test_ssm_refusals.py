"""What SSM and S3 answer when they do not do it: one clear sentence each, and nothing half done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.aws.cloud import Cloud  # noqa: TC002  whoever reads a type should find its import
from lab.aws.ssm import SystemsManager  # noqa: TC002  see above

from deploytasks.errors import DeployError, GateRefused, HostsDown, HostsFailed, Unreachable, UsageError
from deploytasks.ports import Release
from deploytasks.providers.aws.ssm import flight
from deploytasks.providers.aws.ssm_fleet import SsmFleet
from deploytasks.providers.hosts.host import Host
from deploytasks.world import World

from .conftest import BUCKET, IDS, MakeFleet

MakeWorld = Callable[[SsmFleet], World]


@pytest.fixture
def host(fleet: SsmFleet) -> Host:
    found: Host = fleet.only(IDS[:1])._members[0].host
    return found


def is_untouched(manager: SystemsManager) -> bool:
    return not any((one.folder / "srv").exists() for one in manager.instances.values())


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        ("UnsupportedPlatformType", UsageError, "does not run Linux"),
        ("MaxDocumentSizeExceeded", GateRefused, "larger than SSM takes, 64 KB"),
        ("DuplicateInstanceId", UsageError, "named twice"),
        ("InvalidDocument", UsageError, "there is no AWS-RunShellScript"),
        ("InvalidParameters", GateRefused, "does not take a command"),
        ("AccessDeniedException", Unreachable, "AccessDeniedException"),
        ("ExpiredTokenException", Unreachable, "ExpiredToken"),
    ],
)
def test_a_command_is_refused(
    code: str, kind: type[DeployError], says: str, host: Host, cloud: Cloud, manager: SystemsManager
) -> None:
    """Nothing was started, and what is wrong is said."""
    cloud.fail("ssm", "SendCommand", code)
    with pytest.raises(kind, match=says):
        host.run("echo one", 5.0)
    assert not manager.sent


def test_a_command_that_is_too_large(host: Host) -> None:
    """Said before anything is done."""
    with pytest.raises(GateRefused, match="larger than SSM takes"):
        host.run(f"echo {'x' * 66_000}", 5.0)


def test_ssm_is_busy(host: Host, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Throttling is waited out, also longer than boto3 does; the command runs once."""
    monkeypatch.setattr(flight, "_PAUSE", 0.01)
    cloud.fail("ssm", "SendCommand", "ThrottlingException", times=3)
    cloud.fail("ssm", "ListCommandInvocations", "ThrottlingException", times=1)
    assert host.run("echo one", 5.0) == "one\n"


def test_answers_that_are_lost(host: Host, cloud: Cloud, manager: SystemsManager) -> None:
    """A request for a command is repeated; on the host it happens once, and what it said is told."""
    file = manager.instances[IDS[0]].folder / "count"
    cloud.drop_answer("ssm", "SendCommand")
    cloud.drop("ssm", "ListCommandInvocations")
    assert host.run(f"sleep 0.2; echo more >> {file}; cat {file}", 5.0) == "more\n"
    assert len(manager.sent) == 2
    assert file.read_text() == "more\n"


def test_what_is_not_known_yet(host: Host, cloud: Cloud, manager: SystemsManager) -> None:
    """Right after it was sent, SSM knows nothing of a command: neither that it is there, nor what it said."""
    manager.shy = 2
    cloud.fail("ssm", "ListCommandInvocations", "InvalidCommandId")
    cloud.fail("ssm", "GetCommandInvocation", "InvocationDoesNotExist")
    assert len(host.run("seq 1 2000", 5.0)) == 8893


def test_one_that_ssm_does_not_know(fleet: SsmFleet, cloud: Cloud, manager: SystemsManager) -> None:
    """It refuses the command for all because of one: the others get it, and that one is named."""
    assert fleet.hosts() == IDS
    manager.instances[IDS[1]].state, manager.instances[IDS[1]].ping = "terminated", "ConnectionLost"
    with pytest.raises(HostsDown) as caught:
        fleet.colors()
    assert caught.value.hosts == (IDS[1],)
    assert cloud.operations("ssm").count("SendCommand") == 2
    manager.instances[IDS[1]].ping = "Online"  # as SSM thinks for a while
    with pytest.raises(HostsDown, match="SSM cannot send it a command") as caught:
        fleet.colors()
    assert caught.value.hosts == (IDS[1],)


@pytest.mark.parametrize(
    ("takes", "says"),
    [
        ("undeliverable", "SSM does not reach it"),
        ("never", "did not take a command in time"),
        ("InvalidPlatform", "its platform does not fit"),
        ("AccessDenied", "may not send it there"),
    ],
)
def test_one_does_not_run_it(
    takes: str, says: str, world: World, fleet: SsmFleet, release: Release, manager: SystemsManager
) -> None:
    """It is named with why, and the others are done: exit code 4, and the deployment is taken back."""
    manager.instances[IDS[2]].takes = takes
    with pytest.raises(HostsFailed, match=says) as caught:
        world.perform(fleet.install(release, "green"), 20.0)
    assert (caught.value.exit_code, caught.value.hosts) == (4, (IDS[2],))
    assert caught.value.state == f"done on {IDS[0]}, {IDS[1]}"


def test_ssm_ends_what_takes_too_long(host: Host, manager: SystemsManager) -> None:
    """Should our own watcher be gone."""
    manager.haste = 0.02
    with pytest.raises(Unreachable, match="was not done in time") as caught:
        host.run("sleep 60", 5.0)
    assert caught.value.state == "SSM's agent has killed it"


def test_somebody_else_cancels(host: Host, manager: SystemsManager) -> None:
    """It is said, and not taken for success."""

    def cancel() -> None:
        until = time.monotonic() + 10
        while time.monotonic() < until and not manager.instances[IDS[0]].ran:
            time.sleep(0.01)
        with manager.lock:
            manager.cancel_command({"CommandId": next(iter(manager.sent))})

    other = threading.Thread(target=cancel)
    other.start()
    with pytest.raises(Unreachable, match="a command was cancelled"):
        host.run("sleep 60", 10.0)
    other.join()


def test_a_command_for_nobody(host: Host, manager: SystemsManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """More wait in the account than SSM allows: said as soon as it is known."""
    monkeypatch.setattr(flight, "_EMPTY", 0.0)
    manager.refuses = "RateExceeded"
    with pytest.raises(Unreachable, match="gave a command to nobody: RateExceeded") as caught:
        host.run("echo one", 5.0)
    assert caught.value.do == "more commands wait in this account than SSM allows: run it again in a minute"


def test_no_answer_at_all(
    make_fleet: MakeFleet, cloud: Cloud, manager: SystemsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends when its time is up: cancelled, or as the host ends it. Whoever asks for health waits less."""
    monkeypatch.setattr(flight, "_SLACK", 0.0)
    monkeypatch.setattr(flight, "_SOON", -6.5)
    manager.pace, manager.instances[IDS[0]].takes = 1.0, "never"
    fleet = make_fleet({"taken_within": 0.2})
    (host,) = (member.host for member in fleet.only(IDS[:1])._members)
    with pytest.raises(Unreachable, match="was not done after 1") as caught:
        host.run("echo one", 1.0)
    assert caught.value.state == "it was cancelled"
    cloud.fail("ssm", "CancelCommand", "InternalServerError", status=400)
    with pytest.raises(Unreachable, match="was not done") as caught:
        host.run("echo one", 1.0)
    assert caught.value.state == "it could not be cancelled; the host ends it 1 s after it began"
    health = fleet.only(IDS[:1]).health("green")
    assert (health.healthy, health.detail) == (False, "a command was not done after 7.0 s")


@pytest.mark.parametrize(
    ("code", "status", "kind", "says"),
    [
        ("NoSuchBucket", 404, UsageError, f"there is no bucket {BUCKET}"),
        ("AccessDenied", 403, Unreachable, "AccessDenied"),
        ("BadDigest", 400, Unreachable, "BadDigest"),
    ],
)
def test_the_bucket_refuses(
    code: str, status: int, kind: type[DeployError], says: str,
    world: World, fleet: SsmFleet, release: Release, cloud: Cloud, manager: SystemsManager,
) -> None:  # fmt: skip
    """No host is touched."""
    cloud.fail("s3", "PutObject", code, status=status)
    with pytest.raises(kind, match=says):
        world.perform(fleet.install(release, "green"))
    assert is_untouched(manager)


def test_the_url_is_too_old(world: World, fleet: SsmFleet, release: Release, cloud: Cloud) -> None:
    """Or the hosts have no way to S3: what curl says is told, and what to look at; then it is done again."""
    cloud.fail("s3", "GetObject", "AccessDenied", status=403, times=3)
    with pytest.raises(HostsFailed, match=r"cannot fetch from the bucket: curl.*403") as caught:
        world.perform(fleet.install(release, "green"))
    assert "fleet.url_expires" in caught.value.do
    assert fleet.colors()["green"] is None
    world.perform(fleet.install(release, "green"))


def test_tags_that_ssm_does_not_take(make_fleet: MakeFleet, cloud: Cloud) -> None:
    """A mistake in the configuration, code 2; and a role that may not ask, code 7."""
    cloud.fail("ssm", "DescribeInstanceInformation", "InvalidFilterKey")
    with pytest.raises(UsageError, match="does not take these tags"):
        make_fleet().hosts()
    cloud.fail("ssm", "DescribeInstanceInformation", "AccessDeniedException")
    with pytest.raises(Unreachable, match="AccessDenied"):
        make_fleet().hosts()


def test_an_archive_that_is_gone(
    world: World, fleet: SsmFleet, release: Release, manager: SystemsManager, tmp_path: Path
) -> None:
    """Where the hosts have the release, nobody needs its archive; else it is missed before anything is unpacked."""
    lost = release._replace(archive=str(tmp_path / "nowhere.tar.gz"))
    with pytest.raises(HostsFailed, match="the archive of"):
        world.perform(fleet.install(lost, "green"))
    world.perform(fleet.install(release, "green"))
    world.perform(fleet.install(lost, "blue"))
    assert all((one.folder / "srv/app/current-blue").exists() for one in manager.instances.values())
