"""The store of a team: a table in a PostgreSQL database of its own."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .base import Duration
from .postgres import Name, PostgresAccess


class PostgresStoreSettings(PostgresAccess):
    """``store: {kind: postgres, url_from: DEPLOY_STORE_URL}``."""

    means: ClassVar[dict[str, str]] = {
        "url_from": (
            "The environment variable that holds the URL: `postgresql://user:password@host/name?sslmode=verify-full`."
        ),
        "host": (
            "A name, an address, or the folder of a UNIX socket; several, separated by commas: the one that takes"
            " writes."
        ),
    }

    kind: Literal["postgres"] = "postgres"
    table: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,50}\.[a-z_][a-z0-9_]{0,50}$")] = "deploytasks.store"
    """Schema and table; made on the first write by whoever may."""
    answer_within: Annotated[Duration, Field(ge=0.5, le=60)] = 4.0
    """How long one question may take; a server that restarts meanwhile is asked again."""
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = None
    """What TLS must do, as of libpq; ``verify-full`` alone proves who answers."""
    sslrootcert: Name | None = None
    """The file of the authorities to trust; or ``system``. Relative to the project."""
    sslcert: Name | None = None
    """The file of our certificate; relative to the project."""
    sslkey: Name | None = None
    """Our key; relative to the project."""
