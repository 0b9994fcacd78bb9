"""An evidence packet as it was found on disk: what it states, not yet what is true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, overload

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
    """What reading found under an evidence folder; the seal files are not among the entries."""

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

    def occupied(self, seal: str) -> bool:
        """Whether something stands in the place of a seal file that could not be read as one.

        It has its own finding, and is not missing.
        """
        return any(entry.path == seal for entry in self.entries) or any(
            finding.where == seal for finding in self.refusals
        )


class State(StrEnum):
    """What became of one path (spec 2.1)."""

    MATCH = "match"
    DIFFERS = "differs"
    MISSING = "missing"
    HELD_ELSEWHERE = "held elsewhere"
    EXTRA = "extra"
    REFUSED = "refused"


NOT_SEARCHED = "not found; looked for line ends and marks only, as the search is bounded"
"""In the place of a drift, where the search of a packet had become too long."""


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


class FileStates(Sequence[FileState]):
    """The states of a packet's files, by path bytes.

    Those of a packet with which nothing is wrong are what its manifest says, so they stay packed
    in it until somebody asks: most lanes are only counted.
    """

    __slots__ = ("_manifest", "_sizes", "_states")

    def __init__(self, states: Iterable[FileState] = ()) -> None:
        """Take states that are known one by one."""
        self._states: tuple[FileState, ...] | None = tuple(states)
        self._manifest = b""
        self._sizes: tuple[int, ...] = ()

    @classmethod
    def all_match(cls, manifest: bytes, sizes: Iterable[int]) -> FileStates:
        """Take a manifest in the default form, each line of which was found true."""
        states = cls()
        states._states = None
        states._manifest = manifest
        states._sizes = tuple(sizes)
        return states

    @property
    def sound(self) -> bool:
        """Whether it is known without looking that every file matches."""
        return bool(self._manifest)

    def _all(self) -> tuple[FileState, ...]:
        if self._states is None:
            lines = self._manifest.decode("ascii").splitlines()
            self._states = tuple(
                FileState(line[66:], State.MATCH, Digest(line[:64]), Digest(line[:64]), size)
                for line, size in zip(lines, self._sizes, strict=True)
            )
        return self._states

    def __len__(self) -> int:
        """Count them, packed or not."""
        return len(self._sizes) if self._states is None else len(self._states)

    @overload
    def __getitem__(self, index: int) -> FileState: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[FileState, ...]: ...

    def __getitem__(self, index: int | slice) -> FileState | tuple[FileState, ...]:
        """Return one state, or some."""
        return self._all()[index]

    def __iter__(self) -> Iterator[FileState]:
        """Yield every state."""
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        """Compare what they say, packed or not."""
        return isinstance(other, FileStates) and self._all() == other._all()

    def __hash__(self) -> int:
        """Hash what they say."""
        return hash(self._all())

    def __reduce__(self) -> tuple[object, ...]:
        """Come back from a worker as packed as they went."""
        if self._manifest:
            return FileStates.all_match, (self._manifest, self._sizes)
        return FileStates, (self._states,)
