"""Only what changed travels, and what is unpacked is what the whole archive gives, whatever lies on the host."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from deploytasks.ports import Release
from deploytasks.providers.hosts.host import CommandFailed
from deploytasks.providers.hosts.installing import install
from deploytasks.providers.hosts.layout import Layout
from deploytasks.release import difference

from .trees import Counting, Thing, Tree, found, programs, release_of

MANY: Tree = {b"app/%d/module %d.py" % (number % 7, number): Thing(os.urandom(3000)) for number in range(100)}
CHANGED: Tree = {**MANY, b"app/1/module 1.py": Thing(b"changed")}


class Place:
    """Two folders of this machine as hosts, and the archives of what is installed there."""

    def __init__(self, folder: Path) -> None:
        self.archives = folder / "archives"
        self.host = Counting()
        self.layout, self.fresh = Layout(str(folder / "it's a host")), Layout(str(folder / "another"))

    def install(self, release: Release, host: Counting | None = None) -> tuple[int, int]:
        """Install; the round trips and bytes it took."""
        host = host or self.host
        before = host.round_trips, host.bytes
        install(host, self.layout, release, "green", self.archives, 20.0)
        return host.round_trips - before[0], host.bytes - before[1]

    def build(self, tree: Tree, version: str) -> Release:
        """A release whose archive was made after that of one which no host has."""
        release_of({**MANY, b"never": Thing(b"there")}, self.archives, "0.9.0")
        return release_of(tree, self.archives, version)

    def shown(self) -> Path:
        """What is current."""
        return Path(self.layout.current("green"))

    def is_as_whole(self, release: Release) -> bool:
        """Whether the current release is what a host has that never had another."""
        install(Counting(), self.fresh, release, "green", self.archives, 20.0)
        return found(self.shown()) == found(Path(self.fresh.current("green"))) != {}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_round_trips(place: Place) -> None:
    """Two for the first release; one for the next, which brings what changed at once; and one for what is there."""
    first, second = release_of(MANY, place.archives), release_of(CHANGED, place.archives, "1.1.0")
    trips, whole = place.install(first)
    assert trips == 2
    trips, part = place.install(second)
    assert trips == 1
    assert part <= 0.1 * whole
    assert place.is_as_whole(second)
    assert place.install(first)[0] == 1
    assert place.shown().resolve().name == first.name
    assert place.is_as_whole(first)


NAMES = (
    b"a",
    b"b c",
    b"it's",
    b'"q"',
    b"-rf",
    b"--",
    b"$HOME",
    b"*",
    b"\xff\xfe",
    b"\xc3\xa9",
    b"new\nline",
    b"\\",
    b"\t",
)
names = st.sampled_from(NAMES)
paths = st.lists(names, min_size=1, max_size=3).map(b"/".join)
things = st.builds(Thing, st.binary(max_size=3000), st.booleans(), st.just(False)) | st.builds(
    Thing, st.sampled_from([b"a", b"b c", b"./it's", b"\xff"]), st.just(True), st.just(True)
)
trees = st.dictionaries(paths, things, min_size=1, max_size=9).map(
    lambda tree: {path: tree[path] for path in tree if not any(other.startswith(path + b"/") for other in tree)}
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees, trees, st.sets(st.integers(0, 8)), st.booleans())
def test_any_two_trees(tmp_path: Path, before: Tree, after: Tree, kept: set[int], is_known: bool) -> None:
    """Whatever two releases have in common, by the difference one gets what the whole archive gives; also when only
    the host knows what it has."""
    both = {path: before[path] for number, path in enumerate(before) if number in kept}
    after = {p: t for p, t in after.items() if not any(o.startswith(p + b"/") or p.startswith(o + b"/") for o in both)}
    folder = tmp_path / os.urandom(6).hex()
    place = Place(folder)
    first = release_of(before, place.archives if is_known else folder / "elsewhere", "1.0.0")
    second = release_of({**after, **both, b"big": Thing(b"x" * 50_000)}, place.archives, "1.1.0")
    place.install(first)
    place.install(second)
    assert place.is_as_whole(second)
    shutil.rmtree(folder)


def test_the_host_describes_what_nobody_else_has(place: Place, tmp_path: Path) -> None:
    """A deployer without the other release's archive asks the host for it: one round trip more, as few bytes. What was
    changed there meanwhile is not the same any more, and travels."""
    first, second = release_of(MANY, tmp_path / "elsewhere"), release_of(CHANGED, place.archives, "1.1.0")
    place.install(first)
    (place.shown() / "app/2/module 2.py").write_bytes(b"by hand")
    trips, part = place.install(second)
    assert (trips, part < 50_000) == (3, True)
    assert place.is_as_whole(second)


def test_a_guess_that_is_wrong(place: Place) -> None:
    """The newest archive here is of a release that the host never had: then it says what it has."""
    first, second = release_of(MANY, place.archives), place.build(CHANGED, "1.1.0")
    place.install(first)
    trips, part = place.install(second)
    assert (trips, part < 50_000) == (2, True)
    assert place.is_as_whole(second)


def replace_by_link(file: Path) -> None:
    other = file.with_name("elsewhere")
    file.rename(other)
    file.symlink_to(other)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda file: file.write_bytes(b"by hand"),
        lambda file: file.chmod(0o666),
        lambda file: file.unlink(),
        replace_by_link,
        lambda file: shutil.rmtree(file.parent),
        pytest.param(
            lambda file: os.chown(file, 12345, 12345),
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away"),
        ),
    ],
)
def test_what_was_changed_on_the_host_is_not_taken_over(place: Place, tamper: Callable[[Path], None]) -> None:
    """The difference does not give the release then: by itself, the whole archive follows."""
    first, second = release_of(MANY, place.archives), release_of(CHANGED, place.archives, "1.1.0")
    place.install(first)
    tamper(place.shown() / "app/2/module 2.py")
    assert place.install(second)[0] == 2
    assert place.is_as_whole(second)


def test_what_came_into_the_other_folder_stays_there(place: Place) -> None:
    """Byte code, logs and whatever else a program leaves beside its files."""
    first, second = release_of(MANY, place.archives), release_of(CHANGED, place.archives, "1.1.0")
    place.install(first)
    (place.shown() / "app/2/__pycache__").mkdir()
    (place.shown() / "app/2/__pycache__/x.pyc").touch()
    (place.shown() / "app/error.log").write_text("oh")
    assert place.install(second)[0] == 1
    assert place.is_as_whole(second)


def test_files_are_shared_until_they_are_replaced(place: Place) -> None:
    """A file that is the same is one file; a program that replaces it, beside and by its name, changes one release."""
    first, second = release_of(MANY, place.archives), release_of(CHANGED, place.archives, "1.1.0")
    place.install(first)
    file = place.shown().resolve() / "app/2/module 2.py"
    place.install(second)
    again = place.shown().resolve() / "app/2/module 2.py"
    assert again.samefile(file)
    again.with_name("new").write_bytes(b"new")
    again.with_name("new").replace(again)
    assert file.read_bytes() == MANY[b"app/2/module 2.py"].content


def test_a_base_that_is_pruned_meanwhile(place: Place) -> None:
    """Between the question and the answer the other release goes: the whole archive comes."""
    first, second = release_of(MANY, place.archives), place.build(CHANGED, "1.1.0")
    place.install(first)

    class Pruning(Counting):
        def run(self, command: str, timeout: float, given: str | None = None) -> str:
            said = super().run(command, timeout, given)
            shutil.rmtree(Path(place.layout.release(first.name)), ignore_errors=True)
            return said

    assert place.install(second, Pruning())[0] == 3
    assert place.is_as_whole(second)


def forget() -> None:
    """As if in another process."""
    difference._between.cache_clear()
    difference._likely.cache_clear()


def test_built_once_for_all_hosts(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts at once share one file; the next process finds it, and it is the same, byte for byte, made anew."""
    written: list[str] = []
    write = difference._write

    def noted(archive: str, name: str, shared: frozenset[str], sink: IO[bytes]) -> None:
        written.append(archive)
        write(archive, name, shared, sink)

    monkeypatch.setattr(difference, "_write", noted)
    first, second = release_of(MANY, place.archives), release_of(CHANGED, place.archives, "1.1.0")
    layouts = [Layout(str(tmp_path / f"host{number}")) for number in range(6)]

    def bring(layout: Layout) -> None:
        for release in (first, second):
            install(Counting(), layout, release, "green", place.archives, 20.0)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(bring, layouts))
    (file,) = (place.archives / "differences").iterdir()
    content = file.read_bytes()
    assert written == [second.archive]
    forget()
    place.install(first)
    place.install(second)
    assert written == [second.archive]
    file.unlink()
    forget()
    assert difference.to_archive(second, first.name, first.digest, place.archives)
    assert file.read_bytes() == content


def test_differences_of_long_ago_are_deleted(place: Place) -> None:
    """What nobody used for a week goes when the next one is made."""
    old = place.archives / "differences" / "old.tar.gz"
    old.parent.mkdir(parents=True)
    old.touch()
    os.utime(old, (1, 1))
    place.install(release_of(MANY, place.archives))
    place.install(release_of(CHANGED, place.archives, "1.1.0"))
    assert not old.exists()
    assert len(list(old.parent.iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"garbage"])
def test_a_spoiled_difference_costs_only_time(place: Place, content: bytes) -> None:
    """What lies in the folder of differences is believed by nobody: the host compares what it unpacks."""
    first, second = release_of(MANY, place.archives), release_of(CHANGED, place.archives, "1.1.0")
    place.install(first)
    made = difference.to_archive(second, first.name, first.digest, place.archives)
    assert made
    Path(made.path).write_bytes(content)
    forget()
    assert place.install(second)[0] == 2
    assert place.is_as_whole(second)


def test_an_archive_that_was_changed_here_is_refused_there(place: Place) -> None:
    """A difference is made from nothing but the release itself."""
    first, second = release_of(MANY, place.archives), release_of(CHANGED, place.archives, "1.1.0")
    place.install(first)
    content = bytearray(Path(second.archive).read_bytes())
    content[5000] ^= 1
    Path(second.archive).write_bytes(content)
    with pytest.raises(CommandFailed, match=f"not {second.digest}"):
        place.install(second)
    assert place.shown().resolve().name == first.name


def test_nothing_in_common_travels_whole(place: Place) -> None:
    """And without asking for what would not help."""
    place.install(release_of(MANY, place.archives))
    other = release_of({b"x": Thing(os.urandom(5000))}, place.archives, "2.0.0")
    assert place.install(other)[0] == 2
    assert place.is_as_whole(other)


def hosts_of_all_kinds() -> list[str]:
    return [kind for kind in ("dash", "bash", "busybox", "bsdtar", "shasum") if shutil.which(kind)]


@pytest.mark.parametrize("kind", hosts_of_all_kinds())
def test_on_hosts_of_every_kind(place: Place, tmp_path: Path, kind: str) -> None:
    """Other shells, busybox' programs, BSD's tar, and Perl's shasum, which macOS has."""
    shells = {"dash": ("dash", "-c"), "bash": ("bash", "-c"), "busybox": ("busybox", "sh", "-c")}
    at = shutil.which(kind)
    assert at
    folder = tmp_path / "programs"
    if kind == "busybox":
        applets = subprocess.run([at, "--list"], capture_output=True, text=True, check=True).stdout.split()
        path = programs(folder, **dict.fromkeys([*applets, "busybox"], at))
    elif kind == "bsdtar":
        path = programs(folder, tar=at)
    elif kind == "shasum":
        path = programs(folder, sha256sum=None, shasum=at, perl=shutil.which("perl"))
    else:
        path = None
    shell = tuple(shutil.which(word) or word for word in shells.get(kind, ("sh", "-c")))
    host = Counting(shell=shell, path=path)
    tree = {**MANY, b"bin/run": Thing(b"#!", True), b"bin/ln": Thing(b"run", True, True)}
    first = release_of(tree, place.archives)
    second = release_of({**tree, **CHANGED, b"\xff it's": Thing(b"")}, place.archives, "1.1.0")
    assert place.install(first, host)[0] == 2
    assert place.install(second, host)[0] == 1
    assert place.is_as_whole(second)
    assert place.install(first, host)[0] == 1
    assert place.shown().resolve().name == first.name
