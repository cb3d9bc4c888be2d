"""What is to be written, once it was found or somebody has said so."""

from __future__ import annotations

from typing import NamedTuple

from .detecting import Found
from .ports import USUAL, beside

TEMPLATES = {
    "embedded": "everything on this machine: a real balancer, two colors, a ledger in a folder; to begin with",
    "servers": "servers of your own over SSH, behind HAProxy, with PostgreSQL and Prometheus",
    "aws-alb": "servers at AWS behind a load balancer, with RDS, CloudWatch and S3",
    "aws-ecs": "containers at AWS: ECS moves the traffic, CloudWatch judges it",
}
"""Name of a template → what it is for."""


class Choices(NamedTuple):
    """All that a template needs to become a configuration."""

    application: str
    source: str
    start: str
    """The command that serves a color."""
    health: str
    """The page that says whether a color can serve users."""
    tests: str
    """The command of ``inv test``; empty: none yet."""
    template: str = "embedded"
    listen: str = USUAL
    """Where users come in."""
    colors: tuple[str, str] = ("127.0.0.1:8101", "127.0.0.1:8102")
    """Where blue and green listen."""

    def listening(self, address: str) -> Choices:
        """The same for users who come in elsewhere, with colors beside it. ``ValueError``: that is no address."""
        return self._replace(listen=address, colors=beside(address))


def proposed(found: Found) -> Choices:
    """What is written when nobody says otherwise."""
    start = f"{{python}} -m gunicorn --bind {{host}}:{{port}} {found.callable}"
    return Choices(
        application=found.application,
        source=found.source,
        start=start,
        health=found.django.health if found.django else "/health",
        tests="",
    )
