"""Releases: a version that has a tag, and a section in the changelog."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from .options import Option, Task, task, words

if TYPE_CHECKING:
    from typing import Self

    from invoke import Context
    from invoke.parser.argument import Argument


class _File(Option):
    """``--message-file``: given, it stands in for the message, which need not be there then."""

    message: Argument

    def set_value(self, value: Any, cast: bool = True) -> None:
        super().set_value(value, cast)
        if self.message.value is None:
            self.message.set_value("", cast=False)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copied = super().__deepcopy__(memo)
        copied.message = copy.deepcopy(self.message, memo)
        return copied


class _Release(Task):
    """A task whose message may come from a file instead."""

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        found = super().get_arguments(ignore_unknown_help)
        (message,) = (each for each in found if each.name == "message")
        for at, each in enumerate(found):
            if each.name == "message_file":
                found[at] = file = _File.of("message_file", None, each.help, positional=False, several=False)
                file.message = message
        return found


OPTIONS = words(
    "json",
    env="The environment whose ledger has the release. Default: as configured, or the first one.",
    plan="Print the exact difference and every command, and change nothing.",
    yes="Agree to 1.0.0 after 0.x, which is asked otherwise. Never travels along a chain.",
    bump="major, minor or patch; final ends a line of pre-releases.",
    message="What this release is, for its commit and its tag.",
    **{
        "message-file": "A file with the message; - is stdin. Default: the message is typed.",
        "pre": "A pre-release of the version: rc makes 1.2.0-rc.1, then 1.2.0-rc.2. Default: the version itself.",
        "from-tag": "The older version (v1.2.3) that gets a hotfix, on its own branch. Default: what is checked out.",
        "push": "Push commit and tag, both or none; when the remote refuses, all is taken back here.",
        "github": "Then make the release's page at GitHub.",
        "allow-empty": "Although nothing is unreleased, or nothing was committed.",
        "first": "There is no version yet, although nobody can tell.",
    },
)


@partial(task, klass=_Release)(positional=["bump", "message"], help=OPTIONS)
def create_release(
    c: Context,
    bump: Any,
    message: Any,
    message_file: Any = None,
    pre: Any = None,
    from_tag: Any = None,
    push: bool = False,
    github: bool = False,
    allow_empty: bool = False,
    first: bool = False,
    env: Any = None,
    plan: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Cut a release: version, changelog, commit and tag; all of it or nothing."""
    from ..operations import releasing
    from ..release.cutting import Wanted

    world = releasing.open_release(c, env, consent=yes)
    wanted = Wanted(
        bump,
        releasing.message(message, message_file),
        pre=pre,
        from_tag=from_tag,
        push=push,
        allow_empty=allow_empty,
        first=first,
    )
    releasing.create(world, wanted, preview=plan, github=github, json=json)


@task(
    positional=["version"],
    help=words("env", "json", version="Which one: 1.2.3, or Unreleased.", style="github, slack or text."),
)
def release_notes(c: Context, version: Any, style: str = "text", env: Any = None, json: bool = False) -> None:
    """Show what a version brings, as the changelog has it."""
    from ..operations import notes, releasing

    notes.show(releasing.open_release(c, env), version, style, json=json)
