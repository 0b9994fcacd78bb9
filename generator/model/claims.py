"""Claims in numbers: counted by how they are known, and packed until somebody reads them."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import NamedTuple

from generator.model.finding import Claim
from generator.model.outcome import Agreement, Level

NO_PLACE = "the "
"""Begins what a fact of evidence was held against where that is no file: a rule, or the gate."""


class ClaimCounts(NamedTuple):
    """How many claims are known in which way; what differs counts as refuted only."""

    recomputed: int
    cross_checked: int
    claimed_only: int
    refuted: int

    def plus(self, other: ClaimCounts) -> ClaimCounts:
        """Return both counts together."""
        return ClaimCounts(*map(sum, zip(self, other, strict=True)))

    @property
    def total(self) -> int:
        """All claims."""
        return sum(self)


_KNOWN_AS: Callable[[Claim], tuple[Agreement, Level]] = attrgetter("agreement", "level")


def count_claims(claims: Iterable[Claim]) -> ClaimCounts:
    """Count claims by level; one that differs is refuted, however it was looked at."""
    pairs = Counter(map(_KNOWN_AS, claims))
    if not pairs:
        return ClaimCounts(0, 0, 0, 0)  # as for most of a thousand bare packets
    known = Counter[str]()
    for (agreement, level), count in pairs.items():
        known["refuted" if agreement is Agreement.DIFFERS else level] += count
    return ClaimCounts(
        known[Level.RECOMPUTED],
        known[Level.CROSS_CHECKED],
        known[Level.CLAIMED_ONLY],
        known["refuted"],
    )


class PackedClaims(NamedTuple):
    """The hundreds of facts of a packet's evidence, which most runs only count.

    They come from a worker as bytes and stay bytes, so that a thousand lanes cost no more than they
    say.
    """

    counts: ClaimCounts
    data: bytes | None
    """None where they were counted and not kept."""

    @classmethod
    def of(cls, claims: Iterable[Claim]) -> PackedClaims:
        """Pack claims."""
        held = list(claims)
        # by columns, which takes a fifth of the time that it takes by claims
        columns = list(zip(*held, strict=True))
        return cls(count_claims(held), pickle.dumps(columns, protocol=pickle.HIGHEST_PROTOCOL))

    def claims(self) -> list[Claim]:
        """Return the claims, unpacked each time."""
        if self.data is None:
            raise ValueError("these claims were counted and not kept")
        columns = pickle.loads(self.data)  # noqa: S301 - made by `of`, in this run
        return [Claim(*row) for row in zip(*columns, strict=True)]


NO_CLAIMS = PackedClaims.of(())
"""What a packet without evidence of a known kind says."""
