"""Reviews, continuous integration and the database team: on the checklist, asked of a real HTTP server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import memory
import pytest
from checklist.release_of import Project, django
from lab.answering import Raw, answering, took
from lab.github import GitHub as Hub, Pull, github

from deploytasks.checklist import review
from deploytasks.checklist.evaluating import evaluate_items
from deploytasks.checklist.item import Found
from deploytasks.checklist.review import INTEGRATED, MIGRATIONS_REVIEWED, REVIEWED
from deploytasks.checklist.subject import Subject
from deploytasks.errors import UsageError
from deploytasks.providers.github import GitHub
from deploytasks.settings.gates import Gates
from deploytasks.settings.github import GitHubSettings
from deploytasks.world import World

COMMIT = memory.release().commit
"""What is deployed: the commit that a pull request became when it was squashed."""
SENIOR, DATABASE = "octo/senior", "octo/database"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """One that is asked by its rules to the end of the test."""
    with github() as found:
        monkeypatch.setenv("GITHUB_TOKEN", found.token)
        yield found
        assert [] == found.broken


def connected(world: World, url: str | None, within: float = 5.0, **gates: Any) -> World:
    """The world with this GitHub, and with these gates at the level production."""
    made = Gates(**{"level": "production", **gates})
    world.settings = replace(world.settings, sections={**world.settings.sections, "gates": made})
    if url is not None:
        section = GitHubSettings(repository="octo/library", url=url, within=within)
        world._ports.sections["reviews"] = GitHub(section, world.site)  # type: ignore[attr-defined]  # those in memory
    return world


def subject(
    folder: Path, url: str | None, *, hotfix: bool = False, dirty: bool = False, within: float = 5.0, **gates: Any
) -> Subject:
    world = connected(memory.world(folder), url, within, **gates)
    return Subject(world, memory.release()._replace(dirty=dirty), hotfix=hotfix)


def merged(hub: Hub, *approvers: str, base: str = "main") -> Pull:
    """#7, approved by these and squashed."""
    pull = hub.pull(7, "head-of-7", base)
    for who in approvers:
        hub.approve(pull, who)
    hub.merge(pull, COMMIT)
    return pull


def says(found: Found, answer: str, *evidence: str) -> None:
    assert answer == found.answer, found
    for text in evidence:
        assert text in found.evidence


# -- reviewed --------------------------------------------------------------------------------------------------------


def test_two_approvals_of_the_head_are_enough(hub: Hub, tmp_path: Path) -> None:
    """On the pull request that brought the squashed commit: who approved is the evidence."""
    merged(hub, "bob", "eve")
    says(REVIEWED.look(subject(tmp_path, hub.url)), "pass", "#7 into main was approved by bob and eve")


def test_whoever_does_not_count_is_named(hub: Hub, tmp_path: Path) -> None:
    """All reasons at once, and what to do."""
    hub.user("robot", kind="Bot")
    hub.user("guest", permission="read")
    pull = merged(hub, "ann", "robot", "guest", "bob")
    hub.approve(pull, "kim", commit="older")
    hub.approve(pull, "zoe")
    hub.dismiss(pull, "zoe")
    hub.comment(pull, "eve")
    says(
        REVIEWED.look(subject(tmp_path, hub.url)),
        "fail",
        "#7 into main has 1 of 2 approvals, by bob",
        "ann opened it",
        "robot is a bot",
        "guest may not write to the repository",
        "kim approved older, not its head head-of-7",
        "the review of zoe was dismissed",
        "eve only commented",
        "have its head head-of-7 approved",
    )


def test_requested_changes_stand_in_the_way(hub: Hub, tmp_path: Path) -> None:
    """However many approve; until they approve as well, or the review is dismissed."""
    pull = merged(hub, "bob", "eve")
    hub.request_changes(pull, "zoe")
    says(REVIEWED.look(subject(tmp_path, hub.url)), "fail", "zoe asked for changes", "or have that review dismissed")
    hub.dismiss(pull, "zoe")
    says(REVIEWED.look(subject(tmp_path, hub.url)), "pass")


def test_a_dismissal_between_checklist_and_gate_is_seen(hub: Hub, tmp_path: Path) -> None:
    """Each look asks again: what was true an hour ago is not taken for granted."""
    pull = merged(hub, "bob", "eve")
    of = subject(tmp_path, hub.url)
    says(REVIEWED.look(of), "pass")
    hub.dismiss(pull, "eve")
    says(REVIEWED.look(Subject(of.world, of.release)), "fail", "1 of 2 approvals, by bob", "eve was dismissed")


def test_a_push_after_the_approvals(hub: Hub, tmp_path: Path) -> None:
    """What was approved is not what was merged."""
    pull = hub.pull(7, "first")
    hub.approve(pull, "bob")
    hub.approve(pull, "eve")
    hub.push(pull, "second")
    hub.merge(pull, COMMIT)
    says(REVIEWED.look(subject(tmp_path, hub.url)), "fail", "0 of 2", "bob approved first, not its head second")


@pytest.mark.parametrize(
    ("arrange", "evidence"),
    [
        pytest.param(lambda hub: hub.commit(COMMIT), "pushed directly", id="direct-push"),
        pytest.param(lambda hub: None, "push it", id="not-pushed"),
        pytest.param(lambda hub: merged(hub, "bob", "eve", base="develop"), "not into main", id="another-base"),
        pytest.param(lambda hub: hub.close(hub.pull(7, COMMIT)), "pushed directly", id="closed"),
        pytest.param(
            lambda hub: [hub.merge(hub.pull(number, f"h{number}"), COMMIT) for number in (7, 8)],
            "several pull requests (#7, #8)",
            id="several",
        ),
        pytest.param(
            lambda hub: hub.push(hub.pull(7, COMMIT), "newer"),
            "its head is newer, not c1.0.0",
            id="open-and-pushed-over",
        ),
        pytest.param(lambda hub: hub.push(hub.pull(7, COMMIT), "x", force=True), "pushed directly", id="force-pushed"),
    ],
)
def test_no_pull_request_speaks_for_it(
    hub: Hub, tmp_path: Path, arrange: Callable[[Hub], object], evidence: str
) -> None:
    """It fails, and says what to do."""
    arrange(hub)
    says(REVIEWED.look(subject(tmp_path, hub.url)), "fail", evidence)


def test_an_open_pull_request_speaks_for_its_head(hub: Hub, tmp_path: Path) -> None:
    """Deployed before it is merged: exactly what was approved."""
    pull = hub.pull(7, COMMIT)
    hub.approve(pull, "bob")
    hub.approve(pull, "eve")
    says(REVIEWED.look(subject(tmp_path, hub.url)), "pass")


def test_branches_that_may_be_deployed_are_those_to_which_changes_go(hub: Hub, tmp_path: Path) -> None:
    """`gates.branches` instead of the default branch."""
    merged(hub, "bob", "eve", base="release/1.2")
    says(REVIEWED.look(subject(tmp_path, hub.url)), "fail", "came by #7 into release/1.2, not into main")
    says(REVIEWED.look(subject(tmp_path, hub.url, branches=("main", "release/*"))), "pass")


@pytest.mark.parametrize(("needed", "answer"), [(1, "pass"), (2, "fail"), (0, "not applicable")])
def test_how_many_is_configured(hub: Hub, tmp_path: Path, needed: int, answer: str) -> None:
    """`gates.approvals`."""
    merged(hub, "bob")
    says(REVIEWED.look(subject(tmp_path, hub.url, approvals=needed)), answer)


def test_whoever_wrote_a_commit_may_be_left_out(hub: Hub, tmp_path: Path) -> None:
    """Four eyes: `gates.exclude_authors`."""
    pull = hub.pull(7, "first")
    hub.push(pull, "head", "bob")
    hub.approve(pull, "bob")
    hub.approve(pull, "eve")
    hub.merge(pull, COMMIT)
    says(REVIEWED.look(subject(tmp_path, hub.url)), "pass")
    says(REVIEWED.look(subject(tmp_path, hub.url, exclude_authors=True)), "fail", "bob wrote a commit of it")


def test_many_approvals_do_not_cost_many_questions(hub: Hub, tmp_path: Path) -> None:
    """Ten are looked up; the others are named."""
    merged(hub, *(f"user-{number}" for number in range(30)))
    says(REVIEWED.look(subject(tmp_path, hub.url)), "pass", "user-29 was not looked up")
    assert len(hub.asked) < 15


def test_a_release_commit_is_reviewed_with_what_it_releases(hub: Hub, tmp_path: Path) -> None:
    """`create-release` puts it on top, without a pull request: it writes the release down, and nothing else."""
    project = Project(tmp_path)
    change = project.commit({"app.py": "print('books')", "CHANGELOG.md": "## [Unreleased]\n"})
    pull = hub.pull(7, "head-of-7")
    hub.merge(pull, change)
    hub.commit(project.commit({"CHANGELOG.md": "## [1.1.0]\n- Books.\n"}))
    connected(project.world, hub.url)
    says(REVIEWED.look(project.subject()), "fail", "#7 into main has 0 of 2 approvals")
    hub.approve(pull, "bob")
    hub.approve(pull, "eve")
    says(REVIEWED.look(project.subject()), "pass", "#7 into main was approved by bob and eve")
    hub.commit(project.commit({"CHANGELOG.md": "## [1.2.0]\n", "app.py": "print('more')"}))
    says(REVIEWED.look(project.subject()), "fail", "pushed directly")


class History:
    """A project with a live release, and commits since that came by pull requests that two approved."""

    def __init__(self, folder: Path, hub: Hub, count: int, *, is_live: bool = True) -> None:
        self.hub = hub
        self.project = Project(folder)
        self.project.commit({"app.py": "0"})
        if is_live:
            self.project.goes_live()
        self.pulls = [self.change(number) for number in range(1, count + 1)]

    def change(self, number: int) -> Pull:
        pull = self.hub.pull(number, f"head-of-{number}")
        self.hub.approve(pull, "bob")
        self.hub.approve(pull, "eve")
        self.hub.merge(pull, self.project.commit({"app.py": f"{number}"}))
        return pull

    def look(self, **gates: Any) -> Found:
        connected(self.project.world, self.hub.url, **{"every_commit": True, **gates})
        return REVIEWED.look(self.project.subject())


def test_every_commit_since_the_live_release_may_be_asked_about(hub: Hub, tmp_path: Path) -> None:
    """A change that two approved, on top of one that nobody has: only `gates.every_commit` sees it."""
    made = History(tmp_path, hub, 3)
    says(made.look(), "pass", "#3 into main was approved by bob and eve; so were all 3 commits since 1.0.0")
    hub.dismiss(made.pulls[0], "eve")
    says(made.look(), "fail", "which came since 1.0.0: #1 into main has 1 of 2 approvals")
    says(made.look(every_commit=False), "pass")


def test_a_direct_push_below_a_reviewed_change(hub: Hub, tmp_path: Path) -> None:
    """And what was released before by a commit of its own is in no way."""
    made = History(tmp_path, hub, 1)
    hub.commit(made.project.commit({"app.py": "pushed"}))
    made.change(2)
    says(made.look(), "fail", "no pull request brought")
    made.project.goes_live("1.1.0")
    made.change(3)
    says(made.look(), "pass", "#3 into main")


def test_what_a_merge_brings_belongs_to_it(hub: Hub, tmp_path: Path) -> None:
    """The commits of its branch are those that were reviewed."""
    made = History(tmp_path, hub, 0)
    made.project.git("switch", "-q", "-c", "side")
    made.project.commit({"side.py": "1"})
    made.project.commit({"side.py": "2"})
    made.project.git("switch", "-q", "main")
    made.project.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
    pull = hub.pull(9, made.project.git("rev-parse", "side"))
    hub.approve(pull, "bob")
    hub.approve(pull, "eve")
    hub.merge(pull, made.project.git("rev-parse", "HEAD"))
    says(made.look(), "pass", "#9 into main was approved")


def test_when_it_cannot_be_told_what_came_since(hub: Hub, tmp_path: Path) -> None:
    """A live commit that is not here, or too many commits: it fails. Nothing live: there is nothing between."""
    made = History(tmp_path, hub, 1)
    made.project.goes_live("0.9.0", commit="0" * 40)
    says(made.look(), "fail", "the commits since 0.9.0 (000000000000) are not known here")
    (tmp_path / "first").mkdir()
    first = History(tmp_path / "first", hub, 1, is_live=False)
    says(first.look(), "pass", "nothing is live that the commits before it could be compared with")


def test_many_commits_are_asked_about_several_at_a_time(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each once; and too many fail at once."""
    made = History(tmp_path, hub, 12)
    says(made.look(), "pass", "so were all 12 commits")
    assert len(hub.asked) < 2 * 12 + 6
    monkeypatch.setattr(review, "MOST", 11)
    says(made.look(), "fail", "12 commits since 1.0.0, and at most 11 can be looked at")


# -- what fails closed -----------------------------------------------------------------------------------------------


def test_without_a_token(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named; and nothing passes."""
    merged(hub, "bob", "eve")
    monkeypatch.delenv("GITHUB_TOKEN")
    for item in (REVIEWED, INTEGRATED):
        says(item.look(subject(tmp_path, hub.url)), "fail", "GITHUB_TOKEN is not set: set GITHUB_TOKEN")
    assert [] == hub.asked


def test_without_a_section(tmp_path: Path) -> None:
    """In production somebody must tell who approved; of the continuous integration a person may."""
    says(REVIEWED.look(subject(tmp_path, None)), "fail", "no `reviews:` section is configured", "docs/github.md")
    says(INTEGRATED.look(subject(tmp_path, None)), "needs a signature", "no `reviews:` section")
    says(INTEGRATED.look(subject(tmp_path, None, level="staging")), "not applicable")


def test_without_a_release(hub: Hub, tmp_path: Path) -> None:
    """It comes later in the chain."""
    of = Subject(subject(tmp_path, hub.url).world, None)
    assert ["pending", "pending"] == [item.look(of).answer for item in (REVIEWED, INTEGRATED)]


def test_a_dirty_work_tree_is_nothing_that_anybody_reviewed(hub: Hub, tmp_path: Path) -> None:
    """Nor anything that was tested there. Only where such a tree may be deployed, and not in production, it warns."""
    merged(hub, "bob", "eve")
    says(REVIEWED.look(subject(tmp_path, hub.url, dirty=True)), "fail", "the work tree differs from c1.0.0")
    free = subject(tmp_path, hub.url, dirty=True, level="staging")
    says(INTEGRATED.look(free), "fail")
    free.world.settings = replace(free.world.settings, dirty=True)
    says(INTEGRATED.look(free), "warn")


@pytest.mark.parametrize(
    ("permissions", "evidence"),
    [
        ({}, "GitHub says the same to who may not"),
        ({"metadata": "read"}, "give it pull_requests=read"),
    ],
)
def test_a_token_that_may_not_see(
    hub: Hub, tmp_path: Path, permissions: dict[str, str], evidence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answered: what it did not tell is said, and how to be told."""
    merged(hub, "bob", "eve")
    monkeypatch.setenv("GITHUB_TOKEN", hub.may(**permissions))
    says(REVIEWED.look(subject(tmp_path, hub.url)), "fail", "cannot be checked: ", evidence)


def test_a_limit_says_when_to_try_again(hub: Hub, tmp_path: Path) -> None:
    """Nobody waits an hour for it."""
    merged(hub, "bob", "eve")
    hub.slow_down(after=3600)
    says(REVIEWED.look(subject(tmp_path, hub.url)), "fail", "unreachable: ", "rate limit", "try again after ")


def test_a_silent_github_costs_one_deadline_for_all_items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three items are asked of it, and together they take as long as one."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    with answering(lambda _: Raw(hang=True)) as lab:
        of = subject(tmp_path, lab.url, within=0.4)
        answers: list[Any] = []
        assert took(lambda: answers.extend(evaluate_items((REVIEWED, INTEGRATED), of))) < 1.5
        assert ["fail", "fail"] == [found.answer for found in answers]
        assert all("unreachable: GitHub" in found.evidence for found in answers)
        assert 1 == len(lab.asked)


def test_a_wrong_setting_is_no_refusal(hub: Hub, tmp_path: Path) -> None:
    """A team without its organization: code 2, and not a change that nobody approved."""
    merged(hub, "bob", "eve")
    with pytest.raises(UsageError, match="is no team"):
        REVIEWED.look(subject(tmp_path, hub.url, hotfix=True, senior_team="seniors"))


# -- hotfix ----------------------------------------------------------------------------------------------------------


def test_a_hotfix_needs_one_of_the_senior_team(hub: Hub, tmp_path: Path) -> None:
    """One is enough, and two others are not."""
    pull = merged(hub, "bob", "eve")
    hub.member(SENIOR, "zoe")
    found = REVIEWED.look(subject(tmp_path, hub.url, hotfix=True, senior_team=SENIOR))
    says(found, "fail", f"0 of 1 approvals of {SENIOR}", f"bob and eve approved, and are not in {SENIOR}")
    hub.approve(pull, "zoe")
    found = REVIEWED.look(subject(tmp_path, hub.url, hotfix=True, senior_team=SENIOR))
    says(found, "pass", f"was approved by zoe of {SENIOR}")


def test_whoever_is_only_invited_is_not_senior(hub: Hub, tmp_path: Path) -> None:
    """A membership counts when it is active."""
    merged(hub, "zoe")
    hub.member(SENIOR, "zoe", "pending")
    says(REVIEWED.look(subject(tmp_path, hub.url, hotfix=True, senior_team=SENIOR)), "fail", "zoe approved, and is not")


def test_a_team_that_is_not_seen_has_no_seniors(hub: Hub, tmp_path: Path) -> None:
    """404 is both; that the token is the reason is said."""
    merged(hub, "zoe")
    hub.member(SENIOR, "zoe")
    hub.hidden_teams.add(SENIOR)
    found = REVIEWED.look(subject(tmp_path, hub.url, hotfix=True, senior_team=SENIOR))
    says(found, "fail", f"the token sees no team {SENIOR}, or there is none (it needs Members: read)")


def test_a_hotfix_without_a_senior_team(hub: Hub, tmp_path: Path) -> None:
    """Nobody could wave it through."""
    merged(hub, "bob", "eve", "zoe")
    says(REVIEWED.look(subject(tmp_path, hub.url, hotfix=True)), "fail", "gates.senior_team: organization/team")


def test_a_hotfix_of_a_senior_is_not_approved_by_its_author(hub: Hub, tmp_path: Path) -> None:
    """Nor by a senior who asks for changes."""
    hub.member(SENIOR, "ann")
    hub.member(SENIOR, "zoe")
    pull = merged(hub, "ann")
    of = subject(tmp_path, hub.url, hotfix=True, senior_team=SENIOR)
    says(REVIEWED.look(of), "fail", "0 of 1", "ann opened it")
    hub.request_changes(pull, "zoe")
    says(REVIEWED.look(Subject(of.world, of.release, hotfix=True)), "fail", "zoe asked for changes")


# -- continuous integration ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrange", "answer", "evidence"),
    [
        pytest.param(lambda hub: hub.commit(COMMIT), "fail", "nothing has reported", id="nothing"),
        pytest.param(lambda hub: hub.status(COMMIT, "ci"), "pass", "green: ci (success)", id="a-status"),
        pytest.param(lambda hub: hub.check(COMMIT, "ci"), "pass", "green: ci (success)", id="a-check"),
        pytest.param(lambda hub: hub.check(COMMIT, "ci", "failure"), "fail", "red: ci (failure): mend it", id="red"),
        pytest.param(lambda hub: hub.status(COMMIT, "ci", "pending"), "fail", "wait for it", id="pending"),
        pytest.param(lambda hub: hub.check(COMMIT, "ci", "brilliant"), "fail", "neither green nor red", id="unknown"),
        pytest.param(lambda hub: hub.status("another", "ci"), "fail", "has no commit c1.0.0", id="of-another-commit"),
    ],
)
def test_continuous_integration(
    hub: Hub, tmp_path: Path, arrange: Callable[[Hub], object], answer: str, evidence: str
) -> None:
    """Green for this very commit, or it stands in the way and says what to do."""
    arrange(hub)
    says(INTEGRATED.look(subject(tmp_path, hub.url)), answer, evidence)


def test_the_job_that_deploys_does_not_wait_for_itself(hub: Hub, tmp_path: Path) -> None:
    """`gates.ignored_checks`; and with `gates.checks` the others do not matter."""
    hub.check(COMMIT, "tests")
    hub.check(COMMIT, "deploy", None, status="in_progress")
    says(INTEGRATED.look(subject(tmp_path, hub.url)), "fail", "deploy (in_progress)", "`gates.ignored_checks`")
    says(INTEGRATED.look(subject(tmp_path, hub.url, ignored_checks=("deploy",))), "pass")
    says(INTEGRATED.look(subject(tmp_path, hub.url, checks=("tests",))), "pass")
    says(INTEGRATED.look(subject(tmp_path, hub.url, checks=("tests", "lint"))), "fail", "has not reported: lint")


# -- migrations ------------------------------------------------------------------------------------------------------


class Migrated:
    """A project with a migration that #7 brought, and another change that #8 brought on top of it."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self.hub = hub
        self.project = Project(folder)
        self.project.commit({"catalog/migrations/0001_initial.py": django()})
        self.project.goes_live()
        brought = self.project.commit({"catalog/migrations/0002_shelves.py": django(after="catalog.0001_initial")})
        self.pull = hub.pull(7, "head-of-7")
        hub.merge(self.pull, brought)
        last = self.project.commit({"README": "Books\n"})
        self.other = hub.pull(8, "head-of-8")
        hub.merge(self.other, last)
        hub.member(DATABASE, "dan")

    def look(self, team: str | None = DATABASE, url: str | None = "") -> Found:
        connected(self.project.world, self.hub.url if url == "" else url, database_team=team)
        return MIGRATIONS_REVIEWED.look(self.project.subject())


def test_somebody_of_the_database_team_approved_what_brought_the_migration(hub: Hub, tmp_path: Path) -> None:
    """The approval of another pull request, on top of it, says nothing about it."""
    made = Migrated(tmp_path, hub)
    hub.approve(made.other, "dan")
    hub.approve(made.pull, "bob")
    says(made.look(), "fail", f"nobody of {DATABASE} approved #7 into main, which brought catalog.0002_shelves")
    hub.approve(made.pull, "dan")
    says(made.look(), "pass", f"dan of {DATABASE} approved #7 into main, which brought catalog.0002_shelves")


def test_a_migration_that_nobody_brought_by_a_pull_request(hub: Hub, tmp_path: Path) -> None:
    """It was pushed directly: that is said of the migration."""
    made = Migrated(tmp_path, hub)
    del hub.pulls[7]
    says(made.look(), "fail", "catalog.0002_shelves: no pull request brought")


def test_a_database_team_that_is_not_seen(hub: Hub, tmp_path: Path) -> None:
    """The token is the reason."""
    made = Migrated(tmp_path, hub)
    hub.approve(made.pull, "dan")
    hub.hidden_teams.add(DATABASE)
    says(made.look(), "fail", "the token sees no such team: it needs Members: read")


def test_without_a_database_team_a_person_signs(hub: Hub, tmp_path: Path) -> None:
    """Or without a section that could tell who approved."""
    made = Migrated(tmp_path, hub)
    says(made.look(team=None), "needs a signature", "catalog.0002_shelves", "no `gates.database_team`")
    made.project.world._ports.sections.pop("reviews")  # type: ignore[attr-defined]  # those in memory
    says(made.look(url=None), "needs a signature", "no `reviews:` section")


def test_without_migrations_nobody_is_asked(hub: Hub, tmp_path: Path) -> None:
    """Nothing is pending."""
    made = Migrated(tmp_path, hub)
    made.project.goes_live("2.0.0")
    says(made.look(), "not applicable", "no migration is pending")
    assert [] == hub.asked
