"""Bringing a release: killed, crowded or refused, a host shows what is whole, and the next try completes it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploytasks.errors import GateRefused
from deploytasks.ports import COLORS, Release
from deploytasks.providers.hosts import arrival, commands
from deploytasks.providers.hosts.host import CommandFailed
from deploytasks.providers.hosts.installing import install
from deploytasks.providers.hosts.layout import Layout
from deploytasks.release import difference

from .trees import Counting, Thing, Tree, found, release_of

SMALL: Tree = {b"app/%d" % number: Thing(b"%d" % number * 50) for number in range(60)}
OTHER: Tree = {**SMALL, b"app/3": Thing(b"changed"), b"big": Thing(b"x" * 40_000)}


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    return tmp_path / "archives"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path / "a host"))


def bring(layout: Layout, release: Release, host: Counting | None = None) -> None:
    install(host or Counting(), layout, release, "green", Path(release.archive).parent, 20.0)


def current(layout: Layout) -> str:
    return Path(layout.current("green")).resolve().name


def hidden(layout: Layout) -> list[str]:
    """What is in nobody's way, and should go again."""
    drafts = [path.name for path in Path(layout.root).iterdir() if path.name.count("current") and "." in path.name]
    return [path.name for path in Path(layout.releases).iterdir() if path.name.startswith(".")] + drafts


@pytest.mark.parametrize("by_difference", [False, True])
def test_killed_at_any_moment(archives: Path, layout: Layout, by_difference: bool) -> None:
    """The release is there whole or not at all, the color has the old or the new one, and the next try completes."""
    first, second = release_of(SMALL, archives), release_of(OTHER, archives, "1.1.0")
    bring(layout, first)
    want = found(Path(layout.release(first.name)))
    if by_difference:
        made = difference.to_archive(second, first.name, first.digest, archives)
        assert made
        command, given = arrival.patch(layout, "green", second.name, second.digest, made), made.path
    else:
        command, given = arrival.unpack(layout, "green", second.name, second.digest), second.archive
    dice, began = random.Random(3), 0
    took = _timed(command, given)
    for _ in range(12):
        shutil.rmtree(layout.release(second.name))
        Counting().run(commands.switch(layout, "green", first.name), 5.0)
        _killed_after(dice.uniform(0, took), command, given)
        assert current(layout) in (first.name, second.name)
        assert found(Path(layout.release(first.name))) == want
        if Path(layout.release(second.name)).exists():
            assert (Path(layout.release(second.name)) / ".digest").read_text().strip() == second.digest
        began += bool(hidden(layout))
        bring(layout, second)
        assert current(layout) == second.name
        assert found(Path(layout.release(second.name))).keys() == listed(second)
    assert began, "no kill hit an installation at work"
    assert hidden(layout) == [] or _swept(layout, second)


def listed(release: Release) -> set[str]:
    """What an archive has, and the folder around it."""
    said = subprocess.run(["tar", "-tzf", release.archive], capture_output=True, text=True, check=True).stdout
    return {*said.split(), "app"}


def _swept(layout: Layout, release: Release) -> bool:
    """Whether the next installation of something else clears away what a killed one has left."""
    shutil.rmtree(layout.release(release.name))
    bring(layout, release)
    return hidden(layout) == []


def _timed(command: str, given: str) -> float:
    began = time.monotonic()
    Counting().run(command, 20.0, given)
    return time.monotonic() - began


def _killed_after(seconds: float, command: str, given: str) -> None:
    with Path(given).open("rb") as source:
        shell = subprocess.Popen(["/bin/sh", "-c", command], stdin=source, start_new_session=True)
    try:
        shell.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)
    shell.wait()


def test_several_at_once(archives: Path, layout: Layout) -> None:
    """Deployers that bring the same release, and another, at the same time: all succeed, and nothing is left over."""
    first, second, third = (release_of(tree, archives, v) for tree, v in ((SMALL, "1"), (OTHER, "2"), (OTHER, "3")))
    bring(layout, first)

    def bring_to(number: int) -> None:
        install(Counting(), layout, (second, third)[number % 2], COLORS[number // 2 % 2], archives, 30.0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bring_to, range(8)))
    for release in (second, third):
        folder = Path(layout.release(release.name))
        assert found(folder).keys() == listed(release)
    assert current(layout) in (second.name, third.name)
    assert hidden(layout) == []


def test_a_link_that_someone_else_switches(archives: Path, layout: Layout) -> None:
    """Whoever comes last has it; it always leads to a release that is whole."""
    first, second = release_of(SMALL, archives), release_of(OTHER, archives, "1.1.0")
    bring(layout, first)
    back = commands.switch(layout, "green", first.name)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(lambda: [Counting().run(back, 5.0) for _ in range(30)])
        while not other.done():
            shutil.rmtree(layout.release(second.name), ignore_errors=True)
            bring(layout, second)
            assert Path(layout.current("green"), ".digest").exists()
        other.result()
    bring(layout, second)
    assert current(layout) == second.name


def test_wrong_digest(archives: Path, layout: Layout) -> None:
    """What is not what it should be is not unpacked, and leaves nothing; the error says how things are."""
    release = release_of(SMALL, archives)
    with pytest.raises(CommandFailed, match=f"not {'0' * 64}: its sha256 is {release.digest}") as caught:
        bring(layout, release._replace(digest="0" * 64))
    assert caught.value.state == "every color is as before"
    assert list(Path(layout.releases).iterdir()) == []


def test_a_file_may_not_grow(archives: Path, layout: Layout) -> None:
    """A host that cannot write what it must (a quota, a limit): nothing is left, the old release stays, and the error
    has what the host said. Later it works."""
    first, second = release_of(SMALL, archives), release_of(OTHER, archives, "1.1.0")
    bring(layout, first)
    with pytest.raises(CommandFailed, match="unpacking"):
        bring(layout, second, Counting(before="ulimit -f 8; trap '' XFSZ\n"))
    assert current(layout) == first.name
    assert hidden(layout) == []
    bring(layout, second)
    assert current(layout) == second.name


def test_neither_way_works(archives: Path, layout: Layout) -> None:
    """A difference that failed is mentioned when the whole archive fails, too, and only then."""
    first, second = release_of(SMALL, archives), release_of(OTHER, archives, "1.1.0")
    bring(layout, first)
    (Path(layout.release(first.name)) / "app/7").write_bytes(b"by hand")

    class Limited(Counting):
        def run(self, command: str, timeout: float, given: str | None = None) -> str:
            limit = "ulimit -f 8; trap '' XFSZ\n" if given == second.archive else ""
            return super().run(limit + command, timeout, given)

    with pytest.raises(
        CommandFailed, match=f"(?s)after a difference had failed .*difference to {first.name}.*File too large"
    ):
        bring(layout, second, Limited())
    assert current(layout) == first.name


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("nobody but root makes a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_disk_that_is_too_full(disk: Path, archives: Path) -> None:
    """What cannot fit is refused before it is sent, with the numbers."""
    layout = Layout(str(disk / "root"))
    release = release_of({b"big": Thing(os.urandom(1_500_000))}, archives)
    with pytest.raises(GateRefused, match=r"counting: 2\.\d MB are free; to unpack 1\.0\.0-\w+ takes 3\.0 MB"):
        bring(layout, release)


def test_disk_that_fills_up(disk: Path, archives: Path) -> None:
    """Files take more than they hold: the disk is full in the middle of unpacking, and as empty as before after it."""
    layout = Layout(str(disk / "root"))
    first = release_of({b"small": Thing(b"")}, archives)
    bring(layout, first)
    free = shutil.disk_usage(disk).free
    release = release_of({b"%d" % number: Thing(b"x") for number in range(500)}, archives, "1.1.0")
    with pytest.raises(CommandFailed, match="No space left on device"):
        bring(layout, release)
    assert shutil.disk_usage(disk).free == free
    assert current(layout) == first.name


def test_a_release_that_was_half_deleted_is_brought_anew(archives: Path, layout: Layout) -> None:
    """A folder without its marker is no release, neither to switch to nor to build on."""
    first, second = release_of(SMALL, archives), release_of(OTHER, archives, "1.1.0")
    bring(layout, first)
    for name in (".digest", "app/1"):
        Path(layout.release(first.name), name).unlink()
    host = Counting()
    bring(layout, second, host)
    assert host.bytes > Path(second.archive).stat().st_size
    bring(layout, first)
    assert found(Path(layout.release(first.name))).keys() == listed(first)
    assert hidden(layout) == []


def test_one_deadline_for_all_of_it(archives: Path, layout: Layout) -> None:
    """The time that one command takes is not there for the next."""
    release = release_of(SMALL, archives)
    allowed: list[float] = []

    class Slow(Counting):
        def run(self, command: str, timeout: float, given: str | None = None) -> str:
            allowed.append(timeout)
            time.sleep(0.2)
            return super().run(command, timeout, given)

    install(Slow(), layout, release, "green", archives, 5.0)
    assert allowed[0] <= 5.0
    assert allowed[1] <= 4.8
