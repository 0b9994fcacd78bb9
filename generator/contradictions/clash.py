"""What two facts that cannot both be so are told as, and when two hashes can be one."""

from __future__ import annotations

from typing import NamedTuple

from generator.contradictions.fact import Fact
from generator.model.digest import ends, fits, is_digest


class Clash(NamedTuple):
    """Two facts that cannot both be so; or one that cannot be so by itself."""

    code: str
    one: Fact
    other: Fact | None
    message: str

    @property
    def against(self) -> str:
        """What the other place says, and behind it that place; empty where there is none."""
        return f"{self.other.said} ({self.other.where})" if self.other is not None else ""


def near(one: str, other: str) -> bool:
    """Tell whether two different hashes were one before somebody's slip or hand.

    Whole ones share eight digits at one end, which is no chance. Of abbreviated ones, which show
    few, one end is the same and the other a digit or two off.
    """
    if fits(one, other):
        return False
    (head, tail), (other_head, other_tail) = ends(one), ends(other)
    if is_digest(one) and is_digest(other):
        return head[:8] == other_head[:8] or tail[-8:] == other_tail[-8:]
    heads = min(len(head), len(other_head), 8)
    tails = min(len(tail), len(other_tail), 8)
    if heads < 6:
        return False
    off_ahead = _off(head[:heads], other_head[:heads])
    off_behind = _off(tail[-tails:], other_tail[-tails:]) if tails else 0
    if off_ahead == 0:
        return heads == 8 and 0 < off_behind <= 2
    return off_behind == 0 and tails >= 5 and off_ahead <= 2


def off_by_one(one: str, other: str) -> bool:
    """Tell whether two words of digits differ in one place."""
    return len(one) == len(other) and _off(one, other) == 1


def _off(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


class Hashes:
    """Hashes by how they begin and end, to find those that others were before a slip."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[str, list[Fact]] = {}

    def meant(self, value: str) -> Fact | None:
        """Return a known hash that this one is near to."""
        among = (one for key in _keys(value) for one in self._known.get(key, ()))
        return next((one for one in among if near(value, one.value)), None)

    def add(self, fact: Fact) -> None:
        """Keep a hash, once, unless enough are kept that share both its ends."""
        for key in _keys(fact.value):
            among = self._known.setdefault(key, [])
            if len(among) < _MOST and all(one.value != fact.value for one in among):
                among.append(fact)


_MOST = 8
"""Hashes that share an end and are kept to be compared."""


def _keys(value: str) -> tuple[str, ...]:
    """Return how a hash begins and ends, each where enough digits are shown to tell anything."""
    head, tail = ends(value)
    return tuple(key for key in (f"{head[:8]}-", f"-{tail[-5:]}") if len(key) > 4)
