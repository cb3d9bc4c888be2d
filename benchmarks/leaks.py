"""How fast a release is looked through for secrets, beside only reading it; what is found, and what for nothing.

A repository of ordinary sources (the standard library and what is installed here), 50 MB of them, with some secrets
planted: values of known variables in several dresses, keys and tokens. Prints seconds of processor time as the medians
of interleaved rounds, and how many of those planted were found. Leaves with 1 when one was missed, or it took longer
than the bar. With ``--peer``, detect-secrets looks through a tenth of it as well.

    python benchmarks/leaks.py [--megabytes 50] [--rounds 5] [--peer]
"""

from __future__ import annotations

import argparse
import base64
import random
import resource
import statistics
import string
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from deploytasks.checklist.leaks import look_through
from deploytasks.checklist.scanning import Finding, needles
from deploytasks.release import looking

BAR = 1.0
"""Seconds for 50 MB, beside what git takes to read them."""
KNOWN = [(f"SECRET_{number}", f"Zk3-horse.battery/staple+{number:02}-of-ten") for number in range(10)]


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=float, default=50.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer", action="store_true", help="detect-secrets, too, on a tenth")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        size, planted = repository(root, asked.megabytes * 1e6)
        read, looked, found = measured(root, asked.rounds)
        peer = by_detect_secrets(root, size / 10) if asked.peer else None
    missed = [path for path in planted if not any(one.path == path for one in found)]
    others = [str(one) for one in found if one.path not in planted]
    print(f"{size / 1e6:.1f} MB of sources, 10 known secrets, medians of {asked.rounds} interleaved rounds")
    print(f"  only read        {read:.2f} s")
    pace = f"ratio {looked / read:.1f}   {size / looked / 1e6:.0f} MB/s   bar {BAR} s beside reading"
    print(f"  looked through   {looked:.2f} s   {pace}")
    print(f"  planted          {len(planted)}, found {len(planted) - len(missed)}, told besides {len(others)}")
    print("".join(f"    {line}\n" for line in [*missed, *others]), end="")
    if peer is not None:
        print(f"  detect-secrets   {peer:.2f} s for a tenth, one process; ratio {peer * 10 / looked:.0f}")
    return int(bool(missed) or looked - read > BAR * size / 50e6)


def repository(root: Path, size: float) -> tuple[float, list[str]]:
    """A commit with sources and planted secrets: how many bytes, and the paths with something in them."""
    places = [Path(sysconfig.get_paths()[name]) for name in ("stdlib", "purelib")]
    files = sorted({file for place in places for file in place.rglob("*.py")})
    random.Random(1).shuffle(files)
    there = 0.0
    while there < size:
        for number, file in enumerate(files):
            content = file.read_bytes()
            folder = root / f"{int(there // 1e6):03}"
            folder.mkdir(exist_ok=True)
            (folder / f"{number}_{file.name}").write_bytes(content)
            there += len(content)
            if there >= size:
                break
    planted = list(plant(root))
    for arguments in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "Sources"]):
        who = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *arguments], cwd=root, check=True)
    return there, planted


def plant(root: Path) -> Iterator[str]:
    """Write secrets into files between the others; their paths."""
    chance = random.Random(2)
    text = "".join(chance.choices(string.ascii_letters + string.digits, k=200))
    shapes = [
        f"-----BEGIN RSA PRIVATE KEY-----\n{text[:64]}\n", f"AKIA{text[:16].upper()}", f"ghp_{text[:36]}",
        f"xoxb-{text[:30]}", f"sk_live_{text[:24]}", f"AIza{text[:35]}", f'routing_key = "{text[:32]}"',
    ]  # fmt: skip
    dresses: list[Callable[[str], bytes]] = [
        str.encode, lambda value: base64.b64encode(value.encode()), lambda value: value.encode("utf-16-le"),
    ]  # fmt: skip
    values = [dress(value) for _, value in KNOWN for dress in dresses]
    folders = sorted(folder for folder in root.iterdir() if folder.is_dir())
    for number, content in enumerate([*(shape.encode() for shape in shapes), *values]):
        file = chance.choice(folders) / f"planted_{number}.py"
        file.write_bytes(
            b"one = 1\n" * chance.randrange(2000) + content + b"\n" + b"two = 2\n" * chance.randrange(2000)
        )
        yield file.relative_to(root).as_posix()


def measured(root: Path, rounds: int) -> tuple[float, float, list[Finding]]:
    """Seconds of only reading and of looking through, with what git takes for both; and what is found."""
    read, looked, found = [], [], []
    for _ in range(rounds):
        began = spent()
        for _, content in looking.of_commit(root, "HEAD"):
            for _ in content:
                pass
        read.append(spent() - began)
        began = spent()
        found = look_through(looking.of_commit(root, "HEAD"), needles(KNOWN), ()).findings
        looked.append(spent() - began)
    return statistics.median(read), statistics.median(looked), found


def spent() -> float:
    """Processor time of this process and of those that it waited for, in seconds."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def by_detect_secrets(root: Path, size: float) -> float:
    """Seconds that detect-secrets takes for some of the files."""
    files, there = [], 0.0
    for file in sorted(root.rglob("*.py")):
        files.append(str(file))
        there += file.stat().st_size
        if there >= size:
            break
    began = time.monotonic()
    command = [sys.executable, "-m", "detect_secrets", "-c", "1", "scan", "--no-verify", *files]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
