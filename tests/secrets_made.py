"""Secrets as the services that we talk to make them, and the forms in which they come back; the same each time."""

from __future__ import annotations

import base64
import html
import json
import random
import re
import shlex
import string
import textwrap
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import quote, quote_plus

_LETTERS = string.ascii_letters + string.digits
_CAPITALS = string.ascii_uppercase + string.digits
_HEX = "0123456789abcdef"
_MARKS = "!#$%&()*+,-./:;<=>?@[]^_{|}~"


class Made(NamedTuple):
    """A secret: the variable that has it, and whether it is known by its shape alone."""

    variable: str
    value: str
    has_shape: bool = True


def _some(of: random.Random, letters: str, many: int) -> str:
    return "".join(of.choices(letters, k=many))


def _org_token(of: random.Random) -> str:
    about = json.dumps({"iat": of.random(), "url": "https://sentry.io", "org": _some(of, string.ascii_lowercase, 8)})
    return f"sntrys_{base64.b64encode(about.encode()).decode().rstrip('=')}_{_some(of, _LETTERS + '+/', 43)}"


def _key_file(of: random.Random) -> str:
    lines = [_some(of, _LETTERS + "+/", 64) for _ in range(6)]
    return "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *lines, "-----END RSA PRIVATE KEY-----"])


KINDS: Mapping[str, tuple[Callable[[random.Random], str], bool]] = {
    "SLACK_WEBHOOK_URL": (
        lambda of: (
            "https://hooks.slack.com/services/"
            f"T{_some(of, _CAPITALS, 9)}/B{_some(of, _CAPITALS, 10)}/{_some(of, _LETTERS, 24)}"
        ),
        True,
    ),
    "SLACK_BOT_TOKEN": (
        lambda of: f"xoxb-{_some(of, string.digits, 12)}-{_some(of, string.digits, 13)}-{_some(of, _LETTERS, 24)}",
        True,
    ),
    "SLACK_APP_TOKEN": (
        lambda of: f"xapp-1-A{_some(of, _CAPITALS, 10)}-{_some(of, string.digits, 13)}-{_some(of, _HEX, 64)}",
        True,
    ),
    "SENTRY_API_TOKEN": (_org_token, True),
    "SENTRY_USER_TOKEN": (lambda of: f"sntryu_{_some(of, _HEX, 64)}", True),
    "SENTRY_DSN": (
        lambda of: (
            f"https://{_some(of, _HEX, 32)}@o{_some(of, string.digits, 6)}.ingest.sentry.io/"
            f"{_some(of, string.digits, 7)}"
        ),
        True,
    ),
    "NEW_RELIC_API_KEY": (lambda of: f"NRAK-{_some(of, _CAPITALS, 27)}", True),
    "NEW_RELIC_BROWSER_API_KEY": (lambda of: f"NRJS-{_some(of, _HEX, 19)}", True),
    "NEW_RELIC_LICENSE_KEY": (lambda of: f"{_some(of, _HEX, 36)}NRAL", True),
    "PAGERDUTY_ROUTING_KEY": (lambda of: _some(of, _HEX, 32), False),
    "PAGERDUTY_API_TOKEN": (lambda of: f"u+{_some(of, _LETTERS + '-_', 18)}", False),
    "GITHUB_TOKEN": (lambda of: f"{of.choice(('ghp', 'gho', 'ghs', 'ghu', 'ghr'))}_{_some(of, _LETTERS, 36)}", True),
    "GITHUB_FINE_TOKEN": (lambda of: f"github_pat_{_some(of, _LETTERS, 22)}_{_some(of, _LETTERS, 59)}", True),
    "AWS_ACCESS_KEY_ID": (lambda of: f"{of.choice(('AKIA', 'ASIA'))}{_some(of, _CAPITALS, 16)}", True),
    "AWS_SECRET_ACCESS_KEY": (lambda of: _some(of, _LETTERS + "+/", 40), False),
    "DEPLOY_PRIVATE_KEY": (_key_file, True),
    "DATABASE_PASSWORD": (lambda of: _some(of, _LETTERS + _MARKS, 20), False),
    "RESTORE_PASSPHRASE": (lambda of: " ".join(_some(of, _LETTERS, 6) for _ in range(4)), False),
    "DATABASE_URL": (lambda of: f"postgresql://ann:{_some(of, _LETTERS, 20)}@db.example:5432/library", True),
}
"""Variable → how its value is made, and whether it can be told by its shape."""


def _lower(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), quote(text, safe=""))


FORMS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "in a URL": lambda secret: quote(secret, safe=""),
    "in a URL's path": quote,
    "in a form": quote_plus,
    "in a URL, small": _lower,
    "in a URL in a URL": lambda secret: quote(quote(secret, safe=""), safe=""),
    "Base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "Base64 of user:it": lambda secret: base64.b64encode(f"ann:{secret}".encode()).decode(),
    "Base64 of token:it": lambda secret: base64.b64encode(f"token:{secret}@".encode()).decode(),
    "Base64 in lines": lambda secret: base64.encodebytes(f"x-access-token:{secret}".encode()).decode(),
    "Base64 for URLs": lambda secret: base64.urlsafe_b64encode(f"u:{secret}".encode()).decode().rstrip("="),
    "JSON": json.dumps,
    "JSON in JSON": lambda secret: json.dumps(json.dumps({"token": secret})),
    "Python": repr,
    "HTML": html.escape,
    "hex": lambda secret: secret.encode().hex(),
    "HEX": lambda secret: secret.encode().hex().upper(),
    "shell": shlex.quote,
    "wrapped": lambda secret: "\n    ".join(textwrap.wrap(f"it is {secret}", 30)),
    "in a header": lambda secret: f"Authorization: Bearer {secret}",
}
"""What becomes of a secret on its way."""
WITH_SHAPE = ("as it is", "in a URL", "JSON")
"""Forms in which a shape is known without the value."""


def made(many: int, seed: int = 6) -> list[Made]:
    """So many, of all kinds in turn."""
    of = random.Random(seed)
    kinds = list(KINDS.items())
    return [
        Made(variable, make(of), has_shape)
        for variable, (make, has_shape) in (kinds[at % len(kinds)] for at in range(many))
    ]
