"""The words of the site, for people who do not know ours (spec 1)."""

from __future__ import annotations

from typing import Any

WORDS: dict[str, Any] = {
    "groups": [
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
                    "word": "reservation",
                    "meaning": "A numbered range of governance objects, reserved above a ceiling,"
                    " not applied.",
                },
                {"word": "pin", "meaning": "A whole hash that says which bytes were approved."},
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
}
