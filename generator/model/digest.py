"""SHA-256 digests, whole and abbreviated."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple, NewType

from generator.errors import InputError

Digest = NewType("Digest", str)
"""64 lower-case hexadecimal digits; made by :func:`parse_digest` or :func:`sha256` only."""

_FULL = re.compile(r"[0-9a-f]{64}\Z")
_WEAK = re.compile(r"([0-9a-f]{4,63})(?:…|\.{2,3})([0-9a-f]{0,63})\Z")


def parse_digest(text: str) -> Digest:
    """Return ``text`` as a digest.

    Raises:
        InputError: it is not 64 lower-case hexadecimal digits.
    """
    if not _FULL.match(text):
        raise InputError(f"not a SHA-256 digest: {text[:80]!r}", code="DIGEST-FORM")
    return Digest(text)


def is_digest(text: str) -> bool:
    """Tell whether ``text`` is a digest in the only form that counts."""
    return _FULL.match(text) is not None


def sha256(data: bytes) -> Digest:
    """Return the digest of ``data``."""
    return Digest(hashlib.sha256(data).hexdigest())


class WeakReference(NamedTuple):
    """An abbreviated hash such as ``e6547e69…956c47``: it names a digest, it never proves one."""

    head: str
    tail: str

    @classmethod
    def parse(cls, text: str) -> WeakReference:
        """Read ``head…tail``, also with two or three full stops (spec 2.1).

        Raises:
            InputError: it is not an abbreviated hash.
        """
        match = _WEAK.match(text)
        if match is None:
            raise InputError(f"not an abbreviated hash: {text[:80]!r}", code="DIGEST-FORM")
        return cls(match[1], match[2])

    @property
    def bits(self) -> int:
        """How many of the 256 bits the reference fixes."""
        return 4 * (len(self.head) + len(self.tail))

    def fits(self, digest: Digest) -> bool:
        """Tell whether ``digest`` could be the one that is meant."""
        return digest.startswith(self.head) and digest.endswith(self.tail)

    def resolve(self, known: Iterable[Digest]) -> Digest | None:
        """Return the one known digest that fits; none if there is none, or more than one."""
        found = {digest for digest in known if self.fits(digest)}
        return found.pop() if len(found) == 1 else None


def is_weak(text: str) -> bool:
    """Tell whether ``text`` is an abbreviated hash."""
    return _WEAK.match(text) is not None


def ends(text: str) -> tuple[str, str]:
    """Return the digits before and behind what an abbreviated hash leaves out."""
    for mark in ("…", "...", ".."):
        head, cut, tail = text.partition(mark)
        if cut:
            return head, tail
    return text, text


def fits(one: str, other: str) -> bool:
    """Tell whether two hashes, whole or abbreviated, can be the same."""
    a, b = ends(one), ends(other)
    head, tail = min(len(a[0]), len(b[0])), min(len(a[1]), len(b[1]))
    return a[0][:head] == b[0][:head] and (not tail or a[1][-tail:] == b[1][-tail:])
