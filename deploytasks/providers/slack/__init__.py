"""Slack: what became of a deployment, for people; by an incoming webhook or by a bot."""

from __future__ import annotations

from .recipient import Slack

__all__ = ["Slack"]
