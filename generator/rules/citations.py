"""What documents cite of the evidence is what the evidence gives."""

from __future__ import annotations

from collections.abc import Iterator

from generator.model.digest import Digest, sha256
from generator.model.document import Document, DocumentKind, HashMention, Statement
from generator.model.finding import Finding
from generator.rules import samples
from generator.rules.base import Code, Rule
from generator.rules.context import InLane
from generator.states import computed_tree

_TODO = "Correct the document from the packet; never the packet from the document."
CODES = {
    "DOC-TREE": Code(
        "A document cites another tree hash than its packet has.",
        "What it tells of was decided on other evidence than the one that lies here.",
        _TODO,
    ),
    "DOC-COUNT": Code(
        "A document states another number of files than its packet has.",
        "Evidence came or went between the packet and the document.",
        _TODO,
    ),
    "DOC-HASH": Code(
        "A document states a digest for a file whose bytes give another.",
        "The document speaks of bytes that are not these.",
        _TODO,
    ),
}


def check(subject: InLane) -> Iterator[Finding]:
    """Report every citation that the bytes contradict."""
    if subject.lane.packet is None:
        return
    for row in subject.rows:
        if row.code in CODES:
            yield Finding(
                row.code,
                row.claim.where,
                row.claim.stated,
                row.claim.recomputed or "",
                row.message,
            )


def _lane(tree: str, count: str, digest: str) -> InLane:
    """Return a lane whose machine report makes these three claims."""
    pairs = {
        "evidence_packet/packet_tree_sha256": (tree, "string"),
        "evidence_packet/file_count": (count, "integer"),
        "hashes/commands.sh": (digest, "string"),
    }
    statements = tuple(
        Statement(key, value, f"report.json#/{key}", kind) for key, (value, kind) in pairs.items()
    )
    report = Document(
        name="report.json",
        kind=DocumentKind.MACHINE_REPORT,
        sha256=sha256(b"report"),
        size=6,
        title="sample",
        date="",
        status=None,
        statements=statements,
        hashes=tuple(
            HashMention(item.value, "full", item.where, item.key.rsplit("/", 1)[-1])
            for item in statements
            if item.type == "string"
        ),
    )
    return InLane.of(samples.lane([report]))


def _tree() -> Digest:
    return computed_tree(samples.packet()) or samples.other_digest()


def _digest() -> Digest:
    return sha256(dict(samples.FILES)["commands.sh"])


RULE = Rule(
    name="citations",
    protects="against a document that was written on other evidence than the packet beside it",
    codes=CODES,
    check=check,
    sound=lambda: _lane(_tree(), "4", _digest()),
    controls={
        "DOC-TREE": lambda: _lane(samples.other_digest(), "4", _digest()),
        "DOC-COUNT": lambda: _lane(_tree(), "9", _digest()),
        "DOC-HASH": lambda: _lane(_tree(), "4", samples.other_digest()),
    },
)
