"""GitHub's rules, kept over real HTTP: versions, pages, renamed repositories, limits, refusals."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.answering import Asked, Raw, answering, page, took
from lab.github import GitHub, github

from deploytasks import redaction
from deploytasks.errors import Unreachable
from deploytasks.providers.github import client as client_module
from deploytasks.providers.github.client import Access, Client
from deploytasks.providers.web_service import WebService
from deploytasks.reviews import NotTold
from deploytasks.settings.web_access import WebAccess


class Waits:
    """Instead of sleeping: what was waited for, and what happens meanwhile."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.seconds: list[float] = []
        self._meanwhile = meanwhile

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._meanwhile()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """One that is asked by its rules to the end of the test."""
    with github() as found:
        monkeypatch.setenv("GITHUB_TOKEN", found.token)
        yield found
        assert [] == found.broken


def client(
    url: str, repository: str = "octo/library", *, within: float = 5.0, wait: Callable[[float], None] = time.sleep
) -> Client:
    proof = WebAccess(token_from="GITHUB_TOKEN", within=within)
    return Client(WebService("GitHub", url, proof, Path()), Access(repository, "GITHUB_TOKEN", within), wait)


def name_of(of: Client) -> str:
    return str(of.get("", "the repository")["full_name"])


# -- what every request says -----------------------------------------------------------------------------------------


def test_each_request_says_which_version_it_means(hub: GitHub) -> None:
    """Pinned, with the media type, who asks, and the token as a bearer; the address has no secret in it."""
    assert "octo/library" == name_of(client(hub.url))
    (asked,) = hub.asked
    assert "2022-11-28" == asked.headers["x-github-api-version"]
    assert "application/vnd.github+json" == asked.headers["accept"]
    assert "deploytasks" == asked.headers["user-agent"]
    assert f"Bearer {hub.token}" == asked.headers["authorization"]
    assert "/repos/octo/library" == asked.path
    assert f"say {'***'}" == redaction.clean(f"say {hub.token}")


@pytest.mark.parametrize("header", ["accept", "x-github-api-version", "user-agent"])
def test_the_lab_insists_on_its_contract(hub: GitHub, header: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever forgets one of these is refused by the server of these tests, too."""
    headers = {name: value for name, value in client_module.HEADERS.items() if name.lower() != header}
    monkeypatch.setattr(client_module, "HEADERS", headers)
    with pytest.raises(NotTold):
        name_of(client(hub.url))
    assert len(hub.broken) == 1
    hub.broken.clear()


def test_an_enterprise_server_has_a_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """`https://HOST/api/v3`; its pages lead below the same prefix, and it says nothing of limits."""
    with github(prefix="/api/v3") as hub:
        monkeypatch.setenv("GITHUB_TOKEN", hub.token)
        pull = hub.pull(7, "aaa")
        for number in range(150):
            hub.approve(pull, f"user-{number}")
        assert 150 == len(client(hub.url).pages("/pulls/7/reviews", "the reviews"))
        assert ["/api/v3/repos/octo/library/pulls/7/reviews", "/api/v3/repositories/4217/pulls/7/reviews"] == [
            asked.path for asked in hub.asked
        ]
        assert [] == hub.broken


# -- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (100, 1), (101, 2), (250, 3)])
def test_all_pages_are_read(hub: GitHub, count: int, requests: int) -> None:
    """By their links, a hundred at a time, in order."""
    pull = hub.pull(7, "aaa")
    given = [hub.approve(pull, f"user-{number}").id for number in range(count)]
    found = client(hub.url).pages("/pulls/7/reviews", "the reviews")
    assert given == [entry["id"] for entry in found]
    assert requests == len(hub.asked)
    assert all(asked.query["per_page"] == ["100"] for asked in hub.asked)


def test_pages_that_never_end_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bounded number of requests belongs to one look."""
    monkeypatch.setattr(client_module, "MOST", 5)
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    with answering(lambda asked: _next_page(asked, lab.url)) as lab:
        with pytest.raises(NotTold, match="more than 5 requests"):
            client(lab.url).pages("/x", "things")
        assert 5 == len(lab.asked)


def _next_page(asked: Asked, url: str) -> Raw:
    return page(200, "[1]", "application/json", Link=f'<{url}{asked.path}?page=2>; rel="next"')


@pytest.mark.parametrize("elsewhere", ["https://evil.example/repos/octo/library/x", "http://127.0.0.1:1/x"])
def test_the_token_goes_nowhere_else(elsewhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link or a redirect to another place is not followed."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    linked = page(200, "[1]", "application/json", Link=f'<{elsewhere}>; rel="next"')
    with answering(lambda _: linked) as lab, pytest.raises(Unreachable, match="next page is elsewhere"):
        client(lab.url).pages("/x", "things")
    led = page(301, "{}", "application/json", Location=elsewhere)
    with answering(lambda _: led) as lab, pytest.raises(Unreachable, match="it leads to"):
        client(lab.url).get("/x", "things")


def test_fewer_than_it_says_there_are_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that was not told could be the red one."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    found = {"total_count": 3, "check_runs": [{}]}
    with answering(lambda _: found) as lab, pytest.raises(NotTold, match="1 of 3 entries of the checks"):
        client(lab.url).pages("/x", "the checks", "check_runs")


@pytest.mark.parametrize("odd", [{"a": 1}, "text", 5, None])
def test_something_else_than_a_list(odd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another server may answer there."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    with answering(lambda _: odd) as lab, pytest.raises(Unreachable, match="something else than the reviews"):
        client(lab.url).pages("/x", "the reviews")


# -- a repository that was renamed -----------------------------------------------------------------------------------


def test_a_renamed_repository_is_followed(hub: GitHub) -> None:
    """Its old name leads to its number; questions with a query keep it."""
    hub.pull(7, "aaa")
    hub.rename("octo/books")
    assert "octo/books" == name_of(client(hub.url))
    assert [] == client(hub.url).pages("/pulls/7/reviews", "the reviews")
    assert ["100"] == hub.asked[-1].query["per_page"]
    assert "/repositories/4217/pulls/7/reviews" == hub.asked[-1].path


def test_redirects_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that leads to itself does not keep us."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    with answering(lambda asked: page(302, "", Location=f"{lab.url}{asked.path}")) as lab:
        with pytest.raises(Unreachable, match="302"):
            client(lab.url).get("/x", "things")
        assert 3 == len(lab.asked)


# -- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 429])
def test_it_waits_as_long_as_it_is_told(hub: GitHub, status: int) -> None:
    """`Retry-After`, if there is so much time; then the same question again."""
    hub.slow_down(after=2, status=status)
    waits = Waits()
    assert "octo/library" == name_of(client(hub.url, wait=waits))
    assert [2.0] == waits.seconds
    assert 2 == len(hub.asked)


def test_it_waits_until_the_limit_is_reset(hub: GitHub) -> None:
    """The primary limit says when; a second on top, for its clock has whole ones."""
    hub.exhaust(reset=int(time.time()) + 3)
    waits = Waits(hub.refill)
    assert "octo/library" == name_of(client(hub.url, within=9, wait=waits))
    (seconds,) = waits.seconds
    assert 2 < seconds <= 4.1


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (lambda hub: hub.slow_down(after=60), "secondary rate limit"),
        (lambda hub: hub.slow_down(), "secondary rate limit"),
        (lambda hub: hub.slow_down(status=429), "secondary rate limit"),
        (lambda hub: hub.exhaust(reset=int(time.time()) + 1800), "API rate limit exceeded"),
    ],
    ids=["retry-after", "no-header", "429", "primary"],
)
def test_a_wait_that_is_too_long_is_said_at_once(hub: GitHub, trouble: Callable[[GitHub], None], said: str) -> None:
    """With the time at which to try again; nobody is kept, and nothing more is asked."""
    trouble(hub)
    waits = Waits()
    with pytest.raises(Unreachable, match=said) as caught:
        name_of(client(hub.url, wait=waits))
    assert caught.value.do.startswith("try again after ")
    assert not isinstance(caught.value, NotTold)
    assert ([], 1) == (waits.seconds, len(hub.asked))


def test_a_missing_permission_is_not_asked_for_again(hub: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 403 that speaks of no limit: said once, with the permission that is missing."""
    monkeypatch.setenv("GITHUB_TOKEN", hub.may(metadata="read"))
    hub.pull(7, "aaa")
    waits = Waits()
    with pytest.raises(NotTold, match="may not ask for the reviews of #7") as caught:
        client(hub.url, wait=waits).pages("/pulls/7/reviews", "the reviews of #7")
    assert "give it pull_requests=read" == caught.value.do
    assert ([], 1) == (waits.seconds, len(hub.asked))


def test_trouble_of_its_own_is_tried_again(hub: GitHub) -> None:
    """Twice, shortly after; then it is said."""
    hub.fail(502, times=2)
    waits = Waits()
    assert "octo/library" == name_of(client(hub.url, wait=waits))
    assert [0.5, 1.0] == waits.seconds
    hub.fail(503)
    with pytest.raises(Unreachable, match="503"):
        name_of(client(hub.url, wait=waits))
    assert 6 == len(hub.asked)


def test_nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection is tried again twice, and then it is unreachable."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    waits = Waits()
    with pytest.raises(Unreachable, match="refused"):
        name_of(client("http://127.0.0.1:9", wait=waits))
    assert [0.5, 0.5] == waits.seconds


def test_one_deadline_holds_for_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is silent, however many questions there would be."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    with answering(lambda _: Raw(hang=True)) as lab:
        of = client(lab.url, within=0.4)

        def thrice() -> None:
            for _ in range(3):
                with pytest.raises(Unreachable, match="no whole answer"):
                    name_of(of)

        assert took(thrice) < 1.5
        assert 1 == len(lab.asked)


# -- refusals --------------------------------------------------------------------------------------------------------


def test_a_token_that_does_not_count(hub: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of its variable, never by its value."""
    monkeypatch.setenv("GITHUB_TOKEN", "s3cr3t-t0ken-of-old")
    with pytest.raises(NotTold, match=r"does not take the token in GITHUB_TOKEN \(401: Bad credentials") as caught:
        name_of(client(hub.url))
    assert "s3cr3t" not in str(caught.value)


def test_what_a_token_may_not_see_is_not_there(hub: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """404 for both: the message says so."""
    monkeypatch.setenv("GITHUB_TOKEN", hub.may())
    with pytest.raises(NotTold, match="does not show the repository") as caught:
        name_of(client(hub.url))
    assert "GitHub says the same to who may not" in caught.value.do


def test_single_sign_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that the organization has not let in yet; the address in the header is not repeated."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    said = '{"message": "Resource protected by organization SAML enforcement."}'
    sso = {"X_GitHub_SSO": "required; url=https://github.example/orgs/octo/sso?authorization_request=AB12"}
    with answering(lambda _: page(403, said, "application/json", **sso)) as lab, pytest.raises(NotTold) as caught:
        name_of(client(lab.url))
    assert "single sign-on" in caught.value.do
    assert "AB12" not in str(caught.value)


# -- writing ---------------------------------------------------------------------------------------------------------


def test_what_is_written_is_sent_once(hub: GitHub) -> None:
    """A release: JSON goes, JSON comes."""
    hub.tags["v1.2.0"] = "aaa"
    status, made = client(hub.url).post("/releases", "the release", {"tag_name": "v1.2.0", "name": "Books"})
    assert (201, "Books") == (status, made["name"])
    assert {"tag_name": "v1.2.0", "name": "Books"} == json.loads(hub.asked[0].body)
    with pytest.raises(NotTold, match="Validation Failed: tag_name already_exists"):
        client(hub.url).post("/releases", "the release", {"tag_name": "v1.2.0"})


def test_a_write_that_may_have_happened_is_not_made_again(hub: GitHub) -> None:
    """After trouble on the other side nobody knows; after a limit it was refused for sure."""
    hub.tags["v1.2.0"] = "aaa"
    hub.fail(502, times=1)
    with pytest.raises(Unreachable, match="502"):
        client(hub.url, wait=Waits()).post("/releases", "the release", {"tag_name": "v1.2.0"})
    assert 1 == len(hub.asked)
    hub.slow_down(after=1)
    assert 201 == client(hub.url, wait=Waits()).post("/releases", "the release", {"tag_name": "v1.2.0"})[0]


def test_the_traps_of_deployments_are_there(hub: GitHub) -> None:
    """202: merged, and nothing made. 409: a context is not green. With both defaults set aside: 201."""
    hub.behind.add("topic")
    status, said = client(hub.url).post("/deployments", "the deployment", {"ref": "topic"})
    assert (202, "Auto-merged main into topic on deployment.") == (status, said["message"])
    assert [] == hub.deployments
    hub.status("topic", "ci", "pending")
    with pytest.raises(NotTold, match="409: Conflict"):
        client(hub.url).post("/deployments", "the deployment", {"ref": "topic"})
    plain = {"ref": "topic", "auto_merge": False, "required_contexts": []}
    status, made = client(hub.url).post("/deployments", "the deployment", plain)
    assert 201 == status
    states = f"/deployments/{made['id']}/statuses"
    assert 201 == client(hub.url).post(states, "its state", {"state": "in_progress"})[0]
    with pytest.raises(NotTold, match="422"):
        client(hub.url).post(states, "its state", {"state": "done"})


def test_a_release_makes_a_tag_that_nobody_pushed(hub: GitHub) -> None:
    """The trap of releases, which the lab has as well."""
    client(hub.url).post("/releases", "the release", {"tag_name": "v9"})
    assert {"v9": "main"} == hub.invented_tags
