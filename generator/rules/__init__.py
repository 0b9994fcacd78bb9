"""The rules, one module each, in groups by what they look at; one in no group does not exist.

A group is a module, so that a run loads and proves only what its lanes need: ``over_packets``,
``over_documents``, ``over_roots``, ``over_chain`` and ``evidence``.
:mod:`generator.rules.catalogue` lists all.
"""
