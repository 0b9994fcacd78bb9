"""An evidence packet as it was found on disk: what it states, not yet what is true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from generator.model.digest import Digest
from generator.model.finding import Finding

MANIFEST = "HASH_MANIFEST.txt"
TREE = "packet_tree.sha256"
SEALS = frozenset((MANIFEST, TREE))


class Kind(StrEnum):
    """What stands at a path; only files are ever opened."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symbolic link"
    FIFO = "fifo"
    SOCKET = "socket"
    DEVICE = "device"


class Entry(NamedTuple):
    """One path of a packet.

    ``path`` is relative with ``/``; bytes that are not UTF-8 are kept as surrogate escapes.
    ``content`` is held only where somebody downstream asked for it.
    """

    path: str
    kind: Kind
    size: int = 0
    sha256: Digest | None = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Packet:
    """What reading found under one evidence folder; the two seal files are not among the entries."""

    entries: tuple[Entry, ...]
    manifest: bytes | None
    tree: bytes | None
    profile: str = "manifest-sha256"
    held_elsewhere: Mapping[str, Digest] = field(default_factory=dict)
    """Path to digest, from ``lane.yml``: listed in the manifest, kept in another packet."""
    refusals: tuple[Finding, ...] = ()
    """Why reading stopped early: a limit, or a folder that could not be read."""
    json_depth: int = 64
    json_digits: int = 1000
    json_bytes: int = 64 * 1024 * 1024
    """The limits that hold for each JSON file."""


class State(StrEnum):
    """What became of one path (spec 2.1)."""

    MATCH = "match"
    DIFFERS = "differs"
    MISSING = "missing"
    HELD_ELSEWHERE = "held elsewhere"
    EXTRA = "extra"
    REFUSED = "refused"


class FileState(NamedTuple):
    """A path with what was listed, what was computed, and the drift that explains a difference."""

    path: str
    state: State
    listed: Digest | None
    computed: Digest | None
    size: int
    drift: str = ""
    holder: str = ""
    """The lane or packet that holds the bytes, for ``held elsewhere``."""
