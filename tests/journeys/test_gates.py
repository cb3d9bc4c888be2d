"""From a commit that nobody has seen to production, and everything that stands in between."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from journeys.gated import PRODUCTION, Gated, gated

SIGNED = ("people.oncall", "people.announced", "people.runbook", "monitoring.rules")
"""What only people know."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    """Both environments with a first release, brought there before there were any gates."""
    with gated(tmp_path_factory.mktemp("gates") / "library") as made:
        made.gates = made.staging_gates = {"level": "development"}
        made.configure()
        for environment in ("staging", "production"):
            done = made.inv("deploy", "--env", environment, "--yes", timeout=120)
            assert done.code == 0, done.said
        made.gates, made.staging_gates = PRODUCTION, {}
        made.configure()
        yield made


def open_items(project: Gated, *options: str) -> dict[str, str]:
    """What stands in the way of the checked-out commit in production, with the evidence."""
    answer = project.inv("checklist", "--json", *options).answer
    return {
        item["item"]: item["evidence"] for item in answer["items"] if item["answer"] in ("fail", "needs a signature")
    }


def test_from_an_unseen_commit_to_production(project: Gated) -> None:
    """Refused with all reasons at once; through staging, reviewed, signed, planned, approved: then it is deployed."""
    project.commit()
    refused = project.inv("deploy", "--yes")
    assert refused.code == 3, refused.said
    for item in ("code.pushed", "code.reviewed", "code.ci", "order.staged", "people.plan", *SIGNED):
        assert item in refused.err, refused.said
    assert "traffic" not in [event.kind for event in project.events()]
    live = project.split()

    project.push()
    project.reviewed(7, "ben", "cay")
    through = project.inv("deploy", "--env", "staging")
    assert through.code == 0, through.said
    assert set(open_items(project)) == {"people.plan", *SIGNED, "infrastructure.reviewed"}

    signed = project.inv("sign", *SIGNED, "--note", "told in #deployments")
    assert signed.code == 0, signed.said
    aside = project.inv("override", "infrastructure.reviewed", "--reason", "nothing of it is in this repository")
    assert aside.code == 0, aside.said
    assert set(open_items(project)) == {"people.plan"}

    planned = project.inv("plan", "--out", "plan.out")
    assert planned.code == 0, planned.said
    own = project.inv("approve", "plan.out")
    assert own.code == 3, own.said
    early = project.inv("deploy", "--plan-file", "plan.out", "--yes")
    assert (early.code, project.split()) == (3, live), early.said
    approved = project.by("ben", "approve", "plan.out")
    assert approved.code == 0, approved.said
    done = project.inv("deploy", "--plan-file", "plan.out", "--yes")
    assert done.code == 0, done.said
    assert project.split().live != live.live
    told = project.inv("report").out
    for said in ("infrastructure.reviewed", "nothing of it is in this repository", "ben@example.org", "told in"):
        assert said in told, told
    assert project.inv("history", "--verify").code == 0


def test_a_plan_is_worth_nothing_once_the_world_has_moved(project: Gated) -> None:
    """What was approved is not what would happen now: refused, and what has changed is named."""
