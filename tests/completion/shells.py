"""The real shells, asked what they would offer when Tab is pressed."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from lab.parts import program

from deploytasks.completion import script

BIN = Path(sys.executable).parent
"""Where `inv` and `deploytasks` are."""

_BASH = """
source {script}
COMP_WORDS=({words}) COMP_CWORD={last}
_deploytasks_inv
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
_ZSH = """
zmodload zsh/zpty
zpty shell "zsh -f -i"
zpty -w shell "PS1=; unsetopt zle_bracketed_paste; fpath=({folder} \\$fpath)"
zpty -w shell "autoload -Uz compinit; compinit -u -d {folder}/dump; {load}"
zpty -w shell "compadd() {{ builtin compadd -A offered \\"\\$@\\""
zpty -w shell "(( \\$#offered )) && print -rl -- \\$offered >> {folder}/offered; builtin compadd \\"\\$@\\" }}"
zpty -w shell "bindkey '^I' complete-word; zstyle ':completion:*' list-prompt ''; print ready > {folder}/ready"
while [[ ! -s {folder}/ready ]]; do zpty -r -t shell line; zselect -t 2; done
zpty -w -n shell {line}$'\\t'
zpty -w -n shell $'\\C-e\\C-u'
zpty -w shell "print over > {folder}/over"
while [[ ! -s {folder}/over ]]; do zpty -r -t shell line; zselect -t 2; done
zpty -d shell
"""


def offered(shell: str, line: str, project: Path, folder: Path) -> list[str]:
    """What the shell offers behind a line, whose last word is begun, or empty."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish, "zsh, by fpath": _zsh_by_fpath}[shell](line, project, folder)


def run(command: list[str], project: Path, *, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a shell in the project with our `inv` first on the PATH."""
    own = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(project), "TERM": "xterm", "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=project, env=own, input=given, capture_output=True, text=True, timeout=60, check=False
    )


def _written(shell: str, folder: Path) -> Path:
    file = folder / f"inv.{shell}"
    file.write_text(script(shell))
    return file


def _words(line: str) -> list[str]:
    """As bash has them: `=` is a word of its own."""
    words = [part for word in line.split(" ")[:-1] if word for part in word.split("=")]
    last = line.rpartition(" ")[2]
    option, equals, value = last.partition("=")
    return [*words, *([option, "=", value] if equals and value else [option, "="] if equals else [last])]


def _bash(line: str, project: Path, folder: Path) -> list[str]:
    words = _words(line)
    said = _BASH.format(script=_written("bash", folder), words=shlex.join(words), last=len(words) - 1)
    done = run([program("bash"), "--norc", "-c", said], project)
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout.split()


def _fish(line: str, project: Path, folder: Path) -> list[str]:
    said = f"source {_written('fish', folder)}; complete -C {shlex.quote(line)}"
    done = run([program("fish"), "--no-config", "-c", said], project)
    assert (0, "") == (done.returncode, done.stderr)
    return [one.partition("\t")[0] for one in done.stdout.splitlines()]


def _zsh(line: str, project: Path, folder: Path, load: str = "") -> list[str]:
    load = load or f"source {_written('zsh', folder)}"
    said = "zmodload zsh/zselect\n" + _ZSH.format(folder=folder, load=load, line=shlex.quote(line))
    done = run([program("zsh"), "-f", "-c", said], project)
    assert (0, "") == (done.returncode, done.stderr)
    found = folder / "offered"
    return list(dict.fromkeys(found.read_text().split())) if found.exists() else []  # each is looked at twice


def _zsh_by_fpath(line: str, project: Path, folder: Path) -> list[str]:
    """As a function file, which zsh loads by itself."""
    (folder / "_inv").write_text(script("zsh"))
    return _zsh(line, project, folder, load="true")
