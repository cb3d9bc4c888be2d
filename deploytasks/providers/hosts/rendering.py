"""Templates of commands, filled in so that no value is ever read as shell."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from shlex import quote
from typing import NamedTuple

from ...errors import SettingsError
from ...ports import Color
from ...settings.hosts import PLACEHOLDER, checked
from .layout import Layout

ON_THE_HOST: Mapping[str, str] = {"release": '"$RELEASE"', "version": '"$VERSION"'}
"""What only the host knows when the command runs: which release is current. Shell text."""


class Program(NamedTuple):
    """Something to run in a color's release: shell text, and its environment as name → shell text.

    ``secrets``: a shell word, the file on the host whose assignments are its environment as well; empty: none.
    """

    command: str
    environment: Mapping[str, str]
    secrets: str = ""

    @property
    def fingerprint(self) -> str:
        """Changes when the command or its environment does: 12 hex digits."""
        own = [f"{name}={value}" for name, value in sorted(self.environment.items())]
        text = "\0".join([self.command, *own, *([self.secrets] if self.secrets else [])])
        return sha256(text.encode()).hexdigest()[:12]

    @property
    def line(self) -> str:
        """Shell text that becomes the program. RELEASE and VERSION must be set."""
        own = "".join(f" {name}={value}" for name, value in sorted(self.environment.items()))
        read = f"set -a; . {self.secrets} || exit 1; set +a; " if self.secrets else ""
        return f"{read}exec env{own} /bin/sh -c {quote(self.command)}"


def values(address: str, layout: Layout, color: Color, python: str) -> dict[str, str]:
    """What stands for each placeholder but ``release`` and ``version``. ``address``: where the color listens."""
    host, _, port = address.rpartition(":")
    return {
        "python": python, "host": host.strip("[]"), "port": port, "color": color,
        "shared": layout.shared, "log": layout.log(color), "root": layout.root,
    }  # fmt: skip


def program(template: str, environment: Mapping[str, str], values: Mapping[str, str], secrets: str = "") -> Program:
    """The program that a template and the configured environment describe.

    ``values``: what stands for each placeholder but ``release`` and ``version``. ``secrets``: the template of the path
    of a file of further variables. Raises ``SettingsError``.
    """
    own = {name: word(value, values) for name, value in environment.items()}
    ours = {"PORT": quote(values["port"]), "COLOR": quote(values["color"]), **_RELEASE}
    return Program(command(template, values), {**own, **ours}, word(secrets, values) if secrets else "")


_RELEASE = {name.upper(): text for name, text in ON_THE_HOST.items()}


def command(template: str, values: Mapping[str, str]) -> str:
    """Shell text: each ``{name}`` is one quoted word, ``{{name}}`` stays ``{name}``. Raises ``SettingsError``."""
    try:
        checked(template)
    except ValueError as error:
        raise SettingsError([f"`{template}`: {error}"]) from None
    texts = {name: quote(value) for name, value in values.items()} | dict(ON_THE_HOST)
    return PLACEHOLDER.sub(lambda found: texts[found[2]] if found[2] else f"{{{found[1]}}}", template)


def word(template: str, values: Mapping[str, str]) -> str:
    """One shell word whose text is the template, filled in."""
    pieces, end = [], 0
    for found in PLACEHOLDER.finditer(template):
        name = found[2]
        filled = ON_THE_HOST.get(name) or quote(values[name]) if name else quote(f"{{{found[1]}}}")
        pieces += [_quoted(template[end : found.start()]), filled]
        end = found.end()
    return "".join([*pieces, _quoted(template[end:])]) or "''"


def _quoted(text: str) -> str:
    return quote(text) if text else ""
