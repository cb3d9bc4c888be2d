"""Answers in the shapes that ``deploytasks.operations.answers`` gives them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from audit.trails import everything
from tale import DAWN, a_quarter

from deploytasks.audit.columns import COLUMNS, EVENTS, as_json
from deploytasks.audit.trail import trail
from deploytasks.delivery.measures import Changes, Period, measured

UNREADABLE = {"unreadable": "envoy's admin does not answer: connection refused"}

STATUS: dict[str, Any] = {
    "application": "library",
    "environment": "development",
    "at": "2026-11-23T12:19:48+00:00",
    "traffic": {
        "blue": 0,
        "green": 100,
        "way_back": "blue",
        "writer": "settled:20261123-101500-ab12cd",
        "live": "green",
        "address": "http://127.0.0.1:8080",
    },
    "colors": {
        "blue": {
            "release": "1.2.2-aaaaaaaaaaaa",
            "digest": "aa" * 32,
            "version": "1.2.2",
            "running": True,
            "healthy": True,
            "detail": "200 in 3 ms",
            "address": "http://127.0.0.1:8101",
        },
        "green": {
            "release": "1.2.3-d1d1d1d1d1d1",
            "digest": "d1" * 32,
            "version": "1.2.3",
            "running": True,
            "healthy": False,
            "detail": "/health answered 500",
            "address": "http://127.0.0.1:8102",
        },
    },
    "maintenance": None,
    "deadman": {"armed": False, "fired_at": None, "detail": "not armed"},
    "lease": None,
    "ledger": {
        "events": 61,
        "head": "3f" * 32,
        "open": None,
        "settled": {
            "deployment": "20261123-101500-ab12cd",
            "color": "green",
            "version": "1.2.3",
            "release": "1.2.3-d1d1d1d1d1d1",
            "digest": "d1" * 32,
            "commit": "c0ffee",
            "at": "2026-11-23T10:19:48+00:00",
            "way_back": "blue",
            "way_back_until": "2026-11-24T10:19:48+00:00",
        },
        "recent": [
            {
                "deployment": "20261122-090000-000001",
                "task": "deploy",
                "version": "1.2.1",
                "digest": "bb" * 32,
                "outcome": "taken back",
                "code": 4,
                "why": "errors: 31 of 120 requests to green (25.8 %) were errors, against a limit of 2 %",
                "who": "bob@ci",
                "began": "2026-11-22T09:00:00+00:00",
                "ended": "2026-11-22T09:03:12+00:00",
            },
            {
                "deployment": "20261123-101500-ab12cd",
                "task": "deploy",
                "version": "1.2.3",
                "digest": "d1" * 32,
                "outcome": "done",
                "code": 0,
                "why": "",
                "who": "ann@laptop",
                "began": None,
                "ended": "2026-11-23T10:19:49+00:00",
            },
        ],
        "rollbacks": [
            {
                "color": "blue",
                "version": "1.2.0",
                "left": "1.2.1",
                "reason": "slow",
                "by_switch": False,
                "at": "2026-11-22T17:00:00+00:00",
                "who": "ann@laptop",
            },
        ],
    },
    "astray": [
        {"about": "green", "what": "green has 1.2.4-e; the ledger knows 1.2.3-d", "do": "find out who changed it"},
    ],
}

DARK: dict[str, Any] = {
    **STATUS,
    "traffic": UNREADABLE,
    "colors": {"blue": UNREADABLE, "green": None},
    "maintenance": UNREADABLE,
    "deadman": UNREADABLE,
    "lease": UNREADABLE,
    "ledger": UNREADABLE,
    "astray": [],
}
"""A status in which nothing could be read."""

ABREAST: dict[str, Any] = {
    "application": "library",
    "environments": {
        "development": {**STATUS, "astray": []},
        "staging": {**DARK, "environment": "staging"},
        "production": {**STATUS, "environment": "production"},
    },
}

VERIFICATION = {
    "application": "library",
    "environment": "development",
    "ok": True,
    "count": 61,
    "head": "3f" * 32,
    "problems": [],
}
BROKEN = {
    **VERIFICATION,
    "ok": False,
    "problems": ["event 12 does not follow on the one before", "event 13 is missing"],
}
CHECKLIST: dict[str, Any] = {
    "environment": "development",
    "level": "production",
    "version": "1.2.3",
    "commit": "c0ffee" * 6 + "c0ff",
    "hotfix": True,
    "open": 3,
    "items": [
        {
            "item": "code.committed",
            "text": "What is deployed is what is committed",
            "answer": "pass",
            "evidence": "c0ffee",
            "level": "development",
            "critical": True,
            "controls": {"soc2": ["CC8.1"], "iso27001": [], "pci_dss": [], "gdpr": []},
            "do": "Commit or stash them.",
        },
        {
            "item": "code.tests",
            "text": "All tests passed",
            "answer": "pending",
            "evidence": "no run is recorded",
            "do": "Run `inv test`.",
        },
        {"item": "code.analysis", "text": "Nothing", "answer": "overridden", "evidence": "by ann@laptop: ticket 4711"},
        {"item": "monitoring.alerts", "text": "No critical alert fires", "answer": "fail", "evidence": "firing: Disk"},
        {"item": "infrastructure.live", "text": "Healthy", "answer": "not applicable", "evidence": "nothing yet"},
        {"item": "infrastructure.open", "text": "Open", "answer": "not applicable", "evidence": "nothing yet"},
        {
            "item": "people.oncall",
            "text": "Whoever is on call knows",
            "answer": "needs a signature",
            "evidence": "only a person knows",
            "do": "Call them; then sign.",
        },
    ],
}
SMOKE = {
    "address": "http://127.0.0.1:8080",
    "passed": False,
    "checks": [
        {"name": "health", "passed": True, "detail": "200", "seconds": 0.0123},
        {"name": "api", "passed": False, "detail": "/api/ answered 500, expected 200", "seconds": 0.5},
    ],
}
VERDICTS = {
    "environment": "development",
    "color": "green",
    "window": 60.0,
    "verdicts": [
        {
            "kind": "FAIL",
            "metric": "errors",
            "n": 1200,
            "value": 0.258,
            "limit": 0.02,
            "why": "errors: 25.8 % against a limit of 2 %",
        },
        {"kind": "FAIL", "metric": "p99", "n": 1200, "value": None, "limit": 2.0, "why": "p99: over 30 s"},
        {"kind": "PASS", "metric": "p95", "n": 1200, "value": 0.045, "limit": 0.5, "why": "p95: 45 ms"},
        {
            "kind": "HOLD",
            "metric": "p95",
            "n": 12,
            "value": 12,
            "limit": 30,
            "why": "p95: not enough data: 12 requests, 30 are needed",
        },
    ],
}
DOCTOR = {
    "environment": "development",
    "findings": [
        {"subject": "traffic", "state": "ok", "detail": "envoy 1.36 runs", "do": ""},
        {"subject": "alerts", "state": "warn", "detail": "not configured", "do": "add `alerts:`"},
        {"subject": "store", "state": "fail", "detail": "the disk is full", "do": "make room"},
    ],
}
PEOPLE: dict[str, Any] = {
    "environment": "production",
    "file": "/srv/library/.deploy/people.json",
    "people": {"h-0011aabbccdd": "annas-laptop", "p-a1b2c3d4e5f6": "ann"},
}

MAINTENANCE = {
    "environment": "development",
    "notice": {"message": "Back soon.", "retry_after": 300, "since": "2026-11-23T10:15:00+00:00", "who": "ann@laptop"},
}
VALIDATE = {"environment": "development", "ok": True, "sections": ["fleet", "traffic"]}


def events(told: Any) -> list[dict[str, Any]]:
    """Events as ``history`` and ``report`` have them."""
    return [
        {
            "number": event.number,
            "at": event.at.isoformat(),
            "kind": event.kind,
            "who": event.who,
            "facts": {name: fact for name, fact in event.facts.items() if name != "plan"},
        }
        for event in told
    ]


def history(told: Any) -> dict[str, Any]:
    """The whole history."""
    shown = [each for each in events(told) if each["kind"] not in ("reading", "step")]
    return {"application": "library", "environment": "development", "head": "3f" * 32, "events": shown}


def metrics() -> dict[str, Any]:
    """A quarter of deliveries."""
    tale, period = a_quarter(), Period(DAWN, DAWN + timedelta(days=91), DAWN - timedelta(days=9))
    known = measured(
        tuple(tale.folded().values()), period, lambda one: Changes([one.committed], True) if one.committed else None
    )
    return {"application": "library", "environment": "production", **known}


def audit() -> dict[str, Any]:
    """A ledger with one of everything, exported and verified."""
    found = trail(everything().events, "library", "production")
    ledger = {"events": found.count, "read": found.count, "head": "d3" * 32, "verified": True, "expected": None}
    return {
        "application": "library",
        "environment": "production",
        "exported_at": "2026-11-24T00:00:00.000000+00:00",
        "exported_by": "ann",
        "since": None,
        "until": None,
        "ledger": {**ledger, "problems": []},
        "standards": {"soc2": "SOC 2", "iso27001": "ISO 27001", "pci_dss": "PCI DSS"},
        "columns": [{"name": n, "title": t, "says": s, "controls": as_json(of)} for n, t, s, of in COLUMNS],
        "events": {name: {"says": says, "controls": as_json(of)} for name, (says, of) in EVENTS.items()},
        "rows": found.rows,
    }


def report(told: Any) -> dict[str, Any]:
    """One deployment."""
    return {
        "application": "library",
        "environment": "development",
        "deployment": "20261123-101500-ab12cd",
        "known": ["20261123-101500-ab12cd"],
        "events": events(told),
        "checklist": {
            "number": 7,
            "at": "2026-11-23T10:14:00+00:00",
            "who": "bob@ci",
            **{name: CHECKLIST[name] for name in ("level", "version", "commit", "hotfix", "items")},
        },
        "signed": [
            {
                "number": 5,
                "at": "2026-11-23T10:12:00+00:00",
                "who": "ann@laptop",
                "act": "sign",
                "item": "people.oncall",
                "note": "called Bob",
            },
            {
                "number": 6,
                "at": "2026-11-23T10:13:00+00:00",
                "who": "ann@laptop",
                "act": "override",
                "item": "code.analysis",
                "note": "ticket 4711",
            },
        ],
    }


MOVED: dict[str, Any] = {
    "application": "library",
    "environment": "development",
    "did": "imported",
    "file": "ledger.jsonl",
    "events": 120,
    "added": 20,
    "head": "41017c23dc1a",
}

RELEASE_PLAN: dict[str, Any] = {
    "version": "1.2.4",
    "tag": "v1.2.4",
    "previous": "1.2.3",
    "branch": "main",
    "after": "c0ffee" * 6,
    "bump": "patch",
    "prerelease": False,
    "files": ["CHANGELOG.md"],
    "message": "Mend the checkout",
    "differences": ["--- a/CHANGELOG.md\n+++ b/CHANGELOG.md\n@@ -1,1 +1,2 @@\n ## [Unreleased]\n+## [1.2.4]"],
    "commands": ["git commit --only -- CHANGELOG.md", "git tag --annotate v1.2.4 COMMIT"],
    "page": None,
    "asks": "",
    "warnings": ["origin does not answer"],
}

RELEASED: dict[str, Any] = {
    "version": "1.2.4",
    "tag": "v1.2.4",
    "previous": "1.2.3",
    "branch": "main",
    "after": "c0ffee" * 6,
    "bump": "patch",
    "prerelease": False,
    "files": ["CHANGELOG.md"],
    "commit": "decade" * 6,
    "pushed": True,
    "remote": "origin",
    "page": "https://github.example/octo/library/releases/tag/v1.2.4",
    "next": [{"step": "forward", "command": "git switch main && git merge v1.2.4"}],
}

RELEASE_LINE: dict[str, Any] = {
    "branch": "hotfix/1.2.4",
    "tag": "v1.2.3",
    "begun": True,
    "command": "git switch --create hotfix/1.2.4 v1.2.3",
}

RELEASE_NOTES: dict[str, Any] = {"version": "1.2.4", "style": "text", "notes": "Fixed\n\n- The checkout."}


SIGNED = {
    "environment": "production",
    "act": "sign",
    "items": ["people.oncall", "people.announced"],
    "about": "3f9a0c1d2b4e5f60718293a4b5c6d7e8f9a0b1c2",
    "note": "Ben has the phone",
    "signer": "ann@example.org",
    "key": "SHA256:abc",
    "who": "ann@desk",
}
APPROVED = {
    "environment": "production",
    "file": "plan.json",
    "version": "1.2.0",
    "digest": "3f9a0c1d2b4e5f60",
    "author": "ann@example.org",
    "approved_by": ["ben@example.org"],
    "needed": 2,
    "suffice": False,
    "not_counted": ["that of cay@example.org does not count: it is older than 7 days"],
}
NOTED = {"environment": "production", "deployment": "d-1", "text": "watch the queue"}

NOTIFIED: dict[str, Any] = {
    "environment": "production",
    "event": "started",
    "waiting": {"slack": {"waiting": 2, "why": "it is silent", "since": "2026-11-23T10:15:00+00:00"}},
    "unknown": "the ledger is silent",
}
TO_BE_TOLD: dict[str, Any] = {
    "environment": "production",
    "would": {"slack": [{"number": 7, "change": "started", "text": "slack: library 1.4.1 is being deployed"}]},
    "unopened": {"sentry": "SENTRY_API_TOKEN is not set"},
}

CONTROLLED: dict[str, Any] = {
    "environment": "production",
    "deployment": "20261123-101500-ab12cd",
    "version": "1.4.0",
    "verb": "pause",
    "reason": "somebody looks at it",
    "who": "ann@desk",
    "at": "2026-11-23T10:20:00.000000+00:00",
    "asked": 61,
    "obeyed": True,
    "said": "paused at stage 2 of 5, 25 %; goes home at 10:50:00 UTC unless continued",
}

_COUNTED: dict[str, Any] = {
    "runs": 200,
    "taken_back": 79,
    "held": 121,
    "finished": 0,
    "median": 825.0,
    "p95": 1380.0,
    "requests": 2416,
    "errors": 71,
    "errors_p95": 146,
}
SIMULATION: dict[str, Any] = {
    "application": "library",
    "environment": "production",
    "steps": ["gate", "install", "roll out", "settle"],
    "rules": {
        "stages": [10, 25, 50, 75, 100],
        "watch": 300.0,
        "bake": 1800.0,
        "poll": 15.0,
        "lag": 15.0,
        "rule": "sequential",
        "errors": 0.02,
    },
    "assumed": {
        "rps": 20.0,
        "errors": 0.03,
        "usual_errors": 0.001,
        "p99": 0.8,
        "usual_p99": 0.2,
        "stage": 25,
        "after": 600.0,
        "cluster": 1,
        "silent_after": 720.0,
        "unhealthy_after": 900.0,
        "probed": True,
        "orders": [[300.0, "promote"]],
        "runs": 200,
        "seed": 1,
    },
    "deployments": _COUNTED,
    "fault": True,
    "typical": {
        "seed": 7,
        "code": 4,
        "ended": 750.0,
        "percent": 25,
        "shifted": 75.0,
        "onset": 0.0,
        "took": 675.0,
        "requests": 1234,
        "errors": 37,
        "metric": "errors",
        "why": "errors: 37 of 1234 requests to green (3 %) were errors",
        "moments": [
            {"at": 0.0, "percent": 0, "kind": "baseline", "why": "blue is read, nothing is shifted"},
            {"at": 75.0, "percent": 10, "kind": "shift", "why": "baseline: 1458 requests to blue, P99 205 ms"},
            {"at": 390.0, "percent": 10, "kind": "hold", "why": "ambiguous: errors: 21 of 594 requests to green"},
            {
                "at": 750.0,
                "percent": 25,
                "kind": "taken back",
                "why": "errors: 37 of 1234 requests to green (3 %) were errors, against a limit of 2 %",
                "requests": 1234,
                "errors": 37,
            },
        ],
    },
    "healthy": {**_COUNTED, "runs": 50, "taken_back": 0, "held": 1, "finished": 49, "median": None, "at_most": 0.071},
    "rates": [
        {**_COUNTED, "rate": 0.01, "runs": 25, "taken_back": 0, "held": 1, "finished": 24, "median": None, "p95": None},
        {**_COUNTED, "rate": 0.05, "runs": 25, "taken_back": 25, "held": 0},
    ],
    "seen_from": 0.05,
    "notes": ["errors come one by one; --cluster 5: as when every client tries five times"],
}
_ROLLOUT: dict[str, Any] = {
    "deployment": "20261122-090000-000001",
    "attempt": 1,
    "task": "deploy",
    "version": "1.2.1",
    "began": "2026-11-22T09:00:00+00:00",
    "outcome": "taken back",
    "code": 4,
    "why": "errors: 31 of 120 requests to green (25.8 %) were errors",
    "seconds": 432.0,
    "regretted": "",
    "reproduced": True,
    "unreadable": "",
}
_WOULD: dict[str, Any] = {
    "kind": "home earlier",
    "at": 120.0,
    "percent": 10,
    "code": 4,
    "metric": "errors",
    "why": "errors: 1 of 30 requests (3.33 %) in one poll, limit 2 %",
    "earlier": 312.0,
    "requests": 1204,
    "errors": 45,
    "known": True,
}
BACKTEST: dict[str, Any] = {
    "application": "library",
    "environment": "development",
    "since": "2026-08-26T00:00:00+00:00",
    "asked": {"rule": "threshold"},
    "settings": ["rule: threshold"],
    "deployments": [
        {**_ROLLOUT, "outcome": "done", "code": 0, "would": {**_WOULD, "kind": "same"}},
        {**_ROLLOUT, "would": _WOULD},
        {**_ROLLOUT, "version": "1.2.2", "outcome": "done", "code": 0, "would": _WOULD},
        {**_ROLLOUT, "version": "1.2.3", "outcome": "done", "code": 0, "regretted": "it fails", "would": _WOULD},
        {**_ROLLOUT, "version": "1.2.4", "attempt": 2, "would": {**_WOULD, "kind": "waits", "known": False}},
        {**_ROLLOUT, "version": "1.2.5", "would": {**_WOULD, "kind": "goes on", "known": False}},
        {**_ROLLOUT, "version": "1.2.6", "reproduced": False, "unreadable": "its rules are not known", "would": None},
    ],
    "summary": {
        "rollouts": 7,
        "reproduced": 6,
        "same": 1,
        "bad_earlier": 2,
        "good_taken_home": 1,
        "others_home": 0,
        "not_taken_home": 1,
        "another_course": 1,
        "seconds_earlier": 624.0,
        "requests_spared": 2408,
        "errors_spared": 90,
    },
}

DRILL: dict[str, Any] = {
    "application": "library",
    "who": "ann@desk",
    "at": "2026-11-23T10:19:48+00:00",
    "counted": True,
    "environment": "development",
    "what": "deaths",
    "ok": False,
    "rounds": [
        {
            "at": "install",
            "by": "resume",
            "left": "blue 100 % / green 0 %",
            "after": "blue 0 % / green 100 % (forward)",
            "seconds": 10.4,
            "code": 0,
            "sent": 218,
            "lost": 0,
            "wrong": [],
        },
        {
            "at": "shifted to 10 %",
            "by": "rollback",
            "left": "blue 90 % / green 10 %",
            "after": "blue 100 % / green 0 % (home)",
            "seconds": 0.6,
            "code": 0,
            "sent": 40,
            "lost": 2,
            "wrong": ["2 of 40 requests were lost: GET http://127.0.0.1:8080/health: 503"],
        },
    ],
    "sent": 258,
    "lost": 2,
    "seconds": 71.5,
}

REHEARSED_ROLLBACK: dict[str, Any] = {
    "application": "library",
    "who": "ann@desk",
    "at": "2026-11-23T10:19:48+00:00",
    "counted": True,
    "environment": "staging",
    "what": "rollback",
    "from": "green",
    "to": "blue",
    "seconds_back": 0.412,
    "seconds_forward": 0.38,
    "stayed": 5.0,
    "wrong": [],
    "sent": 102,
    "lost": 0,
    "why_lost": "",
    "seconds": 5.9,
    "ok": True,
}
