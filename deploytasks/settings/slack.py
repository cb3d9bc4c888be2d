"""Slack: where people read what became of a deployment."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ..bulletins import Severity
from .saas_access import SaasAccess, SafeUrl
from .web_access import VariableName

HOOK = "SLACK_WEBHOOK_URL"
"""The variable of the incoming webhook, where nothing else is said."""


class SlackSettings(SaasAccess):
    """``messages: {kind: slack}``: by an incoming webhook, or by a bot: ``token_from`` and ``channel``."""

    means: ClassVar[dict[str, str]] = {
        "within": "For one message, and for what Slack wants to be waited for before it takes it; at most 30 s.",
    }

    kind: Literal["slack"] = "slack"
    webhook_from: VariableName | None = None
    """The name of the environment variable that holds the URL of an incoming webhook, all of which is a secret; without
    a bot ``SLACK_WEBHOOK_URL``."""
    token_from: VariableName | None = None
    """The name of the environment variable that holds the token of a bot, ``xoxb-…``, with the scope ``chat:write``. It
    needs ``channel``."""
    channel: Annotated[str, Field(pattern=r"^#?[^\s#@<>,|&]{1,80}$")] | None = None
    """Where the bot writes: an id (``C0123ABCD``), or the name of a public channel. A webhook has its own."""
    severity: Severity = "info"
    """The least severity that is told: ``detail``, ``info``, ``warning``, ``error`` or ``critical``."""
    mention: Annotated[str, Field(pattern=r"^(here|channel|[SUW][A-Z0-9]{5,})$")] | None = None
    """Who is called when a person must act: the id of a user group (``S…``) or of a member (``U…``), ``here`` or
    ``channel``."""
    url: SafeUrl = "https://slack.com/api"
    """The base URL of the API for bots; of GovSlack ``https://slack-gov.com/api``."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.token_from is not None and self.webhook_from is not None:
            raise ValueError("`webhook_from` or `token_from` with `channel`, not both")
        if self.token_from is not None and self.channel is None:
            raise ValueError("`token_from` needs the `channel` in which the bot writes")
        if self.token_from is None and self.channel is not None:
            raise ValueError(
                "an incoming webhook writes into the channel that it was made for: make another one for another "
                "channel, or use `token_from`"
            )
        return self

    @property
    def hook(self) -> str:
        """The variable that holds the webhook's URL."""
        return self.webhook_from or HOOK
