"""Secrets in text: private keys, tokens, passwords and home paths.

Two sources: the detectors of the library *detect-secrets* that know a token by its own form, and
rules of lanebook for what those leave out. What they find is told by line, rule and digest, never
by itself. Entropy decides nothing here: a site of lanebook is full of digests.

A command that wants to know whether some text holds a secret calls :func:`scan`; for bytes of any
kind, such as a column of a database, there is :func:`scan_bytes`.
"""

from __future__ import annotations

from generator.leaks.scan import RULES, Leak, scan, scan_bytes

__all__ = ["RULES", "Leak", "scan", "scan_bytes"]
