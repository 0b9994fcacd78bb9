"""The words of the site, for people who do not know ours (spec 1)."""

from __future__ import annotations

from typing import Any

from generator.evidence.kinds import KINDS


def groups() -> list[dict[str, Any]]:
    """Return the words in groups: ours, then the kinds of evidence, each by its title."""
    kinds = [
        {"word": kind.title, "meaning": f"{kind.file}. Evidence that {kind.about}."}
        for kind in KINDS
    ]
    return [*_WORDS, {"title": "Kinds of evidence", "terms": kinds}]


_WORDS: list[dict[str, Any]] = [
    {
        "title": "How a claim is known",
        "terms": [
            {
                "word": "recomputed",
                "meaning": "lanebook derived it again from bytes, and says what came out.",
            },
            {
                "word": "cross-checked",
                "meaning": "Two or more documents that should agree were compared. Both can be"
                " wrong together.",
            },
            {
                "word": "claimed only",
                "meaning": "A document says so, and nothing here can confirm it. Never a pass.",
            },
            {
                "word": "refuted",
                "meaning": "What is stated and what was found are not the same. lanebook does"
                " not say which one is right.",
            },
        ],
    },
    {
        "title": "How far a packet goes",
        "terms": [
            {
                "word": "consistent",
                "meaning": "Its own hashes fit together. That shows neither who wrote it nor"
                " that it is the newest.",
            },
            {
                "word": "cited",
                "meaning": "It is consistent, and its whole tree hash stands in a document.",
            },
            {
                "word": "pinned",
                "meaning": "It is consistent, and its tree hash stands in pins.yml, a list"
                " outside all packets that is kept in git.",
            },
            {
                "word": "claims only",
                "meaning": "Documents without an evidence packet. Such a lane never looks"
                " verified.",
            },
            {"word": "unsealed", "meaning": "There are files, but no complete seal over them."},
            {"word": "refuted packet", "meaning": "The files are not those that were sealed."},
            {
                "word": "refused",
                "meaning": "The packet holds what a packet may not hold, or was not read to"
                " its end.",
            },
        ],
    },
    {
        "title": "Things",
        "terms": [
            {
                "word": "lane",
                "meaning": "One authorised piece of change-rehearsal work. It consumes one"
                " delegated decision, ends in one final status, seals one evidence packet and"
                " leaves documents.",
            },
            {
                "word": "evidence packet",
                "meaning": "A folder of evidence files, sealed by HASH_MANIFEST.txt and"
                " packet_tree.sha256.",
            },
            {
                "word": "tree hash",
                "meaning": "The SHA-256 of the manifest. One tree hash names one set of bytes.",
            },
            {
                "word": "held elsewhere",
                "meaning": "Listed in this packet's manifest, and kept in another packet, where"
                " bytes with the same digest were found.",
            },
            {
                "word": "drift",
                "meaning": "A known way in which bytes differ though a reader sees the same"
                " text, such as a byte order mark or other line ends. It stays a failure.",
            },
            {
                "word": "finding",
                "meaning": "A rule looked and something is wrong. It has a code, a place, what"
                " was stated and what was computed. A note is a finding that refutes nothing.",
            },
            {
                "word": "blocker",
                "meaning": "Something that still stops production. It is open or closed, and"
                " may show progress; progress does not close it.",
            },
            {
                "word": "decision packet",
                "meaning": "The options put to an owner. It selects nothing and has a default,"
                " which holds.",
            },
            {
                "word": "recorded decision",
                "meaning": "What an owner decided, in a file outside every packet. It is bound to"
                " the evidence tree, to the blocker map over all lanes and to the decision packet"
                " on which it was taken. lanebook neither approves it nor carries it out.",
            },
            {
                "word": "current, stale, superseded",
                "meaning": "A recorded decision is current while all that it is bound to is as it"
                " was, and stale as soon as one of it is not; then the default holds. A later"
                " decision on the same lane supersedes it.",
            },
            {
                "word": "reservation",
                "meaning": "A numbered range of governance objects, reserved above a ceiling,"
                " not applied.",
            },
            {"word": "pin", "meaning": "A whole hash that says which bytes were approved."},
        ],
    },
    {
        "title": "Evidence files",
        "terms": [
            {
                "word": "evidence file",
                "meaning": "A JSON file of a packet that has a known name, a form that it must"
                " have, and a rule that derives what it says again. Other files are hashed and"
                " shown, not judged.",
            },
            {
                "word": "fact",
                "meaning": "One value that an evidence file states, such as a hash, a count or"
                " a flag.",
            },
            {
                "word": "against",
                "meaning": "Where the other side of a comparison came from: another file of the"
                " packet, or another place in the same file.",
            },
            {
                "word": "place such as #/steps/0/id",
                "meaning": "A JSON Pointer: the way from the top of a file to a value, one name"
                " or number after the other. Numbers begin at 0.",
            },
            {
                "word": "JSON Schema",
                "meaning": "The form of an evidence file, for programs. A file in another form"
                " is not judged, and that is a finding.",
            },
            {
                "word": "sound sample, control",
                "meaning": "A good packet on which a rule must be silent; and the same packet"
                " with one thing damaged, which it must answer by exactly one code.",
            },
            {
                "word": "code",
                "meaning": "The stable name of what a rule can find. A finding has one, and its"
                " page says what it means and what to do.",
            },
        ],
    },
    {
        "title": "Outcomes",
        "terms": [
            {
                "word": "pass",
                "meaning": "The packet's seal was computed again, and nothing was refuted.",
            },
            {"word": "fail", "meaning": "A rule refuted something."},
            {
                "word": "unknown",
                "meaning": "No verdict was reached: nothing to check, or a rule of lanebook"
                " failed.",
            },
            {
                "word": "not run, not applicable",
                "meaning": "How a stated status reads. A word such as READY_NOT_APPLIED is not"
                " a pass, whatever it begins with.",
            },
        ],
    },
]
