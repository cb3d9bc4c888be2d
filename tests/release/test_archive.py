"""The same content is the same archive, everywhere and for ever."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

from hypothesis import given, strategies as st

from deploytasks.release import archive
from deploytasks.release.archive import Entry

ENTRIES = (
    Entry("app.py", b"print(1)\n"),
    Entry("bin/run", b"#!/bin/sh\n", is_executable=True),
    Entry("bin/start", b"run", is_link=True),
    Entry("d" * 150 + "/é" + "f" * 120, b"long"),
)


def packed(entries: tuple[Entry, ...]) -> tuple[bytes, str]:
    sink = io.BytesIO()
    digest = archive.write(entries, sink)
    return sink.getvalue(), digest


def test_digest_never_changes() -> None:
    """The digest of this content was written down once: another Python, zlib or machine must find the same."""
    assert archive.digest(ENTRIES) == "d6fe6d0c6effb4d5b44094a7e53d6bb92e13569f135d7fb00d1ad9740b317aad"


def test_digest_is_that_of_the_bytes() -> None:
    """What ``digest`` says without writing is what ``sha256sum`` says of the file."""
    content, digest = packed(ENTRIES)
    assert digest == hashlib.sha256(content).hexdigest() == archive.digest(ENTRIES)


def test_holds_modes_and_no_owner() -> None:
    """Modes 644 and 755, nobody's, from 1970."""
    content, _ = packed(ENTRIES)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        members = tar.getmembers()
    assert [(m.name, oct(m.mode), m.linkname) for m in members[:3]] == [
        ("app.py", "0o644", ""),
        ("bin/run", "0o755", ""),
        ("bin/start", "0o755", "run"),
    ]
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {(0, 0, "", "", 0)}


def test_tar_unpacks_it(tmp_path: Path) -> None:
    """The tar of the host reads it, long and foreign names included."""
    content, _ = packed((*ENTRIES, Entry("zzz", os.urandom(200_000))))
    file = tmp_path / "a.tar.gz"
    file.write_bytes(content)
    subprocess.run(["tar", "-xzof", str(file), "-C", str(tmp_path)], check=True)
    assert (tmp_path / ENTRIES[3].path).read_bytes() == b"long"
    assert (tmp_path / "zzz").stat().st_size == 200_000
    assert os.readlink(tmp_path / "bin" / "start") == "run"  # noqa: PTH115  # the very text of the link


@given(st.lists(st.binary(max_size=70_000), max_size=4))
def test_gzip_reads_it(contents: list[bytes]) -> None:
    """Whatever the sizes, around the 65,535 bytes of a block too, gzip finds sizes and checksums right."""
    entries = tuple(Entry(f"{number}", content) for number, content in enumerate(contents))
    content, _ = packed(entries)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as tar:
        found = [tar.extractfile(member) for member in tar.getmembers()]
    assert [file.read() if file else None for file in found] == contents
