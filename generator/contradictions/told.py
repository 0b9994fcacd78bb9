"""Every fact that the documents of a lane state, in one list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache

from generator.contradictions import counting, flags, naming, numbering, wording
from generator.contradictions.fact import (
    BLOCKERS,
    CONTROLS,
    DRIFT,
    ENTRIES,
    PROBES,
    STEPS,
    SURFACES,
    Fact,
)
from generator.contradictions.spans import Span, in_own_time, spans
from generator.errors import InputError
from generator.model.document import Document
from generator.model.lane import Lane
from generator.reading import strictjson

_EVIDENCE_LISTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "bad-input-probes.json": (("probes", PROBES),),
    "forbidden-surface-proof.json": (("surfaces", SURFACES),),
    "production-readiness-blocker-map.json": (("blockers", BLOCKERS),),
    "rehearsal-log.json": (("steps", STEPS),),
    "rollback-recovery-proof.json": (("entries", ENTRIES),),
    "hardened-validator-result.json": (("negative_controls", CONTROLS),),
    "ci-seal-vs-bytes-result.json": (("classes", DRIFT),),
}


def of_lane(lane: Lane) -> tuple[Fact, ...]:
    """Return what the documents of a lane state, and what its evidence says of the same."""
    documents = list(_distinct(lane.documents))
    pieces = {document.name: list(spans(document)) for document in documents}
    found = [fact for document in documents for fact in facts(document, pieces[document.name])]
    found.extend(flags.affirmed(documents, [piece for told in pieces.values() for piece in told]))
    if lane.packet is not None and lane.documents:
        read = strictjson.Limits(
            lane.packet.json_depth, lane.packet.json_digits, lane.packet.json_bytes
        )
        files: list[tuple[str, object]] = []
        for entry in lane.packet.entries:
            if entry.path in _EVIDENCE_LISTS and entry.content is not None:
                # what is not strict JSON has a finding of its own
                with suppress(InputError):
                    files.append(
                        (entry.path, strictjson.loads(entry.content, where=entry.path, limits=read))
                    )
        # first, so that a document is held against bytes where there are any
        found = [*in_evidence(files, lane.evidence), *found]
    return tuple(found)


def _distinct(documents: Sequence[Document]) -> Iterator[Document]:
    """Yield the documents without copies, which agree with everything."""
    seen: set[str] = set()
    for document in documents:
        if document.sha256 not in seen:
            seen.add(document.sha256)
            yield document


@lru_cache(maxsize=2048)
def _of_piece(piece: Span) -> tuple[Fact, ...]:
    """Return what one piece states by itself; the controls of the selftest share most of theirs."""
    found: list[Fact] = []
    if piece.kind != "title":
        now = in_own_time(piece)
        found.extend(counting.in_span(now))
        found.extend(numbering.ranges(piece))
        found.extend(numbering.topics(now))
        found.extend(wording.in_span(now))
        found.extend(flags.in_span(piece))
        found.extend(naming.heads(piece))
    return tuple(found)


def facts(document: Document, pieces: Sequence[Span]) -> list[Fact]:
    """Return what one document states, in its order by kind of fact."""
    found = [fact for piece in pieces for fact in _of_piece(piece)]
    found.extend(counting.labelled(document))
    for table in document.tables:
        found.extend(counting.in_table(table, document.name))
        found.extend(wording.in_table(table, document.name))
        found.extend(wording.failed_rows(table, document.name))
    if document.data is not None:
        found.extend(counting.in_json(document))
        found.extend(numbering.in_json(document))
        found.extend(wording.in_json(document))
    found.extend(counting.referenced(pieces))
    found.extend(numbering.ids(pieces))
    found.extend(numbering.steps(pieces))
    found.extend(wording.rest(pieces))
    found.extend(wording.in_statements(document))
    found.extend(flags.in_statements(document))
    found.extend(flags.of_shares(found))
    found.extend(flags.of_defaults(found))
    found.extend(naming.dates(document, pieces))
    found.extend(naming.hashes(document))
    return found


def in_evidence(files: Sequence[tuple[str, object]], folder: str) -> Iterator[Fact]:
    """Yield how many rows the evidence files have that documents count.

    Args:
        files: path in the packet and parsed JSON of each file of a known kind.
        folder: how the packet's folder is named in places.
    """
    for path, data in files:
        for key, subject in _EVIDENCE_LISTS.get(path, ()):
            rows = data.get(key) if isinstance(data, dict) else None
            if isinstance(rows, list):
                count = sum(map(counting.is_open, rows)) if subject == BLOCKERS else len(rows)
                where = f"{folder}/{path}#/{key}"
                yield Fact("listed", subject, str(count), where, f"{count} in the evidence")
