"""Decision packets for the selftest: sound ones in both forms, and whatever a control changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from generator.model.digest import Digest, sha256
from generator.model.document import (
    BallotLine,
    Document,
    DocumentKind,
    HashMention,
    Statement,
    Table,
)
from generator.rules import samples
from generator.rules.context import InLane
from generator.states import computed_tree

HOLD, REHEARSE, EXECUTE = (
    "HOLD_PRODUCTION",
    "AUTHORIZE_CLONE_REHEARSAL_ONLY",
    "AUTHORIZE_PRODUCTION_EXECUTION",
)
OPTIONS = (HOLD, REHEARSE, EXECUTE)
BLOCKERS = (("SAMPLE-P0-GRANT-1", "OPEN"), ("SAMPLE-P0-CLONE-1", "narrowed"))
TEXT = "decision-packet.md"
MAP = "production-readiness-blocker-map.json"


def lane(
    *,
    packet: Mapping[str, Any] | None = None,
    lines: Sequence[BallotLine] | None = None,
    statements: Sequence[tuple[str, str]] = (("Default", HOLD), ("Selected", "none")),
    preconditions: Sequence[tuple[str, str]] = BLOCKERS,
    bound: bool = True,
    map_cited: Digest | None = None,
) -> InLane:
    """Return a lane that puts one decision to an owner, in its machine report and in a text.

    Args:
        packet: members of the machine report's packet that a control changes.
        lines: the text's own lines of options and sentences.
        statements: what else the text states.
        preconditions: the text's table of blockers.
        bound: whether the text quotes the tree hash of the evidence.
        map_cited: the digest that the text states of the blocker map, which is then sealed as well.
    """
    held = samples.packet()
    if map_cited is not None:
        listed_there = [{"id": name, "state": state} for name, state in BLOCKERS]
        sealed = samples.entry(MAP, json.dumps({"blockers": listed_there}).encode())
        held = samples.sealed([*held.entries[:2], sealed, *held.entries[2:]])
        statements = [*statements, ("Blocker map", map_cited)]
    tree = computed_tree(held) or samples.other_digest()
    data = {
        "workstream_F_decision_packet": {
            "default": HOLD,
            "selected": None,
            "options": list(OPTIONS),
            **(packet or {}),
        },
        "production_blocker_map": {
            "blockers": [{"id": name, "status": state} for name, state in BLOCKERS]
        },
    }
    report = Document(
        name="report.json",
        kind=DocumentKind.MACHINE_REPORT,
        sha256=sha256(b"report"),
        size=6,
        title="sample",
        date="",
        status=None,
        hashes=(HashMention(tree, "full", "report.json#/tree", "tree"),),
        data=data,
    )
    rows = tuple(preconditions)
    text = Document(
        name=TEXT,
        kind=DocumentKind.DECISION_PACKET,
        sha256=sha256(b"decision"),
        size=8,
        title="sample",
        date="",
        status=None,
        statements=tuple(
            Statement(key, value, f"{TEXT}:{number}")
            for number, (key, value) in enumerate(statements, 3)
        ),
        hashes=(HashMention(tree, "full", f"{TEXT}:9", "tree"),) if bound else (),
        tables=(Table(f"{TEXT}:30", ("blocker", "status"), rows, tuple(range(32, 32 + len(rows)))),)
        if rows
        else (),
        ballot=tuple(listed() if lines is None else lines),
    )
    return InLane.of(samples.lane([report, text], held))


def listed(
    options: Sequence[str] = OPTIONS, *, remarks: Mapping[str, str] | None = None, **marks: bool
) -> tuple[BallotLine, ...]:
    """Return the lines of a list of options; ``marks`` are of the one that executes."""
    return tuple(
        BallotLine(
            f"{TEXT}:{number}",
            token,
            listing=1,
            among_options=True,
            remark=(remarks or {}).get(token, ""),
            text="as its name says",
            **(marks if token == EXECUTE else {}),
        )
        for number, token in enumerate(options, 20)
    )


def saying(sentence: str) -> tuple[BallotLine, ...]:
    """Return the sound list with one more sentence."""
    return (*listed(), BallotLine(f"{TEXT}:40", text=sentence))
