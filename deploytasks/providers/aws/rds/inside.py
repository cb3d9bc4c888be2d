"""Looking into the database itself, where its address is known: what was applied, and whether a restored one works."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from .... import redaction
from ....errors import DeployError, GateRefused, UsageError
from ....ports import Call
from ....settings.postgres import PostgresSettings
from ....settings.rds import RdsSettings
from ...site import Site
from .sorts import Machine

if TYPE_CHECKING:
    from ...postgres.database import PostgresDatabase

_AT = "DEPLOYTASKS_RDS_ADDRESS"
"""The variable in which the address of a restored database is handed on, while it is looked at."""
_SHORTLY = 30.0
"""Seconds."""


class Inside:
    """The database behind ``url_from``; nothing can be seen without."""

    def __init__(self, settings: RdsSettings, site: Site) -> None:
        self._settings = settings
        self._site = site

    def applied(self, url: str | None = None) -> Sequence[str]:
        """The migrations that are in it: in the live one, or in the one at ``url``."""
        if self._settings.url_from is None or self._settings.preset is None:
            return ()
        if url is None:
            return self._reached(self._settings.url_from).applied()
        os.environ[_AT] = url
        try:
            return self._reached(_AT).applied()
        finally:
            del os.environ[_AT]

    def run(self, command: str, what: str) -> Call:
        """A command in the project's folder."""
        return self._reached(self._settings.url_from).run(command, what)

    def check(self, machine: Machine, timeout: float) -> None:
        """Ask a restored database whether it works. Raises ``GateRefused`` when it does not."""
        if not machine.host:
            raise self._fails(machine, "it has no address yet")
        if self._settings.url_from is not None:
            self._ask(machine)
        if self._settings.check is not None:
            self._run_check(machine, self._settings.check, timeout)

    @property
    def how(self) -> str:
        """For people: what ``check`` does."""
        said = ["it is available, and has an address"]
        said += ["it answers SELECT 1"] if self._settings.url_from else []
        said += [f"`{self._settings.check}` succeeds"] if self._settings.check else []
        return ", ".join(said)

    def url(self, machine: Machine, database: str | None = None) -> str:
        """The live database's URL with another one's address in it. It counts as secret from now on."""
        variable = self._settings.url_from or ""
        given = self._site.vault.get(variable)
        if not given:
            raise UsageError(self._site.vault.unset(variable), do=f"set {variable}; it is never written anywhere")
        parts = urlsplit(given)
        if not parts.scheme or not parts.hostname:
            raise UsageError(f"the value of {variable} is no URL", do="write postgresql://user:password@host:port/name")
        who = parts.netloc.rpartition("@")[0]
        place = f"{who}{'@' if who else ''}{machine.host}:{machine.port}"
        redaction.hide(who.partition(":")[2])
        return urlunsplit(parts._replace(netloc=place, path=f"/{database}" if database else parts.path))

    # -- how -----------------------------------------------------------------

    def _reached(self, variable: str | None) -> PostgresDatabase:
        """The database as the provider for PostgreSQL sees it; ``variable`` holds its URL."""
        if variable is None:
            raise UsageError("`database.url_from` is not set", do="name the variable that holds the database's URL")
        own = ("preset", "migrator", "migrate", "where")
        said = {key: getattr(self._settings, key) for key in own if getattr(self._settings, key) is not None}
        try:
            from ...postgres.database import PostgresDatabase

            return PostgresDatabase(PostgresSettings(url_from=variable, **said), self._site)
        except ModuleNotFoundError as error:
            what = f"`database.url_from` needs the package {error.name}, which is not installed"
            raise UsageError(what, do="pip install 'deploytasks[aws,postgres]'") from error

    def _ask(self, machine: Machine) -> None:
        import psycopg

        from ...postgres.server import said

        url = self.url(machine)
        scheme, _, rest = url.partition("://")
        try:
            with psycopg.connect(f"{scheme.partition('+')[0]}://{rest}", connect_timeout=int(_SHORTLY)) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise self._fails(machine, said(error)) from error

    def _run_check(self, machine: Machine, command: str, timeout: float) -> None:
        told: dict[str, str] = {"DATABASE_HOST": machine.host, "DATABASE_PORT": str(machine.port)}
        if self._settings.url_from is not None:
            told[self._settings.url_from] = self.url(machine)
        ran = _ran(command, {**os.environ, **told}, self._site, timeout)
        if ran.returncode:
            lines = [line.strip() for line in f"{ran.stdout}\n{ran.stderr}".splitlines() if line.strip()]
            last = str(redaction.clean(lines[-1] if lines else "no output"))[:200]
            raise self._fails(machine, f"`{command}` left with {ran.returncode}: {last}")

    def _fails(self, machine: Machine, why: str) -> DeployError:
        return GateRefused(
            f"the restored {machine.name} does not work: {why}",
            state=f"{self._settings.name} is as it was; {machine.name} stands beside it",
            do=f"look into {machine.name}, and delete it; or mend what hinders, and `inv restore-database` again",
        )


def _ran(command: str, environment: Mapping[str, str], site: Site, timeout: float) -> subprocess.CompletedProcess[Any]:
    try:
        return subprocess.run(  # noqa: S602  a command of the configuration is shell text
            command, shell=True, cwd=site.root, env=dict(environment), capture_output=True, text=True,
            timeout=timeout, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"not done after {timeout:g} s")
