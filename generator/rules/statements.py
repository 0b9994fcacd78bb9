"""The documents of a lane tell one story, and damage that was read around is named."""

from __future__ import annotations

from collections.abc import Iterator

from generator.model.digest import sha256
from generator.model.document import Damage, Document, DocumentKind, HashMention, Statement
from generator.model.finding import Finding
from generator.model.lane import Lane
from generator.names import visible
from generator.rules import samples
from generator.rules.base import Code, Rule
from generator.rules.context import InLane

_READ = "Correct the document at the place that is named."
CODES = {
    "DOC-STATUS": Code(
        "Documents of one lane state different final statuses.",
        "An owner who reads only one of them decides on something else.",
        "Find out which of them is right, and correct the other.",
    ),
    "DOC-DATE": Code(
        "Documents of one lane state different dates for it.",
        "They may not speak of the same run.",
        "Find out which of them is right, and correct the other.",
    ),
    "DOC-REVISION": Code(
        "A revision number and a hash run together.",
        "Where one ends and the other begins is open; lanebook does not choose.",
        _READ,
    ),
    "DOC-DAMAGE": Code(
        "A document is damaged and was read around the damage.",
        "What is told from it may not be what its author wrote.",
        _READ,
    ),
}


def check(subject: InLane) -> Iterator[Finding]:
    """Compare what the documents say of themselves, and pass on what is broken in them."""
    lane = subject.lane
    yield from _one_status(lane)
    yield from _one_date(lane)
    for row in subject.rows:
        if row.code == "DOC-REVISION":
            yield Finding(
                row.code, row.claim.where, row.claim.stated, "", row.message, severity="note"
            )
    for document in lane.documents:
        ambiguous = {
            (mention.where, mention.text)
            for mention in document.hashes
            if mention.form == "ambiguous"
        }
        for damage in document.damage:
            # told above, with all its readings
            if any(damage.where == where and text in damage.what for where, text in ambiguous):
                continue
            yield Finding(
                "DOC-DAMAGE", damage.where, "", "", f"{visible(damage.what, 300)}.", severity="note"
            )


def _one_status(lane: Lane) -> Iterator[Finding]:
    """Compare every status with the one of the first document that states one."""
    # a decision packet or an addendum has a status of its own, such as "awaiting the owner"
    stated = [
        document.status
        for document in lane.documents
        if document.status is not None
        and document.kind not in (DocumentKind.DECISION_PACKET, DocumentKind.ADDENDUM)
    ]
    for status in stated[1:]:
        if status.value != stated[0].value:
            yield Finding(
                "DOC-STATUS",
                status.where,
                visible(status.value, 160),
                f"{visible(stated[0].value, 160)} ({stated[0].where})",
                "Two documents of this lane state different final statuses.",
            )


def _one_date(lane: Lane) -> Iterator[Finding]:
    dates = [(document.date, document.name) for document in lane.documents if document.date]
    if lane.meta.date:
        dates.insert(0, (lane.meta.date, "lane.yml"))
    for date, name in dates[1:]:
        if date != dates[0][0]:
            yield Finding(
                "DOC-DATE",
                name,
                date,
                f"{dates[0][0]} ({dates[0][1]})",
                "Two documents of this lane state different dates for it.",
            )


def _document(
    name: str,
    status: str,
    *,
    date: str = "2026-06-12",
    hashes: tuple[HashMention, ...] = (),
    damage: tuple[Damage, ...] = (),
) -> Document:
    stated = Statement("Final status", status, f"{name}:3")
    return Document(
        name=name,
        kind=DocumentKind.CHECKPOINT if name.startswith("checkpoint") else DocumentKind.REPORT,
        sha256=sha256(name.encode()),
        size=1,
        title="sample",
        date=date,
        status=stated,
        statements=(stated,),
        hashes=hashes,
        damage=damage,
    )


def _two(second: Document) -> InLane:
    return InLane.of(samples.lane([_document("report.md", "SAMPLE_READY"), second]))


RULE = Rule(
    name="one-story",
    protects="against documents of one lane that contradict each other",
    codes=CODES,
    check=check,
    sound=lambda: _two(_document("checkpoint.md", "SAMPLE_READY")),
    controls={
        "DOC-STATUS": lambda: _two(_document("checkpoint.md", "SAMPLE_READY_NOT_APPLIED")),
        "DOC-DATE": lambda: _two(_document("checkpoint.md", "SAMPLE_READY", date="2026-06-13")),
        "DOC-REVISION": lambda: _two(
            _document(
                "checkpoint.md",
                "SAMPLE_READY",
                hashes=(
                    HashMention(
                        "rev240cf39cd4…",
                        "ambiguous",
                        "checkpoint.md:5",
                        "MD",
                        ("revision 24, hash 0cf39cd4…", "revision 240, hash cf39cd4…"),
                    ),
                ),
            )
        ),
        "DOC-DAMAGE": lambda: _two(
            _document(
                "checkpoint.md",
                "SAMPLE_READY",
                damage=(Damage("checkpoint.md:1", "the title is given twice"),),
            )
        ),
    },
)
