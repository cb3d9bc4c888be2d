"""Which CI it is, from its variables alone; and an address in which there is no secret."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from deploytasks.ci import Run, detected

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "octo/library",
    "GITHUB_RUN_ID": "4711",
    "GITHUB_RUN_ATTEMPT": "1",
    "CI": "true",
}
AT_GITHUB = "https://github.com/octo/library/actions/runs/4711"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({"CI": ""}, None),
        ({"CI": "false"}, None),
        ({"CI": "true"}, Run("other", "")),
        ({"GITHUB_ACTIONS": "false", "GITHUB_RUN_ID": "1"}, None),
        (GITHUB, Run("github", AT_GITHUB)),
        (GITHUB | {"GITHUB_RUN_ATTEMPT": "3"}, Run("github", f"{AT_GITHUB}/attempts/3")),
        (GITHUB | {"GITHUB_RUN_ID": ""}, Run("github", "")),
        (GITHUB | {"GITHUB_SERVER_URL": "https://ghe.example:8443"},
         Run("github", "https://ghe.example:8443/octo/library/actions/runs/4711")),
        ({"GITLAB_CI": "true", "CI_JOB_URL": "https://gitlab.example/octo/library/-/jobs/7"},
         Run("gitlab", "https://gitlab.example/octo/library/-/jobs/7")),
        ({"GITLAB_CI": "true", "CI_PIPELINE_URL": "https://gitlab.example/octo/library/-/pipelines/7"},
         Run("gitlab", "https://gitlab.example/octo/library/-/pipelines/7")),
        ({"GITLAB_CI": "true"}, Run("gitlab", "")),
        ({"BUILD_URL": "https://jenkins.example/job/library/7/"},
         Run("other", "https://jenkins.example/job/library/7/")),
        ({"CI": "1", "CIRCLE_BUILD_URL": "https://circleci.com/gh/octo/library/7"},
         Run("other", "https://circleci.com/gh/octo/library/7")),
    ],
)  # fmt: skip
def test_which_one_it_is(variables: Mapping[str, str], expected: Run | None) -> None:
    """GitHub, GitLab, another one with or without an address, or none."""
    assert expected == detected(variables)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://ann:s3cr3t@ci.example/7", "https://ci.example/7"),
        ("https://s3cr3t@ci.example/7", "https://ci.example/7"),
        ("https://ci.example/7?token=s3cr3t#s3cr3t", "https://ci.example/7"),
        ("javascript:alert(1)", ""),
        ("https://ci.example/7\n::error::s3cr3t", ""),
        ("https://ci.example/<b>", ""),
        ("https://[::1", ""),
        ("https://[::1]:80/7", "https://[::1]:80/7"),
        (f"https://ci.example/{'x' * 600}", ""),
    ],
)
def test_what_could_be_a_secret_is_left_out(given: str, expected: str) -> None:
    """Neither a user nor a query, and nothing that is no plain address."""
    found = detected({"CI": "true", "BUILD_URL": given})
    assert Run("other", expected) == found
