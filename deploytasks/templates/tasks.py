"""`inv --list` shows what can be done; tasks of your own may stand beside the imported ones."""

from deploytasks import namespace

__all__ = ["namespace"]
