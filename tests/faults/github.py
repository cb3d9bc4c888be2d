"""GitHub's reviews and checks, and its deployments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

from lab.github import github
from lab.news import bulletin

from deploytasks.providers.github import GitHub, limits
from deploytasks.providers.github.deployments import Deployments
from deploytasks.settings.github import GitHubMarkerSettings, GitHubSettings
from faults import Lab, Place, Subject, sent

COMMIT = "a" * 40
NUMBERS = count(1)


@contextmanager
def _lab() -> Iterator[Lab]:
    with github() as hub, patch.object(limits, "APART", 0.0):  # seconds between two writes
        pull = hub.pull(7, "aaa", title="Lend books")
        hub.approve(pull, "bob")
        hub.check("aaa", "tests")
        hub.commit(COMMIT)
        yield Lab(hub.url, {"GITHUB_TOKEN": hub.token}, hub.broken)


def _reviews(place: Place) -> GitHub:
    said = {"repository": "octo/library", "url": place.url, **place.access}
    return GitHub(GitHubSettings.model_validate(said), place.site)


def _look(at: GitHub) -> Any:
    look = at.look()
    verdicts = [each.verdict for pull in look.pulls("aaa") for each in look.reviews(pull)]
    return verdicts, [each.name for each in look.checks("aaa")]


def _markers(place: Place) -> Deployments:
    said = {"repository": "octo/library", "url": place.url, **place.access}
    return Deployments(GitHubMarkerSettings.model_validate(said), place.site, lambda seconds: None)


def _mark(to: Deployments) -> Any:
    about = bulletin("started", number=3, commit=COMMIT, deployment=f"20261123-101500-{next(NUMBERS):06x}")
    return sent(to, about)


SUBJECTS = (
    Subject("github", "reviews", _lab, _reviews, _look, lambda found: found in ((["approved"], ["tests"]), ([], []))),
    Subject("github", "markers", _lab, _markers, _mark, lambda found: isinstance(found, dict)),
)
