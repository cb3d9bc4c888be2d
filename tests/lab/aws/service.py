"""What a service of the lab is: its state, and a method for each operation that it knows."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-central-1"


class AwsError(Exception):
    """Answered as AWS answers an error: ``code`` as it stands on the wire, with a sentence and the HTTP status."""

    def __init__(
        self, code: str, message: str = "", status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message or code
        self.status = status
        self.headers = dict(headers or {})


class Service:
    """One service. The method for ``DescribeListeners`` is ``describe_listeners``: a dict of parameters in, one out.

    Both are held against botocore's model of the service. ``lock`` is held during each operation: what a service
    does is atomic, as it is at AWS.
    """

    name = ""
    """As botocore calls it: ``elbv2``."""
    asking = ""
    """The access key of who asks, while an operation is carried out."""

    def __init__(self) -> None:
        self.lock = threading.RLock()

    def admit(self, operation: str, params: Params, caller: str, region: str) -> None:
        """Refuse, by ``AwsError``, what this access key may not do, or not in this region."""

    def close(self) -> None:
        """End what the service started."""

    def arn(self, rest: str, service: str = "") -> str:
        """An ARN in the lab's account and region."""
        return f"arn:aws:{service or self.name}:{REGION}:{ACCOUNT}:{rest}"


Params = dict[str, Any]
