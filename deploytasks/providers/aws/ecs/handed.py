"""What ECS says of a rollout that is its own, and what that means to us. Pure: answers in, values out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ....errors import DeployError, SplitMoved, TakenBack, WayBackFailed
from ....ports import Color, Split

AT_WORK = ("PENDING", "IN_PROGRESS")
GOING_BACK = ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "STOP_REQUESTED")
IS_BACK = ("ROLLBACK_SUCCESSFUL", "STOPPED")
OVER = ("SUCCESSFUL", "ROLLBACK_FAILED", *IS_BACK)


class Revision(NamedTuple):
    """A service revision: the color is that of the target group it is in."""

    arn: str
    color: Color
    definition: str


class Handed(NamedTuple):
    """A service deployment as it stands.

    ``share``: percent of production on ``target``. ``hook``: the pause that waits for an answer. ``why``: what ECS says
    about it; ``by_itself``: whether ECS had a reason of its own to take it back.
    """

    arn: str
    status: str
    home: Revision | None
    target: Revision
    share: int
    hook: str | None = None
    why: str = ""
    by_itself: bool = False
    running: int = 0
    wanted: int = 0

    @property
    def is_at_work(self) -> bool:
        """Whether it goes forward, or waits to."""
        return self.status in AT_WORK

    @property
    def live(self) -> Color | None:
        """Who is in production once it is over."""
        if self.status == "SUCCESSFUL":
            return self.target.color
        return self.home.color if self.home else None

    def weights(self) -> tuple[int, int]:
        """Percent of blue and green."""
        share = 100 if self.status == "SUCCESSFUL" else 0 if self.status in IS_BACK else self.share
        if self.home is None and share == 0:
            return 0, 0
        return (share, 100 - share) if self.target.color == "blue" else (100 - share, share)


def handed(answer: Mapping[str, Any], revisions: Mapping[str, Revision]) -> Handed:
    """From what ``DescribeServiceDeployments`` says. ``revisions``: by ARN."""
    target = answer["targetServiceRevision"]
    sources = [revisions[one["arn"]] for one in answer.get("sourceServiceRevisions") or () if one["arn"] in revisions]
    hooks = answer.get("lifecycleHookDetails") or ()
    alarms = answer.get("alarms") or {}
    breaker = (answer.get("deploymentCircuitBreaker") or {}).get("status") == "TRIGGERED"
    timed_out = any(one.get("status") == "TIMED_OUT" for one in hooks)
    fired = [str(name) for name in alarms.get("triggeredAlarmNames") or ()]
    said = str((answer.get("rollback") or {}).get("reason") or answer.get("statusReason") or "")
    why = "; ".join([*([f"alarms fire: {', '.join(fired)}"] if fired else []), *([said] if said else [])])
    failed = "failed to start" in said
    waiting = [str(one["hookId"]) for one in hooks if one.get("status") == "AWAITING_ACTION"]
    return Handed(
        str(answer["serviceDeploymentArn"]),
        str(answer["status"]),
        sources[0] if sources else None,
        revisions[target["arn"]],
        round(float(target.get("requestedProductionTrafficWeight") or 0.0)),
        waiting[0] if waiting and answer["status"] == "IN_PROGRESS" else None,
        why,
        bool(fired) or breaker or timed_out or failed or alarms.get("status") == "TRIGGERED",
        int(target.get("runningTaskCount") or 0),
        int(target.get("requestedTaskCount") or 0),
    )


def problem(of: Handed, definition: str | None) -> DeployError | None:
    """Why it does not go on as ours; ``None``: it does. ``definition``: the revision that we gave it."""
    if definition is not None and of.target.definition != definition:
        return SplitMoved(
            f"somebody replaced the service deployment: ECS goes for {of.target.definition.rpartition('/')[2]}",
            state="nothing more was touched",
            do="`inv status` says what is live; `inv deploy` starts again from there",
        )
    told = f": {of.why}" if of.why else ""
    if of.status == "ROLLBACK_FAILED":
        return WayBackFailed(
            f"ECS could not take the deployment back{told}",
            state=f"{of.share} % may still be on {of.target.color}",
            do="act at the service and its listener rule by hand, now",
        )
    if of.status not in (*GOING_BACK, *IS_BACK):
        return None
    if of.by_itself:
        return TakenBack(f"ECS took the deployment back{told}", do="`inv report` has its readings")
    return SplitMoved(
        f"somebody stopped the service deployment{told}",
        state=f"it is {of.status}; ECS takes traffic home by itself",
        do="find out who did; `inv deploy` starts again",
    )


def split(of: Handed, way_back: Color | None, writer: str | None) -> Split:
    """How traffic is shared, with what we noted beside."""
    return Split(*of.weights(), way_back, writer)
