"""`inv history --format csv|json|html` on real deployments."""

from __future__ import annotations

import csv
import io
import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import memory
import pytest
import stories
from tale import ON_BLUE, ON_GREEN, Tale, a_quarter, plan

from deploytasks.errors import OverThreshold, UsageError
from deploytasks.ledger.chain import EMPTY, event_key, grown, head_key, write_head
from deploytasks.ledger.event import chained
from deploytasks.operations import answers, asking, auditing
from deploytasks.operations.asking import Wanted
from deploytasks.operations.auditing import audit, written
from deploytasks.pseudonyms import Names
from deploytasks.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two deployments, the second one rolled back after a while."""
    tale = Tale()
    tale.began("one", version="1.0.0")
    tale.settled("one")
    tale.began("two", "blue", version="1.1.0", plan=plan(ON_GREEN, "1.0.0"))
    tale.settled("two", "blue")
    made = memory.world(tmp_path)
    for event in tale.events:
        made.ledger.append(event.kind, event.facts)
        made.clock.sleep(1)
    made.clock.sleep(600)
    put_back(made)
    return made


def put_back(world: World) -> None:
    """A rollback that waits in the spool."""
    facts = {"from": ON_BLUE, "to": ON_GREEN, "reason": "slow", "by": "bob"}
    world.spool.put("rolled-back", facts, world.clock.now(), "bob")


def test_real_deployments(tmp_path: Path) -> None:
    """What the engine records is what the export tells: two that went well, and the way back from the second."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    stories.deploy(stories.world(tmp_path), "1.1.0")
    found = stories.world(tmp_path)
    found.clock.sleep(60)
    facts = {"from": ON_GREEN, "to": ON_BLUE, "reason": "slow", "by": "bob"}
    found.spool.put("rolled-back", facts, found.clock.now(), "bob")
    first, second, back = audit(found, Wanted("json", verify=True))["rows"]
    assert (first["version"], first["outcome"], first["engineer"]) == ("1.0.0", "done", "ann@desk")
    assert (second["version"], second["version_before"], second["rollbacks"][0]["who"]) == ("1.1.0", "1.0.0", "bob")
    assert second["duration_seconds"] > 0
    assert second["backups"]
    assert (back["deployment"], back["version"], back["version_before"]) == (second["deployment"], "1.0.0", "1.1.0")


def tamper(world: World) -> None:
    """Change what the seventh event says."""
    file = next(world.site.root.rglob("000000000007.json"))
    file.write_bytes(file.read_bytes().replace(b"two", b"six"))


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_for_each_thing(world: World) -> None:
    """Deployments with their rollback, and the rollback by itself."""
    answer = audit(world, Wanted("json"))
    assert [row["event"] for row in answer["rows"]] == ["deployment", "deployment", "rollback"]
    assert answer["rows"][1]["rollbacks"][0]["who"] == "bob"
    assert (answer["rows"][1]["version"], answer["rows"][1]["version_before"]) == ("1.1.0", "1.0.0")
    assert answer["ledger"]["verified"] is None
    assert answer["ledger"]["events"] == world.ledger.head().number
    assert answer["ledger"]["head"] == world.ledger.head().digest


def test_the_schema_is_the_one_that_is_documented(world: World) -> None:
    """Its version changes with its keys: whoever reads it may rely on them."""
    answer = audit(world, Wanted("json"))
    assert answer["schema"] == "deploytasks.audit/1"
    assert list(answer) == [
        "schema", "application", "environment", "exported_at", "exported_by", "since", "until", "ledger", "standards",
        "columns", "events", "rows",
    ]  # fmt: skip
    assert list(answer["ledger"]) == ["events", "read", "head", "verified", "expected", "problems"]
    assert list(answer["columns"][0]) == ["name", "title", "says", "controls"]
    assert json.loads(written(answer, "json")) == json.loads(json.dumps(answer))


def test_verified(world: World) -> None:
    """The result and the digest of the head are in each format."""
    kept = world.ledger.head().digest
    answer = audit(world, Wanted("csv", verify=True, expect=kept[:12]))
    assert answer["ledger"]["verified"] is True
    last = rows_of(written(answer, "csv"))[-1]
    assert (last["event"], last["outcome"], last["event_digest"]) == ("export", "verified", answer["ledger"]["head"])
    assert f"expected digest {kept[:12]}" in last["reason"]
    assert f"--expect {answer['ledger']['head']}" in written(answer, "html")


def test_a_ledger_that_was_changed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What can still be read is exported, says what is wrong, and leaves with code 9."""
    world.spool.drain(world.ledger)
    tamper(world)
    answer = audit(world, Wanted("csv", verify=True))
    assert answer["ledger"]["verified"] is False
    assert "event 7 was changed" in " ".join(answer["ledger"]["problems"])
    assert answer["ledger"]["read"] == answer["ledger"]["events"] - 1
    assert rows_of(written(answer, "csv"))[-1]["outcome"].startswith("NOT VERIFIED")
    assert "The ledger was changed" in written(answer, "html")


def test_an_end_that_was_cut_off(world: World) -> None:
    """A digest that was kept elsewhere finds it."""
    answer = audit(world, Wanted("json", verify=True, expect="f" * 12))
    assert answer["ledger"]["verified"] is False
    assert "no event has the digest" in answer["ledger"]["problems"][0]


@pytest.fixture
def opened(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The same, for whoever opens an environment by its name."""
    monkeypatch.setattr(auditing, "open_world", lambda c, env, **more: world)
    monkeypatch.setattr(asking, "open_world", lambda c, env, **more: world)
    return world


def ask(wanted: Wanted, *, json: bool = False) -> None:
    asking.history(None, "test", wanted, json=json)  # type: ignore[arg-type]


def test_to_a_file(opened: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Readable for its owner only, as it would be on stdout; into a folder it has a name of its own."""
    ask(Wanted("csv", out=str(tmp_path / "trail.csv")))
    ask(Wanted("json", out=str(tmp_path)))
    file = tmp_path / "trail.csv"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [row["event"] for row in rows_of(file.read_bytes().decode())][-1] == "export"
    assert json.loads((tmp_path / "audit-test.json").read_text())["schema"] == auditing.SCHEMA
    assert capsys.readouterr().out == ""


def test_to_stdout(opened: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing but the document, whose lines end as they must."""
    for form in ("csv", "html", "json"):
        ask(Wanted(form))
        out = capsys.readouterr().out
        assert out == written(audit(opened, Wanted(form)), form)
    ask(Wanted("csv"))
    assert capsys.readouterr().out.endswith('"\r\n')


def test_tampered_on_the_command_line(opened: World, tmp_path: Path) -> None:
    """The file is there all the same: it is what an investigation needs."""
    opened.spool.drain(opened.ledger)
    tamper(opened)
    with pytest.raises(OverThreshold, match="was changed") as error:
        ask(Wanted("csv", verify=True, out=str(tmp_path / "trail.csv")))
    assert error.value.exit_code == 9
    assert (tmp_path / "trail.csv").exists()


def test_the_period_and_the_newest(world: World) -> None:
    """`--since`, `--until` and `--limit` choose rows; the ledger is verified as a whole."""
    now = world.clock.now()
    assert len(audit(world, Wanted("json", since=now.isoformat()))["rows"]) == 1
    assert [row["event"] for row in audit(world, Wanted("json", limit=1))["rows"]] == ["rollback"]
    until = (now - timedelta(minutes=5)).isoformat()
    assert [row["version"] for row in audit(world, Wanted("json", until=until))["rows"]] == ["1.0.0", "1.1.0"]


def test_text_stays_as_it_is(opened: World, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each event; a period is understood there, too."""
    ask(Wanted(limit=2))
    assert len(capsys.readouterr().out.splitlines()) == 4
    found = answers.history(opened, None, opened.clock.now().isoformat(), None)
    assert [event["kind"] for event in found["events"]] == ["rolled-back"]


@pytest.mark.parametrize(("given", "json"), [("xml", False), ("csv", True)])
def test_mistakes_on_the_command_line(given: str, json: bool) -> None:
    """They say what can be said."""
    with pytest.raises(UsageError):
        asking.form(given, json=json)


def test_out_without_a_format(opened: World) -> None:
    """A file of what, nobody knows."""
    with pytest.raises(UsageError, match="--out needs a format"):
        ask(Wanted(out="x"))


def test_no_secret_gets_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was recorded before anybody knew that it is one shows in no format."""
    world.ledger.append("maintenance", {"on": True, "message": "use hunter2-hunter2 to get in"})
    monkeypatch.setenv("ADMIN_PASSWORD", "hunter2-hunter2")
    answer = audit(world, Wanted("json"))
    for form in ("csv", "json", "html"):
        assert "hunter2" not in written(answer, form)


def test_names_of_people(world: World, tmp_path: Path) -> None:
    """Whoever has the translation reads names; all others ids."""
    names = Names("key of everybody", tmp_path / "people.json", "PEOPLE_KEY")
    ann = names.person("ann")
    world.ledger.append("maintenance", {"on": True, "message": ""})
    told = {"from": [0, 100], "to": [100, 0], "reason": "slow", "by": ann}
    world.ledger.append("rolled-back", told)
    assert ann in written(audit(world, Wanted("json")), "csv")
    names.save()
    world.site = world.site._replace(names=names)
    text = written(audit(world, Wanted("json")), "csv")
    assert ann not in text
    assert '"ann"' in text


def test_a_ledger_of_years(tmp_path: Path) -> None:
    """It is exported, and its chain verified, at less than a millisecond for each event, with room to spare."""
    world = memory.world(tmp_path)
    copy_of_years(world, 2000)
    began = time.process_time()
    answer = audit(world, Wanted("csv", verify=True))
    text = written(answer, "csv")
    assert time.process_time() - began < 4.0
    assert answer["ledger"] == {**answer["ledger"], "events": 2000, "verified": True}
    assert len(rows_of(text)) > 200


def copy_of_years(world: World, count: int) -> None:
    """So many events, written as quickly as can be: the chain is real."""
    head, told = EMPTY, a_quarter().events
    for number in range(1, count + 1):
        of = told[number % len(told)]
        name = f"{of.facts.get('deployment')}-{number // len(told)}"
        facts: dict[str, Any] = {**of.facts, "deployment": name} if "deployment" in of.facts else dict(of.facts)
        event, content = chained(number, head.digest, of.at, of.kind, facts, of.who, 0)
        world.store.put(event_key(world.scope, number), content, None)
        head = grown(head, event)
    world.store.put(head_key(world.scope), write_head(head), None)
