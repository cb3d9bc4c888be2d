"""What to do when an item does not pass: one or two sentences for each, as in docs/DEPLOYMENT_CHECKLIST.md."""

from __future__ import annotations

from collections.abc import Mapping

ADVICE: Mapping[str, str] = {
    "code.committed": "Commit or stash them.",
    "code.configuration": "Commit and push it, or take it back; changed gates: somebody of those before signs.",
    "code.tests": "Run `inv test`; mend what fails.",
    "code.branch": "Merge it, or deploy from such a branch.",
    "code.pushed": "`git push`.",
    "code.reviewed": "Have it reviewed.",
    "code.ci": "Wait for it, or mend what fails.",
    "code.coverage": "Write the tests that are missing.",
    "code.analysis": "Mend what it finds.",
    "code.security": "Replace what has the hole; a false alarm belongs into the tool's own list, with its reason.",
    "order.staged": "Deploy it there first: `inv deploy --env staging`.",
    "order.version": "Deploy a newer one; or say `--allow-older` with a reason.",
    "database.pending": "See why it cannot be found out.",
    "database.compatible": "Split it: expand now, contract after `inv retire`.",
    "database.reviewed": "Ask the database team for a review.",
    "database.rollback": "Write the plan down, in the file that is named, or sign that there is one.",
    "database.estimate": "Rehearse it on a copy: `inv rehearse`.",
    "database.window": "Wait for the window.",
    "database.backup": "Configure `database:`; `inv doctor` says what does not answer.",
    "configuration.variables": "Set what is named, or say in `variables:` what is needed.",
    "configuration.secrets": "Set the variable, or mend the rights to read it.",
    "configuration.distinct": "Give each environment a value of its own; `inv checklist` there makes them known.",
    "configuration.leaks": "Take it out, and replace the secret: it is known now.",
    "infrastructure.live": "`inv status`, `inv logs`; mend it first.",
    "infrastructure.open": "`inv maintenance-mode disable` opens it.",
    "infrastructure.targets": "Bring the hosts back, or go on without them: `--exclude-host`.",
    "infrastructure.capacity": "Wait for a quieter time, or add capacity.",
    "infrastructure.reviewed": "Have it reviewed, or sign that it was.",
    "monitoring.alerts": "Look after the alert first.",
    "monitoring.metrics": "`inv doctor` says what is missing.",
    "monitoring.thresholds": (
        "Configure what is named, such as `metrics.log` for HAProxy's latency, or one more source under `metrics:`."
    ),
    "monitoring.answering": "Configure `alerts:`, or mend the source.",
    "monitoring.rules": "Let an alert fire on purpose, see that it reaches people, and sign with the date.",
    "window.open": "Wait; the next one is named.",
    "window.freeze": "Wait for its end, or override with the reason.",
    "people.plan": "`inv plan`, then `inv approve plan.json`.",
    "people.oncall": "Call them; then sign.",
    "people.announced": "Tell support and stakeholders when and what; then sign.",
    "people.runbook": "Rehearse it: `inv drill --env staging`; or read `docs/rollback.md`, and sign.",
}
"""Item → advice; a command in backquotes."""
