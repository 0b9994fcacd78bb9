"""What lanes tell of each other, and of things that outlive a lane: ranges, revisions, hashes."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence

from generator.contradictions.clash import Clash, Hashes
from generator.contradictions.fact import OUTCOME_WORDS, Fact

KINDS = frozenset(
    ("range", "revision", "hash", "dated name", "own name", "date", "quoted", "status")
)
"""The kinds of facts that other lanes may tell of as well."""


def kept(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """Return what of a lane's facts other lanes are held against, each value once."""
    seen: set[tuple[str, str, str]] = set()
    found = []
    for fact in facts:
        if fact.kind == "token" and fact.others and fact.value.count("_") >= 4:
            fact = fact._replace(kind="quoted")
        key = (fact.kind, fact.subject, fact.value)
        if fact.kind in KINDS and key not in seen:
            seen.add(key)
            found.append(fact)
    return tuple(found)


def between(lanes: Sequence[tuple[str, Sequence[Fact]]]) -> Mapping[str, tuple[Clash, ...]]:
    """Return for each lane what in it contradicts an earlier lane, or another lane's name.

    Args:
        lanes: id and facts of each lane, oldest first.
    """
    found: dict[str, list[Clash]] = {}
    ranges, revisions, hashes, quotes = _Ranges(), _Revisions(), _Hashes(), _Quotes(lanes)
    names = _Names(lanes)
    for lane_id, facts in lanes:
        clashes = found.setdefault(lane_id, [])
        for check in (ranges, revisions, hashes, quotes, names):
            clashes.extend(check.against(lane_id, facts))
    return {lane_id: tuple(clashes) for lane_id, clashes in found.items() if clashes}


def _placed(lane_id: str, fact: Fact) -> Fact:
    """Return a fact whose place names its lane."""
    return fact._replace(where=f"{lane_id}/{fact.where}")


class _Ranges:
    """Ranges that lanes quote of each other; those that they reserve are held in the chain."""

    def __init__(self) -> None:
        self.known: list[tuple[int, int]] = []
        self.told: dict[tuple[int, int], Fact] = {}

    def against(self, lane_id: str, facts: Sequence[Fact]) -> Iterator[Clash]:
        fresh = []
        for fact in facts:
            if fact.kind != "range":
                continue
            first, last = map(int, fact.value.split(".."))
            if last < first:
                continue
            if (first, last) not in self.told:
                yield from self._overlapping(first, last, fact)
                fresh.append(((first, last), _placed(lane_id, fact)))
        for key, fact in fresh:
            if key not in self.told:
                self.told[key] = fact
                insort(self.known, key)

    def _overlapping(self, first: int, last: int, fact: Fact) -> Iterator[Clash]:
        at = bisect_left(self.known, (first, last))
        for one in self.known[max(0, at - 2) : at + 2]:
            inside = (one[0] < first and last < one[1]) or (first < one[0] and one[1] < last)
            if one[1] < first or last < one[0] or inside:
                continue
            other = self.told[one]
            # of two that are reserved the chain tells
            if fact.subject and other.subject:
                continue
            yield Clash(
                "CON-BETWEEN", fact, other, "It overlaps a range that an earlier lane tells of."
            )
            return


class _Revisions:
    """Revisions go up; a lane that tells of a lower one than an earlier lane contradicts it."""

    def __init__(self) -> None:
        self.highest: dict[str, Fact] = {}

    def against(self, lane_id: str, facts: Sequence[Fact]) -> Iterator[Clash]:
        told = [fact for fact in facts if fact.kind == "revision"]
        for fact in told:
            before = self.highest.get(fact.subject)
            if before is not None and int(fact.value) < int(before.value):
                yield Clash(
                    "CON-BETWEEN", fact, before, "An earlier lane tells of a higher revision."
                )
        for fact in told:
            before = self.highest.get(fact.subject)
            if before is None or int(fact.value) > int(before.value):
                self.highest[fact.subject] = _placed(lane_id, fact)


class _Hashes:
    """Two hashes that begin or end alike and are not the same were one hash once."""

    def __init__(self) -> None:
        self.known = Hashes()

    def against(self, lane_id: str, facts: Sequence[Fact]) -> Iterator[Clash]:
        told = [fact for fact in facts if fact.kind == "hash"]
        for fact in told:
            other = self.known.meant(fact.value)
            if other is not None:
                yield Clash(
                    "CON-BETWEEN",
                    fact,
                    other,
                    "It begins or ends like a hash in an earlier lane, and is another.",
                )
        for fact in told:
            self.known.add(_placed(lane_id, fact))


class _Quotes:
    """A status is final: two lanes that quote it of a third one quote the same."""

    def __init__(self, lanes: Sequence[tuple[str, Sequence[Fact]]]) -> None:
        self.known: dict[tuple[str, ...], Fact] = {}
        self.stated = {fact.value for _, facts in lanes for fact in facts if fact.kind == "status"}

    def against(self, lane_id: str, facts: Sequence[Fact]) -> Iterator[Clash]:
        told = [fact for fact in facts if fact.kind == "quoted"]
        for fact in told:
            before = self.known.get(_subject(fact.value))
            # a lane may do again what another began; each is then quoted with its own outcome
            if fact.value in self.stated:
                continue
            if before is not None and before.value != fact.value:
                yield Clash(
                    "CON-BETWEEN", fact, before, "An earlier lane quotes it with another outcome."
                )
        for fact in told:
            self.known.setdefault(_subject(fact.value), _placed(lane_id, fact))


def _subject(token: str) -> tuple[str, ...]:
    """Return what a status is of: its words without those that say what came out."""
    return tuple(word for word in token.split("_") if word not in OUTCOME_WORDS)


class _Names:
    """Dated names of documents and packets of other lanes bear the dates of those lanes."""

    def __init__(self, lanes: Sequence[tuple[str, Sequence[Fact]]]) -> None:
        self.dates: dict[str, tuple[str, Fact]] = {}
        self.prefixes: dict[str, tuple[str, Fact]] = {}
        for lane_id, facts in lanes:
            dated = next((fact for fact in facts if fact.kind == "date"), None)
            if dated is None:
                continue
            placed = _placed(lane_id, dated)
            for fact in facts:
                if fact.kind != "own name" or fact.subject.count("-") < 4:
                    continue
                if fact.subject.endswith("-"):
                    self.prefixes.setdefault(fact.subject, (lane_id, placed))
                else:
                    self.dates.setdefault(fact.subject, (lane_id, placed))

    def against(self, lane_id: str, facts: Sequence[Fact]) -> Iterator[Clash]:
        for fact in facts:
            if fact.kind != "dated name":
                continue
            known = self.dates.get(fact.subject) or self._by_prefix(fact.subject)
            if known is None or known[0] == lane_id or known[1].value == fact.value:
                continue
            yield Clash("CON-BETWEEN", fact, known[1], "The lane that is named has another date.")

    def _by_prefix(self, name: str) -> tuple[str, Fact] | None:
        at = len(name)
        while (at := name.rfind("-", 0, at)) > 0:
            known = self.prefixes.get(name[: at + 1])
            if known is not None:
                return known
        return None
