from __future__ import annotations

import sys
from typing import Any

import pytest
from invoke.config import Config

from deploytasks import providers
from deploytasks.errors import SettingsError, UsageError
from deploytasks.settings import load, plain
from deploytasks.settings.kinds import DEFAULTS, GROUPS, KINDS, MANY, REQUIRED, TOLD, model
from deploytasks.settings.several import parts

SECTIONS: dict[str, Any] = {
    "traffic": {"kind": "envoy"},
    "fleet": {"kind": "local", "colors": {"blue": "127.0.0.1:8101", "green": "127.0.0.1:8102"}, "start": "run {port}"},
    "metrics": {"kind": "envoy"},
}
ALERTS = "known: alertmanager, cloudwatch, file, pagerduty"


def section(**own: Any) -> dict[str, Any]:
    """A ``deploy:`` section with one environment, ``staging``."""
    return {"application": "library", "environments": {"staging": {**SECTIONS, **own}}}


def mistakes(config: dict[str, Any], need: set[str] | None = None) -> list[str]:
    """The mistakes that loading reports."""
    with pytest.raises(SettingsError) as raised:
        load(config, "staging", need)
    return raised.value.mistakes


def mistake(config: dict[str, Any], need: set[str] | None = None) -> str:
    """The one mistake that loading reports."""
    (only,) = mistakes(config, need)
    return only


def at(path: str, sentence: str) -> str:
    """A mistake's line."""
    return f"deploy.environments.staging.{path}: {sentence}"


def test_defaults_are_those_of_the_design() -> None:
    """What nobody configures is what DESIGN's table of defaults says."""
    settings = load(section(), "staging", {"rollout", "smoke", "warm_up"})
    rollout = settings.rollout
    assert ("library", "staging", ".deploy", False, False) == (
        settings.application,
        settings.name,
        settings.state,
        settings.protected,
        settings.dirty,
    )
    assert (10, 25, 50, 75, 100) == rollout.stages
    assert (300, 1800, 15, 900, 86400) == (
        rollout.watch,
        rollout.bake,
        rollout.poll,
        rollout.hold,
        rollout.way_back,
    )
    assert (0.02, 2.0, 0.5, 0, 3) == tuple(rollout.rollback_when.model_dump().values())
    assert (0.01, 0.5, 1.0, 0.1, 0.8, 5.0, 0.7, 0.8, 0.9) == tuple(rollout.warn_when.model_dump().values())


def test_units_read_like_speech() -> None:
    """Durations and shares may be written as people say them."""
    rollout = load(section(watch="1m30s", poll="500ms", warn_when={"errors": "1.5 %"}), "staging", {"rollout"}).rollout
    assert (90, 0.5, 0.015) == (rollout.watch, rollout.poll, rollout.warn_when.errors)


def test_all_mistakes_are_reported_at_once() -> None:
    """One run tells everything that is wrong, in every part."""
    config = section(stages=[50, 40, 100], poll="soon", smoke={"checks": [{"name": "home"}]}, metrics={"kind": "envoi"})
    config["application"] = "my app"
    config["sauce"] = "."
    found = mistakes(config)
    assert [
        "deploy.application",
        "deploy.sauce",
        "deploy.environments.staging.stages[1]",
        "deploy.environments.staging.poll",
        "deploy.environments.staging.smoke.checks[0].path",
        "deploy.environments.staging.metrics.kind",
    ] == [one.partition(": ")[0] for one in found]


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ([10, 75, 60, 100], at("stages[2]", "60 is below 75: stages must rise")),
        ([10, 10, 100], at("stages[1]", "10 comes twice: stages must rise")),
        ([10, 50], at("stages[1]", "50 is the last stage: it must be 100")),
        ([0, 100], at("stages[0]", "0 is not a whole percentage from 1 to 100")),
        ([10, "half", 100], at("stages[1]", "'half' is not a whole percentage from 1 to 100")),
        ([True, 100], at("stages[0]", "True is not a whole percentage from 1 to 100")),
        ([], at("stages", "a list such as [10, 50, 100] is needed, not []")),
        (10, at("stages", "a list such as [10, 50, 100] is needed, not 10")),
    ],
)
def test_stages_rise_to_100(stages: object, expected: str) -> None:
    """A list of stages that falls, stays, stops short or is no list is told where it does."""
    assert expected == mistake(section(stages=stages), {"rollout"})


def test_several_wrong_stages_are_several_mistakes() -> None:
    """Each wrong stage has its own line."""
    assert 2 == len(mistakes(section(stages=[50, 40, 30, 100]), {"rollout"}))


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"watch": "0s"}, at("watch", "'0s' is not above 0")),
        ({"watch": "nan"}, at("watch", "'nan' is not above 0")),
        ({"watch": "inf"}, at("watch", "a finite number is needed, not 'inf'")),
        (
            {"watch": "10s", "poll": "15s"},
            at("poll", "15 s is longer than `watch` (10 s): a stage would never be read"),
        ),
        ({"bake": "-1s"}, at("bake", "'-1s' is not a duration: write 90s, 5m or 24h")),
        ({"bake": -1}, at("bake", "-1 is below 0")),
        ({"keep_releases": 0}, at("keep_releases", "0 is below 1")),
        ({"parallel": "many"}, at("parallel", "a whole number is needed, not 'many'")),
        ({"protected": "perhaps"}, at("protected", "true or false is needed, not 'perhaps'")),
        ({"rule": "gut"}, at("rule", "'gut' is none of 'sequential' or 'threshold'")),
        ({"rollback_when": {"errors": 2}}, at("rollback_when.errors", "2 is not between 0 and 1: write 2% or 0.02")),
        ({"rollback_when": {"p99": "0.5ms"}}, at("rollback_when.p99", "'0.5ms' is below 0.001")),
        ({"rollback_when": 2}, at("rollback_when", "a section is needed, not 2")),
        ({"rollback_when": {"p95": "1s"}}, at("rollback_when.p95", "unknown key; did you mean `p99`?")),
        (
            {"warn_when": {"errors": "3%"}},
            at("warn_when.errors", "0.03 is not below rollback_when.errors (0.02): it would never warn"),
        ),
        (
            {"rollback_when": {"p99": "900ms"}},
            at("warn_when.p99", "1 is not below rollback_when.p99 (0.9): it would never warn"),
        ),
    ],
)
def test_values_out_of_range(own: dict[str, Any], expected: str) -> None:
    """A value that cannot be meant is told in one sentence, with its path."""
    assert expected == mistake(section(**own), {"rollout"})


def test_an_empty_list_of_checks_is_told_once() -> None:
    """A list whose only item is wrong is not also called too short."""
    assert at("smoke.checks[0].path", "missing") == mistake(section(smoke={"checks": [{"name": "a"}]}), {"smoke"})


def test_a_check_named_twice() -> None:
    """Two checks of one name could not be told apart in a report."""
    checks = [{"name": "a", "path": "/"}, {"name": "a", "path": "/b"}]
    assert mistake(section(smoke={"checks": checks}), {"smoke"}).startswith(at("smoke.checks[1].name", "'a' is taken"))


def test_a_typo_elsewhere_cannot_block_a_rollback() -> None:
    """Only what is needed is validated: wrong metrics, stages, smoke checks and unknown keys are not seen."""
    config = section(metrics={"kynd": 1}, stages="all", smoke=3, alarts={}, warn_when={"errors": 7})
    config["tets"] = "pytest"
    settings = load(config, "staging", {"traffic", "fleet"})
    assert {"traffic", "fleet"} == settings.sections.keys()


def test_what_was_not_asked_for_is_not_there() -> None:
    """Reading a part that was not loaded is a bug, and says how to mend it."""
    settings = load(section(), "staging", {"traffic"})
    with pytest.raises(LookupError, match="`rollout` was not asked for"):
        _ = settings.rollout


def test_models_of_other_sections_are_not_imported() -> None:
    """A section that is not needed costs no import."""
    name = "deploytasks.settings.watchdog"
    sys.modules.pop(name, None)
    load(section(deadman={"kind": "watchdog"}), "staging", {"traffic"})
    assert name not in sys.modules


def test_a_missing_section_that_is_misspelled() -> None:
    """A required section under another name is recognized."""
    config = section(trafic={"kind": "envoy"})
    del config["environments"]["staging"]["traffic"]
    expected = at("traffic", "missing; did you mean it by `trafic`?; kinds: alb, ecs, envoy, haproxy")
    assert expected == mistake(config, {"traffic"})


@pytest.mark.parametrize("name", sorted(set(KINDS) - REQUIRED))
def test_optional_sections_may_be_absent(name: str) -> None:
    """Alerts, database and the others are there when somebody configures them."""
    assert name not in load(section(), "staging", {name}).sections


def test_the_store_has_a_default() -> None:
    """Without a word, the ledger is in a folder on this machine."""
    settings = load(section(), "staging", {"store"})
    assert "directory" == settings.sections["store"].model_dump()["kind"]


@pytest.mark.parametrize("kind", [None, {"kind": "directory"}, {"kind": "directory", "shared": False}])
def test_a_protected_environment_needs_a_shared_store(kind: object) -> None:
    """A folder of one machine is a mistake there, said or not, and what to do is said with it."""
    config = section(protected=True, **({"store": kind} if kind else {}))
    found = mistake(config)
    assert found.startswith(at("store", "a folder of one machine, and the environment is protected"))
    assert "{kind: postgres} or {kind: s3}" in found
    assert "`shared: true`" in found


@pytest.mark.parametrize(
    "own",
    [
        {"protected": True, "store": {"kind": "directory", "shared": True}},
        {"protected": True, "store": {"kind": "postgres", "url_from": "LEDGER_URL"}},
        {"protected": True, "store": {"kind": "s3", "bucket": "acme-ledger"}},
        {"protected": False},
    ],
)
def test_a_store_that_is_shared_or_need_not_be(own: dict[str, Any]) -> None:
    """A database, or a folder that all who deploy share, is fine; and where nothing is protected, any folder."""
    assert "store" in load(section(**own), "staging").sections


@pytest.mark.parametrize("need", [{"traffic", "fleet", "store"}, {"store"}])
def test_an_unshared_store_blocks_no_way_back(need: set[str]) -> None:
    """Rollback, status and history read what they need, from whatever store there is."""
    assert "store" in load(section(protected=True), "staging", need).sections


def test_a_section_may_be_a_list() -> None:
    """Where several systems do the same thing, each has settings of its own, in the order in which they are written."""
    several = [{"kind": "redis", "url_from": "REDIS_URL"}, {"kind": "envoy", "message": "Soon."}]
    found = load(section(maintenance=several), "staging", {"maintenance"}).sections["maintenance"]
    assert ["redis", "envoy"] == [getattr(part, "kind", "") for part in parts(found)]
    one = load(section(maintenance=several[1]), "staging", {"maintenance"}).sections["maintenance"]
    assert ((one,), ()) == (parts(one), parts(None))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([{"kind": "envoy"}, {"kind": "reddis"}], "maintenance[1].kind: 'reddis' is unknown; did you mean `redis`?"),
        ([{"kind": "envoy"}, "envoy"], "maintenance[1]: a section such as {kind: alb} is needed, not 'envoy'"),
        ([{"kind": "envoy", "retry": 3}], "maintenance[0].retry: unknown key; did you mean `retry_after`?"),
        ([{"kind": "redis"}], "maintenance[0]: say where it is: `url`, or `url_from`"),
        ([], "maintenance: a section such as {kind: alb} is needed, not []"),
    ],
)
def test_mistakes_in_a_list_have_their_place(given: object, expected: str) -> None:
    """The path of a mistake says in which part of a list it is."""
    assert mistake(section(maintenance=given), {"maintenance"}).startswith(f"deploy.environments.staging.{expected}")


def test_other_sections_may_not_be_lists() -> None:
    """There is one balancer, one store: a list of them is a mistake."""
    found = mistake(section(traffic=[{"kind": "envoy"}]), {"traffic"})
    assert found.startswith(at("traffic", "a section such as {kind: alb} is needed"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, at("alerts", "a section such as {kind: alertmanager} is needed, not nothing")),
        ("file", at("alerts", "a section such as {kind: alertmanager} is needed, not 'file'")),
        ({}, at("alerts.kind", f"missing; {ALERTS}")),
        ({"kind": "fiel"}, at("alerts.kind", f"'fiel' is unknown; did you mean `file`?; {ALERTS}")),
        ({"kind": ["file"]}, at("alerts.kind", f"['file'] is unknown; did you mean `file`?; {ALERTS}")),
    ],
)
def test_a_section_without_a_usable_kind(given: object, expected: str) -> None:
    """What kinds there are is said where one is missing or unknown."""
    assert expected == mistake(section(alerts=given), {"alerts"})


def test_an_unknown_environment_lists_the_known_ones() -> None:
    """A wrong --env is wrong usage, with a guess and the choice."""
    with pytest.raises(UsageError) as raised:
        load(section(), "stagin")
    assert 2 == raised.value.exit_code
    assert "no environment 'stagin'; did you mean `staging`?" in str(raised.value)
    assert "choose one of: staging" in str(raised.value)


def test_env_must_be_said() -> None:
    """Even with one environment nobody guesses where to deploy."""
    with pytest.raises(UsageError, match="say --env, one of: staging"):
        load(section(), None)


@pytest.mark.parametrize("config", [{}, {"environments": None}, {"environments": {}}, {"environments": [1]}])
def test_no_environment_at_all(config: dict[str, Any]) -> None:
    """An empty configuration says how to get one."""
    with pytest.raises(UsageError, match="deploytasks init"):
        load(config, "staging")


def test_an_environment_that_is_no_section() -> None:
    """An environment written as a word is told so."""
    config = {"application": "library", "environments": {"staging": "yes"}}
    assert "deploy.environments.staging: a section is needed, not 'yes'" == mistake(config)


def test_an_environment_name_that_would_leave_its_folder() -> None:
    """The name becomes a folder; it must be one."""
    with pytest.raises(SettingsError, match="letters, digits"):
        load({"application": "library", "environments": {"../x": SECTIONS}}, "../x", set())


def test_settings_cannot_be_changed() -> None:
    """Settings are frozen, and so are their parts."""
    settings = load(section(), "staging", {"rollout"})
    with pytest.raises(AttributeError):
        settings.parallel = 2  # type: ignore[misc]  # that is the point
    with pytest.raises(ValueError, match="frozen"):
        settings.rollout.poll = 1


def test_the_two_tables_agree() -> None:
    """Every kind that has a provider has a model, and the other way round; the console is no provider but a view."""
    opened = {name: kinds.keys() for name, kinds in providers.KINDS.items()}
    assert opened == {name: kinds.keys() - {"console"} for name, kinds in KINDS.items()}
    assert DEFAULTS.keys() <= REQUIRED <= KINDS.keys()
    assert MANY == providers.JOINED.keys() | TOLD


@pytest.mark.parametrize("target", [*GROUPS.values(), *(one for kinds in KINDS.values() for one in kinds.values())])
def test_every_model_is_frozen_and_closed(target: str) -> None:
    """All models can be imported, refuse unknown keys (but where people choose them) and cannot be changed."""
    config = model(target).model_config
    assert config.get("frozen")
    assert ("allow" if target == GROUPS["links"] else "forbid") == config.get("extra")


def test_links_are_https_and_name_only_what_is_known() -> None:
    """Words of people's own, for all environments and for one; no address that holds a password or tells it."""
    links = {"dashboard": "https://grafana.example/d/shop?version={version}"}
    config = {**section(links={"logs": "https://logs.example/{environment}"}), "links": links}
    found = load(config, "staging", {"links"}).sections["links"]
    assert {**links, "logs": "https://logs.example/{environment}"} == found.templates  # type: ignore[attr-defined]
    for bad in ("http://x.example", "https://ann:hunter22@x.example/", "https://x.example/{secret}", "ftp://x"):
        said = mistake(section(links={"dashboard": bad}), {"links"})
        assert ("links.dashboard" in said, "hunter22" in said) == (True, False)


def test_plain_turns_invokes_proxies_into_dicts() -> None:
    """What Invoke hands out becomes plain data, also for keys that look like methods of a dict."""
    given = {"deploy": {"keys": {"items": 1}, "list": [{"a": {"b": 2}}], "none": None}}
    proxy = Config(overrides=given)
    result = plain(proxy.deploy)
    assert given["deploy"] == result
    assert dict is type(result["keys"])


def test_a_url_in_the_place_of_a_variables_name_keeps_its_password() -> None:
    """The mistake is shown without the password, also where only the beginning of a long URL is."""
    url = f"postgresql://deployer:{'s3cret' * 5}@db.example.org/shop"
    found = mistake(section(store={"kind": "postgres", "url_from": url}))
    assert "'postgresql://deployer:***@db.example... is no name of a variable" in found
    assert "s3cret" not in found


def test_what_a_section_cannot_do_without_is_loaded_with_it() -> None:
    """CloudWatch asks about the groups of the balancer, and the balancer is at AWS: both come with it, whatever else is
    needed."""
    group = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-{}/1"
    traffic = {
        "kind": "alb",
        "public": "https://shop.example",
        "listener": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/shop/1/2",
        "groups": {color: group.format(color) for color in ("blue", "green")},
    }
    environment = {"traffic": traffic, "metrics": {"kind": "cloudwatch"}}
    config = {"application": "shop", "environments": {"production": environment}}
    assert load(config, "production", ("metrics",)).sections.keys() == {"metrics", "traffic", "aws"}
