"""The folder of a managed Envoy: what is to run, what does run, and where everything lies."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import Unreachable
from ...ports import Finding
from ..identity import is_alive
from ..site import Site
from .layer import Layer

_ROOM = 70
"""Bytes for the folder of sockets: the longest name in it has 30, a UNIX socket's path may have 107."""
_BACKTRACE = ("[backtrace]", "[envoy_bug]")
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # what shm_open(3) uses on Linux; only removed from


class Launch(NamedTuple):
    """What is to run."""

    binary: str
    drain: float
    """Seconds that an old process keeps serving what it had begun."""
    sockets: str
    """The folder of Envoy's sockets."""
    config: dict[str, Any]

    @property
    def digest(self) -> str:
        """Changes with anything in it."""
        return hashlib.sha256(json.dumps(self, sort_keys=True).encode()).hexdigest()[:16]


class State(NamedTuple):
    """What the supervisor says about its work. Identities as in ``providers.identity``."""

    phase: str = "stopped"
    """``starting``, ``running``, ``failed`` or ``stopped``."""
    supervisor: str = ""
    envoy: str = ""
    others: tuple[str, ...] = ()
    """Processes beside ``envoy``: older ones that finish their requests, or one that is coming up."""
    epoch: int = 0
    base_id: int = 0
    digest: str = ""
    """Of the launch that runs."""
    refusals: int = 0
    """How many changed launches did not come up."""
    detail: str = ""
    """Envoy's last words, when something did not come up."""

    @property
    def is_supervised(self) -> bool:
        """Whether the supervisor lives."""
        return is_alive(self.supervisor)

    @property
    def is_serving(self) -> bool:
        """Whether supervisor and Envoy live, and Envoy was ready."""
        return self.phase == "running" and self.is_supervised and is_alive(self.envoy)

    @property
    def alive(self) -> list[str]:
        """All processes of this place that live, the supervisor first."""
        return [known for known in (self.supervisor, self.envoy, *self.others) if known and is_alive(known)]


class Place:
    """The files of one managed Envoy below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.launch_file = folder / "launch.json"
        self.state_file = folder / "state.json"
        self.log = folder / "envoy.log"
        self.supervisor_log = folder / "supervisor.log"
        self.base_id_file = folder / "base-id"
        self.page = folder / "page" / "maintenance.html"
        self.layer = Layer(folder / "runtime")

    @property
    def sockets(self) -> Path:
        """Where Envoy's sockets are: in the folder itself, or elsewhere when its path is too long for them."""
        known = self._known_sockets()
        return known if known is not None else choose_sockets(self.folder)

    @property
    def admin(self) -> str:
        """The socket of the admin interface."""
        return str(self.sockets / "admin.sock")

    def config_file(self, launch: Launch) -> Path:
        """Each launch has its own, so that the last good one stays."""
        return self.folder / f"bootstrap-{launch.digest}.json"

    def read_launch(self) -> Launch | None:
        """What is to run; ``None`` when nothing is."""
        found = _read(self.launch_file)
        return Launch(*(found[name] for name in Launch._fields)) if set(Launch._fields) <= set(found) else None

    def write_launch(self, launch: Launch) -> None:
        """Say what is to run."""
        write_whole(self.launch_file, json.dumps(launch._asdict(), indent=1))

    def read_state(self) -> State:
        """What the supervisor said last."""
        found = _read(self.state_file)
        known = {name: value for name, value in found.items() if name in State._fields}
        return State(**{**known, "others": tuple(known.get("others", ()))})

    def write_state(self, state: State) -> None:
        """For the supervisor alone."""
        write_whole(self.state_file, json.dumps(state._asdict(), indent=1))

    def last_words(self, lines: int = 6) -> str:
        """The end of Envoy's log, without the backtraces that would bury the reason of a crash."""
        try:
            text = self.log.read_text(errors="replace")
        except OSError:
            return "(it logged nothing)"
        told = [line for line in text.strip().splitlines() if not any(name in line for name in _BACKTRACE)]
        return "\n".join(told[-lines:]) or "(it logged nothing)"

    def base_id(self, state: State) -> int:
        """Of the Envoy that runs or ran last, even if it never served. 0: none."""
        if state.base_id:
            return state.base_id
        try:
            return int(self.base_id_file.read_text())
        except (OSError, ValueError):
            return 0

    def clean(self, state: State) -> None:
        """Remove what Envoys leave behind that have ended: sockets, and the shared memory of their hot restart."""
        base_id = self.base_id(state)
        sockets = self.sockets
        for path in [*sockets.glob("hot_*"), sockets / "admin.sock", self.base_id_file]:
            path.unlink(missing_ok=True)
        if base_id:
            # Envoy multiplies the base id by ten, see hot_restart_impl.cc.
            with suppress(OSError):
                (_SHARED_MEMORY / f"envoy_shared_memory_{base_id * 10}").unlink()
        if sockets != self.folder:
            with suppress(OSError):
                sockets.rmdir()

    def _known_sockets(self) -> Path | None:
        if fits(self.folder):
            return self.folder
        launch = self.read_launch()
        if launch is None or _owner(Path(launch.sockets)) != _owner(self.folder):
            return None
        return Path(launch.sockets)


def asleep(subject: str, place: Place) -> Finding:
    """That a managed Envoy does not run: as it should be before anything was deployed, and worth a word later."""
    if place.launch_file.exists():
        return Finding(subject, "warn", "does not run", "the next deployment starts it")
    return Finding(subject, "ok", "the first deployment starts it")


def place_of(site: Site) -> Place:
    """Where the managed Envoy of an environment lives."""
    return Place(site.folder / "envoy")


def fits(folder: Path) -> bool:
    """Whether sockets can lie in a folder (their addresses are short, and our URLs end them with a colon)."""
    return len(os.fsencode(folder)) <= _ROOM and ":" not in str(folder)


def choose_sockets(folder: Path) -> Path:
    """A folder short enough for sockets: ``folder``, or a private one for it among the temporary files."""
    if fits(folder):
        return folder
    import tempfile

    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"deploytasks-{os.getuid()}-{name}"


def make_private(folder: Path) -> None:
    """Make a folder that is ours alone. Raises ``Unreachable`` when another user has it already."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise Unreachable(f"{folder} belongs to someone else", do="remove it, or set TMPDIR to a folder of yours")
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def write_whole(path: Path, text: str) -> None:
    """Put a file in place at once, durably: readers see the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _owner(folder: Path) -> int | None:
    try:
        return folder.lstat().st_uid
    except OSError:
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
