"""Staging before production, and no version before its time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import memory
import pytest
from invoke import Config, Context

from deploytasks.checklist import item_of
from deploytasks.checklist.item import Found
from deploytasks.checklist.order import ITEMS, newer, staged
from deploytasks.checklist.subject import Subject
from deploytasks.errors import UsageError
from deploytasks.ledger import Ledger
from deploytasks.ports import Release, Split
from deploytasks.providers.directory import DirectoryStore
from deploytasks.providers.site import Site
from deploytasks.settings.directory import DirectorySettings

RELEASE = Release("1.3.0", "c0ffee" * 6 + "c0ff", "ab" * 32, "/artifacts/1.3.0")
STAGING = {"store": {"kind": "directory", "path": "staging-ledger"}}
SETTLED = "1.3.0 succeeded there 2026-11-23 10:00 UTC (deployment d1 by bob@ci)"


def subject(folder: Path, *, environments: dict[str, Any] | None = None, older: str = "", **gates: Any) -> Subject:
    """A release on its way to the environment ``test``; by default there is a ``staging`` before it."""
    world = memory.world(folder, gates=gates)
    every = {"test": {}, **({"staging": STAGING} if environments is None else environments)}
    config = Config(overrides={"deploy": {"application": "library", "environments": every}})
    world.site = world.site._replace(context=Context(config))
    return Subject(world, RELEASE, older=older)


class Staging:
    """The ledger of staging, as its own deployments write it."""

    def __init__(self, folder: Path, name: str = "staging") -> None:
        site = Site("library", name, folder, folder / ".deploy" / name, None, "bob@ci")
        store = DirectoryStore(DirectorySettings(kind="directory", path=f"{name}-ledger"), site)
        self._now = memory.BEGINNING
        self.ledger = Ledger(store, f"library/{name}", "bob@ci", lambda: self._now)

    def at(self, **later: float) -> Staging:
        """The same, so much later."""
        self._now = memory.BEGINNING + timedelta(**later)
        return self

    def settle(self, release: Release = RELEASE, deployment: str = "d1", **facts: Any) -> Staging:
        self.ledger.append(
            "settled",
            {
                "deployment": deployment, "color": "green", "version": release.version, "release": release.name,
                "digest": release.digest, "commit": release.commit, "way_back": "blue", **facts,
            },
        )  # fmt: skip
        return self

    def begin(self, release: Release = RELEASE, deployment: str = "d2") -> Staging:
        facts = {"deployment": deployment, "task": "deploy", "version": release.version, "digest": release.digest}
        self.ledger.append("began", {**facts, "who": "eve@desk", "host": "desk", "color": "blue", "plan": {}})
        return self

    def end(self, outcome: str, deployment: str = "d2", why: str = "all well") -> Staging:
        self.ledger.append("ended", {"deployment": deployment, "outcome": outcome, "code": 4, "why": why})
        return self

    def roll_back(self) -> Staging:
        self.ledger.append("rolled-back", {"from": [0, 100, "blue", "settled:d1"], "to": [100, 0, None, "back:r"]})
        return self


@pytest.fixture
def staging(tmp_path: Path) -> Iterator[Staging]:
    """Nothing happened there yet."""
    return Staging(tmp_path)


def test_the_items_are_on_the_checklist() -> None:
    """A hotfix goes to staging first, too."""
    assert [(item.id, item.level, item.critical) for item in ITEMS] == [
        ("order.staged", "production", True),
        ("order.version", "production", True),
    ]
    assert [item_of(item.id) for item in ITEMS] == list(ITEMS)


# -- order.staged ----------------------------------------------------------------------------------


def test_succeeded_in_staging(tmp_path: Path, staging: Staging) -> None:
    """Which deployment, when, by whom."""
    staging.begin(deployment="d1").settle().end("done", "d1")
    assert staged(subject(tmp_path)) == Found("pass", f"staging: {SETTLED}")


def never(staging: Staging) -> str:
    return "1.3.0 (content abababababab) was never deployed there; `inv deploy --env staging` first"


def at_work(staging: Staging) -> str:
    staging.begin()
    return "1.3.0 is being deployed there, by eve@desk since 2026-11-23 10:00 UTC; wait for its end"


def failed(staging: Staging) -> str:
    staging.begin().end("taken back", why="errors 7 % > 2 %")
    return (
        "1.3.0 did not succeed there (taken back, 2026-11-23 10:00 UTC): errors 7 % > 2 %; "
        "`inv deploy --env staging` first"
    )


def rolled_back(staging: Staging) -> str:
    staging.settle().roll_back()
    return f"{SETTLED}, but was rolled back; `inv deploy --env staging --redeploy` first"


def other_content(staging: Staging) -> str:
    staging.settle(RELEASE._replace(digest="cd" * 32))
    return f"{SETTLED}, with another content (cdcdcdcdcdcd there, abababababab here); `inv deploy --env staging` first"


def other_commit(staging: Staging) -> str:
    staging.settle(RELEASE._replace(commit="f" * 40))
    return f"{SETTLED}, as commit ffffffffffff; this is c0ffeec0ffee; `inv deploy --env staging --redeploy` first"


def by_hand(staging: Staging) -> str:
    staging.settle(RELEASE._replace(commit=""))
    return (
        f"{SETTLED}, as a commit that is not known; this is c0ffeec0ffee; `inv deploy --env staging --redeploy` first"
    )


def too_old(staging: Staging) -> str:
    staging.at(days=-7, minutes=-1).settle()
    return (
        "1.3.0 succeeded there 2026-11-16 09:59 UTC (deployment d1 by bob@ci), 7 d 1 min ago; that counts for 7 d "
        "(`gates.after_within`); `inv deploy --env staging --redeploy` first"
    )


@pytest.mark.parametrize(
    "happens", [never, at_work, failed, rolled_back, other_content, other_commit, by_hand, too_old]
)
def test_what_is_missing_in_staging(tmp_path: Path, staging: Staging, happens: Any) -> None:
    """Refused, with exactly what is missing and what to do."""
    expected = happens(staging)
    assert staged(subject(tmp_path)) == Found("fail", f"staging: {expected}")


def test_a_later_release_there_takes_nothing_away(tmp_path: Path, staging: Staging) -> None:
    """What succeeded counts, though staging has gone on; a rollback of what came after is no word against it."""
    later = RELEASE._replace(version="1.4.0", digest="ef" * 32, commit="e" * 40)
    staging.settle().settle(later, "d2").roll_back().begin(later, "d3")
    assert staged(subject(tmp_path)).answer == "pass"


def test_how_long_a_success_counts(tmp_path: Path, staging: Staging) -> None:
    """``after_within`` says it."""
    staging.at(days=-6, hours=-23).settle()
    assert staged(subject(tmp_path)).answer == "pass"
    assert staged(subject(tmp_path, after_within="2d")).answer == "fail"
    assert staged(subject(tmp_path, after_within="30d")).answer == "pass"


def test_several_environments_before(tmp_path: Path, staging: Staging) -> None:
    """All of them; what each says is told."""
    every = {"staging": STAGING, "canary": {"store": {"kind": "directory", "path": "canary-ledger"}}}
    staging.settle()
    found = staged(subject(tmp_path, environments=every, after=["staging", "canary"]))
    assert found.answer == "fail"
    assert f"staging: {SETTLED}; canary: 1.3.0 (content abababababab) was never deployed there" in found.evidence
    Staging(tmp_path, "canary").settle()
    assert staged(subject(tmp_path, environments=every, after=["staging", "canary"])).answer == "pass"


def test_a_silent_ledger_is_no_success(tmp_path: Path) -> None:
    """Another kind of store, that nobody answers: fails closed, and names the environment."""
    store = {"kind": "postgres", "host": "127.0.0.1", "port": 1, "name": "ledger", "answer_within": "1s"}
    found = staged(subject(tmp_path, environments={"staging": {"store": store}}))
    assert found.answer == "fail"
    assert found.evidence.startswith("staging: unreachable: ")


def test_a_mistake_elsewhere_in_staging_does_not_matter(tmp_path: Path, staging: Staging) -> None:
    """Its store is all that is looked at."""
    staging.settle()
    assert staged(subject(tmp_path, environments={"staging": {**STAGING, "metrics": 7}})).answer == "pass"


def test_no_environment_before(tmp_path: Path) -> None:
    """Nobody said so: a person signs. Somebody did: it does not apply."""
    unsaid = staged(subject(tmp_path, environments={}))
    assert unsaid.answer == "needs a signature"
    assert "`gates.after`" in unsaid.evidence
    assert staged(subject(tmp_path, environments={}, after=[])).answer == "not applicable"


@pytest.mark.parametrize(
    ("after", "what"),
    [
        ("stagin", "gates.after: there is no environment 'stagin'; did you mean `staging`?"),
        ("test", "gates.after: test cannot come before itself"),
    ],
)
def test_an_environment_that_is_none(tmp_path: Path, after: str, what: str) -> None:
    """A wrong configuration, code 2: no refusal that one could set aside."""
    with pytest.raises(UsageError, match=r"deploy\.environments\.test") as raised:
        staged(subject(tmp_path, after=[after]))
    assert what in raised.value.what


# -- order.version ---------------------------------------------------------------------------------


def live(of: Subject, version: str, digest: str = "") -> Subject:
    """With this version live on blue."""
    found = memory.release(version)
    digest = digest or found.digest
    for call in of.world.fleet.install(found._replace(digest=digest), "blue")[0]:
        call.perform(1)
    of.world.traffic.shift(Split(100, 0, None, "settled:d0")).perform(1)
    return of


@pytest.mark.parametrize(
    ("known", "version", "answer"),
    [
        ("1.2.9", "1.3.0", "pass"),
        ("1.9.0", "1.10.0", "pass"),
        ("1.3.0-rc.1", "1.3.0", "pass"),
        ("1.3.0-rc.1", "1.3.0-rc.1.dev.2+g0123456", "pass"),
        ("1.2.4-dev.3+gabc1234", "1.2.4-dev.10+gdef1234", "pass"),
        ("1.2.4-dev.3+gabc1234", "1.2.4", "pass"),
        ("1.2.3", "1.2.4-dev.3+gabc1234", "pass"),
        ("1.2.4-dev.3+gabc1234", "1.2.4-dev.3+gdef1234", "fail"),
        ("1.3.0", "1.3.0", "fail"),
        ("1.3.0", "1.3.0-rc.1", "fail"),
        ("1.3.1", "1.3.0", "fail"),
        ("2024-01", "1.3.0", "fail"),
    ],
)
def test_versions_by_precedence(tmp_path: Path, known: str, version: str, answer: str) -> None:
    """As semantic versions say; what follows a plus sign makes none newer."""
    of = live(subject(tmp_path), known)
    of.release = RELEASE._replace(version=version)
    assert newer(of).answer == answer


def test_what_is_said_of_versions(tmp_path: Path) -> None:
    """Which is live, where, and what allows an older one: a reason, which is evidence then."""
    assert newer(live(subject(tmp_path), "1.2.0")) == Found("pass", "1.3.0 is newer than 1.2.0, live on blue")
    assert newer(live(subject(tmp_path), "1.4.0")) == Found(
        "fail", "1.3.0 is older than 1.4.0, live on blue: deploy a newer one, or say --allow-older --reason …"
    )
    allowed = newer(live(subject(tmp_path, older="1.4 loses orders"), "1.4.0"))
    assert allowed == Found("warn", "1.3.0 is older than 1.4.0, live on blue; allowed: 1.4 loses orders")
    same = newer(live(subject(tmp_path), "1.3.0", RELEASE.digest))
    assert same == Found("pass", "exactly this is live already on blue")


def test_an_unknown_live_version(tmp_path: Path) -> None:
    """Nothing is assumed of it."""
    of = subject(tmp_path)
    of.world.traffic.shift(Split(100, 0, None, "settled:d0")).perform(1)
    assert newer(of).answer == "fail"
    assert "cannot be compared with what is live on blue: nobody knows which" in newer(of).evidence


def test_traffic_says_what_is_live(tmp_path: Path) -> None:
    """Not what was installed last, nor what the ledger says; while it is mixed, the gate in the plan will look."""
    of = live(subject(tmp_path), "1.2.0")
    for call in of.world.fleet.install(memory.release("1.4.0"), "green")[0]:
        call.perform(1)
    assert newer(of).answer == "pass"
    of.world.traffic.shift(Split(50, 50, "blue", "deploy:d9")).perform(1)
    assert newer(of).answer == "pending"
    of.world.traffic.shift(Split(0, 0)).perform(1)
    assert newer(of) == Found("pass", "nothing is live yet")


def test_the_clock_of_the_world_is_asked(tmp_path: Path, staging: Staging) -> None:
    """What is too old is judged by the same clock as everything else."""
    staging.settle()
    of = subject(tmp_path)
    of.world.clock.sleep(8 * 86400)
    assert of.world.clock.now() > datetime.fromisoformat("2026-12-01T00:00+00:00")
    assert staged(of).answer == "fail"


def test_a_success_that_is_yet_to_come_does_not_count(staging: Staging, tmp_path: Path) -> None:
    """Its clock was set forward, so that it should count for ever; a few minutes are only two clocks."""
    staging.at(minutes=5).settle()
    assert "pass" == staged(subject(tmp_path)).answer
    staging.at(days=30).settle()
    found = staged(subject(tmp_path))
    assert ("fail", True) == (found.answer, "which is yet to come: whose clock is wrong?" in found.evidence)
