"""PostgreSQL's own programs: which of those installed fits the server, and running one until its time is up."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, NamedTuple

from ... import redaction
from ...errors import DeployError, Unreachable, UsageError
from ...runners import kill_tree, signals_deferred

_BESIDE_THE_PATH = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
"""Where Debian's and Red Hat's packages keep each version's own."""

_GUARD = """exec 3<&0 </dev/null
"$@" & child=$!
{
  cat <&3; kill -TERM $child; left=20
  while [ $left -gt 0 ] && kill -0 $child; do left=$((left - 1)); sleep 0.1; done
  kill -KILL $child
} >/dev/null 2>&1 & guard=$!
exec 3<&-
wait $child; code=$?
kill $guard 2>/dev/null
exit $code
"""
"""Ends the program when the other end of stdin is closed, by us or by our death. At TERM it cancels at the server."""


class Failed(DeployError):
    """One of PostgreSQL's programs exited with another code than 0; ``output`` is what it said, without secrets."""

    exit_code = 7

    def __init__(self, program: str, code: int, output: str) -> None:
        self.output = str(redaction.clean(output))
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        told = "; ".join(lines[:4])[:700]
        super().__init__(f"{program} failed with code {code}{': ' if told else ''}{told}")


class Tools(NamedTuple):
    """A folder with ``pg_dump`` and ``pg_restore`` of one major version."""

    folder: Path
    major: int

    def path(self, program: str) -> str:
        """The path of a program."""
        return str(self.folder / program)


class Programs:
    """All versions that can be found; or those of one folder, where that is configured."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @cached_property
    def found(self) -> Sequence[Tools]:
        """What is installed, the oldest first."""
        if self._folder is not None:
            folders = [self._folder]
        else:
            on_path = shutil.which("pg_dump")
            folders = [Path(on_path).parent] if on_path else []
            for pattern in _BESIDE_THE_PATH:
                folders += sorted(Path("/").glob(pattern.lstrip("/")))
        known = {folder: _major(folder) for folder in folders}
        return sorted((Tools(folder, major) for folder, major in known.items() if major), key=lambda one: one.major)

    def fit_for(self, server: int) -> Tools:
        """Those of the server's major version, or of the next that is there: an older one cannot read it.

        Raises ``UsageError``.
        """
        for tools in self.found:
            if tools.major >= server:
                return tools
        where = str(self._folder) if self._folder else "PATH"
        has = f"pg_dump {self.found[-1].major} in {self.found[-1].folder}" if self.found else f"no pg_dump in {where}"
        raise UsageError(
            f"the server is PostgreSQL {server}, and there is {has}: that cannot read it",
            state="nothing was changed",
            do=f"install PostgreSQL's client programs {server} or newer; `database.bin` names their folder",
        )


class Running:
    """A program at work, in a session of its own."""

    def __init__(
        self, name: str, process: subprocess.Popen[bytes], line: int, output: IO[bytes], errors: IO[bytes]
    ) -> None:
        self.name = name
        self._process = process
        self._line = line
        self._output = output
        self._errors = errors

    def finish(self, deadline: float) -> str:
        """Wait for its end, at most until ``deadline`` (on the monotonic clock); returns its stdout.

        Raises ``Failed``, and ``Unreachable`` when the time is up.
        """
        try:
            code = self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Unreachable(f"{self.name} was not done in time", state="it was ended") from None
        if code != 0:
            raise Failed(self.name, code, _text(self._errors) or _text(self._output))
        return _text(self._output)

    def end(self) -> None:
        """Let it cancel what it does at the server, then kill whatever is left of it. Fine when it has ended."""
        os.close(self._line)
        try:
            self._process.wait(3)
        except BaseException as error:
            kill_tree(self._process.pid)
            self._process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Running]:
    """Run a program beside what the body does; after the body it does not run any more."""
    name = Path(command[0]).name
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        theirs, ours = os.pipe()
        try:
            with signals_deferred():
                process = subprocess.Popen(
                    ["/bin/sh", "-c", _GUARD, name, *command],
                    env={**environment, "LC_ALL": "C"},
                    stdin=theirs, stdout=output, stderr=errors, start_new_session=True,
                )  # fmt: skip
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        started = Running(name, process, ours, output, errors)
        try:
            yield started
        finally:
            started.end()


def run(command: Sequence[str], environment: Mapping[str, str], deadline: float) -> str:
    """Run a program to its end; returns its stdout. Errors as ``Running.finish``."""
    with running(command, environment) as started:
        return started.finish(deadline)


def _major(folder: Path) -> int | None:
    """The major version of the programs in a folder; ``None`` when they are not both there."""
    if not (folder / "pg_dump").is_file() or not (folder / "pg_restore").is_file():
        return None
    try:
        said = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"\) (\d+)", said.stdout)
    return int(number[1]) if number else None


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
