"""What the rules over the chain see: a lane, what was known before it, and the lanes beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from generator.chain.said import Figure, Leg, PinnedHash, Range, Said, Stated
from generator.facts import Blocker
from generator.ledger import names

_NOT_WORD = re.compile(r"[^a-z0-9]+")
_OUTCOMES = frozenset(
    (
        *("READY", "NOT", "APPLIED", "PASS", "PASSED", "FAIL", "FAILED", "PROVEN", "BLOCKED"),
        *("COMPLETE", "COMPLETED", "DONE", "DESIGNED", "PARTIAL", "PARTIALLY", "HOLD", "OPEN"),
        *("CLOSED", "VERIFIED", "UNVERIFIED", "CONFIRMED", "EXECUTED", "STARTED", "RUN"),
    )
)
_LEAST = 3
"""Words that a status must have besides its outcome to mean one lane."""


class Neighbour(NamedTuple):
    """The lane right before another one."""

    id: str
    status: str
    status_where: str
    trees: tuple[Stated, ...]
    """Its tree hash as computed, or all that its documents state where its packet is not here."""
    computed: bool
    cited: str
    """Where the lane that follows cites one of them whole; empty where it does not."""


class Known(NamedTuple):
    """A blocker as lanes before state it."""

    row: Blocker
    lane: str
    legs: tuple[Leg, ...]
    legs_lane: str
    gone: bool = False
    """Whether a lane was found to leave it out; that is told once."""


class Offered(NamedTuple):
    """A decision packet, or one option of it."""

    lane: str
    where: str
    options: tuple[str, ...]


@dataclass(slots=True)
class Past:
    """What the lanes of one chain said so far; it grows as the lanes are walked along."""

    ends: dict[str, tuple[Range, str]] = field(default_factory=dict)
    """Prefix to the range that ends last, and its lane."""
    folded: tuple[Figure, str] | None = None
    blockers: dict[str, Known] = field(default_factory=dict)
    listed: str = ""
    """The lane that listed all of them last; empty where none did."""
    offers: dict[str, Offered] = field(default_factory=dict)
    packet: Offered | None = None
    """The newest decision packet."""

    def add(self, lane: str, said: Said) -> None:
        """Take what a lane says, once it has been judged."""
        for one in said.ranges:
            if one.prefix not in self.ends or self.ends[one.prefix][0].last < one.last:
                self.ends[one.prefix] = (one, lane)
        for figure in said.folded:
            if self.folded is None or self.folded[0].value < figure.value:
                self.folded = (figure, lane)
        self._add_blockers(lane, said)
        if said.options:
            self.packet = Offered(lane, said.options_where, said.options)
            for option in said.options:
                self.offers.setdefault(option, self.packet)

    def _add_blockers(self, lane: str, said: Said) -> None:
        rows = worst(said.blockers)
        for row_id, row in rows.items():
            before = self.blockers.get(row_id)
            legs, legs_lane = (before.legs, before.legs_lane) if before else ((), "")
            self.blockers[row_id] = Known(
                before.row if before and is_bare(row) and before.row.open == row.open else row,
                lane,
                legs,
                legs_lane,
            )
        for row_id, legs in said.legs.items():
            known = self.blockers.get(row_id)
            if known is not None and legs:
                self.blockers[row_id] = known._replace(
                    legs=_legs_now(known.legs, legs), legs_lane=lane
                )
        if said.whole:
            for row_id, known in self.blockers.items():
                if row_id not in rows and not known.gone:
                    self.blockers[row_id] = known._replace(gone=True)
            self.listed = lane


def worst(rows: Iterable[Blocker]) -> dict[str, Blocker]:
    """Return id to row; of two rows of one blocker the one that leaves it open."""
    found: dict[str, Blocker] = {}
    for row in rows:
        if row.id not in found or (row.open and not found[row.id].open):
            found[row.id] = row
    return found


def is_bare(row: Blocker) -> bool:
    """Tell whether a row only names a blocker, so that nothing about its progress is said."""
    return row.progress == "none" and not (row.actor or row.next_action or row.blocks or row.legs)


def _legs_now(before: tuple[Leg, ...], now: tuple[Leg, ...]) -> tuple[Leg, ...]:
    """Return the legs that stand: a list stands alone, a mention of some leaves the others."""
    fresh = {leg.name for leg in now} - {leg.name for leg in before}
    if fresh or any(leg.listed for leg in now):
        return now
    return (*now, *(leg for leg in before if leg.name not in {one.name for one in now}))


@dataclass(frozen=True, slots=True)
class Others:
    """All lanes of a root, to be asked by what is quoted of them."""

    status_of: Mapping[str, Stated] = field(default_factory=dict)
    """Lane to its stated status and where that stands."""
    lane_of: Mapping[str, str] = field(default_factory=dict)
    """Status to a lane that states it."""
    by_name: Mapping[str, str] = field(default_factory=dict)
    """The id of a lane as keys spell it, to the id."""
    by_stem: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    by_hole: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    by_word: Mapping[str, frozenset[str]] = field(default_factory=dict)
    trees_of: Mapping[str, tuple[Stated, ...]] = field(default_factory=dict)
    """Lane to its tree: computed, else as its documents state it."""
    lane_of_tree: Mapping[str, str] = field(default_factory=dict)
    pins: Mapping[str, tuple[str, PinnedHash]] = field(default_factory=dict)
    """Name of a file that is one everywhere, to the lane and the hash that is taken for its own."""

    @classmethod
    def of(cls, said: Mapping[str, Said], trees: Mapping[str, tuple[Stated, ...]]) -> Others:
        """Make the indices; ``said`` and ``trees`` are in the order of the lanes."""
        status_of: dict[str, Stated] = {}
        lane_of: dict[str, str] = {}
        stems: dict[tuple[str, ...], dict[str, None]] = {}
        holes: dict[tuple[str, ...], dict[str, None]] = {}
        by_word: dict[str, set[str]] = {}
        for lane, one in said.items():
            if not one.status:
                continue
            status_of[lane] = Stated(one.status, one.status_where)
            if one.status in lane_of:
                continue
            lane_of[one.status] = lane
            words = tuple(one.status.split("_"))[:40]
            stems.setdefault(stem(words), {})[one.status] = None
            for hole in _holes(words):
                holes.setdefault(hole, {})[one.status] = None
            for word in words:
                by_word.setdefault(word.lower(), set()).add(lane)
        return cls(
            status_of,
            lane_of,
            {as_key(lane): lane for lane in said},
            {key: tuple(value) for key, value in stems.items()},
            {key: tuple(value) for key, value in holes.items()},
            {key: frozenset(value) for key, value in by_word.items()},
            trees,
            {one.value: lane for lane, stated in trees.items() for one in stated},
            _one_files(said),
        )

    def named(self, key: str) -> str:
        """Return the lane whose id a key is, or has as one of its steps; empty where none is."""
        for step in (key, *key.split("/")):
            lane = self.by_name.get(as_key(step), "")
            if lane:
                return lane
        return ""

    def near(self, status: str) -> str:
        """Return a status of some lane of which this one is a variation; empty where none is."""
        words = tuple(status.split("_"))[:40]
        root = stem(words)
        if len(root) >= _LEAST:
            for one in self.by_stem.get(root, ()):
                return one
        for hole in _holes(words):
            for one in self.by_hole.get(hole, ()):
                other = one.split("_")
                at = hole.index("")
                if _alike(words[at], other[at]):
                    return one
        return ""

    def by_words(self, key: str) -> str:
        """Return the one lane whose status has all words of a key; empty where it is not one."""
        words = [word for word in _NOT_WORD.split(key.lower()) if word]
        if len(words) < 2:
            return ""
        found: frozenset[str] | None = None
        for word in words[:12]:
            having = self.by_word.get(word, frozenset())
            found = having if found is None else found & having
            if not found:
                return ""
        return next(iter(found)) if found is not None and len(found) == 1 else ""

    def pin(self, name: str) -> tuple[str, PinnedHash] | None:
        """Return the hash of a file that is one everywhere, by its name or words of its name."""
        if name in self.pins:
            return self.pins[name]
        if "." in name:
            return None
        fitting = [one for one in self.pins if names(name, one)]
        return self.pins[fitting[0]] if len(fitting) == 1 else None


def as_key(text: str) -> str:
    """Spell an id as keys of a machine report do."""
    return _NOT_WORD.sub("_", text.lower()).strip("_")


def stem(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of a status without those at its end that say how it went."""
    end = len(words)
    while end and words[end - 1] in _OUTCOMES:
        end -= 1
    return words[:end]


def _holes(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    if len(words) <= _LEAST:
        return []
    return [(*words[:at], "", *words[at + 1 :]) for at in range(len(words))]


def _alike(one: str, other: str) -> bool:
    """Tell whether two words can be one that was mistyped; numbers are never alike."""
    if one == other or one.isdecimal() or other.isdecimal():
        return False
    shared = min(len(one), len(other))
    same = sum(a == b for a, b in zip(one, other, strict=False))
    return shared > 3 and abs(len(one) - len(other)) < 3 and same >= shared - 2


def _one_files(said: Mapping[str, Said]) -> dict[str, tuple[str, PinnedHash]]:
    """Return, for each file that is one everywhere, its first whole hash, else its first hash."""
    wanted = {pin.name for one in said.values() for pin in one.pins if pin.one_file}
    found: dict[str, tuple[str, PinnedHash]] = {}
    for lane, one in said.items():
        for pin in one.pins:
            if pin.name not in wanted:
                continue
            first = found.get(pin.name)
            if first is None or (len(first[1].digest) < _WHOLE and len(pin.digest) == _WHOLE):
                found[pin.name] = (lane, pin)
    return found


_WHOLE = 64


@dataclass(frozen=True, slots=True)
class InChain:
    """What the rules over the chain see of one lane."""

    lane: str
    said: Said
    sound: bool = False
    """Whether its packet is here, and nothing about it is refuted."""
    before: Neighbour | None = None
    rivals: tuple[str, ...] = ()
    """Lanes further up that name the same lane as the one before them."""
    overlaps: tuple[tuple[Range, str, Range], ...] = ()
    """Own range, another lane, and its range that has objects of the own one."""
    past: Past = field(default_factory=Past)
    others: Others = field(default_factory=Others)
    held: tuple[PinnedHash, ...] = ()
    """Files of its packet that bear the name of a file that is one everywhere."""
    speaks: bool = True
    """Whether it has documents."""
