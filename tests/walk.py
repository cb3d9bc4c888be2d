"""Following a page to the letter: its blocks of commands are run in one shell, its files are written as they stand.

On a page:

- ``sh``: commands, typed one block after the other into the same shell. Their exit code must be 0, unless a comment
  before the block says another one: ``<!-- code: 4 -->``.
- ``text`` below them: what was printed. Each of its lines must come, in this order; ``…`` stands for anything, and
  other lines may come in between.
- any block with ``title="path"``: the file, in the folder where the shell is.

The shell has network, processes and a HOME of its own: whatever it starts, on whichever port, collides with nothing and
is gone when it ends.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

from pages import ROOT

_FENCE = re.compile(r"^( *)```(\w*)(.*)$")
_CODE = re.compile(r"<!-- code: (\d+) -->")
_TITLE = re.compile(r'title="([^"]+)"')
ALONE = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
"""A network and processes of its own; as nobody special, a user namespace besides."""

SETUP = """
python3 - <<'PYTHON'
import fcntl, socket, struct
with socket.socket() as one:
    fcntl.ioctl(one, 0x8914, struct.pack("16sH14s", b"lo", 0x1 | 0x40, b""))  # the loopback, up
PYTHON
pip() {{ python "{here}" "$@"; }}
"""
"""What the shell does before the page begins. ``pip install`` takes what is installed already: the one substitution."""


class Block(NamedTuple):
    """A fenced block of a page."""

    line: int
    language: str
    title: str
    text: str
    code: int
    """The exit code that its commands leave with."""


class Told(NamedTuple):
    """What a block of commands printed, and how it left."""

    said: str
    code: int


def blocks(page: Path) -> list[Block]:
    """All fenced blocks, without what indents them."""
    found: list[Block] = []
    opened: re.Match[str] | None = None
    first, code, lines = 0, 0, list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if opened is None:
            if said := _CODE.search(line):
                code = int(said[1])
            if opened := _FENCE.match(line):
                first, lines = number, []
        elif line.strip() == "```":
            title = _TITLE.search(opened[3])
            text = textwrap.dedent("\n".join(lines))
            found.append(Block(first, opened[2], title[1] if title else "", text, code))
            opened, code = None, 0
        else:
            lines.append(line)
    return found


def missing(expected: str, said: str) -> str | None:
    """The first line that should have been printed and was not; ``…`` is anything, blanks count as one."""
    lines = iter([_squeezed(line) for line in said.splitlines()])
    for wanted in filter(str.strip, expected.splitlines()):
        pattern = ".*".join(re.escape(part.strip()) for part in _squeezed(wanted).split("…"))
        if not any(re.fullmatch(pattern, line) for line in lines):
            return wanted
    return None


def _squeezed(line: str) -> str:
    return " ".join(line.split())


def can_be_alone() -> bool:
    """Whether this machine lets us have a network and processes of our own."""
    return (
        shutil.which("unshare") is not None
        and 0 == subprocess.run([*_alone(), "true"], check=False, capture_output=True).returncode
    )


def _alone() -> list[str]:
    return [*ALONE, *(() if os.geteuid() == 0 else ("--user", "--map-root-user"))]


class Shell:
    """A shell in a fresh folder, with a fresh HOME."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "home").mkdir(parents=True)
        (folder / "bin").mkdir()
        (folder / "bin/python3").symlink_to(sys.executable)
        (folder / "work").mkdir()
        self._said = (folder / "said").open("w+", encoding="utf-8", errors="replace")
        self._popen = subprocess.Popen(
            [*_alone(), "bash", "--noprofile", "--norc"],
            cwd=folder / "work", env=self._variables(), stdin=subprocess.PIPE, stdout=self._said, stderr=self._said,
            text=True,
        )  # fmt: skip
        self.run(SETUP.format(here=Path(__file__)), 30)

    def _variables(self) -> dict[str, str]:
        path = os.pathsep.join([str(self.folder / "bin"), os.defpath, "/usr/sbin", "/sbin"])
        packages = sysconfig.get_path("purelib")
        home = str(self.folder / "home")
        return {"HOME": home, "PATH": path, "LANG": "C.UTF-8", "COLUMNS": "120", "WALK_PACKAGES": packages}

    def run(self, commands: str, timeout: float) -> Told:
        """Type commands in, and wait until all of them are done; ``$?`` is theirs afterwards, too."""
        mark, begin = f"==done-{time.monotonic_ns()}==", self._said.seek(0, os.SEEK_END)
        assert self._popen.stdin is not None
        self._popen.stdin.write(f"{commands}\n__code=$?; echo; echo {mark} $__code; (exit $__code)\n")
        self._popen.stdin.flush()
        until = time.monotonic() + timeout
        while time.monotonic() < until and self._popen.poll() is None:
            self._said.seek(begin)
            said, found, code = self._said.read().partition(mark)
            if found and "\n" in code:
                return Told(said, int(code.split()[0]))
            time.sleep(0.05)
        raise AssertionError(f"not done after {timeout:g} s:\n{commands}\n{said}")

    def write(self, title: str, text: str) -> None:
        """Write a file below the folder where the shell is."""
        here = Path(self.run("pwd", 10).said.strip())
        (here / title).parent.mkdir(parents=True, exist_ok=True)
        (here / title).write_text(f"{text}\n", encoding="utf-8")

    def close(self) -> None:
        """End it, and with it everything that it has started."""
        self._popen.kill()
        self._popen.wait(10)
        if self._popen.stdin is not None:
            self._popen.stdin.close()
        self._said.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def follow(page: Path, shell: Shell, timeout: float = 120) -> Iterator[tuple[Block, Told]]:
    """Do what a page says, block by block, and look whether it happens as it says."""
    told = Told("", 0)
    for block in blocks(page):
        if block.title:
            shell.write(block.title, block.text)
        elif block.language == "sh":
            told = shell.run(block.text, timeout)
            assert block.code == told.code, f"{page.name}:{block.line}: {block.text}\n{told.said}"
            yield block, told
        elif block.language == "text":
            lost = missing(block.text, told.said)
            assert lost is None, f"{page.name}:{block.line}: {lost!r} was not printed, but\n{told.said}"


def install() -> None:
    """Stand in for ``pip install``: a virtual environment that finds what the tests' own one has."""
    import site

    packages = Path(site.getsitepackages()[0])
    (packages / "walk.pth").write_text(f"{ROOT}\n{os.environ['WALK_PACKAGES']}\n", encoding="utf-8")
    script = Path(sys.prefix, "bin/inv")
    script.write_text(f"#!{sys.executable}\nimport sys\nfrom invoke.main import program\nsys.exit(program.run())\n")
    script.chmod(0o755)


if __name__ == "__main__":
    install()
