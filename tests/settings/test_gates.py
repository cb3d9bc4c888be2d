"""What an environment demands can be met."""

from __future__ import annotations

from typing import Any

import pytest

from deploytasks.errors import SettingsError
from deploytasks.settings import Settings, load


def loaded(**gates: Any) -> Settings:
    """An environment with these gates."""
    return load({"application": "library", "environments": {"production": {"gates": gates}}}, "production", ("gates",))


def test_more_approvals_than_approvers() -> None:
    """Nothing could ever be deployed. One of them is an author now and then: that is for people to see."""
    with pytest.raises(SettingsError, match=r"gates\.approvers: 1 cannot give the 2 approvals of `plan_approvals`"):
        loaded(plan_approvals=2, approvers=["ann@example.org", "ann@example.org"])
    assert 2 == loaded(plan_approvals=2, approvers=["ann@example.org", "ben@example.org"]).gates.plan_approvals
    assert 2 == loaded(plan_approvals=2).gates.plan_approvals
