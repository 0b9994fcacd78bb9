"""A document is text that can be read, and a lane folder holds what lanebook reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from generator.errors import InputError
from generator.model.finding import Finding
from generator.reading.limits import Limits
from generator.rules import samples
from generator.rules.base import Code, Rule
from generator.rules.context import InLane

_TODO = "Write the document again as text in UTF-8."
READING_CODES = {
    "DOC-UTF8": Code("A document is not UTF-8.", "Nobody can say what it states.", _TODO),
    "DOC-EMPTY": Code(
        "A document is empty.", "A document that says nothing reports nothing.", _TODO
    ),
    "DOC-SIZE": Code(
        "A document is larger than the limit allows.",
        "Nobody reads a report of this size, and reading it would hold up all others.",
        "Shorten it, or raise document_bytes under limits in lanebook.yml.",
    ),
}
FOLDER_CODES = {
    "LANE-UNREAD": Code(
        "Something lies in a lane folder that lanebook does not read.",
        "It is not in the report, and nobody should believe that it was looked at.",
        "Move it into evidence/ and seal the packet, or out of the lane.",
    ),
    "PIN-LANE": Code(
        "pins.yml names a lane that is not there.",
        "A lane that was pinned was removed or renamed; its history is gone.",
        "Put the lane back; take the pin out only if that was authorised.",
    ),
    "LANE-TWICE": Code(
        "Two lanes claim the same id.",
        "One of them would hide the other.",
        "Give each its own id.",
    ),
}


def check_document(subject: tuple[str, bytes, int]) -> Iterator[Finding]:
    """Read one document of at most so many bytes; what it says is not looked at here."""
    from generator.reading.documents import read_document  # late: bare packets have none

    name, data, most = subject
    try:
        read_document(name, data, limits=Limits(document_bytes=most))
    except InputError as error:
        yield Finding(error.code, name, "", "", f"{error}.")


def check_lane(subject: InLane) -> Iterator[Finding]:
    """Pass on what reading the lane could not take."""
    yield from subject.lane.refusals


def _refused(code: str) -> Callable[[], InLane]:
    finding = Finding(code, "notes", "", "", FOLDER_CODES[code].meaning)
    return lambda: InLane.of(replace(samples.lane(), refusals=(finding,)))


DOCUMENT_RULE = Rule(
    name="documents-read",
    protects="against documents that only seem to have been read",
    codes=READING_CODES,
    check=check_document,
    sound=lambda: ("report.md", b"# Report\n\nStatus: SAMPLE_READY\n", 64),
    controls={
        "DOC-UTF8": lambda: ("report.md", b"# Report \xff\n", 64),
        "DOC-EMPTY": lambda: ("report.md", b" \n", 64),
        "DOC-SIZE": lambda: ("report.md", b"x" * 65, 64),
    },
)
LANE_RULE = Rule(
    name="lane-read",
    protects="against parts of a lane that were passed over in silence",
    codes=FOLDER_CODES,
    check=check_lane,
    sound=lambda: InLane.of(samples.lane()),
    controls={code: _refused(code) for code in FOLDER_CODES},
)
