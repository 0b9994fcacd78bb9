"""The ``sha256sum`` profile: every dialect that ``sha256sum -c`` of coreutils 9.1 reads.

Any order, ``./``, binary marks, upper-case digests, comments, CRLF, the BSD form of ``--tag``, the
OpenSSL form, the reversed BSD form with one space, and escaped names. What it lists is held to the
same rules for paths as everything else.
"""

from __future__ import annotations

import os
import re

from generator.model.digest import Digest
from generator.model.finding import Finding
from generator.model.packet import SEALS
from generator.names import visible
from generator.profiles.base import Line, Listing, Profile, problem
from generator.profiles.manifest_sha256 import shown

_PLAIN = re.compile(rb"([0-9a-fA-F]{64})[ \t](.+)", re.DOTALL)
_TAGGED = re.compile(rb"SHA256 ?\((.*)\)[ \t]*=[ \t]*([0-9a-fA-F]{64})", re.DOTALL)
_ESCAPES = {b"\\\\": b"\\", b"\\n": b"\n", b"\\r": b"\r"}
_ESCAPE = re.compile(rb"\\.?", re.DOTALL)


class _NotEscaped(ValueError):
    """A back slash that begins no known escape."""


def read(manifest: bytes) -> Listing:
    """Read a checksum file as ``sha256sum -c`` does; what it would pass over is a problem here."""
    problems: list[Finding] = []
    lines: list[Line] = []
    seen: dict[str, int] = {}
    reversed_form: bool | None = None
    for number, ended in enumerate(manifest.split(b"\n"), 1):
        raw = ended.removesuffix(b"\r")
        if not raw or raw.startswith(b"#"):
            continue
        found, reversed_form = _read_line(raw, reversed_form)
        if found is None:
            problems.append(
                problem("MAN-LINE", number, shown(raw), "", "sha256sum does not read this line.")
            )
            continue
        path = os.fsdecode(found[0])
        while path.startswith("./"):
            path = path[2:]
        line = Line(path, Digest(found[1].decode().lower()), number)
        if path in SEALS:
            problems.append(
                problem("MAN-SELF", number, visible(path), "", "The manifest lists a seal file.")
            )
        if path in seen:
            problems.append(
                problem("MAN-REPEAT", number, visible(path), f"line {seen[path]}", "Listed twice.")
            )
        seen.setdefault(path, number)
        lines.append(line)
    if not lines and not problems:
        problems.append(problem("MAN-EMPTY", 0, "", "", "The manifest has no line at all."))
    return Listing(tuple(lines), tuple(problems))


def _read_line(
    raw: bytes, reversed_form: bool | None
) -> tuple[tuple[bytes, bytes] | None, bool | None]:
    """Return (path, digest), and whether this file uses the reversed form with one space."""
    raw = raw.lstrip(b" \t")
    escaped = raw.startswith(b"\\")
    if escaped:
        raw = raw[1:]
    tagged = _TAGGED.fullmatch(raw)
    plain = None if tagged else _PLAIN.fullmatch(raw)
    if tagged is not None:
        path, digest = tagged[1], tagged[2]
    elif plain is not None:
        path, digest = plain[2], plain[1]
        one_space = len(path) == 1 or path[:1] not in (b" ", b"*")
        if reversed_form is None:
            reversed_form = one_space
        # coreutils does not mix the two: after a line with one space the second of two is part of
        # the name, and after one with two spaces a line with one is refused
        if not reversed_form:
            if one_space:
                return None, reversed_form
            path = path[1:]
    else:
        return None, reversed_form
    if escaped:
        try:
            path = _ESCAPE.sub(_unescape, path)
        except _NotEscaped:
            return None, reversed_form
    return ((path, digest) if path else None), reversed_form


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[0] not in _ESCAPES:
        raise _NotEscaped
    return _ESCAPES[match[0]]


PROFILE = Profile(
    name="sha256sum",
    summary="any dialect that sha256sum -c reads; the tree hash is the SHA-256 of the manifest",
    read=read,
    by_hand=("sha256sum -c HASH_MANIFEST.txt", "sha256sum HASH_MANIFEST.txt"),
)
