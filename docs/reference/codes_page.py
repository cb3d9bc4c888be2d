"""Every exit code, and the errors that leave with it."""

from __future__ import annotations

from collections.abc import Iterator

from deploytasks import errors
from deploytasks.errors import EXIT_CODES, DeployError

from .tables import table

HEAD = """# Exit codes

What a script or a job in CI goes by. The same for all tasks; a command line that Invoke itself does not understand (no
such task, no such option, a word is missing) leaves with 1. After [`rollback`](tasks.md#rollback) they mean a little
more: see [the runbook](../rollback.md#what-the-code-says).

"""
BELOW = """
## What leaves with it

An error says what happened, in which state things are, and what to do. These are all there are:

"""


def page() -> str:
    """The whole page."""
    codes = table(("code", "meaning"), ((str(code), meaning) for code, meaning in EXIT_CODES.items()))
    known = sorted(_known(), key=lambda one: (one.exit_code, one.__name__))
    rows = ((str(one.exit_code), f"`{one.__name__}`", _words(one)) for one in known)
    return f"{HEAD}{codes}{BELOW}{table(('code', 'error', 'when'), rows)}"


def _known() -> Iterator[type[DeployError]]:
    for one in vars(errors).values():
        if isinstance(one, type) and issubclass(one, DeployError) and one is not DeployError:
            yield one


def _words(one: type[DeployError]) -> str:
    return " ".join((one.__doc__ or "").split()).replace("``", "`")
