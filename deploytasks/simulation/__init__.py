"""A rollout without a world: the same fold, on made-up traffic or on readings that were recorded. Pure.

``dice`` and ``traffic`` make requests, ``scene`` says what happens, ``playing`` lets one deployment go through it,
``figures`` sums up many. ``recorded`` finds the rollouts in a ledger's events, ``replaying`` folds them again, under
their own rules or others.
"""

from __future__ import annotations
