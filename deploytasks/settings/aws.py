"""AWS: the account and the region in which an environment lives, and how it is reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from .base import Duration, Value
from .environment import Text

Arn = Annotated[str, Field(pattern=r"^arn:[a-z0-9-]+:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:[^\s'\"]+$")]
"""``arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/shop/…``."""
Url = Annotated[str, Field(pattern=r"^https?://[^/\s]+/?$")]
"""Where a service answers."""


class AwsAccess(Value):
    """``aws: {region: eu-central-1, role_arn: "arn:aws:iam::123456789012:role/deploy"}``. What is not said comes from
    where the AWS CLI has it: variables, profile, the machine's or the job's role."""

    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")] | None = None
    """Where everything of this environment is; by default what ``AWS_REGION`` or the profile says."""
    profile: Text | None = None
    """A profile of ``~/.aws/config``; a job in CI has none."""
    role_arn: Arn | None = None
    """A role to assume first, with the credentials that are found."""
    external_id: Text | None = None
    """What the role's trust policy may ask for."""
    endpoint: Url | None = None
    """The address of all services, for an emulator."""
    endpoints: Mapping[str, Url] = {}
    """The address of single services, as boto3 calls them: ``{s3: "https://minio.example"}``."""
    answer_within: Annotated[Duration, Field(ge=0.5, le=60)] = 5.0
    """How long one attempt may take; a call has three at most."""
