"""The tagging API: which resources have which tags, eventually."""

from __future__ import annotations

from .service import AwsError, Params, Service


class Tagging(Service):
    """``lab.tag(arn, service="shop")``. ``stale``: resources that are found by tags which they no longer have."""

    name = "resourcegroupstaggingapi"

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, dict[str, str]] = {}
        self.stale: set[str] = set()
        self.page = 100

    def tag(self, arn: str, **tags: str) -> None:
        with self.lock:
            self.tags.setdefault(arn, {}).update(tags)

    def get_resources(self, params: Params) -> Params:
        if "ResourceARNList" in params and (params.keys() & {"TagFilters", "ResourceTypeFilters"}):
            raise AwsError("InvalidParameterException", "ResourceARNList goes with no filter")
        if len(params.get("TagFilters", [])) > 50 or not 1 <= params.get("ResourcesPerPage", 50) <= 100:
            raise AwsError("InvalidParameterException", "no more than 50 keys, and 1 to 100 resources a page")
        found = [arn for arn in sorted(self.tags) if self._matches(arn, params)]
        start = self._place(params.get("PaginationToken", ""), len(found))
        page = found[start : start + min(params.get("ResourcesPerPage", 50), self.page)]
        end = start + len(page)
        listed = [
            {
                "ResourceARN": arn,
                "Tags": [{"Key": key, "Value": value} for key, value in sorted(self.tags[arn].items())],
            }
            for arn in page
        ]
        return {"ResourceTagMappingList": listed, "PaginationToken": f"at-{end}" if end < len(found) else ""}

    def _matches(self, arn: str, params: Params) -> bool:
        kinds = params.get("ResourceTypeFilters")
        service, kind = arn.split(":")[2], arn.split(":")[5].partition("/")[0]
        if kinds and service not in kinds and f"{service}:{kind}" not in kinds:
            return False
        tags = self.tags[arn]
        asked = params.get("TagFilters", [])
        return arn in self.stale or all(
            each["Key"] in tags and tags[each["Key"]] in (each.get("Values") or [tags[each["Key"]]]) for each in asked
        )

    def _place(self, token: str, count: int) -> int:
        if not token:
            return 0
        number = token.removeprefix("at-")
        if not number.isdigit() or int(number) > count:
            raise AwsError("PaginationTokenExpiredException", "the token has expired")
        return int(number)
