"""From the words of a command line to what could stand in the place of the last one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from . import Offer
from .values import values


def answered(shell: str, words: Sequence[str], folder: Path) -> list[str]:
    """The lines that a shell's script expects, those that begin as the last word does."""
    whole, before, option = _last(words)
    found = values(before, option, folder)
    offers = [Offer(_joined(whole, one.text), one.meaning) for one in found] if found is not None else None
    if offers is None:
        from .names import names  # all of Invoke

        offers = names(before, whole, folder)
    given = _begun(whole)
    kept = {one.text: one for one in offers if one.text.startswith(whole)}
    return [_line(shell, one, given) for one in kept.values()]


def _last(words: Sequence[str]) -> tuple[str, list[str], str]:
    """The last word whole; those before it but for the program; and the option whose value it is, if it is one's.

    bash takes ``--env=pro`` for three words.
    """
    joined: list[str] = []
    for number, word in enumerate(words):
        if number > 1 and word == "=" and joined[-1].startswith("--"):
            joined[-1] += "="
        elif joined and joined[-1].startswith("--") and joined[-1].endswith("=") and words[number - 1] == "=":
            joined[-1] += word
        else:
            joined.append(word)
    whole, before = (joined[-1], joined[1:-1]) if len(joined) > 1 else ("", [])
    if whole.startswith("--") and "=" in whole:
        return whole, before, whole.partition("=")[0]
    is_value = bool(before) and before[-1].startswith("--") and "=" not in before[-1] and not whole.startswith("-")
    return whole, before, before[-1] if is_value else ""


def _joined(whole: str, value: str) -> str:
    """The value in the place of what was begun: behind ``--env=``, or behind the last comma of several."""
    return whole[: len(whole) - len(_value(whole))] + value


def _value(whole: str) -> str:
    """Of ``--host=web1,we`` only ``we``."""
    value = whole.partition("=")[2] if whole.startswith("--") and "=" in whole else whole
    return value.rpartition(",")[2]


def _begun(whole: str) -> str:
    """What bash keeps of the last word by itself."""
    return whole.partition("=")[0] + "=" if whole.startswith("--") and "=" in whole else ""


def _line(shell: str, offer: Offer, given: str) -> str:
    meaning = " ".join(offer.meaning.split())[:100]
    if shell == "bash":
        return offer.text.removeprefix(given)
    if shell == "zsh":
        text = offer.text.replace("\\", "\\\\").replace(":", "\\:")
        return f"{text}:{meaning}" if meaning else text
    return f"{offer.text}\t{meaning}" if meaning else offer.text
