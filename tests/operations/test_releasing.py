"""``inv create-release`` and ``inv release-notes`` from their operations on: consent, ledger, page, words."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
import stories
from lab.github import GitHub, github
from release.ground import ALONE, Ground

from deploytasks import plans, view
from deploytasks.errors import GateRefused, Interrupted, Unreachable, UsageError, WayBackFailed
from deploytasks.ledger import Ledger
from deploytasks.operations import answers, notes, releasing
from deploytasks.operations.carrying_out import carry_out
from deploytasks.release import cutting, journal, making, page
from deploytasks.release.cutting import Wanted
from deploytasks.view.paint import Paint
from deploytasks.view.text import text
from deploytasks.world import World


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """A repository with a changelog and a remote."""
    for name, value in ALONE.items():
        monkeypatch.setenv(name, value)
    return Ground(tmp_path / "project")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """A GitHub whose token is in the environment."""
    with github() as found:
        monkeypatch.setenv("GITHUB_TOKEN", found.token)
        yield found


def world(ground: Ground, *, consent: bool = False, **changes: Any) -> World:
    """A world whose project is the repository, and whose ledger lies beside it."""
    made = memory.world(ground.path.parent / "world", **changes)
    made.site = made.site._replace(root=ground.path)
    made.consent = consent
    return made


def create(made: World, bump: str = "minor", *, preview: bool = False, github: bool = False, **given: Any) -> None:
    """As the task does it."""
    releasing.create(made, Wanted(bump, "Words", **given), preview=preview, github=github, json=True)


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The JSON object on stdout."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    """The world's own folder."""
    (tmp_path / "world").mkdir()


def test_a_release_is_recorded(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer and the ledger's event name version, tag and commit; the notes by their digest."""
    made = world(ground)
    create(made)
    answer = said(capsys)
    head = ground.git("rev-parse", "HEAD")
    assert (answer["version"], answer["tag"], answer["commit"], answer["pushed"]) == ("0.1.0", "v0.1.0", head, False)
    assert [step["step"] for step in answer["next"]] == ["push", "undo"]
    (event,) = made.ledger.events()
    assert event.kind == "released"
    assert {name: event.facts[name] for name in ("version", "tag", "commit", "previous", "bump", "pushed")} == {
        "version": "0.1.0", "tag": "v0.1.0", "commit": head, "previous": None, "bump": "minor", "pushed": False,
    }  # fmt: skip
    assert len(str(event.facts["notes"])) == 64
    assert "released: 0.1.0 as v0.1.0" in text("history", answers.history(made), Paint(False))


@pytest.mark.parametrize(
    ("slow", "words"),
    [((cutting, "decide"), "still asking git, and the remote origin"), ((making, "make"), "still at it: git's hooks")],
)
def test_whoever_waits_is_told_for_what(
    ground: Ground, slow: tuple[Any, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A remote that is silent, or a slow hook, leaves nobody before an empty screen."""
    told: list[str] = []
    heard = threading.Event()
    done = getattr(*slow)

    def say(line: str) -> None:
        told.append(line)
        if line.startswith(words):
            heard.set()

    def slowly(*given: Any) -> Any:
        assert heard.wait(10)
        return done(*given)

    monkeypatch.setattr(view, "A_WHILE", 0.01)
    monkeypatch.setattr(view, "say", say)
    monkeypatch.setattr(*slow, slowly)
    create(world(ground))
    assert ground.git("tag") == "v0.1.0"


def test_a_silent_ledger_keeps_no_release_back(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event waits in the spool, and the next one who comes records it."""
    made = world(ground)
    append = Ledger.append
    monkeypatch.setattr(Ledger, "append", lambda *_, **__: (_ for _ in ()).throw(Unreachable("silent")))
    create(made)
    assert ground.git("tag") == "v0.1.0"
    monkeypatch.setattr(Ledger, "append", append)
    assert made.spool.drain(made.ledger) == 1
    assert [event.kind for event in made.ledger.events()] == ["released"]


def test_the_preview_shows_all_and_changes_nothing(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    """The exact difference and every command; no file, no reference and no event is made."""
    made = world(ground)
    before = ground.snapshot()
    create(made, preview=True, push=True)
    answer = said(capsys)
    assert answer["differences"][0].startswith("--- a/CHANGELOG.md\n+++ b/CHANGELOG.md\n@@")
    assert len(answer["commands"]) == 3
    assert answer["warnings"] == ["this is the first release: it begins at 0.1.0"]
    assert ground.snapshot() == before
    assert list(made.ledger.events()) == []


def test_the_preview_mends_nothing(ground: Ground) -> None:
    """What was killed is taken back by the next release that is one."""
    from release.cutter import decide

    found = decide(ground.path)
    journal.write(found)  # type: ignore[arg-type]  # a cut
    with pytest.raises(GateRefused, match="killed in the middle"):
        create(world(ground), preview=True)
    create(world(ground))
    assert ground.git("tag") == "v0.1.0"


def test_killed_when_the_remote_had_it(ground: Ground) -> None:
    """Whoever comes next finds that it is made, and records what the dead one could not."""
    from release.cutter import cut

    found, made = cut(ground.path, push=True)
    journal.write(found, pushing=True)
    after = world(ground)
    with pytest.raises(GateRefused, match=r"nothing since v0\.1\.0"):
        create(after)
    (event,) = after.ledger.events()
    assert (event.kind, event.facts["commit"], event.facts["pushed"]) == ("released", made.commit, True)


def test_interrupted_when_it_was_made(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that is out is not taken back by a late Ctrl-C, and nothing says that it was."""

    def interrupted(*_: object) -> None:
        raise Interrupted(130)

    monkeypatch.setattr(releasing, "_record", interrupted)
    with pytest.raises(WayBackFailed, match=r"interrupted, when 0\.1\.0 was made and pushed already"):
        create(world(ground), push=True)
    assert ground.git("tag") == "v0.1.0"


def test_a_hotfix_line_begins(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    """Shown first, then begun; a release only the next time."""
    create(world(ground))
    ground.entry()
    create(world(ground))
    capsys.readouterr()
    create(world(ground), "patch", from_tag="v0.1.0", preview=True)
    assert said(capsys)["begun"] is False
    assert ground.git("branch", "--list", "hotfix/*") == ""
    create(world(ground), "patch", from_tag="v0.1.0")
    assert said(capsys) == {
        "branch": "hotfix/0.1.1", "tag": "v0.1.0", "begun": True,
        "command": "git switch --quiet --no-track --create hotfix/0.1.1 refs/tags/v0.1.0^{commit}",
    }  # fmt: skip
    assert ground.git("symbolic-ref", "--short", "HEAD") == "hotfix/0.1.1"
    assert ground.git("tag") == "v0.1.0\nv0.2.0"


# -- consent -------------------------------------------------------------------------------------------------


def test_one_zero_needs_consent(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 0.x to 1.0.0: --yes, or somebody at a terminal who says so."""
    create(world(ground))
    ground.entry()
    monkeypatch.setattr(releasing.view, "is_terminal", lambda: False)
    with pytest.raises(UsageError, match=r"0\.1\.0 becomes 1\.0\.0"):
        create(world(ground), "major")
    monkeypatch.setattr(releasing.view, "is_terminal", lambda: True)
    monkeypatch.setattr(releasing.view, "confirm", lambda _: False)
    with pytest.raises(GateRefused, match="not confirmed"):
        create(world(ground), "major")
    assert ground.git("tag") == "v0.1.0"
    create(world(ground, consent=True), "major")
    assert ground.git("tag") == "v0.1.0\nv1.0.0"


# -- GitHub --------------------------------------------------------------------------------------------------


def on(hub: GitHub) -> dict[str, Any]:
    """The settings for this GitHub."""
    return {"release": {"page": {"url": hub.url, "repository": hub.repository}}}


def pushed(hub: GitHub, ground: Ground) -> None:
    """Let the server know of tags when they are pushed: a page for another one would invent it."""
    for line in ground.refs(ground.remote).splitlines():
        ref, _, number = line.partition(" ")
        if ref.startswith("refs/tags/"):
            hub.tags[ref.removeprefix("refs/tags/")] = number


@pytest.mark.parametrize(("pre", "latest"), [(None, "true"), ("rc", "false")])
def test_a_page(
    ground: Ground, hub: GitHub, capsys: pytest.CaptureFixture[str], pre: str | None, latest: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """After the push, with the notes; a pre-release is none that is shown first."""
    publish = page.publish
    monkeypatch.setattr(page, "publish", lambda *given: (pushed(hub, ground), publish(*given))[1])
    create(world(ground, **on(hub)), push=True, pre=pre, github=True)
    (made,) = hub.releases
    assert (made["tag_name"], made["body"], made["prerelease"]) == (
        "v0.1.0-rc.1" if pre else "v0.1.0", "### Added\n\n- A thing.\n", pre is not None,
    )  # fmt: skip
    asked = json.loads(next(each for each in hub.asked if each.method == "POST").body)
    assert asked["make_latest"] == latest
    assert said(capsys)["page"] == made["html_url"]
    assert ([], {}) == (hub.broken, hub.invented_tags)


def test_a_page_that_cannot_be_made(ground: Ground, hub: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The release is out: it stays, and the command that makes its page is told."""
    monkeypatch.setenv("GITHUB_TOKEN", hub.may(metadata="read", contents="read"))
    with pytest.raises(Unreachable, match=r"GitHub did not make the page of v0\.1\.0: 403") as found:
        create(world(ground, **on(hub)), push=True, github=True)
    assert found.value.state == "0.1.0 is released and pushed; only its page is missing"
    assert "inv release-notes 0.1.0 --style github | gh release create v0.1.0 --notes-file -" in found.value.do
    assert "refs/tags/v0.1.0" in ground.refs(ground.remote)
    assert hub.releases == []


def test_a_page_that_is_there_stays(ground: Ground, hub: GitHub) -> None:
    """Somebody, or a run that died, made it already."""
    hub.releases.append({"tag_name": "v0.1.0", "draft": False, "html_url": "https://github.example/x"})
    create(world(ground, **on(hub)), push=True, github=True)
    assert len(hub.releases) == 1


def test_a_page_is_prepared_for_before_anything(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token, a repository or a push, nothing is released."""
    before = ground.refs()
    with pytest.raises(UsageError, match="--github makes the page of a tag that is pushed"):
        create(world(ground), github=True)
    with pytest.raises(GateRefused, match="which repository at GitHub"):
        create(world(ground), push=True, github=True)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    settings = {"release": {"page": {"repository": "octo/library", "url": "http://127.0.0.1:9"}}}
    with pytest.raises(UsageError, match="GITHUB_TOKEN is not set"):
        create(world(ground, **settings), push=True, github=True)
    assert ground.refs() == before


# -- words ---------------------------------------------------------------------------------------------------


def test_the_message(tmp_path: Path) -> None:
    """From the command line or from a file, as it is."""
    file = tmp_path / "message"
    file.write_bytes("--dry-run\r\nis gone\r\n".encode("utf-8-sig"))
    assert releasing.message("Words", None) == "Words"
    assert releasing.message("", str(file)) == "--dry-run\nis gone"


def test_no_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing, both, what cannot be read, and secrets are wrong usage."""
    monkeypatch.setenv("DEPLOY_TOKEN", "opensesame")
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "latin").write_bytes(b"\xe4\xf6")
    for given, file in [
        ("", None), (" \n", None), ("x", "y"), ("", str(tmp_path / "gone")), ("", str(tmp_path / "empty")),
        ("", str(tmp_path / "latin")), ("a\0b", None), ("now with opensesame", None),
    ]:  # fmt: skip
        with pytest.raises(UsageError) as found:
            releasing.message(given, file)
        assert "opensesame" not in str(found.value)


def test_notes(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    """One version for GitHub, Slack and a terminal, with or without the prefix; what is unreleased as well."""
    create(world(ground))
    ground.entry("- Mended.")
    capsys.readouterr()
    found = {}
    for style in ("github", "slack", "text"):
        notes.show(world(ground), "v0.1.0", style, json=True)
        found[style] = said(capsys)["notes"].strip()
    assert found == {
        "github": "### Added\n\n- A thing.",
        "slack": "*Added*\n\n• A thing.",
        "text": "Added\n\n- A thing.",
    }
    notes.show(world(ground), "Unreleased", "text", json=True)
    assert said(capsys)["notes"] == "Fixed\n\n- Mended."
    with pytest.raises(GateRefused, match="no section 7"):
        notes.show(world(ground), "7.0.0", "text", json=True)
    with pytest.raises(UsageError, match="--style html"):
        notes.show(world(ground), "0.1.0", "html", json=True)


def test_notes_of_another_line(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    """A version whose section is not in this branch's changelog has it at its tag."""
    create(world(ground))
    ground.git("switch", "--quiet", "--create", "old", "HEAD^")
    capsys.readouterr()
    notes.show(world(ground), "0.1.0", "text", json=True)
    assert said(capsys)["notes"] == "Added\n\n- A thing."


# -- carried -------------------------------------------------------------------------------------------------


def test_deployments_carry_the_notes(ground: Ground) -> None:
    """The section of the version at that commit; for a version that is none yet, what is unreleased; no more."""
    create(world(ground))
    made, head = world(ground), ground.git("rev-parse", "HEAD")
    at = memory.release("0.1.0")._replace(commit=head)
    assert notes.carried(made, at) == "Added\n\n- A thing."
    long = memory.release("0.1.1-dev.1+gabc")._replace(commit=ground.entry("- " + "word " * 1000))
    assert len(notes.carried(made, long)) == 2000
    assert notes.carried(made, at._replace(commit="gone")) == ""


def test_the_report_shows_what_a_deployment_brings(ground: Ground) -> None:
    """The event with which it begins has it, and the report tells it."""
    create(world(ground))
    release = memory.release("0.1.0")._replace(commit=ground.git("rev-parse", "HEAD"))
    made = world(ground, **stories.SHORT)
    carry_out(made, partial(plans.deploy, release=release, gates=False), task="deploy")
    began = next(event for event in made.ledger.events() if event.kind == "began")
    assert began.facts["notes"] == "Added\n\n- A thing."
    shown = text("report", answers.report(made, None), Paint(False))
    assert "  what 0.1.0 brings:\n    Added\n    - A thing.\n" in shown
