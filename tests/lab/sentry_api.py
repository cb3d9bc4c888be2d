"""How the Sentry of the lab answers: its contract, and its odd errors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote

from lab.answering import Asked, Raw, page
from lab.sentry import Sentry, Spans

DATASETS = {"errors", "logs", "profile_functions", "spans", "tracemetrics", "uptime_results"}
AGGREGATE = re.compile(r"^(\w+)\((.*)\)$")
FINE = {"ok", "cancelled", "unknown", None}
BAD_IN_RELEASES = set("\r\n\f\t/\\")


class Said(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status, self.body = status, body


def answer(lab: Sentry, asked: Asked) -> Raw:
    """One request after the other."""
    with lab.lock:
        headers: dict[str, str] = {"Date": formatdate(lab.now(), usegmt=True)}
        try:
            headers.update(_limited(lab))
            if lab.fails:
                raise Said(*lab.fails.pop(0))
            status, body, more = _routed(lab, asked)
        except Said as said:
            status, body, more = said.status, said.body, {}
        except Limited as limited:
            headers.update(limited.args[0])
            status, body, more = 429, "You are attempting to use this endpoint too frequently.", {}
        if isinstance(body, Raw):
            return body
        text = "" if body is None else json.dumps(body)
        return page(status, text, "application/json", **{**headers, **more})


class Limited(Exception):
    """Its headers are the argument."""


def _limited(lab: Sentry) -> dict[str, str]:
    if not lab.limits:
        return {}
    now = lab.now()
    if now >= lab.reset:
        lab.remaining, lab.reset = 30, int(now) + 1
    is_over = lab.remaining <= 0
    lab.remaining = max(0, lab.remaining - 1)
    headers = {
        "X-Sentry-Rate-Limit-Limit": "30",
        "X-Sentry-Rate-Limit-Remaining": str(lab.remaining),
        "X-Sentry-Rate-Limit-Reset": str(int(lab.reset)),
        "X-Sentry-Rate-Limit-ConcurrentLimit": "15",
        "X-Sentry-Rate-Limit-ConcurrentRemaining": "14",
    }
    if is_over:
        raise Limited(headers)
    return headers


def _routed(lab: Sentry, asked: Asked) -> tuple[int, Any, dict[str, str]]:
    scopes = lab.tokens.get(asked.headers.get("authorization", "").removeprefix("Bearer "))
    if scopes is None:
        raise Said(401, {"detail": "Invalid token"})
    path = asked.path
    if not path.endswith("/"):
        lab.broken.append(f"{asked.method} {path}: the slash at its end is missing")
    root = f"/api/0/organizations/{lab.organization}"
    if not path.startswith(f"{root}/"):
        raise Said(404, {"detail": "The requested resource does not exist"})
    rest = path.removeprefix(root)
    deploys = re.fullmatch(r"/releases/([^/]+)/deploys/", rest)
    if rest == "/events/" and asked.method == "GET":
        _scoped(scopes, "org:read", "org:write", "org:admin")
        return _events(lab, asked)
    if rest == "/releases/" and asked.method in ("GET", "POST"):
        _scoped(scopes, "project:releases", "project:write", "project:admin", "org:ci")
        return (200, list(lab.releases.values())[:1], {}) if asked.method == "GET" else _release(lab, asked)
    if deploys and asked.method in ("GET", "POST"):
        _scoped(scopes, "project:releases", "project:write", "project:admin", "org:ci")
        version = unquote(deploys[1])
        if version not in lab.releases:
            raise Said(404, {"detail": "The requested resource does not exist"})
        return _listed(lab, version) if asked.method == "GET" else _deploy(lab, asked, version)
    lab.broken.append(f"{asked.method} {path}: nothing there that is known")
    raise Said(404, {"detail": "The requested resource does not exist"})


def _scoped(scopes: tuple[str, ...], *any_of: str) -> None:
    if not set(scopes) & set(any_of):
        raise Said(403, {"detail": "You do not have permission to perform this action."})


# -- events ----------------------------------------------------------------------------------------------------------


def _events(lab: Sentry, asked: Asked) -> tuple[int, Any, dict[str, str]]:
    if not lab.has_feature:
        raise Said(404, None)
    _checked(lab, asked.query)
    projects = _projects(lab, asked.query)
    if not projects:
        return 200, {"data": [], "meta": {"tips": {"query": "Need at least one valid project to query."}}}, {}
    fields = asked.query["field"]
    start, end = (_instant(lab, asked.query, name) for name in ("start", "end"))
    chosen = [
        each
        for each in lab.spans
        if start <= int(each.at) < end
        and each.shows <= lab.now()
        and each.values["project"] in projects
        and each.values["environment"] in asked.query.get("environment", [each.values["environment"]])
        and _matches(lab, asked.query.get("query", [""])[0], each.values)
    ]
    is_whole = lab.tiers == 1 or asked.query.get("sampling") == ["HIGHEST_ACCURACY"]
    is_raw = asked.query.get("disableAggregateExtrapolation") == ["1"]
    rate = 1.0 if is_raw else lab.sample_rate
    rows = _rows(fields, chosen, 1 if is_whole else lab.tiers, rate)
    rows, link = _paged(lab, asked, _sorted(rows, asked.query))
    meta = {
        "fields": dict.fromkeys(fields, "string"),
        "units": {},
        "dataset": "spans",
        "dataScanned": "full" if is_whole else "partial",
    }
    return 200, {"data": rows, "meta": meta}, {"Link": link}


def _checked(lab: Sentry, query: Mapping[str, list[str]]) -> None:
    def mistake(text: str) -> Said:
        lab.broken.append(f"events: {text}")
        return Said(400, {"detail": text})

    if query.get("dataset", [""])[0] not in DATASETS:
        raise mistake("dataset must be one of: errors, logs, profile_functions, spans, tracemetrics, uptime_results")
    if not query.get("field"):
        raise mistake("No columns selected")
    if len(query["field"]) > 20:
        raise mistake("You can view up to 20 fields at a time. Please delete some and try again.")
    if int(query.get("per_page", ["100"])[0]) > 100:
        raise mistake("Invalid per_page value. Must be between 1 and 100.")
    if "statsPeriod" in query:
        raise mistake("this lab wants instants: what is longer than an hour would be rounded")
    if (order := query.get("sort", [""])[0].lstrip("-")) and order not in query["field"]:
        raise mistake(f"Cannot sort by a field that is not selected: {order}")
    if any(name not in lab.environments for name in query.get("environment", [])):
        raise Said(404, {"detail": "The requested resource does not exist"})


def _projects(lab: Sentry, query: Mapping[str, list[str]]) -> set[str]:
    wanted = query.get("project", list(lab.projects))
    found = {slug for slug, number in lab.projects.items() if slug in wanted or number in wanted}
    if len(found) < len(set(wanted)):
        raise Said(403, {"detail": "You do not have permission to perform this action."})
    return found - lab.hidden


def _instant(lab: Sentry, query: Mapping[str, list[str]], name: str) -> float:
    try:
        return datetime.strptime(query[name][0], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
    except (KeyError, ValueError):
        lab.broken.append(f"events: {name} is no instant in UTC")
        raise Said(400, {"detail": f"Invalid date range: {name}"}) from None


def _matches(lab: Sentry, query: str, values: Mapping[str, Any]) -> bool:
    terms = re.findall(r'(!?)([\w.:-]+?):("(?:[^"\\]|\\.)*"|\[[^\]]*\]|\S+)', query)
    if len(terms) != len(re.findall(r'(?:"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\S)+', query)):
        lab.broken.append(f"events: the query cannot be read: {query}")
        raise Said(400, {"detail": f"Parse error at '{query[:20]}'"})
    return all(_has(values, name, given) != bool(denied) for denied, name, given in terms)


def _has(values: Mapping[str, Any], name: str, given: str) -> bool:
    if given.startswith("["):
        return any(_has(values, name, each.strip()) for each in given[1:-1].split(","))
    plain = re.sub(r"\\(.)", r"\1", given[1:-1]) if given.startswith('"') else given
    return str(values.get(name) or "") == plain


def _rows(fields: list[str], chosen: list[Spans], tiers: int, rate: float) -> list[dict[str, Any]]:
    keys = [each for each in fields if not AGGREGATE.match(each)]
    if len(keys) == len(fields):
        return [{**{key: _column(key, each) for key in keys}} for each in chosen for _ in range(min(each.number, 3))]
    groups: dict[tuple[Any, ...], list[Spans]] = {}
    for each in chosen:
        groups.setdefault(tuple(_column(key, each) for key in keys), []).append(each)
    if not keys:
        groups = groups or {(): []}
    found = []
    for values, group in groups.items():
        row = dict(zip(keys, values, strict=True))
        row.update({each: _aggregate(each, group, tiers, rate) for each in fields if each not in keys})
        found.append(row)
    return found


def _column(key: str, spans: Spans) -> Any:
    if key == "timestamp":
        return datetime.fromtimestamp(int(spans.at), UTC).isoformat()
    return f"{id(spans):016x}" if key == "id" else spans.values.get(key)


def _aggregate(name: str, group: list[Spans], tiers: int, rate: float) -> float:
    number = sum(each.number for each in group) // tiers
    failed = sum(each.number for each in group if each.values["span.status"] not in FINE) // tiers
    known: dict[str, Callable[[], float]] = {
        "count_sample()": lambda: number,
        "count()": lambda: number * tiers / rate,
        "failure_rate()": lambda: failed / number if number else 0.0,
    }
    if name not in known:
        raise Said(400, {"detail": f"The function {name} is not allowed for this query"})
    return known[name]()


def _sorted(rows: list[dict[str, Any]], query: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    order = query.get("sort", [""])[0]
    if not order:
        return rows
    return sorted(rows, key=lambda row: row[order.lstrip("-")], reverse=order.startswith("-"))


def _paged(lab: Sentry, asked: Asked, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str]:
    size = min(lab.page, int(asked.query.get("per_page", ["100"])[0]))
    offset = int(asked.query.get("cursor", ["0:0:0"])[0].split(":")[1])
    has_more = "true" if len(rows) > offset + size else "false"
    here = f"{lab.url}{asked.path}"
    link = (
        f'<{here}?&cursor=0:{max(0, offset - size)}:1>; rel="previous"; '
        f'results="{"true" if offset else "false"}"; cursor="0:{max(0, offset - size)}:1", '
        f'<{here}?&cursor=0:{offset + size}:0>; rel="next"; results="{has_more}"; cursor="0:{offset + size}:0"'
    )
    return rows[offset : offset + size], link


# -- releases --------------------------------------------------------------------------------------------------------


def _body(lab: Sentry, asked: Asked, **most: int) -> dict[str, Any]:
    if asked.headers.get("content-type") != "application/json":
        lab.broken.append(f"{asked.path}: the body is no JSON")
        raise Said(415, {"detail": "Unsupported media type"})
    body = json.loads(asked.body)
    wrong: dict[str, list[str]] = {}
    for name, longest in most.items():
        if len(str(body.get(name, ""))) > longest:
            wrong[name] = [f"Ensure this field has no more than {longest} characters."]
    if unknown := set(body.get("projects", [])) - set(lab.projects) - set(lab.projects.values()):
        wrong["projects"] = [f"Invalid project ids or slugs: {sorted(unknown)}"]
    if wrong:
        raise Said(400, wrong)
    return dict(body)


def _release(lab: Sentry, asked: Asked) -> tuple[int, Any, dict[str, str]]:
    body = _body(lab, asked, version=200)
    version = body.get("version", "")
    if not version or not body.get("projects"):
        lab.broken.append("releases: version and projects are required")
        raise Said(400, {name: ["This field is required."] for name in ("version", "projects") if not body.get(name)})
    if version in (".", "..", "latest") or BAD_IN_RELEASES & set(version) or version != version.strip():
        raise Said(400, {"version": ["Invalid release version"]})
    refs = body.get("refs", [])
    if unknown := sorted({each["repository"] for each in refs} - lab.repositories):
        raise Said(400, {"refs": [f"Invalid repository names: {','.join(unknown)}"]})
    is_new = version not in lab.releases
    lab.releases.setdefault(version, {"version": version, "projects": [], "refs": []})
    lab.releases[version]["projects"] = sorted({*lab.releases[version]["projects"], *body["projects"]})
    lab.releases[version]["refs"] = refs or lab.releases[version]["refs"]
    return 201 if is_new else 208, lab.releases[version], {}


def _listed(lab: Sentry, version: str) -> tuple[int, Any, dict[str, str]]:
    return 200, [each for each in reversed(lab.deploys) if each["release"] == version], {}


def _deploy(lab: Sentry, asked: Asked, version: str) -> tuple[int, Any, dict[str, str]]:
    body = _body(lab, asked, environment=64, name=64)
    if not body.get("environment"):
        lab.broken.append("deploys: the environment is required")
        raise Said(400, {"environment": ["This field is required."]})
    for name in ("dateStarted", "dateFinished"):
        if name in body:
            datetime.fromisoformat(body[name])
    made = {"id": str(next(lab.ids)), "release": version, **body}
    lab.deploys.append(made)
    return 201, made, {}
