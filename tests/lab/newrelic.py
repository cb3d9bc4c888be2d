"""A New Relic of our own: NerdGraph over HTTP, with the documented shapes of its answers, the odd ones above all.

    with newrelic() as relic:
        relic.transactions(app="Shop", attributes={"color": "green"}, seconds=[0.1, 2.5], errors=1)
        relic.entity("Shop")
        ...
        assert [] == relic.broken

``relic.url`` is the base URL, ``relic.key`` a user key, ``relic.account`` the only account. ``relic.delay`` is how many
seconds it takes until a transaction that was fed can be found. ``relic.trouble`` is what the next requests are answered
with: ``TOO_MANY_REQUESTS``, ``TIMEOUT`` and the other classes of errors inside status 200, or a number for a status.
``relic.events`` and ``relic.deployments`` are what was marked. What breaks the contract is answered as New Relic would,
and stands in ``relic.broken`` as well.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from lab.answering import Asked, answering, page
from lab.graphql import Field, NotGraphQL, check, parse, selected
from lab.nrql import NrqlError, run

DAY = 86_400_000


class _Error(Exception):
    """An error of one field."""

    def __init__(self, message: str, kind: str = "INVALID_INPUT") -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class NewRelic:
    """One account with its transactions, entities and marks."""

    account: int = 1234567
    account_name: str = "Shop production"
    key: str = "NRAK-ALLOFITALLOFITALLOFITALLOF"
    url: str = ""
    delay: float = 0.0
    trouble: list[str | int] = field(default_factory=list)
    retry_after: str | None = None
    deprecations: bool = False
    """Whether answers have a warning among their errors."""
    has_events: bool = True
    """Whether the account may create change events, which were a preview for long."""
    rows: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    """When it can be found, and the transaction."""
    entities: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    deployments: list[dict[str, Any]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    now: Callable[[], float] = time.time
    lock: threading.RLock = field(default_factory=threading.RLock)
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    def transactions(
        self,
        app: str = "Shop",
        attributes: Mapping[str, Any] | None = None,
        seconds: Sequence[float] = (0.1,),
        errors: int = 0,
        *,
        at: float | None = None,
        kind: str = "Web",
        late: float = 0.0,
    ) -> None:
        """One for each duration; the first ``errors`` of them failed. ``at``: when (Unix time), now by default.
        ``late``: seconds that they come after all others."""
        then = self.now() if at is None else at
        for place, duration in enumerate(seconds):
            row = {
                "timestamp": int(then * 1000),
                "appName": app,
                "transactionType": kind,
                "duration": duration,
                "error": place < errors,
                **(attributes or {}),
            }
            with self.lock:
                self.rows.append((then + self.delay + late, row))

    def entity(self, name: str, *, domain: str = "APM", reporting: bool = True, account: int | None = None) -> str:
        """An application that is there; its GUID."""
        guid = f"MXxBUE18QVBQTElDQVRJT058{next(self.ids):04d}"
        made = {"guid": guid, "name": name, "domain": domain, "accountId": account or self.account}
        self.entities.append({**made, "reporting": reporting})
        return guid

    # -- answering ---------------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Any:
        with self.lock:
            return self._answer(asked)

    def _answer(self, asked: Asked) -> Any:
        if (asked.method, asked.path) != ("POST", "/graphql"):
            self.broken.append(f"{asked.method} {asked.path}")
            return page(404, "<html>not here</html>", "text/html")
        if asked.headers.get("content-type") != "application/json":
            self.broken.append("no JSON")
        if asked.headers.get("api-key") != self.key:
            return page(401, json.dumps(_error("Invalid API key", error_code="BAD_API_KEY")), "application/json")
        if self.trouble:
            return self._troubled(self.trouble.pop(0))
        try:
            return self._operation(json.loads(asked.body))
        except (NotGraphQL, KeyError, ValueError, TypeError) as wrong:
            self.broken.append(f"{type(wrong).__name__}: {wrong}")
            return {"errors": [{"message": str(wrong), "locations": [{"line": 1, "column": 1}]}]}

    def _troubled(self, trouble: str | int) -> Any:
        if isinstance(trouble, int):
            more = {"Retry_After": self.retry_after} if self.retry_after is not None else {}
            body = json.dumps({"message": "Too many requests"}) if trouble == 429 else "upstream"
            return page(trouble, body, "application/json" if trouble == 429 else "text/plain", **more)
        return {"data": {"actor": None}, **_error(f"it is {trouble.lower()}", errorClass=trouble)}

    def _operation(self, body: Mapping[str, Any]) -> Any:
        operation = parse(body["query"])
        variables = body.get("variables") or {}
        check(operation, variables, ARGUMENTS)
        data: dict[str, Any] = {}
        errors: list[dict[str, Any]] = []
        for each in operation.fields:
            data[each.alias] = self._root(operation.kind, each, variables, errors)
        if self.deprecations:
            errors.append({"message": "This field is deprecated! Please update your query to use something else."})
        return {"data": data, **({"errors": errors} if errors else {})}

    def _root(self, kind: str, of: Field, variables: Mapping[str, Any], errors: list[dict[str, Any]]) -> Any:
        if (kind, of.name) == ("query", "actor"):
            return {each.alias: self._actor(each, variables, errors) for each in of.fields}
        if kind == "mutation" and of.name in ("changeTrackingCreateEvent", "changeTrackingCreateDeployment"):
            make = self._event if of.name == "changeTrackingCreateEvent" else self._deployment
            return _caught(errors, [of.alias], lambda: selected(make(_argument(of, variables)), of.fields))
        raise NotGraphQL(f"Cannot query field {of.name!r}")

    def _actor(self, of: Field, variables: Mapping[str, Any], errors: list[dict[str, Any]]) -> Any:
        if of.name == "entitySearch":
            found = self._search(variables[of.arguments["query"]])
            return selected({"count": len(found), "results": {"entities": found}}, of.fields)
        if of.name != "account":
            raise NotGraphQL(f"Cannot query field {of.name!r}")
        if variables[of.arguments["id"]] != self.account:
            errors.append({"message": "Access denied.", "extensions": {"errorClass": "ACCESS_DENIED"}})
            return None
        made: dict[str, Any] = {}
        for each in of.fields:
            path = ["actor", "account", each.alias]
            if each.name == "name":
                made[each.alias] = self.account_name
            elif each.name == "nrql":
                made[each.alias] = _caught(errors, path, lambda each=each: self._nrql(each, variables))
            else:
                raise NotGraphQL(f"Cannot query field {each.name!r}")
        return made

    def _nrql(self, of: Field, variables: Mapping[str, Any]) -> Any:
        timeout = variables[of.arguments["timeout"]] if "timeout" in of.arguments else 5
        if not 5 <= timeout <= 120:
            self.broken.append(f"timeout {timeout}")
            raise _Error("timeout must be between 5 and 120")
        query = variables[of.arguments["query"]]
        self.queries.append(query)
        now = self.now()
        try:
            found = run(query, [row for seen_from, row in self.rows if seen_from <= now])
        except NrqlError as wrong:
            self.broken.append(f"{wrong}: {query}")
            raise _Error(str(wrong)) from wrong
        return selected({"results": found}, of.fields)

    # -- entities and marks ------------------------------------------------------------------------------------

    def _search(self, query: str) -> list[dict[str, Any]]:
        """``=`` and ``IN``, joined by ``AND``. Punctuation in a name counts as a space: more is found than is meant."""
        found = list(self.entities)
        for part in query.split(" AND "):
            match = re.fullmatch(r"(\w+) (?:= '([^']*)'|IN \(('[^']*'(?:, '[^']*')*)\))", part)
            if match is None or match[1] not in ("id", "name", "domain", "accountId"):
                raise NotGraphQL(f"entity search: {part!r}")
            values = [match[2]] if match[2] is not None else re.findall(r"'([^']*)'", match[3])
            key = "guid" if match[1] == "id" else match[1]
            wanted = {_spaced(value) if key == "name" else value for value in values}
            found = [each for each in found if (_spaced(each[key]) if key == "name" else str(each[key])) in wanted]
        return found

    def _event(self, given: Mapping[str, Any]) -> Any:
        known = {
            "categoryAndTypeData",
            "entitySearch",
            "user",
            "groupId",
            "description",
            "shortDescription",
            "timestamp",
        }
        _only(given, known, {"categoryAndTypeData", "entitySearch"})
        if not self.has_events:
            raise _Error("changeTrackingCreateEvent is in preview and not enabled for this account", "NOT_FOUND")
        about = given["categoryAndTypeData"]
        _only(about, {"categoryFields", "kind"}, {"kind"})
        _only(about["kind"], {"category", "type"}, {"category", "type"})
        if about["kind"]["category"].lower() != "deployment" or about["kind"]["type"] not in TYPES:
            raise _Error("custom category or type: set ALLOW_CUSTOM_CATEGORY_OR_TYPE")
        _only(about["categoryFields"]["deployment"], {"version", "commit", "changelog", "deepLink"}, {"version"})
        self._timely(given)
        found = self._search(given["entitySearch"]["query"])
        if len(found) != 1:
            raise _Error(f"entitySearch.query matched {len(found)} entities, exactly 1 is needed")
        made = {"changeTrackingId": f"8a3a594c-{next(self.ids)}", **given, "entity": found[0]}
        self.events.append(made)
        return {"changeTrackingEvent": made, "messages": []}

    def _deployment(self, given: Mapping[str, Any]) -> Any:
        known = {"entityGuid", "version", "deploymentType", "commit", "changelog", "deepLink", "description", "user"}
        _only(given, known | {"groupId", "timestamp"}, {"entityGuid", "version"})
        if given.get("deploymentType") not in (None, "BASIC", "BLUE_GREEN", "CANARY", "ROLLING", "SHADOW", "OTHER"):
            raise NotGraphQL("deploymentType")
        self._timely(given)
        if given["entityGuid"] not in [each["guid"] for each in self.entities]:
            raise _Error("entity not found", "NOT_FOUND")
        made = {"deploymentId": f"dep-{next(self.ids)}", **given}
        self.deployments.append(made)
        return made

    def _timely(self, given: Mapping[str, Any]) -> None:
        at = given.get("timestamp")
        if at is not None and not (isinstance(at, int) and abs(at - self.now() * 1000) <= DAY):
            raise _Error("timestamp must be within 24 hours of now")


ARGUMENTS = {
    "account": {"id": "Int!"},
    "nrql": {"query": "Nrql!", "timeout": "Seconds"},
    "entitySearch": {"query": "String"},
    "changeTrackingCreateEvent": {"changeTrackingEvent": "ChangeTrackingCreateEventInput!"},
    "changeTrackingCreateDeployment": {"deployment": "ChangeTrackingDeploymentInput!"},
}
TYPES = ("Basic", "Blue Green", "Canary", "Rolling", "Shadow")


def _spaced(name: str) -> str:
    return " ".join(re.sub(r"[().,;:*_-]", " ", name).split()).lower()


def _argument(of: Field, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    (variable,) = of.arguments.values()
    found: Mapping[str, Any] = variables[variable]
    return found


def _only(given: Mapping[str, Any], known: set[str], needed: set[str]) -> None:
    """As a schema would: unknown fields and missing ones are no matter of this account."""
    if unknown := set(given) - known:
        raise NotGraphQL(f"unknown fields: {sorted(unknown)}")
    if missing := needed - set(given):
        raise NotGraphQL(f"missing fields: {sorted(missing)}")


def _error(message: str, **extensions: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": extensions}]}


def _caught(errors: list[dict[str, Any]], path: list[str], make: Callable[[], Any]) -> Any:
    """What is made; ``null`` and an error beside it where that fails."""
    try:
        return make()
    except _Error as wrong:
        errors.append({"message": str(wrong), "path": path, "extensions": {"errorClass": wrong.kind}})
        return None


@contextmanager
def newrelic(*, tls: ssl.SSLContext | None = None) -> Iterator[NewRelic]:
    """One that runs."""
    relic = NewRelic()
    with answering(relic.answer, tls) as lab:
        relic.url, relic.asked = lab.url, lab.asked
        yield relic
