"""What the tests of AWS's services share."""

from __future__ import annotations

import pytest
from lab.aws.standing import logged_in


@pytest.fixture(autouse=True)
def _logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    logged_in(monkeypatch)
