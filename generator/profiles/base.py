"""What every tree profile offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from generator.model.digest import Digest, sha256
from generator.model.finding import Finding
from generator.model.packet import MANIFEST


class Line(NamedTuple):
    """One line of a manifest: the digest it lists for a path, and its number (1-based)."""

    path: str
    digest: Digest
    number: int


class Listing(NamedTuple):
    """What a manifest states, and what is wrong with the way it is written."""

    lines: tuple[Line, ...]
    problems: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """One declared way to write a manifest."""

    name: str
    summary: str
    read: Callable[[bytes], Listing]
    """Manifest bytes to lines; never raises, problems are findings."""
    by_hand: tuple[str, ...]
    """Shell lines that check a packet without lanebook."""

    def tree(self, manifest: bytes) -> Digest:
        """Return the tree hash of a packet with this manifest."""
        return sha256(manifest)


def problem(code: str, number: int, stated: str, computed: str, message: str) -> Finding:
    """Return a finding about line ``number`` of the manifest; 0 is the file as a whole."""
    where = f"{MANIFEST}:{number}" if number else MANIFEST
    return Finding(code, where, stated, computed, message)
