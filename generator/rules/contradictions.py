"""The documents of a lane do not contradict each other, themselves, or the evidence (spec 3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from generator.contradictions.clash import Clash
from generator.contradictions.compare import clashes
from generator.contradictions.remarks import of_documents
from generator.model.document import Document
from generator.model.finding import Finding
from generator.reading.documents import read_document
from generator.rules import samples
from generator.rules.base import Code, Rule
from generator.rules.context import InLane

_WHY = "At least one of the two is wrong; lanebook does not say which."
_TODO = "Find out from the evidence which one is right, and correct the other."
_NOTE = "It refutes nothing; it is told because a reader may take it for more than it is."
CODES = {
    "CON-COUNT": Code("Two statements count the same thing differently.", _WHY, _TODO),
    "CON-LIST": Code(
        "A count and the list that it counts do not fit: so many stated, so many listed.",
        "Either something is missing from the list, or something was counted that is not there.",
        _TODO,
    ),
    "CON-SHARE": Code(
        "A share such as 10/10 contradicts itself or another statement of it.", _WHY, _TODO
    ),
    "CON-EQUAL": Code(
        "Two things are said to be equal, and are not.",
        "The statement refutes itself: one side was changed or mistyped.",
        _TODO,
    ),
    "CON-MIRROR": Code(
        "Fewer files are mirrored than there are, and the documents do not account for the rest.",
        "What is not mirrored cannot be looked at where the documents point to.",
        "Name each file that is held elsewhere, or correct the count.",
    ),
    "CON-GAP": Code(
        "Ids that are listed one after the other have a gap, or one comes twice.",
        "A step, probe or review may have been left out without a word.",
        "Number them without gaps, or say what became of the missing one.",
    ),
    "CON-RANGE": Code(
        "A range does not fit what it numbers, or overlaps another range.",
        "More or less is claimed than is described, or one number means two things.",
        _TODO,
    ),
    "CON-CEILING": Code(
        "Two statements give different ceilings, or different ends of a fold.",
        "Governance objects would be numbered twice, or a number would be lost.",
        _TODO,
    ),
    "CON-FLAG": Code("One statement says yes and another says no to the same thing.", _WHY, _TODO),
    "CON-WORD": Code(
        "One thing is told with two statuses, defaults, delegations or actors.", _WHY, _TODO
    ),
    "CON-STATE": Code("A blocker, or a leg of it, is told in two states.", _WHY, _TODO),
    "CON-REST": Code(
        "What is said of all others is not so of each of them.",
        "Words such as 'the other five are unchanged' hide the one that did change.",
        _TODO,
    ),
    "CON-ROWS": Code(
        "Row counts around a rollback do not fit each other.",
        "A rollback that leaves another number of rows has not restored the state.",
        _TODO,
    ),
    "CON-REVISION": Code("Two revisions of one thing are told.", _WHY, _TODO),
    "CON-HASH": Code(
        "Two hashes begin or end alike, or bear one name, and are not the same.",
        "One was mistyped or changed; which bytes are meant is open.",
        "Compute the hash of the bytes, and correct the statement that differs.",
    ),
    "CON-DATE": Code("A document gives two dates to its lane.", _WHY, _TODO),
    "CON-OPTION": Code(
        "Documents list different options, or speak of one that is not listed.",
        "An owner would decide on an option that was never put to them.",
        _TODO,
    ),
    "CON-HEADLINE": Code(
        "A part failed, and the final status does not say so.",
        "Who reads only the headline believes that everything went well.",
        "State the failure in the final status, or correct the verdict of the part.",
    ),
    "CON-TYPE": Code(
        "A word stands where a yes or no belongs.",
        f"A program reads any word as a yes. {_NOTE}",
        "State true, false or null there, and the reason under a key of its own.",
    ),
    "CON-OPEN": Code(
        "As many blockers are counted as open as there are rows, though rows use other words.",
        f"A blocker that is narrowed or classified is still open. {_NOTE}",
        "State on both axes: open or closed, and how far it has come.",
    ),
    "CON-EXPLAINED": Code(
        "Two counts differ, and the documents say why.",
        f"One file is held elsewhere. {_NOTE}",
        "Nothing; look at where the file is held.",
    ),
    "CON-SHORT": Code(
        "A hash is abbreviated, and stated whole nowhere in this lane.",
        f"An abbreviated hash points, and proves nothing. {_NOTE}",
        "State the whole hash once.",
    ),
    "CON-SURFACES": Code(
        "No document of this lane tells of forbidden surfaces.",
        f"That nothing forbidden was touched is not even claimed. {_NOTE}",
        "List the forbidden surfaces with their states.",
    ),
    "CON-METHOD": Code(
        "A tree hash is cited, and no document says what it is a hash of.",
        f"A reader cannot compute it again. {_NOTE}",
        "State the method, such as: the SHA-256 of HASH_MANIFEST.txt.",
    ),
}
NOTES = frozenset(
    ("CON-TYPE", "CON-OPEN", "CON-EXPLAINED", "CON-SHORT", "CON-SURFACES", "CON-METHOD")
)
"""Codes that refute nothing."""


def check(subject: InLane) -> Iterator[Finding]:
    """Report what cannot all be so, each with both places."""
    lane = subject.lane
    for clash in clashes(subject.facts, lane.stated_status):
        yield finding(clash)
    for clash in of_documents(lane.documents, subject.facts, has_packet=lane.packet is not None):
        yield finding(clash)


def finding(clash: Clash) -> Finding:
    """Return a contradiction as a finding, whose ``computed`` ends in the other place."""
    return Finding(
        clash.code,
        clash.one.where,
        clash.one.said,
        clash.against,
        clash.message,
        "note" if clash.code in NOTES else "refuted",
    )


SOUND: Mapping[str, str] = {
    "report.md": """# Sample lane rehearsal report (2026-06-12)

- Final status: `SAMPLE_LANE_REHEARSAL_READY`
- Delegation consumed: `AUTHORIZE_SAMPLE_REHEARSAL_ONLY`
- Production mutation: NO
- Default: `HOLD_PRODUCTION`

## 1. Rehearsal

RX-0..RX-2 were run.

- RX-0 locks the target; before (3 rows)
- RX-1 applies the change
- RX-2 rolls it back; after rollback (3 rows), rows 3==3

## 2. Probes

10/10 bad-input probes fail closed; all 10 were put to the gate.
Each is named: B1 target, B2 secrets, B3 cutover, B4 grant.

## 3. Forbidden surfaces

Two surfaces are watched: no production mutation, no CI trigger.

## 4. Blockers

See the checkpoint.

## 5. Evidence

See the packet.
""",
    "checkpoint.md": """# Sample lane checkpoint

## 1. Blockers

`SAMPLE-P0-SCOPE-1` is classified; the other one is unchanged.

| blocker | status | actor |
|---|---|---|
| `SAMPLE-P0-SCOPE-1` | classified | owner |
| `SAMPLE-P0-GRANT-1` | OPEN | owner |

## 2. Decision

Options: `HOLD_PRODUCTION`, `AUTHORIZE_SAMPLE_DRYRUN_ONLY`, `AUTHORIZE_SAMPLE_EXECUTION`.
""",
    "evidence.md": """# Sample lane evidence and governance

Evidence packet: 21 files. KB mirror = 21 files.
Validator: `check.py` e6547e6935cb01aae5feb405899c97107f1990ff3e2f7e6b9157828a90956c47.
The tree 7a9364c5b64d95350da4023ad101a902fc77eb994c487f995412fe547bd847f9
is the SHA-256 of HASH_MANIFEST.txt.
TKT-OBJ-485..494 reserved, above ceiling 484; fold through 461, body max 461.
Registry JSON rev24; the copy is JSON rev24.
The copy of `check.py` has
e6547e6935cb01aae5feb405899c97107f1990ff3e2f7e6b9157828a90956c47.
""",
    "report.json": json.dumps(
        {
            "final_status": "SAMPLE_LANE_REHEARSAL_READY",
            "self_check": {
                "scope_checked": True,
                "clone_used": True,
                "gate_passed": True,
                "target_proven": True,
            },
        }
    ),
}
"""A small lane that tells of all that these codes look at, and contradicts itself nowhere."""

_DAMAGE: Mapping[str, tuple[str, str]] = {
    "CON-COUNT": ("all 10 were", "all 11 were"),
    "CON-LIST": ("Two surfaces are watched:", "Five known CI surfaces (a, b, c, d) are watched:"),
    "CON-SHARE": ("10/10 bad", "11/10 bad"),
    "CON-EQUAL": ("rows 3==3", "rows 3==4"),
    "CON-MIRROR": ("mirror = 21 files", "mirror = 19 files"),
    "CON-GAP": ("B3 cutover", "B2 cutover"),
    "CON-RANGE": ("RX-0..RX-2", "RX-0..RX-5"),
    "CON-CEILING": ("body max 461", "body max 460"),
    "CON-FLAG": ("Production mutation: NO", "Production mutation: YES"),
    "CON-WORD": ("Default: `HOLD_PRODUCTION`", "Default: `HOLD_PRODUCTION`\n- default NOW"),
    "CON-STATE": ("1` is classified", "1` is narrowed"),
    "CON-REST": ("the other one is", "the other two are"),
    "CON-ROWS": ("rollback (3 rows)", "rollback (4 rows)"),
    "CON-REVISION": ("copy is JSON rev24", "copy is JSON rev25"),
    "CON-HASH": ("has\ne6547e69", "has\ne6547e68"),
    "CON-DATE": ("- Final status", "- Date: 2026-06-13\n- Final status"),
    "CON-OPTION": ("Options: ", "Option 7 is one of the options: "),
    "CON-HEADLINE": ('"gate_passed": true', '"gate_passed": false'),
    "CON-TYPE": ('"target_proven": true', '"target_proven": "N/A_NO_CLONE"'),
    "CON-OPEN": ("## 1. Blockers\n", "## 1. Blockers\n\n2 OPEN.\n"),
    "CON-EXPLAINED": ("mirror = 21 files", "mirror = 20 files (one is referenced only)"),
    "CON-SHORT": ("The copy of", "Seal 9ddb27c3…47ab01. The copy of"),
    "CON-SURFACES": ("## 3. Forbidden surfaces", "## 3. Other things"),
    "CON-METHOD": ("is the SHA-256 of HASH_MANIFEST.txt", "is cited"),
}
"""For each code what is changed in the sound lane, and into what."""


def damaged(code: str) -> dict[str, str]:
    """Return the documents of the sound lane with one thing damaged."""
    old, new = _DAMAGE[code]
    return {name: text.replace(old, new) for name, text in SOUND.items()}


@cache
def _unchanged(name: str) -> Document:
    return read_document(name, SOUND[name].encode())


def _lane(documents: Mapping[str, str]) -> InLane:
    read = [
        _unchanged(name) if text == SOUND[name] else read_document(name, text.encode())
        for name, text in documents.items()
    ]
    return InLane.of(replace(samples.lane(read), packet=None))


def _control(code: str) -> Callable[[], InLane]:
    return lambda: _lane(damaged(code))


RULE = Rule(
    name="contradictions",
    protects="against documents that state what cannot all be so",
    codes=CODES,
    check=check,
    sound=lambda: _lane(SOUND),
    controls={code: _control(code) for code in CODES},
)
