"""The report of one deployment as a page, from the answer of ``operations.reporting``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ... import redaction
from ...ledger.facts import Facts, part, text, texts
from ...ports import COLORS
from ..text.checklist import SECTIONS, counts
from . import findings
from .figures import figures
from .knowing import known, previous
from .measured import Table, table
from .metrics import section
from .outcome import outcome
from .page import rendered
from .series import Happened, Sample, samples, span
from .steps import happened, steps

_TONES = {"pass": "good", "fail": "bad", "needs a signature": "bad", "not applicable": ""}
"""Of an item's answer; of any other ``warn``."""


def page(answer: Mapping[str, Any]) -> str:
    """All of it, as one file of HTML. ``answer`` is plain data; a secret in it does not show."""
    answer = redaction.clean(answer)
    events: Sequence[Happened] = answer.get("events") or ()
    planned = part(answer, "planned")
    rules = part(planned, "rules")
    found = samples(events, rules) if rules else []
    versions = _versions(events, planned)
    return rendered(
        "report.html",
        answer=answer,
        began=next((each for each in events if each["kind"] == "began"), {"facts": {}, "who": "", "at": None}),
        ended=next((each for each in reversed(events) if each["kind"] == "ended"), None),
        outcome=outcome(known(answer)),
        previous=previous(planned, _target(events)),
        decided=known(answer).verdict,
        figures=figures(events, rules, versions, found),
        measured=_measured(found, rules),
        span=span(rules),
        judged=findings.judged(events),
        nearest=findings.nearest(events),
        warned=findings.warned(events),
        alerts=findings.alerts(events),
        silent=findings.silent(events),
        steps=steps(answer),
        happened=happened(answer),
        checklist=_checklist(answer),
        signed=findings.signed(answer),
        overridden=findings.overridden(events),
        planned=findings.planned(events),
        migrations=findings.migrations(answer),
        asked=findings.asked(answer),
        changelog=findings.changelog(events),
        link=_link(events),
        metrics=section(answer.get("metrics")),
        **{name: findings.of_kind(answer, *kinds) for name, kinds in _KINDS.items()},
    )


_KINDS = {
    "hosts": ("host-set-aside", "hosts-back"),
    "backups": ("backup", "restored"),
    "undelivered": ("undelivered",),
    "lessons": ("lesson",),
    "returned": ("rolled-back", "rollback-failed", "deadman-fired", "deadman-failed"),
    "handed": ("handed-over",),
}
"""What the page calls events of these kinds."""


def _target(events: Sequence[Happened]) -> str:
    return next((text(each["facts"], "color") for each in events if each["kind"] == "began"), "")


def _versions(events: Sequence[Happened], planned: Facts) -> dict[str, str]:
    """What stood on each color while both were there."""
    before = part(planned, "before")
    found: dict[str, str] = {color: text(part(before, color), "version") for color in COLORS}
    version = next((text(each["facts"], "version") for each in events if each["kind"] == "began"), "")
    return {**found, _target(events): version} if version else found


def _measured(found: Sequence[Sample], rules: Facts) -> Table | None:
    return table(found, text(rules, "target")) if len(found) > 1 else None


def _checklist(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """The recorded one, with its answers counted and each item's section, mark and controls as words."""
    found = answer.get("checklist")
    if not found:
        return None
    items = [
        {
            **item,
            "section": SECTIONS.get(str(item["item"]).partition(".")[0], ""),
            "tone": _TONES.get(str(item["answer"]), "warn"),
            "controls": _controls(part(item, "controls")),
        }
        for item in found["items"]
    ]
    apply = [item for item in items if item["answer"] != "not applicable"]
    others = [item for item in items if item["answer"] == "not applicable"]
    return {**found, "apply": apply, "others": others, "counts": counts(found["items"])}


def _controls(of: Facts) -> str:
    """``SOC 2 CC8.1; ISO 27001 A.8.32``."""
    names = {"soc2": "SOC 2", "iso27001": "ISO 27001", "pci_dss": "PCI DSS", "gdpr": "GDPR"}
    told = [f"{names.get(name, name)} {', '.join(texts(of, name))}" for name in of if texts(of, name)]
    return "; ".join(told)


def _link(events: Sequence[Happened]) -> str:
    """Where its CI job is; only what a browser opens as a page."""
    found = next((text(each["facts"], "run") for each in events if each["kind"] == "began"), "")
    return found if found.startswith(("https://", "http://")) else ""
