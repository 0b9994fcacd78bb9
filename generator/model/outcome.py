"""The small vocabulary of results (spec 3)."""

from __future__ import annotations

import re
from enum import StrEnum


class Outcome(StrEnum):
    """What came out, on one small lattice."""

    PASS = "pass"  # noqa: S105 - an outcome, no password
    FAIL = "fail"
    NOT_RUN = "not run"
    NOT_APPLICABLE = "not applicable"
    UNKNOWN = "unknown"


class Level(StrEnum):
    """How a claim is known."""

    RECOMPUTED = "recomputed"
    CROSS_CHECKED = "cross-checked"
    CLAIMED_ONLY = "claimed only"


class Agreement(StrEnum):
    """What the comparison of a claim said."""

    AGREES = "agrees"
    DIFFERS = "differs"
    AMBIGUOUS = "ambiguous"
    NOT_COMPARED = "not compared"


class Integrity(StrEnum):
    """How far the evidence packet of a lane carries (spec 2.1)."""

    PINNED = "pinned"
    CITED = "cited"
    CONSISTENT = "consistent"
    CLAIMS_ONLY = "claims only"
    UNSEALED = "unsealed"
    REFUTED = "refuted"
    REFUSED = "refused"

    @property
    def green(self) -> bool:
        """Whether every byte that is listed was found as listed."""
        return self in (Integrity.PINNED, Integrity.CITED, Integrity.CONSISTENT)


_NOT_RUN = re.compile(r"(?:^|_)(?:NOT_APPLIED|NOT_RUN|NOT_PERFORMED|SKIPPED)(?:_|$)")
_NOT_APPLICABLE = re.compile(r"(?:^N/A(?:_|$)|(?:^|_)NOT_APPLICABLE(?:_|$))")


def read_outcome(token: str) -> Outcome:
    """Place a stated token on the lattice, never higher than it says.

    ``PASS_VALIDATOR_READY_REHEARSAL_NOT_APPLIED`` begins with PASS and is not a pass. Only a token
    that says nothing but PASS is one; a longer word that lanebook does not know stays unknown.
    """
    word = token.strip().upper()
    if _NOT_APPLICABLE.search(word):
        return Outcome.NOT_APPLICABLE
    if _NOT_RUN.search(word):
        return Outcome.NOT_RUN
    if word in ("PASS", "PASSED"):
        return Outcome.PASS
    if word in ("FAIL", "FAILED") or re.search(r"(?:^|_)FAIL(?:ED)?$", word):
        return Outcome.FAIL
    return Outcome.UNKNOWN
