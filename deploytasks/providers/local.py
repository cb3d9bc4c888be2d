"""This machine as the fleet: both colors beside each other."""

from __future__ import annotations

from ..settings.local import LocalFleetSettings
from .hosts.fleet import HostFleet
from .hosts.host import Member
from .hosts.localhost import LocalHost
from .site import Site


class LocalFleet(HostFleet):
    """``fleet: {kind: local}``: what runs on servers elsewhere, on this machine."""

    def __init__(self, settings: LocalFleetSettings, site: Site) -> None:
        root = site.path(settings.root) if settings.root else site.folder
        if settings.python and "/" in settings.python:
            # absolute() and not resolve(): a virtual environment is known by the path of its link
            settings = settings.model_copy(update={"python": str(site.path(settings.python).absolute())})
        member = Member(LocalHost(site.context), settings.colors)
        super().__init__(settings, [member], str(root.absolute()), parallel=site.parallel)
