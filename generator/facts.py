"""What the documents of a lane say of production: blockers, options, reservations, surfaces.

These are statements, read and put into one shape; nothing here makes them true. Where a word could
be read as better or worse, the worse reading is taken: a blocker is open until its state says
closed, and a decision packet without a default holds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from generator import legs
from generator.ballots import Ballot, ballots, is_hold
from generator.model.document import RESERVED, Document, DocumentKind, Table
from generator.model.outcome import Level
from generator.reading import passages
from generator.spelled import spelled
from generator.spelled import step as _step
from generator.spelled import text as _text

# every repetition is bounded, and begins where a word begins: packet text may be one long line
_BLOCKER_ID = legs.BLOCKER_ID
_TOKEN = re.compile(r"(?<![A-Z0-9_])[A-Z][A-Z0-9]{0,60}(?:_[A-Z0-9]{1,60}){1,30}(?![A-Z0-9_])")
_OPEN_KEY = re.compile(r"(?:still |remaining |all )?(?:open\b|blockers\b)", re.IGNORECASE)
_CLOSED = re.compile(r"\W*(?:closed|resolved|fully discharged)\b", re.IGNORECASE)
_NOT_CLOSED = re.compile(
    r"\b(?:open|not|never|until|after|before|when|once|if|pending|partial|partially|partly|by)\b",
    re.IGNORECASE,
)
_PROGRESS = (
    ("partially discharged", re.compile(r"part(?:ial)?ly discharged", re.IGNORECASE)),
    ("design delivered", re.compile(r"design (?:portion )?delivered", re.IGNORECASE)),
    ("classified", re.compile(r"classified", re.IGNORECASE)),
    ("narrowed", re.compile(r"narrowed", re.IGNORECASE)),
)
PROGRESS = ("none", *(name for name, _ in _PROGRESS))
"""The words of a blocker's second axis."""
_RANGE = re.compile(
    r"(?<![A-Z0-9-])(?P<prefix>[A-Z]{1,20}(?:-[A-Z]{1,20}){0,5})-(?P<first>\d{1,9})"
    r"\s{0,3}\.\.\s{0,3}(?:[A-Z-]{1,60}-)?(?P<last>\d{1,9})(?!\d)"
)
_FALSE = ("false", "no", "none", "not", "untouched")
_LONGEST = 4000
"""Characters of a stated value in which anything is looked for."""

_NOT_WORD = re.compile(r"[^a-z0-9]+")
_OF_PRODUCTION = re.compile(
    r"(?:production (?:mutation|ci deploy trigger\w*|contact)|(?:live )?production contact"
    r"|live contact|real run(?: qt001)?(?: cutover)?|qt001(?: \w+)?|cutover|ci trigger"
    r"|secrets?(?: credentials)?(?: changed?)?)\Z"
)
"""Keys, in plain words, under which texts say what of production was touched."""
_UNTOUCHED = (
    "production_mutation",
    "real_run",
    "qt001",
    "cutover",
    "production_ci_deploy_triggered",
    "secrets_changed",
    "live_production_contact",
)


@dataclass(frozen=True, slots=True)
class Blocker:
    """Something that still stops production, as one lane states it."""

    id: str
    open: bool
    progress: str
    """``none``, ``narrowed``, ``classified``, ``design delivered`` or ``partially discharged``."""
    stated: str
    """The state in the document's own words."""
    legs: tuple[tuple[str, str], ...]
    actor: str
    next_action: str
    blocks: str
    where: str
    level: Level = Level.CLAIMED_ONLY
    """How the state is known; a document alone only claims it."""
    doubt: str = ""
    """What else the lane says of it that reads worse; empty where nothing does."""

    @property
    def state(self) -> str:
        """Both axes in words."""
        word = "open" if self.open else "closed"
        return word if self.progress == "none" else f"{word}, {self.progress}"


def by_id(rows: Iterable[Blocker]) -> dict[str, Blocker]:
    """Return blockers by id; of two rows of one id, the one that leaves it open."""
    found: dict[str, Blocker] = {}
    for row in rows:
        if row.id not in found or (row.open and not found[row.id].open):
            found[row.id] = row
    return found


@dataclass(frozen=True, slots=True)
class DecisionPacket:
    """The options put to an owner, as one document states them."""

    options: tuple[str, ...]
    defaults: tuple[str, ...]
    """Every default that is stated, in order, each once."""
    selected: str
    """Empty only where nothing is selected; else what is stated, whatever its form."""
    where: str
    tree: str = ""
    """The tree hash of the evidence on which it says it was written; empty where it names none."""
    blocker_map: str = ""
    """The digest of the blocker map on which it says it was written; empty where it names none."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    """Option to what a document says it means."""

    @property
    def default(self) -> str:
        """The default; empty where none is stated, or more than one."""
        return self.defaults[0] if len(self.defaults) == 1 else ""

    @property
    def holds(self) -> bool:
        """Whether the default is to hold."""
        return is_hold(self.default)


@dataclass(frozen=True, slots=True)
class Reservation:
    """A numbered range of governance objects, reserved above a ceiling, not applied."""

    objects: str
    first: int
    last: int
    above_ceiling: str
    apply_now: str
    canonical_fold: str
    where: str


@dataclass(frozen=True, slots=True)
class LaneFacts:
    """What one lane says of production."""

    blockers: tuple[Blocker, ...]
    open_stated: str
    """The number of open blockers as a document states it; empty where none does."""
    decision: DecisionPacket | None
    """The first decision packet, with what the others of the lane add to it."""
    ballots: tuple[Ballot, ...]
    """Every decision packet, as each document states it."""
    reservation: Reservation | None
    delegation: str
    untouched: tuple[tuple[str, str, str], ...]
    """(what, stated value, place) for what is stated as not touched."""
    touched: tuple[tuple[str, str, str], ...]
    """The same for what is stated in any other way."""
    done: tuple[tuple[str, str, str], ...]
    """(part of the lane, its verdict, place)."""
    next_step: str


NOTHING_SAID = LaneFacts((), "", None, (), None, "", (), (), (), "")
"""What a lane without documents says."""


def lane_facts(documents: Sequence[Document]) -> LaneFacts:
    """Return what a lane's documents say; the machine report's word comes before a table's."""
    report = next((item for item in documents if item.kind is DocumentKind.MACHINE_REPORT), None)
    data = report.data if report is not None and isinstance(report.data, dict) else {}
    name = report.name if report is not None else ""
    blockers, open_stated = _blockers(data, name, documents)
    found = ballots(documents)
    stated = [
        (key.replace("_", " "), spelled(data[key]), f"{name}#/{key}")
        for key in _UNTOUCHED
        if key in data
    ] or list(_production_in_text(documents))
    return LaneFacts(
        blockers=blockers,
        open_stated=open_stated,
        decision=_decision(found),
        ballots=found,
        reservation=_reservation(data, name, documents),
        delegation=_said(
            documents,
            "delegated_decision_consumed",
            "delegation consumed",
            "delegated decision consumed",
        ),
        untouched=tuple(item for item in stated if item[1].strip().lower() in _FALSE),
        touched=tuple(item for item in stated if item[1].strip().lower() not in _FALSE),
        done=tuple(_done(data, name)),
        next_step=_said(documents, "next_macro", "minimal next macro", "next step", "next"),
    )


def _production_in_text(documents: Sequence[Document]) -> Iterator[tuple[str, str, str]]:
    """Yield what texts state of production, in the words of the first that states each."""
    seen: set[str] = set()
    for document in documents:
        if document.kind is DocumentKind.MACHINE_REPORT:
            continue
        for statement in document.statements:
            words = _NOT_WORD.sub(" ", statement.key.lower()).strip()
            if words not in seen and _OF_PRODUCTION.match(words):
                seen.add(words)
                yield statement.key, statement.value, statement.where


def _said(documents: Sequence[Document], *keys: str) -> str:
    """Return the first value stated under one of these keys."""
    for document in documents:
        for statement in document.statements:
            if statement.key.strip().lower() in keys:
                return statement.value
    return ""


def _progress(words: str) -> str:
    return next((name for name, pattern in _PROGRESS if pattern.search(words)), "none")


def _is_open(words: str) -> bool:
    """Only a state that begins with closed, and takes nothing of it back, is closed."""
    states = [part for part in words.split(";") if part.strip()]
    return not states or any(
        _CLOSED.match(part) is None or _NOT_CLOSED.search(part) is not None for part in states
    )


def _blockers(
    data: Mapping[str, Any], name: str, documents: Sequence[Document]
) -> tuple[tuple[Blocker, ...], str]:
    stated = data.get("production_blocker_map")
    if isinstance(stated, dict):
        pointer = f"{name}#/production_blocker_map"
        found = tuple(blockers_in_list(stated, pointer)) or tuple(_from_lists(stated, pointer))
        if found:
            return tuple(_with_legs(found, documents)), _text(stated, "open_count")
    tables = (
        found
        for document in documents
        for table in document.tables
        if (found := tuple(blockers_in_table(table, document.name)))
    )
    first = next(tables, ())
    if not first:
        for document in documents:
            found = tuple(_from_sentence(document))
            if found:
                return tuple(_with_legs(found, documents)), ""
    others = {row.id: row for found in reversed(tuple(tables)) for row in found}
    return tuple(_with_legs((_filled(row, others) for row in first), documents)), ""


def _filled(row: Blocker, others: Mapping[str, Blocker]) -> Blocker:
    """Return a row with what another table of the lane says where this one says nothing."""
    other = others.get(row.id, row)
    return replace(
        row,
        actor=row.actor or other.actor,
        next_action=row.next_action or other.next_action,
        blocks=row.blocks or other.blocks,
    )


def _with_legs(rows: Iterable[Blocker], documents: Sequence[Document]) -> Iterator[Blocker]:
    """Yield rows with the legs that are told in words, where no list tells of any."""
    told: Mapping[str, tuple[legs.Leg, ...]] | None = None
    for row in rows:
        if told is None:
            told = legs.by_blocker(documents)
        own = () if row.legs else legs.together(legs.in_words(row.stated), told.get(row.id, ()))
        yield replace(row, legs=own) if own else row


def _from_sentence(document: Document) -> Iterator[Blocker]:
    """Read a sentence such as ``Open (owner only): A-B-1, A-C-1``: two ids at least, all open."""
    for statement in document.statements:
        if statement.type != "text" or _OPEN_KEY.match(statement.key) is None:
            continue
        ids = list(dict.fromkeys(_BLOCKER_ID.findall(statement.value[:_LONGEST])))
        if len(ids) > 1:
            yield from (
                Blocker(one, True, "none", "OPEN", (), "", "", "", statement.where) for one in ids
            )
            return


def blockers_in_list(stated: Mapping[str, Any], pointer: str) -> Iterator[Blocker]:
    """Read ``blockers``: a list with one object a blocker."""
    rows = stated.get("blockers")
    for index, item in enumerate(rows if isinstance(rows, list) else ()):
        # what has no usable id, or no shape, is still a blocker, and open
        row = item if isinstance(item, dict) else {"id": spelled(item)[:200]}
        words = "; ".join(
            dict.fromkeys(text for text in (_text(row, "state"), _text(row, "status")) if text)
        )
        legs = row.get("legs")
        yield Blocker(
            id=_text(row, "id", "blocker", "blocker_id", "name") or f"unnamed blocker {index + 1}",
            open=_is_open(words),
            progress=_progress(words),
            stated=words,
            legs=tuple(
                (_text(leg, "id", "leg", "name"), _text(leg, "status", "state"))
                for leg in (legs if isinstance(legs, list) else ())
                if isinstance(leg, dict)
            ),
            actor=_text(row, "actor"),
            next_action=_text(row, "next_action", "gate"),
            blocks=_text(row, "blocks"),
            where=f"{pointer}/blockers/{index}",
        )


def _from_lists(stated: Mapping[str, Any], pointer: str) -> Iterator[Blocker]:
    """Read the shape of S2: lists of sentences, each of which begins with the id of a blocker."""
    for key, value in stated.items():
        sentences = value if isinstance(value, list) else [value]
        for index, sentence in enumerate(sentences):
            text = sentence[:_LONGEST] if isinstance(sentence, str) else ""
            match = _BLOCKER_ID.match(text)
            if match is None:
                continue
            words = f"{key.replace('_', ' ')}: {text[match.end() :].strip(' ()->')}".rstrip(": ")
            yield Blocker(
                id=match[0],
                open=key != "newly_closed" or _is_open(words),
                progress=_progress(words),
                stated=words,
                legs=(),
                actor="",
                next_action="",
                blocks="",
                where=f"{pointer}/{_step(key)}" + (f"/{index}" if isinstance(value, list) else ""),
            )


def blockers_in_table(table: Table, name: str) -> Iterator[Blocker]:
    """Read a table whose first column is ``blocker``."""
    header = [cell.strip().lower() for cell in table.header]
    if not header or header[0] != "blocker" or "production" in header:
        return
    for row, line in zip(table.rows, table.row_lines, strict=True):
        cells = dict(zip(header, row, strict=False))
        words = cells.get("status") or cells.get("status this lane") or cells.get("state") or ""
        cell = cells.get("blocker", "")[:_LONGEST]
        match = _BLOCKER_ID.search(cell)
        if not cell.strip():
            continue
        yield Blocker(
            id=match[0] if match is not None else cell.strip()[:200],
            open=_is_open(words),
            progress=_progress(words),
            stated=words,
            legs=(),
            actor=cells.get("actor", ""),
            next_action=cells.get("next action", "") or cells.get("gate", ""),
            blocks=cells.get("blocks", ""),
            where=f"{name}:{line}",
        )


def _decision(found: Sequence[Ballot]) -> DecisionPacket | None:
    """Return the first decision packet, with what the others add to it."""
    if not found:
        return None
    packet = found[0]
    with_options = next((one for one in found if one.options), packet)
    meanings: dict[str, str] = {}
    for ballot in reversed(found):
        for choice in (choice for listing in ballot.listings for choice in listing):
            if choice.means:
                meanings[choice.token] = choice.means
    stated = [one for one in found if one.defaults]
    return DecisionPacket(
        options=with_options.options,
        defaults=stated[0].default_tokens() if stated else (),
        selected=next((said.text for one in found for said in one.selected), ""),
        where=packet.where,
        tree=next((said.text for one in found for said in one.trees), ""),
        blocker_map=next((said.text for one in found for said in one.maps), ""),
        meanings=meanings,
    )


def _reservation(
    data: Mapping[str, Any], name: str, documents: Sequence[Document]
) -> Reservation | None:
    stated = data.get("governance")
    if isinstance(stated, dict):
        objects = _text(stated, "objects_reserved")
        match = _RANGE.search(objects[:_LONGEST])
        if match:
            return Reservation(
                objects,
                int(match["first"]),
                int(match["last"]),
                _text(stated, "above_ceiling"),
                _text(stated, "apply_now"),
                _text(stated, "canonical_fold"),
                f"{name}#/governance",
            )
    for document in documents:
        for statement in document.statements:
            key = statement.key.strip().lower()
            match = _RANGE.search(statement.value[:_LONGEST])
            if match and ("reserved" in key or key in ("objects", "governance")):
                return Reservation(
                    match[0],
                    int(match["first"]),
                    int(match["last"]),
                    *("", "", ""),
                    statement.where,
                )
    said = [statement for document in documents for statement in document.said]
    ceiling = next((one.value for one in said if one.key == passages.CEILING), "")
    for statement in said:
        match = _RANGE.search(statement.value) if statement.key == RESERVED else None
        if match:
            return Reservation(
                match[0],
                int(match["first"]),
                int(match["last"]),
                *(ceiling, "", ""),
                statement.where,
            )
    return None


def _done(data: Mapping[str, Any], name: str) -> Iterator[tuple[str, str, str]]:
    """Yield each workstream with the verdict that it states for itself."""
    for key, value in data.items():
        if not key.startswith("workstream") or not isinstance(value, dict):
            continue
        verdict = _text(value, "verdict", "overall", "status", "performed", "designed", "default")
        yield key.replace("_", " "), verdict, f"{name}#/{_step(key)}"
