"""People by a stable id: the same everywhere with the key, no clear name in the store, nobody's after forgetting."""

from __future__ import annotations

import getpass
import os
import socket
import threading
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
from invoke import Config, Context
from lab.github import github

from deploytasks import executor, plans, redaction
from deploytasks.checklist.review import REVIEWED
from deploytasks.checklist.subject import Subject
from deploytasks.errors import LeaseHeld, UsageError
from deploytasks.ledger import Holder, Lease
from deploytasks.operations import answers, opening
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.people import people
from deploytasks.operations.recorded import recorded
from deploytasks.providers.github import GitHub
from deploytasks.pseudonyms import Names, plain, unveiled
from deploytasks.settings.github import GitHubSettings
from deploytasks.world import World

KEY = "kR7-a-long-and-random-text-for-all-who-deploy"
NAMES = ("annabelle", "annas-laptop", "Annabelle Winter")


@pytest.fixture(autouse=True)
def annas_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Anna at her laptop, in a project below her home; only the executor's own check is set aside."""
    home = tmp_path / "home" / "annabelle"
    (home / "project").mkdir(parents=True)
    (home / "project" / "tasks.py").touch()
    monkeypatch.chdir(home / "project")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("DEPLOY_WHO", raising=False)
    monkeypatch.setenv("PEOPLE_KEY", KEY)
    monkeypatch.setattr(getpass, "getuser", lambda: "annabelle")
    monkeypatch.setattr(socket, "gethostname", lambda: "annas-laptop")
    named = os.uname()
    fields = (named.sysname, "annas-laptop", *tuple(named)[2:])
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(fields))
    monkeypatch.setattr(executor, "require", lambda: None)
    monkeypatch.setattr(redaction, "_told", set())
    return home / "project"


def context(**people: Any) -> Context:
    """A project's configuration."""
    environment = {
        "traffic": {"kind": "envoy"}, "metrics": {"kind": "envoy"},
        "fleet": {"kind": "local", "colors": {"blue": "127.0.0.1:1", "green": "127.0.0.1:2"}, "start": "true"},
        "store": {"kind": "directory", "path": "ledger"},
    }  # fmt: skip
    said = {"pseudonyms": True, "key_from": "PEOPLE_KEY", **people}
    config = {"application": "library", "people": said, "environments": {"test": environment}}
    return Context(Config(overrides={"deploy": config}))


def opened(folder: Path, c: Context | None = None) -> World:
    """The world in memory, with who deploys, and where, as the configuration has it."""
    real = opening.open_world(c or context(), "test")
    made = memory.world(folder)
    made.site = real.site._replace(sections=made.site.sections, context=None)
    made._ports.sections["store"] = real.store  # type: ignore[attr-defined]  # those in memory
    return made


def everything_in(folder: Path) -> bytes:
    """Each byte of all files, and their names."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    return b"\n".join(str(file.relative_to(folder)).encode() + b"\n" + file.read_bytes() for file in files)


def deploy(world: World, root: Path) -> None:
    """A deployment whose archive lies below the home folder, as archives do."""
    release = memory.release()._replace(archive=str(root / ".deploy" / "artifacts" / "1.0.0.tar.gz"))
    carry_out(world, partial(plans.deploy, release=release), task="deploy")


def test_no_clear_name_is_in_the_store(tmp_path: Path, annas_machine: Path) -> None:
    """After a deployment no byte of the store has the person, the machine, or the path of their home."""
    world = opened(tmp_path)
    deploy(world, annas_machine)
    world.note("note", text=f"cannot read {annas_machine}/x: annabelle@annas-laptop may not, nor may {Path.home()}/y")
    found = everything_in(annas_machine / "ledger").lower()
    assert [] == [name for name in NAMES if name.lower().encode() in found]
    assert KEY.encode() not in found
    events = list(world.ledger.events())
    assert {event.who for event in events} == {world.site.who}
    assert events[-1].facts["text"] == f"cannot read {{project}}/x: {world.site.who} may not, nor may {{home}}/y"
    assert world.ledger.verify().ok


def test_all_of_them_would_be_there(tmp_path: Path, annas_machine: Path) -> None:
    """The same deployment without pseudonyms leaves person, machine and path in the store."""
    deploy(opened(tmp_path, context(pseudonyms=False)), annas_machine)
    found = everything_in(annas_machine / "ledger")
    assert all(text in found for text in (b"annabelle@", b"annas-laptop", str(Path.home()).encode()))


def test_while_it_runs_and_when_the_lease_is_held(tmp_path: Path, annas_machine: Path) -> None:
    """The lease has no clear name either, and its holder is known again as a process of this machine."""
    world = opened(tmp_path)
    with opening.leased(world, "deploy"):
        found = everything_in(annas_machine / "ledger").lower()
        assert [] == [name for name in NAMES if name.lower().encode() in found]
        lease = answers.status(world)["lease"]
        assert (lease["dead"], lease["who"], lease["host"]) == (False, "annabelle", "annas-laptop")
        with pytest.raises(LeaseHeld, match="annabelle on annas-laptop") as refused, opening.leased(world, "deploy"):
            pass
        assert "annabelle on annas-laptop" in str(refused.value)


def test_what_others_have_spooled(tmp_path: Path, annas_machine: Path) -> None:
    """A switch that fired writes to the spool and knows no ids; the ledger gets them all the same."""
    world = opened(tmp_path)
    world.spool.put("deadman-failed", {"why": f"no {annas_machine}/x"}, world.clock.now(), world.site.who)
    world.catch_up()
    (event,) = world.ledger.events()
    assert event.facts["why"] == "no {project}/x"


def test_a_dead_holder_is_known_as_one(tmp_path: Path) -> None:
    """Its machine is ours, under the same id: that its process is gone is seen at once."""
    world = opened(tmp_path)
    gone = Holder.here(world.site.who, lambda pid: "4194304:1:gone", world.site.host)
    Lease.take(world.store, world.scope, gone, "deploy", clock=world.clock, is_alive=lambda known: False)
    assert answers.status(world)["lease"]["dead"] is True


def test_a_plan_with_veiled_paths_can_be_gone_on_with(tmp_path: Path, annas_machine: Path) -> None:
    """A recorded plan has the project's folder again when it is read."""
    world = opened(tmp_path)
    deploy(world, annas_machine)
    from deploytasks.operations.recorded import read

    began = next(event for event in world.ledger.events() if event.kind == "began")
    plan = read(world, str(began.facts["deployment"]), began.number).plan
    assert plan.release is not None
    assert plan.release.archive == str(annas_machine / ".deploy" / "artifacts" / "1.0.0.tar.gz")
    assert recorded(world) is None


def test_the_same_id_on_every_machine_with_the_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """However the name is written and wherever; another key, another id."""
    here = opening.open_world(context(), "test").site
    monkeypatch.setattr(socket, "gethostname", lambda: "ci-7")
    monkeypatch.setenv("DEPLOY_WHO", "  Annabelle@ci ")
    there = opening.open_world(context(file=str(tmp_path / "elsewhere.json")), "test").site
    assert here.who == there.who
    assert here.host != there.host
    assert here.who.startswith("p-")
    assert len(here.who) == 14
    monkeypatch.setenv("PEOPLE_KEY", "another key")
    assert opening.open_world(context(), "test").site.who != here.who


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Ann", "ann"), ("ann@laptop", "ann"), ("ANN@ci ", "ann"), ("Ann@Example.com", "ann@example.com"),
        ("Ann Winter", "ann winter"), ("@ci", "@ci"), ("Zoe\u0308", "zo\xeb"),
    ],
)  # fmt: skip
def test_names_as_they_are_compared(given: str, expected: str) -> None:
    """A machine behind the name is left out; an address of e-mail is one name."""
    assert expected == plain(given)


def test_names_are_shown_to_whoever_has_the_file(tmp_path: Path, annas_machine: Path) -> None:
    """Status, history and report translate; without the file they show ids, and nothing fails."""
    world = opened(tmp_path)
    deploy(world, annas_machine)
    shown = [answers.history(world), answers.report(world, None), answers.status(world)]
    assert all("annabelle" in str(one) and world.site.who not in str(one) for one in shown)
    assert world.site.names is not None
    assert world.site.names.file.stat().st_mode & 0o777 == 0o600
    world.site.names.file.unlink()
    shown = [answers.history(world), answers.report(world, None), answers.status(world)]
    assert all("annabelle" not in str(one) and world.site.who in str(one) for one in shown)


def test_who_is_forgotten_stays_forgotten(
    tmp_path: Path, annas_machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line of the file is gone, nobody can tell, and the chain still verifies."""
    world = opened(tmp_path)
    deploy(world, annas_machine)
    assert world.site.names is not None
    other = world.site.names.person("Ben")
    world.site.names.save()
    people(context(), "test", forget="annabelle", json=False, preview=True)
    assert "would forget p-" in capsys.readouterr().err
    assert world.site.who in world.site.names.known()
    head = world.ledger.head().digest
    world.site.names.forget("Annabelle")
    assert world.site.who not in world.site.names.known()
    assert world.site.names.known()[other] == "ben"
    assert opening.open_world(context(), "test", need=("store",)).site.who == world.site.who
    assert "annabelle" not in str(answers.history(world))
    assert (world.ledger.verify().ok, world.ledger.head().digest) == (True, head)
    with pytest.raises(UsageError, match="nobody called 'carl' is in"):
        people(context(), "test", forget="carl", json=False, preview=False)
    asking = context()
    asking.config["deploy"]["environments"]["test"]["protected"] = True
    with pytest.raises(UsageError, match="test is protected, and nobody is at a terminal"):
        people(asking, "test", forget=other, json=False, preview=False)
    people(asking, "test", forget=other, json=False, preview=False, consent=True)
    people(context(), "test", forget=None, json=True, preview=False)
    assert "ben" not in capsys.readouterr().out


def test_without_the_key_nothing_begins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, annas_machine: Path) -> None:
    """Code 2 before anything; whoever only looks may, and a way back is recorded as nobody's."""
    monkeypatch.delenv("PEOPLE_KEY")
    with pytest.raises(UsageError, match="PEOPLE_KEY is not set"):
        opening.open_world(context(), "test")
    looking = opening.open_world(context(), "test", need=("store",))
    assert looking.site.who == "p-unknown"
    made = memory.world(tmp_path)
    made.site = looking.site._replace(sections=made.site.sections)
    with pytest.raises(UsageError, match="PEOPLE_KEY is not set"), opening.leased(made, "deploy"):
        pass
    with pytest.raises(UsageError, match="PEOPLE_KEY is not set"):
        made.note("note", text="x")
    with made.going_back():
        event = made.note("note", text="x")
    assert event is not None
    assert (event.who, (annas_machine / ".deploy" / "people.json").exists()) == ("p-unknown", False)


def test_a_mistake_under_people_does_not_stop_a_way_back() -> None:
    """It is told where all is validated; elsewhere, whoever goes back is nobody."""
    wrong = context(pseudonyms="perhaps")
    assert opening.open_world(wrong, "test", need=("traffic", "fleet")).site.who == "p-unknown"
    with pytest.raises(UsageError, match=r"people\.pseudonyms"):
        opening.open_world(wrong, "test")


def test_without_pseudonyms_all_is_as_it_was() -> None:
    """Names are recorded; and there is nobody to forget."""
    c = context(pseudonyms=False)
    site = opening.open_world(c, "test").site
    assert (site.who, site.host, site.names) == ("annabelle@annas-laptop", "", None)
    assert site.recorded("Ben") == "Ben"
    with pytest.raises(UsageError, match="people are recorded by name"):
        people(c, "test", forget=None, json=False, preview=False)


def test_many_at_once_lose_nobody(tmp_path: Path) -> None:
    """Twenty who are seen for the first time at once are all in the file."""
    names = Names(KEY, tmp_path / "people.json", "PEOPLE_KEY")

    def seen(number: int) -> None:
        own = Names(KEY, names.file, "PEOPLE_KEY")
        own.person(f"person {number}")
        own.save()

    threads = [threading.Thread(target=seen, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names.known().values()) == sorted(f"person {number}" for number in range(20))


def test_what_is_not_a_name_stays(tmp_path: Path) -> None:
    """An id stays an id; a text that only contains a hidden one is another text."""
    names = Names(KEY, tmp_path / "people.json", "PEOPLE_KEY")
    mine = names.person("ann")
    assert mine == names.person(mine)
    names.hide("/home/ann", "{home}")
    names.hide_in_sentences("green", mine)
    assert names.veiled(["green", "green and greener", {"plan": "run green"}]) == [
        "green", f"{mine} and greener", {"plan": f"run {mine}"},
    ]  # fmt: skip
    assert names.veiled("run green in /home/ann/x", sentences=False) == "run green in {home}/x"
    assert names.veiled(["/home/ann/x", "/home/annabelle", {"a": ("/home/ann",)}]) == [
        "{home}/x", "/home/annabelle", {"a": ["{home}"]},
    ]  # fmt: skip
    assert unveiled({"a": ["{project}/x", 1]}, Path("/p")) == {"a": ["/p/x", 1]}


def test_reviewers_are_recorded_by_their_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the screen the evidence names who approved; in the ledger it has their ids."""
    world = opened(tmp_path)
    with github() as hub:
        monkeypatch.setenv("GITHUB_TOKEN", hub.token)
        pull = hub.pull(7, "head-of-7")
        for login in ("bob", "eve"):
            hub.approve(pull, login)
        hub.merge(pull, memory.release().commit)
        section = GitHubSettings(repository="octo/library", url=hub.url)
        world._ports.sections["reviews"] = GitHub(section, world.site)  # type: ignore[attr-defined]  # those in memory
        found = REVIEWED.look(Subject(world, memory.release()))
        assert [] == hub.broken
    assert found.evidence == "#7 into main was approved by bob and eve"
    event = world.note("checked", results=[["code.reviewed", found.answer, found.evidence]])
    bob, eve = world.site.recorded("bob"), world.site.recorded("eve")
    assert event is not None
    assert event.facts["results"] == [["code.reviewed", "pass", f"#7 into main was approved by {bob} and {eve}"]]
    assert "approved by bob and eve" in str(answers.history(world))
