"""The words of ``--help``, once for all tasks."""

from __future__ import annotations

_HELP = {
    "env": "Which environment. Travels along a chain: say it once.",
    "version": "Which version; default: what is checked out.",
    "hotfix": "A hotfix: recorded as such, with the shorter review.",
    "plan": "Print every call that would be made, in order, and change nothing.",
    "yes": "Consent to a change in a protected environment. Never travels along a chain.",
    "json": "One JSON object on stdout; people's text on stderr.",
    "wait": "Wait this many seconds for somebody else's lease.",
    "target": "The color that gets the release: blue or green. Default: the idle one.",
    "color": "blue or green.",
    "reason": "Why; recorded.",
    "redeploy": "Deploy although exactly this is live already (a changed configuration, say).",
    "force": "Do it all the same.",
}


def words(*names: str, **more: str) -> dict[str, str]:
    """Help for these options, and for those that only one task has."""
    return {**{name: _HELP[name] for name in names}, **more}
