"""A ledger with one of everything that an auditor asks about."""

from __future__ import annotations

from tale import ON_BLUE, ON_GREEN, Tale


def everything() -> Tale:
    """Evidence, signatures, a deployment that is rolled back, and what people do beside."""
    tale = Tale()
    tests = "`pytest`: 12 passed in 3.1 s"
    tale.tell("evidence", item="tests", key="k", digest="digest-a", ok=True, detail=tests)
    tale.tell("signed", act="sign", item="people.oncall", about="c0ffee-a", note="until 18:00", signer="", key="")
    tale.tell(
        "signed", act="override", item="code.coverage", about="c0ffee-a", note="4711", signer="bob", key="SHA256:x"
    )
    tale.tell("signed", act="approve", item="", about="plan-a", note="fine", signer="eve", key="SHA256:y")
    tale.tell("signed", act="approve", item="", about="plan-a", note="me, too", signer="ann", key="SHA256:z")
    results = [
        ["code.tests", "pass", "12 passed"],
        ["code.reviewed", "pass", "eve and bob approved #12"],
        ["code.coverage", "overridden", "bob: 4711"],
        ["database.window", "not applicable", "no migrations"],
    ]
    tale.tell("checked", digest="digest-a", commit="c0ffee-a", level="production", hotfix=False, results=results)
    planned = {"digest": "plan-a", "author": "ann", "commit": "c0ffee-a", "by": ["eve"]}
    tale.began("a", planned=planned, run="https://ci.example/1")
    tale.tell("overridden", deployment="a", items=[["code.coverage", "bob: 4711"]])
    tale.tell("backup", deployment="a", name="library-1")
    asked = tale.tell("asked", who="bob@pc", deployment="a", verb="pause", reason="lunch")
    tale.tell("answered", deployment="a", asked=asked.number, verb="pause", obeyed=True, said="paused")
    tale.settled("a")
    tale.tell("maintenance", on=True, message="back soon")
    tale.rolled_back(ON_GREEN, ON_BLUE)
    tale.tell("maintenance", on=False, message="")
    tale.tell("ran", color="green", command="df -h", hosts={"web1": 0, "web2": None})
    tale.tell("lease", state="taken-over", taken_from="bob on pc", doing="deploy")
    tale.tell("pruned", artifacts=["a-1.tar.gz"])
    tale.tell("imported", file="l.jsonl", count=9, added=3, head="h")
    tale.tell("released", version="1.2.3", tag="v1.2.3", commit="c0ffee", before="1.2.2")
    tale.tell("rollback-failed", reason="slow", why="the balancer is gone", by="bob")
    tale.tell("reversed", migrations=["0002_more"], command="migrate")
    tale.tell("deadman-fired", deployment="x", split=ON_BLUE, why="silence")
    tale.tell("deadman-failed", deployment="x", split=ON_BLUE, why="no answer")
    tale.tell("reading", deployment="a", move="wait")
    tale.tell("signed", act="plan", item="", about="plan-b", note="", signer="ann", key="SHA256:z")
    return tale
