"""What GitHub Actions is told when the process leaves."""

from __future__ import annotations

import sys
from contextlib import suppress

from .. import redaction
from ..errors import EXIT_CODES
from . import here
from .commands import annotation
from .files import output
from .harmless import harmless


def left(code: int, message: str) -> str:
    """Note the exit code as an output, and an error that nobody was told yet as an annotation. Returns the message as
    it may be printed in a log. Never raises."""
    with suppress(Exception):
        run = here()
        if run is None:
            return message
        if run.kind == "github":
            output({"code": code})
            if message:
                title = f"exit code {code}: {EXIT_CODES.get(code, 'unforeseen')}"
                sys.stderr.write(f"{annotation('error', title, redaction.clean(message))}\n")
                sys.stderr.flush()
        return harmless(message, run.kind)
    return message
