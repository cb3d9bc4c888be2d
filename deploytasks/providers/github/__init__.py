"""GitHub: reviews, checks, teams; and a client that keeps to its rules."""

from .reviews import GitHub

__all__ = ["GitHub"]
