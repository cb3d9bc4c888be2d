"""From what each host says to what can be said of a color. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

from ...errors import DeployError, HostsDown, UsageError
from ...ports import Health, Installed
from .serving import State

T = TypeVar("T")


def agreed(said: Mapping[str, State]) -> Installed | None:
    """What stands on a color, from what each host says: what most of them have, and who differs."""
    names = [state.release for state in said.values() if state.release]
    if not names:
        return None
    name = Counter(names).most_common(1)[0][0]  # of equals, the first
    all_agree = len({(state.release, state.digest) for state in said.values()}) == 1
    digest = next(state.digest for state in said.values() if state.release == name) if all_agree else ""
    running = all(state.running == name for state in said.values())
    partly = not running and any(state.running for state in said.values())
    down = tuple(host for host, state in said.items() if state.release == name and state.running != name)
    odd = {host: why for host, state in said.items() if len(said) > 1 and (why := _odd(state, name, partly))}
    return Installed(name, digest, name.rpartition("-")[0], running, partly, down, odd)


def _odd(state: State, name: str, partly: bool) -> str:
    """What is different there from the host that has ``name`` and runs it."""
    if state.release != name:
        return f"has {state.release}" if state.release else "has no release"
    if partly and state.running != name:
        return f"runs {state.running} still" if state.running else "does not run it"
    return ""


def together(healths: Mapping[str, Health]) -> Health:
    """The health of a color from that of its hosts: healthy when all are."""
    if not healths:
        return Health(False, "no host has this color", 0.0)
    ill = {host: health.detail for host, health in healths.items() if not health.healthy}
    if len(healths) == 1:
        return next(iter(healths.values()))
    if not ill:
        return Health(True, f"all {len(healths)} hosts answer", 1.0)
    why = "; ".join(f"{host}: {detail}" for host, detail in ill.items())
    return Health(False, f"{len(ill)} of {len(healths)} hosts: {why}", 1 - len(ill) / len(healths))


def silent(errors: Mapping[str, Exception], of: int) -> Exception:
    """One error for the hosts that could not be asked. A mistake of ours, or of the configuration, comes first."""
    ours = [one for one in errors.values() if not isinstance(one, DeployError) or isinstance(one, UsageError)]
    if ours or of == 1:
        return [*ours, *errors.values()][0]
    lines = [f"  {host}: {_what(error).removeprefix(f'{host}: ')}" for host, error in errors.items()]
    names = ",".join(errors)
    count = "1 host does" if len(errors) == 1 else f"{len(errors)} hosts do"
    return HostsDown(
        "\n".join([f"{count} not answer, of {of}: {', '.join(errors)}", *lines]),
        list(errors),
        do=f"bring them back; or go on without them: --exclude-host {names} --reason …",
    )


def _what(error: Exception) -> str:
    return error.what if isinstance(error, DeployError) else str(error)


def sliced(calls: Sequence[T], size: int) -> list[Sequence[T]]:
    """Batches of this size; the last one may be smaller."""
    return [calls[i : i + size] for i in range(0, len(calls), size)]
