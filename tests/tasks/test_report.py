"""`inv report [DEPLOYMENT]`: Invoke itself knows no argument that may be left out."""

from __future__ import annotations

import pytest

from deploytasks.tasks.report import is_named


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("inv report", False),
        ("inv report --env production", False),
        ("inv report 20261123-101500-ab12cd --env production", True),
        ("inv report --env production 1.2.3", True),
        ("inv report --json 1.2.3", True),
        ("inv report --env 2", False),
        ("inv report --deployment 1.2.3", False),
        ("inv deploy --env production --version 1.2.3 report", False),
        ("inv status 1.2.3", False),
        ("inv report status", False),
    ],
)
def test_a_deployment_without_the_options_name_is_seen(line: str, expected: bool) -> None:
    """A deployment and a version begin with a digit; the value of an option is none, and a task's name neither."""
    assert expected == is_named(line.split(), "report")
