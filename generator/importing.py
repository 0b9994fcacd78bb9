"""Older documents become lane folders, and nothing is invented (spec 5, ``lanebook import``).

Documents belong to one lane where they state the same own final status, cite the same tree of
their own packet by its full hash, or name the same packet folder. An abbreviated hash groups
nothing: two lanes may share its digits. Whatever says too little to be grouped is its own lane.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from generator.errors import InputError
from generator.model.document import Document, DocumentKind, HashMention
from generator.model.lane import parse_lane_id
from generator.reading import textdoc
from generator.reading.documents import read_document

_OUTCOMES = (
    "READY_NOT_APPLIED",
    "NOT_APPLIED",
    "NOT_READY",
    "NOT_RUN",
    "APPLIED",
    "READY",
    "PASSED",
    "PASS",
    "FAILED",
    "FAIL",
    "BLOCKED",
    "PARTIAL",
    "ABORTED",
    "COMPLETED",
    "COMPLETE",
    "SKIPPED",
)
# A status made of these alone is said by every other lane too.
_EVERYDAY = frozenset(
    (
        *(
            "ACCEPTED",
            "ALL",
            "APPROVED",
            "AWAITING",
            "CLOSED",
            "DECISION",
            "DONE",
            "DRAFT",
            "FINAL",
        ),
        *("HOLD", "IN", "IS", "LANE", "NO", "NOT", "OK", "OPEN", "OWNER", "PENDING", "PRODUCTION"),
        *("PROGRESS", "REJECTED", "REVIEW", "RUN", "STATUS", "STILL", "TO", "UNDER", "WAITING"),
        *(word for outcome in _OUTCOMES for word in outcome.split("_")),
    )
)
_STATUS = re.compile(r"[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+\Z")
_FOLDER = re.compile(r"(?<![\w.-])[\w.-]{3,200}/")
_PACKET_FOLDER = re.compile(r"([A-Za-z0-9][\w.-]*)-packet-[0-9]{4}-[0-9]{2}-[0-9]{2}/\Z")
_TREE_LABEL = re.compile(r"(?i)(?:\A|[ _-])tree(?:\Z|[ ._-])")
_EVIDENCE = re.compile(r"(?i)\bevidence\b")

_FILE_NAMES = {
    DocumentKind.MACHINE_REPORT: ("report", "json"),
    DocumentKind.REPORT: ("report", "md"),
    DocumentKind.CHECKPOINT: ("checkpoint", "md"),
    DocumentKind.DECISION_PACKET: ("decision-packet", "md"),
    DocumentKind.ADDENDUM: ("governance-addendum", "md"),
    DocumentKind.OTHER: ("document", "md"),
}
_ORDER = list(_FILE_NAMES)


class ImportedFile(NamedTuple):
    """A document under its new name; ``source`` is the name that it came with."""

    name: str
    source: str
    kind: DocumentKind
    data: bytes


class ImportedLane(NamedTuple):
    """A lane folder as it will be written; ``date`` is empty unless all who state one agree."""

    id: str
    date: str
    id_from: str
    """What the id was taken from, in words."""
    files: tuple[ImportedFile, ...]

    @property
    def lane_yml(self) -> bytes:
        """The bytes of ``lane.yml``: the id, and the date where the documents state one."""
        # Quoted, as a plain word of digits would be read as a number.
        lines = [f"# Imported; the id comes from {self.id_from}.", f'id: "{self.id}"']
        if self.date:
            lines.append(f'date: "{self.date}"')
        return "".join(f"{line}\n" for line in lines).encode()

    def contents(self) -> dict[str, bytes]:
        """Return every file of the folder by its name."""
        return {"lane.yml": self.lane_yml, **{file.name: file.data for file in self.files}}


class _Source(NamedTuple):
    document: Document
    data: bytes
    folder: str
    """The name in the document's own packet folder; empty if it names none, or several."""
    keys: tuple[tuple[str, str], ...]
    """What it shares with the other documents of its lane."""


def plan_import(documents: Sequence[tuple[str, bytes]]) -> list[ImportedLane]:
    """Return the lanes that ``documents`` (name, bytes) make, by id; writes nothing.

    The same documents in another order give the same lanes. Bytes given twice are kept once.

    Raises:
        InputError: a document cannot be read, or two lanes would get one id
            (``IMPORT-COLLISION``).
    """
    different = {data: name for name, data in sorted(documents, reverse=True)}
    sources = sorted(
        (_source(name, data) for data, name in different.items()),
        key=lambda source: (
            _ORDER.index(source.document.kind),
            source.document.name,
            source.document.sha256,
        ),
    )
    lanes: dict[str, ImportedLane] = {}
    for group in _grouped(sources):
        lane = _lane(group)
        other = lanes.get(lane.id)
        if other is not None:
            first, second = other.files[0].source, lane.files[0].source
            raise InputError(
                f"{first!r} and {second!r} would both become the lane {lane.id!r}, and state "
                "nothing that makes them one lane",
                code="IMPORT-COLLISION",
            )
        lanes[lane.id] = lane
    return [lanes[key] for key in sorted(lanes)]


def write_import(lanes: Sequence[ImportedLane], packets: Path) -> list[Path]:
    """Write each lane to ``packets/<id>/`` and return the folders, in order.

    A folder that already holds the same bytes is left alone, whatever else lies in it. All new
    ones are written beside their places and then renamed, so that nobody finds half a lane, nor
    half of the lanes.

    Raises:
        InputError: a folder is there with other content (``IMPORT-EXISTS``), before anything is
            written, or the disk refuses (``IMPORT-WRITE``).
    """
    missing = [lane for lane in lanes if not _is_there(lane, packets / lane.id)]
    written: list[tuple[ImportedLane, Path]] = []
    lane = missing[0] if missing else None
    try:
        for lane in missing:
            packets.mkdir(parents=True, exist_ok=True)
            fresh = packets / f".{lane.id}.{secrets.token_hex(6)}.importing"
            written.append((lane, fresh))
            _write(lane, fresh)
        for lane, fresh in written:
            fresh.rename(packets / lane.id)
    except BaseException as error:
        for _, fresh in written:
            shutil.rmtree(fresh, ignore_errors=True)
        if not isinstance(error, OSError) or lane is None:
            raise
        problem = f"cannot be written: {error.strerror or error}"
        raise InputError(problem, code="IMPORT-WRITE", place=(lane.id,)) from error
    return [packets / lane.id for lane in lanes]


def _is_there(lane: ImportedLane, folder: Path) -> bool:
    if not os.path.lexists(folder):
        return False
    for name, data in lane.contents().items():
        file = folder / name
        try:
            same = not folder.is_symlink() and not file.is_symlink() and file.is_file()
            same = same and file.stat().st_size == len(data) and file.read_bytes() == data
        except OSError:
            same = False
        if not same:
            problem = f"the lane folder is there already, and its {name} is not the one imported"
            raise InputError(problem, code="IMPORT-EXISTS", place=(lane.id,))
    return True


def _write(lane: ImportedLane, folder: Path) -> None:
    folder.mkdir()
    for name, data in lane.contents().items():
        (folder / name).write_bytes(data)


# --- which documents are one lane ---


def _source(name: str, data: bytes) -> _Source:
    document = read_document(name, data)
    keys: list[tuple[str, str]] = []
    status = document.status.value if document.status else ""
    if _tells_lanes_apart(status):
        keys.append(("status", status.upper()))
    tree = _only(_own_trees(document))
    if tree:
        keys.append(("tree", tree))
    folder = _only(_own_folders(document, data))
    if folder:
        keys.append(("folder", folder))
    return _Source(document, data, folder.split("-packet-")[0] if folder else "", tuple(keys))


def _grouped(sources: Sequence[_Source]) -> list[list[_Source]]:
    """Return the sources in groups that share a key, directly or through others."""
    parent = list(range(len(sources)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    holders: dict[tuple[str, str], int] = {}
    for at, source in enumerate(sources):
        for key in source.keys:
            first, second = sorted((root(at), root(holders.setdefault(key, at))))
            parent[second] = first
    groups: dict[int, list[_Source]] = {}
    for at, source in enumerate(sources):
        groups.setdefault(root(at), []).append(source)
    return list(groups.values())


def _own_trees(document: Document) -> list[list[str]]:
    """Return the full tree hashes that may be the own packet's, the surest group first."""
    named: list[str] = []
    others: list[str] = []
    for mention in document.hashes:
        if mention.form != "full" or not _TREE_LABEL.search(mention.label):
            continue
        sure = _is_own(document, mention)
        if sure is not None:
            (named if sure else others).append(mention.text)
    return [named, others]


def _is_own(document: Document, mention: HashMention) -> bool | None:
    """Tell how surely a mention speaks of the own packet; None where it speaks of another."""
    if document.data is not None:
        # a name and a key may hold '#' too; a report that is one text has no key at all
        steps = mention.where.removeprefix(f"{document.name}#").split("/")[1:]
        if steps and steps[0].startswith(("evidence_packet", "packet")):
            return True
        return False if len(steps) <= 1 else None
    section = textdoc.section_at(document.sections, int(mention.where.rsplit(":", 1)[1]))
    if textdoc.of_other_lanes(section):
        return None
    return bool(_EVIDENCE.search(section) or _EVIDENCE.search(mention.label)) or (
        "packet_tree" in mention.label
    )


def _own_folders(document: Document, data: bytes) -> list[list[str]]:
    """Return the packet folders that may be the own one, the surest group first."""
    sure: list[str] = []
    others: list[str] = []
    if document.data is not None:
        for statement in document.statements:
            steps = statement.key.split("/")
            if steps[-1] == "path" and steps[0].startswith(("evidence_packet", "packet")):
                sure.extend(_folders(statement.value))
        return [sure]
    for number, line in enumerate(re.split(r"\r\n|\r|\n", data.decode()), 1):
        for folder in _folders(line) if "-packet-" in line else ():
            section = textdoc.section_at(document.sections, number)
            if not textdoc.of_other_lanes(section):
                (sure if _EVIDENCE.search(section) else others).append(folder)
    return [sure, others]


def _folders(text: str) -> list[str]:
    found = (_PACKET_FOLDER.match(folder) for folder in _FOLDER.findall(text))
    return [match[0].rstrip("/") for match in found if match]


def _only(groups: Iterable[list[str]]) -> str:
    """Return what the surest group names, if that is one thing."""
    for group in groups:
        if group:
            return group[0] if len(set(group)) == 1 else ""
    return ""


# --- what the lane is called ---


def _lane(group: Sequence[_Source]) -> ImportedLane:
    lane_id, origin = _lane_id(group)
    dates = {source.document.date for source in group} - {""}
    taken: dict[DocumentKind, int] = {}
    files: list[ImportedFile] = []
    for source in group:
        kind = source.document.kind
        taken[kind] = taken.get(kind, 0) + 1
        stem, extension = _FILE_NAMES[kind]
        number = f"-{taken[kind]}" if taken[kind] > 1 else ""
        name = f"{stem}{number}.{extension}"
        files.append(ImportedFile(name, source.document.name, kind, source.data))
    return ImportedLane(lane_id, dates.pop() if len(dates) == 1 else "", origin, tuple(files))


def _lane_id(group: Sequence[_Source]) -> tuple[str, str]:
    for source in group:
        status = source.document.status.value if source.document.status else ""
        if _tells_lanes_apart(status):
            found = _slug(_without_outcome(status))
            if found:
                return found, "the final status"
    for source in group:
        if source.folder and (found := _slug(source.folder)):
            return found, "the packet folder"
    first = group[0].document
    found = _slug(first.title)
    if found:
        return found, "a title"
    # A title without a letter that a folder name may hold; the bytes still tell it apart.
    return f"document-{first.sha256[:16]}", "the digest of the document"


def _tells_lanes_apart(status: str) -> bool:
    """Tell whether a status names its lane: at least two words beyond those all lanes use."""
    if not _STATUS.match(status):
        return False
    words = _without_outcome(status).upper().split("_")
    return len(words) >= 2 and sum(word not in _EVERYDAY for word in words) >= 2


def _without_outcome(status: str) -> str:
    upper = status.upper()
    for outcome in _OUTCOMES:
        if upper.endswith(f"_{outcome}"):
            return status[: -len(outcome) - 1]
    return status


def _slug(text: str) -> str:
    """Return a lane id made of ``text``, or nothing if no letter or digit is left."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")[:80].rstrip("-")
    for candidate in (slug, f"lane-{slug}") if slug else ():
        try:
            return parse_lane_id(candidate)
        except InputError:  # a name that some system reserves
            continue
    return ""
