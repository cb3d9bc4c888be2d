"""Hosts: places where commands run. What installs a release on them is the same code near and far."""
