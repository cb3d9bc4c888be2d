"""OpenSSH servers, each in a network namespace with an address of its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import IO, ClassVar

from lab.labhost import Lab, LabHost, is_running, kill_all, wait_for_banner
from lab.parts import lacking, program

_SPACES = Path("/run/netns")
_CLAIMS = Path(tempfile.gettempdir()) / "deploytasks-lab"
BASHRC = Path(pwd.getpwuid(os.getuid()).pw_dir) / ".bashrc"
"""What sshd's shell reads, wherever HOME leads the tests."""
_RANGES = 4096
"""How many labs there can be on this machine at once: 10.50.0.0/24 … 10.65.255.0/24."""


class RealHost(LabHost):
    """One OpenSSH server. ``space`` is the name of its network namespace, ``link`` our end of its link."""

    root = "/srv"
    can_cut = True

    def __init__(self, lab: Namespaces, number: int) -> None:
        super().__init__(lab, number, f"{lab.prefix}.{10 + number}", 22)
        self.space = f"{lab.mark}h{number}"
        self.link = f"{lab.mark}v{number}"
        self._sshd: subprocess.Popen[bytes] | None = None
        self._write_config()

    def _write_config(self) -> None:
        keys = self.folder / "authorized_keys"
        keys.write_text(self.key.with_suffix(".pub").read_text())
        (self.folder / "sshd_config").write_text(
            f'Port 22\nListenAddress {self.address}\nHostKey "{self.host_key}"\nPidFile none\n'
            f'AuthorizedKeysFile "{keys}"\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n'
            "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nUseDNS no\nMaxStartups 200:30:400\n"
            f"Subsystem sftp internal-sftp\nSetEnv LAB_HOST={self.name}\n"
        )

    def start(self) -> None:
        if self._sshd is None:
            self.launch()
        wait_for_banner(self.address, self.port, self._is_up)

    def launch(self) -> None:
        """Start sshd without waiting for it."""
        log = self.folder / "sshd.log"
        command = ["sshd", "-D", "-f", str(self.folder / "sshd_config"), "-E", str(log)]
        self._sshd = self.popen([program("sshd"), *command[1:]], stdin=subprocess.DEVNULL)

    def _is_up(self) -> bool:
        return self._sshd is not None and self._sshd.poll() is None

    def stop(self) -> None:
        if self._sshd is None:
            return
        doomed = _descendants(self._sshd.pid)
        self._sshd.kill()
        self._sshd.wait()
        self._sshd = None
        for pid in doomed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def cut(self) -> None:
        _ip("link", "set", self.link, "down")

    def mend(self) -> None:
        _ip("link", "set", self.link, "up")

    def popen(self, argv: Sequence[str], **options: object) -> subprocess.Popen[bytes]:
        """A child of ours that lives on this host."""
        enter = f"""mount --bind {quote(str(self.home))} /srv || exit 1
[ ! -e {quote(str(BASHRC))} ] || mount --bind {quote(str(self.bashrc))} {quote(str(BASHRC))}
hostname {self.name}; exec "$@"
"""
        inside = ["unshare", "-m", "-u", "--propagation", "private", "sh", "-c", enter, "sh", *argv]
        return subprocess.Popen(["ip", "netns", "exec", self.space, *inside], **options)  # type: ignore[call-overload]

    def processes(self) -> list[int]:
        shown = subprocess.run(["ip", "netns", "pids", self.space], capture_output=True, text=True, check=False)
        return [int(pid) for pid in shown.stdout.split() if is_running(int(pid))]


class Namespaces(Lab):
    """Hosts in network namespaces behind one bridge. Nothing leads out of them but to this machine."""

    is_real: ClassVar[bool] = True
    hosts: list[RealHost]  # type: ignore[assignment]  # narrower than in Lab

    def open(self, count: int) -> None:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # compiled into sshd as its empty folder
        number, self._claim = _claim_range()
        self.mark = f"dtl{number}"
        self.prefix = f"10.{50 + number // 256}.{number % 256}"
        self.here = f"{self.prefix}.1"
        _sweep(self.mark)
        _sweep_what_others_left()
        self.hosts = [RealHost(self, each + 1) for each in range(count)]
        self.write_known_hosts()
        self._build()
        for host in self.hosts:
            host.launch()
        for host in self.hosts:
            host.start()

    def _build(self) -> None:
        bridge = f"{self.mark}b"
        lines = [
            f"link add {bridge} type bridge",
            f"addr add {self.here}/24 dev {bridge}",
            f"link set {bridge} up",
        ]
        for host in self.hosts:
            lines += [
                f"netns add {host.space}",
                f"link add {host.link} type veth peer name eth0 netns {host.space}",
                f"link set {host.link} master {bridge}",
                f"link set {host.link} up",
            ]
        _batch(lines)
        for host in self.hosts:
            _batch(["link set lo up", f"addr add {host.address}/24 dev eth0", "link set eth0 up"], host.space)

    def run_in(self, name: str, argv: Sequence[str], **options: object) -> subprocess.Popen[bytes]:
        host = self.host(name)
        assert isinstance(host, RealHost)
        return host.popen(argv, **options)

    def close(self) -> None:
        if not hasattr(self, "_claim"):
            return
        for host in self.hosts:
            host.stop()
        kill_all(lambda: [pid for host in self.hosts for pid in host.processes()])
        _sweep(self.mark)
        self._claim.close()
        del self._claim


def _sweep(mark: str) -> None:
    """Remove all of a range: ours at the end, and at the beginning what a killed process has left."""
    found = [one.name for one in _SPACES.glob(f"{mark}h*")] if _SPACES.exists() else []
    links = [one.name for one in Path("/sys/class/net").glob(f"{mark}[bv]*")]
    for space in found:
        shown = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True, check=False)
        for pid in shown.stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
    lines = [*(f"link del {link}" for link in links), *(f"netns del {space}" for space in found)]
    if lines:
        _batch(lines, force=True)


def _sweep_what_others_left() -> None:
    """Remove the ranges whose process was killed before it could."""
    spaces = _SPACES.glob("dtl*h*") if _SPACES.exists() else ()
    for number in {int(found[1]) for found in (re.match(r"dtl(\d+)h", space.name) for space in spaces) if found}:
        with _claimed(number) as is_ours:
            if is_ours:
                _sweep(f"dtl{number}")


@contextlib.contextmanager
def _claimed(number: int) -> Iterator[bool]:
    """Hold a range, if nobody has it."""
    with (_CLAIMS / str(number)).open("w") as claim:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def _claim_range() -> tuple[int, IO[str]]:
    """The number of a range that no living process has. The claim ends with the file, or with this process."""
    _CLAIMS.mkdir(exist_ok=True)
    for step in range(_RANGES):
        number = (os.getpid() + step) % _RANGES
        claim = (_CLAIMS / str(number)).open("w")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            claim.close()
        else:
            return number, claim
    raise AssertionError("all ranges are taken")


def _descendants(pid: int) -> list[int]:
    found = []
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _batch(lines: Sequence[str], space: str | None = None, *, force: bool = False) -> None:
    where = ["-n", space] if space else []
    command = ["ip", *where, *(["-force"] if force else []), "-batch", "-"]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=False)
    if done.returncode and not force:
        lacking(f"ip cannot make a network of namespaces: {done.stderr.strip()}")
