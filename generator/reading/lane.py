"""Lane folders, older layouts, bare packets and lone documents: all become a :class:`Lane`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from generator.errors import InputError
from generator.model.digest import Digest, sha256
from generator.model.document import Document
from generator.model.finding import Finding
from generator.model.lane import Lane, LaneMeta
from generator.model.packet import Packet
from generator.names import visible
from generator.reading.limits import DEFAULT, Limits
from generator.reading.tree import KIND_CODES, Sink, keep_json, kind_of, read_file, read_packet

EVIDENCE = "evidence"
LANE_FILE = "lane.yml"
DOCUMENT_ENDINGS = (".md", ".json", ".txt")


@dataclass(frozen=True, slots=True)
class LaneSource:
    """Where the parts of one lane stand; nothing has been opened yet."""

    id: str
    """Safe as a file name."""
    label: str
    """The folder as people know it, relative to the root and safe to print."""
    folder: Path
    layout: str = "lane"
    evidence: Path | None = None
    documents: tuple[Path, ...] = ()
    refusals: tuple[Finding, ...] = ()


def read_lane(
    source: LaneSource,
    *,
    limits: Limits = DEFAULT,
    keep: Callable[[str, int], bool] = keep_json,
    sink: Sink | None = None,
    parsed: Iterable[Document] = (),
) -> Lane:
    """Read everything of one lane; what cannot be read is a refusal of the lane, never an error.

    A document of the name and the digest of one of ``parsed`` is taken to be that one.
    """
    refusals = list(source.refusals)
    meta = LaneMeta(id=source.id)
    if source.layout == "lane":
        meta = _read_meta(source, refusals)
    packet: Packet | None = None
    if source.evidence is not None:
        try:
            packet = read_packet(
                source.evidence,
                profile=meta.tree_profile,
                pins=dict(meta.pins),
                limits=limits,
                keep=keep,
                sink=sink,
            )
        except InputError as error:
            refusals.append(refusal(error, source.evidence.name))
    documents = []
    known = {(document.name, document.sha256): document for document in parsed}
    for path in source.documents:
        document = _read_document(path, limits, refusals, sink, known)
        if document is not None:
            documents.append(document)
    return Lane(
        id=source.id,
        folder=source.label,
        meta=meta,
        packet=packet,
        documents=tuple(documents),
        refusals=tuple(refusals),
        layout=source.layout,
    )


def refusal(error: InputError, where: str) -> Finding:
    """Return the finding for something that could not be read."""
    return Finding(error.code, visible(where), "", "", f"{error}.")


def _read_meta(source: LaneSource, refusals: list[Finding]) -> LaneMeta:
    """Read ``lane.yml``; without one, everything but the id is absent."""
    path = source.folder / LANE_FILE
    if not os.path.lexists(path):
        return LaneMeta(id=source.id)
    try:
        data = read_file(path, 1024 * 1024, code="YAML-BYTES")
    except InputError as error:
        refusals.append(refusal(error, LANE_FILE))
        return LaneMeta(id=source.id)
    from generator.reading import lanefile  # late: bare packets have none

    meta, findings = lanefile.parse(data, source.folder.name)
    refusals.extend(findings)
    return replace(meta, id=source.id)


def _read_document(
    path: Path,
    limits: Limits,
    refusals: list[Finding],
    sink: Sink | None,
    known: Mapping[tuple[str, Digest], Document],
) -> Document | None:
    from generator.reading.documents import read_document  # late: bare packets have none

    try:
        data = read_file(path, limits.document_bytes, code="DOC-SIZE")
        if sink is not None:
            sink.whole(sha256(data), memoryview(data))
        name = visible(path.name)
        found = known.get((name, sha256(data))) if known else None
        return found or read_document(name, data, limits=limits)
    except InputError as error:
        refusals.append(refusal(error, path.name))
        return None


def lane_source(folder: Path, label: str, lane_id: str) -> LaneSource:
    """Look at a lane folder: which of its entries are documents, and where its evidence is.

    Raises:
        OSError: the folder cannot be listed.
    """
    documents: list[Path] = []
    refusals: list[Finding] = []
    evidence: Path | None = None
    with os.scandir(folder) as items:
        for item in sorted(items, key=lambda item: os.fsencode(item.name)):
            name = item.name
            if name == EVIDENCE and not item.is_file(follow_symlinks=False):
                # a link here is refused by name when it is opened
                evidence = folder / name
            elif name == LANE_FILE or name.startswith("."):
                continue
            elif item.is_file(follow_symlinks=False):
                if name.endswith(DOCUMENT_ENDINGS):
                    documents.append(folder / name)
                else:
                    refusals.append(_unread(name, "is no document that lanebook reads"))
            elif item.is_dir(follow_symlinks=False):
                refusals.append(_unread(name, "is a folder beside the evidence"))
            else:
                kind = kind_of(item.stat(follow_symlinks=False).st_mode)
                refusals.append(
                    Finding(
                        KIND_CODES[kind],
                        visible(name),
                        "a regular file",
                        str(kind),
                        f"A {kind}; it was not opened.",
                    )
                )
    return LaneSource(lane_id, label, folder, "lane", evidence, tuple(documents), tuple(refusals))


def _unread(name: str, why: str) -> Finding:
    return Finding("LANE-UNREAD", visible(name), "", "", f"Not read: it {why}.", severity="note")
