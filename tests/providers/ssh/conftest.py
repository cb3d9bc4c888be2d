"""Hosts of both kinds, shared by the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.hosts import Lab, LabHost, hosts

from deploytasks.providers.ssh import SshHost, host, reaching


def reached(one: LabHost, *, hasty: bool = False, **more: object) -> SshHost:
    """A lab's host as deployments reach it."""
    return host(one.endpoint, one.access(**more), one.lab.folder, name=one.name, hasty=hasty)


@pytest.fixture(scope="module", params=["openssh", "in-process"])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two hosts: OpenSSH's, then those of this process."""
    with hosts(tmp_path_factory.mktemp("lab"), 2, real=request.param == "openssh") as opened:
        yield opened
        reaching.close_all()


@pytest.fixture(scope="module")
def real_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Three hosts of OpenSSH, whose links can be cut."""
    with hosts(tmp_path_factory.mktemp("real"), 3, real=True) as opened:
        yield opened
        reaching.close_all()


@pytest.fixture
def h1(lab: Lab) -> SshHost:
    """The first host."""
    return reached(lab.hosts[0])


def write(path: Path, text: str) -> Path:
    """A file with that text."""
    path.write_text(text)
    return path
