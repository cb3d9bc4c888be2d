"""Our own reader of archives sees what ``tarfile`` sees."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from deploytasks.release import archive
from deploytasks.release.archive import Entry
from deploytasks.release.members import Unfit, members

LONG = "a folder/" * 14 + "é.txt"
ENTRIES = [
    Entry("app.py", b"print()\n", is_executable=True),
    Entry("empty", b""),
    Entry("exact", b"x" * 512),
    Entry("link", ("../" * 50 + "away").encode(), is_link=True),
    Entry(LONG, b"y" * 3_000_000),
]


def written(folder: Path, entries: list[Entry]) -> str:
    with (folder / "archive.tar.gz").open("wb") as sink:
        archive.write(sorted(entries, key=lambda one: archive.order(one.path)), sink)
    return str(folder / "archive.tar.gz")


def test_every_member_with_its_content(tmp_path: Path) -> None:
    """Names however long, modes, kinds and contents; also when a content is passed over."""
    path = written(tmp_path, ENTRIES)
    with tarfile.open(path, encoding="utf-8") as tar:
        expected = [
            (one.name, one.mode, one.isfile(), tar.extractfile(one).read() if one.isfile() else b"")  # type: ignore[union-attr]
            for one in tar
        ]
    assert expected == [(m.name.decode(), m.mode, m.is_file, b"".join(content)) for m, content in members(path)]
    assert [name for name, *_ in expected] == [member.name.decode() for member, _ in members(path)]


@pytest.mark.parametrize("target", ["../../1.0.0-abc/app.py", "../" * 60 + LONG])
def test_a_member_as_a_hard_link(tmp_path: Path, target: str) -> None:
    """Its header is one that ``tarfile`` reads as a link of that name, mode and time."""
    path = written(tmp_path, ENTRIES)
    text = b"".join(member.as_link(target.encode()) for member, _ in members(path) if member.is_file) + bytes(1024)
    with tarfile.open(fileobj=io.BytesIO(text), encoding="utf-8") as tar:
        found = [(one.name, one.linkname, one.islnk(), one.mode, one.size) for one in tar]
    modes = {"app.py": 0o755}
    names = sorted((entry.path for entry in ENTRIES if not entry.is_link), key=archive.order)
    assert [(name, target, True, modes.get(name, 0o644), 0) for name in names] == found


def test_another_format_is_said(tmp_path: Path) -> None:
    """What is not understood is ``Unfit``, never guessed at: extended headers, sparse files, no archive at all."""
    path = tmp_path / "pax.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("é" * 120)
        tar.addfile(info)
    with pytest.raises(Unfit):
        list(members(str(path)))
    path.write_bytes(gzip.compress(b"no archive at all" * 100))
    with pytest.raises(Unfit):
        list(members(str(path)))


def test_what_was_cut_off_is_said(tmp_path: Path) -> None:
    """An archive that ends in the middle of a file is no shorter one."""
    path = Path(written(tmp_path, ENTRIES))
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:2000]))
    with pytest.raises(EOFError):
        list(members(str(path)))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises((EOFError, Unfit)):
        list(members(str(path)))
