"""Adopting the tasks: what stands in a repository, and the files that it needs.

``detecting`` looks and changes nothing; ``filling`` makes a configuration of what was found, from a template;
``asking`` lets a person correct it; ``writing`` writes, and never overwrites; ``command`` is ``deploytasks init``.
"""
