"""Monitoring and alerting: a deployment that nobody can judge must not begin."""

from __future__ import annotations

from .alerting import alerts_answer, no_critical_alert, rules_were_tested, tested_within
from .feeding import limits_are_fed, metrics_answer
from .item import Item

ITEMS = (
    Item(
        "monitoring.alerts",
        "No critical alert fires",
        no_critical_alert,
        "development",
        asks="alerts",
        critical=True,
    ),
    Item(
        "monitoring.metrics",
        "The metrics answer, and are fresh",
        metrics_answer,
        "staging",
        asks="metrics",
        critical=True,
    ),
    Item(
        "monitoring.thresholds",
        "Every limit that rolls back is fed by something",
        limits_are_fed,
        "development",
        critical=True,
    ),
    Item(
        "monitoring.answering",
        "Alerts are configured and answer",
        alerts_answer,
        asks="alerts",
        critical=True,
    ),
    Item(
        "monitoring.rules",
        "Alert rules exist and were tested",
        rules_were_tested,
        asks="metrics",
        signed_for=tested_within,
    ),
)
