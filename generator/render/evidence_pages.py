"""The page of each evidence file of a known kind: what it says, fact by fact, and how it is known.

Nothing here knows one kind from another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from generator.errors import InputError
from generator.evidence import json_schemas
from generator.evidence.base import EvidenceKind
from generator.evidence.kinds import BY_FILE
from generator.model.digest import Digest
from generator.model.document import read_place
from generator.model.finding import Claim, Finding
from generator.model.packet import FileState
from generator.model.verdict import LaneVerdict
from generator.reading import strictjson
from generator.reading.strictjson import JsonValue
from generator.render import viewer, words
from generator.render.evidence_facts import Cell, Fact, Section, told
from generator.render.links import href
from generator.render.words import Mark, plural, shown

Contents = Callable[[Digest], bytes | None]
"""Gives the published bytes of a digest, if they are at hand."""

_LONG = 100
"""Characters of a value that need not stand twice beside each other."""

Link = Callable[[str], Markup]
"""Turns a place of the lane into a link; empty where it leads nowhere."""


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """One evidence file of a lane, as far as it could be read."""

    kind: EvidenceKind
    state: FileState
    place: str
    """Its name as the places of claims and findings have it."""
    sections: tuple[Section, ...]
    findings: tuple[Finding, ...]
    anchors: frozenset[str] | None
    """The JSON Pointers that its viewer has anchors for; None where it could not be read."""

    @property
    def page(self) -> str:
        """The name of its page, without an ending."""
        return f"evidence-{self.kind.file.removesuffix('.json')}"

    @property
    def readable(self) -> bool:
        """Whether its bytes are JSON of which nothing is in doubt."""
        return self.anchors is not None

    def count(self, mark: Mark) -> int:
        """Count the facts that are known in one way."""
        return sum(section.counts.get(mark.word, 0) for section in self.sections)

    @property
    def facts(self) -> int:
        """All facts of the file."""
        return sum(section.count for section in self.sections)

    @property
    def refuting(self) -> int:
        """The findings on it that refute something."""
        return sum(finding.refutes for finding in self.findings)


def evidence_files(
    lane: LaneVerdict, contents: Contents, limits: strictjson.Limits
) -> Iterator[EvidenceFile]:
    """Yield the evidence files of a known kind that are in the packet.

    Args:
        lane: the verdict.
        contents: gives the bytes of its files.
        limits: within which JSON was read when the lane was judged.
    """
    found = {
        state.path: state
        for state in lane.files
        if state.path in BY_FILE and state.computed is not None
    }
    # in the order of the kinds, in which they lean on each other
    present = [found[path] for path in BY_FILE if path in found]
    if not present:
        return
    claims: dict[str, dict[str, list[Claim]]] = {}
    for claim in lane.evidence_claims:
        name, _, pointer = claim.where.partition("#")
        claims.setdefault(name, {}).setdefault(pointer, []).append(claim)
    findings: dict[str, list[Finding]] = {}
    for finding in lane.findings:
        findings.setdefault(read_place(finding.where).name, []).append(finding)
    for state in present:
        place = f"{lane.evidence}/{state.path}"
        data = contents(state.computed) if state.computed is not None else None
        sections: list[Section] = []
        anchors: frozenset[str] | None = None
        value = _read(data, place, limits)
        if value is not None and data is not None:
            sections = told(value[0], claims.get(place, {}))
            anchors = viewer.anchors_of(data)
        yield EvidenceFile(
            BY_FILE[state.path],
            state,
            place,
            tuple(sections),
            tuple(findings.get(place, ())),
            anchors,
        )


def anchors(
    lane: LaneVerdict, contents: Contents, limits: strictjson.Limits
) -> dict[str, frozenset[str]]:
    """Return the JSON Pointers that can be led to in each evidence file that is strict JSON.

    The arguments are those of :func:`evidence_files`; the files have the names of their places.
    """
    found: dict[str, frozenset[str]] = {}
    for state in lane.files:
        if state.path in BY_FILE and state.computed is not None:
            place = f"{lane.evidence}/{state.path}"
            data = contents(state.computed)
            if data is not None and _read(data, place, limits) is not None:
                found[place] = viewer.anchors_of(data)
    return found


def _read(data: bytes | None, place: str, limits: strictjson.Limits) -> tuple[JsonValue] | None:
    """Return what the bytes say, in a box as it may be null; None where they are no strict JSON."""
    if data is None:
        return None
    try:
        return (strictjson.loads(data, where=place, limits=limits),)
    except InputError:
        return None


def headline(file: EvidenceFile) -> tuple[Mark, str]:
    """Return the verdict on one file in a line; green only where every fact was recomputed."""
    refuted, claimed = file.count(words.REFUTED), file.count(words.CLAIMED_ONLY)
    known = file.facts - refuted - claimed
    if file.refuting:
        return words.REFUTED, (
            f"{plural(refuted, 'fact')} of this file {'is' if refuted == 1 else 'are'} refuted"
            if refuted
            else f"This file is refuted by {plural(file.refuting, 'finding')}"
        )
    if not file.readable:
        return words.CLAIMED_ONLY, "This file could not be read: nothing in it was checked"
    if not known:
        return words.CLAIMED_ONLY, "Claims only: no fact of this file was recomputed"
    if claimed:
        return (
            Mark("", "", "lb-hold"),
            f"{known} of {plural(file.facts, 'fact')} recomputed, none refuted;"
            f" {claimed} only claimed",
        )
    return words.RECOMPUTED, f"All {plural(file.facts, 'fact')} recomputed, none refuted"


def in_list(file: EvidenceFile) -> dict[str, Any]:
    """Return the row of a file in the list of the evidence that was judged."""
    marks = _counted(file)
    if file.refuting and not file.count(words.REFUTED):
        marks.insert(0, words.REFUTED._replace(word=plural(file.refuting, "finding")))
    data = {
        "title": file.kind.title,
        "about": file.kind.about,
        "file": file.state.path,
        "facts": file.facts,
        "known": [mark.word for mark in marks],
    }
    return {"data": data, **data, "marks": marks, "href": href(f"{file.page}.md")}


def told_on_page(
    file: EvidenceFile,
    folder: str,
    link: Link,
    findings: Sequence[Mapping[str, Any]],
    all_files: Sequence[EvidenceFile],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the twin of a file's page, and what only the page needs.

    Args:
        file: the one that the page is of.
        folder: the packet, as places have it.
        link: turns a place into a link.
        findings: on the file, as pages show them, and no more than one page does.
        all_files: the lane's, to lead on to.
    """
    mark, line = headline(file)
    seen: dict[str, str] = {}
    sections = [
        _Part(number, file, folder, link, seen).told(section)
        for number, section in enumerate(file.sections, 1)
    ]
    schema, rule = json_schemas.name(file.kind), file.kind.file.removesuffix(".json")
    counts = [
        {"mark": level, "href": href(f"#{seen[base]}" if base in seen else "")}
        for level in reversed(_counted(file))
        for base in [level.word.split(" ", 1)[1]]
    ]
    data = {
        "schema": "lanebook/evidence-file/1",
        "headline": line,
        "kind": file.kind.title,
        "about": json_schemas.about(file.kind),
        "file": file.state.path,
        "state": file.state.state.value,
        "size": file.state.size,
        "sha256": file.state.computed,
        "json_schema": schema,
        "rule": rule,
        "counts": [level.word for level in reversed(_counted(file))],
        "findings_words": _findings_words(file, len(findings)),
        "findings": [item["data"] for item in findings],
        "facts_words": _facts_words(file),
        "sections": [section["data"] for section in sections],
    }
    aids = {
        "verdict": {"css": mark.css, "sign": mark.sign, "headline": line},
        "counts": counts,
        "state": words.of_state(file.state.state),
        "file_href": link(file.place),
        "rest_href": link(file.place) if _left(file) else href(""),
        "schema_href": href(f"../../schemas/{schema}"),
        "rule_href": href(f"../../validators.md#{rule}"),
        "findings": findings,
        "sections": sections,
        "legend": (words.RECOMPUTED, words.CLAIMED_ONLY, words.REFUTED) if file.facts else (),
        "others": [
            {"title": other.kind.title, "href": href(f"{other.page}.md")}
            for other in all_files
            if other is not file
        ],
    }
    return data, aids


def _told_apart(titles: Sequence[str]) -> list[str]:
    """Return titles of tables, numbered where one that has many columns was cut in parts."""
    return [
        f"{title}, part {titles[: at + 1].count(title)}" if titles.count(title) > 1 else title
        for at, title in enumerate(titles)
    ]


def _counted(file: EvidenceFile) -> list[Mark]:
    """Return the marks of a file's facts, worst first, each with its number."""
    levels = (words.REFUTED, words.CLAIMED_ONLY, words.CROSS_CHECKED, words.RECOMPUTED)
    return [
        level._replace(word=f"{count} {level.word}")
        for level in levels
        if (count := file.count(level))
    ]


@dataclass(frozen=True, slots=True)
class _Part:
    """What the sections of one page share."""

    number: int
    file: EvidenceFile
    folder: str
    link: Link
    seen: dict[str, str]
    """Levels that have their anchor on the page already."""

    def told(self, section: Section) -> dict[str, Any]:
        """Return one section with the tables of its items and its facts."""
        rows = [self._row(fact) for fact in section.facts]
        name = f"part-{self.number}"
        sentence = _section_words(section)
        titles = _told_apart([one.title for one in section.tables])
        return {
            "data": {
                "title": section.title,
                "words": sentence,
                "facts": [row["data"] for row in rows],
            },
            "id": name,
            "title": section.title,
            "words": sentence,
            # the names of regions differ from each other
            "caption": f"{section.title}, fact by fact"
            if section.tables
            else f"{section.title}: {sentence}",
            "rows": rows,
            "table": f"{name}-facts",
            "folded": bool(section.tables),
            "open": section.counts.get(words.REFUTED.word, 0) > 0,
            "tables": [
                {
                    "id": f"{name}-table-{index}",
                    "title": title,
                    "columns": table.columns,
                    "rows": [[_cell(cell) for cell in row] for row in table.rows],
                }
                for index, (title, table) in enumerate(zip(titles, section.tables, strict=True), 1)
            ],
        }

    def _row(self, fact: Fact) -> dict[str, Any]:
        mark = fact.mark
        first = ""
        if mark.word not in self.seen:
            first = self.seen[mark.word] = words.LEVEL_IDS[mark.word]
        where = f"#{fact.pointer}" if fact.pointer else self.file.state.path
        against = [self._against(place) for place in fact.against]
        data = {
            "fact": fact.name,
            "stated": fact.stated,
            "recomputed": list(fact.recomputed),
            "against": [side["words"] for side in against],
            "level": mark.word,
            "where": where,
        }
        return {
            "data": data,
            "name": fact.name,
            "stated": shown(fact.stated),
            "recomputed": [
                shown("the same" if value == fact.stated and len(value) > _LONG else value)
                for value in fact.recomputed or ("",)
            ],
            "against": against or [{"words": "–", "href": href("")}],
            "mark": mark,
            "first": first,
            "where": where,
            "href": self.link(f"{self.file.place}#{fact.pointer}"),
        }

    def _against(self, place: str) -> dict[str, Any]:
        """Return the other side of a comparison as it is called inside the file or the packet."""
        inside = place.removeprefix(f"{self.folder}/")
        if inside.startswith(f"{self.file.state.path}#"):
            inside = inside.removeprefix(self.file.state.path)
        return {"words": inside, "href": self.link(place)}


def _cell(cell: Cell) -> dict[str, Any]:
    """Return a cell for the table of a list; only what is refuted is also told in words."""
    refuted = cell.mark is words.REFUTED
    return {
        "name": cell.text if cell.mark is None else "",
        "value": shown(cell.text),
        "sign": cell.mark if cell.mark is not None and not refuted else None,
        "refuted": words.REFUTED if refuted else None,
        "found": shown(cell.found),
    }


def _findings_words(file: EvidenceFile, listed: int) -> str:
    """Say how many findings there are on a file."""
    if not file.findings:
        return "No rule found anything wrong in this file."
    sentence = f"{plural(len(file.findings), 'finding')} on this file."
    if len(file.findings) > listed:
        return f"{sentence} The first {listed} are shown; lanebook verify names all."
    return sentence


def _left(file: EvidenceFile) -> int:
    """Count the facts that the page does not show."""
    return file.facts - sum(len(section.facts) for section in file.sections)


def _facts_words(file: EvidenceFile) -> str:
    """Say what a reader finds below."""
    if not file.readable:
        return "No fact can be shown: these bytes are no JSON that lanebook reads."
    if not file.facts:
        return "The file states nothing."
    left = _left(file)
    if left:
        return f"{plural(left, 'fact')} of {file.facts} not shown here; the file has them all:"
    return f"{plural(file.facts, 'fact')}, in the order of the file, each with its mark:"


def _section_words(section: Section) -> str:
    """Say how the facts of one part are known, and what is not shown of it."""
    known = ", ".join(
        f"{section.counts[word]} {word}"
        for word in reversed(words.LEVEL_IDS)
        if word in section.counts
    )
    sentence = f"{plural(section.count, 'fact')}, {known}"
    left = section.count - len(section.facts)
    return f"{sentence}; {left} not shown here" if left else sentence
