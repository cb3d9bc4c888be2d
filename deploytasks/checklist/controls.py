"""Which item serves which control of which standard: what an auditor asks, and an export of the evidence answers.

An item is evidence for a control; it does not fulfil it alone. SOC 2: Trust Services Criteria of 2017 (points of focus
of 2022). ISO 27001: Annex A of ISO/IEC 27001:2022. PCI DSS 4.0. GDPR: articles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

STANDARDS: Mapping[str, str] = {
    "soc2": "SOC 2",
    "iso27001": "ISO 27001",
    "pci_dss": "PCI DSS",
    "gdpr": "GDPR",
}
"""Key → the name of the standard, in the order in which they are shown."""


class Controls(NamedTuple):
    """The controls of each standard that an item serves."""

    soc2: tuple[str, ...]
    iso27001: tuple[str, ...]
    pci_dss: tuple[str, ...] = ()
    gdpr: tuple[str, ...] = ()


CONTROLS: Mapping[str, Controls] = {
    "code.committed": Controls(("CC8.1",), ("8.9", "8.32"), ("6.5.1",), ("5",)),
    "code.configuration": Controls(("CC6.3", "CC8.1"), ("5.3", "8.9", "8.32"), ("6.5.1",)),
    "code.tests": Controls(("CC8.1",), ("8.29",), ("6.2.3", "6.5.1"), ("32",)),
    "code.branch": Controls(("CC8.1",), ("8.4", "8.32"), ("6.5.1",)),
    "code.pushed": Controls(("CC8.1",), ("8.4", "8.32"), ("6.5.1",)),
    "code.reviewed": Controls(("CC6.3", "CC8.1"), ("5.3", "8.28", "8.32"), ("6.2.3", "6.2.3.1", "6.5.1"), ("25", "32")),
    "code.ci": Controls(("CC8.1",), ("8.29", "8.31"), ("6.2.3", "6.5.1"), ("32",)),
    "code.coverage": Controls(("CC8.1",), ("8.29",), ("6.2.3",)),
    "code.analysis": Controls(("CC7.1", "CC8.1"), ("8.28", "8.29"), ("6.2.3", "6.2.4"), ("25",)),
    "code.security": Controls(("CC6.8", "CC7.1"), ("8.8", "8.28", "8.29"), ("6.2.4", "6.3.1", "6.3.2"), ("25", "32")),
    "order.staged": Controls(("CC8.1",), ("8.29", "8.31"), ("6.5.1", "6.5.3"), ("32",)),
    "order.version": Controls(("CC8.1",), ("8.19", "8.32"), ("6.5.1",)),
    "database.pending": Controls(("CC8.1",), ("8.32",), ("6.5.1",), ("5",)),
    "database.compatible": Controls(("A1.2", "CC8.1"), ("8.29", "8.32"), ("6.5.1",), ("5", "32")),
    "database.reviewed": Controls(("CC6.3", "CC8.1"), ("5.3", "8.32"), ("6.2.3.1", "6.5.1"), ("25", "30")),
    "database.rollback": Controls(("A1.2", "CC8.1"), ("8.32",), ("6.5.1",), ("32",)),
    "database.estimate": Controls(("A1.1", "CC8.1"), ("8.6", "8.32"), ("6.5.1",)),
    "database.window": Controls(("CC8.1",), ("8.32",), ("6.5.1",), ("32",)),
    "database.backup": Controls(("A1.2", "CC7.5"), ("8.13",), ("6.5.1",), ("5", "32")),
    "configuration.variables": Controls(("CC8.1",), ("8.9",), ("2.2.1",)),
    "configuration.secrets": Controls(("CC6.1",), ("5.17", "8.9"), ("8.6.2",), ("32",)),
    "configuration.distinct": Controls(("CC6.1",), ("5.17", "8.31"), ("6.5.3", "8.6.2"), ("25", "32")),
    "configuration.leaks": Controls(("CC6.1", "CC6.7"), ("5.17", "8.4", "8.12"), ("6.2.4", "8.6.2"), ("5", "32")),
    "infrastructure.live": Controls(("A1.2", "CC7.2"), ("8.14", "8.16"), ("6.5.1",), ("32",)),
    "infrastructure.open": Controls(("CC7.4", "CC8.1"), ("8.32",), ("6.5.1",)),
    "infrastructure.targets": Controls(("A1.1", "A1.2"), ("8.6", "8.14"), (), ("32",)),
    "infrastructure.capacity": Controls(("A1.1",), ("8.6",), (), ("32",)),
    "infrastructure.reviewed": Controls(
        ("CC6.6", "CC7.1", "CC8.1"), ("8.9", "8.20", "8.32"), ("2.2.1", "6.5.1"), ("25", "32")
    ),
    "monitoring.alerts": Controls(("CC7.2", "CC7.3"), ("8.16",), ("10.7.2", "12.10.1"), ("32",)),
    "monitoring.metrics": Controls(("CC7.2",), ("8.16",), ("10.7.2",), ("32",)),
    "monitoring.thresholds": Controls(("CC7.2", "CC8.1"), ("8.16",), ("6.5.1",), ("32",)),
    "monitoring.answering": Controls(("CC7.2", "CC7.3"), ("8.16",), ("10.7.2",), ("32",)),
    "monitoring.rules": Controls(("CC7.2", "CC7.3"), ("5.24", "8.16"), ("10.7.2", "12.10.2"), ("32",)),
    "window.open": Controls(("CC8.1",), ("8.32",), ("6.5.1",)),
    "window.freeze": Controls(("CC8.1",), ("8.32",), ("6.5.1",)),
    "people.plan": Controls(("CC6.3", "CC8.1"), ("5.3", "8.32"), ("6.5.1",), ("5",)),
    "people.oncall": Controls(("CC2.2", "CC7.4"), ("5.24", "5.26"), ("12.10.3",), ("32",)),
    "people.announced": Controls(("CC2.2", "CC2.3"), ("8.32",), ("6.5.1",)),
    "people.runbook": Controls(("A1.3", "CC7.5"), ("5.24", "5.30"), ("6.5.1", "12.10.4"), ("32",)),
}
"""Item → what it serves. docs/DEPLOYMENT_CHECKLIST.md shows the same table."""


def controls_of(item: str) -> Mapping[str, Sequence[str]]:
    """The controls that an item serves, as JSON: ``{"soc2": ["CC8.1"], "iso27001": […], "pci_dss": […], "gdpr": […]}``.

    An item that is not known serves none.
    """
    found = CONTROLS.get(item, Controls((), ()))
    return {key: list(getattr(found, key)) for key in STANDARDS}
