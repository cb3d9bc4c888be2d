"""What a CI shows of a deployment beside its log: folded steps, annotations, a summary, outputs for the next steps."""

from __future__ import annotations

from .listener import Job
from .reporting import answered, concluded, returned

__all__ = ["Job", "answered", "concluded", "returned"]
