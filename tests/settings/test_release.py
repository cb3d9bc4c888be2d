"""``deploy.release``: what a release may and may not be told."""

from __future__ import annotations

from typing import Any

import pytest

from deploytasks.errors import SettingsError
from deploytasks.settings import load
from deploytasks.settings.release import Release


def loaded(**given: Any) -> Release:
    """The group, as it stands below ``deploy:``."""
    config = {"application": "library", "environments": {"test": {}}, "release": given}
    found = load(config, "test", ("release",)).sections["release"]
    assert isinstance(found, Release)
    return found


def test_the_defaults() -> None:
    """Nothing needs to be said."""
    assert loaded() == Release()
    assert (loaded().changelog, loaded().remote, loaded().sign) == ("CHANGELOG.md", "origin", None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"changelog": "/etc/passwd"}, "a path inside of the project"),
        ({"changelog": "../CHANGELOG.md"}, "a path inside of the project"),
        ({"version_files": [{"file": "a/../../b", "pattern": "{version}"}]}, "a path inside of the project"),
        ({"version_files": [{"file": "a", "pattern": "version"}]}, "with {version} in it, once"),
        ({"version_files": [{"file": "a", "pattern": "{version} {version}"}]}, "with {version} in it, once"),
        ({"hotfix_branch": "hotfix"}, "a branch name with {version}"),
        ({"date": "tomorrow"}, "deploy.release.date"),
        ({"environment": "a b"}, "deploy.release.environment"),
        ({"page": {"url": "http://github.example"}}, "https is needed"),
        ({"page": {"token_from": "ghp_0123456789-"}}, "the name of an environment variable"),
        ({"page": {"repository": "octo"}}, "deploy.release.page.repository"),
        ({"chnagelog": "x"}, "did you mean"),
    ],
)
def test_mistakes_are_named_with_their_path(given: dict[str, Any], said: str) -> None:
    """Before anything is changed; and no token that was written by mistake is repeated."""
    with pytest.raises(SettingsError) as found:
        loaded(**given)
    assert said in str(found.value)
    assert "deploy.release" in str(found.value)
    assert "ghp_0123456789" not in str(found.value)
