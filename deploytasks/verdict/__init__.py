"""Counts in, verdicts with reasons out. Pure arithmetic: no clock, no I/O, nothing to install.

``ladder`` reads latency counts, ``sequential`` is the test that may be looked at after every poll, ``dispersion``
learns how clustered errors are, ``judge`` words a verdict, ``evidence`` keeps all that one source of requests
(users, or our own probes) has told so far. ``rules``, ``course``, ``guards``, ``outlook`` and ``readings`` are the
parts of the rollout's fold, which is ``deploytasks.rollout``.
"""

from __future__ import annotations

from .judge import Limits, Verdict, judge_once
from .ladder import LADDER, difference

__all__ = ["LADDER", "Limits", "Verdict", "difference", "judge_once"]
