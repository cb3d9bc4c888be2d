"""A HAProxy whose socket this machine can reach, and whose files it can reach if they are said to be here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ...durable import sync_folder, written_aside
from ...errors import Unreachable
from . import api, replies
from .balancer import Busy, Differs, Table
from .keys import Keys, in_words, keys_in, lines
from .lock import locked
from .weights import STATE, STATE_FILE, Weights, in_force, used


class NearBalancer:
    """``address`` is a socket's path or ``host:port``; ``shared`` a folder where we lock what has no folder."""

    def __init__(
        self, address: str, split: Table, maintenance: Table, shared: Path, weights: Weights | None = None
    ) -> None:
        self.name = address
        self._weights = weights
        self.split = split
        self.maintenance = maintenance
        self._shared = shared

    def ask(self, command: str, timeout: float) -> str:
        return api.ask(self.name, command, timeout)

    def in_force(self, table: Table, timeout: float) -> Keys:
        return in_force(self, table, self._weights, timeout)

    def kept(self, table: Table, timeout: float) -> Keys:
        del timeout
        assert table.file is not None
        try:
            return keys_in(Path(table.file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Unreachable(f"{table.file} cannot be read: {error}", do=_FILES) from error

    def write(self, table: Table, keys: Keys, timeout: float, expect: Keys | None = None) -> None:
        deadline = time.monotonic() + timeout
        with self._locked(table, alone=expect is not None):
            if expect is None:
                self._write_all_it_can(table, keys, deadline)
            else:
                self._swap(table, keys, expect, deadline)

    # -- two ways to write ---------------------------------------------------

    def _swap(self, table: Table, keys: Keys, expect: Keys, deadline: float) -> None:
        """The file first: when it cannot be written, nothing has happened yet."""
        found = self.in_force(table, _left(deadline))
        if found != expect:
            raise Differs(self.name, found)
        before = self._bytes(table)
        self._keep(table, lines(keys).encode())
        try:
            self._put_in_force(table, keys, deadline)
            self._keep_state(table, deadline)
        except Unreachable:
            if before is not None:
                with suppress(Unreachable):
                    self._keep(table, before)
            with suppress(Unreachable):
                self._put_in_force(table, expect, deadline)
            raise

    def _write_all_it_can(self, table: Table, keys: Keys, deadline: float) -> None:
        """HAProxy first: traffic must not wait for a disk. Then once more, if another process answers by now."""
        problem: Unreachable | None = None
        try:
            self._put_in_force(table, keys, deadline)
        except Unreachable as error:
            problem = error
        self._keep(table, lines(keys).encode(), is_in_force=problem is None)
        if problem is not None:
            self._restate(table, keys)
            raise Unreachable(problem.what, state=_KEPT if table.file else "", do=problem.do) from problem
        if not self._uses(table, keys, deadline):  # a reload in the middle: who answers now had the old file
            self._put_in_force(table, keys, deadline)
        self._keep_state(table, deadline)

    def _uses(self, table: Table, keys: Keys, deadline: float) -> bool:
        with suppress(Unreachable):
            return self.in_force(table, _left(deadline)) == keys
        return False

    def _put_in_force(self, table: Table, keys: Keys, deadline: float) -> None:
        """One transaction, and a look whether HAProxy uses it."""
        number = replies.version(self.ask(replies.prepare(table.map), _left(deadline)))
        if keys:
            command = replies.add(table.map, number, keys)
            replies.done(command, self.ask(command, _left(deadline)))
        command = replies.commit(table.map, number)
        replies.done(command, self.ask(command, _left(deadline)))
        if self._weights is not None and table is self.split:
            command = self._weights.command(keys)
            replies.done(command, self.ask(command, _left(deadline)))
        seen = self.in_force(table, _left(deadline))
        if seen != keys:
            raise Unreachable(f"haproxy at {self.name} uses {in_words(seen)} after {in_words(keys)} was written")

    # -- the file ------------------------------------------------------------

    def _bytes(self, table: Table) -> bytes | None:
        try:
            return Path(table.file).read_bytes() if table.file else None
        except OSError:
            return None

    def _keep(self, table: Table, content: bytes, *, is_in_force: bool = False) -> None:
        if table.file is not None:
            self._replace(Path(table.file), content, is_in_force=is_in_force)

    def _keep_state(self, table: Table, deadline: float) -> None:
        """What HAProxy reads its servers' weights from when it starts."""
        if self._weights is not None and table is self.split and table.file is not None:
            state = self.ask(STATE, _left(deadline))
            used(state)
            self._replace(Path(table.file).with_name(STATE_FILE), state.encode(), is_in_force=True)

    def _restate(self, table: Table, keys: Keys) -> None:
        """The same while HAProxy is down: what it will start with, with other weights in it."""
        if self._weights is not None and table is self.split and table.file is not None:
            file = Path(table.file).with_name(STATE_FILE)
            with suppress(FileNotFoundError):
                self._replace(file, self._weights.restated(file.read_text(), keys).encode(), is_in_force=False)

    def _replace(self, file: Path, content: bytes, *, is_in_force: bool) -> None:
        try:
            with written_aside(file.parent, content, 0o644) as aside:
                aside.chmod(0o644)
                aside.replace(file)
            sync_folder(file.parent)
        except OSError as error:
            state = "it is in force, but a restart of haproxy would forget it" if is_in_force else "nothing was written"
            raise Unreachable(f"{file} cannot be written: {error}", state=state, do=_FILES) from error

    @contextmanager
    def _locked(self, table: Table, *, alone: bool) -> Iterator[None]:
        folder = Path(table.file).parent if table.file else self._shared
        if table.file is None:
            folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                is_ours = stack.enter_context(locked(folder))
            except Unreachable:
                if alone:
                    raise
                is_ours = False  # traffic does not wait for a folder to be mended
            if alone and not is_ours:
                raise Busy(self.name)
            yield


def _left(deadline: float) -> float:
    return max(0.05, deadline - time.monotonic())


_FILES = "mend the folder: traffic.state, and who may write there (docs/haproxy.md)"
_KEPT = "what was written is kept, and will be in force when haproxy starts"
