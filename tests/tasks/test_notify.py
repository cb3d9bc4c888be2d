"""``inv notify-deployment`` as it is typed, with Slack over HTTP; what waits, and who sees that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.answering import page
from lab.slack import Slack, slack

from deploytasks.operations.handing_on import LOG

from .project import PACKAGE, Project

SLACK = {"kind": "slack", "webhook_from": "THE_HOOK", "within": "2s"}


@pytest.fixture
def lab() -> Iterator[Slack]:
    with slack() as lab:
        yield lab


@pytest.fixture
def project(tmp_path: Path, lab: Slack, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that tells this Slack."""
    monkeypatch.setenv("THE_HOOK", lab.hook)
    monkeypatch.setenv("DEPLOY_WHO", "ann@desk")
    made = Project(tmp_path / "project")
    made.configure(messages=[{"kind": "console"}, SLACK], links={"dashboard": "https://g.example/{environment}"})
    return made


def down(lab: Slack) -> None:
    """It answers with nothing but errors."""
    lab.trouble = lambda asked: page(503, "")


def texts(lab: Slack) -> list[str]:
    """What people read first."""
    return [message.text for message in lab.messages]


def test_everybody_is_told(project: Project, lab: Slack) -> None:
    """Recorded, sent, and said so; a word that is none is refused."""
    done = project.inv("notify-deployment", "failed", "--version", "1.4.1", "--message", "The cache is cold.")
    assert (0, True) == (done.code, "everybody who is told about production was told" in done.out)
    (text,) = texts(lab)
    assert ("library 1.4.1 in production: failed" in text, "The cache is cold." in text) == (True, True)
    told = project.inv("history", "--json").answer["events"]
    assert [("announced", "failed")] == [(event["kind"], event["facts"]["event"]) for event in told]
    assert 2 == project.inv("notify", "Not a word").code
    assert lab.hook not in done.out + done.err
    assert [] == lab.broken


def test_what_waits_is_shown_and_told_in_order(project: Project, lab: Slack) -> None:
    """Code 7 and by name while it is silent; ``status`` and ``doctor`` show it; ``--flush`` tells it, once."""
    down(lab)
    first = project.inv("notify", "started", "--message", "one")
    assert (7, True) == (first.code, "slack" in first.err)
    second = project.inv("notify", "finished", "--message", "two", "--json")
    assert (7, 2) == (second.code, second.answer["waiting"]["slack"]["waiting"])
    status = project.inv("status")
    assert "2 messages wait since" in status.out
    assert "inv notify-deployment --flush --env production" in status.out
    assert 2 == project.inv("status", "--json").answer["outbox"]["slack"]["waiting"]
    assert "2 not told yet" in project.inv("doctor").out
    assert [] == lab.messages
    lab.mend()
    assert 0 == project.inv("notify", "--flush").code
    assert [True, True] == ["one" in texts(lab)[0], "two" in texts(lab)[1]]
    assert 0 == project.inv("notify", "--flush").code
    assert 2 == len(lab.messages)
    assert {} == project.inv("status", "--json").answer["outbox"]


def test_a_plan_shows_each_message_and_changes_nothing(project: Project, lab: Slack) -> None:
    """What waits, and what would be announced; nothing is recorded, nobody is told."""
    down(lab)
    project.inv("notify", "started")
    lab.mend()
    shown = project.inv("notify", "finished", "--plan")
    assert (0, 2) == (shown.code, shown.out.count("would: "))
    assert "library in production: finished" in shown.out
    found = project.inv("notify", "finished", "--plan", "--json").answer
    assert ["announced", "announced"] == [each["change"] for each in found["would"]["slack"]]
    assert ([], 1) == (lab.messages, len(project.inv("history", "--json").answer["events"]))


def test_who_names_nobody_is_told_so(tmp_path: Path) -> None:
    """There is nobody to tell."""
    project = Project(tmp_path / "project")
    project.configure(messages={"kind": "console"})
    done = project.inv("notify", "started")
    assert (3, True) == (done.code, "nobody is named" in done.err)


def test_one_that_lacks_its_secret_is_named_and_the_others_are_told(project: Project, lab: Slack) -> None:
    """The variable is set elsewhere, perhaps: it waits there."""
    project.configure(messages=[SLACK, {**SLACK, "webhook_from": "ANOTHER_HOOK"}])
    done = project.inv("notify", "started")
    assert (7, True, 1) == (done.code, "slack-2" in done.err and "ANOTHER_HOOK" in done.err, len(lab.messages))


def handed_on(project: Project, want: int, lab: Slack) -> None:
    """Wait for a process that nobody waits for."""
    until = time.monotonic() + 20
    while len(lab.messages) < want:
        assert time.monotonic() < until, (project.root / ".deploy/production" / LOG).read_text()
        time.sleep(0.02)


def test_what_is_handed_on_is_told_by_a_process_of_its_own(project: Project, lab: Slack, tmp_path: Path) -> None:
    """Its configuration comes over standard input; what was spooled is recorded first. It ends by itself."""
    from datetime import UTC, datetime

    from deploytasks.ledger import Spool

    spool = Spool(project.root / ".deploy/production/spool")
    facts: dict[str, Any] = {"reason": "slow", "from": [0, 100, "blue", "x"], "to": [100, 0, None, "y"], "by": "ann"}
    spool.put("rolled-back", facts, datetime.now(UTC), "ann@desk")
    config = json.loads((project.root / "invoke.yaml").read_text())["deploy"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "deploytasks", "deliver"],
        cwd=project.root, input=json.dumps({"environment": "production", "deploy": config}), text=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE)}, capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert (0, True) == (done.returncode, "everybody was told" in done.stderr), done.stderr
    assert ["rolled back" in text for text in texts(lab)] == [True]
    assert [] == spool.waiting()
    assert lab.hook not in done.stdout + done.stderr


def test_a_process_is_left_behind_for_what_waits(project: Project, lab: Slack) -> None:
    """As a rollback does it: it is started, and nobody waits for it; what it says is in a log, its secrets are not."""
    down(lab)
    project.inv("notify", "started")
    lab.mend()
    script = (
        "from invoke import Config, Context\nimport json\n"
        "from deploytasks.operations.opening import open_world\nfrom deploytasks import executor\n"
        "from deploytasks.operations.handing_on import hand_over\nexecutor._is_running.set(True)\n"
        "deploy = json.load(open('invoke.yaml'))['deploy']\n"
        "hand_over(open_world(Context(Config(overrides={'deploy': deploy})), 'production', need=('store',)))\n"
    )
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", script], cwd=project.root, check=True, timeout=30,
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
    )  # fmt: skip
    handed_on(project, 1, lab)
    until = time.monotonic() + 20
    log = project.root / ".deploy/production" / LOG
    while "everybody was told" not in log.read_text():
        assert time.monotonic() < until
        time.sleep(0.02)
    assert time.monotonic() - began < 30
    assert (lab.hook not in log.read_text(), []) == (True, list(log.parent.glob("outbox.[0-9]*")))


def test_a_mistake_among_the_messages_blocks_no_way_back(project: Project) -> None:
    """``maintenance-mode``, ``rollback`` and ``status`` load only what they need: they fail for want of a balancer, and
    for nothing else; what is to be done before anything begins names it."""
    project.configure(messages={"kind": "slak"}, markers={"kind": "sentri"}, links={"x": "ftp://"})
    assert 2 == project.inv("validate").code
    back = project.inv("rollback", "--reason", "x", "--no-watch")
    assert (7, False) == (back.code, "slak" in back.err)
    assert "slak" in project.inv("status").out
