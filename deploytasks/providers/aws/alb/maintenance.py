"""Maintenance at a load balancer: a rule before all others answers everybody with 503 and a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from ....errors import Unreachable, UsageError
from ....ports import Call, Finding, Notice
from ...maintenances import diagnosed
from ...notice_page import rendered
from ...site import Site
from ..lists import as_tags, tags_of
from ..session import Known, translated
from .place import KNOWN, Place
from .signature import LONGEST, decoded, encoded

if TYPE_CHECKING:
    from ....settings.alb import MaintenanceSettings

MARK = "deploytasks:maintenance"
"""The tag by which the rule is known; its value is the environment."""
NOTICE = "deploytasks:notice"
"""Since when, for how long and by whom; ``MESSAGE`` what was said, as far as a tag can hold it."""
MESSAGE = "deploytasks:message"
MOST_BYTES = 1024
"""Of a fixed response's body."""
_FIRST, _LAST = 1, 50000
_EVERYWHERE = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["*"]}}]
_KNOWN = {
    **KNOWN,
    "TooManyRules": Known(
        Unreachable,
        "the listener has as many rules as its quota allows: there is no room for one that closes the site",
        "take a rule out, or have the quota raised (Service Quotas, Elastic Load Balancing)",
    ),
    "PriorityInUse": Known(Unreachable, "somebody else changed the order of the rules just now", "try again"),
}
Rule = Mapping[str, Any]


class Maintenance:
    """The page of one environment. AWS lets a fixed response have no header of its own: there is no ``Retry-After``."""

    def __init__(self, settings: MaintenanceSettings, site: Site) -> None:
        from ....settings.alb import TrafficSettings

        traffic = site.sections.get("traffic")
        if not isinstance(traffic, TrafficSettings):
            raise UsageError("maintenance: {kind: alb} needs traffic: {kind: alb}", do="choose another maintenance")
        self._settings = settings
        self._site = site
        self._place = Place(traffic.place, site)

    def read(self) -> Notice | None:
        """What the rule's tags say; ``None`` when there is no such rule. Raises ``Unreachable``."""
        found = self._closed(self._rules())
        return None if found is None else _notice(found[1])

    def diagnose(self) -> Sequence[Finding]:
        """Whether it can be read, and what it says."""
        return diagnosed("alb", self)

    def write(self, notice: Notice | None) -> Call:
        """One rule more, or less. Its page has 1024 bytes at most: raises ``UsageError``."""
        listener = f"listener {self._place.listener.partition('/app/')[2]}"
        if notice is None:
            return Call(f"{listener}: delete the maintenance rule", self._open)
        page = self._page(notice)
        text = f"{listener}: a rule before all others answers 503, {len(page.encode())} bytes: {notice.message!r}"
        return Call(text, partial(self._close, notice, page))

    # -- carrying it out -----------------------------------------------------

    def _open(self, timeout: float) -> None:
        if (found := self._closed(self._rules())) is None:
            return
        try:
            with translated("delete the maintenance rule", _KNOWN, state="the site is still closed"):
                self._place.client.delete_rule(RuleArn=found[0]["RuleArn"])
        except Unreachable:
            if self._closed(self._rules()) is not None:
                raise  # else it is gone, and only the answer was lost

    def _close(self, notice: Notice, page: str, timeout: float) -> None:
        rules = self._rules()
        found = self._closed(rules)
        if found is None:
            try:
                self._create(rules, page, notice)
            except Unreachable:
                if self._closed(self._rules()) is None:
                    raise  # else it is there, and only the answer was lost
            return
        with translated("change the maintenance page", _KNOWN, state="the site stays closed, with the page of before"):
            self._place.client.modify_rule(RuleArn=found[0]["RuleArn"], Actions=[_fixed(page)])
            self._place.client.add_tags(ResourceArns=[found[0]["RuleArn"]], Tags=self._tags(notice))
            self._put_first(rules, found[0])

    def _create(self, rules: Sequence[Rule], page: str, notice: Notice) -> None:
        with translated("close the site", _KNOWN, state="the site stays open"):
            if moved := _moved(rules):
                self._order(moved)
            self._place.client.create_rule(
                ListenerArn=self._place.listener,
                Priority=_FIRST,
                Conditions=self._conditions(rules),
                Actions=[_fixed(page)],
                Tags=self._tags(notice),
            )

    def _put_first(self, rules: Sequence[Rule], ours: Rule) -> None:
        """Before all others, should somebody have moved it."""
        if _priority(ours) != _FIRST:
            moved = {**_moved([rule for rule in rules if rule is not ours]), ours["RuleArn"]: _FIRST}
            self._order(moved)

    def _order(self, priorities: Mapping[str, int]) -> None:
        pairs = [{"RuleArn": arn, "Priority": priority} for arn, priority in priorities.items()]
        self._place.client.set_rule_priorities(RulePriorities=pairs)

    def _conditions(self, rules: Sequence[Rule]) -> Sequence[Mapping[str, Any]]:
        """Those of the rule at which traffic is shared; everything, when that is the listener."""
        if not self._place.is_rule:
            return _EVERYWHERE
        for rule in rules:
            if rule["RuleArn"] == self._place.arn:
                return [_without_doubles(condition) for condition in rule["Conditions"]]
        raise Unreachable(f"AWS has no {self._place.name}", do="mend traffic.rule")

    # -- looking -------------------------------------------------------------

    def _rules(self) -> Sequence[Rule]:
        """All rules of the listener, in their order, but for the default one."""
        with translated("list the listener's rules", KNOWN):
            pages = self._place.client.get_paginator("describe_rules").paginate(ListenerArn=self._place.listener)
            found = [rule for page in pages for rule in page["Rules"] if not rule.get("IsDefault")]
        return sorted(found, key=_priority)

    def _closed(self, rules: Sequence[Rule]) -> tuple[Rule, Mapping[str, str]] | None:
        """Our rule, and its tags. Only rules with a fixed 503 are asked for theirs."""
        ours = {rule["RuleArn"]: rule for rule in rules if _is_fixed(rule)}
        arns = list(ours)
        for at in range(0, len(arns), 20):
            with translated("read the tags of the listener's rules", KNOWN):
                found = self._place.client.describe_tags(ResourceArns=arns[at : at + 20])["TagDescriptions"]
            for each in found:
                tags = tags_of(each.get("Tags"))
                if tags.get(MARK) == encoded(self._site.environment):
                    return ours[each["ResourceArn"]], tags
        return None

    def _tags(self, notice: Notice) -> list[dict[str, str]]:
        when = f"{notice.since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        tags = {
            MARK: encoded(self._site.environment),
            NOTICE: _cut(f"retry_after={notice.retry_after} since={when} who={encoded(notice.who)}"),
            MESSAGE: _cut(encoded(notice.message)),
        }
        return as_tags(tags)

    def _page(self, notice: Notice) -> str:
        page = rendered(self._settings.page, self._site, notice.message or self._settings.message, notice.retry_after)
        size = len(page.encode())
        if size > MOST_BYTES:
            raise UsageError(
                f"the maintenance page has {size} bytes, and a load balancer's fixed response {MOST_BYTES} at most",
                state="the site stays as it was",
                do="say less, or make maintenance.page smaller: styles may stand on another host",
            )
        return page


def _fixed(page: str) -> dict[str, Any]:
    config = {"StatusCode": "503", "ContentType": "text/html", "MessageBody": page}
    return {"Type": "fixed-response", "FixedResponseConfig": config}


def _is_fixed(rule: Rule) -> bool:
    return any(
        action["Type"] == "fixed-response" and action["FixedResponseConfig"]["StatusCode"] == "503"
        for action in rule["Actions"]
    )


def _priority(rule: Rule) -> int:
    return int(rule["Priority"])


def _moved(rules: Sequence[Rule]) -> dict[str, int]:
    """Which rules have to make room at the top, and for what: no more than stand without a gap from the first one."""
    taken = {_priority(rule): rule["RuleArn"] for rule in rules}
    end = _FIRST
    while end in taken:
        end += 1
    if end > _LAST:
        raise Unreachable("the listener has no priority left", do="take a rule out")
    return {taken[priority]: priority + 1 for priority in range(_FIRST, end)}


def _without_doubles(condition: Mapping[str, Any]) -> Mapping[str, Any]:
    """AWS shows values in two places, and takes them in one."""
    has_config = any(key.endswith("Config") for key in condition)
    return {key: value for key, value in condition.items() if not (key == "Values" and has_config)}


def _cut(text: str) -> str:
    """As much as a tag holds, and no half of an escape."""
    found = text[:LONGEST]
    tail = found.rfind("=", LONGEST - 2) if len(text) > LONGEST else -1
    return found[:tail] if tail >= 0 else found


def _notice(tags: Mapping[str, str]) -> Notice:
    fields = {key: value for key, _, value in (part.partition("=") for part in tags.get(NOTICE, "").split())}
    retry_after = fields.get("retry_after", "")
    try:
        since = datetime.fromisoformat(fields.get("since", ""))
    except ValueError:
        since = datetime.fromtimestamp(0, UTC)
    return Notice(
        decoded(tags.get(MESSAGE, "")),
        int(retry_after) if retry_after.isdecimal() else 0,
        since,
        decoded(fields.get("who", "")) or "unknown",
    )
