"""What a change is called in Slack, in a symbol and in words: a screen reader, and who sees no colors, know it as well.

No colors: they are only to be had by attachments, which Slack calls legacy and folds up after a few lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...bulletins import Change

SYMBOLS: dict[Change, str] = {
    "started": "🚀",
    "shifted": "🚀",
    "held": "⏸️",
    "went-on": "🚀",
    "warned": "⚠️",
    "overridden": "✍️",
    "finished": "✅",
    "refused": "⛔",
    "failed": "❌",
    "taken-back": "⏪",
    "gave-up": "⌛",
    "stopped": "✋",
    "interrupted": "✋",
    "stuck": "🚨",
    "rolled-back": "⏪",
    "switch-fired": "⏪",
    "switch-failed": "🚨",
    "maintenance-on": "🚧",
    "maintenance-off": "✅",
    "backed-up": "💾",
    "restored": "♻️",
    "announced": "📣",
}
WORDS: dict[Change, str] = {
    "started": "started",
    "shifted": "under way",
    "held": "held",
    "went-on": "under way",
    "warned": "warning",
    "overridden": "override",
    "finished": "finished",
    "refused": "refused, nothing was changed",
    "failed": "failed, taken back",
    "taken-back": "judged bad, taken back",
    "gave-up": "too little evidence, taken back",
    "stopped": "stopped",
    "interrupted": "interrupted, taken back",
    "stuck": "a person must act now",
    "rolled-back": "rolled back",
    "switch-fired": "dead-man's switch went off",
    "switch-failed": "a person must act now",
    "maintenance-on": "maintenance",
    "maintenance-off": "open again",
    "backed-up": "backup",
    "restored": "restored",
    "announced": "announcement",
}
STUCK: frozenset[Change] = frozenset(("stuck", "switch-failed"))
"""A person must act now."""
BACK: frozenset[Change] = frozenset(("failed", "taken-back", "gave-up", "interrupted", "rolled-back", "switch-fired"))
"""Users have the version before again."""
AHEAD: frozenset[Change] = frozenset(("started", "shifted", "held", "went-on", "finished", "announced"))
"""People want to know what is new in the version."""
