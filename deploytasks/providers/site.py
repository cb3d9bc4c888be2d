"""Where a provider stands: the application, the environment, its folders, and who is at the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..vault import HERE, Vault

if TYPE_CHECKING:
    from invoke import Context

    from ..ports import Color, Installed
    from ..pseudonyms import Names
    from ..settings.base import Value


class Site(NamedTuple):
    """What a provider may know beside its own settings."""

    application: str
    environment: str
    root: Path
    """The project's folder; relative paths in settings start here."""
    folder: Path
    """The state folder of this environment, ``<root>/.deploy/<environment>`` by default. May not exist yet."""
    context: Context | None
    """Invoke's context, for providers that run local commands."""
    who: str
    """``name@host``, or the id of who deploys."""
    sections: Mapping[str, Value] = {}
    """The other validated sections of the environment (``fleet``, ``traffic``, …)."""
    parallel: int = 8
    """How many hosts are worked on at once, at most."""

    host: str = ""
    """The id under which this machine is recorded; its own name, when empty."""
    names: Names | None = None
    """Ids of people, where they are recorded by those."""
    vault: Vault = HERE
    """The secrets of this environment."""
    standing: Callable[[], Mapping[Color, Installed | None]] = dict
    """Asks the hosts what stands on both colors, for providers that know requests by their release. May raise what
    ``Fleet.colors`` raises."""

    def recorded(self, name: str) -> str:
        """A person's name as it may be recorded: itself, or their id. An id stays what it is."""
        return self.names.person(name) if self.names is not None else name

    def readable(self, value: Any) -> Any:
        """Plain data as people read it: with names for ids, as far as they are known here."""
        return self.names.translated(value) if self.names is not None else value

    def saw(self, names: Iterable[str]) -> None:
        """People who will be named in evidence: from now on their ids are recorded in sentences."""
        if self.names is not None:
            for name in names:
                self.names.hide_in_sentences(name, self.names.person(name))

    def path(self, given: str) -> Path:
        """A path from the settings, absolute."""
        return self.root / given
