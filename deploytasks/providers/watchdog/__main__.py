"""The watchdog process: ``python -m deploytasks.providers.watchdog FOLDER``, started by ``Watchdog.arm``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from ... import outcries
from .arming import read_arming
from .vigil import Vigil


def main(folder: Path) -> None:
    """Leave the process that started us, then watch."""
    if os.fork():
        os._exit(0)  # whoever started us waits for this one only; the watchdog is nobody's child
    for harmless in (signal.SIGHUP, signal.SIGINT):
        signal.signal(harmless, signal.SIG_IGN)
    os.chdir("/")
    outcries.cleaned()
    arming = read_arming(folder)
    if arming is not None:
        Vigil(folder, arming).keep()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
