"""Variables and secrets: all mistakes at once, no secret value anywhere, none shared between environments."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import memory
import pytest
from invoke import Config, Context

from deploytasks import redaction
from deploytasks.checklist import Result, evaluate, fingerprints
from deploytasks.checklist.configuration import ITEMS, secrets_differ, secrets_resolve, variables_fit
from deploytasks.checklist.dotenv import read
from deploytasks.checklist.evaluating import evaluate_items
from deploytasks.checklist.item import Found
from deploytasks.checklist.secrets import secrets
from deploytasks.checklist.subject import Subject
from deploytasks.checklist.wellformed import mistakes
from deploytasks.errors import SettingsError, Unreachable, UsageError
from deploytasks.operations import proving
from deploytasks.settings import load
from deploytasks.settings.postgres_store import PostgresStoreSettings
from deploytasks.settings.variables import Variable
from deploytasks.view.sentences import sentence
from deploytasks.world import World

SECRET = "Zk3-horse.battery/staple+9"


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test hides is no secret of the next."""
    monkeypatch.setattr(redaction, "_told", set())


def world(folder: Path, **changes: Any) -> World:
    """A world at the level production."""
    return memory.world(folder, **{"gates": {"level": "production"}, **changes})


# -- files of variables --------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("# a comment\n\n  export A = 1  \r\n", {"A": "1"}),
        ("A=", {"A": ""}),
        ("A=\nB=2", {"A": "", "B": "2"}),
        ("A=one two # three\nB=a#b", {"A": "one two", "B": "a#b"}),
        ('A=\'one # two\'\nB="x\\n\\"y\\"" # z', {"A": "one # two", "B": 'x\n"y"'}),
        ("A='C:\\new'", {"A": "C:\\new"}),
        ('KEY="-----BEGIN\nabc\n-----END"\nB=2', {"KEY": "-----BEGIN\nabc\n-----END", "B": "2"}),
        ("A=1\nA=2", {"A": "2"}),
        ("URL=postgres://a:b=c@d/e?f=g", {"URL": "postgres://a:b=c@d/e?f=g"}),
    ],
)
def test_a_file_of_variables(text: str, expected: dict[str, str]) -> None:
    """It is read as the shell and the dotenv libraries read it."""
    assert expected == read(text.encode(), ".env")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"A=1\n{SECRET}\n".encode(), r"^\.env, line 2: is no NAME=value$"),
        (f"A=1\n\nB='{SECRET}\n".encode(), r"^\.env, line 3: a ' is never closed$"),
        (f"A='x' {SECRET}".encode(), r"^\.env, line 1: something stands behind the closing quote$"),
        (b"A=1\nB=\xff", r"^\.env, line 2: is not UTF-8$"),
        (b"A=1\n" * 300_000, r"that is no file of variables$"),
    ],
)
def test_a_file_that_is_none(content: bytes, message: str) -> None:
    """The line is named; what stands there is not."""
    with pytest.raises(UsageError) as raised:
        read(content, ".env")
    assert re.search(message, raised.value.what)
    assert SECRET not in str(raised.value)


# -- what a value must be ------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "good", "bad"),
    [
        ({"format": "integer"}, ["1", "-20"], ["1.5", "one", "", "1 "]),
        ({"format": "number"}, ["1", "1.5", "-2e3", ".5"], ["1,5", "nan", ""]),
        ({"format": "boolean"}, ["true", "False", "1", "off"], ["2", "ja", ""]),
        ({"format": "url"}, ["https://a/b", "postgres://u:p@h:5/n", "sqlite:///x"], ["a.example", "https://", "http://h:x/"]),
        ({"format": "host-port"}, ["a:1", "[::1]:80", "10.0.0.1:65535"], ["a", "a:0", "a:65536", ":80", "http://a:1"]),
        ({"format": "email"}, ["ann@example.com"], ["ann", "a b@c"]),
        ({"format": "json"}, ["{}", "[1]", "null"], ["{", "{'a': 1}", "[" * 100_000]),
        ({"format": "regex"}, ["^a+$"], ["(", "*"]),
        ({"pattern": "[a-z]+-[0-9]"}, ["eu-1"], ["eu-1x", "EU-1"]),
        ({"least": 4}, ["abcd"], ["abc"]),
        ({"most": 4}, ["abcd", ""], ["abcde"]),
        ({"allowed": ["a", "b"]}, ["a"], ["c", ""]),
        ({"forbidden": ["true", "1"]}, ["false"], ["true", "True", "1"]),
    ],
)  # fmt: skip
def test_what_a_value_must_be(declared: dict[str, Any], good: list[str], bad: list[str]) -> None:
    """Each condition takes what is right and says one sentence about what is wrong; of a secret, only its length."""
    open_one, secret = Variable(name="A", **declared), Variable(name="A", secret=True, **declared)
    assert [] == [found for value in good for found in mistakes(open_one, value)]
    for value in bad:
        assert 1 == len(list(mistakes(open_one, value))), value
    said = "; ".join(mistakes(secret, SECRET * 9))
    assert SECRET not in said


def test_declarations_that_are_wrong_are_mistakes(tmp_path: Path) -> None:
    """A name in short is a variable; what cannot be meant is told with its path."""
    with pytest.raises(SettingsError) as raised:
        world(
            tmp_path,
            variables={
                "required": ["A", {"name": "B", "least": 9, "most": 2}, {"name": "C", "pattern": "("}, "not a name"],
                "file": "",
            },
        )
    where = [
        line.partition(": ")[0].removeprefix("deploy.environments.test.variables.") for line in raised.value.mistakes
    ]
    assert ["required[1]", "required[2].pattern", "required[3].name", "file"] == where
    with pytest.raises(SettingsError, match="declared twice: A"):
        world(tmp_path, variables={"required": ["A"], "optional": ["A"]})


# -- configuration.variables ---------------------------------------------------


def test_every_mistake_at_once_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing and what is malformed is listed together; of a secret the length is told, never the value."""
    monkeypatch.setenv("SECRET_KEY", SECRET)
    monkeypatch.setenv("WORKERS", "many")
    monkeypatch.setenv("DEBUG", "True")
    monkeypatch.setenv("SITE", "https://library.example")
    required = [
        {"name": "SECRET_KEY", "secret": True, "least": 50},
        {"name": "WORKERS", "format": "integer"},
        {"name": "SITE", "format": "url"},
        "GONE",
        "LOST",
    ]
    made = world(tmp_path, variables={"required": required, "optional": [{"name": "DEBUG", "forbidden": ["true"]}]})
    assert variables_fit(Subject(made, None)) == Found(
        "fail",
        "not set: GONE, LOST; SECRET_KEY has 26 characters; at least 50 are needed; "
        "WORKERS must be a whole number; not 'many'; DEBUG must not be 'True'",
    )


def test_where_values_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file goes before the fleet's environment, and that before the deployer's."""
    for name in ("A", "B", "C"):
        monkeypatch.setenv(name, "deployer")
    (tmp_path / ".env.test").write_text("A=file\n")
    (tmp_path / ".env.test").chmod(0o600)
    fleet = {
        "kind": "local", "colors": {"blue": "127.0.0.1:1", "green": "127.0.0.1:2"}, "start": "true",
        "environment": {"A": "fleet", "B": "fleet"},
    }  # fmt: skip
    required = [
        {"name": name, "allowed": [value]} for name, value in (("A", "file"), ("B", "fleet"), ("C", "deployer"))
    ]
    made = world(tmp_path, fleet=fleet, variables={"required": required, "file": ".env.test"})
    assert variables_fit(Subject(made, None))[:2] == ("pass", "3 variables set and well-formed (.env.test)")


def test_nothing_said_is_not_passed_over_in_production(tmp_path: Path) -> None:
    """Where nobody said what is needed, somebody signs; an empty list says that nothing is."""
    assert variables_fit(Subject(world(tmp_path), None)).answer == "needs a signature"
    assert variables_fit(Subject(world(tmp_path, gates={"level": "staging"}), None)).answer == "warn"
    assert variables_fit(Subject(world(tmp_path, variables={"required": []}), None)).answer == "pass"


def test_a_file_that_is_not_there_is_a_wrong_configuration(tmp_path: Path) -> None:
    """Code 2, with the key and the path."""
    made = world(tmp_path, variables={"required": ["A"], "file": ".env.test"})
    with pytest.raises(UsageError, match=r"test\.variables\.file: cannot read .*\.env\.test: No such file"):
        variables_fit(Subject(made, None))


# -- configuration.secrets -----------------------------------------------------


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "is not set"),
        ("", "is empty"),
        ("  ", "is empty"),
        ("changeme", "placeholder"),
        ("Change-Me", "placeholder"),
        ("change_this_before_production", "placeholder"),
        ("your-secret-key-here", "placeholder"),
        ("password1", "placeholder"),
        ("<secret>", "placeholder"),
        ("${SECRET}", "placeholder"),
        ("xxxxxxxx", "placeholder"),
        ("django-insecure-4k9$z", "placeholder"),
        ("TODO", "placeholder"),
        (SECRET, ""),
        ("testimony-of-the-ages", ""),
    ],
)
def test_secrets_that_cannot_be_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None, why: str
) -> None:
    """Each secret is there, and nobody forgot to replace it; where it is named is told."""
    metrics = {"kind": "prometheus", "url": "https://p.example", "counts": "django", "token_from": "METRICS_TOKEN"}
    made = world(tmp_path, metrics=metrics, variables={"required": [{"name": "SECRET_KEY", "secret": True}]})
    monkeypatch.setenv("SECRET_KEY", SECRET)
    monkeypatch.delenv("METRICS_TOKEN", raising=False)
    if value is not None:
        monkeypatch.setenv("METRICS_TOKEN", value)
    said = secrets_resolve(Subject(made, None))
    if why:
        assert (said.answer, why in said.evidence) == ("fail", True)
        assert said.evidence.startswith("METRICS_TOKEN (metrics.token_from) ")
    else:
        assert said[:2] == ("pass", "2 secrets: METRICS_TOKEN, SECRET_KEY")


def test_a_file_that_everybody_may_read(tmp_path: Path) -> None:
    """A file of variables is for its owner, and at most for its group."""
    file = tmp_path / ".env.test"
    file.write_text(f"SECRET_KEY={SECRET}\n")
    made = world(tmp_path, variables={"required": [{"name": "SECRET_KEY", "secret": True}], "file": ".env.test"})
    for mode, answer in ((0o644, "fail"), (0o601, "fail"), (0o640, "pass"), (0o600, "pass")):
        file.chmod(mode)
        assert secrets_resolve(Subject(made, None)).answer == answer
    file.chmod(0o644)
    assert "`chmod 600` it" in secrets_resolve(Subject(made, None)).evidence


def test_an_environment_without_secrets(tmp_path: Path) -> None:
    """There is nothing to look for."""
    assert secrets_resolve(Subject(world(tmp_path), None)).answer == "not applicable"


# -- configuration.distinct ----------------------------------------------------


def two(folder: Path, **variables: Any) -> tuple[World, World]:
    """Production and staging of one application, each with its own store, both declaring the same secrets."""

    def environment(name: str) -> dict[str, Any]:
        return {
            "traffic": {"kind": "envoy"}, "metrics": {"kind": "envoy"},
            "fleet": {"kind": "local", "colors": {"blue": "127.0.0.1:1", "green": "127.0.0.1:2"}, "start": "true"},
            "store": {"kind": "directory", "path": f"store-{name}", "shared": True},
            "variables": {"file": f".env.{name}"},
        }  # fmt: skip

    environments = {name: environment(name) for name in ("staging", "production")}
    config = {"application": "library", "variables": variables, "environments": environments}
    context = Context(Config(overrides={"deploy": config}))

    def opened(name: str) -> World:
        made = memory.world(folder / name)
        settings = load(config, name)
        site = made.site._replace(root=folder, environment=name, context=context, sections=settings.sections)
        from deploytasks.providers.directory import DirectoryStore

        store = DirectoryStore(settings.sections["store"], site)  # type: ignore[arg-type]  # a folder's, as above
        made._ports.sections["store"] = store  # type: ignore[attr-defined]  # those in memory
        made.site, made.settings = site, replace(settings, sections=dict(settings.sections))
        return made

    for name in ("staging", "production"):
        (folder / name).mkdir(exist_ok=True)
    return opened("production"), opened("staging")


def given(folder: Path, name: str, **values: str) -> None:
    """The variables of an environment."""
    (folder / f".env.{name}").write_text("".join(f"{key}='{value}'\n" for key, value in values.items()))


REQUIRED = [{"name": "SECRET_KEY", "secret": True}, {"name": "DATABASE_URL", "secret": True}, "WORKERS"]


def test_the_same_value_in_two_environments(tmp_path: Path) -> None:
    """Once staging's checklist has run, production's names what is the same, and never a value."""
    given(tmp_path, "staging", SECRET_KEY=SECRET, DATABASE_URL="postgres://a:one-pass@h/s", WORKERS="2")
    given(tmp_path, "production", SECRET_KEY=SECRET, DATABASE_URL="postgres://a:two-pass@h/p", WORKERS="2")
    production, staging = two(tmp_path, required=REQUIRED)
    of = Subject(production, None)
    assert secrets_differ(of)[:2] == (
        "warn", "compared with nobody; nothing is known yet of staging: `inv checklist` there",
    )  # fmt: skip
    fingerprints.remember(staging)
    said = secrets_differ(of)
    assert said.answer == "fail"
    assert "the same value: SECRET_KEY is SECRET_KEY of staging: make a new one" in said.evidence
    assert SECRET not in said.evidence


def test_different_values_pass_and_a_password_inside_a_url_is_seen(tmp_path: Path) -> None:
    """URLs that differ may still have one password; under another name it is the same secret, too."""
    given(tmp_path, "staging", SECRET_KEY="other-than-that", DATABASE_URL="postgres://a:one%2Fpass@h/s", WORKERS="2")
    given(tmp_path, "production", SECRET_KEY=SECRET, DATABASE_URL="postgres://a:two-pass@h/p", WORKERS="2")
    production, staging = two(tmp_path, required=REQUIRED)
    fingerprints.remember(staging)
    assert secrets_differ(Subject(production, None))[:2] == (
        "pass", "2 secrets compared with staging: none is the same",
    )  # fmt: skip
    given(tmp_path, "production", SECRET_KEY="one/pass", DATABASE_URL="postgres://b:one%2Fpass@g/p", WORKERS="2")
    evidence = secrets_differ(Subject(production, None)).evidence
    assert "SECRET_KEY is DATABASE_URL of staging; " in evidence or "SECRET_KEY is DATABASE_URL of staging:" in evidence
    assert "DATABASE_URL is DATABASE_URL of staging" in evidence


def test_what_is_shared_on_purpose(tmp_path: Path) -> None:
    """A variable may be said to be shared; then it is neither compared nor recorded."""
    required = [{**REQUIRED[0], "shared": True}, *REQUIRED[1:]]  # type: ignore[dict-item]  # the first is a map
    given(tmp_path, "staging", SECRET_KEY=SECRET, DATABASE_URL="postgres://a:one-pass@h/s", WORKERS="2")
    given(tmp_path, "production", SECRET_KEY=SECRET, DATABASE_URL="postgres://a:two-pass@h/p", WORKERS="2")
    production, staging = two(tmp_path, required=required)
    fingerprints.remember(staging)
    assert secrets_differ(Subject(production, None)).answer == "pass"
    (event,) = [event for event in staging.ledger.events() if event.kind == "secrets"]
    assert set(event.facts["fingerprints"]) == {"DATABASE_URL"}  # type: ignore[arg-type]  # a map


def test_fingerprints_are_recorded_once_and_tell_nothing(tmp_path: Path) -> None:
    """The same secrets are recorded once; the key is beside the ledger, in no event, and each store has its own."""
    for name in ("staging", "production"):
        given(tmp_path, name, SECRET_KEY=SECRET, DATABASE_URL="postgres://a:one-pass@h/s", WORKERS="2")
    production, staging = two(tmp_path, required=REQUIRED)
    for _ in range(3):
        fingerprints.remember(staging)
        fingerprints.remember(production)
    for of in (staging, production):
        (event,) = [event for event in of.ledger.events() if event.kind == "secrets"]
        found = of.store.get(f"{of.scope}/fingerprints.json")
        assert found is not None
        key = json.loads(found[0])["key"]
        assert len(bytes.fromhex(key)) == 32
        everything = json.dumps(event.facts)
        assert sentence(event.kind, event.facts) == "fingerprints of DATABASE_URL, SECRET_KEY"
        assert all(text not in everything for text in (SECRET, "one-pass", key))
        assert of.ledger.verify().ok
    one, other = (next(iter(of.ledger.events())).facts for of in (staging, production))
    assert one != other
    given(tmp_path, "staging", SECRET_KEY="another-one", DATABASE_URL="postgres://a:one-pass@h/s", WORKERS="2")
    fingerprints.remember(staging)
    assert [event.kind for event in staging.ledger.events()] == ["secrets", "secrets"]


def test_whoever_lacks_a_secret_wipes_out_no_fingerprint(tmp_path: Path) -> None:
    """A checklist without the secrets at hand leaves what CI has recorded; one that is declared no more goes."""
    given(tmp_path, "staging", SECRET_KEY=SECRET, DATABASE_URL="postgres://a:one-pass@h/s")
    _, staging = two(tmp_path, required=REQUIRED)
    fingerprints.remember(staging)
    given(tmp_path, "staging", DATABASE_URL="postgres://a:one-pass@h/s")
    fingerprints.remember(staging)
    assert [event.kind for event in staging.ledger.events()] == ["secrets"]
    _, staging = two(tmp_path, required=REQUIRED[1:])
    fingerprints.remember(staging)
    assert [set(event.facts["fingerprints"]) for event in staging.ledger.events()] == [  # type: ignore[arg-type]  # maps
        {"SECRET_KEY", "DATABASE_URL"}, {"DATABASE_URL"},
    ]  # fmt: skip


def test_a_mistake_in_another_environment_is_told_as_its_own(tmp_path: Path) -> None:
    """It is no pass, and no mistake of this environment."""
    given(tmp_path, "production", SECRET_KEY=SECRET, DATABASE_URL="postgres://a:two-pass@h/p")
    production, _ = two(tmp_path, required=REQUIRED)
    assert production.site.context is not None
    production.site.context.config["deploy"]["environments"]["staging"]["store"] = {"kind": "folder"}
    said = secrets_differ(Subject(production, None))
    assert (said.answer, "staging.store.kind: 'folder' is unknown" in said.evidence) == ("fail", True)


def test_a_store_that_is_silent_is_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be compared is not distinct."""
    from deploytasks.providers.directory import DirectoryStore

    given(tmp_path, "production", SECRET_KEY=SECRET, DATABASE_URL="postgres://a:two-pass@h/p", WORKERS="2")
    production, _ = two(tmp_path, required=REQUIRED)

    def silent(self: object, key: str) -> None:
        raise Unreachable("no route to host")

    monkeypatch.setattr(DirectoryStore, "get", silent)
    said = secrets_differ(Subject(production, None))
    assert said[:2] == ("fail", "unreachable: the ledger of staging: no route to host")


# -- all of it -----------------------------------------------------------------


def test_no_value_in_any_answer(tmp_path: Path) -> None:
    """Whatever is wrong with secrets: the answers, the hidden texts and the ledger have none of them."""
    given(tmp_path, "production", SECRET_KEY="short-one", DATABASE_URL=SECRET, WORKERS="x")
    required = [
        {"name": "SECRET_KEY", "secret": True, "least": 30, "allowed": ["a"], "pattern": "[0-9]+"},
        {"name": "DATABASE_URL", "secret": True, "format": "url", "forbidden": [SECRET]},
    ]
    production, _ = two(tmp_path, required=required)
    production.settings = replace(
        production.settings, sections={**production.settings.sections, "gates": _gates("production")}
    )
    results: list[Result] = list(evaluate_items(ITEMS, Subject(production, None)))
    text = " ".join(found.evidence for found in results)
    assert "short-one" not in text
    assert SECRET not in text
    assert "DATABASE_URL has a forbidden value" in text
    assert redaction.clean(f"it was {SECRET} and short-one") == "it was *** and ***"


def _gates(level: str) -> Any:
    from deploytasks.settings.gates import Gates

    return Gates(level=level)  # type: ignore[arg-type]  # one of the three


def test_they_are_on_the_checklist(tmp_path: Path) -> None:
    """Staging asks for three of the four, development for none."""
    for level, expected in (("development", 0), ("staging", 3), ("production", 4)):
        results = evaluate(Subject(world(tmp_path, gates={"level": level}), None))
        own = [found for found in results if found.item.startswith("configuration.")]
        assert len(own) == 4
        assert len([found for found in own if "not demanded" not in found.evidence]) == expected


def test_what_is_said_for_all_is_shared_on_purpose(tmp_path: Path) -> None:
    """The store's credentials, what stands below `deploy:` for all, and what is named as shared are never compared."""
    metrics = {"kind": "prometheus", "url": "https://p.example", "counts": "django"}
    made = world(
        tmp_path,
        metrics={**metrics, "token_from": "METRICS_TOKEN"},
        alerts={"kind": "alertmanager", "url": "https://a.example", "match": {"a": "b"}, "token_from": "ALERTS_TOKEN"},
        people={"pseudonyms": True, "key_from": "PEOPLE_KEY"},
        variables={"shared": ["ALERTS_TOKEN"]},
    )
    store = PostgresStoreSettings(url_from="STORE_URL")
    made.settings = replace(made.settings, sections={**made.settings.sections, "store": store})
    assert {one.name: (one.named_by, one.shared) for one in secrets(made)} == {
        "METRICS_TOKEN": ("metrics.token_from", False),
        "ALERTS_TOKEN": ("alerts.token_from", True),
        "STORE_URL": ("store.url_from", True),
        "PEOPLE_KEY": ("people.key_from", True),
    }


def test_each_checklist_records_the_fingerprints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every environment, at every level; but not when it only shows what it would do."""
    monkeypatch.setenv("SECRET_KEY", SECRET)
    made = world(tmp_path, gates={"level": "development"}, variables={"required": REQUIRED[:1]})
    proving.check(made, memory.release(), preview=True)
    assert [] == list(made.ledger.events())
    proving.check(made, memory.release())
    assert [event.kind for event in made.ledger.events()] == ["checked", "secrets"]
