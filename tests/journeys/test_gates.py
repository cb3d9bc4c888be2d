"""From a commit that nobody has seen to production, and everything that stands in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from journeys.gated import PRODUCTION, Gated, gated
from journeys.shown import typed

from deploytasks.ledger.facts import number, part, parts

if TYPE_CHECKING:
    from journeys.environment import Done

SIGNED = ("people.oncall", "people.announced", "people.runbook", "monitoring.rules")
"""What only people know."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    """Both environments with a first release: past the gates of staging, and before production had any."""
    with gated(tmp_path_factory.mktemp("gates") / "library") as made:
        made.gates = {"level": "development"}
        made.configure()
        made.commit()
        made.push()
        made.reviewed(6, "ben")
        for environment in ("staging", "production"):
            done = made.inv("deploy", "--env", environment, "--yes", timeout=120)
            assert done.code == 0, done.said
        made.gates = PRODUCTION
        made.configure()
        yield made


YES = {"inv deploy": ("--yes",)}
"""What a terminal asks, answered."""


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
    assert set(open_items(project)) == {"people.plan", *SIGNED, "code.configuration", "configuration.variables"}

    signed = project.inv("sign", ",".join((*SIGNED, "code.configuration")), "--note", "told in #deployments")
    assert signed.code == 0, signed.said
    aside = project.inv("override", "configuration.variables", "--reason", "the hosts have them")
    assert aside.code == 0, aside.said
    assert set(open_items(project)) == {"people.plan"}

    def approve(*words: str) -> Done:
        own = project.inv(*words, "--yes")
        assert own.code == 3, own.said
        early = project.inv("deploy", "--plan-file", "plan.out", "--yes")
        assert (early.code, project.split()) == (3, live), early.said
        return project.by("ben", *words, "--yes")

    asked = {"plan.json": "plan.out"}
    typed(project, "docs/approvals.md", "Approving a plan", instead=asked, more=YES, hands={"inv approve": approve})
    assert project.split().live != live.live
    told = project.inv("report").out
    for said in ("configuration.variables", "the hosts have them", "ben@example.org", "told in"):
        assert said in told, told
    assert project.inv("history", "--verify").code == 0


def test_a_plan_is_worth_nothing_once_the_world_has_moved(project: Gated) -> None:
    """What was approved is not what would happen now: refused, and what has changed is named."""
    same = project.inv("deploy", "--plan-file", "plan.out", "--yes")
    assert same.code == 0, same.said  # it is done already
    back = project.inv("rollback", "--reason", "we saw something", "--no-watch", "--yes")
    assert back.code == 0, back.said
    before = project.split()
    again = project.inv("deploy", "--plan-file", "plan.out", "--yes")
    assert (again.code, project.split()) == (3, before), again.said
    assert "green.release: nothing" in again.err, again.said


def test_a_plan_that_somebody_edited_is_no_plan(project: Gated) -> None:
    """Neither approved nor carried out."""
    text = (project.root / "plan.out").read_text()
    (project.root / "edited.out").write_text(text.replace('"hotfix": false', '"hotfix": true'))
    assert (project.root / "edited.out").read_text() != text
    for command in (("approve", "edited.out"), ("deploy", "--plan-file", "edited.out")):
        done = project.by("ben", *command, "--yes")
        assert done.code in (2, 3), done.said


def test_a_hotfix_as_the_readme_has_it(project: Gated) -> None:
    """One of the senior team has approved it; what is not critical is not asked, and stages are shorter and watched."""
    project.commit()
    project.push()
    project.hub.member("octo/seniors", "cay")
    project.reviewed(8, "cay")
    aside = project.inv("override", "configuration.variables", "--reason", "the hosts have them")
    assert aside.code == 0, aside.said
    signed = project.inv("sign", "code.configuration", "--note", "gates, which went back with the release before")
    assert signed.code == 0, signed.said
    live = project.live()
    typed(project, "README.md", "Production, and a hotfix", more=YES)
    assert project.live() != live
    began = project.events("began")[-1].facts
    assert began["task"] == "hotfix"
    rolling = next(step for step in parts(part(began, "plan"), "steps") if step["step"] == "roll out")
    rules = part(rolling, "rules")
    assert ([60, 100], True) == (rules["stages"], number(rules, "watch") > 0)
    typed(project, "docs/gates.md", "A hotfix", more=YES)  # it is live already


def test_a_hotfix_that_no_senior_has_seen_is_refused(project: Gated) -> None:
    """Somebody else's approval is not enough; and staging comes first still."""
    project.commit()
    project.push()
    project.reviewed(9, "ben")
    refused = project.inv("deploy", "--hotfix", "--yes")
    assert refused.code == 3, refused.said
    assert {"code.reviewed", "order.staged"} <= set(open_items(project, "--hotfix"))


def test_the_checklist_step_by_step(project: Gated) -> None:
    """What its page shows, from cutting a version on: signed, set aside, through staging, approved by somebody else."""
    (project.root / "CHANGELOG.md").write_text(
        "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Loans can be extended.\n"
    )
    project.commit()
    project.push()

    def cut(*words: str) -> Done:
        done = project.inv(*words, "--yes")
        project.reviewed(10, "ben", "cay")
        return done

    def checklist(*words: str) -> Done:
        """Open until somebody has said what no machine knows."""
        assert project.inv(*words).code == 3
        typed(
            project, "docs/DEPLOYMENT_CHECKLIST.md", "Deployment checklist",
            codes={"inv checklist": 3}, hands={"inv sign": sign},
        )  # fmt: skip
        return project.inv(*words)

    def sign(*words: str) -> Done:
        assert project.inv("sign", "people.runbook,monitoring.rules", "--note", "read").code == 0
        assert project.inv("override", "configuration.variables", "--reason", "the hosts have them").code == 0
        return project.inv(*words)

    live = project.live()
    typed(
        project, "docs/DEPLOYMENT_CHECKLIST.md", "The deployment, step by step",
        instead={"plan.json": "plan.out"}, more=YES, codes={"inv checklist": 3},
        hands={
            "inv create-release": cut, "inv checklist": checklist,
            "inv approve": lambda *words: project.by("ben", *words, "--yes"),
        },
    )  # fmt: skip
    assert project.live() != live
    typed(project, "docs/DEPLOYMENT_CHECKLIST.md", "Metrics to watch", codes={"inv check": 6})
    typed(project, "docs/ci.md", "What a job shows")
    typed(project, "docs/approvals.md", "What was learned")


def test_people_speak_for_what_no_machine_reads(project: Gated) -> None:
    """Signed, set aside, each with a reason."""
    typed(project, "docs/approvals.md", "Signing an item", "Setting a refusal aside", codes={"inv checklist": 3})
    project.configure(without=("reviews",))
    typed(project, "docs/github.md", "Without GitHub")
    project.configure()
