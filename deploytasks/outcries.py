"""What others say in our process without asking us, cleaned: tracebacks of what nobody caught, and logs of libraries.

With ``--debug`` urllib3 logs the address of every request, and a webhook's address is a secret.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any


class _Record(logging.LogRecord):
    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        if self.exc_info and self.exc_info[1] is not None:
            self.exc_text = told(self.exc_info[1]).rstrip()

    def getMessage(self) -> str:  # noqa: N802  logging calls it so
        return _clean(super().getMessage())


def cleaned() -> None:
    """From now on. Whoever has put something of their own in these places keeps it."""
    if logging.getLogRecordFactory() is logging.LogRecord:
        logging.setLogRecordFactory(_Record)
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _uncaught_in_a_thread


def told(error: BaseException) -> str:
    """Its traceback, cleaned."""
    return _clean("".join(traceback.format_exception(error)))


def _clean(text: str) -> str:
    from . import redaction  # `inv --list` says nothing that would have to be cleaned

    return str(redaction.clean(text))


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if sys.stderr is not None:
        sys.stderr.write(told(error.with_traceback(trace)))


def _uncaught_in_a_thread(of: threading.ExceptHookArgs) -> None:
    if of.exc_value is not None and of.exc_type is not SystemExit and sys.stderr is not None:
        name = of.thread.name if of.thread else "a thread"
        sys.stderr.write(f"in {name}:\n{told(of.exc_value)}")
