"""A project to press Tab in."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFIGURATION = """\
tasks: {executor_class: deploytasks.executor.ChainExecutor}
deploy:
  application: library
  environments:   # all three
    development: &most
      traffic: {kind: envoy}
    "staging":
      <<: *most
    production: {}
  release: {}
"""


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With three environments, a task of its own, a changelog and two built releases."""
    root = tmp_path_factory.mktemp("project")
    (root / "tasks.py").write_text(
        "from invoke import Collection, task\nfrom deploytasks import namespace as all_tasks\n\n"
        '@task(help={"deep": "How deep."})\ndef dig(c, deep=False):\n    """Dig a hole."""\n\n'
        "namespace = Collection(dig, *all_tasks.tasks.values())\nprint('who loads this is told something')\n"
    )
    (root / "invoke.yaml").write_text(CONFIGURATION)
    (root / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-11-23\n\n## 1.1.0\n")
    (root / "sub").mkdir()
    artifacts = root / ".deploy" / "artifacts"
    artifacts.mkdir(parents=True)
    for version in ("1.1.0-aaaaaaaaaaaa", "1.2.0-rc.1-bbbbbbbbbbbb", "1.2.0-rc.1-cccccccccccc"):
        (artifacts / f"{version}.tar.gz").touch()
    return root
