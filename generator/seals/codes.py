"""The codes of the gate: one for each class of drift, and those that leave it without a verdict."""

from __future__ import annotations

from typing import Final

from generator.drift import Drift
from generator.rules.base import Code

RULE: Final = "seal-vs-bytes"
PROTECTS: Final = "against bytes that nobody approved, though a reader sees the approved text"

_SAME: Final = "Put the sealed bytes back; git has them where the message says so."
_SEAL: Final = (
    "If the new bytes are approved, have 'lanebook gate --write' seal them, and commit both."
)
_WHAT: Final = f"{_SAME} {_SEAL}"
_LOOKS: Final = "A reader sees no difference, and programs do; what was approved is not what runs."

FINDINGS: Final[dict[str, Code]] = {
    "GATE-EDITED": Code(
        "A sealed file has other content.",
        "Nobody approved these bytes.",
        _WHAT,
    ),
    "GATE-LOOKALIKE": Code(
        "Characters of a sealed file were replaced by ones that look alike, such as an em dash.",
        _LOOKS,
        f"Switch off typographic replacement in the editor, or the chat, it went through. {_SAME}",
    ),
    "GATE-JSON-ESCAPES": Code(
        "In sealed JSON, characters outside ASCII became escapes, or escapes became characters.",
        "The value is the same, the bytes are not, and a digest is of bytes.",
        f"Write the file with the tool and the settings that wrote it first. {_SAME}",
    ),
    "GATE-JSON": Code(
        "Sealed JSON was written anew: key order, white space or escapes differ.",
        "The value is the same, the bytes are not, and a digest is of bytes.",
        f"Let no formatter touch sealed files. {_SAME}",
    ),
    "GATE-BOM": Code(
        "A byte order mark came to the start of a sealed file, or went.",
        _LOOKS,
        f"Save the file as UTF-8 without a mark, or as it was. {_SAME}",
    ),
    "GATE-CRLF": Code(
        "Line ends of a sealed file changed between LF, CRLF and CR.",
        _LOOKS,
        f"Mark sealed files '-text' in .gitattributes, so that git leaves them alone. {_SAME}",
    ),
    "GATE-FINAL-NEWLINE": Code(
        "Line ends at the end of a sealed file came or went.",
        _LOOKS,
        f"Keep editors and hooks that mend ends of files away from sealed files. {_SAME}",
    ),
    "GATE-FORM": Code(
        "Characters of a sealed file were composed or decomposed (Unicode NFC, NFD).",
        _LOOKS,
        f"Look for the program that normalised the text. {_SAME}",
    ),
    "GATE-COMBINED": Code(
        "A sealed file drifted in more than one known way at once; the message names them.",
        _LOOKS,
        f"Look up the code of each. {_SAME}",
    ),
    "GATE-MISSING": Code(
        "A sealed file is not there.",
        "What was approved cannot be used, and something else may be.",
        f"{_SAME} Where it is gone on purpose, delete its line in the seal file.",
    ),
    "GATE-KIND": Code(
        "A link, a folder or something else stands where a sealed file should be.",
        "Links are not followed: what they lead to can change, and lies outside what was sealed.",
        "Put the file itself there.",
    ),
}
"""Each refutes: exit code 1."""

ERRORS: Final[dict[str, Code]] = {
    "GATE-READ": Code(
        "A sealed file could not be read.",
        "Whether its bytes are the sealed ones is not known, and what is not known does not pass.",
        "Make it readable for whoever runs the gate; a limit of size is named where it was met.",
    ),
    "GATE-UNCOVERED": Code(
        "The gate was asked about a path that no line of the seal file covers.",
        "An answer for the other paths would look like one for this path too.",
        "Correct the path, or seal it with 'lanebook gate --write SEALS PATH'.",
    ),
    "GATE-SELF": Code(
        "A seal file lists itself.",
        "No file can hold its own digest.",
        "Delete the line; what seals the seal file is git, or another seal file.",
    ),
    "GATE-NAME": Code(
        "The path of a seal file is none: it is empty or a folder.",
        "Nothing was read, so nothing was checked.",
        "Name the seal file itself.",
    ),
    "GATE-WRITE": Code(
        "The seal file, or the report of --output, could not be written.",
        "What was there before is still there, and says nothing about this run.",
        "See to what the message names, and write it again.",
    ),
    "GATE-SELFTEST": Code(
        "The gate did not fail closed on a drift that it was shown, or did not pass sound bytes.",
        "Nothing that this run says can be believed.",
        "This is a bug in lanebook, or a temporary folder that changes bytes; report it.",
    ),
}
"""Each leaves the gate without a verdict on something: exit code 3."""

CODE_OF: Final[dict[Drift, str]] = {
    Drift.EDITED: "GATE-EDITED",
    Drift.LOOKALIKE: "GATE-LOOKALIKE",
    Drift.JSON_ESCAPES: "GATE-JSON-ESCAPES",
    Drift.JSON: "GATE-JSON",
    Drift.BOM: "GATE-BOM",
    Drift.CRLF: "GATE-CRLF",
    Drift.FINAL_NEWLINE: "GATE-FINAL-NEWLINE",
    Drift.FORM: "GATE-FORM",
}
