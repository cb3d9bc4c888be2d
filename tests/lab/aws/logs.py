"""CloudWatch Logs: streams of lines, read forward or by a prefix."""

from __future__ import annotations

import time

from .service import AwsError, Params, Service


class Logs(Service):
    """``put`` writes, as a container's log driver does."""

    name = "logs"

    def __init__(self) -> None:
        super().__init__()
        self.groups: dict[str, dict[str, list[tuple[int, str]]]] = {}

    def put(self, group: str, stream: str, *lines: str) -> None:
        """Lines of a container. A group that is not there loses them, as at AWS."""
        if group in self.groups:
            now = round(time.time() * 1000)
            self.groups[group].setdefault(stream, []).extend((now, line) for line in lines)

    def _group(self, params: Params) -> dict[str, list[tuple[int, str]]]:
        if params["logGroupName"] not in self.groups:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        return self.groups[params["logGroupName"]]

    def get_log_events(self, params: Params) -> Params:
        streams = self._group(params)
        if params["logStreamName"] not in streams:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        events = streams[params["logStreamName"]]
        limit, token = int(params.get("limit", 10000)), params.get("nextToken")
        begin = int(token[2:]) if token else 0 if params.get("startFromHead") else max(0, len(events) - limit)
        page = events[begin : begin + limit]
        told = [{"timestamp": at, "message": line, "ingestionTime": at} for at, line in page]
        end = begin + len(page)
        return {"events": told, "nextForwardToken": f"f/{end}", "nextBackwardToken": f"b/{begin}"}

    def filter_log_events(self, params: Params) -> Params:
        streams, prefix = self._group(params), params.get("logStreamNamePrefix", "")
        since = params.get("startTime", 0)
        found = [
            {"logStreamName": name, "timestamp": at, "message": line, "eventId": f"{name}/{number:06d}"}
            for name, events in streams.items()
            if name.startswith(prefix)
            for number, (at, line) in enumerate(events)
            if at >= since
        ]
        found.sort(key=lambda one: (one["timestamp"], one["eventId"]))
        limit, begin = int(params.get("limit", 10000)), int(params.get("nextToken") or 0)
        page, end = found[begin : begin + limit], begin + limit
        return {"events": page, **({"nextToken": str(end)} if end < len(found) else {})}
