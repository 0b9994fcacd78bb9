"""Canonical JSON (RFC 8785): one value has one spelling, so that its hash means the value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from generator.model.digest import Digest, sha256

Plain: TypeAlias = "bool | int | str | Sequence[Plain] | Mapping[str, Plain] | None"
"""What records are made of; without floating numbers, whose spelling is where readers differ."""


def canonical(value: Plain) -> bytes:
    """Return the bytes of RFC 8785.

    Raises:
        rfc8785.CanonicalizationError: a number is past 2^53, or a text holds a lone surrogate.
    """
    import rfc8785  # late: only what hashes records needs it

    return rfc8785.dumps(value)


def digest_of(value: Plain) -> Digest:
    """Return the SHA-256 of a value's canonical bytes."""
    return sha256(canonical(value))
