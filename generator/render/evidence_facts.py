"""What an evidence file says, fact by fact, whatever its kind: each with its claims beside it.

Pure: a decoded value and claims in, sections out. Texts are made visible and are not escaped yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from generator.evidence.base import text
from generator.model.finding import Claim
from generator.model.outcome import Agreement
from generator.names import visible
from generator.reading.strictjson import JsonValue
from generator.render import words
from generator.render.words import Mark
from generator.spelled import step

MOST_FACTS = 2000
"""Facts on one page."""

MOST_OF_SECTION = 1000
"""Facts of one section, so that what comes behind a long list is still shown."""

MOST_ITEMS = 100
"""Items of one list in its table."""

_MOST_COLUMNS = 7
"""Beside the one that tells which item a row is."""

_MOST_MEMBERS = 35
"""Columns of all tables of one list together."""

_MOST_SIDE_BY_SIDE = 3
"""Items with more members than that, each of which is a column of its own."""

_MOST_IN_A_ROW = 12
"""Values of one list that are one fact, unless a rule looked at the list as a whole."""

_LONGEST = 1000
"""Characters of one value; the whole of it is in the file."""

_LONGEST_NAME = 110
_LONGEST_LABEL = 60
_LONGEST_CELL = 160


class Fact(NamedTuple):
    """One value of the file, and what the ledger says of it."""

    name: str
    """Its path in words, without the section that it stands in."""
    pointer: str
    stated: str
    claims: tuple[Claim, ...] = ()

    @property
    def mark(self) -> Mark:
        """How it is known: refuted if any rule refuted it; only claimed if none looked at it."""
        marks = {words.of_claim(claim) for claim in self.claims}
        order = (words.REFUTED, words.RECOMPUTED, words.CROSS_CHECKED)
        return next((mark for mark in order if mark in marks), words.CLAIMED_ONLY)

    @property
    def recomputed(self) -> tuple[str, ...]:
        """What was found in its place, each once; what differs comes first."""
        ordered = sorted(self.claims, key=lambda claim: claim.agreement is not Agreement.DIFFERS)
        found = (claim.recomputed for claim in ordered if claim.recomputed)
        return tuple(dict.fromkeys(visible(value, _LONGEST) for value in found))

    @property
    def against(self) -> tuple[str, ...]:
        """Where that was derived from, each once."""
        return tuple(dict.fromkeys(claim.against for claim in self.claims if claim.against))


class Cell(NamedTuple):
    """A value in the table of a list, its mark, and what was found where it is refuted."""

    text: str
    mark: Mark | None = None
    """None for what is no value of the file, such as the name of a member."""
    found: str = ""


class Table(NamedTuple):
    """Items of a list beside each other: a view of facts that are also told one by one."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(slots=True)
class Section:
    """One top-level member of the file, or all those that are a single fact."""

    title: str
    facts: list[Fact] = field(default_factory=list)
    """In the order of the file, and only so many."""
    counts: dict[str, int] = field(default_factory=dict)
    """Word of a mark to the number of facts, shown or not."""
    tables: list[Table] = field(default_factory=list)
    items: int = 0
    """How many a list of objects has, in its tables or not."""

    @property
    def count(self) -> int:
        """All facts of the section."""
        return sum(self.counts.values())


def told(value: JsonValue, claims: Mapping[str, Sequence[Claim]]) -> list[Section]:
    """Return everything that a file says, section by section, in the order of the file.

    Args:
        value: the decoded file.
        claims: JSON Pointer, as the places of claims have it, to the claims on what stands
            there; those on the file as a whole have the pointer ``""``.
    """
    return _Telling(claims).tell(value)


class _Telling:
    """Walks through one file, and notes which claims found their fact."""

    def __init__(self, claims: Mapping[str, Sequence[Claim]]) -> None:
        self.claims = claims
        self.met: set[str] = set()
        self.shown = 0
        # what is judged value by value is shown so
        self.judged_inside = {
            pointer[:end]
            for pointer in claims
            for end in range(len(pointer))
            if pointer[end] == "/"
        }

    def tell(self, value: JsonValue) -> list[Section]:
        top = Section("Top of the file")
        sections = [top]
        self._add_claims(top, "the file as a whole", "")
        if isinstance(value, dict):
            for key, member in value.items():
                pointer = f"/{step(key)}"
                if self._is_one_fact(member, pointer):
                    self._fill(top, member, pointer, (said(key),))
                    continue
                section = Section(said(key))
                self._fill(section, member, pointer, ())
                if isinstance(member, list) and all(isinstance(item, dict) for item in member):
                    section.items = len(member)
                    if section.facts:
                        section.tables.extend(self._tables(section.title, member, pointer))
                sections.append(section)
        else:
            self._fill(top, value, "", ())
        # a place that the file does not have, such as a member that is missing
        for pointer in self.claims:
            if pointer not in self.met:
                self._add_claims(top, _name(pointer[1:].split("/")), pointer)
        return [section for section in sections if section.count]

    def _add(self, section: Section, fact: Fact) -> None:
        word = fact.mark.word
        section.counts[word] = section.counts.get(word, 0) + 1
        if len(section.facts) < MOST_OF_SECTION and self.shown < MOST_FACTS:
            section.facts.append(fact)
            self.shown += 1

    def _add_claims(self, section: Section, name: str, pointer: str) -> None:
        """Add what is claimed of a place that no value of the file stands at."""
        claims = self._at(pointer)
        if claims:
            self._add(section, Fact(name, pointer, visible(claims[0].stated, _LONGEST), claims))

    def _fill(
        self, section: Section, value: JsonValue, pointer: str, path: tuple[str, ...]
    ) -> None:
        for fact in self._facts(value, pointer, path):
            self._add(section, fact)

    def _at(self, pointer: str) -> tuple[Claim, ...]:
        place = visible(pointer)
        found = self.claims.get(place)
        if found is None:
            return ()
        self.met.add(place)
        return tuple(found)

    def _is_one_fact(self, value: JsonValue, pointer: str) -> bool:
        if not isinstance(value, (dict, list)) or not value:
            return True
        if isinstance(value, dict) or visible(pointer) in self.judged_inside:
            return False
        if any(isinstance(item, (dict, list)) for item in value):
            return False
        return len(value) <= _MOST_IN_A_ROW or visible(pointer) in self.claims

    def _facts(self, value: JsonValue, pointer: str, path: tuple[str, ...]) -> Iterator[Fact]:
        """Yield the facts at and below a place; what is claimed of a container comes first."""
        claims = self._at(pointer) if pointer else ()
        if value == {} and not claims:
            return  # an empty object states nothing
        if self._is_one_fact(value, pointer):
            yield Fact(_name(path), visible(pointer), visible(_plain(value), _LONGEST), claims)
            return
        if claims:
            said_of_it = visible(claims[0].stated, _LONGEST)
            yield Fact(_name(path), visible(pointer), said_of_it, claims)
        if isinstance(value, dict):
            for key, member in value.items():
                yield from self._facts(member, f"{pointer}/{step(key)}", (*path, said(key)))
        elif isinstance(value, list):
            labels = _labels(value) or [str(at) for at in range(1, len(value) + 1)]
            for at, (label, item) in enumerate(zip(labels, value, strict=True)):
                yield from self._facts(item, f"{pointer}/{at}", (*path, label))

    # The tables of a list of objects

    def _tables(self, title: str, items: Sequence[JsonValue], pointer: str) -> Iterator[Table]:
        rows = [item for item in items[:MOST_ITEMS] if isinstance(item, dict)]
        if len(rows) < 2:
            return
        columns = _columns(rows)[:_MOST_MEMBERS]
        labels = _labels(rows)
        grid = [
            [self._cell(row, f"{pointer}/{at}", column) for column in columns]
            for at, row in enumerate(rows)
        ]
        if len(rows) <= _MOST_SIDE_BY_SIDE and len(columns) > _MOST_COLUMNS:
            names = [_name([said(key) for key in column]) for column in columns]
            yield Table(
                f"{title}: {len(rows)} items side by side",
                ("member", *(labels or [f"nr {at}" for at in range(1, len(rows) + 1)])),
                tuple((Cell(name), *(line[at] for line in grid)) for at, name in enumerate(names)),
            )
            return
        if labels:
            head, firsts = said(columns[0][0]), [line[0] for line in grid]
        else:
            head, firsts = "nr", [Cell(str(at)) for at in range(1, len(rows) + 1)]
        for nested, chosen in _split(columns, 1 if labels else 0):
            lines = tuple(
                (first, *(line[at] for at in chosen))
                for first, line in zip(firsts, grid, strict=True)
                if not nested or any(line[at].text for at in chosen)
            )
            of = f"the first {len(rows)} of {len(items)}" if len(rows) < len(items) else len(rows)
            heading = f"{title}: {said(nested)}" if nested else f"{title}: {of} items"
            yield Table(heading, (head, *(said(columns[at][-1]) for at in chosen)), lines)
            # its mark stands in the first table
            firsts = [first._replace(mark=None) for first in firsts]

    def _cell(self, row: dict[str, JsonValue], pointer: str, column: Sequence[str]) -> Cell:
        value: JsonValue = row
        for key in column:
            if not isinstance(value, dict) or key not in value:
                return Cell("")
            value = value[key]
            pointer += f"/{step(key)}"
        facts = list(self._facts(value, pointer, ()))
        if not facts:
            return Cell("")
        marks = {fact.mark for fact in facts}
        if words.REFUTED not in marks:
            # of several values, the least known tells how all of them are
            mark = marks.pop() if len(marks) == 1 else words.CLAIMED_ONLY
            return Cell(_compact(value), mark)
        found = next((fact.recomputed for fact in facts if fact.mark is words.REFUTED), ())
        return Cell(_compact(value), words.REFUTED, visible("".join(found[:1]), _LONGEST_CELL))


def said(key: str) -> str:
    """Return a key as a reader says it."""
    return visible(key.replace("_", " "), _LONGEST_NAME) or "–"


def _name(path: Sequence[str]) -> str:
    return ", ".join(path) or "all of it"


def _plain(value: JsonValue) -> str:
    """Return a value without objects in it as the ledger writes it."""
    return "none" if isinstance(value, dict) else text(value)


def _compact(value: JsonValue) -> str:
    """Return any value in one short line: the values in it, objects apart from each other."""
    return visible("; ".join(_lines(value)), _LONGEST_CELL)


def _lines(value: JsonValue) -> Iterator[str]:
    if isinstance(value, dict) and value:
        inner = [line for member in value.values() for line in _lines(member)]
        yield ", ".join(inner)
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for item in value:
            yield from _lines(item)
    else:
        yield _plain(value)


def _labels(items: Sequence[JsonValue]) -> list[str]:
    """Return what tells objects apart, if their first member does: a short text, never twice."""
    labels: list[str] = []
    keys: set[str] = set()
    for item in items:
        if not isinstance(item, dict) or not item:
            return []
        key, first = next(iter(item.items()))
        if not isinstance(first, str) or not first.strip() or len(first) > _LONGEST_LABEL:
            return []
        keys.add(key)
        labels.append(visible(first, _LONGEST_LABEL))
    return labels if len(keys) == 1 and len(set(labels)) == len(labels) else []


def _columns(rows: Iterable[dict[str, JsonValue]]) -> list[tuple[str, ...]]:
    """Return the members of all items, each once; those of an object in one are columns too.

    An object that holds more than single values is left to the facts one by one.
    """
    columns: dict[tuple[str, ...], None] = {}
    deep: set[str] = set()
    for row in rows:
        for key, member in row.items():
            if not isinstance(member, dict):
                columns[key,] = None
            elif any(isinstance(inner, dict) for inner in member.values()):
                deep.add(key)
            else:
                columns.update(dict.fromkeys((key, inner) for inner in member))
    return [column for column in columns if column[0] not in deep]


def _split(columns: Sequence[tuple[str, ...]], first: int) -> Iterator[tuple[str, list[int]]]:
    """Yield groups of columns that fit beside each other, with the member they stand in."""
    groups: dict[str, list[int]] = {"": []}
    for at, column in enumerate(columns):
        if at >= first:
            groups.setdefault(column[0] if len(column) > 1 else "", []).append(at)
    for nested, chosen in groups.items():
        for start in range(0, len(chosen), _MOST_COLUMNS):
            yield nested, chosen[start : start + _MOST_COLUMNS]
