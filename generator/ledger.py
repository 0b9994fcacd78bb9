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
from functools import lru_cache
from typing import NamedTuple

from generator.model.digest import Digest, is_digest
from generator.model.document import Document, DocumentKind, HashMention, Statement, read_place
from generator.model.finding import Claim
from generator.model.lane import Lane
from generator.model.outcome import Agreement, Level
from generator.model.packet import MANIFEST, FileState
from generator.names import visible
from generator.states import computed_tree, file_states

# what a document says of its own packet stands at its top, or under a key that names the packet
_OWN_TREE = re.compile(
    r"(?:(?:evidence_packet|evidence|packet)/)?(?:packet_|evidence_)?tree(?:_hash|_sha256)?\Z"
)
_OWN_TREE_WORDS = re.compile(r"(?:evidence )?(?:packet )?tree(?: hash)?(?: sha256)?\Z")
_FILE_COUNT = re.compile(
    r"(?:(?:evidence_packet|evidence|packet)/)?(?:file_count(?:_local)?|files)\Z"
)
_TREE_WORD = re.compile(r"\btree\b|packet_tree", re.IGNORECASE)
_OF_OTHERS = re.compile(
    r"(?:^|[/_ -])"
    r"(?:preflight|previous|prior|predecessor|earlier|upstream|before|inputs?)"
    r"(?:[/_ -]|$)",
    re.IGNORECASE,
)
"""A key that speaks of other lanes."""

_SYNONYMS = {
    "status": "final status",
    "delegation consumed": "delegated decision consumed",
    "delegation": "delegated decision consumed",
}
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_TREE_NAMES = f"{MANIFEST} evidence packet tree"
_SAYS_NO_NAME = frozenset({"digest", "file", "hash", "of", "path", "sha256", "sum", "the"})
"""Words of a key that say that something is hashed, and not what."""
_WORDS = {"yes": "true", "no": "false", "none": "null"}


def speaks_of_others(key: str) -> bool:
    """Whether a key, or the id of a claim, speaks of other lanes than its own."""
    return _OF_OTHERS.search(key) is not None


def names(label: str, path: str) -> bool:
    """Whether a label can only mean a file of this path: each of its words stands in the path.

    Bytes that merely have the digest that is stated may be anything, so they confirm nothing.
    """
    words = set(_NOT_WORD.split(label.lower())) - _SAYS_NO_NAME - {""}
    return bool(words) and words <= set(_NOT_WORD.split(path.lower()))


def label_of(claim: Claim) -> str:
    """Return the word of a document under which a claim stands: its key, or the nearest label."""
    pointer = read_place(claim.where).pointer
    if pointer is not None:
        return pointer.rsplit("/", 1)[-1]
    return claim.id.removeprefix(claim.where)


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
    by_digest: dict[str, list[str]] = field(default_factory=dict)
    by_path: dict[str, FileState] = field(default_factory=dict)
    by_name: dict[str, list[FileState]] = field(default_factory=dict)

    @classmethod
    def of(cls, lane: Lane, states: Sequence[FileState]) -> _Evidence:
        if lane.packet is None:
            return cls(lane.evidence, None, 0, 0)
        by_digest: dict[str, list[str]] = {}
        by_name: dict[str, list[FileState]] = {}
        for state in states:
            if state.computed is not None:
                by_digest.setdefault(state.computed, []).append(state.path)
            by_name.setdefault(state.path.rsplit("/", 1)[-1], []).append(state)
        return cls(
            folder=lane.evidence,
            tree=computed_tree(lane.packet),
            listed=sum(state.listed is not None for state in states),
            present=sum(state.computed is not None for state in states),
            by_digest=by_digest,
            by_path={state.path: state for state in states},
            by_name=by_name,
        )

    def named(self, label: str) -> list[FileState]:
        """Return the files that a label can mean: by its whole path, else by its bare name."""
        if label in self.by_path:
            return [self.by_path[label]]
        return [] if "/" in label else self.by_name.get(label, [])

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


class _Said(NamedTuple):
    """What one document says of one thing."""

    document: str
    plain: str
    """The value in one form, for comparing."""
    where: str
    value: str


@dataclass(frozen=True, slots=True)
class _Shared:
    """What documents of one lane say of the same thing.

    Between two machine reports that is the same pointer. Between JSON and text it is the same
    word, where either has it once only: ``/a/verdict`` and ``/b/verdict`` are two things.
    """

    pointers: dict[str, list[_Said]]
    words: dict[str, list[_Said]]
    """The same by word, of documents that state it once."""
    hashes: dict[str, list[tuple[str, str]]]
    """Whole hash to (document, place)."""
    texts: frozenset[str]
    """The documents that are text."""

    @classmethod
    def of(cls, documents: Sequence[Document]) -> _Shared:
        pointers: dict[str, list[_Said]] = {}
        words: dict[str, list[_Said]] = {}
        hashes: dict[str, list[tuple[str, str]]] = {}
        seen: set[Digest] = set()
        for document in documents:
            if document.sha256 in seen:
                continue  # a copy agrees with everything, and confirms nothing
            seen.add(document.sha256)
            once: dict[str, _Said | None] = {}
            for statement in document.statements:
                plain = _plain_value(statement.value)
                said = _Said(document.name, plain, statement.where, statement.value)
                if document.kind is DocumentKind.MACHINE_REPORT:
                    pointers.setdefault(statement.key, []).append(said)
                word = _plain_key(statement.key)
                if word and not word.isdigit():
                    once[word] = None if word in once else said
            for word, single in once.items():
                if single is not None:
                    words.setdefault(word, []).append(single)
            for mention in document.hashes:
                if mention.form == "full":
                    hashes.setdefault(mention.text, []).append((document.name, mention.where))
        texts = frozenset(
            document.name
            for document in documents
            if document.kind is not DocumentKind.MACHINE_REPORT
        )
        return cls(pointers, words, hashes, texts)

    def agreeing(self, statement: Statement, document: Document) -> tuple[str, str]:
        """Return where and how another document says the same, if none says otherwise."""
        plain = _plain_value(statement.value)
        mine = _Said(document.name, plain, statement.where, statement.value)
        among: list[_Said] = []
        if document.kind is DocumentKind.MACHINE_REPORT:
            among.extend(self.pointers.get(statement.key, ())[:_MOST_COMPARED])
        named = self.words.get(_plain_key(statement.key), [])[:_MOST_COMPARED]
        if mine in named:
            # two machine reports are compared by whole pointers only
            among.extend(
                said for said in named if said.document in self.texts or document.name in self.texts
            )
        others = [said for said in among if said.document != document.name]
        if not others or any(said.plain != plain for said in others):
            return "", ""
        return others[0].where, others[0].value

    def citing(self, digest: str, document: Document) -> tuple[str, str]:
        """Return where and how another document states the same whole hash."""
        places = self.hashes.get(digest, ())
        where = next((where for name, where in places if name != document.name), "")
        return where, digest


_MOST_COMPARED = 20
"""Documents of one lane that are compared; a lane has a handful."""


@lru_cache(maxsize=4096)  # the keys of documents come again and again
def _plain_key(key: str) -> str:
    words = _NOT_WORD.sub(" ", key[-200:].rsplit("/", 1)[-1].lower()).strip()
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
        visible(statement.where),
    )
    if mention is not None and mention.form == "ambiguous":
        return _ambiguous(claim, mention)
    if evidence.tree is not None and _is_own_tree(statement, document):
        return _against_tree(claim, evidence)
    if (
        evidence.listed
        and _FILE_COUNT.match(_pointer_or_words(statement, document))
        and statement.value.removeprefix("-").isdecimal()
    ):
        return _against_count(claim, evidence)
    if is_digest(statement.value):
        label = (mention.label if mention is not None else "") or statement.key
        row = _against_bytes(claim, label, evidence)
        return _cross_checked(row, others.citing(statement.value, document))
    return _cross_checked(Row(claim), others.agreeing(statement, document))


def _cross_checked(row: Row, other: tuple[str, str]) -> Row:
    """Raise a claim that nothing else confirmed to one that another document makes as well."""
    where, value = other
    if not where or row.code or row.claim.level is not Level.CLAIMED_ONLY:
        return row
    return Row(
        row.claim._replace(
            recomputed=value,
            agreement=Agreement.AGREES,
            level=Level.CROSS_CHECKED,
            against=where,
        )
    )


def _claim_id(where: str, key: str) -> str:
    """A place in JSON already ends in the key; a place in text is a line."""
    if read_place(where).pointer is not None:
        return visible(where)
    return f"{where} {visible(key, 80)}".rstrip()


def _pointer_or_words(statement: Statement, document: Document) -> str:
    """Return a key in the form in which machine reports write it."""
    if document.kind is DocumentKind.MACHINE_REPORT:
        return statement.key
    return _plain_key(statement.key).replace(" ", "_")


def _is_own_tree(statement: Statement, document: Document) -> bool:
    if document.kind is DocumentKind.MACHINE_REPORT:
        return _OWN_TREE.match(statement.key) is not None
    return (
        is_digest(statement.value)
        and _OWN_TREE_WORDS.match(_plain_key(statement.key.split("(")[0])) is not None
    )


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
        evidence.present + 2: "present, and the two seal files",
        evidence.listed + 2: "listed in the manifest, and the two seal files",
        evidence.present: "present",
        evidence.listed: "listed in the manifest",
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
    """Look for the bytes behind a whole digest; a file that is named must be the one.

    Bytes with this digest under a name of which the document does not speak are pointed at, and
    confirm nothing.
    """
    named = evidence.named(label) if not speaks_of_others(claim.id) else []
    if len(named) == 1:
        state = named[0]
        if state.computed is None:
            return Row(claim)
        same = state.computed == claim.stated
        judged = claim._replace(
            recomputed=str(state.computed),
            agreement=Agreement.AGREES if same else Agreement.DIFFERS,
            level=Level.RECOMPUTED,
            against=evidence.place(state.path),
        )
        if same:
            return Row(judged)
        name = visible(label, 120)
        return Row(
            judged,
            "DOC-HASH",
            f"The document states another digest for {name} than its bytes give.",
        )
    paths = evidence.by_digest.get(claim.stated, [])
    if claim.stated == evidence.tree:
        paths = [*paths, MANIFEST]
    if not paths:
        return Row(claim)
    meant = {state.path for state in named}
    for path in paths:
        if path in meant or names(label, _TREE_NAMES if path == MANIFEST else path):
            return Row(
                claim._replace(
                    recomputed=claim.stated,
                    agreement=Agreement.AGREES,
                    level=Level.RECOMPUTED,
                    against=evidence.place(path),
                )
            )
    return Row(claim if meant else claim._replace(against=evidence.place(paths[0])))


def _judge_mention(
    mention: HashMention, document: Document, evidence: _Evidence, others: _Shared
) -> Row:
    """Judge a hash that stands inside a sentence, a cell or a longer string."""
    claim = Claim(
        _claim_id(mention.where, mention.label or "hash")
        + ("" if read_place(mention.where).pointer is None else " hash"),
        mention.text,
        None,
        Agreement.NOT_COMPARED,
        Level.CLAIMED_ONLY,
        visible(mention.where),
    )
    if mention.form == "ambiguous":
        return _ambiguous(claim, mention)
    if mention.form != "full":
        return Row(claim)
    if evidence.tree is not None and _cites_foreign_tree(mention, document, evidence.tree, others):
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


def _cites_foreign_tree(
    mention: HashMention, document: Document, tree: Digest, others: _Shared
) -> bool:
    """Whether a text speaks of a tree hash in full and never of the one its packet has.

    A document may well cite the trees of other packets beside its own; whether this one is the
    tree of another lane is looked up when all lanes are known.
    """
    return (
        document.kind is not DocumentKind.MACHINE_REPORT
        and _TREE_WORD.search(mention.label) is not None
        and not any(name == document.name for name, _ in others.hashes.get(tree, ()))
    )
