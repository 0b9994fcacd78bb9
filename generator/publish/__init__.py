"""Publishing a built site: where to, what refuses it, and how it gets there in one step.

:mod:`run` decides, :mod:`folder`, :mod:`branch` and :mod:`remote` write, each to one sort of
target, and :mod:`check` holds any published copy against its manifest.
"""
