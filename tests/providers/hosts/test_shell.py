"""The shell functions and commands, where a whole fleet would not show them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploytasks.errors import SettingsError
from deploytasks.providers import identity as module
from deploytasks.providers.hosts import arrival, commands, rendering, starting, supervising
from deploytasks.providers.hosts.layout import Layout
from deploytasks.providers.hosts.shell import GROUPS, IDENTITY, LINK
from deploytasks.release.difference import Difference

AS_SH = {"busybox": ("sh",), "zsh": ("--emulate", "sh")}
"""What makes a shell the ``/bin/sh`` that runs our commands, whatever a login shell is."""
NASTY = '/srv/it\'s $HOME `id` "x" ;&|'
SHELLS = [shell for shell in ("dash", "bash", "busybox", "zsh") if shutil.which(shell)]
VALUES = {
    "python": "/opt/my python",
    "port": "8101",
    "host": "::1",
    "color": "green",
    "shared": NASTY,
    "log": "l",
    "root": "r",
}


def sh(command: str, shell: str = "sh", **environment: str) -> str:
    line = [shell, *AS_SH.get(shell, ()), "-c"]
    done = subprocess.run(
        [*line, command], capture_output=True, text=True, check=True, timeout=10, env={**os.environ, **environment}
    )
    return done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_identity_agrees_in_every_shell(shell: str) -> None:
    """The shell finds the identity that Python finds, and nothing for a process that is not there."""
    assert sh(f"{IDENTITY}\nidentity {os.getpid()}", shell) == f"{module.identity(os.getpid())}\n"
    assert sh(f"{IDENTITY}\nidentity 999999999 || echo none", shell) == "none\n"


def test_identity_agrees_without_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where only ``ps`` tells, as on macOS, both agree as well."""
    monkeypatch.setattr(module, "_PROC", tmp_path)
    without = IDENTITY.replace("/proc/self/stat", str(tmp_path / "none"))
    assert sh(f"{without}\nidentity {os.getpid()}") == f"{module.identity(os.getpid())}\n"
    assert sh(f"{without}\nidentity 999999999 || echo none") == "none\n"
    groups = GROUPS.replace("/proc/self/stat", str(tmp_path / "none"))
    assert sh(f"{without}{groups}\ngroup_lives {os.getpgid(0)} && echo lives") == "lives\n"
    assert sh(f"{without}{groups}\ngroup_lives 999999999 || echo gone") == "gone\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_is_valid_shell(shell: str) -> None:
    """With the nastiest root that a person could choose, each command still parses."""
    layout = Layout(NASTY)
    program = rendering.program("{python} app.py {port} {release}", {"A": NASTY}, VALUES)
    how = starting.Start("5ta27", "8101", 2.5, anew=False)
    orders = supervising.Orders("sudo -n stop it", "is-active it", "journal it")
    for command in (
        arrival.survey(layout, "green", "r", "d"),
        arrival.listing(layout, "r", ("644", "755")),
        arrival.unpack(layout, "green", "r", "d"),
        arrival.patch(layout, "green", "r", "d", Difference("p", "d", NASTY, "f", "e", ("644", "755"))),
        commands.switch(layout, "green", "r"),
        commands.unlink(layout, "green"),
        starting.state(layout, "green"),
        starting.begin(layout, "green", program, "/opt/my python", how),
        starting.give_up(layout, "green", 2.5, "5ta27"),
        starting.end(layout, "green", 2.5),
        starting.remember(layout, "r", "green", NASTY),
        starting.remembered(layout, "green"),
        supervising.state(layout, "green", orders),
        supervising.begin(layout, "green", program, orders, how),
        supervising.stop(layout, "green", orders, 2.5),
        supervising.give_up(layout, "green", orders, 2.5, "5ta27"),
        supervising.remember(layout, "r", "green", orders, NASTY),
        supervising.last_words(layout, "green", orders, 20),
        commands.stop(layout.pid("green"), 2.5),
        commands.run(layout, "green", program, "migrate it's", "/opt/my python"),
        commands.tail(layout, "green"),
        commands.follow(layout, "green"),
        commands.prune(layout, 5, ["a", NASTY]),
        commands.tools(layout),
    ):
        sh(f"false && {{ {command}\n}} || true", shell)


def test_link_is_never_absent(tmp_path: Path) -> None:
    """A link is switched by one rename: a reader that looks all the time never misses it."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    link = tmp_path / "current"
    link.symlink_to("one")
    switches = "; ".join(f"link {name} {link} {tmp_path}/none" for name in ["two", "one"] * 30)
    process = subprocess.Popen(["sh", "-c", f"{IDENTITY}{LINK}\n{switches}"])
    seen = set()
    while process.poll() is None:
        seen.add(os.readlink(link))  # noqa: PTH115  # raises when it is absent
    assert process.returncode == 0
    assert seen <= {"one", "two"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "one", "two"]


@pytest.mark.parametrize("value", ["plain", NASTY, "", "-n", "a\nb", "é"])
def test_values_stay_values(value: str) -> None:
    """Whatever a value holds, the shell hands it on as one word, unread."""
    values = {**VALUES, "shared": value}
    word = rendering.word("<{shared}>", values)
    assert sh(f"printf %s {word}") == f"<{value}>"
    assert sh(f"printf %s {rendering.command('{shared}', values)}") == value


def test_doubled_braces_stay() -> None:
    """``{{port}}`` is for someone else; so is what the shell or JSON puts in braces."""
    template = '{{port}} ${HOME} {"a": {"b": 1}} {port}'
    assert rendering.command(template, VALUES) == '{port} ${HOME} {"a": {"b": 1}} 8101'
    assert sh(f"printf %s {rendering.word(template, VALUES)}") == '{port} ${HOME} {"a": {"b": 1}} 8101'


def test_unknown_placeholder_is_a_mistake() -> None:
    """A typo is not handed to the shell."""
    with pytest.raises(SettingsError, match="pyhton"):
        rendering.command("{pyhton} app.py", VALUES)


def test_fingerprint_follows_command_and_environment() -> None:
    """The same configuration has the same fingerprint; another command or variable has another."""
    made = [
        rendering.program(command, environment, VALUES).fingerprint
        for command, environment in (("a", {"X": "1"}), ("a", {"X": "1"}), ("b", {"X": "1"}), ("a", {"X": "2"}))
    ]
    assert made[0] == made[1]
    assert len(set(made)) == 3
