"""The default profile: exactly what ``sha256sum`` prints, sorted by path bytes, and nothing else.

One packet has one such manifest, so verifying is building it again and comparing bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from itertools import count, repeat
from operator import lt
from typing import cast

from generator.model.digest import Digest
from generator.model.finding import Finding
from generator.model.packet import SEALS
from generator.names import visible
from generator.profiles.base import Line, Listing, Profile, problem

_LINE = re.compile(rb"([0-9a-f]{64})  (.+)", re.DOTALL)
_WHOLE = re.compile(rb"(?:[0-9a-f]{64}  [^\n]*[^\n\r]\n)++")
_LOOSE = re.compile(rb"([0-9a-fA-F]{64}) ([ *])(.+)", re.DOTALL)
_BOM = b"\xef\xbb\xbf"


def build(files: Iterable[tuple[str, Digest]]) -> bytes:
    """Return the one manifest of these (path, digest) pairs, which are sorted by path bytes."""
    return os.fsencode("".join([f"{digest}  {path}\n" for path, digest in files]))


def read(manifest: bytes) -> Listing:
    """Read a manifest line by line; every departure from the one form is a problem of its own."""
    if _WHOLE.fullmatch(manifest):
        # as nearly every manifest is, and some have 100,000 lines
        text = os.fsdecode(manifest[:-1]).split("\n")
        paths = [line[66:] for line in text]
        digests = [line[:64] for line in text]
        # what Line() does, without a call of Python for each
        made = map(tuple.__new__, repeat(Line), zip(paths, digests, count(1), strict=False))
        whole = cast("list[Line]", list(made))
        if manifest.isascii() and all(map(lt, paths, paths[1:])) and SEALS.isdisjoint(paths):
            return Listing(tuple(whole), ())
        return Listing(tuple(whole), tuple(_order(whole)))
    problems: list[Finding] = []
    if not manifest:
        problems.append(problem("MAN-EMPTY", 0, "", "", "The manifest has no line at all."))
        return Listing((), tuple(problems))
    if manifest.startswith(_BOM):
        manifest = manifest[len(_BOM) :]
        problems.append(problem("MAN-BOM", 1, "", "EF BB BF", "A byte order mark comes first."))
    if not manifest.endswith(b"\n"):
        last = manifest.count(b"\n") + 1
        problems.append(problem("MAN-NEWLINE", last, "", "", "The last line has no line feed."))
        manifest += b"\n"
    raw_lines = manifest.split(b"\n")[:-1]
    lines: list[Line] = []
    for number, raw in enumerate(raw_lines, 1):
        line = _read_line(raw, number, problems)
        if line is not None:
            lines.append(line)
    problems.extend(_order(lines))
    return Listing(tuple(lines), tuple(problems))


def _read_line(raw: bytes, number: int, problems: list[Finding]) -> Line | None:
    """Return the line, also where its form is wrong but its meaning is plain."""
    if raw.endswith(b"\r"):
        raw = raw[:-1]
        problems.append(problem("MAN-CRLF", number, "", "", "The line ends in CR LF, not in LF."))
    if not raw.strip():
        problems.append(problem("MAN-BLANK", number, "", "", "A blank line stands here."))
        return None
    if raw.lstrip().startswith(b"#"):
        text = shown(raw)
        problems.append(problem("MAN-COMMENT", number, text, "", "A comment stands here."))
        return None
    match = _LINE.fullmatch(raw)
    if match is not None:
        return Line(os.fsdecode(match[2]), Digest(match[1].decode()), number)
    loose = _LOOSE.fullmatch(raw)
    if loose is None:
        problems.append(
            problem("MAN-LINE", number, shown(raw), "", "Not a digest, two spaces and a path.")
        )
        return None
    if loose[2] == b"*":
        problems.append(
            problem("MAN-BINARY", number, shown(raw), "", "The path has a binary mark (*).")
        )
    digest = loose[1].decode()
    if digest != digest.lower():
        problems.append(
            problem(
                "MAN-UPPER", number, digest, digest.lower(), "The digest has upper-case digits."
            )
        )
    return Line(os.fsdecode(loose[3]), Digest(digest.lower()), number)


def _order(lines: list[Line]) -> Iterable[Finding]:
    """Report repeated paths, the seal files, and the first line that stands too late."""
    seen: dict[str, int] = {}
    before = b""
    ordered = True
    for line in lines:
        path = os.fsencode(line.path)
        if line.path in SEALS:
            name = visible(line.path)
            yield problem("MAN-SELF", line.number, name, "", "The manifest lists a seal file.")
        if line.path in seen:
            name = visible(line.path)
            yield problem(
                "MAN-REPEAT", line.number, name, f"line {seen[line.path]}", "Listed twice."
            )
        elif path < before and ordered:
            ordered = False
            yield problem(
                "MAN-ORDER",
                line.number,
                visible(line.path),
                visible(os.fsdecode(before)),
                "Lines are not sorted by the bytes of their paths; this one belongs further up.",
            )
        seen.setdefault(line.path, line.number)
        before = max(before, path)


def shown(raw: bytes) -> str:
    """Return a manifest line as text that is safe to print."""
    return visible(raw.decode("utf-8", "surrogateescape"), 160)


PROFILE = Profile(
    name="manifest-sha256",
    summary="sha256sum lines sorted by path bytes; the tree hash is the SHA-256 of the manifest",
    read=read,
    by_hand=("sha256sum -c HASH_MANIFEST.txt", "sha256sum HASH_MANIFEST.txt"),
)
