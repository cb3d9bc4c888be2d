"""How long Slack wants us to wait before it takes another message.

About one message a second and channel, with short bursts (docs.slack.dev, "Rate limits"). What was limited was not
posted; after anything else, silence above all, it may have been, and asking again is left to who keeps the outbox.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..headers import retry_after

if TYPE_CHECKING:
    from ..web_service import Answer

ATTEMPTS = 5


def pause(answer: Answer | None, attempt: int) -> float | None:
    """Seconds to wait before the next attempt; ``None``: this answer is the answer."""
    if answer is None or answer.status != 429 or attempt >= ATTEMPTS:
        return None
    told = retry_after(answer.headers, time.time())
    return 2.0 ** (attempt - 1) if told is None else told
