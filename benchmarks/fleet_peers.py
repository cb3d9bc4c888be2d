"""Other people's ways to bring an archive to many hosts: OpenSSH alone, pyinfra, Ansible.

pyinfra and Ansible come from PyPI, into a virtual environment in the user's cache folder, once. All three get the same
ssh_config, the same archive, and as many hosts at once. pyinfra and Ansible end where we do: the archive checked by
its SHA-256, unpacked, and a link switched to it. OpenSSH, the floor, only unpacks.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from shlex import quote
from typing import NamedTuple

PACKAGES = ("pyinfra>=3.2,<4", "ansible-core>=2.17")


class Job(NamedTuple):
    """What is to be done, for all of them."""

    folder: Path
    """For playbooks and the like."""
    ssh_config: Path
    hosts: tuple[str, ...]
    """Names that the ssh_config knows."""
    archive: Path
    digest: str
    root: str
    """Where on the hosts."""
    at_once: int


def environment() -> Path:
    """The folder of programs of an environment that has both; made when it is not there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "deploytasks-benchmarks" / f"peers-{sys.version_info.major}.{sys.version_info.minor}"
    stamp = folder / "packages"
    if not stamp.exists() or stamp.read_text() != repr(PACKAGES):
        print(f"installing {', '.join(PACKAGES)} into {folder}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES], check=True)
        stamp.write_text(repr(PACKAGES))
    return folder / "bin"


def versions(programs: Path) -> str:
    """For the record."""
    names = ", ".join(f"'{name}', version('{name}')" for name in ("pyinfra", "ansible-core"))
    code = f"from importlib.metadata import version; print({names})"
    done = subprocess.run([str(programs / "python"), "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def openssh(job: Job) -> list[str]:
    """As many ``ssh`` at once, each with the archive as its stdin."""
    remote = f"mkdir -p {job.root} && tar xzf - -C {job.root}"
    one = f"exec ssh -F {quote(str(job.ssh_config))} -o BatchMode=yes {{}} {quote(remote)} < {quote(str(job.archive))}"
    return ["sh", "-c", f"printf '%s\\n' {' '.join(job.hosts)} | xargs -P {job.at_once} -I {{}} sh -c {quote(one)}"]


def pyinfra(job: Job, programs: Path) -> list[str]:
    """An operation that puts the archive there, and a shell command that checks, unpacks and links."""
    data = {"ssh_config_file": str(job.ssh_config), "ssh_strict_host_key_checking": "yes", "ssh_allow_agent": False}
    inventory = _written(job, "inventory.py", f"hosts = [(name, {data!r}) for name in {list(job.hosts)!r}]\n")
    there = f"{job.root}/incoming.tar.gz"
    deploy = _written(
        job,
        "deploy.py",
        f"""from pyinfra.operations import files, server

files.directory(path={f"{job.root}/releases/one"!r})
files.put(src={str(job.archive)!r}, dest={there!r})
server.shell(commands=[
    {f"echo '{job.digest}  {there}' | sha256sum --check --quiet"!r},
    {f"tar xzf {there} -C {job.root}/releases/one && rm {there}"!r},
    {f"ln -sfn releases/one {job.root}/current.new && mv -fT {job.root}/current.new {job.root}/current-blue"!r},
])
""",
    )
    return [str(programs / "pyinfra"), "-y", "--parallel", str(job.at_once), str(inventory), str(deploy)]


def ansible(job: Job, programs: Path) -> list[str]:
    """A playbook of modules, without facts, with pipelining and one connection per host."""
    inventory = _written(job, "hosts.ini", "\n".join(["[all]", *job.hosts]) + "\n")
    there = f"{job.root}/incoming.tar.gz"
    _written(
        job,
        "ansible.cfg",
        f"""[defaults]
forks = {job.at_once}
interpreter_python = /usr/bin/python3
[ssh_connection]
pipelining = true
ssh_args = -F {job.ssh_config} -C -o ControlMaster=auto -o ControlPersist=30s
control_path_dir = {job.folder}/cm
""",
    )
    playbook = _written(
        job,
        "playbook.yml",
        f"""- hosts: all
  gather_facts: false
  tasks:
    - file: {{path: {job.root}/releases/one, state: directory}}
    - copy: {{src: {job.archive}, dest: {there}}}
    - stat: {{path: {there}, checksum_algorithm: sha256}}
      register: arrived
    - assert: {{that: "arrived.stat.checksum == '{job.digest}'"}}
    - unarchive: {{src: {there}, dest: {job.root}/releases/one, remote_src: true}}
    - file: {{path: {there}, state: absent}}
    - file: {{src: releases/one, path: {job.root}/current-blue, state: link}}
""",
    )
    command = (
        f"cd {quote(str(job.folder))} && exec {quote(str(programs / 'ansible-playbook'))} -i {inventory} {playbook}"
    )
    return ["sh", "-c", command]


def end_connections(job: Job) -> None:
    """End those that Ansible left open, so that every round begins with none."""
    for path in (job.folder / "cm").glob("*"):
        command = ["ssh", "-F", str(job.ssh_config), "-o", f"ControlPath={path}", "-O", "exit", job.hosts[0]]
        subprocess.run(command, check=False, capture_output=True)


def _written(job: Job, name: str, text: str) -> Path:
    path = job.folder / name
    path.write_text(text)
    return path
