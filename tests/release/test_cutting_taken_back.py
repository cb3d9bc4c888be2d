"""A release that fails, is interrupted or killed leaves branch, index, files and tags as they were."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploytasks import interrupt
from deploytasks.errors import Interrupted, TakenBack, WayBackFailed
from deploytasks.release import changing, cutting, files, journal, making, taking_back
from deploytasks.release.cut import Cut

from . import cutter
from .cutter import cut, decide
from .ground import Ground, State, ground

__all__ = ["ground"]

GIT = shutil.which("git") or "git"


def taken_back(ground: Ground, **given: object) -> TakenBack:
    """The error of a release that failed; all is as it was then."""
    before = ground.state()
    with pytest.raises(TakenBack) as found:
        cut(ground.path, **given)  # type: ignore[arg-type]  # bump and message are texts
    assert ground.state() == before
    assert ground.leftovers() == []
    assert found.value.exit_code == 4
    assert found.value.state.startswith("taken back: branch, index, files and tags are as they were")
    return found.value


# -- failures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hook", ["pre-commit", "commit-msg", "prepare-commit-msg"])
def test_a_hook_says_no(ground: Ground, hook: str) -> None:
    """What it says is told."""
    ground.hook(hook, "echo no release on Mondays >&2; exit 1")
    assert "no release on Mondays" in taken_back(ground).what


def test_a_hook_changes_the_file_and_says_no(ground: Ground) -> None:
    """As formatters do: the file is as before the release, and what the hook made of it is kept beside."""
    ground.hook("pre-commit", "echo '- formatted' >> CHANGELOG.md; exit 1")
    before = ground.state()
    with pytest.raises(TakenBack) as found:
        cut(ground.path)
    assert ground.state() == before
    (kept,) = (ground.path / ".git" / journal.KEPT).iterdir()
    assert kept.read_bytes().endswith(b"- formatted\n")
    assert str(kept) in found.value.state


@pytest.mark.parametrize(
    "script",
    [
        "echo '- smuggled' >> CHANGELOG.md; git add CHANGELOG.md",
        "echo x > app.py; git add app.py",
    ],
)
def test_a_hook_changes_what_is_committed(ground: Ground, script: str) -> None:
    """A release has exactly what was decided: what a hook adds to it is not released."""
    ground.hook("pre-commit", script)
    head, refs = ground.git("rev-parse", "HEAD"), ground.refs()
    with pytest.raises(TakenBack, match="a hook changed what is committed"):
        cut(ground.path)
    assert (ground.git("rev-parse", "HEAD"), ground.refs()) == (head, refs)


def test_hooks_change_words_and_content(ground: Ground) -> None:
    """Our commit is known as ours even then."""
    ground.hook("pre-commit", "echo '- smuggled' >> CHANGELOG.md; git add CHANGELOG.md")
    ground.hook("commit-msg", 'echo "other words" > "$1"')
    head = ground.git("rev-parse", "HEAD")
    with pytest.raises(TakenBack, match="a hook changed what is committed"):
        cut(ground.path)
    assert (ground.git("rev-parse", "HEAD"), ground.git("status", "--porcelain")) == (head, "")


def test_a_hook_may_change_the_words(ground: Ground) -> None:
    """A trailer is none of our business."""
    ground.hook("commit-msg", 'printf "JIRA-1 %s" "$(cat "$1")" > "$1"; echo "Change-Id: I1" >> "$1"')
    cut(ground.path)
    assert ground.git("show", "--no-patch", "--format=%s", "HEAD") == "JIRA-1 Release 0.1.0"
    ground.entry()
    ground.hook("reference-transaction", 'case "$(cat)" in *refs/tags/*) [ "$1" != prepared ];; esac')
    taken_back(ground)


@pytest.mark.parametrize("logs", ["true", "false"])
def test_the_tag_cannot_be_made(ground: Ground, logs: str) -> None:
    """A tag that git will not write takes the commit back, whether branches have a log or not."""
    ground.git("config", "core.logAllRefUpdates", logs)
    shutil.rmtree(ground.path / ".git" / "logs")
    ground.hook("reference-transaction", 'case "$(cat)" in *refs/tags/*) [ "$1" != prepared ];; esac')
    assert taken_back(ground).what.startswith("git tag failed")


def test_somebody_makes_the_tag_meanwhile(ground: Ground) -> None:
    """Theirs stays, ours is taken back."""
    ground.hook("post-commit", "git tag v0.1.0 HEAD^")
    head = ground.git("rev-parse", "HEAD")
    with pytest.raises(TakenBack, match="already exists"):
        cut(ground.path)
    assert (ground.git("rev-parse", "HEAD"), ground.git("rev-parse", "v0.1.0")) == (head, head)


@pytest.mark.parametrize("what", ["commit.gpgSign", "tag.gpgSign"])
def test_signing_without_a_key(ground: Ground, what: str) -> None:
    """Git is configured to sign, and cannot."""
    ground.git("config", what, "true")
    ground.git("config", "gpg.format", "ssh")
    ground.git("config", "user.signingKey", str(ground.path / ".git" / "no-such-key"))
    taken_back(ground)


def test_signing(ground: Ground, tmp_path: Path) -> None:
    """Git is configured to sign with an SSH key: commit and tag verify; `sign: false` asks for none."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=30)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"ann@example.org {key.with_suffix('.pub').read_text()}")
    settings = {
        "gpg.format": "ssh", "user.signingKey": str(key), "commit.gpgSign": "true", "tag.gpgSign": "true",
        "gpg.ssh.allowedSignersFile": str(allowed),
    }  # fmt: skip
    for name, value in settings.items():
        ground.git("config", name, value)
    own = subprocess.run
    cut(ground.path)
    for command in (["verify-commit", "HEAD"], ["verify-tag", "v0.1.0"]):
        assert own([GIT, *command], cwd=ground.path, capture_output=True, check=False).returncode == 0
    ground.entry()
    cut(ground.path, sign=False)
    for command in (["verify-commit", "HEAD"], ["verify-tag", "v0.2.0"]):
        assert own([GIT, *command], cwd=ground.path, capture_output=True, check=False).returncode != 0
    ground.git("config", "commit.gpgSign", "false")
    ground.git("config", "tag.gpgSign", "false")
    ground.entry()
    cut(ground.path, sign=True)
    for command in (["verify-commit", "HEAD"], ["verify-tag", "v0.3.0"]):
        assert own([GIT, *command], cwd=ground.path, capture_output=True, check=False).returncode == 0


def test_nobody_to_commit_as(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a name, git commits nothing."""
    ground.git("config", "user.name", "")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "")
    taken_back(ground)


def test_a_file_cannot_be_written(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two files fails: the first is put back."""
    replace = files.replace

    def full(file: Path, new: bytes, name: str) -> None:
        if file.name == "pyproject.toml" and b"0.1.0" in new:
            raise OSError(28, "No space left on device")
        replace(file, new, name)

    monkeypatch.setattr(files, "replace", full)
    found = taken_back(ground, version_files=[{"file": "pyproject.toml", "pattern": 'version = "{version}"'}])
    assert "No space left" in found.what


def test_a_command_that_takes_too_long(ground: Ground) -> None:
    """A hook that never ends is ended with everything it started."""
    pid = ground.path / ".git" / "pid"
    ground.hook("pre-commit", f"sleep 600 & echo $! > '{pid}'; wait")
    found = taken_back(ground, within="1s")
    assert "did not end within 1 s" in found.what
    assert _is_gone(int(pid.read_text()))


def _is_gone(pid: int) -> bool:
    """Whether a process that was killed has ended; waited for as long as the kernel needs."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 5)[0])
    finally:
        os.close(handle)


def test_a_hook_that_leaves_something_running(ground: Ground) -> None:
    """What a hook starts in the background, and leaves with our output, is not waited for."""
    ground.hook("post-commit", f"sleep 600 & echo $! > '{ground.path / '.git' / 'pid'}'")
    cut(ground.path, within="20s")
    os.kill(int((ground.path / ".git" / "pid").read_text()), signal.SIGKILL)


# -- others --------------------------------------------------------------------------------------------------


def test_somebody_commits_in_between(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that comes between looking and committing stays, with its changes; the release is taken back."""
    replace = files.replace

    def late(file: Path, new: bytes, name: str) -> None:
        replace(file, new, name)
        monkeypatch.setattr(files, "replace", replace)
        ground.write("theirs.py", "theirs")
        ground.git("add", "theirs.py")
        ground.git("commit", "--quiet", "-m", "theirs", "--", "theirs.py")

    monkeypatch.setattr(files, "replace", late)
    with pytest.raises(TakenBack, match="somebody committed"):
        cut(ground.path)
    assert ground.git("log", "-1", "--format=%s") == "theirs"
    assert ground.git("status", "--porcelain") == ""
    assert ground.git("tag") == ""


def test_somebody_commits_the_changelog_in_between(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even what they committed in the same file stays, in the commit and in the work tree."""
    found = decide(ground.path)
    assert isinstance(found, Cut)
    replace = files.replace

    def late(file: Path, new: bytes, name: str) -> None:
        monkeypatch.setattr(files, "replace", replace)
        file.write_bytes(file.read_bytes() + b"- Theirs.\n")
        ground.git("commit", "--quiet", "-m", "theirs", "--", "CHANGELOG.md")
        replace(file, new, name)

    monkeypatch.setattr(files, "replace", late)
    with journal.alone(ground.path / ".git"), pytest.raises(TakenBack, match="somebody committed"):
        making.make(found)
    assert ground.text().endswith(b"- Theirs.\n")
    assert b"0.1.0" not in ground.text()
    assert ground.git("status", "--porcelain") == ""
    assert ground.git("log", "-1", "--format=%s") == "theirs"


def test_somebody_commits_upon_it(ground: Ground) -> None:
    """Upon a release that fails later, nothing is torn away: code 8 says what is left, and the next one goes on."""
    ground.hook("post-commit", "rm .git/hooks/post-commit; git commit --quiet --allow-empty -m theirs")
    ground.hook("reference-transaction", 'case "$(cat)" in *refs/tags/*) [ "$1" != prepared ];; esac')
    with pytest.raises(WayBackFailed, match="has commits upon") as found:
        cut(ground.path)
    assert ground.git("log", "-1", "--format=%s") == "theirs"
    assert found.value.do.startswith("git revert ")
    assert ground.leftovers() == []
    (ground.path / ".git/hooks/reference-transaction").unlink()
    ground.git("revert", "--no-edit", "HEAD^")
    assert cut(ground.path)[0].version == "0.1.0"


def test_somebody_writes_just_now(ground: Ground) -> None:
    """An editor that saves the changelog between looking and writing keeps its text."""
    found = decide(ground.path)
    assert isinstance(found, Cut)
    (ground.path / "CHANGELOG.md").write_bytes(ground.text() + b"- Just now.\n")
    with journal.alone(ground.path / ".git"), pytest.raises(cutting.checkout.GateRefused, match="somebody writes"):
        making.make(found)
    assert ground.text().endswith(b"- Just now.\n")
    assert ground.leftovers() == []


def test_what_others_have_staged_stays(ground: Ground) -> None:
    """What is staged after the look is neither committed nor lost, whether it succeeds or fails."""
    found = decide(ground.path)
    assert isinstance(found, Cut)
    ground.write("app.py", "staged")
    ground.git("add", "app.py")
    ground.hook("pre-commit", "exit 1")
    with journal.alone(ground.path / ".git"), pytest.raises(TakenBack):
        making.make(found)
    assert ground.git("status", "--porcelain") == "M  app.py"
    (ground.path / ".git/hooks/pre-commit").unlink()
    with journal.alone(ground.path / ".git"):
        making.make(found)
    assert ground.git("status", "--porcelain") == "M  app.py"
    assert ground.git("show", "--format=", "--name-only", "HEAD") == "CHANGELOG.md"


# -- pushing -------------------------------------------------------------------------------------------------


def remote_hook(ground: Ground, name: str, script: str) -> None:
    """A hook at the remote."""
    file = ground.remote / "hooks" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


@pytest.mark.parametrize("ref", ["refs/heads/*", "refs/tags/*"])
def test_the_remote_refuses(ground: Ground, ref: str) -> None:
    """One of the two is refused there: neither arrives, and all is taken back here."""
    remote_hook(ground, "update", f'case "$1" in {ref}) echo protected >&2; exit 1;; esac')
    there = ground.refs(ground.remote)
    assert "protected" in taken_back(ground, push=True).what
    assert ground.refs(ground.remote) == there


def test_somebody_pushed_meanwhile(ground: Ground, tmp_path: Path) -> None:
    """What the remote has meanwhile makes the push fail, and is not overwritten."""
    other = tmp_path / "other"
    ground.git("clone", "--quiet", str(ground.remote), str(other))
    ground.git("-C", str(other), "commit", "--quiet", "--allow-empty", "-m", "theirs")
    ground.hook("pre-push", f"unset GIT_DIR; git -C '{other}' push --quiet origin HEAD:main")
    before = ground.git("rev-parse", "HEAD")
    with pytest.raises(TakenBack, match="git push failed"):
        cut(ground.path, push=True)
    assert ground.git("rev-parse", "HEAD") == before
    assert ground.git("tag") == ""
    assert ground.git("-C", str(other), "rev-parse", "HEAD") in ground.refs(ground.remote)


def test_the_remote_took_it_and_the_answer_was_lost(ground: Ground) -> None:
    """The push failed after the remote had it: the release is made."""
    wrapper(ground, 'case "$1" in push) "$GIT" "$@"; exit 1;; esac')
    found, made = cut(ground.path, push=True)
    assert "but origin has it" in made.told[0]
    assert f"refs/heads/main {made.commit}" in ground.refs(ground.remote)
    assert ground.git("rev-parse", f"{found.tag}^{{commit}}") == made.commit
    assert ground.leftovers() == []


def test_the_remote_falls_silent(ground: Ground) -> None:
    """Whether it arrived is not known: nothing is taken back, the error says so, and the next one finds out."""
    moved = ground.remote.with_name("moved.git")
    before = ground.state()
    ground.hook("pre-push", f"mv '{ground.remote}' '{moved}'; exit 1")
    with pytest.raises(WayBackFailed, match="is not known") as found:
        cut(ground.path, push=True)
    assert "git push --quiet --atomic" in found.value.do
    assert ground.git("tag") == "v0.1.0"
    moved.rename(ground.remote)
    mended = taking_back.mend(ground.path)
    assert mended is not None
    assert mended.commit is None
    assert ground.state()._replace(status="") == before._replace(status="")


# -- interrupts and kills ------------------------------------------------------------------------------------


def wrapper(ground: Ground, script: str, monkeypatch: pytest.MonkeyPatch | None = None) -> Path:
    """A folder with another git in it, which runs ``script`` first; ``$GIT`` is the real one."""
    folder = ground.path.parent / "bin"
    folder.mkdir(exist_ok=True)
    file = folder / "git"
    file.write_text(f'#!/bin/sh\nGIT="{GIT}"\n{script}\nexec "$GIT" "$@"\n')
    file.chmod(0o755)
    if monkeypatch is None:
        os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
    return folder


@pytest.fixture(autouse=True)
def path_as_before() -> Iterator[None]:
    """Whatever a test puts before git is gone after it."""
    before = os.environ["PATH"]
    yield
    os.environ["PATH"] = before


def run(ground: Ground, *words: str) -> subprocess.CompletedProcess[str]:
    """Cut a minor release in a process of its own."""
    command = [sys.executable, "-m", "release.cutter", str(ground.path), "minor", *words]
    own = {**os.environ, "PYTHONPATH": f"{Path(cutter.__file__).parents[1]}:{Path(cutter.__file__).parents[2]}"}
    return subprocess.run(command, env=own, capture_output=True, text=True, timeout=60, check=False)


def is_released_once(ground: Ground, before: State, *, pushed: bool) -> None:
    """One release, made whole, directly after what was there."""
    assert ground.git("rev-parse", "HEAD^") == before.head
    assert ground.git("rev-parse", "v0.1.0^{commit}") == ground.git("rev-parse", "HEAD")
    assert ground.git("status", "--porcelain") == ""
    assert ground.text().count(b"## [0.1.0]") == 1
    assert ground.leftovers() == []
    assert ("refs/tags/v0.1.0 " in ground.refs(ground.remote)) == pushed


ONCE = 'if [ -e "$0.done" ]; then exec "$GIT" "$@"; fi; touch "$0.done"; '


@pytest.mark.parametrize("command", ["commit", "tag", "push"])
@pytest.mark.parametrize("moment", ["before", "in the middle", "in the middle, with git", "after"])
def test_killed(ground: Ground, command: str, moment: str) -> None:
    """``kill -9`` before, during and after each command: the next one finds it, takes it back, and makes it whole."""
    kill = {
        "before": f"{ONCE} kill -9 $PPID; exit 1",
        "after": f'{ONCE} "$GIT" "$@"; kill -9 $PPID; exit 1',
    }.get(moment, f"{ONCE} export KILL=1 US=$PPID")
    wrapper(ground, f'case "$1" in {command}) {kill};; esac')
    also = "kill -9 $PPID" if moment.endswith("with git") else ":"
    script = f'if [ -n "$KILL" ]; then kill -9 $US; {also}; sleep 0.3; fi'
    if command == "push":
        ground.hook("pre-push", script)
    else:
        ground.hook("reference-transaction", f'if [ "$1" = prepared ]; then {script}; fi')
    before = ground.state()
    assert run(ground, "push").returncode == -signal.SIGKILL
    again = run(ground, "push")
    if again.returncode == 3:  # the push had arrived, or git had gone on alone: the release was made
        assert "there is nothing since v0.1.0" in again.stderr
    else:
        assert (again.returncode, again.stderr) == (0, "")
    is_released_once(ground, before, pushed=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("hook", ["pre-commit", "post-commit", "pre-push"])
def test_interrupted(ground: Ground, number: signal.Signals, hook: str) -> None:
    """Ctrl-C, SIGTERM and a lost terminal take it back, with git and its hooks, and have their own exit codes."""
    wrapper(ground, "export US=$PPID")
    ground.hook(hook, f"kill -{number.name.removeprefix('SIG')} $US; sleep 60; exit 0")
    before = ground.state()
    done = run(ground, "push")
    assert (done.returncode, done.stderr) == (130 if number == signal.SIGINT else 143, "")
    assert ground.state() == before
    assert ground.leftovers() == []


def test_interrupted_at_birth(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that comes while git is being started ends it, too."""
    born = []

    class Popen(subprocess.Popen[bytes]):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            born.append(self)
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(changing.subprocess, "Popen", Popen)
    file = ground.path.parent / "pid"
    with pytest.raises(Interrupted), interrupt.caught():
        changing.change(ground.path, "-c", f"alias.wait=!echo $$ > '{file}'; exec sleep 600", "wait")
    assert [process.returncode for process in born] != [None]
    assert not file.exists() or _is_gone(int(file.read_text()))


@pytest.mark.parametrize("nth", range(1, 4))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_on_the_way_back(ground: Ground, nth: int, moment: str) -> None:
    """Killed while it is taken back, at each of its writes: the next one goes on with that."""
    ground.hook("reference-transaction", 'case "$(cat)" in *refs/tags/*) [ "$1" != prepared ];; esac')
    counter = ground.path.parent / "count"
    action = "kill -9 $PPID; exit 1" if moment == "before" else '"$GIT" "$@"; kill -9 $PPID; exit 1'
    wrapper(
        ground,
        f'case "$1" in update-*) echo x >> "{counter}"; [ "$(wc -l < "{counter}")" = {nth} ] && {{ {action}; }};; esac',
    )
    before = ground.state()
    assert run(ground).returncode == -signal.SIGKILL
    mended = taking_back.mend(ground.path)
    assert mended is not None
    assert (mended.commit, mended.told) == (None, ())
    assert ground.state() == before
    assert ground.leftovers() == []


def test_killed_between_files(ground: Ground) -> None:
    """Killed while a file is written: what was written beside it is gone, too."""
    found = decide(ground.path)
    assert isinstance(found, Cut)
    before = ground.state()
    journal.write(found)
    files.aside(ground.path / "CHANGELOG.md", found.id).write_bytes(b"half of")
    assert taking_back.mend(ground.path) is not None
    assert ground.state() == before


def test_edited_after_a_kill(ground: Ground) -> None:
    """What somebody wrote after the kill is theirs: it stays, and is told."""
    found = decide(ground.path)
    assert isinstance(found, Cut)
    journal.write(found)
    (ground.path / "CHANGELOG.md").write_bytes(ground.text() + b"- By hand.\n")
    mended = taking_back.mend(ground.path)
    assert mended is not None
    assert mended.told == ("CHANGELOG.md was changed by somebody else meanwhile: it is left as it is",)
    assert ground.text().endswith(b"- By hand.\n")


def test_committed_by_hand_after_a_kill(ground: Ground) -> None:
    """Somebody finished by hand what was killed: their commit is no longer ours to take back."""
    found = decide(ground.path)
    assert isinstance(found, Cut)
    journal.write(found)
    (ground.path / "CHANGELOG.md").write_bytes(found.edits[0].after)
    ground.git("-c", "user.name=Bob", "commit", "--quiet", "-m", "by hand", "--date=2020-01-01T00:00:00Z", "--all")
    made = ground.git("rev-parse", "HEAD")
    os.environ["GIT_COMMITTER_DATE"] = "1600000000 +0000"
    try:
        ground.git("commit", "--quiet", "--amend", "--no-edit")
        made = ground.git("rev-parse", "HEAD")
    finally:
        del os.environ["GIT_COMMITTER_DATE"]
    assert taking_back.mend(ground.path) is not None
    assert ground.git("rev-parse", "HEAD") == made
    assert ground.git("status", "--porcelain") == ""


def test_elsewhere_after_a_kill(ground: Ground) -> None:
    """On another branch the files are not ours to change: it says where to go back to, and finishes there."""
    found = decide(ground.path)
    assert isinstance(found, Cut)
    journal.write(found)
    before = ground.state()
    ground.git("switch", "--quiet", "-c", "elsewhere")
    with pytest.raises(cutting.checkout.GateRefused, match="elsewhere is checked out now"):
        taking_back.mend(ground.path)
    ground.git("switch", "--quiet", "main")
    ground.git("branch", "--delete", "--quiet", "elsewhere")
    assert taking_back.mend(ground.path) is not None
    assert ground.state() == before


def test_a_journal_that_nobody_can_read(ground: Ground) -> None:
    """Nothing is guessed."""
    (ground.path / ".git" / journal.FILE).write_text("{")
    with pytest.raises(cutting.checkout.GateRefused, match="cannot be read"):
        cut(ground.path)


def test_a_lock_of_a_git_at_work_stays(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock is removed only when no git works here."""
    from deploytasks.release import locks

    found = decide(ground.path)
    assert isinstance(found, Cut)
    journal.write(found)
    lock = ground.path / ".git" / "index.lock"
    lock.touch()
    monkeypatch.setattr(locks, "_PATIENCE", 0.1)
    monkeypatch.setattr(locks, "_SETTLED", 0.02)
    with subprocess.Popen([GIT, "cat-file", "--batch"], cwd=ground.path, stdin=subprocess.PIPE) as at_work:
        with pytest.raises(cutting.checkout.GateRefused, match="lock"):
            taking_back.mend(ground.path)
        assert at_work.stdin is not None
        at_work.stdin.close()
    assert lock.exists()
    assert taking_back.mend(ground.path) is not None
    assert not lock.exists()
