"""An environment that others watch and hear of: Sentry and New Relic judge it, PagerDuty stops it, Slack is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from journeys.agent import LOG_FORMAT, Request, agent
from journeys.environment import Environment
from lab.github import GitHub, github
from lab.newrelic import NewRelic, newrelic
from lab.pagerduty import PagerDuty, pagerduty
from lab.sentry import Sentry, sentry
from lab.slack import Slack, slack

_NOBODY = "127.0.0.1:9"
"""Where nobody listens: the port of a service that was given up long ago."""
NAME = "development"
APP = "Library"
_CHANGELOG = """# Changelog

## [Unreleased]
"""


class Labs(NamedTuple):
    """Everybody elsewhere."""

    sentry: Sentry
    newrelic: NewRelic
    pagerduty: PagerDuty
    slack: Slack
    hub: GitHub

    def report(self, request: Request) -> None:
        """What agents in the application say of one request."""
        failed = request.status >= 500
        self.sentry.requests(f"library@{request.version}", NAME, ok=not failed, failed=failed)
        self.newrelic.transactions(APP, {"color": request.color}, [request.seconds], errors=failed)

    @property
    def broken(self) -> list[str]:
        """What was not as their contracts have it."""
        return [f"{type(lab).__name__}: {each}" for lab in self for each in lab.broken]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may ever see."""
        key = self.pagerduty.routing_key
        return (self.sentry.token, self.newrelic.key, self.pagerduty.token, key, self.slack.secret, self.hub.token)


class Watched(Environment):
    """The embedded default without the balancer's own numbers, and without a prober."""

    def __init__(self, root: Path, labs: Labs) -> None:
        self.labs = labs
        self.outage = False
        """Whether nobody who is told anything can be reached; ``configure`` makes it so."""
        self.logs = root.parent / f"{root.name}-logs"
        self.logs.mkdir()
        super().__init__(root)

    @property
    def general(self) -> dict[str, Any]:  # type: ignore[override]
        """The changelog belongs to the whole repository."""
        return {"release": {"changelog": "CHANGELOG.md"}, "links": {"dashboard": "https://grafana.example/d/library"}}

    def configure(self, *, tests: str = "true", without: tuple[str, ...] = (), **changes: Any) -> None:
        """As usual, without what the balancer and the prober would say."""
        super().configure(tests=tests, without=("probe", *without), **changes)

    @property
    def _places(self) -> dict[str, Any]:
        labs, places = self.labs, super()._places
        log = f"--access-logfile {self.logs}/{{color}}-{{version}}.log --access-logformat '{LOG_FORMAT}'"
        of_sentry = {"url": labs.sentry.url, "organization": labs.sentry.organization, "project": "library"}
        of_newrelic = {"url": labs.newrelic.url, "account": labs.newrelic.account, "app": APP}
        lag = {"lag": "0.2s"}
        return {
            **places,
            "fleet": {**places["fleet"], "start": f"{places['fleet']['start']} {log}"},
            "metrics": [
                {"kind": "sentry", **of_sentry, **lag, "query": ""},
                {"kind": "newrelic", **of_newrelic, **lag, "color_attribute": "color", "measures": ["latency"]},
            ],
            "alerts": [
                places["alerts"],
                {"kind": "pagerduty", "services": [labs.pagerduty.service], "url": labs.pagerduty.url},
            ],
            "messages": [
                {"kind": "console"},
                {"kind": "slack"},
                {"kind": "pagerduty", "url": self._there(labs.pagerduty.url)},
            ],
            "markers": [
                {"kind": "sentry", **of_sentry, "url": self._there(labs.sentry.url)},
                {"kind": "newrelic", **of_newrelic, "url": self._there(labs.newrelic.url)},
                {"kind": "github", "repository": labs.hub.repository, "url": self._there(labs.hub.url)},
            ],
        }

    def _there(self, url: str) -> str:
        """An address, or that of nobody."""
        host = urlsplit(url).netloc
        return url.replace(host, _NOBODY) if self.outage else url

    @property
    def variables(self) -> dict[str, str]:
        """With everybody's secrets."""
        labs = self.labs
        return {
            **super().variables,
            "SENTRY_API_TOKEN": labs.sentry.token,
            "NEW_RELIC_API_KEY": labs.newrelic.key,
            "PAGERDUTY_API_TOKEN": labs.pagerduty.token,
            "PAGERDUTY_ROUTING_KEY": labs.pagerduty.routing_key,
            "SLACK_WEBHOOK_URL": self._there(labs.slack.hook),
            "GITHUB_TOKEN": labs.hub.token,
            "DEPLOY_WHO": "ann@laptop",
        }

    def release(self, version: str, *notes: str, faults: Mapping[str, Any] | None = None) -> None:
        """Cut a version that brings these notes, with these bugs."""
        page = self.root / "CHANGELOG.md"
        before = (page.read_text() if page.exists() else _CHANGELOG).partition("## [Unreleased]\n")
        own = f"\n## [{version}] - {datetime.now(UTC):%Y-%m-%d}\n\n### Changed\n\n" + "".join(f"- {n}\n" for n in notes)
        page.write_text(f"{before[0]}{before[1]}{own}{before[2]}")
        self.commit(faults=faults or {})
        self.git("tag", f"v{version}")
        self.labs.hub.commit(self.git("rev-parse", "HEAD").strip())

    def told(self) -> list[str]:
        """What Slack shows, message after message: the text that stands for each."""
        return [message.text for message in self.labs.slack.messages]


@contextmanager
def watched(root: Path) -> Iterator[Watched]:
    """A project, and everybody who watches it and hears of it; agents report what its users do."""
    with ExitStack() as stack:
        labs = Labs(*(stack.enter_context(lab()) for lab in (sentry, newrelic, pagerduty, slack, github)))
        labs.newrelic.entity(APP)
        made = Watched(root, labs)
        stack.callback(made.end)
        stack.enter_context(agent(made.logs, labs.report))
        yield made
