"""Every command that a page shows, typed where it says: in the embedded environment, with real processes.

Pages about servers, accounts and services of others are typed in the journeys that have those: who asks for a page
there names it, and the last test here finds each block that nobody types.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from journeys.environment import NAME, PACKAGE, Done, Environment
from journeys.shown import below, shown, typed
from pages import PAGES, name

from deploytasks.ports import Color, other

ELSEWHERE = {
    ("README.md", "See it"): "`.ci/run` types them: tests/docs/test_readme.py compares",
    ("README.md", "Break it"): "`.ci/run` types them: test_ci_breaks_it below",
    ("CONTRIBUTING.md", "Contributing"): "`.ci/run` begins so",
    ("docs/live-view.md", "The live view"): "docs/index.md shows the same command",
    ("docs/aws.md", "On AWS"): "the package is on no index yet",
    ("docs/aws.md", "Secrets"): "AWS's own command",
}
"""Blocks that no test types, and who does."""


def asked_for() -> set[tuple[str, str]]:
    """Page and heading of every block that some test types, by what stands in the tests."""
    found = set()
    for file in (PACKAGE / "tests").rglob("*.py"):
        for call in re.finditer(r'"((?:docs/)?[\w-]+\.md)"((?:,\s*"[^"\n]+")+)', file.read_text(encoding="utf-8")):
            found |= {(call[1], heading) for heading in re.findall(r'"([^"\n]+)"', call[2])}
    return found


def version(environment: Environment, color: Color) -> str:
    """Of the release on a color."""
    found = environment.world.fleet.installed(color)
    assert found is not None
    return found.version


def test_by_hand_at_3_am(settled: Environment) -> None:
    """Back in one command; then a fix in pieces, tried at a quarter of the traffic, and out."""
    typed(settled, "README.md", "By hand, at 3 a.m.")
    settled.assert_at_rest(settled.live())


def test_the_front_page(settled: Environment) -> None:
    """Out, looked at, and back."""
    settled.commit()
    typed(settled, "docs/index.md", "deploytasks")


def test_the_runbook_of_a_rollback(settled: Environment) -> None:
    """Taken back, looked at, and a fix brought in by hand."""
    live = settled.live()
    typed(settled, "docs/rollback.md", "It is bad, take it back")
    assert settled.live() == other(live)
    settled.commit()
    typed(settled, "docs/rollback.md", "By hand, step by step", instead={"green": lambda at: other(at.live())})
    assert settled.live() == live


def test_no_way_back_is_open(settled: Environment) -> None:
    """To a color by its name; and the previous release, when it is checked out."""
    assert settled.inv("rollback", "--reason", "the way back is used up").code == 0
    live = settled.live()
    previous = version(settled, other(live))
    settled.git("checkout", "--quiet", previous.rpartition("+g")[2])
    typed(settled, "docs/rollback.md", "Code 3: no way back is open", instead={"blue": live, "1.4.2": previous})
    settled.git("checkout", "--quiet", "main")


def test_no_color_is_healthy(settled: Environment) -> None:
    """The site is closed with words, and opened."""
    typed(settled, "docs/rollback.md", "Code 8: a person must act now")
    assert settled.inv("maintenance-mode", "disable").code == 0


def test_a_copy_is_put_in_the_place_of_the_database(settled: Environment) -> None:
    """While the site is closed; consent is asked for by name."""
    typed(settled, "docs/rollback.md", "The database", more={"inv restore-database": ("--consent", NAME)})


def test_a_deployer_died(live: Environment) -> None:
    """Found as it was left; gone on with, taken back, and followed by another one."""
    running = live.start("deploy")
    live.until_at(running, "50 %")
    running.kill()
    typed(live, "docs/rollback.md", "A deployer died")


def test_the_ledger_is_read_verified_and_moved(settled: Environment) -> None:
    """All of it, one deployment of it, and the way to another store and back."""
    typed(settled, "docs/ledger.md", "What is in it", "What can be proven")
    store = settled.root / ".deploy/elsewhere"
    lines = iter(below("docs/ledger.md", "Moving a ledger"))
    assert settled.inv(*next(lines).split()[1:]).code == 0
    settled.configure(store={"kind": "directory", "path": str(store)})
    for line in lines:
        done = settled.inv(*line.split()[1:])
        assert done.code == 0, done.said
    (settled.root / "ledger.jsonl").unlink()


def test_somebody_else_is_waited_for(settled: Environment) -> None:
    """Nobody is there to wait for."""
    settled.commit()
    typed(settled, "docs/ledger.md", "The lease")


@pytest.fixture
def of_people(settled: Environment, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """People are recorded by ids here."""
    monkeypatch.setenv("PEOPLE_KEY", "a long random text, the same for everybody who deploys")
    monkeypatch.setenv("DEPLOY_WHO", "ann")
    settled.configure(people={"pseudonyms": True, "key_from": "PEOPLE_KEY"})
    assert settled.inv("note", "who did this?").code == 0
    return settled


def test_people_are_known_and_forgotten(of_people: Environment) -> None:
    """Whoever has the translation sees names, and may forget one."""
    typed(of_people, "docs/ledger.md", "People", instead={"production": NAME})


def test_the_template_for_haproxy_is_found(settled: Environment) -> None:
    """The file that is printed is there."""
    (done,) = typed(settled, "docs/haproxy.md", "Adopting it")
    assert Path(done.out.strip()).is_file()


def test_migrations_are_judged_and_rehearsed(settled: Environment) -> None:
    """Nothing is pending; a word about one; and a rehearsal on a copy."""
    settled.configure(database={"preset": "django", "rehearsal": {"variable": "LIBRARY_DATABASE"}})
    typed(settled, "docs/migrations.md", "Migrations", "How it is judged", "Rehearsal", "Expand and contract")


def test_the_report_is_written_and_opened(settled: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a page, as text, for a machine; by whatever opens pages here."""
    monkeypatch.setenv("BROWSER", "true")
    instead = {"1.4.1": version(settled, settled.live())}
    typed(settled, "docs/report.md", "The report of a deployment", instead=instead)
    assert (settled.root / "report.html").stat().st_size > 10_000
    (settled.root / "report.html").unlink()


def test_delivery_is_measured(settled: Environment) -> None:
    """As text, as a page, for a machine."""
    typed(settled, "docs/metrics.md", "How well it is delivered")
    shutil.rmtree(settled.root / "build")


def test_the_audit_trail_is_exported(settled: Environment) -> None:
    """As a table, as a page, for a machine; verified, also against a digest that was kept."""
    typed(settled, "docs/audit.md", "The audit trail", "Proving that nothing was changed")
    assert "NOT VERIFIED" not in (settled.root / "build" / "audit.csv").read_text(encoding="utf-8")
    shutil.rmtree(settled.root / "build")


def test_it_is_seen_how_things_stand(settled: Environment) -> None:
    """Of the one environment that there is, with and without its name."""
    typed(settled, "docs/status.md", "Where things stand", "All environments")


def test_what_would_happen_is_simulated(settled: Environment) -> None:
    """By this environment's own rules, for each fault that the page names; and what was, under other rules."""
    settled.configure(stages=[50, 100], watch="3m", bake="10m", poll="15s", baseline="1m", hotfix={"stages": [50, 100]})
    few = {"inv simulate": ("--runs", "20")}
    typed(settled, "docs/simulation.md", "What would happen", "Faults to try", instead={"production": NAME}, more=few)
    typed(settled, "docs/simulation.md", "What other rules would have done")


def test_people_steer_what_runs(live: Environment) -> None:
    """Paused, continued, aborted; the next one is promoted."""
    live.configure(stages=[50, 100], watch="60s")
    running = [live.start("deploy")]
    live.until_at(running[0], "50 %")

    def promote(*words: str) -> Done:
        assert running[0].wait() == 4, running[0].said
        live.commit()
        running.append(live.start("deploy"))
        live.until_at(running[1], "50 %")
        done = live.inv(*words)
        again = live.inv(*words)
        assert again.code == 0, again.said
        return done

    typed(live, "docs/controls.md", "Pause, continue, abort, promote", hands={"inv promote": promote})
    assert running[1].wait() == 0, running[1].said


def test_one_host_is_asked(settled: Environment) -> None:
    """A command in the release of a color."""
    instead = {"--host web1": "", "--color green": "--color live"}
    typed(settled, "docs/hosts.md", "A command on all hosts", instead=instead)


def test_ci_breaks_it() -> None:
    """What the README breaks, CI breaks: the same commands, in their order."""
    script = (PACKAGE / ".ci/run").read_text(encoding="utf-8").partition("breaks() {")[2]
    places = [script.find(line.removeprefix("inv ")) for line in below("README.md", "Break it")]
    assert -1 not in places
    assert sorted(places) == places


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_is_typed_somewhere(page: Path) -> None:
    """Each block of each page has a test that types it, or a reason why not."""
    known = asked_for() | ELSEWHERE.keys()
    assert [] == sorted({(each.page, each.heading) for each in shown(name(page))} - known)
