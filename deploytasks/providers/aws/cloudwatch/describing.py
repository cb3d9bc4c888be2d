"""The alarms of this service: which they are, how they are, and their tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ....errors import Unreachable
from .. import lists
from ..lists import tags_of
from ..session import Known, client, translated

if TYPE_CHECKING:
    from ....settings.cloudwatch import AlarmSettings
    from ...site import Site

_NAMES = 100
"""Alarms that one question may name, and that one answer may have."""
_AGAIN = "it is asked again at the next reading"
_KNOWN = {
    "InvalidNextToken": Known(Unreachable, "CloudWatch lost its place among the alarms", _AGAIN),
    "PaginationTokenExpiredException": Known(Unreachable, "AWS lost its place among the tags of alarms", _AGAIN),
}

Tags = Mapping[str, str]


class Described(NamedTuple):
    """Alarms in boto3's shape with their tags (none, when nobody asked for those), and the date of the answer."""

    alarms: Sequence[tuple[Mapping[str, Any], Tags]]
    date: str


def described(site: Site, settings: AlarmSettings) -> Described:
    """All of this service. Raises ``Unreachable``."""
    tags = _tags(site, settings) if settings.tags or settings.severity else None
    if settings.tags and not tags:
        return Described((), "")
    found, date = [], ""
    for asked in _questions(settings, tags):
        for page in _pages(site, asked):
            date = page["ResponseMetadata"].get("HTTPHeaders", {}).get("date", "")
            found += [alarm for name in sorted(page) if name.endswith("Alarms") for alarm in page[name]]
    own = ((alarm, (tags or {}).get(alarm["AlarmArn"], {})) for alarm in found)
    return Described([(alarm, tagged) for alarm, tagged in own if _is_ours(alarm, tagged, settings)], date)


def _is_ours(alarm: Mapping[str, Any], tags: Tags, settings: AlarmSettings) -> bool:
    """Looked at once more: what finds resources by their tags may be a little behind."""
    has_name = settings.prefix is None or alarm["AlarmName"].startswith(settings.prefix)
    return has_name and all(tags.get(name) == value for name, value in settings.tags.items())


def _questions(settings: AlarmSettings, tags: Mapping[str, Tags] | None) -> Iterator[Mapping[str, Any]]:
    if not settings.tags:
        yield {"AlarmNamePrefix": settings.prefix}
        return
    names = sorted(arn.partition(":alarm:")[2] for arn in tags or ())
    for at in range(0, len(names), _NAMES):
        yield {"AlarmNames": names[at : at + _NAMES]}


def _pages(site: Site, asked: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Of every kind of alarm: without being asked, AWS tells of metric alarms alone."""
    cloudwatch = client("cloudwatch", site)
    kinds = list(cloudwatch.meta.service_model.shape_for("AlarmType").enum)
    with translated("describe the alarms", _KNOWN):
        return list(lists.pages(cloudwatch.describe_alarms, **asked, AlarmTypes=kinds, MaxRecords=_NAMES))


def _tags(site: Site, settings: AlarmSettings) -> Mapping[str, Tags]:
    """The tags of alarms, by ARN: of those with the tags that are configured, or of all that have any."""
    tagging = client("resourcegroupstaggingapi", site)
    asked: dict[str, Any] = {"ResourceTypeFilters": ["cloudwatch:alarm"], "ResourcesPerPage": _NAMES}
    if settings.tags:
        asked["TagFilters"] = [{"Key": name, "Values": [value]} for name, value in settings.tags.items()]
    with translated("read the tags of alarms", _KNOWN):
        found = list(lists.pages(tagging.get_resources, "PaginationToken", **asked))
    return {each["ResourceARN"]: tags_of(each["Tags"]) for page in found for each in page["ResourceTagMappingList"]}
