"""Who deploys, where, and with which credentials."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from botocore.loaders import JSONFileLoader
from lab.aws import Cloud
from lab.aws.standing import ACCESS_KEY, VARIABLES, site_in
from lab.aws.sts import Sts

from deploytasks import redaction
from deploytasks.errors import Unreachable, UsageError
from deploytasks.providers.aws.refusals import ADVICE, DENIED
from deploytasks.providers.aws.session import Known, client, is_session_of, region_of, session_name, translated
from deploytasks.providers.site import Site

ROLE = "arn:aws:iam::123456789012:role/deploy"
OTHER_ROLE = "arn:aws:iam::123456789012:role/ci"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A cloud that knows who asks; the second role wants an external id."""
    with Cloud(Sts({ROLE: "", OTHER_ROLE: "shop-1"})) as made:
        yield made


def _site(cloud: Cloud, root: Path, who: str = "ann@laptop", **access: object) -> Site:
    site = site_in(cloud, root)
    own = site.sections["aws"].model_copy(update=access)
    return site._replace(sections={"aws": own}, who=who)


def _ask(site: Site) -> str:
    with translated("see who deploys"):
        return str(client("sts", site).get_caller_identity()["Arn"])


# -- where ------------------------------------------------------------------------------------------------------------


def test_an_endpoint_for_one_service(cloud: Cloud, tmp_path: Path) -> None:
    """The address of one service goes before that of all."""
    site = _site(cloud, tmp_path, endpoint="http://127.0.0.1:9", endpoints={"sts": cloud.url})
    assert _ask(site).endswith("user/ann")


def test_the_region_of_the_environment(cloud: Cloud, tmp_path: Path) -> None:
    """It is what ``aws.region`` says; nobody is asked for it."""
    assert region_of(_site(cloud, tmp_path, region="eu-west-1")) == "eu-west-1"
    assert cloud.requests == 0


def test_the_region_of_a_variable(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is said, it comes from where the AWS CLI has it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    assert region_of(_site(cloud, tmp_path, region=None)) == "eu-north-1"


def test_no_region(cloud: Cloud, tmp_path: Path) -> None:
    """Without one there is nothing to ask: a mistake in the configuration."""
    site = _site(cloud, tmp_path, region=None)
    for ask in (lambda: region_of(site), lambda: client("elbv2", site)):
        with pytest.raises(UsageError, match="no AWS region is named") as found:
            ask()
        assert (found.value.exit_code, found.value.do) == (2, "say `aws: {region: …}`")


def test_a_profile_that_is_missing(cloud: Cloud, tmp_path: Path) -> None:
    """It is named, with the key that asks for it."""
    with pytest.raises(UsageError, match=r"cannot reach sts: .*\(shop\) could not be found") as found:
        client("sts", _site(cloud, tmp_path, profile="shop"))
    assert found.value.exit_code == 2
    assert "aws.profile" in found.value.do


def test_a_file_that_cannot_be_read_as_configuration(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named as it stands."""
    _configured(tmp_path, monkeypatch, "[profile shop\nregion")
    with pytest.raises(UsageError, match="Unable to parse config file") as found:
        client("sts", _site(cloud, tmp_path, profile="shop"))
    assert "~/.aws/config" in found.value.do


def test_an_opt_in_region(cloud: Cloud, tmp_path: Path) -> None:
    """A region that the account has not enabled knows no credentials: both are named."""
    cloud.refused_keys[ACCESS_KEY] = "UnrecognizedClientException"
    with pytest.raises(Unreachable) as found:
        _ask(_site(cloud, tmp_path, region="me-south-1"))
    assert found.value.do.endswith("a region that this account has not enabled knows none")


def test_what_boto3_knows_is_read_once(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many clients and sessions there are: a megabyte of endpoints is none of the costs of the second one."""
    client("sts", _site(cloud, tmp_path))
    read: list[str] = []
    load = JSONFileLoader.load_file
    monkeypatch.setattr(JSONFileLoader, "load_file", lambda self, path: (read.append(path), load(self, path))[1])
    for region in ("eu-west-1", "eu-west-3"):
        client("sts", _site(cloud, tmp_path, region=region))
    assert read == []
    assert gc.isenabled()


# -- credentials ------------------------------------------------------------------------------------------------------


def _configured(root: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A ``~/.aws/config``, and no credentials beside it."""
    (root / "config").write_text(text)
    for name in VARIABLES:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(root))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(root / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_no_credentials(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is logged in: nothing was asked."""
    _configured(tmp_path, monkeypatch, "")
    with pytest.raises(UsageError, match="cannot see who deploys: Unable to locate credentials") as found:
        _ask(_site(cloud, tmp_path))
    assert found.value.exit_code == 2
    assert cloud.requests == 0


def test_no_credentials_for_a_role(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is nobody cannot assume a role."""
    _configured(tmp_path, monkeypatch, "")
    with pytest.raises(UsageError, match="Unable to locate credentials"):
        _ask(_site(cloud, tmp_path, role_arn=ROLE))


def test_half_a_pair_of_credentials(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key without its secret is a mistake in the environment."""
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(UsageError, match="Partial credentials found in env"):
        _ask(_site(cloud, tmp_path))


_SSO = """
[profile shop]
sso_session = company
sso_account_id = 123456789012
sso_role_name = deploy
region = eu-central-1
[sso-session company]
sso_start_url = https://company.example/start
sso_region = eu-central-1
"""


def test_nobody_logged_in_by_sso(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No token of a session (TokenRetrievalError, SSOTokenLoadError): it says how to get one."""
    _configured(tmp_path, monkeypatch, _SSO)
    with pytest.raises(UsageError, match=r"cannot see who deploys: .*SSO") as found:
        _ask(_site(cloud, tmp_path, profile="shop"))
    assert "aws sso login" in found.value.do


def test_a_login_by_sso_that_has_ended(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expired token of the older kind of profile (UnauthorizedSSOTokenError)."""
    import hashlib
    import json

    old = _SSO.replace(
        "sso_session = company\n", "sso_start_url = https://company.example/start\nsso_region = eu-central-1\n"
    )
    _configured(tmp_path, monkeypatch, old.partition("[sso-session")[0])
    cache = tmp_path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    name = hashlib.sha1(b"https://company.example/start").hexdigest()
    (cache / f"{name}.json").write_text(json.dumps({"accessToken": "x", "expiresAt": "2020-01-01T00:00:00Z"}))
    with pytest.raises(UsageError, match="SSO") as found:
        _ask(_site(cloud, tmp_path, profile="shop"))
    assert "aws sso login" in found.value.do


def test_a_job_without_its_token(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A web identity whose file is not there."""
    _configured(tmp_path, monkeypatch, "")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "job")
    with pytest.raises(UsageError, match="AWS_WEB_IDENTITY_TOKEN_FILE"):
        _ask(_site(cloud, tmp_path))


# -- roles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "name"),
    [
        ("ann@laptop", "ann@laptop"),
        ("Änn Lee@ci/job 7", "nn-Lee@ci-job-7"),
        ("p-0123456789ab", "p-0123456789ab"),
        ("x" * 80, "x" * 64),
        ("木", "deploytasks"),
        ("", "deploytasks"),
    ],
)
def test_the_name_of_a_session(who: str, name: str) -> None:
    """Whatever somebody is called, AWS takes the name of the session, and auditors find them by it."""
    assert session_name(who) == name


def test_a_role_under_the_name_of_who_deploys(cloud: Cloud, tmp_path: Path) -> None:
    """CloudTrail shows role and person."""
    site = _site(cloud, tmp_path, who="bea@ci", role_arn=ROLE)
    assert _ask(site) == "arn:aws:sts::123456789012:assumed-role/deploy/bea@ci"


def test_who_has_the_role_already(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that was given the role deploys as it is: no role may assume itself."""
    given = cloud["sts"].assume_role({"RoleArn": ROLE, "RoleSessionName": "job"})["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", given["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", given["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", given["SessionToken"])
    del cloud["sts"].roles[ROLE]  # trusts nobody any more, itself least of all
    assert _ask(_site(cloud, tmp_path, role_arn=ROLE)) == "arn:aws:sts::123456789012:assumed-role/deploy/job"
    other = _site(cloud, tmp_path, role_arn=OTHER_ROLE, external_id="shop-1")
    assert _ask(other).endswith("assumed-role/ci/ann@laptop")


@pytest.mark.parametrize(
    ("who", "is_so"),
    [
        ("arn:aws:sts::123456789012:assumed-role/deploy/job", True),
        ("arn:aws:sts::123456789012:assumed-role/deploy2/deploy", False),
        ("arn:aws:sts::210987654321:assumed-role/deploy/job", False),
        ("arn:aws:iam::123456789012:user/deploy", False),
    ],
)
def test_whose_session_it_is(who: str, is_so: bool) -> None:
    """A session's ARN has account and name of the role, and nothing of its path."""
    assert is_session_of("arn:aws:iam::123456789012:role/shop/deploy", who) is is_so


def test_a_role_with_an_external_id(cloud: Cloud, tmp_path: Path) -> None:
    """It is sent along; without it, the error names what the trust policy lacks, and nothing else was asked."""
    assert "role/ci/" in _ask(_site(cloud, tmp_path, role_arn=OTHER_ROLE, external_id="shop-1"))
    with cloud.counting() as asked, pytest.raises(Unreachable) as found:
        _ask(_site(cloud, tmp_path, role_arn=OTHER_ROLE, external_id="wrong"))
    assert asked == ["AssumeRole"]
    assert found.value.exit_code == 7
    assert "AssumeRole was refused, which the credentials for it need: AccessDenied" in found.value.what
    assert "external_id" in found.value.do


def test_a_refused_role_is_no_answer_to_what_was_asked(cloud: Cloud, tmp_path: Path) -> None:
    """A code that means something special for an operation means nothing of the kind on the way there."""
    site = _site(cloud, tmp_path, role_arn=OTHER_ROLE)
    with pytest.raises(Unreachable, match="AssumeRole"), translated("see", {"AccessDenied": Known(UsageError, "mine")}):
        client("sts", site).get_caller_identity()


def test_a_role_on_top_of_a_profile_s(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Roles are chained: that of the profile assumes the one of the environment."""
    text = f"[profile base]\nrole_arn = {OTHER_ROLE}\nexternal_id = shop-1\ncredential_source = Environment\n"
    (tmp_path / "config").write_text(text)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
    site = _site(cloud, tmp_path, profile="base", role_arn=ROLE)
    assert _ask(site).endswith("assumed-role/deploy/ann@laptop")
    first, second = (seen for seen in cloud.seen if seen.operation == "AssumeRole")
    assert (first.params["RoleArn"], second.params["RoleArn"]) == (OTHER_ROLE, ROLE)
    assert (first.access_key, second.access_key[:4]) == (ACCESS_KEY, "ASIA")


def test_credentials_are_renewed_before_they_end(cloud: Cloud, tmp_path: Path) -> None:
    """Those that end in a minute are not used any more: a deployment outlives them."""
    cloud["sts"].lifetime = 60.0
    site = _site(cloud, tmp_path, role_arn=ROLE)
    _ask(site)
    cloud["sts"].lifetime = 3600.0
    _ask(site)
    keys = [seen.access_key for seen in cloud.seen if seen.operation == "GetCallerIdentity"]
    assert len(set(keys)) == 2


def test_credentials_that_hold_are_kept(cloud: Cloud, tmp_path: Path) -> None:
    """Many threads that begin at once make one client, assume the role once, and are all answered."""
    site = _site(cloud, tmp_path, role_arn=ROLE)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: (id(client("sts", site)), _ask(site)), range(64)))
    assert len(set(found)) == 1
    assert cloud.operations().count("AssumeRole") == 1


def test_credentials_that_end_meanwhile(cloud: Cloud, tmp_path: Path) -> None:
    """``ExpiredToken``: what to do is log in again, whatever was asked."""
    for code in ("ExpiredToken", "ExpiredTokenException"):
        cloud.refused_keys[ACCESS_KEY] = code
        with cloud.counting(), pytest.raises(Unreachable, match=code) as found:
            _ask(_site(cloud, tmp_path))
        assert found.value.exit_code == 7
        assert "aws sso login" in found.value.do


def test_credentials_that_have_ended_when_they_come(cloud: Cloud, tmp_path: Path) -> None:
    """Somebody's clock is wrong: this machine's, most likely."""
    cloud["sts"].lifetime = -60.0
    with pytest.raises(UsageError, match="cannot see who deploys: Credentials were refreshed, but") as found:
        _ask(_site(cloud, tmp_path, role_arn=ROLE))
    assert "clock" in found.value.do


# -- refusals ---------------------------------------------------------------------------------------------------------

ADVISED = {
    "ExpiredToken": "log", "ExpiredTokenException": "log", "InvalidClientTokenId": "get-caller-identity",
    "UnrecognizedClientException": "not enabled", "SignatureDoesNotMatch": "get-caller-identity",
    "InvalidSignatureException": "get-caller-identity", "IncompleteSignature": "get-caller-identity",
    "MissingAuthenticationToken": "get-caller-identity", "RequestTimeTooSkewed": "clock", "RequestExpired": "clock",
    "OptInRequired": "enable the region", "AccessDenied": "docs/aws.md", "AccessDeniedException": "docs/aws.md",
    "UnauthorizedOperation": "docs/aws.md", "Throttling": "in a minute", "ThrottlingException": "in a minute",
    "RequestLimitExceeded": "in a minute", "TooManyRequestsException": "in a minute", "SlowDown": "in a minute",
    "InternalError": "few minutes", "InternalFailure": "few minutes", "InternalServiceError": "few minutes",
    "InternalServerException": "few minutes", "ServiceUnavailable": "few minutes", "HealthUnavailable": "few minutes",
    "ServiceUnavailableException": "few minutes",
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(ADVISED))
def test_what_belongs_to_no_single_service(
    cloud: Cloud, tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each code is an error of ours, with its word, what was wanted, in which state things are, and what to do."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    cloud.fail("sts", "GetCallerIdentity", code, times=3, why="because")
    with pytest.raises(Unreachable) as found, translated("see who deploys", state="nothing was changed"):
        client("sts", _site(cloud, tmp_path)).get_caller_identity()
    assert found.value.what == f"AWS did not see who deploys: {code}: because"
    assert found.value.state == "nothing was changed"
    assert found.value.exit_code == 7
    assert ADVISED[code] in found.value.do


def test_no_advice_is_given_to_two_kinds_of_refusal() -> None:
    """A code means one thing."""
    assert not DENIED & ADVICE.keys()


def test_a_code_that_nobody_knows(cloud: Cloud, tmp_path: Path) -> None:
    """It is told as it is."""
    cloud.fail("sts", "GetCallerIdentity", "ValidationError", why="what is this")
    with pytest.raises(Unreachable, match="AWS did not see who deploys: ValidationError: what is this"):
        _ask(_site(cloud, tmp_path))


def test_a_code_that_means_something_here(cloud: Cloud, tmp_path: Path) -> None:
    """Where it comes up, a code may be another error."""
    cloud.fail("sts", "GetCallerIdentity", "ValidationError")
    with (
        pytest.raises(UsageError, match="mine") as found,
        translated("see", {"ValidationError": Known(UsageError, "mine", "do")}),
    ):
        client("sts", _site(cloud, tmp_path)).get_caller_identity()
    assert found.value.do == "do"


def test_a_clock_that_is_wrong(cloud: Cloud, tmp_path: Path) -> None:
    """A signature of another time is told as what it is, although AWS calls it one that does not match."""
    why = "Signature expired: 20261123T000000Z is now earlier than 20261123T001000Z"
    for code in ("SignatureDoesNotMatch", "InvalidSignatureException"):
        cloud.fail("sts", "GetCallerIdentity", code, status=403, why=why)
        with pytest.raises(Unreachable, match="Signature expired") as found:
            _ask(_site(cloud, tmp_path))
        assert "clock" in found.value.do


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_no_refusal_shows_a_secret(cloud: Cloud, tmp_path: Path) -> None:
    """AWS may quote the request: the key and the token of an assumed role are blackened."""
    site = _site(cloud, tmp_path, role_arn=ROLE)
    _ask(site)
    (key,) = cloud["sts"].sessions
    why = f"The canonical string was host:sts x-amz-security-token:token-of-{key}-which-nobody-may-see by {key}"
    cloud.fail("sts", "GetCallerIdentity", "SignatureDoesNotMatch", status=403, why=why)
    with pytest.raises(Unreachable, match="canonical string") as found:
        _ask(site)
    assert key not in str(found.value)
    assert "which-nobody" not in str(found.value)
    assert redaction.clean(f"by {key}") == "by ***"


def test_who_debugs_sees_no_secret(cloud: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """boto3 would log requests and answers whole; ``inv --debug`` turns all logs on."""
    with caplog.at_level(logging.DEBUG):
        _ask(_site(cloud, tmp_path, role_arn=ROLE))
    assert "which-nobody" not in caplog.text
    assert not [one for one in caplog.records if one.name.startswith("boto")]
