"""What is left behind goes as `retain` says, and nothing goes that something stands on."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
from hypothesis import given, strategies as st
from invoke import Config, Context

from deploytasks import executor, plans
from deploytasks.errors import SettingsError, Unreachable
from deploytasks.operations import opening, retaining
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.retaining import Kept, calls, going, let_go, surplus
from deploytasks.ports import Backup, Release, release_name
from deploytasks.providers.copies import Copies
from deploytasks.settings.retain import Limit, Retain, limit
from deploytasks.view.sentences import sentence
from deploytasks.world import World

DAY = timedelta(days=1)


def world(folder: Path, **retain: Any) -> World:
    """A world in memory with a retention."""
    return memory.world(folder, retain=retain, bake="0s", watch="15s", stages=[100])


def built(world: World, version: str, days: float, release: Release | None = None) -> str:
    """An artifact that was built some days before the world's now; its name."""
    of = release or memory.release(version)
    world.artifacts.mkdir(parents=True, exist_ok=True)
    name = release_name(of.version, of.digest)
    facts = {"version": of.version, "commit": of.commit, "digest": of.digest, "dirty": False}
    at = (world.clock.now() - days * DAY).timestamp()
    for file, content in ((f"{name}.tar.gz", "archive"), (f"{name}.json", json.dumps(facts))):
        (world.artifacts / file).write_text(content)
        os.utime(world.artifacts / file, (at, at))
    return name


def deploy(world: World, version: str) -> None:
    """Deploy a version, as a process of its own does."""
    world.deployment, world.has_claimed = "", False
    carry_out(world, partial(plans.deploy, release=memory.release(version)), task="deploy")


# -- the limit -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [("20", Limit(newest=20)), ("1", Limit(newest=1)), ("90d", Limit(age=90 * 86400.0)), ("36h", Limit(age=129600.0))],
)
def test_a_limit(given: str, expected: Limit) -> None:
    """So many, or so long."""
    assert expected == limit(given)


@pytest.mark.parametrize("wrong", [0, "0", "-1", "0d", "many", True, "5 apples"])
def test_what_is_no_limit(tmp_path: Path, wrong: object) -> None:
    """It is told with its path, before anything is deleted."""
    with pytest.raises(SettingsError, match=r"environments\.test\.retain\.dumps: "):
        world(tmp_path, dumps=wrong)


NOW = datetime(2026, 11, 23, tzinfo=UTC)
THINGS = st.lists(st.integers(0, 400), min_size=1, max_size=30).map(
    lambda days: [Kept(f"n{number}", NOW - day * DAY) for number, day in enumerate(days)]
)


@given(
    THINGS,
    st.one_of(
        st.integers(1, 40).map(lambda n: Limit(newest=n)), st.integers(1, 400).map(lambda d: Limit(age=d * 86400.0))
    ),
)
def test_what_a_limit_lets_go(there: list[Kept], keep: Limit) -> None:
    """Exactly the older ones go, never the newest; and what stays stays when it is asked again."""
    gone = surplus(there, keep, NOW)
    stays = [one for one in there if one.name not in gone]
    assert stays
    assert max(there, key=lambda one: (one.at, one.name)).name not in gone
    if keep.newest is not None:
        assert len(stays) == min(len(there), keep.newest)
        assert all(one.at <= kept.at for one in there if one.name in gone for kept in stays)
    else:
        assert all(NOW - one.at > timedelta(seconds=keep.age or 0) for one in there if one.name in gone)
        assert all(
            NOW - one.at <= timedelta(seconds=keep.age or 0) for one in stays[1:] if one.at < max(o.at for o in stays)
        )
    assert surplus(stays, keep, NOW) == set()


# -- artifacts -----------------------------------------------------------------


def test_nothing_goes_without_a_limit(tmp_path: Path) -> None:
    """What is not said is kept for ever."""
    made = world(tmp_path)
    built(made, "1.0.0", 4000)
    assert going(made).is_nothing


def test_live_idle_and_way_back_stay(tmp_path: Path) -> None:
    """However old: what is live, what is on the idle color, and with it the way back."""
    made = world(tmp_path)
    old = [built(made, version, 400 - number) for number, version in enumerate(("0.8.0", "0.9.0", "1.0.0", "1.1.0"))]
    built(made, "2.0.0", 0)
    deploy(made, "1.0.0")
    deploy(made, "1.1.0")
    retention = Retain(artifacts="30d")
    made.settings = replace(made.settings, sections={**made.settings.sections, "retain": retention})
    assert going(made).artifacts == tuple(sorted(old[:2]))
    let_go(made, going(made))
    left = {file.name.removesuffix(".tar.gz") for file in made.artifacts.glob("*.tar.gz")}
    assert left == {release_name(of.version, of.digest) for of in map(memory.release, ("1.0.0", "1.1.0", "2.0.0"))}
    assert {file.stem for file in made.artifacts.glob("*.json")} == left
    assert made.ledger.head().standing.settled is not None
    (event,) = [event for event in made.ledger.events() if event.kind == "pruned"]
    assert event.facts["artifacts"] == sorted(old[:2])
    assert sentence(event.kind, event.facts) == f"let go: artifacts {', '.join(sorted(old[:2]))}"
    many = [f"a{number}" for number in range(7)]
    assert sentence("pruned", {"reports": many}) == "let go: reports a0, a1, a2, a3, a4 and 2 more"
    assert going(made).is_nothing


def test_what_was_built_today_stays(tmp_path: Path) -> None:
    """Somebody may be between building it and deploying it."""
    made = world(tmp_path, artifacts="1")
    old, *_ = (built(made, "1.0.0", 1.5), built(made, "1.1.0", 0.5), built(made, "2.0.0", 0))
    assert going(made).artifacts == (old,)


def test_what_hosts_have_stays_whatever_the_ledger_says(tmp_path: Path) -> None:
    """A release that somebody put on a color by hand is needed as well."""
    made = world(tmp_path, artifacts="1")
    built(made, "1.0.0", 50)
    gone = built(made, "1.1.0", 40)
    built(made, "2.0.0", 0)
    of = memory.release("1.0.0")
    placed = {"release": of.name, "digest": of.digest, "version": of.version, "running": None}
    memory.state_of(tmp_path).change(colors={"blue": placed})
    assert going(made).artifacts == (gone,)


def test_an_unfinished_deployment_and_an_approved_plan_keep_theirs(tmp_path: Path) -> None:
    """What somebody began or approved lately must still be there when it is gone on with."""
    made = world(tmp_path, artifacts="1")
    began, approved = built(made, "1.0.0", 50), built(made, "1.1.0", 40)
    built(made, "2.0.0", 0)
    assert going(made).artifacts == tuple(sorted((began, approved)))
    of = memory.release("1.0.0")
    made.note("began", deployment="d1", version=of.version, digest=of.digest, plan={})
    made.note(
        "signed", act="approve", item="", about="f" * 64, commit=memory.release("1.1.0").commit, signer="", note=""
    )
    assert going(made).is_nothing
    made.clock.sleep(8 * 86400)
    assert going(made).artifacts == (approved,)


def two(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[World, World]:
    """Staging and production of one application, with a folder of artifacts for both."""
    monkeypatch.setattr(executor, "require", lambda: None)
    (folder / "tasks.py").touch()
    monkeypatch.chdir(folder)

    def environment(name: str) -> dict[str, Any]:
        return {
            "traffic": {"kind": "envoy"}, "metrics": {"kind": "envoy"},
            "fleet": {"kind": "local", "colors": {"blue": "127.0.0.1:1", "green": "127.0.0.1:2"}, "start": "true"},
            "store": {"kind": "directory", "path": f"store-{name}"},
        }  # fmt: skip

    config = {
        "application": "library", "retain": {"artifacts": 1},
        "environments": {name: environment(name) for name in ("staging", "other")},
    }  # fmt: skip
    c = Context(Config(overrides={"deploy": config}))
    made = []
    for name in ("staging", "other"):
        real = opening.open_world(c, name)
        (folder / name).mkdir()
        one = memory.world(folder / name)
        one.settings, one.site = real.settings, real.site
        one._ports.sections["store"] = real.store  # type: ignore[attr-defined]  # those in memory
        made.append(one)
    return made[0], made[1]


def test_what_another_environment_stands_on_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Artifacts are shared: what is live elsewhere stays; while that cannot be asked, all stay."""
    staging, other = two(tmp_path, monkeypatch)
    there, gone = built(staging, "1.0.0", 50), built(staging, "0.9.0", 60)
    built(staging, "2.0.0", 0)
    of = memory.release("1.0.0")
    other.note("settled", deployment="d1", version=of.version, digest=of.digest, commit=of.commit, color="blue")
    assert going(staging).artifacts == (gone,)
    real = type(other.store).get

    def silent(self: Any, key: str) -> Any:
        if "/other/" in key:
            raise Unreachable("the ledger of other does not answer")
        return real(self, key)

    monkeypatch.setattr(type(other.store), "get", silent)
    found = going(staging)
    assert (found.artifacts, found.notes) == ((), ("no artifact goes: the ledger of other does not answer",))
    assert (staging.artifacts / f"{there}.json").exists()


# -- copies and reports --------------------------------------------------------


def test_copies_of_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest copy and that of an unfinished deployment stay; the others go by their age."""
    made = world(tmp_path, dumps="30d")
    assert made.database is not None
    names = ["new", "of-d1", "old", "older"]
    memory.state_of(tmp_path).change(backups=names)
    ages = dict(zip(names, (40, 50, 60, 70), strict=True))
    copies = [Backup(name, made.clock.now() - days * DAY, 1, "d") for name, days in ages.items()]
    monkeypatch.setattr(type(made.database), "backups", lambda self: copies)
    made.note("began", deployment="d1", version="1", digest="d", plan={})
    assert set(going(made).dumps) == {"old", "older"}
    let_go(made, going(made))
    assert memory.state_of(tmp_path).read()["backups"] == ["new", "of-d1"]


def test_real_copies_are_deleted_with_their_notes(tmp_path: Path) -> None:
    """A copy in a folder goes with its note; one that is gone already is no mistake."""
    copies = Copies(tmp_path, ".dump")
    for name in ("a", "b"):
        copies.add(name, {}, NOW, lambda file: file.write_text("x") and None)
    copies.discard(["a", "gone"])
    assert [backup.name for backup in copies.found()] == ["b"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["b.dump", "b.json"]


def test_reports_that_evidence_names_stay(tmp_path: Path) -> None:
    """A report of yesterday's evidence stays; another one goes when there are too many."""
    made = world(tmp_path, reports="1")
    folder = made.site.folder / "reports"
    folder.mkdir(parents=True)
    for number, name in enumerate(("named.txt", "old.txt", "new.txt")):
        (folder / name).write_text(name)
        os.utime(folder / name, (1_000_000 + number, 1_000_000 + number))
    made.note(
        "evidence", item="code.analysis ruff", key="k", ok=True, detail="ruff found nothing (reports/named.txt, …)"
    )
    assert going(made).reports == ("old.txt",)
    let_go(made, going(made))
    assert sorted(file.name for file in folder.iterdir()) == ["named.txt", "new.txt"]


# -- when it is done -----------------------------------------------------------


def test_the_plan_prints_each_call_and_changes_nothing(tmp_path: Path) -> None:
    """The calls have all names; nothing is deleted before they are made."""
    made = world(tmp_path, artifacts=1)
    gone = built(made, "1.0.0", 3)
    built(made, "2.0.0", 0)
    ((call,),) = calls(made, going(made))
    assert call.text == f"delete 1 artifact: {gone}"
    assert (made.artifacts / f"{gone}.tar.gz").exists()


def test_after_a_deployment_that_went_well(tmp_path: Path) -> None:
    """It is done at the end; not after one that was taken back."""
    made = world(tmp_path, artifacts=1)
    gone = built(made, "0.9.0", 3)
    built(made, "1.0.0", 0)
    memory.state_of(tmp_path).set(start_fails=True)
    with pytest.raises(Exception, match="did not become healthy"):
        deploy(made, "1.0.0")
    assert (made.artifacts / f"{gone}.json").exists()
    memory.state_of(tmp_path).set(start_fails=False)
    deploy(world(tmp_path, artifacts=1), "1.0.0")
    assert not (made.artifacts / f"{gone}.json").exists()


def test_it_is_never_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A deployment that went well stays so when nothing can be deleted."""
    made = world(tmp_path, artifacts=1)
    built(made, "0.9.0", 3)
    built(made, "1.0.0", 0)

    def full(self: Path, missing_ok: bool = False) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", full)
    retaining.tidy(made)
    deploy(made, "1.0.0")
    assert "the retention is left for later" in capsys.readouterr().err
    assert made.ledger.head().standing.recent[-1].outcome == "done"
