"""The hosts of ``fleet.py``, what is installed on them, and how one process is measured."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import fleet_peers as peers
from lab.hosts import Lab  # noqa: TC002  # no other import here waits for a type checker

from deploytasks.ports import Release
from deploytasks.release import archive
from deploytasks.release.archive import Entry

FILES = 1500
SIZE = 6_000_000
AT_ONCE = 16
CHANGED = {"1.0.0": 0, "1.1.0": FILES // 100}
"""How many files of a version are other ones."""
CLIENT = Path(__file__).parent / "fleet_client.py"


class Run(NamedTuple):
    """What one process took: seconds, and what it said of itself."""

    seconds: float
    said: dict[str, Any]
    sent: int = 0
    """Bytes that arrived at all hosts together."""

    @property
    def alone(self) -> float:
        """Seconds of the installation alone, without the start and the end of Python."""
        return float(self.said["seconds"])


class Bench:
    """A laboratory, two releases, and a folder for everything."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.places: Counter[str] = Counter()
        self.first = build(folder, "1.0.0", content())
        self.second = build(folder, "1.1.0", content(CHANGED["1.1.0"]))

    def job(self, who: str) -> peers.Job:
        """The same work for somebody else, at a new place."""
        folder = self.folder / who
        folder.mkdir(exist_ok=True)
        config = self.lab.ssh_config(folder / "ssh_config")
        names = tuple(host.name for host in self.lab.hosts)
        return peers.Job(folder, config, names, Path(self.first.archive), self.first.digest, self.place(who), AT_ONCE)

    def place(self, who: str) -> str:
        """A folder on every host where nothing is yet."""
        self.places[who] += 1
        return f"{self.lab.hosts[0].root}/{who}-{self.places[who]}"

    def client(self, who: str, release: Release, root: str) -> list[str]:
        """A process of ``fleet_client``."""
        one = self.lab.hosts[0]
        order = self.folder / f"{who}-{release.version}.json"
        order.write_text(
            json.dumps(
                {
                    "hosts": {host.name: (host.address, host.port) for host in self.lab.hosts},
                    "user": one.user, "key": str(one.key), "known_hosts": str(one.known_hosts),
                    "root": root, "release": release._asdict(), "at_once": AT_ONCE,
                }
            )
        )  # fmt: skip
        return [sys.executable, str(CLIENT), who, str(order)]

    def measured(self, who: str, command: Sequence[str]) -> Run:
        """Run it, when what was written before is on the disk."""
        subprocess.run(["sync", "-f", str(self.folder)], check=True)
        before, began = self.arrived(), time.perf_counter()
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(f"{who} left with {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        said = done.stdout.strip().splitlines()[-1:]
        is_client = bool(said) and said[0].startswith("{")
        return Run(seconds, json.loads(said[0]) if is_client else {}, self.arrived() - before)

    def arrived(self) -> int:
        """Bytes that have gone to all hosts so far, by the counters of our ends of their links."""
        links = [getattr(host, "link") for host in self.lab.hosts]  # noqa: B009  # only real hosts have one
        return sum(int(Path(f"/sys/class/net/{link}/statistics/tx_bytes").read_text()) for link in links)

    def check(self, root: str, release: Release, current: str = "") -> None:
        """Every host has every file of the release there, byte for byte. ``current``: the link that leads to it."""
        wanted = {Path(entry.path).name: entry.content for entry in content(changed=CHANGED[release.version])}
        for host in self.lab.hosts:
            top = host.path(root)
            found = (top / (top / current).readlink() if current else top).rglob("static/*/*.js")
            if {file.name: file.read_bytes() for file in found} != wanted:
                raise SystemExit(f"{host.name}: what is installed in {root} is not the release")


def content(changed: int = 0) -> list[Entry]:
    """Files that no compression makes smaller, always the same ones; ``changed`` of them otherwise."""
    some = random.Random(1)
    each = SIZE // FILES - 1024  # what tar adds
    found = []
    for number in range(FILES):
        body = some.randbytes(each + some.randrange(-500, 500))
        if number % (FILES // max(changed, 1)) == 0 and changed:
            body = hashlib.sha256(body).digest() + body[32:]
        found.append(Entry(f"static/{number % 40:02}/{number:04}.js", body))
    return sorted(found, key=lambda entry: archive.order(entry.path))


def build(folder: Path, version: str, entries: Sequence[Entry]) -> Release:
    """Its archive, as ``inv build`` makes it."""
    artifacts = folder / "artifacts"
    artifacts.mkdir(exist_ok=True)
    release = Release(version, "c0ffee", archive.digest(entries), "")
    path = artifacts / f"{release.name}.tar.gz"
    with path.open("wb") as sink:
        archive.write(entries, sink)
    return release._replace(archive=str(path))


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A fresh ext4 for everything; where no such file can be mounted, the folder itself."""
    image, mounted = folder / "image", folder / "disk"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(12 << 30)  # sparse: what is not written takes no room
    subprocess.run(["mkfs.ext4", "-q", "-N", "1500000", "-E", "lazy_itable_init=1", str(image)], check=True)
    if subprocess.run(["mount", "-o", "loop", str(image), str(mounted)], check=False).returncode:
        print("no disk of its own: what others write, and earlier rounds have deleted, is measured as well")
        yield mounted
        return
    try:
        yield mounted
    finally:
        subprocess.run(["umount", str(mounted)], check=True)
