"""Proves the gate before it is believed: every drift fails closed, and the sealed bytes pass.

Everything is real: files in a folder of their own, a seal file, and the gate as it always runs. A
control that is answered by another code than its own proves nothing.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from generator.drift import Drift
from generator.errors import NoVerdictError
from generator.exits import Exit
from generator.model.digest import sha256
from generator.render.words import plural
from generator.seals import listing
from generator.seals.gate import Settings, check

EXACT: Final = ""
"""In the place of a code: the gate was silent, and let the file pass."""
CONTROL: Final = "byte-identical"


class Answer(NamedTuple):
    """What the gate was shown, and what it said."""

    name: str
    wanted: str
    answered: str

    @property
    def held(self) -> bool:
        """Whether the answer is exactly the one that proves the gate."""
        return self.wanted == self.answered


@dataclass(frozen=True, slots=True)
class Proof:
    """What the selftest showed, of three kinds that are counted apart."""

    drifts: tuple[Answer, ...]
    """Files that are not the sealed bytes: each must fail closed, by its own code."""
    controls: tuple[Answer, ...]
    """Files that are: each must pass."""
    refusals: tuple[Answer, ...]
    """Seal files and questions that must leave the gate without a verdict."""

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All of them, kind by kind."""
        return (*self.drifts, *self.controls, *self.refusals)

    @property
    def held(self) -> bool:
        """Whether every answer is the one that proves the gate, and there is one of each kind."""
        one_of_each = all((self.drifts, self.controls, self.refusals))
        return one_of_each and all(answer.held for answer in self.answers)

    def __str__(self) -> str:
        """Count the kinds, never together: a gate that fails always must not look half right."""
        return "; ".join(
            (
                _told(self.drifts, ("drift class", "drift classes"), "fails closed", "fail closed"),
                _told(self.controls, (f"{CONTROL} control",) * 2, "passes", "pass"),
                _told(self.refusals, ("bad seal", "bad seals"), "is refused", "are refused"),
            )
        )


def _told(answers: tuple[Answer, ...], what: tuple[str, str], one: str, many: str) -> str:
    held = sum(answer.held for answer in answers)
    if held == len(answers):
        return f"{plural(held, *what)} {one if held == 1 else many}"
    return f"{held} of {plural(len(answers), *what)} {many}"


_TEXT: Final = "Café - naïve\nsecond line\n".encode()
_JSON: Final = '{"b": "é", "a": [1.50, true]}\n'.encode()
_BOM: Final = b"\xef\xbb\xbf"

# name, code, the sealed bytes, and the bytes that are there
_DRIFTS: Final[tuple[tuple[str, str, bytes, bytes], ...]] = (
    (Drift.EDITED, "GATE-EDITED", _TEXT, _TEXT.replace(b"second", b"third")),
    (Drift.LOOKALIKE, "GATE-LOOKALIKE", _TEXT, _TEXT.replace(b"-", "—".encode())),
    (Drift.JSON_ESCAPES, "GATE-JSON-ESCAPES", _JSON, _JSON.replace("é".encode(), b"\\u00e9")),
    (Drift.JSON, "GATE-JSON", _JSON, '{\n  "b": "é",\n  "a": [1.50, true]\n}\n'.encode()),
    (Drift.BOM, "GATE-BOM", _TEXT, _BOM + _TEXT),
    (Drift.CRLF, "GATE-CRLF", _TEXT, _TEXT.replace(b"\n", b"\r\n")),
    (Drift.FINAL_NEWLINE, "GATE-FINAL-NEWLINE", _TEXT, _TEXT[:-1]),
    (Drift.FORM, "GATE-FORM", _TEXT, "Cafe\u0301 - nai\u0308ve\nsecond line\n".encode()),
    ("several at once", "GATE-COMBINED", _TEXT, _BOM + _TEXT.replace(b"\n", b"\r\n")),
)

# what stands there instead of a file
_INSTEAD: Final[Mapping[str, tuple[str, Callable[[Path], None]]]] = {
    "missing file": ("GATE-MISSING", lambda path: None),
    # it leads to the sealed bytes themselves, and is refused all the same
    "symbolic link": ("GATE-KIND", lambda path: path.symlink_to(CONTROL)),
    "folder": ("GATE-KIND", lambda path: path.mkdir()),
    "fifo": ("GATE-KIND", os.mkfifo),
}

_HEX: Final = sha256(_TEXT).encode()
_REFUSED: Final[tuple[tuple[str, str, bytes], ...]] = (
    ("no line at all", "MAN-EMPTY", b""),
    ("a line that is none", "MAN-LINE", b"sealed by hand\n"),
    ("a short digest", "MAN-LINE", _HEX[:40] + b"  a\n"),
    ("an upper-case digest", "MAN-UPPER", b"AB" + _HEX[2:] + b"  a\n"),
    ("a comment", "MAN-COMMENT", b"# approved\n" + _HEX + b"  a\n"),
    ("a blank line", "MAN-BLANK", b"\n" + _HEX + b"  a\n"),
    ("a binary mark", "MAN-BINARY", _HEX + b" *a\n"),
    ("CRLF", "MAN-CRLF", _HEX + b"  a\r\n"),
    ("a byte order mark", "MAN-BOM", _BOM + _HEX + b"  a\n"),
    ("no last line feed", "MAN-NEWLINE", _HEX + b"  a"),
    ("a path twice", "MAN-REPEAT", (_HEX + b"  a\n") * 2),
    ("an absolute path", "PATH-ABSOLUTE", _HEX + b"  /etc/passwd\n"),
    ("a path that leads out", "PATH-DOTDOT", _HEX + b"  ../a\n"),
    ("the seal file itself", "GATE-SELF", _HEX + b"  SEALS.sha256\n"),
)


def prove() -> Proof:
    """Run the gate over everything that it has to tell apart.

    Raises:
        NoVerdictError: there is no folder in which it could be proven.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="lanebook-gate-") as folder:
            return Proof(*_in(Path(folder)), _refusals(Path(folder)))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "failed"
        raise NoVerdictError(
            f"the gate cannot be proven in a temporary folder: {reason}"
        ) from error


def _in(folder: Path) -> tuple[tuple[Answer, ...], tuple[Answer, ...]]:
    sealed: dict[str, bytes] = {CONTROL: _TEXT}
    wanted: dict[str, str] = {CONTROL: EXACT}
    (folder / CONTROL).write_bytes(_TEXT)
    for name, code, original, present in _DRIFTS:
        sealed[name], wanted[name] = original, code
        path = folder / name  # NFC/NFD stands in a folder
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(present)
    for name, (code, put) in _INSTEAD.items():
        sealed[name], wanted[name] = _TEXT, code
        put(folder / name)
    lines = b"".join(
        b"%s  %s\n" % (sha256(data).encode(), name.encode()) for name, data in sealed.items()
    )
    seals = listing.read(lines, shown="SEALS.sha256", name="SEALS.sha256")
    verdict = check(folder, listing.narrowed(seals.lines, ()), Settings(jobs=1, history=False))
    said = {one.line.path: one.code for one in verdict.apart}
    answers = [Answer(name, code, said.get(name, EXACT)) for name, code in wanted.items()]
    return tuple(a for a in answers if a.wanted), tuple(a for a in answers if not a.wanted)


def _refusals(folder: Path) -> tuple[Answer, ...]:
    answers = []
    for name, code, data in _REFUSED:
        found = listing.read(data, shown="SEALS.sha256", name="SEALS.sha256")
        answers.append(Answer(name, code, " ".join(each.code for each in found.problems)))
    line = listing.read(_HEX + b"  %s\n" % CONTROL.encode(), shown="", name="").lines
    asked = listing.narrowed(line, ("elsewhere",))
    nothing = check(folder, asked, Settings(jobs=1, history=False)).exit_code
    uncovered = "GATE-UNCOVERED" if asked.uncovered and nothing is Exit.NO_VERDICT else EXACT
    answers.append(Answer("a path that no line covers", "GATE-UNCOVERED", uncovered))
    large = check(folder, listing.narrowed(line, ()), Settings(1, False, most_bytes=1))
    said = " ".join(one.code for one in large.apart if large.exit_code is Exit.NO_VERDICT)
    answers.append(Answer("a file that cannot be read", "GATE-READ", said))
    return tuple(answers)
