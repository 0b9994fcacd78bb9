"""What two facts that cannot both be so are told as, and when two hashes can be one."""

from __future__ import annotations

from typing import NamedTuple

from generator.contradictions.fact import Fact


class Clash(NamedTuple):
    """Two facts that cannot both be so; or one that cannot be so by itself."""

    code: str
    one: Fact
    other: Fact | None
    message: str


def ends(text: str) -> tuple[str, str]:
    """Return the digits before and behind what an abbreviated hash leaves out."""
    for mark in ("…", "...", ".."):
        head, cut, tail = text.partition(mark)
        if cut:
            return head, tail
    return text, text


def fits(one: str, other: str) -> bool:
    """Tell whether two hashes, whole or abbreviated, can be the same."""
    a, b = ends(one), ends(other)
    head, tail = min(len(a[0]), len(b[0])), min(len(a[1]), len(b[1]))
    return a[0][:head] == b[0][:head] and (not tail or a[1][-tail:] == b[1][-tail:])


def near(one: str, other: str) -> bool:
    """Tell whether two different hashes were one before somebody's slip or hand.

    Whole ones share eight digits at one end, which is no chance. Of abbreviated ones, which show
    few, one end is the same and the other a digit or two off.
    """
    if fits(one, other):
        return False
    (head, tail), (other_head, other_tail) = ends(one), ends(other)
    if len(one) == len(other) == 64:
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


def _off(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))
