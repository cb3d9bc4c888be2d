"""What ``doctor`` finds out about SSM: the bucket, the agents, and what the hosts need to fetch a release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from ....at_once import at_once
from ....errors import DeployError
from ....ports import Finding
from ...hosts.host import Member
from .bucket import Bucket
from .roll import ONLINE, Agent


def bucket(of: Bucket) -> Finding:
    """Whether the bucket can be reached with what we have."""
    try:
        of.check()
    except DeployError as error:
        return Finding(f"bucket {of.name}", "fail", error.what, error.do)
    return Finding(f"bucket {of.name}", "ok", "it can be reached")


def agents(of: Sequence[Agent]) -> Finding:
    """How the agents are, counted, with their versions."""
    counted = Counter(one.ping or "unknown to SSM" for one in of)
    versions = ", ".join(f"{count} × {version}" for version, count in Counter(o.version for o in of).most_common())
    detail = f"{', '.join(f'{count} {ping}' for ping, count in counted.most_common())}; agents: {versions}"
    is_fine = set(counted) == {ONLINE}
    do = "" if is_fine else "start amazon-ssm-agent there, with a role that has AmazonSSMManagedInstanceCore"
    return Finding("ssm", "ok" if is_fine else "warn", detail, do)


def curls(members: Sequence[Member]) -> Sequence[Finding]:
    """Who has no curl."""
    line = "command -v curl >/dev/null 2>&1 || echo missing"
    online = [one for one in members if not getattr(one.host, "agent", Agent("", ONLINE)).why_lost]
    came = at_once([partial(one.host.run, line, 10.0) for one in online], max(1, len(online)))
    lost = [one.host.name for one, said in zip(online, came, strict=True) if (said.value or "").strip()]
    return [Finding("curl", "fail", f"it is missing on {', '.join(lost)}", "install it")] if lost else []
