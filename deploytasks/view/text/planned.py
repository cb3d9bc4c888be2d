"""A plan, call by call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..paint import Paint
from ..wording import clean, counted

if TYPE_CHECKING:
    from ...engine.plan import Plan
    from ...engine.step import Step


def planned(
    rendered: Sequence[tuple[Step, Sequence[Sequence[str]]]], plan: Plan, digest: str, paint: Paint
) -> list[str]:
    """Notes, then numbered steps with the calls of each, then what an approval binds to."""
    release = f" {plan.release.version}" if plan.release else ""
    color = f" on {plan.color}" if plan.color else ""
    about = f"plan: {plan.task}{release}{color}; traffic is at {plan.starts_from.split.weights()}"
    lines = [paint(clean(about), "bold"), *(f"{paint.mark('warn')} {clean(note)}" for note in plan.notes)]
    digits = len(str(len(rendered)))
    for place, (step, batches) in enumerate(rendered, 1):
        note = "" if any(batches) else paint("  (writes nothing)", "dim")
        lines.append(f"{place:>{digits}}. {clean(step.label)}{note}")
        lines += [f"{' ' * digits}    {line}" for batch in batches for line in _calls(batch)]
    count = sum(len(batch) for _, batches in rendered for batch in batches)
    told = f"{counted(len(rendered), 'step')}, {counted(count, 'call')}" if rendered else "nothing to do"
    bound = f"; digest {digest}" if digest else ""
    return [*lines, f"{told}; nothing was changed{bound}"]


def _calls(batch: Sequence[str]) -> list[str]:
    """One call as its text; several as a list that is carried out at once."""
    texts = [clean(text).replace("\n", "\n      ") for text in batch]
    return texts if len(texts) == 1 else [f"at once: {texts[0]}", *(f"         {text}" for text in texts[1:])]
