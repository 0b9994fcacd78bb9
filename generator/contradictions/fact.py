"""One fact as one document states it."""

from __future__ import annotations

from typing import NamedTuple

PROBES, SURFACES, DRIFT = "bad-input probes", "forbidden surfaces", "drift classes"
BLOCKERS, CLOSED, NEWLY = "open blockers", "closed blockers", "newly closed blockers"
FILES, MIRRORED = "files of the packet", "mirrored files"
STEPS, ENTRIES, CONTROLS = "rehearsal steps", "rollback entries", "negative controls"

CEILING, FOLDED = "ceiling", "end of the fold"
"""Subjects that documents count or number, as a reader is told them."""
UNTOLD = "untold"
"""The state of a row whose words are none that lanebook knows."""
OUTCOME_WORDS = frozenset(
    (
        *("NOT", "NO", "UN", "READY", "APPLIED", "UNAPPLIED", "PASS", "PASSED", "FAIL", "FAILED"),
        *("BLOCKED", "PARTIAL", "PARTIALLY", "PROVEN", "UNPROVEN", "DONE", "COMPLETE", "CLEAN"),
        *("INCOMPLETE", "REJECTED", "APPROVED", "DIRTY", "RUN", "SKIPPED", "PENDING", "HELD"),
        *("OPEN", "CLOSED", "MUTATED", "ABORTED"),
    )
)
"""Words of a status that say what came out, and not of what."""


class Fact(NamedTuple):
    """What is stated of a subject, where, and in which words.

    Two facts of one kind and subject in one lane must have one value.
    """

    kind: str
    """``count``, ``share``, ``range``, ``flag``, ``word`` …: what the value is."""
    subject: str
    value: str
    where: str
    said: str
    """As a reader may be told it: ``13/13 forbidden surfaces``, ``12 listed``."""
    others: bool = False
    """Whether it is said of another lane."""
