"""`rollback --database`: exactly what one deployment applied, after traffic, read back; or refused in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import memory
import pytest

from deploytasks.errors import DeployError, GateRefused, Unreachable, WayBackFailed
from deploytasks.operations.returning import roll_back
from deploytasks.operations.reversing import preview, reverse
from deploytasks.ports import Call, Color
from deploytasks.steps import Migrate
from deploytasks.steps.reversal import IRREVERSIBLE

from .test_deploying import deploy

BEFORE = ["app.0001_first"]
AFTER = [*BEFORE, "app.0002_second", "app.0003_third"]
BACK = "manage.py migrate --noinput app 0001_first"


class Database:
    """What the commands of a release do to the database; a failure, where a command's beginning is named."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state = memory.state_of(folder)
        self.ran: list[str] = []
        self.failing: dict[str, DeployError] = {}
        self.becomes: dict[str, list[str]] = {
            "manage.py migrate": AFTER,
            "manage.py migrate --noinput app 0001": BEFORE,
        }
        self.state.set(applied=BEFORE)

        def run(fleet: Any, color: Color, command: str, what: str) -> Call:
            return Call(f"{what}: {command} on {color}", lambda timeout: self.run(command))

        monkeypatch.setattr(memory.FakeFleet, "run", run)

    def run(self, command: str) -> None:
        self.ran.append(command)
        for beginning, applied in self.becomes.items():
            if command.startswith(beginning):
                self.state.set(applied=applied)
        for beginning, error in self.failing.items():
            if command.startswith(beginning):
                raise error


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    return Database(tmp_path, monkeypatch)


def world(folder: Path, **settings: Any) -> memory.TestWorld:
    """An environment whose migrations are Django's."""
    found = memory.world(folder, stages=[100], watch="15s", bake="0s")
    known = {"migrate": "manage.py migrate", "preset": "django", "migrator": "manage.py", "where": "fleet", **settings}
    section = type("Section", (), {"keep": 14, "reverse": None, **known})()
    found.settings.sections["database"] = section  # type: ignore[index]  # a plain dict, here
    return found  # type: ignore[return-value]  # it is one


def deployed(folder: Path, version: str = "1.1.0", **settings: Any) -> memory.TestWorld:
    """1.0.0 came first, and everybody is back on it after ``version``."""
    state = memory.state_of(folder)
    deploy(world(folder, migrate=None, preset=None), memory.release("1.0.0"))
    deploy(world(folder, **settings), memory.release(version))
    at_work = world(folder, **settings)
    roll_back(at_work)
    state.log("traffic is home")
    return at_work


def test_exactly_that_is_reversed(tmp_path: Path, database: Database) -> None:
    """The check first, then the command; it is recorded with what it took back, and the state is as before."""
    at_work = deployed(tmp_path)
    database.ran.clear()
    reverse(at_work)
    assert [command.partition(" -c")[0] for command in database.ran] == [
        "manage.py shell", BACK,
    ]  # fmt: skip
    event = list(at_work.ledger.events())[-1]
    assert (event.kind, event.facts["migrations"]) == ("reversed", ["app.0003_third", "app.0002_second"])


def test_it_is_recorded_before_and_after(tmp_path: Path, database: Database) -> None:
    """What was applied before is in the ledger before the command begins."""
    events = [event for event in deployed(tmp_path).ledger.events() if event.kind.startswith("migrat")]
    assert [(event.kind, event.facts.get("before"), event.facts.get("after")) for event in events] == [
        ("migrating", BEFORE, None), ("migrated", None, AFTER),
    ]  # fmt: skip


def test_a_resumed_migration_keeps_what_was_before(tmp_path: Path, database: Database) -> None:
    """A deployer died in the middle of it: what is applied by then is not what was there before."""
    at_work = world(tmp_path)
    step = Migrate("green", "manage.py migrate", preset="django", migrator="manage.py")
    step.do(at_work, [])
    past = list(at_work.ledger.events())
    assert [event.facts["before"] for event in past] == [BEFORE]
    step.do(at_work, past)
    assert list(at_work.ledger.events()) == past


def test_twice_is_once(tmp_path: Path, database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    """The second time there is nothing to do, which is no failure."""
    at_work = deployed(tmp_path)
    reverse(at_work)
    database.ran.clear()
    reverse(at_work)
    assert database.ran == []
    assert "reversed already" in capsys.readouterr().err


def test_a_deployment_that_applied_nothing(
    tmp_path: Path, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then nothing is reversed, whatever earlier deployments have applied."""
    database.becomes = {}
    at_work = deployed(tmp_path)
    database.ran.clear()
    reverse(at_work)
    assert database.ran == []
    assert "nothing to reverse" in capsys.readouterr().err


def test_a_preview_runs_nothing(tmp_path: Path, database: Database) -> None:
    """It shows the commands."""
    at_work = deployed(tmp_path)
    database.ran.clear()
    assert list(preview(at_work)) == [
        "would: reverse the migration: manage.py migrate --noinput app 0001_first on green"
    ]
    assert database.ran == []


def test_what_cannot_be_reversed_is_listed(tmp_path: Path, database: Database) -> None:
    """Refused before anything is touched."""
    at_work = deployed(tmp_path)
    database.failing["manage.py shell"] = DeployError(f"h1 failed:\n    {IRREVERSIBLE} app.0002_second (RunSQL)\n")
    with pytest.raises(GateRefused, match=r"cannot be reversed: app\.0002_second \(RunSQL\)") as caught:
        reverse(at_work)
    assert "the database was not touched" in caught.value.state
    assert not any("noinput app" in command for command in database.ran)


def test_a_check_that_fails_otherwise_is_no_yes(tmp_path: Path, database: Database) -> None:
    """Not to know is refused as well."""
    at_work = deployed(tmp_path)
    database.failing["manage.py shell"] = Unreachable("the host is away")
    with pytest.raises(GateRefused, match="is not known: the host is away"):
        reverse(at_work)


def test_what_was_applied_since_by_somebody_else(tmp_path: Path, database: Database) -> None:
    """It would go along: refused, and named."""
    at_work = deployed(tmp_path)
    database.state.set(applied=[*AFTER, "app.0004_by_hand"])
    with pytest.raises(GateRefused, match=r"since then somebody else has applied app\.0004_by_hand"):
        reverse(at_work)


def test_a_command_that_fails_and_changes_nothing(tmp_path: Path, database: Database) -> None:
    """The database is as it was: refused, with what the tool said."""
    at_work = deployed(tmp_path)
    database.becomes["manage.py migrate --noinput app 0001"] = AFTER
    database.failing["manage.py migrate --noinput app"] = DeployError("NotImplementedError: no way down")
    with pytest.raises(GateRefused, match="no way down"):
        reverse(at_work)


def test_half_a_reversal_is_told_as_that(tmp_path: Path, database: Database) -> None:
    """Code 8, with what is still applied."""
    at_work = deployed(tmp_path)
    database.becomes["manage.py migrate --noinput app 0001"] = AFTER[:2]
    database.failing["manage.py migrate --noinput app"] = DeployError("connection lost")
    with pytest.raises(WayBackFailed, match="in part: connection lost") as caught:
        reverse(at_work)
    assert "still applied: app.0002_second" in caught.value.state


def test_a_migration_that_died_in_the_middle(tmp_path: Path, database: Database) -> None:
    """What it had applied until then is known by what was applied before. Its release was put away when the deployment
    was taken back: it is made current for as long as it is needed."""
    deploy(world(tmp_path, migrate=None, preset=None), memory.release("1.0.0"))
    database.becomes["manage.py migrate"] = AFTER[:2]
    database.failing["manage.py migrate"] = DeployError("0003 failed")
    with pytest.raises(DeployError, match="0003 failed"):
        deploy(world(tmp_path), memory.release("1.1.0"))
    database.failing.clear()
    database.becomes["manage.py migrate"] = BEFORE
    at_work = world(tmp_path)
    assert at_work.fleet.installed("green") is None
    reverse(at_work)
    assert database.state.read()["log"][-2:] == [f"green -> {memory.release('1.1.0').name}", "green -> None"]
    assert list(at_work.ledger.events())[-1].facts["migrations"] == ["app.0002_second"]


def test_a_release_that_is_gone(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else knows the way back: refused."""
    at_work = deployed(tmp_path)
    database.state.change(colors={**database.state.read()["colors"], "green": None})

    def switch(fleet: object, color: Color, release: str | None) -> list[list[Call]]:
        def perform(timeout: float) -> None:
            raise DeployError(f"there is no release {release} here")

        return [[Call("switch", perform)]]

    monkeypatch.setattr(memory.FakeFleet, "switch", switch)
    with pytest.raises(GateRefused, match=r"is no longer there for green"):
        reverse(at_work)


def test_users_are_on_the_release_that_needs_it(tmp_path: Path, database: Database) -> None:
    """Traffic first: the schema is not taken away from under those who use it."""
    deploy(world(tmp_path, migrate=None, preset=None), memory.release("1.0.0"))
    deploy(world(tmp_path), memory.release("1.1.0"))
    with pytest.raises(GateRefused, match="users are on green"):
        reverse(world(tmp_path))


def test_a_command_of_ones_own(tmp_path: Path, database: Database) -> None:
    """`reverse:` is run as it was recorded, and nothing is asked of the database."""
    at_work = deployed(tmp_path, preset=None, migrator=None, reverse="make back")
    database.ran.clear()
    reverse(at_work)
    assert database.ran == ["make back"]


def test_nothing_recorded(tmp_path: Path, database: Database) -> None:
    """No preset and no command: refused, and said what a rollback never does."""
    at_work = deployed(tmp_path, preset=None, migrator=None)
    with pytest.raises(GateRefused, match="no migration is recorded as reversible") as caught:
        reverse(at_work)
    assert "snapshot is never restored" in caught.value.do
