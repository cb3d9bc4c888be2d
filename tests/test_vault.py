"""All who need a secret ask the vault; nobody who needs none is kept by it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import memory
import pytest

from deploytasks import redaction
from deploytasks.checklist import fingerprints
from deploytasks.checklist.configuration import secrets_resolve, variables_fit
from deploytasks.checklist.elsewhere import other_world
from deploytasks.checklist.secrets import secrets
from deploytasks.checklist.subject import Subject
from deploytasks.errors import DeployError, Unreachable, UsageError
from deploytasks.operations.people import names
from deploytasks.ports import Finding
from deploytasks.providers.github import GitHub
from deploytasks.providers.postgres.server import Server
from deploytasks.providers.redis.maintenance import Maintenance
from deploytasks.providers.site import Site
from deploytasks.providers.web_service import WebService
from deploytasks.release.page import place
from deploytasks.settings import load
from deploytasks.settings.github import GitHubSettings
from deploytasks.settings.postgres import PostgresSettings
from deploytasks.settings.redis import MaintenanceSettings
from deploytasks.settings.release import ReleasePage
from deploytasks.settings.web_access import WebAccess
from deploytasks.vault import HERE, Vault

KEPT = {
    "KEPT_URL": "postgresql://shop:elsewhere-word@db.example/shop",
    "KEPT_REDIS": "redis://:elsewhere-flag@redis.example/0",
    "KEPT_TOKEN": "elsewhere-token-0123456789",
}


class Source:
    """Secrets in memory; counts who asks. ``failing``: what is raised instead."""

    def __init__(self, kept: Mapping[str, str | DeployError] = KEPT, failing: DeployError | None = None) -> None:
        self.kept = kept
        self.failing = failing
        self.asked: list[tuple[str, ...]] = []

    def get(self, names: Sequence[str]) -> Mapping[str, str | DeployError]:
        self.asked.append(tuple(names))
        if self.failing is not None:
            raise self.failing
        return {name: self.kept[name] for name in names if name in self.kept}

    def place(self, name: str) -> str:
        return f"the secret shop/{name}"

    def diagnose(self) -> Sequence[Finding]:
        return ()


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test hides is no secret of the next."""
    monkeypatch.setattr(redaction, "_told", set())


def site(root: Path, source: Source | None = None) -> Site:
    """Where a provider stands whose secrets are elsewhere."""
    return Site("shop", "production", root, root, None, "ann@desk", vault=Vault(lambda: source or Source()))


# -- who asks it ----------------------------------------------------------------


def test_a_database(tmp_path: Path) -> None:
    """By its URL or its password."""
    vault = site(tmp_path).vault
    assert (
        Server(PostgresSettings(kind="postgres", url_from="KEPT_URL"), tmp_path, vault=vault).shown == "db.example/shop"
    )
    given = PostgresSettings(kind="postgres", host="db", name="shop", password_from="KEPT_TOKEN")
    assert Server(given, tmp_path, vault=vault).parameters["password"] == KEPT["KEPT_TOKEN"]
    with pytest.raises(UsageError, match="variable GONE is not set, and the secret shop/GONE is not there"):
        _ = Server(PostgresSettings(kind="postgres", url_from="GONE"), tmp_path, vault=vault).parameters


def test_a_maintenance_flag(tmp_path: Path) -> None:
    """In Redis."""
    flag = Maintenance(MaintenanceSettings(kind="redis", url_from="KEPT_REDIS"), site(tmp_path))
    assert flag.write(None).text.startswith("redis redis.example/0: DEL")
    with pytest.raises(UsageError, match=r"maintenance\.url_from: .* the secret shop/GONE is not there"):
        Maintenance(MaintenanceSettings(kind="redis", url_from="GONE"), site(tmp_path))


def test_a_service(tmp_path: Path) -> None:
    """With a bearer token."""
    asks = WebService("It", "http://127.0.0.1:9", WebAccess(token_from="KEPT_TOKEN"), tmp_path, site(tmp_path).vault)
    assert asks._headers()["Authorization"] == f"Bearer {KEPT['KEPT_TOKEN']}"
    asks = WebService("It", "http://127.0.0.1:9", WebAccess(token_from="GONE"), tmp_path, site(tmp_path).vault)
    with pytest.raises(UsageError, match="the secret shop/GONE is not there"):
        asks.get("/", (), time.monotonic() + 1)


def test_github(tmp_path: Path) -> None:
    """For reviews, and for the page of a release."""
    hub = GitHub(GitHubSettings(kind="github", repository="a/b", token_from="KEPT_TOKEN"), site(tmp_path))
    assert hub.client() is not None
    with pytest.raises(Unreachable, match="the secret shop/GONE is not there"):
        GitHub(GitHubSettings(kind="github", repository="a/b", token_from="GONE"), site(tmp_path)).client()
    vault = site(tmp_path).vault
    assert place(ReleasePage(token_from="KEPT_TOKEN"), "https://github.com/a/b", vault).repository == "a/b"
    with pytest.raises(UsageError, match="the secret shop/GONE is not there"):
        place(ReleasePage(token_from="GONE"), "https://github.com/a/b", vault)


_PEOPLE = {
    "application": "shop",
    "people": {"pseudonyms": True, "key_from": "KEPT_TOKEN"},
    "environments": {"production": {}},
}


def test_the_key_of_people(tmp_path: Path) -> None:
    """It makes the same ids as one in a variable."""
    found = names(_PEOPLE, load(_PEOPLE, "production", ()), tmp_path, site(tmp_path).vault)
    assert found is not None
    assert found.person("ann").startswith("p-")
    assert found.person("ann") != "p-unknown"


def test_the_key_of_people_does_not_come(tmp_path: Path) -> None:
    """Who goes back goes on as nobody, whatever the source does: it fails, or says nothing for ever."""
    settings, end = load(_PEOPLE, "production", ()), threading.Event()

    class Silent(Source):
        def get(self, names: Sequence[str]) -> Mapping[str, str | DeployError]:
            end.wait(60)
            return super().get(names)

    for source in (Source(failing=Unreachable("silent")), Silent()):
        found = names(_PEOPLE, settings, tmp_path, site(tmp_path, source).vault, 0.05)
        assert found is not None
        assert found.person("ann") == "p-unknown"
    end.set()


# -- the checklist --------------------------------------------------------------

_WANTED = {
    "required": [{"name": "KEPT_TOKEN", "secret": True, "least": 20}, {"name": "KEPT_REDIS", "format": "url"}],
    "optional": [{"name": "GONE"}],
}


def test_variables_and_secrets_are_seen(tmp_path: Path) -> None:
    """As if they were in the environment, asked for together, and from then on shown nowhere."""
    source = Source()
    world = memory.world(tmp_path, variables=_WANTED)
    world.site = world.site._replace(vault=Vault(lambda: source))
    assert variables_fit(Subject(world, None))[:2] == ("pass", "2 variables set and well-formed")
    assert secrets_resolve(Subject(world, None))[:2] == ("pass", "1 secret: KEPT_TOKEN")
    assert [(one.name, one.value) for one in secrets(world)] == [("KEPT_TOKEN", KEPT["KEPT_TOKEN"])]
    assert set(source.asked[0]) == {"KEPT_TOKEN", "KEPT_REDIS", "GONE"}
    assert len(source.asked) == 1
    assert redaction.clean(KEPT["KEPT_TOKEN"]) == "***"


def test_what_is_wrong_with_one_fails_the_item(tmp_path: Path) -> None:
    """With its name."""
    wrong = UsageError("KEPT_TOKEN: the secret shop/KEPT_TOKEN waits to be deleted")
    world = memory.world(tmp_path, variables=_WANTED)
    world.site = world.site._replace(vault=Vault(lambda: Source({**KEPT, "KEPT_TOKEN": wrong})))
    with pytest.raises(UsageError, match="waits to be deleted"):
        secrets_resolve(Subject(world, None))


def test_what_the_source_names_is_a_secret(tmp_path: Path) -> None:
    """Also when nothing else names it: it must have a value, and one of its own."""
    given = {"kind": "aws-secrets-manager", "names": {"KEPT_TOKEN": "a", "GONE": "b"}}
    world = memory.world(tmp_path, secrets=given)
    world.site = world.site._replace(vault=Vault(Source))
    found = {one.name: (one.value, one.named_by, one.shared) for one in secrets(world)}
    assert found == {"KEPT_TOKEN": (KEPT["KEPT_TOKEN"], "secrets.names", False), "GONE": (None, "secrets.names", False)}
    assert secrets_resolve(Subject(world, None))[:2] == ("fail", "GONE (secrets.names) is not set")
    assert set(fingerprints.fingerprints(secrets(world), b"k")) == {"KEPT_TOKEN", "GONE"}


def test_another_environment_has_its_own(tmp_path: Path) -> None:
    """Its store is opened with its secrets, not with ours."""
    from invoke import Config, Context

    environments = {
        "production": {"secrets": {"kind": "aws-secrets-manager", "prefix": "ours/"}},
        "staging": {"secrets": {"kind": "aws-secrets-manager", "perfix": "theirs/"}},
        "test": {},
    }
    world = memory.world(tmp_path)
    context = Context(Config(overrides={"deploy": {"application": "library", "environments": environments}}))
    world.site = world.site._replace(context=context, vault=Vault(Source))
    with pytest.raises(UsageError, match=r"staging\.secrets\.perfix"):
        other_world(world, "staging").site.vault.get("KEPT_TOKEN")
    assert other_world(world, "test").site.vault is HERE


# -- who asks nothing of it -----------------------------------------------------


def test_a_rollback_needs_neither_secrets_nor_aws(tmp_path: Path) -> None:
    """A mistake in ``secrets`` does not show, and nothing of AWS is imported."""
    subprocess.run(
        [sys.executable, "-m", "deploytasks", "init"], cwd=tmp_path, check=True, capture_output=True, timeout=60
    )
    file = tmp_path / "invoke.yaml"
    mark = "    development:\n"
    mistaken = f"{mark}      secrets: {{kind: aws-secrets-manager, perfix: shop/}}\n      aws: {{regoin: x}}\n"
    text = file.read_text().replace(mark, mistaken)
    assert mistaken in text
    file.write_text(text)
    rollback = ["rollback", "--env", "development", "--reason", "x", "--yes"]
    command = [sys.executable, "-X", "importtime", "-m", "invoke", *rollback]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time")}
    assert (done.returncode, "does not run" in done.stderr) == (7, True)
    assert "deploytasks.vault" in imported
    assert not [name for name in imported if name.partition(".")[0] in {"boto3", "botocore"} or ".aws." in name]
