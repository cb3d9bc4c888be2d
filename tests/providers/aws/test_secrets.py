"""Secrets from AWS Secrets Manager, and what is said when they cannot be had."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lab.aws import Cloud
from lab.aws.secretsmanager import Kept, SecretsManager
from lab.aws.standing import site_in

from deploytasks import redaction
from deploytasks.errors import DeployError, Unreachable, UsageError
from deploytasks.providers import vault_of
from deploytasks.providers.aws.secrets import SecretsManager as Ours
from deploytasks.settings.secrets_manager import SecretsManagerSettings
from deploytasks.vault import Vault

URL = "postgresql://shop:pa55-of-nobody@db/shop"
HIDDEN = "hidden-value-of-nobody"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A cloud with a few secrets."""
    kept: dict[str, str | bytes] = {
        "shop/production/db": json.dumps({"url": URL, "port": 5432, "tls": True}),
        "shop/production/PLAIN": HIDDEN,
        "shop/production/bytes": b"\x00\x01hidden",
        "shop/production/other": HIDDEN,
    }
    with Cloud(SecretsManager(kept)) as made:
        yield made


def _ours(cloud: Cloud, root: Path, **given: Any) -> Ours:
    settings = SecretsManagerSettings.model_validate({"kind": "aws-secrets-manager", **given})
    return Ours(settings, site_in(cloud, root))


def _wrong(ours: Ours, name: str) -> DeployError:
    """Why a secret cannot be had; whatever is said shows no value."""
    found = ours.get([name])[name]
    assert isinstance(found, DeployError)
    assert name in found.what
    assert "hidden" not in str(found)
    assert "pa55" not in str(found)
    return found


def test_by_name_key_and_prefix(cloud: Cloud, tmp_path: Path) -> None:
    """A text as a whole, a value in an object, and a number as text; in one request."""
    names = {"DATABASE_URL": "shop/production/db#url", "DATABASE_PORT": {"id": "shop/production/db", "key": "port"}}
    ours = _ours(cloud, tmp_path, prefix="shop/production/", names=names)
    wanted = ["DATABASE_URL", "DATABASE_PORT", "PLAIN", "NOT_THERE"]
    assert ours.get(wanted) == {"DATABASE_URL": URL, "DATABASE_PORT": "5432", "PLAIN": HIDDEN}
    assert cloud.operations() == ["BatchGetSecretValue"]


@pytest.mark.parametrize("end", ["", "-AbCdEf"])
def test_by_arn(cloud: Cloud, tmp_path: Path, end: str) -> None:
    """Whole, or without the six characters at its end."""
    arn = f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/production/PLAIN{end}"
    assert _ours(cloud, tmp_path, names={"A": arn}).get(["A"]) == {"A": HIDDEN}


def test_without_a_prefix_only_what_is_named(cloud: Cloud, tmp_path: Path) -> None:
    """Nobody is asked for anything else."""
    ours = _ours(cloud, tmp_path, names={"A": "shop/production/PLAIN"})
    assert ours.get(["PLAIN"]) == {}
    assert ours.place("PLAIN") == ""
    assert cloud.requests == 0


def test_more_than_a_request_takes(cloud: Cloud, tmp_path: Path) -> None:
    """Twenty at a time, and answers in several pages."""
    cloud["secretsmanager"].kept = {f"s{n}": Kept({"AWSCURRENT": f"value-{n}"}) for n in range(45)}
    cloud["secretsmanager"].page = 15
    ours = _ours(cloud, tmp_path, prefix="s")
    assert ours.get([str(n) for n in range(45)]) == {str(n): f"value-{n}" for n in range(45)}
    assert len(cloud.operations()) == 5


def test_a_version_while_it_is_rotated(cloud: Cloud, tmp_path: Path) -> None:
    """The current one goes on to be handed out; another one is asked for by its label."""
    kept = cloud["secretsmanager"].kept["shop/production/PLAIN"]
    kept.versions["AWSPENDING"] = "the-next-value"
    names = {"NOW": "shop/production/PLAIN", "NEXT": {"id": "shop/production/PLAIN", "stage": "AWSPENDING"}}
    ours = _ours(cloud, tmp_path, names=names)
    assert ours.get(["NOW", "NEXT"]) == {"NOW": HIDDEN, "NEXT": "the-next-value"}
    del kept.versions["AWSPENDING"]
    found = _wrong(ours, "NEXT")
    assert "staging label: AWSPENDING" in found.what
    assert found.exit_code == 2


@pytest.mark.parametrize(
    ("code", "kind", "what", "do"),
    [
        ("InvalidRequestException", UsageError, "marked for deletion", "restore-secret"),
        ("DecryptionFailure", Unreachable, "cannot be decrypted", "kms:Decrypt"),
        ("AccessDeniedException", Unreachable, "may not be read", "secretsmanager:GetSecretValue"),
        ("InternalServiceError", Unreachable, "was not handed out", "few minutes"),
    ],
)
@pytest.mark.parametrize("stage", ["AWSCURRENT", "AWSPENDING"])
def test_one_that_is_not_handed_out(
    cloud: Cloud, tmp_path: Path, code: str, kind: type[DeployError], what: str, do: str, stage: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It is named, with the code and what to do; the others are there all the same."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    cloud["secretsmanager"].kept["shop/production/other"] = Kept({stage: HIDDEN}, refused=code)
    names = {"BAD": {"id": "shop/production/other", "stage": stage}, "GOOD": "shop/production/PLAIN"}
    ours = _ours(cloud, tmp_path, names=names)
    found = _wrong(ours, "BAD")
    assert type(found) is kind
    assert (code in found.what, what in found.what, do in found.do) == (True, True, True)
    assert "shop/production/other" in found.what
    assert ours.get(["BAD", "GOOD"])["GOOD"] == HIDDEN


def test_one_that_is_not_there(cloud: Cloud, tmp_path: Path) -> None:
    """``ResourceNotFoundException`` for a secret that somebody named is a mistake; below the prefix it is no secret."""
    ours = _ours(cloud, tmp_path, prefix="shop/production/", names={"A": "shop/gone#url"})
    found = _wrong(ours, "A")
    assert found.what.startswith("A: the secret shop/gone#url is not there: ResourceNotFoundException")
    assert found.exit_code == 2
    assert ours.get(["B"]) == {}


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("shop/production/bytes", "is binary"),
        ("shop/production/PLAIN#url", "is no JSON object"),
        ("shop/production/db#uri", "has no such key; it has port, tls, url"),
        ("shop/production/db#tls", "has no text there"),
    ],
)
def test_what_is_in_it_cannot_be_used(cloud: Cloud, tmp_path: Path, at: str, says: str) -> None:
    """Bytes, and keys that are not there: it says which, and nothing of what is there."""
    found = _wrong(_ours(cloud, tmp_path, names={"A": at}), "A")
    assert says in found.what
    assert found.exit_code == 2


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidParameterException", "DecryptionFailure"])
def test_no_batch(cloud: Cloud, tmp_path: Path, code: str) -> None:
    """What is refused as a whole has the word of AWS, and the operation that the role lacks."""
    cloud.fail("secretsmanager", "BatchGetSecretValue", code)
    with pytest.raises(Unreachable, match=f"AWS did not hand out secrets: {code}") as found:
        _ours(cloud, tmp_path, prefix="shop/production/").get(["PLAIN"])
    assert ("BatchGetSecretValue" in found.value.do) == (code == "AccessDeniedException")


def test_doctor(cloud: Cloud, tmp_path: Path) -> None:
    """Each secret that cannot be read is a finding of its own; else one says that all can."""
    names = {"GOOD": "shop/production/PLAIN", "BAD": "shop/gone"}
    (found,) = _ours(cloud, tmp_path, names=names).diagnose()
    assert (found.subject, found.state) == ("secrets: BAD", "fail")
    (found,) = _ours(cloud, tmp_path, names={"GOOD": "shop/production/PLAIN"}, prefix="shop/").diagnose()
    assert (found.state, found.detail) == ("ok", "1 of AWS Secrets Manager can be read; others below shop/")
    cloud.fail("secretsmanager", "BatchGetSecretValue", "AccessDeniedException")
    (found,) = _ours(cloud, tmp_path, names=names).diagnose()
    assert found.state == "fail"


# -- the vault --------------------------------------------------------------------------------------------------------


def _vault(cloud: Cloud, root: Path, **given: Any) -> Vault:
    secrets = {"kind": "aws-secrets-manager", **given}
    aws = {"region": cloud.region, "endpoint": cloud.url}
    config = {"application": "shop", "environments": {"production": {"secrets": secrets, "aws": aws}}}
    return vault_of(config, site_in(cloud, root))


def test_once_per_process(cloud: Cloud, tmp_path: Path) -> None:
    """A value is asked for when it is needed, kept in memory, and counts as secret from then on."""
    vault = _vault(cloud, tmp_path, prefix="shop/production/")
    assert cloud.requests == 0
    assert [vault.get("PLAIN") for _ in range(3)] == [HIDDEN] * 3
    assert cloud.requests == 1
    assert redaction.clean(f"it is {HIDDEN}") == "it is ***"
    assert list(tmp_path.rglob("*")) == []


def test_the_process_goes_first(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set wins, and nobody is asked; an empty one, as CI has it, counts as none."""
    vault = _vault(cloud, tmp_path, prefix="shop/production/")
    monkeypatch.setenv("PLAIN", "from here")
    assert vault.get("PLAIN") == "from here"
    assert cloud.requests == 0
    monkeypatch.setenv("PLAIN", "")
    assert vault.get("PLAIN") == HIDDEN


def test_what_is_nowhere(cloud: Cloud, tmp_path: Path) -> None:
    """It says where it was looked for."""
    vault = _vault(cloud, tmp_path, prefix="shop/production/", names={})
    assert vault.get("GONE") is None
    assert vault.unset("GONE") == (
        "the environment variable GONE is not set, and the secret shop/production/GONE is not there"
    )
    vault = _vault(cloud, tmp_path, names={"A": "shop/production/PLAIN"})
    assert vault.get("GONE") is None
    assert vault.unset("GONE").endswith("`secrets` names none for it")


def test_a_failure_concerns_one_secret(cloud: Cloud, tmp_path: Path) -> None:
    """Who needs another one gets it; who asks for all is told all that is wrong, with one request."""
    vault = _vault(cloud, tmp_path, names={"A": "gone/a", "B": "gone/b", "C": "shop/production/PLAIN"})
    with pytest.raises(UsageError, match=r"gone/a is not there.*; B: the secret gone/b is not there"):
        vault.learn(["A", "B", "C"])
    assert vault.get("C") == HIDDEN
    with pytest.raises(UsageError, match="gone/a"):
        vault.get("A")
    assert cloud.requests == 1


def test_a_mistake_blocks_nobody_who_needs_no_secret(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings are looked at when the first secret is needed, and their mistakes told then."""
    vault = _vault(cloud, tmp_path, perfix="shop/")
    monkeypatch.setenv("PLAIN", "from here")
    assert vault.get("PLAIN") == "from here"
    with pytest.raises(UsageError, match="perfix"):
        vault.get("OTHER")


def test_silence_is_remembered_for_a_while(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten providers that need a secret do not wait ten times; later it is tried again."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    now = 0.0
    monkeypatch.setattr("deploytasks.vault.time", SimpleNamespace(monotonic=lambda: now))
    vault = _vault(cloud, tmp_path, prefix="shop/production/")
    cloud.drop("secretsmanager", "BatchGetSecretValue", times=3)
    for _ in range(3):
        with pytest.raises(Unreachable):
            vault.get("PLAIN")
    assert cloud.requests == 3
    now = 60.0
    assert vault.get("PLAIN") == HIDDEN


def test_no_source_is_configured(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the environment of the process is all that there is, as ever."""
    vault = vault_of({"environments": {"production": {}}}, site_in(cloud, tmp_path))
    monkeypatch.setenv("EMPTY", "")
    assert (vault.get("EMPTY"), vault.get("GONE"), vault.has_source) == ("", None, False)
    assert vault.unset("GONE") == "the environment variable GONE is not set"
