"""Writes the files that a repository needs: those that are missing, all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

TAKEN_BY: Mapping[str, Sequence[str]] = {
    "tasks.py": ("tasks.py", "tasks"),
    "invoke.yaml": ("invoke.yaml", "invoke.yml", "invoke.json", "invoke.py"),
}
"""File that we write → names under which Invoke would find another one."""
TO_ADD: Mapping[str, str] = {
    "tasks.py": "add to it:  from deploytasks import namespace",
    "invoke.yaml": "add to it what this prints:  python -m deploytasks init --print",
}
IGNORED = ".gitignore"


class Written(NamedTuple):
    """What came of one file: ``wrote``, ``added`` a line to it, or ``kept`` as it was, with what to do about that."""

    how: str
    path: Path
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.how:<5} {self.path}{f': {self.advice}' if self.advice else ''}"


def write(folder: Path, files: Mapping[str, str], ignore: Sequence[str] = ()) -> list[Written]:
    """Write files by their paths, and lines that ``.gitignore`` lacks. What is there stays as it is.

    Raises ``OSError`` when something cannot be written; then nothing of it was.
    """
    with ExitStack() as undo:
        done = [_write(folder, name, text, undo) for name, text in files.items()]
        if (line := _ignore(folder, ignore)) is not None:
            done.append(line)
        undo.pop_all()
    return done


def _write(folder: Path, name: str, text: str, undo: ExitStack) -> Written:
    taken = next((other for other in TAKEN_BY.get(name, (name,)) if _exists(folder / other)), None)
    if taken is not None:
        return Written("kept", folder / taken, TO_ADD.get(name, ""))
    _make_folders(folder, (folder / name).parent, undo)
    with (folder / name).open("x", encoding="utf-8") as file:
        undo.callback(_removed, (folder / name).unlink)
        file.write(text)
    return Written("wrote", folder / name)


def _make_folders(folder: Path, needed: Path, undo: ExitStack) -> None:
    """Folders of ours below the given one, which itself must be there."""
    if needed == folder or needed.is_dir():
        return
    _make_folders(folder, needed.parent, undo)
    needed.mkdir()
    undo.callback(_removed, needed.rmdir)


def _removed(remove: Callable[[], None]) -> None:
    with suppress(OSError):
        remove()


def _ignore(folder: Path, lines: Sequence[str]) -> Written | None:
    """Keep what is made here out of git, and so out of releases. A link is not followed: git does not, either."""
    file = folder / IGNORED
    if file.is_symlink():
        return Written("kept", file, f"git follows no link: make it a file, and add to it:  {' '.join(lines)}")
    known = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    ignored = {one.strip("/ ") for one in known.split("\n")}
    missing = [line for line in lines if line.strip("/") not in ignored]
    if not missing:
        return None
    start = "" if not known or known.endswith("\n") else "\n"
    with file.open("a", encoding="utf-8") as opened:
        opened.write(start + "".join(f"{line}\n" for line in missing))
    return Written("added" if known else "wrote", file, " ".join(missing) if known else "")


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()
