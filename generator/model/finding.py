"""What a rule says when something is wrong, and what a document says at all."""

from __future__ import annotations

from typing import NamedTuple

from generator.model.outcome import Agreement, Level


class Finding(NamedTuple):
    """A rule looked and something is wrong (spec 1).

    ``where`` is a file of the lane with ``:line`` or ``#/json/pointer``. A finding whose
    ``severity`` is ``note`` tells the reader something and refutes nothing.
    """

    code: str
    where: str
    stated: str
    computed: str
    message: str
    severity: str = "refuted"

    @property
    def refutes(self) -> bool:
        """Whether something stated was shown to be wrong."""
        return self.severity == "refuted"


class Claim(NamedTuple):
    """One row of the claim ledger (spec 3): stated, recomputed, agreement, and how it is known."""

    id: str
    stated: str
    recomputed: str | None
    agreement: Agreement
    level: Level
    where: str
    against: str = ""
    """Where the other side of the comparison stands; empty if there is none."""


class RuleError(NamedTuple):
    """A rule that crashed: neither a pass nor a finding, and not the end of the others."""

    rule: str
    message: str
