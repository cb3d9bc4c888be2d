"""What ``doctor`` says of the credentials themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import memory
import pytest
from lab.aws import Cloud
from lab.aws.secretsmanager import SecretsManager
from lab.aws.standing import ACCESS_KEY, site_in
from lab.aws.sts import Sts

from deploytasks.operations import answers
from deploytasks.ports import Finding
from deploytasks.providers import open_provider

ROLE = "arn:aws:iam::123456789012:role/deploy"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(Sts({ROLE: ""}), SecretsManager({})) as made:
        yield made


def _found(cloud: Cloud, root: Path, **access: str) -> Finding:
    site = site_in(cloud, root)
    own = site.sections["aws"].model_copy(update=access)
    (found,) = open_provider("aws", own, site._replace(sections={"aws": own})).diagnose()
    assert isinstance(found, Finding)
    return found


def test_as_whom_and_where(cloud: Cloud, tmp_path: Path) -> None:
    """Account, role with the name that auditors see, and region."""
    found = _found(cloud, tmp_path, role_arn=ROLE)
    assert found == Finding("aws", "ok", "account 123456789012, as assumed-role/deploy/ann@laptop, in eu-central-1")


def test_the_root_user(cloud: Cloud, tmp_path: Path) -> None:
    """Nobody should deploy as root."""
    cloud["sts"].sessions[ACCESS_KEY] = "arn:aws:iam::123456789012:root"
    found = _found(cloud, tmp_path)
    assert (found.state, found.detail) == ("warn", "the root user of account 123456789012, in eu-central-1")


def test_credentials_that_have_ended(cloud: Cloud, tmp_path: Path) -> None:
    """The finding has what AWS says, and what to do."""
    cloud.refused_keys[ACCESS_KEY] = "ExpiredToken"
    found = _found(cloud, tmp_path)
    assert (found.subject, found.state) == ("aws", "fail")
    assert found.detail.startswith("AWS did not say who deploys: ExpiredToken")
    assert "aws sso login" in found.do


def test_no_region_is_named(cloud: Cloud, tmp_path: Path) -> None:
    """A finding, not an error."""
    found = _found(cloud, tmp_path, region=None)  # type: ignore[arg-type]
    assert (found.state, found.detail, found.do) == ("fail", "no AWS region is named", "say `aws: {region: …}`")


def test_doctor_asks_where_something_is_in_aws(cloud: Cloud, tmp_path: Path) -> None:
    """One finding about the account and one about the secrets; none, where nothing of AWS is configured."""

    def subjects(**sections: object) -> set[str]:
        world = memory.world(tmp_path, aws={"region": cloud.region, "endpoint": cloud.url}, **sections)
        ports = world._ports.sections  # type: ignore[attr-defined]  # those in memory
        for name in world.settings.sections.keys() & {"aws", "secrets"}:
            ports[name] = open_provider(name, world.settings.sections[name], world.site)
        return {one["subject"] for one in answers.doctor(world)["findings"] if one["state"] == "ok"}  # type: ignore[index]

    assert not subjects() & {"aws", "secrets"}
    assert subjects(secrets={"kind": "aws-secrets-manager", "prefix": "shop/"}) >= {"aws", "secrets"}
