"""What GitHub says, in our words; and what `inv doctor` says about it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.answering import answering
from lab.github import GitHub as Hub, github

from deploytasks.errors import Unreachable, UsageError
from deploytasks.operations import answers
from deploytasks.providers.github import GitHub
from deploytasks.providers.site import Site
from deploytasks.reviews import CheckState, NotTold, Person, PullRequest, counted
from deploytasks.settings import load
from deploytasks.settings.base import Value
from deploytasks.settings.gates import Gates
from deploytasks.settings.github import GitHubSettings
from deploytasks.settings.mistakes import check
from deploytasks.world import World

TEAM = "octo/senior"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """One that is asked by its rules to the end of the test."""
    with github() as found:
        monkeypatch.setenv("GITHUB_TOKEN", found.token)
        yield found
        assert [] == found.broken


def provider(url: str, root: Path = Path("/nowhere"), sections: dict[str, Value] | None = None, **given: Any) -> GitHub:
    said = {"repository": "octo/library", "url": url, "within": 5, **given}
    site = Site("library", "test", root, root, None, "ann@desk", sections or {})
    return GitHub(GitHubSettings.model_validate({k: v for k, v in said.items() if v is not None}), site)


def person(hub: Hub, login: str) -> Person:
    user = hub.users[login]
    return Person(user.id, login, user.kind != "User")


# -- pull requests and reviews ---------------------------------------------------------------------------------------


def test_a_squashed_pull_request(hub: Hub) -> None:
    """Its head is what was reviewed; the commit that it became is what is deployed."""
    pull = hub.pull(7, "aaa", title="Lend books")
    hub.merge(pull, "bbb")
    expected = PullRequest(7, "Lend books", person(hub, "ann"), "aaa", "main", "merged")
    assert [expected] == list(provider(hub.url).look().pulls("bbb"))


def test_a_rebased_pull_request_brought_each_of_its_commits(hub: Hub) -> None:
    """Whichever of them is deployed."""
    hub.merge(hub.pull(7, "aaa"), "b1", "b2")
    assert [7, 7] == [pull.number for sha in ("b1", "b2") for pull in provider(hub.url).look().pulls(sha)]


def test_states_of_pull_requests(hub: Hub) -> None:
    """Open ones are told, closed ones are not; a direct push has none."""
    hub.pull(1, "aaa")
    hub.close(hub.pull(2, "aaa"))
    hub.commit("direct")
    look = provider(hub.url).look()
    assert [(1, "open")] == [(pull.number, pull.state) for pull in look.pulls("aaa")]
    assert [] == list(look.pulls("direct"))


def test_a_commit_that_was_not_pushed(hub: Hub) -> None:
    """422 means: push it."""
    with pytest.raises(NotTold, match="GitHub has no commit 0123456789ab in octo/library") as caught:
        provider(hub.url).look().pulls("0123456789abcdef")
    assert caught.value.do.startswith("push it")
    with pytest.raises(NotTold, match="has no commit"):
        provider(hub.url).look().checks("0123456789abcdef")


def test_reviews_in_our_words(hub: Hub) -> None:
    """Who, what, about which commit; deleted accounts and commits that are gone are nobody and nothing."""
    pull = hub.pull(7, "aaa")
    hub.user("robot", kind="Bot")
    hub.user("house", kind="Organization")
    hub.approve(pull, "bob", commit=None)
    hub.request_changes(pull, "eve")
    hub.comment(pull, "robot")
    hub.approve(pull, "zoe")
    hub.gone("zoe")
    hub.comment(pull, "house")
    look = provider(hub.url).look()
    found = look.reviews(look.pulls("aaa")[0])
    assert [
        (person(hub, "bob"), "approved", None),
        (person(hub, "eve"), "changes requested", "aaa"),
        (Person(hub.users["robot"].id, "robot", True), "commented", "aaa"),
        (None, "approved", "aaa"),
        (Person(hub.users["house"].id, "house", True), "commented", "aaa"),
    ] == [tuple(review) for review in found]


def test_a_dismissal_changes_a_review_in_its_place(hub: Hub) -> None:
    """Between two looks at the same list an approval is none any more, and the one before it stays gone."""
    pull = hub.pull(7, "aaa")
    hub.approve(pull, "bob")
    hub.approve(pull, "bob")
    of = provider(hub.url)
    asked = of.look().pulls("aaa")[0]
    assert ["bob"] == [who.login for who in counted(of.look().reviews(asked), asked).approved]
    hub.dismiss(pull, "bob")
    assert () == counted(of.look().reviews(asked), asked).approved


def test_more_reviews_than_a_page_has(hub: Hub) -> None:
    """The last word of somebody may be on the second page."""
    pull = hub.pull(7, "aaa")
    hub.approve(pull, "bob")
    for _ in range(120):
        hub.comment(pull, "eve")
    hub.request_changes(pull, "bob")
    look = provider(hub.url).look()
    asked = look.pulls("aaa")[0]
    assert ("bob",) == counted(look.reviews(asked), asked).blocking


# -- people ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permission", "role", "may"),
    [
        ("admin", "", True),
        ("write", "", True),
        ("write", "maintain", True),
        ("write", "custom-releasers", True),
        ("read", "", False),
        ("read", "triage", False),
        ("none", "", False),
    ],
)
def test_who_may_write(hub: Hub, permission: str, role: str, may: bool) -> None:
    """By the permission, which says `write` for maintainers and `read` for triage."""
    hub.user("bob", permission=permission, role=role)
    assert may == provider(hub.url).look().may_write(person(hub, "bob"))


def test_an_account_that_is_not_there_may_not_write(hub: Hub) -> None:
    """404."""
    assert not provider(hub.url).look().may_write(Person(1, "no body/?"))


@pytest.mark.parametrize(("state", "is_member"), [("active", True), ("pending", False), (None, False)])
def test_who_is_in_a_team(hub: Hub, state: str | None, is_member: bool) -> None:
    """Whoever is only invited is not in it yet."""
    hub.member(TEAM, "zoe")
    hub.user("bob")
    if state is not None:
        hub.member(TEAM, "bob", state)
    look = provider(hub.url).look()
    assert is_member == look.is_member(TEAM, person(hub, "bob"))
    assert look.sees(TEAM)


def test_a_team_that_the_token_cannot_see(hub: Hub) -> None:
    """Nobody is in it, and that can be told from an empty one."""
    hub.member(TEAM, "bob")
    hub.hidden_teams.add(TEAM)
    look = provider(hub.url).look()
    assert (False, False) == (look.is_member(TEAM, person(hub, "bob")), look.sees(TEAM))


@pytest.mark.parametrize("team", ["senior", "octo/", "octo/a/b"])
def test_what_is_no_team(hub: Hub, team: str) -> None:
    """A wrong setting is named as one."""
    with pytest.raises(UsageError, match="is no team"):
        provider(hub.url).look().sees(team)


def test_who_wrote_the_commits(hub: Hub) -> None:
    """Authors, and those who are named beside them by an address that tells the account."""
    pull = hub.pull(7, "a1")
    hub.push(pull, "a2", "bob")
    pull.commits[-1] = ("a2", "bob", "More\n\nCo-authored-by: Eve <4242+eve@users.noreply.github.com>\n")
    look = provider(hub.url).look()
    assert {hub.users["ann"].id, hub.users["bob"].id, 4242} == set(look.authors(look.pulls("a2")[0]))


def test_a_commit_of_nobody_that_is_known(hub: Hub) -> None:
    """It could be anybody's, also one of those who approved."""
    pull = hub.pull(7, "a1")
    pull.commits.append(("a2", None, "From another machine"))
    look = provider(hub.url).look()
    with pytest.raises(NotTold, match="does not know whose commit a2 is"):
        look.authors(look.pulls("a1")[0])


def test_more_commits_than_are_told(hub: Hub) -> None:
    """Of 300, GitHub tells 250: then not all authors are known."""
    pull = hub.pull(7, "a0")
    pull.commits += [(f"a{number}", "bob", "More") for number in range(1, 300)]
    look = provider(hub.url).look()
    with pytest.raises(NotTold, match="not all authors are told"):
        look.authors(look.pulls("a0")[0])


# -- continuous integration ------------------------------------------------------------------------------------------


def test_statuses_and_checks_are_one_list(hub: Hub) -> None:
    """The latest of each; what has a conclusion that nobody knows is unknown."""
    hub.status("aaa", "ci/build", "pending")
    hub.status("aaa", "ci/build")
    hub.status("aaa", "ci/odd", "expected")
    hub.check("aaa", "tests", "failure")
    hub.check("aaa", "tests")
    hub.check("aaa", "lint", "neutral")
    hub.check("aaa", "docs", "skipped")
    hub.check("aaa", "slow", None, status="in_progress")
    hub.check("aaa", "queued", None, status="waiting")
    hub.check("aaa", "empty", None)
    hub.check("aaa", "new", "brilliant")
    hub.check("aaa", "late", "timed_out")
    assert [
        CheckState("ci/build", "green", "success"),
        CheckState("ci/odd", "unknown", "expected"),
        CheckState("tests", "green", "success"),
        CheckState("lint", "skipped", "neutral"),
        CheckState("docs", "skipped", "skipped"),
        CheckState("slow", "pending", "in_progress"),
        CheckState("queued", "pending", "waiting"),
        CheckState("empty", "unknown", "no conclusion"),
        CheckState("new", "unknown", "brilliant"),
        CheckState("late", "red", "timed_out"),
    ] == list(provider(hub.url).look().checks("aaa"))


def test_no_status_at_all_is_nothing(hub: Hub) -> None:
    """GitHub calls that `pending`, and would for ever."""
    hub.commit("aaa")
    assert [] == list(provider(hub.url).look().checks("aaa"))


def test_many_checks_are_all_read(hub: Hub) -> None:
    """The red one is on the second page, of both."""
    for number in range(110):
        hub.status("aaa", f"s{number}", "success" if number < 109 else "error")
        hub.check("aaa", f"c{number}", "success" if number < 109 else "cancelled")
    found = provider(hub.url).look().checks("aaa")
    assert (220, ["s109", "c109"]) == (len(found), [each.name for each in found if each.state == "red"])


@pytest.mark.parametrize(
    "odd", [[{}], [{"number": "x"}], [1], [{"number": 7, "title": "", "user": 5, "merged_at": None, "state": "open"}]]
)
def test_another_shape_is_no_answer(odd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named as what it is; never understood as no pull request."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    with answering(lambda _: odd) as lab, pytest.raises(Unreachable, match="something else than pull requests"):
        provider(lab.url).look().pulls("aaa")


# -- settings --------------------------------------------------------------------------------------------------------


def test_without_a_token_nothing_is_asked(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said by the name of the variable."""
    for value in (None, " "):
        monkeypatch.delenv("GITHUB_TOKEN") if value is None else monkeypatch.setenv("GITHUB_TOKEN", value)
        with pytest.raises(NotTold, match="GITHUB_TOKEN is not set"):
            provider(hub.url).look()
    assert [] == hub.asked


@pytest.mark.parametrize("url", ["git@github.com:octo/library.git", "https://github.com/octo/library"])
def test_the_repository_is_that_of_origin(tmp_path: Path, url: str) -> None:
    """Where nothing is said, and `origin` is at GitHub."""
    remote(tmp_path, url)
    assert "octo/library" == provider("https://api.github.com", tmp_path, repository=None).repository
    with pytest.raises(UsageError, match=r"no repository at github\.example"):
        _ = provider("https://github.example/api/v3", tmp_path, repository=None).repository


@pytest.mark.parametrize("url", [None, "git@gitlab.com:octo/library.git", "/srv/git/library.git"])
def test_an_origin_that_says_nothing(tmp_path: Path, url: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong configuration: which repository is not guessed."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    remote(tmp_path, url)
    with pytest.raises(UsageError, match=r"reviews\.repository"):
        provider("https://api.github.com", tmp_path, repository=None).look()


def remote(folder: Path, url: str | None) -> None:
    subprocess.run(["git", "init", "-q", folder], check=True)
    if url is not None:
        subprocess.run(["git", "-C", folder, "remote", "add", "origin", url], check=True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "http://github.example/api/v3"}, "https is needed"),
        ({"repository": "library"}, "does not match"),
        ({"repository": "octo/library.git"}, "without .git"),
        ({"token_from": "ghp_s3cr3t!"}, "never the secret itself"),
        ({"within": "20s"}, "above 9"),
        ({"user": "ann"}, "unknown key"),
    ],
)
def test_wrong_settings_are_refused(given: dict[str, Any], said: str) -> None:
    """A token travels encrypted, and its value stands nowhere."""
    mistakes: list[str] = []
    assert check(GitHubSettings, given, "it", mistakes) is None
    assert said in "; ".join(mistakes)
    assert "s3cr3t" not in "; ".join(mistakes)


def test_it_may_stand_below_deploy_for_all_environments(hub: Hub, tmp_path: Path) -> None:
    """What an environment says itself goes before; the doctor looks at it."""
    general = {"kind": "github", "repository": "octo/library", "url": hub.url}
    own = {"kind": "github", "repository": "octo/books", "url": hub.url}
    fleet = {"kind": "local", "colors": {"blue": "127.0.0.1:1", "green": "127.0.0.1:2"}, "start": "true"}
    needed = {"traffic": {"kind": "envoy"}, "metrics": {"kind": "envoy"}, "fleet": fleet}
    config = {
        "application": "library",
        "reviews": general,
        "environments": {"staging": needed, "production": {**needed, "reviews": own}},
    }
    for name, repository in (("staging", "octo/library"), ("production", "octo/books")):
        settings = load(config, name)
        site = Site("library", name, tmp_path, tmp_path, None, "ann@desk", settings.sections)
        reviews = World(settings, site).reviews
        assert isinstance(reviews, GitHub)
        assert repository == reviews.repository
        said = {each["subject"]: each["state"] for each in answers.doctor(World(settings, site))["findings"]}
        assert ("ok" if name == "staging" else "fail") == said["reviews: github"]


# -- doctor ----------------------------------------------------------------------------------------------------------


def found(of: GitHub) -> dict[str, tuple[str, str, str]]:
    return {each.subject.removeprefix("reviews: "): each[1:] for each in of.diagnose()}


def test_doctor_finds_all_well(hub: Hub) -> None:
    """The repository, each permission, each team that gates name."""
    hub.member(TEAM, "bob")
    gates = Gates(senior_team=TEAM, database_team=TEAM)
    said = found(provider(hub.url, sections={"gates": gates}))
    assert ["github", "pull requests", "statuses and checks", f"team {TEAM}"] == list(said)
    assert {"ok"} == {state for state, _, _ in said.values()}
    assert "octo/library, whose default branch is main" == said["github"][1]


def test_doctor_names_what_is_missing(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each permission, by its name; a team that is not seen; a repository that is called otherwise now."""
    hub.rename("octo/books")
    monkeypatch.setenv("GITHUB_TOKEN", hub.may(metadata="read", statuses="read", members="read"))
    said = found(provider(hub.url, sections={"gates": Gates(senior_team="octo/gone")}))
    assert ("warn", "octo/library is called octo/books now") == said["github"][:2]
    assert ("fail", "give it pull_requests=read") == (said["pull requests"][0], said["pull requests"][2])
    assert ("fail", "give it checks=read") == (said["statuses and checks"][0], said["statuses and checks"][2])
    assert ("fail", "there is no such team, or the token may not see it") == said["team octo/gone"][:2]


def test_doctor_of_a_github_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """One finding, which says why."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    assert ["fail"] == [each.state for each in provider("http://127.0.0.1:9", within=0.3).diagnose()]
    monkeypatch.delenv("GITHUB_TOKEN")
    (finding,) = provider("http://127.0.0.1:9").diagnose()
    assert ("fail", True) == (finding.state, "GITHUB_TOKEN is not set" in finding.detail)
