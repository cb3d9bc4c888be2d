"""Infrastructure as code: unchanged, or reviewed like any change, or signed for. Real git, and a GitHub over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from checklist.release_of import Project
from lab.answering import answering, page
from lab.github import GitHub as Hub, github

from deploytasks.checklist import item_of
from deploytasks.checklist.item import Item
from deploytasks.providers.github import GitHub
from deploytasks.settings.gates import Gates
from deploytasks.settings.github import GitHubSettings

PATTERNS = ("terraform/**", "ansible/*.yml")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with github() as found:
        monkeypatch.setenv("GITHUB_TOKEN", found.token)
        yield found
        assert [] == found.broken


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Its first commit is live; it has infrastructure."""
    made = Project(tmp_path)
    made.commit({"terraform/vpc/main.tf": "1", "ansible/web.yml": "1", "app.py": "1"})
    made.goes_live()
    configure(made)
    return made


def configure(project: Project, url: str | None = None, **gates: Any) -> None:
    made = Gates(**{"level": "production", "infrastructure": PATTERNS, **gates})
    sections = {**project.world.settings.sections, "gates": made}
    project.world.settings = replace(project.world.settings, sections=sections)
    if url is not None:
        settings = GitHubSettings(repository="octo/library", url=url, within=5)
        ports: Any = project.world._ports
        ports.sections["reviews"] = GitHub(settings, project.world.site)


def looked(project: Project, *, dirty: bool = False) -> tuple[str, str]:
    """Answer and evidence."""
    item = item_of("infrastructure.reviewed")
    assert isinstance(item, Item)
    return item.look(project.subject(dirty=dirty))[:2]


def test_nothing_of_it_changed(project: Project) -> None:
    """Other files may, also where their names begin alike, and folders below a pattern without stars."""
    project.commit({"app.py": "2", "terraform.md": "2", "ansible/roles/web.yml": "2", "docs/terraform/a.tf": "2"})
    assert ("pass", "its files are those of 1.0.0, which is live") == looked(project)


def test_without_reviews_a_person_signs(project: Project) -> None:
    """What changed is named, up to three files."""
    project.commit({f"terraform/{number}.tf": "2" for number in range(5)})
    answer, told = looked(project)
    assert "needs a signature" == answer
    assert told.startswith("terraform/0.tf, terraform/1.tf, terraform/2.tf, 2 more changed, and no `reviews:` section")
    assert told.endswith("was the infrastructure reviewed?")


def test_a_file_that_is_gone_or_renamed_is_a_change(project: Project) -> None:
    """So is one that went back and forth within other releases: what counts is the difference to the live one."""
    project.git("mv", "ansible/web.yml", "elsewhere.yml")
    project.commit()
    assert "ansible/web.yml changed" in looked(project)[1]
    project.git("mv", "elsewhere.yml", "ansible/web.yml")
    project.commit()
    assert "pass" == looked(project)[0]


def test_the_reviews_of_what_changed_it_cover_it(project: Project, hub: Hub) -> None:
    """Each commit that changed something came by a pull request that two approved; the last commit need not."""
    configure(project, hub.url)
    for number, path in ((7, "terraform/a.tf"), (8, "ansible/web.yml")):
        pull = hub.pull(number, project.commit({path: "2"}))
        for who in ("bob", "eve"):
            hub.approve(pull, who)
        hub.merge(pull)
    project.commit({"app.py": "2"})
    told = "ansible/web.yml, terraform/a.tf changed by #8 into main, #7 into main, approved by 2 or more"
    assert ("pass", told) == looked(project)


def test_one_that_was_not_approved_needs_a_signature(project: Project, hub: Hub) -> None:
    """One approval is not two; a direct push has none; requested changes outweigh them. A person may know better."""
    configure(project, hub.url)
    pull = hub.pull(7, project.commit({"terraform/a.tf": "2"}))
    hub.approve(pull, "bob")
    hub.merge(pull)
    told = "terraform/a.tf changed by #7 into main, which has 1 of 2 approvals: was the infrastructure reviewed?"
    assert ("needs a signature", told) == looked(project)
    configure(project, approvals=0)
    assert "pass" == looked(project)[0]  # one approval suffices where none is demanded of other changes
    hub.request_changes(pull, "eve")
    assert "needs a signature" == looked(project)[0]


def test_a_direct_push_needs_a_signature(project: Project, hub: Hub) -> None:
    """No pull request brought it."""
    configure(project, hub.url)
    hub.known.add(project.commit({"terraform/a.tf": "2"}))
    assert ("needs a signature", True) == ((found := looked(project))[0], "no pull request brought" in found[1])


def test_reviews_that_do_not_answer(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unreachable; but where nothing changed nobody is asked."""
    monkeypatch.setenv("GITHUB_TOKEN", "t" * 40)
    with answering(lambda asked: page(503, "busy")) as lab:
        configure(project, lab.url)
        assert "pass" == looked(project)[0]
        assert [] == lab.asked
        project.commit({"terraform/a.tf": "2"})
        answer, told = looked(project)
    assert ("fail", True) == (answer, told.startswith("unreachable: "))


def test_what_was_taken_back_is_not_compared_with(project: Project) -> None:
    """The release before it is live again."""
    project.commit({"terraform/a.tf": "2"})
    project.goes_live("1.1.0")
    project.commit({"app.py": "2"})
    assert "pass" == looked(project)[0]
    project.world.note("rolled-back", **{"from": [100, 0, "green", "x"], "to": [0, 100, None, "back:r"]})
    assert ("needs a signature", True) == ((found := looked(project))[0], "terraform/a.tf changed" in found[1])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"infrastructure": ()}, "no `gates.infrastructure` names its files"),
        ({"dirty": True}, "the work tree has changes that no commit has"),
        ({"live": "e" * 40}, "its files cannot be compared with those of 1.1.0 (eeeeeeeeeeee)"),
    ],
)
def test_what_cannot_be_compared_needs_a_signature(project: Project, change: dict[str, Any], why: str) -> None:
    """Nothing configured, no commit, or one that this clone does not have."""
    if "live" in change:
        project.goes_live("1.1.0", change["live"])
    if "infrastructure" in change:
        configure(project, **change)
    answer, told = looked(project, dirty=change.get("dirty", False))
    assert ("needs a signature", True) == (answer, told.startswith(why)), told


def test_before_the_first_release(tmp_path: Path) -> None:
    """There is nothing to compare with."""
    made = Project(tmp_path)
    made.commit({"terraform/a.tf": "1"})
    configure(made)
    assert ("needs a signature", True) == ((found := looked(made))[0], "no live release" in found[1])
