"""What GitHub answers: its routes, its shapes, and what it insists on."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from lab.answering import Asked, Raw, page
from lab.github import GitHub, Pull, Review, User

VERSION = "2022-11-28"
ID = 4217
"""Of the repository: what links and redirects name it by."""


class Said(NamedTuple):
    """An answer before it has its usual headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = {}


class Refusal(Exception):
    """Anything but success."""

    def __init__(self, status: int, message: str, errors: Sequence[Mapping[str, str]] = (), **headers: str) -> None:
        body = {"message": message, **({"errors": list(errors)} if errors else {})}
        self.said = Said(status, {**body, "documentation_url": "https://docs.github.com/rest"}, headers)


def answer(hub: GitHub, asked: Asked) -> Raw:
    """The whole answer to a request."""
    with hub.lock:
        try:
            said = _answered(hub, asked)
        except Refusal as refusal:
            said = refusal.said
        headers = {"Content-Type": "application/json; charset=utf-8", **_usual(hub), **said.headers}
        body = "" if said.body is None else json.dumps(said.body)
    kind = headers.pop("Content-Type")
    return page(said.status, body, kind, **headers)


def _usual(hub: GitHub) -> dict[str, str]:
    headers = {"X-GitHub-Api-Version-Selected": VERSION, "X-GitHub-Request-Id": "C0FF:EE"}
    if hub.tells_limits:
        left = {"Limit": "5000", "Remaining": str(hub.remaining), "Reset": str(hub.reset), "Resource": "core"}
        headers |= {f"X-RateLimit-{name}": value for name, value in left.items()}
    return headers


def _answered(hub: GitHub, asked: Asked) -> Said:
    _keeps_the_contract(hub, asked)
    permissions = _who_asks(hub, asked)
    _within_limits(hub)
    if not asked.path.startswith(f"{hub.prefix}/"):
        raise Refusal(404, "Not Found")
    path = _resolved(hub, asked, asked.path.removeprefix(hub.prefix))
    for method, pattern, needed, act in ROUTES:
        found = re.fullmatch(pattern, path)
        if found and asked.method == method:
            _allowed(hub, permissions, needed)
            return act(hub, asked, *found.groups())
    raise Refusal(404, "Not Found")


# -- the contract ----------------------------------------------------------------------------------------------------


def _keeps_the_contract(hub: GitHub, asked: Asked) -> None:
    headers = asked.headers
    wrong = []
    if not headers.get("user-agent"):
        wrong.append((403, "Request forbidden by administrative rules: a User-Agent header is needed"))
    if headers.get("accept") != "application/vnd.github+json":
        wrong.append((415, "Unsupported 'Accept' header. Must accept 'application/vnd.github+json'."))
    if headers.get("x-github-api-version") != VERSION:
        wrong.append((400, f"X-GitHub-Api-Version {headers.get('x-github-api-version')} is not pinned to {VERSION}"))
    if any(int(size) > 100 for size in asked.query.get("per_page", [])):
        hub.broken.append(f"{asked.path}: per_page above 100 gives 100 all the same")
    if wrong:
        hub.broken += [f"{asked.method} {asked.path}: {message}" for _, message in wrong]
        raise Refusal(*wrong[0])


def _who_asks(hub: GitHub, asked: Asked) -> Mapping[str, str]:
    scheme, _, token = asked.headers.get("authorization", "").partition(" ")
    if not token:
        raise Refusal(401, "Requires authentication")
    if scheme != "Bearer" or token not in hub.tokens:
        raise Refusal(401, "Bad credentials")
    return hub.tokens[token]


def _within_limits(hub: GitHub) -> None:
    limit = hub.limit
    if limit is not None:
        left = None if limit.times is None else limit.times - 1
        hub.limit = None if left == 0 else limit
        limit.times = left
        raise Refusal(limit.status, limit.message, **limit.headers)
    if hub.remaining <= 0:
        raise Refusal(403, "API rate limit exceeded for user ID 1001.")
    hub.remaining -= 1


def _allowed(hub: GitHub, permissions: Mapping[str, str], needed: str) -> None:
    what, _, how = needed.partition("=")
    has = permissions.get(what)
    if hub.private and "metadata" not in permissions:
        raise Refusal(404, "Not Found")
    if has is None or (how == "write" and has != "write"):
        hint = {"X-Accepted-GitHub-Permissions": needed}
        raise Refusal(403, "Resource not accessible by personal access token", **hint)


def _resolved(hub: GitHub, asked: Asked, path: str) -> str:
    """The path with the repository's name of today as ``/repo``. Raises the redirect of an old one."""
    for old in hub.renamed_from:
        if re.match(rf"/repos/{re.escape(old)}(/|$)", path, re.IGNORECASE):
            there = path.replace(path[: len(f"/repos/{old}")], f"{hub.url}/repositories/{ID}", 1)
            query = _query(asked.query)
            status = 301 if asked.method == "GET" else 307
            raise Refusal(status, "Moved Permanently", Location=f"{there}{f'?{query}' if query else ''}")
    for name in (rf"/repos/{re.escape(hub.repository)}", rf"/repositories/{ID}"):
        if found := re.match(rf"{name}(?=/|$)", path, re.IGNORECASE):
            return f"/repo{path[found.end() :]}"
    return path


def _query(query: Mapping[str, Sequence[str]], **more: object) -> str:
    from urllib.parse import urlencode

    pairs = [(name, value) for name, values in query.items() if name not in more for value in values]
    return urlencode([*pairs, *more.items()])


def _paged(hub: GitHub, asked: Asked, entries: Sequence[Any], rest: str) -> tuple[list[Any], dict[str, str]]:
    """One page of them, and the links to the others, which name the repository by its id, as GitHub's do."""
    size = min(100, max(1, int(asked.query.get("per_page", ["30"])[0])))
    number = max(1, int(asked.query.get("page", ["1"])[0]))
    last = max(1, -(-len(entries) // size))
    links = {}
    if number < last:
        links |= {"next": number + 1, "last": last}
    if number > 1:
        links |= {"prev": number - 1, "first": 1}
    where = f"{hub.url}/repositories/{ID}{rest}"
    told = ", ".join(f'<{where}?{_query(asked.query, page=at)}>; rel="{rel}"' for rel, at in links.items())
    return list(entries[(number - 1) * size : number * size]), {"Link": told} if told else {}


# -- shapes ----------------------------------------------------------------------------------------------------------


def _user(user: User) -> dict[str, Any] | None:
    return None if user.is_gone else {"login": user.login, "id": user.id, "type": user.kind, "site_admin": False}


def _pull(hub: GitHub, pull: Pull) -> dict[str, Any]:
    return {
        "id": pull.number * 10,
        "number": pull.number,
        "state": "open" if pull.state == "open" else "closed",
        "title": pull.title,
        "user": _user(pull.author),
        "html_url": f"https://github.example/{hub.repository}/pull/{pull.number}",
        "merged_at": "2026-11-23T09:00:00Z" if pull.state == "merged" else None,
        "merge_commit_sha": pull.merged_as[-1] if pull.merged_as else None,
        "draft": False,
        "head": {"ref": f"change-{pull.number}", "sha": pull.head},
        "base": {"ref": pull.base, "sha": "0" * 40},
        "author_association": "CONTRIBUTOR",
    }


def _review(review: Review) -> dict[str, Any]:
    return {
        "id": review.id,
        "user": _user(review.user),
        "body": "",
        "state": review.state,
        "commit_id": review.commit,
        "submitted_at": review.at,
        "author_association": "CONTRIBUTOR",
    }


# -- reading ---------------------------------------------------------------------------------------------------------


def _repository(hub: GitHub, asked: Asked) -> Said:
    name = {"id": ID, "full_name": hub.repository, "name": hub.repository.partition("/")[2], "private": hub.private}
    return Said(200, {**name, "default_branch": hub.default_branch})


def _commit_known(hub: GitHub, sha: str) -> None:
    if sha not in {*hub.known, hub.default_branch}:
        raise Refusal(422, f"No commit found for SHA: {sha}")


def _pulls_of(hub: GitHub, asked: Asked, sha: str) -> Said:
    """On the default branch: the merged one that brought it. Else those, merged or open, that have it."""
    _commit_known(hub, sha)
    brought = [pull for pull in hub.pulls.values() if pull.state == "merged" and sha in pull.merged_as]
    having = [
        pull
        for pull in hub.pulls.values()
        if pull.state in ("open", "merged") and sha in (*(commit for commit, _, _ in pull.commits), *pull.merged_as)
    ]
    on_default = [pull for pull in brought if pull.base == hub.default_branch]
    found, links = _paged(hub, asked, on_default or having, f"/commits/{sha}/pulls")
    return Said(200, [_pull(hub, pull) for pull in found], links)


def _every_pull(hub: GitHub, asked: Asked) -> Said:
    wanted = asked.query.get("state", ["open"])[0]
    pulls = [_pull(hub, pull) for pull in hub.pulls.values()]
    found, links = _paged(hub, asked, [pull for pull in pulls if wanted in ("all", pull["state"])], "/pulls")
    return Said(200, found, links)


def _one_pull(hub: GitHub, number: str) -> Pull:
    if int(number) not in hub.pulls:
        raise Refusal(404, "Not Found")
    return hub.pulls[int(number)]


def _the_pull(hub: GitHub, asked: Asked, number: str) -> Said:
    pull = _one_pull(hub, number)
    return Said(200, {**_pull(hub, pull), "merged": pull.state == "merged", "commits": len(pull.commits)})


def _reviews(hub: GitHub, asked: Asked, number: str) -> Said:
    found, links = _paged(hub, asked, _one_pull(hub, number).reviews, f"/pulls/{number}/reviews")
    return Said(200, [_review(review) for review in found], links)


def _commits_of(hub: GitHub, asked: Asked, number: str) -> Said:
    """At most 250, whatever the pages say."""
    found, links = _paged(hub, asked, _one_pull(hub, number).commits[:250], f"/pulls/{number}/commits")
    entries = []
    for sha, login, message in found:
        user = _user(hub.user(login) if login not in hub.users else hub.users[login]) if login else None
        entries.append({"sha": sha, "commit": {"message": message}, "author": user, "committer": user})
    return Said(200, entries, links)


def _permission(hub: GitHub, asked: Asked, login: str) -> Said:
    user = hub.users.get(login)
    if user is None or user.is_gone:
        raise Refusal(404, f"{login} is not a user")
    role = user.role or user.permission
    return Said(200, {"permission": user.permission, "role_name": role, "user": _user(user)})


def _membership(hub: GitHub, asked: Asked, organization: str, slug: str, login: str) -> Said:
    team = f"{organization}/{slug}"
    state = hub.teams.get(team, {}).get(login)
    if state is None or team in hub.hidden_teams:
        raise Refusal(404, "Not Found")
    return Said(200, {"url": f"{hub.url}{asked.path}", "role": "member", "state": state})


def _the_team(hub: GitHub, asked: Asked, organization: str, slug: str) -> Said:
    team = f"{organization}/{slug}"
    if team not in hub.teams or team in hub.hidden_teams:
        raise Refusal(404, "Not Found")
    return Said(200, {"id": 1, "slug": slug, "name": slug, "members_count": len(hub.teams[team])})


def _status(hub: GitHub, asked: Asked, sha: str) -> Said:
    """Without any status it is ``pending``, too."""
    _commit_known(hub, sha)
    latest = dict(hub.statuses.get(sha, []))
    states = set(latest.values())
    state = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    found, links = _paged(hub, asked, list(latest.items()), f"/commits/{sha}/status")
    statuses = [{"context": context, "state": said, "target_url": None} for context, said in found]
    return Said(200, {"state": state, "sha": sha, "total_count": len(latest), "statuses": statuses}, links)


def _check_runs(hub: GitHub, asked: Asked, sha: str) -> Said:
    _commit_known(hub, sha)
    every = hub.checks.get(sha, [])
    if asked.query.get("filter", ["latest"]) == ["latest"]:
        every = list({(run["app"]["slug"], run["name"]): run for run in every}.values())
    found, links = _paged(hub, asked, every, f"/commits/{sha}/check-runs")
    return Said(200, {"total_count": len(every), "check_runs": [{**run, "head_sha": sha} for run in found]}, links)


# -- writing ---------------------------------------------------------------------------------------------------------


def _body(asked: Asked) -> dict[str, Any]:
    try:
        found = json.loads(asked.body or b"null")
    except ValueError:
        raise Refusal(400, "Problems parsing JSON") from None
    if not isinstance(found, dict):
        raise Refusal(400, "Body should be a JSON object")
    return found


def _needed(given: Mapping[str, Any], resource: str, *names: str) -> None:
    errors = [{"resource": resource, "code": "missing_field", "field": name} for name in names if not given.get(name)]
    if errors:
        raise Refusal(422, "Validation Failed", errors)


def _deploy(hub: GitHub, asked: Asked) -> Said:
    """The two defaults that are traps: ``auto_merge`` merges and makes nothing; all contexts must be green."""
    given = _body(asked)
    _needed(given, "Deployment", "ref")
    ref = str(given["ref"])
    if ref in hub.unknown:
        raise Refusal(422, f"No ref found for: {ref}")
    if given.get("auto_merge", True) and ref in hub.conflicting:
        raise Refusal(409, f"Conflict merging {hub.default_branch} into {ref}.")
    if given.get("auto_merge", True) and ref in hub.behind:
        hub.behind.discard(ref)
        return Said(202, {"message": f"Auto-merged {hub.default_branch} into {ref} on deployment."})
    required = given.get("required_contexts")
    statuses = dict(hub.statuses.get(ref, []))
    contexts = list(statuses) if required is None else required
    failed = [context for context in contexts if statuses.get(context) != "success"]
    if failed:
        raise Refusal(
            409,
            f"Conflict: Commit status checks failed for {ref}.",
            [{"resource": "Deployment", "code": "invalid", "field": "required_contexts"}],
        )
    _short_enough(given, "Deployment")
    environment = str(given.get("environment", "production"))
    made = {
        "id": hub.next_id(),
        "sha": hub.tags.get(ref, ref),
        "ref": ref,
        "task": given.get("task", "deploy"),
        "payload": given.get("payload", {}),
        "original_environment": environment,
        "environment": environment,
        "description": given.get("description", ""),
        "production_environment": given.get("production_environment", environment == "production"),
        "transient_environment": given.get("transient_environment", False),
        "statuses": [],
    }
    hub.deployments.append(made)
    _written(hub)
    return Said(201, _deployment(hub, made))


def _deployment(hub: GitHub, made: Mapping[str, Any]) -> dict[str, Any]:
    """As it is shown: its statuses are at an address of their own."""
    own = f"{hub.url}/repos/{hub.repository}/deployments/{made['id']}"
    return {**made, "url": own, "statuses_url": f"{own}/statuses"} | {"statuses": None}


def _deployments(hub: GitHub, asked: Asked) -> Said:
    """The newest first; of a commit that it does not know there is none."""
    wanted = {name: asked.query[name][0] for name in ("sha", "ref", "task", "environment") if name in asked.query}
    every = [one for one in reversed(hub.deployments) if all(one[name] == value for name, value in wanted.items())]
    found, links = _paged(hub, asked, every, "/deployments")
    return Said(200, [_deployment(hub, one) for one in found], links)


def _one_deployment(hub: GitHub, number: str) -> dict[str, Any]:
    for deployment in hub.deployments:
        if deployment["id"] == int(number):
            return deployment
    raise Refusal(404, "Not Found")


def _short_enough(given: Mapping[str, Any], resource: str) -> None:
    if len(str(given.get("description", ""))) > 140:
        raise Refusal(422, "Validation Failed", [{"resource": resource, "code": "invalid", "field": "description"}])


def _written(hub: GitHub) -> None:
    """Two writes within a second are what makes it slow somebody down."""
    now = time.monotonic()
    if hub.least_apart and now - hub.written_at < hub.least_apart:
        hub.broken.append(f"two writes within {now - hub.written_at:.2f} s")
    hub.written_at = now


STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")


def _deployment_status(hub: GitHub, asked: Asked, number: str) -> Said:
    """A success makes the others of the environment inactive that were one, unless that is production."""
    given = _body(asked)
    _needed(given, "DeploymentStatus", "state")
    deployment = _one_deployment(hub, number)
    if given["state"] not in STATES:
        raise Refusal(422, "Validation Failed", [{"resource": "DeploymentStatus", "code": "invalid", "field": "state"}])
    for name in ("log_url", "environment_url", "target_url"):
        if not re.fullmatch(r"(https?://\S+)?", str(given.get(name, ""))):
            raise Refusal(
                422, "Validation Failed", [{"resource": "DeploymentStatus", "code": "invalid", "field": name}]
            )
    _short_enough(given, "DeploymentStatus")
    _written(hub)
    made = _said_of(hub, deployment, given)
    if given["state"] == "success" and given.get("auto_inactive", True):
        for other in hub.deployments:
            is_same = other is not deployment and other["environment"] == deployment["environment"]
            is_left = not (other["production_environment"] or other["transient_environment"])
            if is_same and is_left and other["statuses"] and other["statuses"][-1]["state"] == "success":
                _said_of(hub, other, {"state": "inactive"})
    return Said(201, made)


def _said_of(hub: GitHub, deployment: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    plain = {"description": "", "log_url": "", "environment_url": "", "environment": deployment["environment"]}
    made = {"id": hub.next_id(), **plain, **given}
    deployment["statuses"].append(made)
    return made


def _deployment_statuses(hub: GitHub, asked: Asked, number: str) -> Said:
    """The newest first."""
    every = list(reversed(_one_deployment(hub, number)["statuses"]))
    found, links = _paged(hub, asked, every, f"/deployments/{number}/statuses")
    return Said(200, found, links)


def _release(hub: GitHub, asked: Asked) -> Said:
    """A tag that nobody pushed is made, on ``target_commitish`` or the default branch: another trap."""
    given = _body(asked)
    _needed(given, "Release", "tag_name")
    tag = str(given["tag_name"])
    if any(release["tag_name"] == tag for release in hub.releases):
        taken = {"resource": "Release", "code": "already_exists", "field": "tag_name"}
        raise Refusal(422, "Validation Failed", [taken])
    if tag not in hub.tags:
        hub.invented_tags[tag] = str(given.get("target_commitish") or hub.default_branch)
    made = {
        "id": hub.next_id(),
        "tag_name": tag,
        "name": given.get("name") or tag,
        "body": given.get("body", ""),
        "draft": bool(given.get("draft", False)),
        "prerelease": bool(given.get("prerelease", False)),
        "html_url": f"https://github.example/{hub.repository}/releases/tag/{tag}",
    }
    hub.releases.append(made)
    return Said(201, made)


def _release_of(hub: GitHub, asked: Asked, tag: str) -> Said:
    for release in hub.releases:
        if release["tag_name"] == tag and not release["draft"]:
            return Said(200, release)
    raise Refusal(404, "Not Found")


ROUTES: Sequence[tuple[str, str, str, Callable[..., Said]]] = (
    ("GET", r"/repo", "metadata=read", _repository),
    ("GET", r"/repo/commits/([^/]+)/pulls", "pull_requests=read", _pulls_of),
    ("GET", r"/repo/commits/([^/]+)/status", "statuses=read", _status),
    ("GET", r"/repo/commits/([^/]+)/check-runs", "checks=read", _check_runs),
    ("GET", r"/repo/pulls", "pull_requests=read", _every_pull),
    ("GET", r"/repo/pulls/(\d+)", "pull_requests=read", _the_pull),
    ("GET", r"/repo/pulls/(\d+)/reviews", "pull_requests=read", _reviews),
    ("GET", r"/repo/pulls/(\d+)/commits", "pull_requests=read", _commits_of),
    ("GET", r"/repo/collaborators/([^/]+)/permission", "metadata=read", _permission),
    ("GET", r"/orgs/([^/]+)/teams/([^/]+)", "members=read", _the_team),
    ("GET", r"/orgs/([^/]+)/teams/([^/]+)/memberships/([^/]+)", "members=read", _membership),
    ("GET", r"/repo/deployments", "deployments=read", _deployments),
    ("GET", r"/repo/deployments/(\d+)/statuses", "deployments=read", _deployment_statuses),
    ("POST", r"/repo/deployments", "deployments=write", _deploy),
    ("POST", r"/repo/deployments/(\d+)/statuses", "deployments=write", _deployment_status),
    ("POST", r"/repo/releases", "contents=write", _release),
    ("GET", r"/repo/releases/tags/(.+)", "contents=read", _release_of),
)
"""Method, path, the permission that it needs, and what it does."""
