"""How hosts are reached over SSH: by a fleet, and by whatever else lives on a host (a balancer, its switch)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import Duration, Value

Endpoint = Annotated[str, Field(pattern=r"^([^@\s]+@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$")]
"""``[user@]host[:port]``; ``host`` may be a name of the ssh_config."""


class SshAccess(Value):
    """``ssh: {user: deploy, key: ~/.ssh/deploy, gateway: jump@bastion, known_hosts: deploy/known_hosts}``.

    What is not said is looked up in the ssh_config, as ``ssh`` does. Host keys are always verified.
    """

    user: str | None = None
    """Who logs in; by default what the ssh_config says, or who deploys."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """The port of the SSH servers."""
    key: str | None = None
    """The private key. Those of the ssh_config and of the agent are tried after it; those in ``~/.ssh`` when neither
    this nor the ssh_config names one. Relative to the project."""
    gateway: Endpoint | None = None
    """The host through which all others are reached: ``[user@]host[:port]``."""
    ssh_config: str | None = None
    """An ssh_config to read instead of ``~/.ssh/config`` and ``/etc/ssh/ssh_config``."""
    known_hosts: str | None = None
    """The file of host keys; by default what the ssh_config says, or ``~/.ssh/known_hosts`` and
    ``/etc/ssh/ssh_known_hosts``. Relative to the project."""
    connect_within: Annotated[Duration, Field(gt=0, le=300)] = 10.0
    """How long until a connection stands: looking up the name, gateway and log-in included."""
    keepalive: Annotated[Duration, Field(ge=1, le=600)] = 15.0
    """Between two signs of life on a silent connection."""
    lost_after: Annotated[Duration, Field(ge=1, le=600)] = 20.0
    """Without any answer for so long, a connection counts as lost."""


AS_SSH_DOES = SshAccess.model_construct()
"""Nothing said. Made without validation: its validator takes 2 ms to build, for which no rollback should wait."""
