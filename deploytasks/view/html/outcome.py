"""How a deployment ended, in one sentence for somebody who was not there. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...errors import EXIT_CODES
from ...ledger.facts import number, part, text, texts
from ..wording import counted, duration, moment, number as finite, one_line, share
from .knowing import Known

_REASON = 220
"""Characters of a reason in the sentence; all of it stands below."""


class Outcome(NamedTuple):
    """``tone``: good, warn, bad, or nothing while it is open; ``more``: what else somebody should know at once."""

    tone: str
    word: str
    sentence: str
    more: Sequence[str]
    code: int | None
    meaning: str


def outcome(of: Known) -> Outcome:
    """The sentence, and what goes with it."""
    if not of.ended:
        return _open(of)
    code = finite(of.ended.get("code"))
    whole = None if code is None else int(code)
    word = text(of.ended, "outcome")
    tell = _WORDS.get(word, _otherwise)
    tone, shown, sentence = tell(of)
    return Outcome(tone, shown, sentence, _more(of), whole, EXIT_CODES.get(whole, "") if whole is not None else "")


def _open(of: Known) -> Outcome:
    work = of.at_work if of.at_work and not of.at_work.get("dead") else None
    if not of.is_open:
        return Outcome("warn", "unfinished", f"{of.what}: its end in {of.environment} was not recorded.", [], None, "")
    if work:
        by = one_line(work.get("who"), 80)
        return Outcome("", "running", f"{of.what} is on its way to {of.environment}, by {by}.", [], None, "")
    do = f"`inv resume --env {of.environment}` goes on with it, `inv rollback` or the next deployment takes it back."
    return Outcome(
        "bad", "died", f"{of.what} was left unfinished in {of.environment}: its deployer is gone.", [do], None, ""
    )


def _done(of: Known) -> tuple[str, str, str]:
    took = duration(finite(of.ended.get("seconds")))
    if of.returned is not None:
        return "bad", "rolled back", f"{of.what} went live in {of.environment}, and was rolled back {_later(of)}."
    if not text(of.began, "version") or not text(of.began, "color"):
        return "good", "done", f"{of.what} was done in {of.environment}, in {took}."
    if of.was_first:
        return "good", "live", f"{of.what} is the first that went live in {of.environment}, in {took}."
    instead = f" in place of {of.previous}" if of.previous and of.previous != text(of.began, "version") else ""
    return "good", "live", f"{of.what} went live in {of.environment}{instead}, in {took}, within all limits."


def _later(of: Known) -> str:
    """When, by whom and why."""
    event = of.returned or {}
    facts, at = part(event, "facts"), moment(event.get("at"))
    live = moment(of.ended_at)
    after = f"{duration((at - live).total_seconds())} later" if at and live and at > live else "later"
    if event.get("kind") == "deadman-fired":
        return f"{after} by the dead-man's switch: {one_line(facts.get('why') or '–', _REASON)}"
    by = text(facts, "by") or str(event.get("who") or "nobody we know")
    return f"{after} by {one_line(by, 80)}: “{one_line(text(facts, 'reason') or '–', _REASON)}”"


def _taken_back(of: Known) -> tuple[str, str, str]:
    now = f" Everybody is served by {of.previous} again." if of.previous and of.exposed else ""
    return "bad", "taken back", f"{of.what} was taken back in {of.environment}: {cause(of)}.{now}"


def _held(of: Known) -> tuple[str, str, str]:
    said = "for want of evidence; nothing was judged bad"
    return "warn", "taken home", f"{of.what} was taken home in {of.environment} {said}."


def _refused(of: Known) -> tuple[str, str, str]:
    return "warn", "refused", f"{of.what} was refused in {of.environment}, and nothing was changed: {_reason(of)}."


def _interrupted(of: Known) -> tuple[str, str, str]:
    return "warn", "interrupted", f"{of.what} was interrupted in {of.environment}, and taken back."


def _stopped(of: Known) -> tuple[str, str, str]:
    return "bad", "stopped", f"{of.what} was stopped in {of.environment}, for somebody else took over: {_reason(of)}."


def _stuck(of: Known) -> tuple[str, str, str]:
    return "bad", "stuck", f"{of.what} could not be taken back in {of.environment}: a person must act."


def _closed(of: Known) -> tuple[str, str, str]:
    said = "and with no release before it nothing is shown to users any more"
    return "bad", "closed", f"{of.what} failed in {of.environment}, {said}: {_reason(of)}."


def _recovered(of: Known) -> tuple[str, str, str]:
    return (
        "bad",
        "taken back",
        f"{of.what} was left unfinished in {of.environment}, and taken back by whoever came next.",
    )


def _otherwise(of: Known) -> tuple[str, str, str]:
    word = text(of.ended, "outcome") or "ended"
    tone = "good" if of.ended.get("code") == 0 else "bad"
    reason = f": {_reason(of)}" if text(of.ended, "why") else ""
    return tone, word, f"{of.what}: {word} in {of.environment}{reason}."


_WORDS = {
    "done": _done,
    "taken back": _taken_back,
    "held": _held,
    "refused": _refused,
    "interrupted": _interrupted,
    "stopped": _stopped,
    "stuck": _stuck,
    "closed": _closed,
    "recovered": _recovered,
}
"""What a recorded outcome is called, and told."""


def _reason(of: Known) -> str:
    return one_line(text(of.ended, "why") or "no reason is known", _REASON).rstrip(".")


def cause(of: Known) -> str:
    """Why it was taken back, without the words of statistics where it was judged by its users' requests."""
    metric, value, limit = text(of.verdict, "metric"), finite(of.verdict.get("value")), finite(of.verdict.get("limit"))
    if text(of.verdict, "kind") != "FAIL" or value is None or limit is None:
        return _reason(of)
    whose = "of our own test requests" if "probes" in metric else "requests"
    if metric.startswith("errors"):  # a test looks at what is new: over all that was counted, it may be below the limit
        how_many = f", {share(value)} against a limit of {share(limit)}" if value > limit else " toward the end"
        return f"too many {whose} failed{how_many}"
    if metric.startswith("p99"):
        return f"too many {whose} took too long ({_reason(of)})"
    return _reason(of)


def _more(of: Known) -> list[str]:
    """How many users met it, and what is left to do."""
    said = []
    if of.ended.get("code") != 0 and text(of.began, "version"):
        said.append(
            f"At most {of.exposed} % of the requests went to it." if of.exposed else "No user's request went to it."
        )
    noted = [counted(number, noun) for number, noun in ((of.warnings, "warning"),) if number]
    noted += [f"{counted(of.aside, 'item')} of the checklist set aside"] if of.aside else []
    said += [f"With {' and '.join(noted)}."] if noted else []
    left = texts(of.ended, "left")
    if left:
        said.append(f"{'Not taken back' if number(of.ended, 'code') else 'Not done'}: {'; '.join(left)}.")
    if of.ended.get("resumable") is True:
        said.append(f"`inv resume --env {of.environment}` can go on with it.")
    return said
