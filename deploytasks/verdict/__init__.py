"""Counts in, verdicts with reasons out. Pure arithmetic: no clock, no I/O, nothing to install.

``ladder`` reads latency counts, ``sequential`` is the test that may be looked at after every poll, ``dispersion``
learns how clustered errors are, ``judge`` words a verdict, ``evidence`` keeps all that one source of requests
(users, or our own probes) has told so far.
"""
