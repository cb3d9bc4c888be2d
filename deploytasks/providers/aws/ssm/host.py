"""One host behind SSM: what ``hosts.Host`` promises, and what is asked on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from shlex import quote

from .... import redaction
from ....errors import DeployError, Unreachable
from ....ports import Health
from ...hosts.host import Page
from .broker import Broker, Job, Task
from .roll import Agent

_MORE = 5.0
"""Seconds beside those that a page may take."""
_LONGEST = 47 * 3600.0
"""Seconds for a command that may take as long as it likes; AWS-RunShellScript allows two days."""
_LOOK = "0.3"


class SsmHost:
    """An instance. Commands that others are given at the same time travel together with its own."""

    def __init__(self, agent: Agent, broker: Broker) -> None:
        self.name = agent.instance_id
        self.agent = agent
        self._broker = broker

    def run(self, command: str, timeout: float, given: str | None = None) -> str:
        return self._run(Task(command, given, self._broker.kind), timeout)

    def follow(self, command: str, line: Callable[[str], None]) -> int:
        """Run a command; hand on what it said, stderr too, when it has ended: the end of it, where it is long. Its exit
        code."""
        text = f'( {command}\n) 2>&1; code=$?; echo; echo "$code"'
        *said, code = self._run(Task(text, kind="write", keeps_the_end=True), _LONGEST).rstrip("\n").split("\n")
        for one in said if said[-1:] != [""] else said[:-1]:
            line(one)
        return int(code)

    def _run(self, task: Task, timeout: float) -> str:
        if self.agent.why_lost:
            raise Unreachable(f"{self.name}: {self.agent.why_lost}", state="nothing was started there")
        return self._broker.run(task, Job(self.name, max(timeout, 1.0)))

    # -- asking on the host --------------------------------------------------

    def health(self, page: Page) -> Health:
        """Ask a page once. Never raises for one that is silent."""
        try:
            return _health(page, self._run(Task(_ask(page), is_hasty=True), page.within + _MORE))
        except DeployError as error:
            return Health(False, error.what.removeprefix(f"{self.name}: "))

    def wait(self, page: Page, runs: str, within: float) -> tuple[Health, bool]:
        """Ask a page until it answers 200, or what starts has ended: how it was last, and whether it still ran."""
        text = f"""ask() {{
{_ask(page)}
}}
runs() {{
{runs}
}}
until=$(($(date +%s) + {max(1, round(within))}))
while :; do
  said=$(ask)
  case $said in *'@ 200 '*) still=yes; break;; esac
  still=$(runs)
  [ -n "$still" ] && [ "$(date +%s)" -lt "$until" ] || break
  sleep {_LOOK}
done
echo "${{still:+runs}}"
printf '%s\\n' "$said"
"""
        first, _, said = self.run(text, within + page.within + _MORE).partition("\n")
        return _health(page, said), first == "runs"

    def is_open(self, address: str) -> bool:
        """Whether something listens at ``host:port``."""
        url = quote(f"http://{address}/")
        return (
            self.run(f"curl -qs --noproxy '*' -m 1 -o /dev/null -w '%{{num_connects}}' {url}; :", _MORE).strip() != "0"
        )


def _ask(page: Page) -> str:
    """Print the last of what a page says, and a line ``@ <status> <seconds>``."""
    show = quote("\\n@ %{http_code} %{time_total}\\n")
    return f"curl -qsS --noproxy '*' -m {page.within:g} -w {show} {quote(page.url)} 2>&1 | tail -c 400"


def _health(page: Page, said: str) -> Health:
    path = re.sub(r"^https?://[^/]+", "", page.url)
    found = re.search(r"@ (\d{3}) ([0-9.,]+)\s*(.*)\Z", said, re.DOTALL)
    if found is None:
        why = " ".join(str(redaction.clean(said)).split())[-160:]
        return Health(False, f"{path} could not be asked there: {why or 'curl said nothing'}")
    words = redaction.excerpt(said[: found.start()] + found[3], 160)
    if found[1] == "200":
        return Health(True, f"{path} answered 200 in {float(found[2].replace(',', '.')) * 1000:.0f} ms")
    if found[1] == "000":
        return Health(False, f"{path} did not answer: {words}")
    return Health(False, f"{path} answered {found[1]}{': ' if words else ''}{words}")
