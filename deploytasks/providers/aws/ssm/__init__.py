"""Hosts behind AWS Systems Manager: one command for many of them, each with its own answer.

``roll`` knows who is there, ``broker`` gathers what many hosts are to be told alike, ``flight`` sends it and waits,
``wrapping`` is the shell around it, ``told`` reads the answers, ``bucket`` brings files, ``host`` is one of the hosts.
"""
