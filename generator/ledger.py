"""The claim ledger: every claim of a lane with what could be computed against it (spec 3).

A claim is *recomputed* where bytes gave the other side, *cross-checked* where another document
did, and *claimed only* where nothing did. The ledger judges single claims; the rules in
:mod:`generator.rules.citations` and :mod:`generator.rules.statements` turn what differs into
findings.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from generator.model.digest import Digest, is_digest
from generator.model.document import Document, DocumentKind, HashMention, Statement
from generator.model.finding import Claim
from generator.model.lane import Lane
from generator.model.outcome import Agreement, Level
from generator.model.packet import MANIFEST, FileState
from generator.names import visible
from generator.states import computed_tree, file_states

_OWN_TREE = re.compile(r"(?:^|/)evidence_packet/(?:packet_)?tree(?:_sha256)?$|^packet_tree_sha256$")
_FILE_COUNT = re.compile(r"(?:^|/)evidence_packet/(?:file_count(?:_local)?|files)$|^file_count$")
_TREE_WORD = re.compile(r"\btree\b|packet_tree", re.IGNORECASE)
_SYNONYMS = {
    "status": "final status",
    "delegation consumed": "delegated decision consumed",
    "delegation": "delegated decision consumed",
    "evidence packet tree": "packet tree sha256",
    "packet tree": "packet tree sha256",
    "evidence packet tree packet tree sha256": "packet tree sha256",
}
_WORDS = {"yes": "true", "no": "false", "none": "null"}


class Row(NamedTuple):
    """A claim, and the code and message of the finding where it is shown to be wrong."""

    claim: Claim
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What the packet of a lane gives to hold claims against."""

    folder: str
    tree: Digest | None
    listed: int
    present: int
    by_digest: dict[str, str] = field(default_factory=dict)
    by_name: dict[str, list[FileState]] = field(default_factory=dict)

    @classmethod
    def of(cls, lane: Lane, states: Sequence[FileState]) -> _Evidence:
        if lane.packet is None:
            return cls(lane.evidence, None, 0, 0)
        by_digest: dict[str, str] = {}
        by_name: dict[str, list[FileState]] = {}
        for state in states:
            if state.computed is not None:
                by_digest.setdefault(state.computed, state.path)
            for name in {state.path, state.path.rsplit("/", 1)[-1]}:
                by_name.setdefault(name, []).append(state)
        return cls(
            folder=lane.evidence,
            tree=computed_tree(lane.packet),
            listed=sum(state.listed is not None for state in states),
            present=sum(state.computed is not None for state in states),
            by_digest=by_digest,
            by_name=by_name,
        )

    def place(self, path: str) -> str:
        return f"{self.folder}/{visible(path)}"


def document_rows(lane: Lane, states: Sequence[FileState] | None = None) -> list[Row]:
    """Return a row for everything that the documents of a lane state."""
    if states is None:
        states = file_states(lane.packet) if lane.packet is not None else ()
    evidence = _Evidence.of(lane, states)
    others = _Shared.of(lane.documents)
    rows: list[Row] = []
    taken: dict[str, int] = {}
    for document in lane.documents:
        mentions = {(mention.where, mention.text): mention for mention in document.hashes}
        covered: set[tuple[str, str]] = set()
        for statement in document.statements:
            key = (statement.where, statement.value)
            mention = mentions.get(key)
            if mention is not None:
                covered.add(key)
            rows.append(_judge(statement, mention, document, evidence, others))
        rows.extend(
            _judge_mention(mention, document, evidence, others)
            for mention in document.hashes
            if (mention.where, mention.text) not in covered
        )
    return [_numbered(row, taken) for row in rows]


def _numbered(row: Row, taken: dict[str, int]) -> Row:
    """Give every claim an id of its own; the second with the same place and key is ``… (2)``."""
    count = taken[row.claim.id] = taken.get(row.claim.id, 0) + 1
    if count == 1:
        return row
    return row._replace(claim=row.claim._replace(id=f"{row.claim.id} ({count})"))


@dataclass(frozen=True, slots=True)
class _Shared:
    """What documents of one lane say of the same key."""

    by_key: dict[str, list[tuple[str, str, str]]]
    """Key to (document, value in one form, place)."""
    by_hash: dict[str, list[tuple[str, str]]]
    """Whole hash to (document, place)."""

    @classmethod
    def of(cls, documents: Sequence[Document]) -> _Shared:
        by_key: dict[str, list[tuple[str, str, str]]] = {}
        by_hash: dict[str, list[tuple[str, str]]] = {}
        for document in documents:
            for mention in document.hashes:
                if mention.form == "full":
                    by_hash.setdefault(mention.text, []).append((document.name, mention.where))
            for statement in document.statements:
                by_key.setdefault(_plain_key(statement.key), []).append(
                    (document.name, _plain_value(statement.value), statement.where)
                )
        return cls(by_key, by_hash)

    def citing(self, digest: str, document: Document) -> str:
        """Return the place at which another document states the same whole hash."""
        places = self.by_hash.get(digest, ())
        return next((where for name, where in places if name != document.name), "")

    def agreeing(self, statement: Statement, document: Document) -> str:
        """Return the place at which another document says the same of the same key."""
        value = _plain_value(statement.value)
        for name, other, where in self.by_key.get(_plain_key(statement.key), ()):
            if name != document.name and other == value:
                return where
        return ""


def _plain_key(key: str) -> str:
    words = re.sub(r"[^a-z0-9]+", " ", key.rsplit("/", 1)[-1].lower()).strip()
    return _SYNONYMS.get(words, words)


def _plain_value(value: str) -> str:
    text = value.strip().strip("`*_\"'").rstrip(".").strip().lower()
    return _WORDS.get(text, text)


def _judge(
    statement: Statement,
    mention: HashMention | None,
    document: Document,
    evidence: _Evidence,
    others: _Shared,
) -> Row:
    """Hold one statement against the evidence, then against the other documents."""
    claim = Claim(
        _claim_id(statement.where, statement.key),
        statement.value,
        None,
        Agreement.NOT_COMPARED,
        Level.CLAIMED_ONLY,
        statement.where,
    )
    if mention is not None and mention.form == "ambiguous":
        return _ambiguous(claim, mention)
    if evidence.tree is not None and _is_own_tree(statement, document):
        return _against_tree(claim, evidence)
    if evidence.listed and statement.type == "integer" and _FILE_COUNT.search(statement.key):
        return _against_count(claim, evidence)
    if is_digest(statement.value):
        label = mention.label if mention is not None else statement.key
        row = _against_bytes(claim, label, evidence)
        return _cross_checked(row, others.citing(statement.value, document))
    return _cross_checked(Row(claim), others.agreeing(statement, document))


def _cross_checked(row: Row, other: str) -> Row:
    """Raise a claim that nothing else confirmed to one that another document makes as well."""
    if not other or row.code or row.claim.level is not Level.CLAIMED_ONLY:
        return row
    return Row(
        row.claim._replace(agreement=Agreement.AGREES, level=Level.CROSS_CHECKED, against=other)
    )


def _claim_id(where: str, key: str) -> str:
    """A place in JSON already ends in the key; a place in text is a line."""
    return where if "#" in where else f"{where} {visible(key, 80)}".rstrip()


def _is_own_tree(statement: Statement, document: Document) -> bool:
    if document.kind is DocumentKind.MACHINE_REPORT:
        return _OWN_TREE.search(statement.key) is not None
    return is_digest(statement.value) and _plain_key(statement.key) == "packet tree sha256"


def _against_tree(claim: Claim, evidence: _Evidence) -> Row:
    same = claim.stated == evidence.tree
    judged = claim._replace(
        recomputed=str(evidence.tree),
        agreement=Agreement.AGREES if same else Agreement.DIFFERS,
        level=Level.RECOMPUTED,
        against=evidence.place(MANIFEST),
    )
    if same:
        return Row(judged)
    return Row(judged, "DOC-TREE", "The document cites another tree hash than the packet has.")


def _against_count(claim: Claim, evidence: _Evidence) -> Row:
    """A count of files may be of the listed or the present ones, with or without the two seals."""
    readings = {
        evidence.listed: "listed in the manifest",
        evidence.listed + 2: "listed in the manifest, and the two seal files",
        evidence.present: "present",
        evidence.present + 2: "present, and the two seal files",
    }
    stated = int(claim.stated) if len(claim.stated) < 20 else -1
    if stated in readings:
        return Row(
            claim._replace(
                recomputed=f"{stated} {readings[stated]}",
                agreement=Agreement.AGREES,
                level=Level.RECOMPUTED,
                against=evidence.place(MANIFEST),
            )
        )
    return Row(
        claim._replace(
            recomputed=f"{evidence.listed} listed, {evidence.present} present",
            agreement=Agreement.DIFFERS,
            level=Level.RECOMPUTED,
            against=evidence.place(MANIFEST),
        ),
        "DOC-COUNT",
        f"The document states {claim.stated} files; the manifest lists {evidence.listed}.",
    )


def _against_bytes(claim: Claim, label: str, evidence: _Evidence) -> Row:
    """Look for the bytes behind a whole digest; a file that is named must be the one."""
    named = evidence.by_name.get(label) or evidence.by_name.get(label.rsplit("/", 1)[-1], [])
    path = evidence.by_digest.get(claim.stated)
    if path is None and len(named) == 1 and named[0].computed is not None:
        return Row(
            claim._replace(
                recomputed=str(named[0].computed),
                agreement=Agreement.DIFFERS,
                level=Level.RECOMPUTED,
                against=evidence.place(named[0].path),
            ),
            "DOC-HASH",
            f"The document states another digest for {visible(label, 120)} than its bytes give.",
        )
    if path is not None:
        return Row(
            claim._replace(
                recomputed=claim.stated,
                agreement=Agreement.AGREES,
                level=Level.RECOMPUTED,
                against=evidence.place(path),
            )
        )
    if claim.stated == evidence.tree:
        return Row(
            claim._replace(
                recomputed=claim.stated,
                agreement=Agreement.AGREES,
                level=Level.RECOMPUTED,
                against=evidence.place(MANIFEST),
            )
        )
    return Row(claim)


def _judge_mention(
    mention: HashMention, document: Document, evidence: _Evidence, others: _Shared
) -> Row:
    """Judge a hash that stands inside a sentence, a cell or a longer string."""
    claim = Claim(
        _claim_id(mention.where, mention.label or "hash")
        + ("" if "#" not in mention.where else " hash"),
        mention.text,
        None,
        Agreement.NOT_COMPARED,
        Level.CLAIMED_ONLY,
        mention.where,
    )
    if mention.form == "ambiguous":
        return _ambiguous(claim, mention)
    if mention.form != "full":
        return Row(claim)
    if evidence.tree is not None and _cites_foreign_tree(mention, document, evidence.tree):
        return _against_tree(claim, evidence)
    row = _against_bytes(claim, mention.label, evidence)
    return _cross_checked(row, others.citing(mention.text, document))


def _ambiguous(claim: Claim, mention: HashMention) -> Row:
    """Name every reading of a hash that runs into what stands before or after it; choose none."""
    readings = "; or as ".join(visible(reading, 100) for reading in mention.readings)
    return Row(
        claim._replace(agreement=Agreement.AMBIGUOUS),
        "DOC-REVISION",
        f"A hash and what stands beside it run together; it can be read as {readings}.",
    )


def _cites_foreign_tree(mention: HashMention, document: Document, tree: Digest) -> bool:
    """Whether a document speaks of a tree hash in full and never of the one its packet has.

    A document may well cite the trees of other packets beside its own.
    """
    return (
        document.kind is not DocumentKind.MACHINE_REPORT
        and _TREE_WORD.search(mention.label) is not None
        and not any(other.text == tree for other in document.hashes)
    )
