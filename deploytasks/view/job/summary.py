"""The summary of a job, as Markdown: what happened, by what it was judged, what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...ledger.facts import Facts, text
from ..ending import Told
from ..text.reading import items, word
from ..wording import MISSING, milliseconds, share, slow, whole
from .markdown import code, plain, quoted, table
from .stages import Stage

NOTES = 16_000
"""Characters of a changelog."""
_OPEN = ("fail", "needs a signature")
_SIGNS = {"pass": "✅", "warn": "⚠️", "overridden": "⚠️", "pending": "⏳", "needs a signature": "❌", "fail": "❌"}
_VERDICTS = {"PASS": "✅ pass", "WARN": "⚠️ warning", "HOLD": "⏸️ hold", "FAIL": "❌ roll back"}


def deployment(of: Told, stages: Sequence[Stage], began: Facts, *, well: bool) -> str:
    """How a deployment ended. ``began``: the facts with which it did."""
    lines = [f"### {_sign(well)} {plain(of.title)}", "", plain(of.about), "", f"**{plain(of.summary)}**", ""]
    rows = [(plain(name), "<br>".join(_value(line) for line in value.split("\n"))) for name, value in of.rows]
    lines += [*table(("", ""), rows), ""]
    if stages:
        lines += ["#### What each stage was judged by", "", *_judged(stages, text(began, "color")), ""]
    if text(began, "notes"):
        lines += [f"#### What {plain(text(began, 'version'))} brings", "", *quoted(text(began, "notes"), NOTES), ""]
    return "\n".join(lines)


def _value(line: str) -> str:
    """Commands are for copying."""
    return code(line) if line.startswith("inv ") else plain(line)


def _judged(stages: Sequence[Stage], target: str) -> list[str]:
    """The color that changes, the other one beside it, and what became of the stage."""
    color, other = target or "target", {"blue": "green", "green": "blue"}.get(target, "live")
    head = ("stage", f"{color}: requests", "errors", "P95", "P99", f"{other}: requests", "errors", "P99", "verdict")
    rows = [
        (
            plain(stage.title),
            *_numbers(stage.target, "p95", "p99"),
            *_numbers(stage.live, "p99"),
            ": ".join(filter(None, (_VERDICTS.get(stage.verdict, MISSING), plain(stage.why)))),
        )
        for stage in stages
    ]
    said = "Numbers of users at the last reading of each stage; the verdict has those that decided."
    return [*table(head, rows, right=range(1, 8)), "", said]


def _numbers(of: Facts, *quantiles: str) -> list[str]:
    if not of:
        return [MISSING] * (2 + len(quantiles))
    errors = f"{whole(of.get('errors'))} ({share(of.get('rate'))})"
    return [whole(of.get("requests")), errors, *(slow(of, name) for name in quantiles)]


def rollback(where: str, outcome: str, moved: str, who: str, reason: str) -> str:
    """That traffic was taken back."""
    rows = [("traffic", plain(moved)), ("by", plain(who)), ("why", plain(reason))]
    return "\n".join([f"### ↩️ {plain(outcome)}: {plain(where)}", "", *table(("", ""), rows), ""])


def checklist(answer: Mapping[str, Any]) -> str:
    """What is open, with what to do; the rest as a table that is folded."""
    found = [item for item in items(answer, "items") if word(item, "answer") != "not applicable"]
    left = [item for item in found if word(item, "answer") in _OPEN]
    about = " ".join(filter(None, (word(answer, "version", ""), f"({word(answer, 'commit', '')[:12]})")))
    state = f"{len(left)} open" if left else "nothing is open"
    lines = [f"### {_sign(not left)} checklist of {plain(word(answer, 'environment'))} for {plain(about)}: {state}", ""]
    if left:
        rows = [(code(word(one, "item")), plain(word(one, "evidence")), plain(word(one, "do", ""))) for one in left]
        lines += [*table(("item", "found", "do"), rows), ""]
    each = [
        (_SIGNS.get(word(one, "answer"), ""), code(word(one, "item")), plain(word(one, "answer")), _evidence(one))
        for one in found
    ]
    folded = ["<details><summary>all items</summary>", "", *table(("", "item", "answer", "evidence"), each), ""]
    return "\n".join([*lines, *folded, "</details>", ""])


def _evidence(item: Mapping[str, Any]) -> str:
    said = word(item, "evidence", "")
    return plain(said if len(said) <= 500 else f"{said[:499]}…")


def verdicts(answer: Mapping[str, Any]) -> str:
    """One judged reading."""
    found = items(answer, "verdicts")
    worst = {word(each, "kind") for each in found}
    title = f"{plain(word(answer, 'color'))} in {plain(word(answer, 'environment'))}"
    rows = [
        (_VERDICTS.get(word(each, "kind"), plain(word(each, "kind"))), plain(word(each, "metric")),
         whole(each.get("n")), plain(word(each, "why")))
        for each in found
    ]  # fmt: skip
    lines = [f"### {_sign(not worst & {'FAIL', 'HOLD'})} {title}", ""]
    return "\n".join([*lines, *table(("verdict", "metric", "requests", "why"), rows, right=(2,)), ""])


def smoke(answer: Mapping[str, Any]) -> str:
    """Each check with what it found."""
    found = items(answer, "checks")
    passed = sum(bool(each.get("passed")) for each in found)
    rows = [
        (_sign(bool(each.get("passed"))), plain(word(each, "name")), milliseconds(each.get("seconds")),
         plain(word(each, "detail")))
        for each in found
    ]  # fmt: skip
    title = f"smoke checks of {plain(word(answer, 'address'))}: {passed} of {len(found)} passed"
    return "\n".join(
        [f"### {_sign(passed == len(found))} {title}", "", *table(("", "check", "took", "found"), rows), ""]
    )


def _sign(well: bool) -> str:
    return "✅" if well else "❌"
