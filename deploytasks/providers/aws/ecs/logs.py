"""What tasks said, where their containers log to CloudWatch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ....errors import Unreachable, UsageError
from ...site import Site
from ..lists import pages
from ..session import Known, client, code_of
from .meaning import meaning

_PAGE = 1000


class Place(NamedTuple):
    """Where a container's lines are: streams are called ``<prefix>/<container>/<id of the task>``."""

    group: str
    prefix: str
    container: str

    def stream(self, task: str) -> str:
        return f"{self.prefix}/{self.container}/{task}"


def place_of(definition: Mapping[str, Any], container: str) -> Place | None:
    """Where the container logs; ``None``: not to CloudWatch, or without a prefix by which streams are found."""
    ours = [one for one in definition["containerDefinitions"] if one["name"] == container]
    how = (ours[0].get("logConfiguration") or {}) if ours else {}
    options = how.get("options") or {}
    if how.get("logDriver") != "awslogs" or "awslogs-group" not in options or "awslogs-stream-prefix" not in options:
        return None
    return Place(options["awslogs-group"], options["awslogs-stream-prefix"], container)


def required(definition: Mapping[str, Any], container: str) -> Place:
    """The same; or ``UsageError`` with what is missing."""
    found = place_of(definition, container)
    if found is None:
        raise UsageError(
            f"the container {container} of {definition['family']} does not log to CloudWatch: nothing can be followed",
            do="give it logDriver awslogs, with awslogs-group and awslogs-stream-prefix",
        )
    return found


def tail(site: Site, place: Place | None, task: str, lines: int) -> list[str]:
    """The last lines of a task. None, where it has said nothing, or nobody can read it."""
    from botocore.exceptions import BotoCoreError, ClientError

    if place is None:
        return []
    try:
        answer = client("logs", site).get_log_events(
            logGroupName=place.group, logStreamName=place.stream(task), limit=lines, startFromHead=False
        )
    except (ClientError, BotoCoreError):  # what was said is only good to have
        return []
    return [str(one["message"]).rstrip("\n") for one in answer["events"]]


class Reader:
    """Hands on each line of a stream once, as they come."""

    def __init__(self, site: Site, place: Place, task: str) -> None:
        self._site, self._place, self._task = site, place, task
        self._token: str | None = None

    def new(self) -> Iterator[str]:
        """What has been said since. A stream that is not there yet has nothing."""
        from botocore.exceptions import ClientError

        while True:
            token = {"nextToken": self._token} if self._token else {}
            try:
                with meaning("read the log", _known(self._place)):
                    answer = client("logs", self._site).get_log_events(
                        logGroupName=self._place.group,
                        logStreamName=self._place.stream(self._task),
                        startFromHead=True,
                        limit=_PAGE,
                        **token,
                    )
            except UsageError as error:
                cause = error.__cause__
                if isinstance(cause, ClientError) and code_of(cause) == "ResourceNotFoundException" and _stream(cause):
                    return
                raise
            yield from (str(one["message"]).rstrip("\n") for one in answer["events"])
            if answer["nextForwardToken"] == self._token or not answer["events"]:
                self._token = answer["nextForwardToken"]
                return
            self._token = answer["nextForwardToken"]


def recent(site: Site, place: Place, since: int, seen: set[str]) -> list[tuple[str, str]]:
    """Task and line of all that its tasks said since then (milliseconds), and that was not seen yet."""
    asked = {"logGroupName": place.group, "logStreamNamePrefix": f"{place.prefix}/{place.container}/"}
    with meaning("read the log", _known(place)):
        found = list(pages(client("logs", site).filter_log_events, "nextToken", **asked, startTime=since, limit=_PAGE))
    new = [one for page in found for one in page["events"] if one["eventId"] not in seen]
    seen.update(one["eventId"] for one in new)
    return [(str(one["logStreamName"]).rpartition("/")[2], str(one["message"]).rstrip("\n")) for one in new]


def ago(seconds: float) -> int:
    """Milliseconds of the epoch, so long ago."""
    return round((time.time() - seconds) * 1000)


def _stream(error: Any) -> bool:
    return "stream" in str(error.response.get("Error", {}).get("Message", ""))


def _known(place: Place) -> Mapping[str, Known]:
    return {
        "ResourceNotFoundException": Known(
            UsageError, f"the log group {place.group} cannot be read: {{said}}", "create it, or mend awslogs-group"
        ),
        "InvalidParameterException": Known(
            UsageError, f"the log group {place.group} cannot be read: {{said}}", "mend the container's awslogs options"
        ),
        "ServiceUnavailableException": Known(Unreachable, "CloudWatch Logs does not answer: {said}", "try it again"),
    }
