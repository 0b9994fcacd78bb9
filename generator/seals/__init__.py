"""The seal-vs-bytes gate: files are the bytes that were approved, or nothing passes (issue 5).

A seal file is what ``sha256sum`` prints, its paths relative to its own folder. ``listing`` reads
its lines, ``gate`` decides, ``proof`` proves that it bites, ``making`` writes seals.
"""
