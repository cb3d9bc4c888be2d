"""Which repository a remote is."""

from __future__ import annotations

import pytest

from deploytasks.providers.github.remote import repository_of, web_host


@pytest.mark.parametrize(
    ("remote", "host", "expected"),
    [
        ("git@github.com:octo/library.git", "github.com", "octo/library"),
        ("git@github.com:octo/library", "github.com", "octo/library"),
        ("github.com:octo/library.git", "github.com", "octo/library"),
        ("ssh://git@github.com/octo/library.git", "github.com", "octo/library"),
        ("ssh://git@ssh.github.com:443/octo/library.git", "github.com", "octo/library"),
        ("https://github.com/octo/library.git", "github.com", "octo/library"),
        ("https://github.com/octo/library/", "github.com", "octo/library"),
        ("https://x-access-token:s3cr3t@github.com/octo/lib.rary.git", "github.com", "octo/lib.rary"),
        ("git+ssh://git@GitHub.com/octo/library.git", "github.com", "octo/library"),
        ("git://github.com/octo/library.git", "github.com", "octo/library"),
        ("git@github.example:octo/library.git", "github.example", "octo/library"),
        ("git@octo.ghe.com:octo/library.git", "octo.ghe.com", "octo/library"),
        ("git@github.example:octo/library.git", "github.com", None),
        ("git@gitlab.com:octo/library.git", "github.com", None),
        ("https://github.com.evil.example/octo/library", "github.com", None),
        ("https://evil.example/github.com/octo/library", "github.com", None),
        ("https://evil.example/github.com:octo/library", "github.com", None),
        ("https://github.com@evil.example/octo/library", "github.com", None),
        ("https://github.com/octo", "github.com", None),
        ("/srv/git/github.com/octo/library.git", "github.com", None),
        ("../library.git", "github.com", None),
        ("", "github.com", None),
    ],
)
def test_repository_of(remote: str, host: str, expected: str | None) -> None:
    """Owner and name, if it is there; a place that only looks like it is another one."""
    assert expected == repository_of(remote, host)


@pytest.mark.parametrize(
    ("api", "expected"),
    [
        ("https://api.github.com", "github.com"),
        ("https://github.example/api/v3", "github.example"),
        ("https://api.octo.ghe.com", "octo.ghe.com"),
        ("http://127.0.0.1:8080", "127.0.0.1"),
    ],
)
def test_web_host(api: str, expected: str) -> None:
    """Where the repositories of an API are."""
    assert expected == web_host(api)
