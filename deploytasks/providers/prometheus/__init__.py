"""Prometheus: what users experienced, and how database and hosts are, through its HTTP API."""

from __future__ import annotations

from .metrics import Metrics

__all__ = ["Metrics"]
