"""What ``verify --format junit|sarif`` tells beside findings: each kind of row, by a code.

These are no findings: nothing that a rule finds has one of them, and they are counted nowhere.
"""

from __future__ import annotations

from generator.model.outcome import Level
from generator.rules.base import Code

LANE = "VERIFY-LANE"
STATED = "VERIFY-STATED"
STRICT = "VERIFY-STRICT"
RULE = "VERIFY-RULE"
DECISION = "VERIFY-DECISION"
PROVEN = "VERIFY-PROVEN"
UNREAD = "VERIFY-UNREAD"
PATH = "VERIFY-PATH"
NOTHING = "VERIFY-NOTHING"

OF_LEVEL: dict[Level, str] = {
    Level.RECOMPUTED: "VERIFY-RECOMPUTED",
    Level.CROSS_CHECKED: "VERIFY-CROSS-CHECKED",
    Level.CLAIMED_ONLY: "VERIFY-CLAIMED-ONLY",
}
"""The code of a claim's row, by how the claim is known."""

CHECKS: dict[str, Code] = {
    LANE: Code(
        "What the verification of a lane came to: passed, failed, or an error for no verdict.",
        "A lane of which nothing could be verified must not look like one that was.",
        "Where it failed, see to the findings of the lane; where there is no verdict, seal a packet"
        " or verify the lane apart from those that have one.",
    ),
    "VERIFY-RECOMPUTED": Code(
        "A claim was derived again from bytes in the packet, and compared.",
        "What is derived again does not rest on anybody's word.",
        "Nothing where it passed; where it failed, see both sides and the finding of the lane.",
    ),
    "VERIFY-CROSS-CHECKED": Code(
        "A claim was compared with another document that should say the same.",
        "Documents that agree can still be wrong together.",
        "Nothing where it passed; where it failed, see both sides and the finding of the lane.",
    ),
    "VERIFY-CLAIMED-ONLY": Code(
        "Nothing here can confirm the claim; it is skipped, and never counts as passed.",
        "A reader who takes it for checked believes the one who wrote it.",
        "Put the bytes that would show it into the packet, or leave it as a claim.",
    ),
    STATED: Code(
        "The lane's own final status says that something was not run or does not apply.",
        "A sealed packet about something that did not happen is sound, and no success.",
        "Read the status and what the lane gives as the reason.",
    ),
    STRICT: Code(
        "With --strict, claims that nothing can confirm count as findings, and the lane has some.",
        "Whoever asked for it does not want to rest on anybody's word.",
        "See the rows that are skipped as claimed only, or verify without --strict.",
    ),
    RULE: Code(
        "A rule of lanebook failed on the lane, so there is no verdict.",
        "What it would have found is not known.",
        "Report it with the message; this is a defect of lanebook.",
    ),
    DECISION: Code(
        "What became of a recorded decision: current passes, refused fails, else it is skipped.",
        "A decision that was taken on other evidence must not look as if it still held.",
        "Where it is stale, let the owner decide again on what is there now.",
    ),
    PROVEN: Code(
        "Before any verdict, each rule was silent on a sound sample and answered its controls.",
        "A rule that finds nothing proves nothing until it was seen to find something.",
        "Nothing; a rule that is not proven ends the run.",
    ),
    UNREAD: Code(
        "Something in packets/ is neither lane, packet nor document, and was not read.",
        "Whoever put it there may think that it was checked.",
        "Unpack it into a lane folder, or move it away.",
    ),
    PATH: Code(
        "A path that was named could not be opened.",
        "What is in it was not checked.",
        "See to what the message names.",
    ),
    NOTHING: Code(
        "There was nothing to check.",
        "Nothing checked is never a pass.",
        "Name a lane, a packet or a root that has one.",
    ),
}
