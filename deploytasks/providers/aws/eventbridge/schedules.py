"""The one schedule of an environment, at EventBridge: asked for, made, moved, deleted; and what time it is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .... import redaction
from ....errors import Unreachable, UsageError
from ...site import Site
from ..session import Known, client, code_of, translated
from .schedule import Schedule

_NOT_FOUND, _CONFLICT = "ResourceNotFoundException", "ConflictException"
_CLOSE = timedelta(seconds=2)
"""How far our clock may be from AWS's, which says whole seconds, to be taken for right."""


class Schedules:
    """Each method is one request. What AWS refuses is raised as an error of ours."""

    def __init__(self, site: Site, name: str, group: str, role: str) -> None:
        self.name, self.group = name, group
        self._site, self._role = site, role
        self._skew = timedelta()

    def get(self) -> Schedule | None:
        """The schedule; ``None`` when there is none."""
        with self._asked("say how the schedule is"):
            try:
                found = self._client.get_schedule(Name=self.name, GroupName=self.group)
            except ClientError as error:
                self._hear(error.response)
                if code_of(error) == _NOT_FOUND:
                    return None
                raise
        self._hear(found)
        return {key: value for key, value in found.items() if key != "ResponseMetadata"}

    def create(self, request: Mapping[str, Any]) -> bool:
        """False: there is one of this name already."""
        with self._asked("make the schedule"):
            return _unless(_CONFLICT, lambda: self._client.create_schedule(**request))
        raise AssertionError

    def update(self, request: Mapping[str, Any]) -> bool:
        """False: there is none any more."""
        with self._asked("change the schedule"):
            return _unless(_NOT_FOUND, lambda: self._client.update_schedule(**request))
        raise AssertionError

    def delete(self) -> bool:
        """False: there was none."""
        with self._asked("delete the schedule"):
            return _unless(_NOT_FOUND, lambda: self._client.delete_schedule(Name=self.name, GroupName=self.group))
        raise AssertionError

    def has_group(self) -> bool:
        """Whether the schedule group is there."""
        with self._asked("say whether the schedule group is there"):
            return _unless(_NOT_FOUND, lambda: self._client.get_schedule_group(Name=self.group))
        raise AssertionError

    def now(self) -> datetime:
        """What time it is at AWS, by its last answer: a schedule goes off by their clock, not by ours."""
        return datetime.now(UTC) + self._skew

    # -- asking ----------------------------------------------------------------

    @property
    def _client(self) -> Any:
        return client("scheduler", self._site)

    def _hear(self, answer: Mapping[str, Any]) -> None:
        """Learn the time from an answer's header."""
        said = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if said is None:
            return
        skew = parsedate_to_datetime(said).astimezone(UTC) - datetime.now(UTC)
        self._skew = skew if abs(skew) > _CLOSE else timedelta()

    @contextmanager
    def _asked(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            with translated(doing, self._meanings(error)):
                raise

    def _meanings(self, error: Exception) -> Mapping[str, Known]:
        """What codes mean here. AWS says in its message which of several things it means."""
        said = _message(error)
        known = {
            _NOT_FOUND: Known(
                UsageError,
                f"the schedule group {self.group} is not there",
                f"aws scheduler create-schedule-group --name {self.group}; or name another one: deadman.group",
            ),
            _CONFLICT: Known(
                Unreachable, f"somebody else is changing the schedule {self.name}: {said}", "run it again"
            ),
            "ValidationException": Known(
                UsageError,
                f"EventBridge Scheduler refuses the schedule {self.name}: {said}",
                f'let {self._role} trust scheduler.amazonaws.com: docs/aws.md, "The dead-man\'s switch"',
            ),
            "ServiceQuotaExceededException": Known(
                Unreachable,
                f"AWS lets this account have no more schedules: {said}",
                "delete what nobody needs, or have the quota raised: `aws scheduler list-schedules`",
            ),
        }
        if "iam:PassRole" in said:
            do = f"allow iam:PassRole on it to the role that deploys, for scheduler.amazonaws.com: {self._role}"
            known["AccessDeniedException"] = Known(Unreachable, f"whoever deploys may not pass on a role: {said}", do)
        return known


def _unless(code: str, ask: Any) -> bool:
    try:
        ask()
    except ClientError as error:
        if code_of(error) == code:
            return False
        raise
    return True


def _message(error: Exception) -> str:
    found = error.response.get("Error", {}).get("Message", "") if isinstance(error, ClientError) else ""
    return redaction.excerpt(found, 300)
