"""The manifest of an archive is that of the folder which it gives, and of nothing else."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from deploytasks.providers.hosts.shell import LISTING
from deploytasks.release import archive, manifest
from deploytasks.release.archive import Entry
from deploytasks.release.manifest import File, Unfit

CONTENT = sha256(b"x").hexdigest()


def packed(folder: Path, *entries: Entry) -> tuple[str, str]:
    """An archive and its digest."""
    file = folder / f"{os.urandom(6).hex()}.tar.gz"
    with file.open("wb") as sink:
        return str(file), archive.write(sorted(entries, key=lambda one: archive.order(one.path)), sink)


def foreign(folder: Path, *members: tarfile.TarInfo) -> tuple[str, str]:
    """An archive as others make it."""
    file = folder / "foreign.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"\0" * member.size))
    return str(file), sha256(file.read_bytes()).hexdigest()


def member(name: str, kind: bytes = tarfile.REGTYPE, **facts: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    for fact, value in facts.items():
        setattr(made, fact, value)
    return made


def test_says_what_is_there(tmp_path: Path) -> None:
    """Files by path with mode and content, the folders that they make, and links."""
    made = manifest.of_archive(
        *packed(tmp_path, Entry("a/b", b"x", True), Entry("c", b"x"), Entry("l", b"c", True, True))
    )
    assert made.files == {"a/b": File(0o755, CONTENT), "c": File(0o644, CONTENT)}
    assert (made.folders, made.links, made.modes) == ({"a"}, {"l"}, ("644", "755"))


names = st.lists(st.sampled_from(["a", "b c", "it's", "-rf", "é", "\udcff", "*"]), min_size=1, max_size=3).map("/".join)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(names, st.tuples(st.binary(max_size=99), st.booleans()), min_size=1, max_size=6))
def test_the_host_says_the_same(tmp_path: Path, given: dict[str, tuple[bytes, bool]]) -> None:
    """What ``find`` and ``sha256sum`` print in the unpacked folder, sorted, has the digest of the manifest; read back,
    it has the same files."""
    paths = [path for path in given if not any(other.startswith(f"{path}/") for other in given)]
    file, digest = packed(tmp_path, *(Entry(path, *given[path]) for path in paths))
    folder = tmp_path / os.urandom(6).hex()
    folder.mkdir()
    subprocess.run(["tar", "-xzopf", file, "-C", str(folder)], check=True)
    made = manifest.of_archive(file, digest)
    listing = subprocess.run(
        ["sh", "-c", f"{LISTING}\nlist {' '.join(made.modes)} | LC_ALL=C sort"],
        cwd=folder,
        capture_output=True,
        check=True,
    ).stdout
    assert sha256(listing).hexdigest() == made.digest
    assert manifest.of_listing(os.fsdecode(listing)) == made.files


def test_another_file_mode_or_name_is_another_manifest(tmp_path: Path) -> None:
    """Nothing that a person could tell apart has the same digest."""
    things = [
        (Entry("a", b"x"),), (Entry("a", b"y"),), (Entry("a", b"x", True),), (Entry("b", b"x"),),
        (Entry("a", b"x", True, True),), (Entry("a/b", b"x"),), (Entry("a", b"x"), Entry("b", b"x")),
    ]  # fmt: skip
    digests = [manifest.of_archive(*packed(tmp_path, *entries)).digest for entries in things]
    assert len(set(digests)) == len(things)


@pytest.mark.parametrize(
    "bad",
    [
        [member("a\nb")],
        [member("back\\slash")],
        [member("../up")],
        [member("/top")],
        [member("a/../b")],
        [member("a"), member("a")],
        [member("a"), member("a/b")],
        [member("hard", tarfile.LNKTYPE, linkname="a")],
        [member("pipe", tarfile.FIFOTYPE)],
        [member("disk", tarfile.BLKTYPE)],
    ],
    ids=lambda members: members[-1].name,
)
def test_what_cannot_be_compared(tmp_path: Path, bad: list[tarfile.TarInfo]) -> None:
    """Names that tools print in different ways, and things that are neither files nor folders nor links."""
    with pytest.raises(Unfit):
        manifest.of_archive(*foreign(tmp_path, *bad))


def test_what_others_archive_in_their_way(tmp_path: Path) -> None:
    """Folders that are said, a top of ``./``, modes that we never give."""
    top = [member("./", tarfile.DIRTYPE), member("./empty/", tarfile.DIRTYPE), member("./a/b", mode=0o4750)]
    made = manifest.of_archive(*foreign(tmp_path, *top))
    assert (made.folders, made.modes, [*made.files]) == ({"a", "empty"}, ("4750",), ["a/b"])


def test_an_archive_that_is_not_what_it_was(tmp_path: Path) -> None:
    """Its digest is looked at, not its name."""
    file, digest = packed(tmp_path, Entry("a", b"x"))
    Path(file).write_bytes(Path(file).read_bytes() + b"\0")
    with pytest.raises(Unfit, match="is not what it was"):
        manifest.of_archive(file, digest)
