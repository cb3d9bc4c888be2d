"""The workflows in docs/ci are valid, their commands exist, and they keep to what docs/ci.md says of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from docs.test_commands import parsed
from pages import ROOT, links, table

from deploytasks.errors import EXIT_CODES

PAGE = ROOT / "docs" / "ci.md"
GITHUB = tuple(sorted((ROOT / "docs" / "ci" / "github").glob("*.yml")))
GITLAB = ROOT / "docs" / "ci" / "gitlab" / "gitlab-ci.yml"
ENVIRONMENTS = {"staging", "production"}


class Line(NamedTuple):
    """One line of a script."""

    file: str
    text: str


def loaded(file: Path) -> dict[str, Any]:
    """A workflow. YAML takes ``on`` for true, which GitHub does not."""
    found: dict[Any, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {("on" if key is True else str(key)): value for key, value in found.items()}


def jobs(file: Path) -> Mapping[str, dict[str, Any]]:
    """By name."""
    found: dict[str, dict[str, Any]] = loaded(file)["jobs"]
    return found


def steps() -> list[tuple[str, dict[str, Any]]]:
    """Of all workflows for GitHub, each with the name of its file."""
    return [(file.name, step) for file in GITHUB for job in jobs(file).values() for step in job.get("steps", ())]


def pipeline() -> dict[str, dict[str, Any]]:
    """The jobs for GitLab."""
    found = loaded(GITLAB)
    return {name: job for name, job in found.items() if isinstance(job, dict) and "script" in job}


def lines() -> Iterator[Line]:
    """All lines of all scripts."""
    for name, step in steps():
        for line in str(step.get("run", "")).splitlines():
            yield Line(name, line.strip())
    for job in pipeline().values():
        for line in (*job["script"], *job.get("after_script", ())):
            yield Line(GITLAB.name, line)


def commands() -> list[Line]:
    """What `inv` is given in them, with an environment in the place of a variable."""
    found = []
    for line in lines():
        for text in re.findall(r"(?<![\w.-])inv (.*?)(?= \|\| | \| | > |\s#|;|$)", line.text):
            plain = re.sub(r'"\$ENVIRONMENT"', "staging", text)
            found.append(Line(line.file, re.sub(r'"\$\{?REASON[^"]*"', "why", plain)))
    return sorted(set(found))


# -- both ------------------------------------------------------------------------------------------------------------


def validated(schema: str, *files: Path, more: tuple[str, ...] = ()) -> str:
    """What a published schema, as check-jsonschema brings it, has to say; empty when all is well."""
    run = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *more, *map(str, files)]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_github_takes_them() -> None:
    """By the schema that SchemaStore has."""
    assert "" == validated("vendor.github-workflows", *GITHUB)


def test_gitlab_takes_it() -> None:
    """By the schema that GitLab publishes."""
    assert "" == validated("vendor.gitlab-ci", GITLAB, more=("--data-transform", "gitlab-ci"))


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    """Expressions, contexts, shells: where it is at hand."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for file in GITHUB:
        shutil.copy(file, folder)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    done = subprocess.run(["actionlint", "-no-color"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "" == done.stdout + done.stderr


def test_a_mistake_would_be_found(tmp_path: Path) -> None:
    """The schema is looked at at all."""
    wrong = tmp_path / "deploy.yml"
    wrong.write_text(GITHUB[0].read_text().replace("runs-on", "runs-onn"))
    assert "runs-onn" in validated("vendor.github-workflows", wrong)


def test_there_are_commands() -> None:
    """In each file that has scripts."""
    found = commands()
    assert {"deploy-to.yml", "rollback.yml", "nightly.yml", "gitlab-ci.yml"} == {each.file for each in found}
    assert {"deploy", "rollback", "retire", "prune", "history", "report", "status", "notify-deployment", "doctor"} == {
        each.text.split()[0] for each in found
    }


@pytest.mark.parametrize("command", commands(), ids=lambda one: f"{one.file}: inv {one.text}")
def test_inv_understands_it(command: Line) -> None:
    """Tasks and options exist as they are written; each names its environment, and what needs consent has it."""
    ((name, arguments),) = parsed(command.text)
    assert arguments["env"] in ENVIRONMENTS
    assert name not in ("deploy", "rollback", "retire", "prune") or arguments["yes"] is True
    assert name != "rollback" or arguments["reason"]


def test_nothing_that_somebody_typed_is_part_of_a_script() -> None:
    """An input in a script would be run by its shell."""
    assert [] == [line for line in lines() if "${{" in line.text]


def test_the_page_leads_to_all_of_them() -> None:
    """And none is forgotten."""
    named = {(PAGE.parent / link).resolve() for link in links(PAGE)}
    assert {*GITHUB, GITLAB} <= named


def test_exit_codes_are_explained() -> None:
    """All of them, in order."""
    told = [int(code) for line in table(PAGE, "code", "in a job", "do") for code in line[0].split(", ")]
    assert list(EXIT_CODES) == told


# -- GitHub ----------------------------------------------------------------------------------------------------------


def test_actions_are_pinned() -> None:
    """By a commit, with its version beside it, the same everywhere."""
    used = {
        line.strip().removeprefix("- ")
        for file in GITHUB
        for line in file.read_text().splitlines()
        if re.match(r"\s*(- )?uses:", line)
    }
    foreign = {line for line in used if "uses: ./" not in line}
    assert all(re.fullmatch(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line) for line in foreign)
    assert len({line.partition("@")[0] for line in foreign}) == len(foreign) > 2


def test_no_deployment_is_cancelled_by_the_next_one() -> None:
    """One after the other in each environment; and what rolls back waits for none of them."""
    groups = {}
    for file in GITHUB:
        for job in jobs(file).values():
            if "steps" in job:
                groups[file.stem] = job["concurrency"]
    assert {False} == {group["cancel-in-progress"] for group in groups.values()}
    assert {
        "deploy-to": "deploy-${{ inputs.environment }}",
        "nightly": "deploy-${{ matrix.environment }}",
        "rollback": "rollback-${{ inputs.environment }}",
    } == {name: group["group"] for name, group in groups.items()}


def test_production_comes_after_staging_and_a_person() -> None:
    """Its environment is the one with reviewers; the way back has one without."""
    deploy = jobs(ROOT / "docs/ci/github/deploy.yml")
    assert ("staging", "production") == (deploy["production"]["needs"], deploy["production"]["with"]["environment"])
    names = {file.stem: job["environment"]["name"] for file in GITHUB for job in jobs(file).values() if "steps" in job}
    assert {
        "deploy-to": "${{ inputs.environment }}",
        "rollback": "${{ inputs.environment }}-operations",
        "nightly": "${{ matrix.environment }}-operations",
    } == names


def test_a_cancelled_run_reaches_the_deployer() -> None:
    """The runner's signals go to the first process of a step: a shell would keep them for itself."""
    long = [step["run"] for _, step in steps() if re.search(r"inv (deploy|rollback)\b", str(step.get("run", "")))]
    assert len(long) == 2
    assert all(run.strip().splitlines()[-1].startswith("exec inv ") for run in long)


def test_jobs_may_do_what_they_need() -> None:
    """Whoever calls a workflow grants what that asks for; nobody may write code."""
    granted = loaded(ROOT / "docs/ci/github/deploy.yml")["permissions"]
    assert granted == loaded(ROOT / "docs/ci/github/deploy-to.yml")["permissions"]
    for file in GITHUB:
        of = [loaded(file)["permissions"], *(job.get("permissions", {}) for job in jobs(file).values())]
        assert {"id-token", "deployments"} >= {name for each in of for name, how in each.items() if how == "write"}


def test_outputs_that_are_used_exist() -> None:
    """`steps.deploy.outputs.…` is what a deployment tells."""
    told = {name for line in table(PAGE, "of", "outputs") for name in re.findall(r"`(\w+)`", line[1])}
    used = {name for file in GITHUB for name in re.findall(r"steps\.\w+\.outputs\.(\w+)", file.read_text())}
    assert used
    assert used <= told


def test_everybody_says_who_it_is() -> None:
    """By the one who started it; secrets by the names that their variables have."""
    for file in GITHUB:
        for job in jobs(file).values():
            if "steps" not in job:
                continue
            assert "@github" in job["env"]["DEPLOY_WHO"]
            named = {name: re.findall(r"secrets\.(\w+)", str(value)) for name, value in job["env"].items()}
            assert all(found in ([], [name], ["DEPLOY_GITHUB_TOKEN"]) for name, found in named.items())


# -- GitLab ----------------------------------------------------------------------------------------------------------


def test_gitlab_keeps_to_the_same() -> None:
    """Production by a button after staging; one at a time; the way back by a button that waits for nothing."""
    found = pipeline()
    assert {"staging", "production", "rollback", "nightly"} == set(found)
    assert (["staging"], "manual") == (found["production"]["needs"], found["production"]["rules"][0]["when"])
    assert ("staging", "production", "$ENVIRONMENT") == tuple(
        found[name]["resource_group"] for name in ("staging", "production", "nightly")
    )
    assert "resource_group" not in found["rollback"]
    assert ([], "manual") == (found["rollback"]["needs"], found["rollback"]["rules"][0]["when"])
    assert {".deploytasks"} == {job["extends"] for job in found.values()}
    assert loaded(GITLAB)[".deploytasks"]["interruptible"] is False
    assert "none" == loaded(GITLAB)["workflow"]["auto_cancel"]["on_new_commit"]
    assert "$GITLAB_USER_LOGIN@gitlab" == loaded(GITLAB)[".deploytasks"]["variables"]["DEPLOY_WHO"]
