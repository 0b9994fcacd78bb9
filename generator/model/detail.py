"""What is kept of a lane's contents for those who show it or compare it with another lane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from generator.model.digest import Digest


class Detail(NamedTuple):
    """The contents of a lane beyond its claims; nothing where nobody asked for them."""

    names: Mapping[str, tuple[str, ...]] = {}
    """Place of a JSON list in the lane to the names of its items."""
    counts: tuple[tuple[str, str], ...] = ()
    """Subject to the number that the lane states of it; several numbers where it contradicts
    itself."""
    blocker_map: object = None
    """The parsed blocker map of the evidence; None where there is none, or it is no strict JSON."""
    fingerprint: Digest = Digest("")
    """Of every byte and name that was read: what it is alike for is judged alike. Empty where it is
    not known."""


NO_DETAIL = Detail()
