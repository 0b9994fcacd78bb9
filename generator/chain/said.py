"""What one lane says that the lanes around it can be held against, read from its documents alone.

Statements only: nothing here is compared, and nothing makes it true. It is small, so that it comes
home from a worker process; the documents themselves are read once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from generator.facts import Blocker, LaneFacts, lane_facts
from generator.model.digest import is_digest, is_weak
from generator.model.document import RESERVED, STATUS, Document, DocumentKind, Statement
from generator.model.lane import Lane
from generator.names import visible
from generator.reading import passages

_RANGE = re.compile(
    r"(?<![A-Z0-9-])(?P<prefix>[A-Z]{1,20}(?:-[A-Z]{1,20}){0,5})-(?P<first>\d{1,9})"
    r"\s{0,3}\.\.\s{0,3}(?:[A-Z-]{1,60}-)?(?P<last>\d{1,9})(?!\d)"
)
_TOKEN = re.compile(r"(?<![A-Z0-9_])[A-Z][A-Z0-9]{0,60}(?:_[A-Z0-9]{1,60}){1,30}(?![A-Z0-9_])")
_TELLING = re.compile(r"[A-Z][A-Z0-9]{0,60}(?:_[A-Z0-9]{1,60}){2,30}")
_ABBREVIATED = re.compile(r"(?:\.{3}|…)_?[A-Z][A-Z0-9]{0,60}(?:_[A-Z0-9]{1,60}){0,30}")
_FOLD_KEY = re.compile(
    r"(?:fold_\d{1,9}_(?P<last>\d{1,9})|fold_through_(?P<through>\d{1,9})_applied"
    r"|canonical_fold_\d{1,9}_(?P<canonical>\d{1,9})|(?P<most>canonical_body_max|body_max))\Z"
)
_APPLIED = re.compile(r"(?:.*_)?APPLIED\Z|true\Z", re.IGNORECASE)
_YES = re.compile(r"\W{0,3}(?:yes|true|applied|now)\b", re.IGNORECASE)
_APPLY_KEY = re.compile(r"(?:governance/)?(?:apply[_ ]now|canonical[_ ]fold)\Z", re.IGNORECASE)
_OF_BEFORE = re.compile(r"(?:^|[/_ -])(?:previous|prior|predecessor)(?:[/_ -]|$)", re.IGNORECASE)
_TREE = re.compile(r"(?:^|[^a-z])tree(?:[^a-z]|$)", re.IGNORECASE)
_OWN_TREE = re.compile(
    r"(?:(?:evidence_packet|evidence|packet)/|evidence |packet |evidence packet )?"
    r"(?:packet_|evidence_)?tree(?:_hash|_sha256|\.sha256| hash| sha256)?"
    r"(?: \(packet_tree\.sha256\))?\Z",
    re.IGNORECASE,
)
_ONE_FILE = re.compile(r"pinned|canonical|byte[- ]exact|validator", re.IGNORECASE)
_OWN = re.compile(r"\.(?:sha256|jsonl?|md|txt|log|tsv|csv|sql)\Z|\A(?:commands|RERUN)\.sh\Z", re.I)
"""Files of which every lane has its own."""
_FILE = re.compile(r"[\w./-]{0,200}\.[A-Za-z][A-Za-z0-9]{0,7}\Z")
_REASONS = ("reason", "why", "because", "note", "evidence", "change", "changed_by", "closed_by")
_LONGEST = 4000
_DIGITS = 7
_MOST = 1000
"""Statements of one sort of one lane; what is beyond is left out."""

_Value = TypeVar("_Value")


class Range(NamedTuple):
    """A range of numbered objects that a lane reserves."""

    prefix: str
    first: int
    last: int
    where: str

    def __str__(self) -> str:
        """Spell it as documents do."""
        return f"{self.prefix}-{self.first}..{self.last}"


class Stated(NamedTuple):
    """A value and where it stands; ``key`` is what it stands under."""

    value: str
    where: str
    key: str = ""


class Figure(NamedTuple):
    """A number and where it stands."""

    value: int
    where: str


class Leg(NamedTuple):
    """A leg of a blocker; ``listed`` where a machine report lists the legs of the blocker."""

    name: str
    state: str
    where: str
    listed: bool = False


class PinnedHash(NamedTuple):
    """A hash, whole or abbreviated, that a lane states of a file that it names."""

    name: str
    """The name of the file without folders, or the words of a key that speaks of a validator."""
    digest: str
    where: str
    one_file: bool
    """Whether it is called pinned, canonical, byte-exact or a validator."""


class Said(NamedTuple):
    """What one lane says to the others; places are relative to the lane."""

    status: str = ""
    status_where: str = ""
    ranges: tuple[Range, ...] = ()
    ceilings: tuple[Figure, ...] = ()
    folded: tuple[Figure, ...] = ()
    applied: tuple[Stated, ...] = ()
    """What says that the range is applied or folded."""
    blockers: tuple[Blocker, ...] = ()
    whole: bool = False
    """Whether the blockers are a whole list, and not some that the lane speaks of."""
    open_count: int | None = None
    open_where: str = ""
    legs: Mapping[str, tuple[Leg, ...]] = {}
    reasoned: frozenset[str] = frozenset()
    """Blockers of which something else is said than their row."""
    options: tuple[str, ...] = ()
    options_where: str = ""
    delegation: Stated | None = None
    outside: str = ""
    """What records that the delegation was given outside a decision packet."""
    statuses: tuple[Stated, ...] = ()
    """Statuses that its preflight quotes, whole or abbreviated to their end."""
    trees_before: tuple[Stated, ...] = ()
    """Tree hashes that it gives as those of the lane before."""
    trees: tuple[Stated, ...] = ()
    """Tree hashes that it gives as those of lanes that its keys name."""
    own_trees: tuple[Stated, ...] = ()
    pins: tuple[PinnedHash, ...] = ()


def said_of(lane: Lane) -> Said:
    """Return what a lane says to the others."""
    facts = lane_facts(lane.documents)
    whole, count = _counted(lane, facts)
    ranges = _distinct(_ranges(lane, facts))
    packet = facts.decision
    status = _status(lane)
    return Said(
        status=lane.stated_status,
        status_where=status,
        ranges=ranges,
        ceilings=_distinct(_ceilings(lane, facts)),
        folded=_distinct(_folded(lane)),
        applied=_distinct(_applied(lane)) if ranges else (),
        blockers=facts.blockers[:_MOST],
        whole=whole,
        open_count=count.value if count is not None else None,
        open_where=count.where if count is not None else "",
        legs=_legs(lane, facts),
        reasoned=_reasoned(lane, facts),
        options=packet.options[:_MOST] if packet is not None else (),
        options_where=packet.where if packet is not None else "",
        delegation=_delegation(lane),
        outside=_outside(lane),
        statuses=_distinct(_statuses(lane)),
        trees_before=_distinct(_trees(lane, before=True)),
        trees=_distinct(_trees(lane, before=False)),
        own_trees=_distinct(_own_trees(lane)),
        pins=_distinct(_pins(lane)),
    )


def _distinct(found: Iterable[_Value]) -> tuple[_Value, ...]:
    kept = dict.fromkeys(found)
    return tuple(kept)[:_MOST]


def _machine(lane: Lane) -> Iterator[Document]:
    return (one for one in lane.documents if one.kind is DocumentKind.MACHINE_REPORT)


def _texts(lane: Lane) -> Iterator[Document]:
    return (one for one in lane.documents if one.kind is not DocumentKind.MACHINE_REPORT)


def _passages(lane: Lane, kind: str) -> Iterator[Statement]:
    for document in lane.documents:
        for passage in document.said:
            if passage.key == kind:
                yield passage


def _line(where: str) -> int:
    number = where.rpartition(":")[2]
    return int(number) if number.isdecimal() and len(number) < 10 else 0


def _in_preflight(document: Document, statement: Statement) -> bool:
    if document.kind is DocumentKind.MACHINE_REPORT:
        return statement.key.startswith("preflight/")
    return passages.in_preflight(document.sections, _line(statement.where))


def _status(lane: Lane) -> str:
    for document in (*_machine(lane), *_texts(lane)):
        if document.status is not None and document.status.value == lane.stated_status:
            return document.status.where
    return ""


# Ranges and ceilings


def _ranges(lane: Lane, facts: LaneFacts) -> Iterator[Range]:
    """Yield the range of the machine report; without one, the first that each text reserves."""
    stated = facts.reservation
    if stated is not None:
        match = _RANGE.search(stated.objects[:_LONGEST])
        if match:
            yield Range(match["prefix"], int(match["first"]), int(match["last"]), stated.where)
    machine = stated is not None and "#/" in stated.where
    seen: set[str] = set()
    for passage in _passages(lane, RESERVED):
        match = _RANGE.match(passage.value)
        name = passage.where.rpartition(":")[0]
        if match is None or name in seen:
            continue
        seen.add(name)
        found = Range(match["prefix"], int(match["first"]), int(match["last"]), passage.where)
        # where the machine report says something else, which is meant is asked within the lane
        if not machine:
            yield found


def _ceilings(lane: Lane, facts: LaneFacts) -> Iterator[Figure]:
    stated = facts.reservation
    if stated is not None and stated.above_ceiling.isdecimal() and len(stated.above_ceiling) < 10:
        yield Figure(int(stated.above_ceiling), f"{stated.where}/above_ceiling")
    seen: set[str] = set()
    for passage in _passages(lane, passages.CEILING):
        name = passage.where.rpartition(":")[0]
        if name not in seen:
            seen.add(name)
            yield Figure(int(passage.value), passage.where)


def _folded(lane: Lane) -> Iterator[Figure]:
    for document in _machine(lane):
        for statement in document.statements:
            match = _FOLD_KEY.match(statement.key.rpartition("/")[2])
            if match is None:
                continue
            if match["most"]:
                if statement.type == "integer" and len(statement.value) < 10:
                    yield Figure(int(statement.value), statement.where)
            elif _APPLIED.match(statement.value[:_LONGEST]):
                number = match["last"] or match["through"] or match["canonical"]
                yield Figure(int(number), statement.where)
    for passage in _passages(lane, passages.FOLDED):
        yield Figure(int(passage.value), passage.where)


def _applied(lane: Lane) -> Iterator[Stated]:
    for document in lane.documents:
        for statement in document.statements:
            if (
                _APPLY_KEY.match(statement.key)
                and _YES.match(statement.value[:_LONGEST])
                and not _in_preflight(document, statement)
            ):
                yield Stated(statement.value, statement.where, statement.key)


# Blockers


def _counted(lane: Lane, facts: LaneFacts) -> tuple[bool, Figure | None]:
    """Tell whether the list is whole, and how many are open as stated."""
    counts = (
        *(
            statement
            for document in _machine(lane)
            for statement in document.statements
            if statement.key == "production_blocker_map/open_count"
        ),
        *_passages(lane, passages.OPEN),
    )
    count = next(
        (
            Figure(int(one.value), one.where)
            for one in counts
            if one.value.isdecimal() and len(one.value) < _DIGITS
        ),
        None,
    )
    named = sum(one.open for one in facts.blockers)
    if any("#/" in one.where for one in facts.blockers):
        # the lists of S2 name what changed, and leave the others out
        return any("/blockers/" in one.where for one in facts.blockers), count
    # a table may be of some of them only, and says so by its count
    return bool(facts.blockers) and (count is None or count.value <= named), count


def _legs(lane: Lane, facts: LaneFacts) -> dict[str, tuple[Leg, ...]]:
    """Return the legs of each blocker: as listed, else as the words of its row and texts name."""
    found: dict[str, dict[str, Leg]] = {}
    for row in facts.blockers[:_MOST]:
        for name, state in row.legs[:_MOST]:
            if name:
                found.setdefault(row.id, {}).setdefault(name, Leg(name, state, row.where, True))
        if not row.legs:
            for name, state in passages.legs_in(row.stated[:_LONGEST]):
                found.setdefault(row.id, {}).setdefault(name, Leg(name, state, row.where))
    listed = {key for key, legs in found.items() if any(leg.listed for leg in legs.values())}
    for passage in _passages(lane, passages.LEG):
        blocker, _, rest = passage.value.partition(": ")
        name, _, state = rest.partition(": ")
        if blocker not in listed:
            found.setdefault(blocker, {}).setdefault(name, Leg(name, state, passage.where))
    return {key: tuple(legs.values()) for key, legs in found.items()}


def _reasoned(lane: Lane, facts: LaneFacts) -> frozenset[str]:
    """Return the blockers of which more is said than the state in their row."""
    ids = {row.id for row in facts.blockers}
    found: set[str] = set()
    for row in facts.blockers[:_MOST]:
        words = row.stated.replace(row.progress, "")
        if row.legs or len(re.findall(r"[A-Za-z]{3,}", words)) > 2:
            found.add(row.id)
    for document in lane.documents:
        data = document.data
        stated = data.get("production_blocker_map") if isinstance(data, dict) else None
        rows = stated.get("blockers") if isinstance(stated, dict) else None
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and any(row.get(key) for key in _REASONS):
                found.add(str(row.get("id")))
        for statement in document.statements:
            if statement.type == "string" and "/blockers/" not in statement.where:
                for match in passages.blocker_ids(statement.value[:_LONGEST]):
                    found.add(match)
    found.update(passage.value for passage in _passages(lane, passages.BLOCKER))
    return frozenset(found & ids)


# Delegations


def _delegation(lane: Lane) -> Stated | None:
    for document in (*_machine(lane), *_texts(lane)):
        for statement in document.statements:
            key = statement.key.strip().lower()
            if key in ("delegated_decision_consumed", "delegated decision consumed") or (
                key == "delegation consumed"
            ):
                match = _TOKEN.search(statement.value[:_LONGEST])
                if match is not None:
                    return Stated(match[0], statement.where, statement.key)
    return None


_OUTSIDE = re.compile(r"\boutside\b", re.IGNORECASE)


def _outside(lane: Lane) -> str:
    """Return what records that a delegation was given outside, by that very word."""
    if _OUTSIDE.search(lane.meta.delegation):
        return f"lane.yml: {visible(lane.meta.delegation, 160)}"
    for document in _machine(lane):
        for statement in document.statements:
            if statement.key == "delegation" and _OUTSIDE.search(statement.value[:_LONGEST]):
                return f"{statement.where}: {visible(statement.value, 160)}"
    return ""


# Quotes of other lanes


def _statuses(lane: Lane) -> Iterator[Stated]:
    """Yield the statuses that preflights quote; the lane's own is none of another lane."""
    for document in lane.documents:
        if document.kind is DocumentKind.MACHINE_REPORT:
            for statement in document.statements:
                if statement.key.startswith("preflight/") and statement.type == "string":
                    value = statement.value[:_LONGEST]
                    match = _TELLING.fullmatch(value) or _ABBREVIATED.fullmatch(value)
                    if match is not None and value != lane.stated_status:
                        yield Stated(value, statement.where, statement.key.partition("/")[2])
            continue
        keys = {one.where: one.key for one in document.statements}
        for passage in document.said:
            if passage.key == STATUS and passage.value != lane.stated_status:
                yield Stated(passage.value, passage.where, keys.get(passage.where, ""))


def _trees(lane: Lane, *, before: bool) -> Iterator[Stated]:
    """Yield the tree hashes that are given as those of the lane before, or of one that is named."""
    for document in lane.documents:
        for statement in document.statements:
            key = statement.key
            if not _is_hash(statement.value) or not _TREE.search(key):
                continue
            of_before = _OF_BEFORE.search(key) is not None
            if of_before is before and (before or _in_preflight(document, statement)):
                yield Stated(statement.value, statement.where, key)


def _own_trees(lane: Lane) -> Iterator[Stated]:
    for document in lane.documents:
        machine = document.kind is DocumentKind.MACHINE_REPORT
        if machine:
            for statement in document.statements:
                if _OWN_TREE.match(statement.key) and _is_hash(statement.value):
                    yield Stated(statement.value, statement.where, statement.key)
            continue
        for mention in document.hashes:
            if (
                mention.form != "ambiguous"
                and _OWN_TREE.match(mention.label)
                and not passages.in_preflight(document.sections, _line(mention.where))
                and not _OF_BEFORE.search(_key_at(document, mention.where))
            ):
                yield Stated(mention.text, mention.where, mention.label)


def _key_at(document: Document, where: str) -> str:
    return next((one.key for one in document.statements if one.where == where), "")


def _is_hash(text: str) -> bool:
    return is_digest(text) or is_weak(text)


# Pinned files


def _pins(lane: Lane) -> Iterator[PinnedHash]:
    """Yield what ``lane.yml`` pins, and the hashes that documents state of files that they name."""
    present = {entry.path for entry in lane.packet.entries} if lane.packet is not None else set()
    for path, digest in lane.meta.pins.items():
        name = path.rsplit("/", 1)[-1]
        held = path not in present
        one = (held or _ONE_FILE.search(name) is not None) and not _OWN.search(name)
        yield PinnedHash(name, digest, "lane.yml", one)
    for document in lane.documents:
        words: dict[str, str] = {}
        for statement in document.statements:
            if statement.type != "string":
                words.setdefault(statement.where, f"{statement.key} {statement.value[:_LONGEST]}")
            else:
                words.setdefault(statement.where, statement.value[:_LONGEST])
        for mention in document.hashes:
            if mention.form == "ambiguous" or not (
                is_digest(mention.text) or is_weak(mention.text)
            ):
                continue
            label = mention.label
            if _FILE.match(label) and "…" not in label:
                name = label.rsplit("/", 1)[-1]
                about = f"{name} {words.get(mention.where, '')}"
                one = _ONE_FILE.search(about) is not None and not _OWN.search(name)
                yield PinnedHash(name, mention.text, mention.where, one)
            elif "validator" in label.lower():
                yield PinnedHash(label.lower(), mention.text, mention.where, False)
