"""Exit codes, everywhere (spec 5)."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What a command says by its exit code."""

    VERIFIED = 0
    REFUTED = 1
    USAGE = 2
    NO_VERDICT = 3
