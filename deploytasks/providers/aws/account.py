"""Who deploys, and where: what ``doctor`` finds out about the credentials themselves."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import DeployError
from ...ports import Finding
from ...settings.aws import AwsAccess
from ..site import Site
from .session import client, region_of, translated

SUBJECT = "aws"


class Account:
    """The account, as the credentials lead to it."""

    def __init__(self, settings: AwsAccess, site: Site) -> None:
        self._settings = settings
        self._site = site

    def diagnose(self) -> Sequence[Finding]:
        """Account, role or user, and region. Everybody may ask this of AWS."""
        try:
            region = region_of(self._site)
            with translated("say who deploys"):
                found = client("sts", self._site).get_caller_identity()
        except DeployError as error:
            return [Finding(SUBJECT, "fail", error.what, error.do)]
        who = str(found["Arn"]).rpartition(":")[2]
        if who == "root":
            do = "deploy as a role that may do what it has to: docs/aws.md"
            return [Finding(SUBJECT, "warn", f"the root user of account {found['Account']}, in {region}", do)]
        return [Finding(SUBJECT, "ok", f"account {found['Account']}, as {who}, in {region}")]
