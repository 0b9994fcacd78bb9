"""Where ``lanebook verify --summary`` may write, and how."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from generator.attesting import BEGINNING
from generator.errors import BuildError, UsageError
from generator.model.packet import MANIFEST, TREE
from generator.names import visible
from generator.reading.lane import LANE_FILE
from generator.reading.root import PACKETS, Root
from generator.writing.replacing import put, refusal


def check_place(path: Path, roots: Sequence[Root]) -> None:
    """Refuse a place that is not a new file, or an earlier summary, outside all packets.

    Raises:
        UsageError: it is a link, stands among the packets, or holds something else.
    """
    if path.parent.is_symlink():
        raise _refused(path, "its folder is a symbolic link; name the folder that it leads to")
    if not path.parent.is_dir():
        raise _refused(path, "no such folder")
    folder = path.parent.resolve()
    within = any(folder.is_relative_to(kept) for kept in _kept(roots))
    if within or any(_holds_evidence(around) for around in (folder, *folder.parents)):
        raise _refused(path, "among the packets, which are only read")
    if why := refusal(path):
        raise _refused(path, why)
    if not path.exists():
        return
    with path.open("rb") as file:
        beginning = file.read(len(BEGINNING))
    if beginning not in (b"", BEGINNING):
        raise _refused(path, "holds something else than a summary, and is not written over")


def _refused(path: Path, why: str) -> UsageError:
    return UsageError(f"--summary: {visible(str(path))}: {why} (SUMMARY-PLACE)")


def _holds_evidence(folder: Path) -> bool:
    """Whether a folder is a packet or a lane, be it of a root that nobody asked for."""
    return any(os.path.lexists(folder / name) for name in (MANIFEST, TREE, LANE_FILE))


def _kept(roots: Iterable[Root]) -> Iterator[Path]:
    """Yield the folders whose content is evidence, or is read as documents or decisions."""
    for root in roots:
        yield root.path / PACKETS
        if root.decisions is not None:
            yield root.decisions
        for source in root.sources:
            if source.evidence is not None:
                yield source.evidence
            if source.layout in ("lane", "packet"):
                yield source.folder
            if source.folder.parent == root.path:
                # lanes that lie side by side without a packets/ around them
                yield root.path


def write(path: Path, data: bytes) -> None:
    """Write a summary, or take an earlier one away where there is none to give.

    Raises:
        BuildError: the disk refused; what was there is as it was.
    """
    try:
        if data:
            put(path, data)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        shown = visible(str(path))
        raise BuildError(
            f"{shown}: not written, it is as it was: {reason} (SUMMARY-WRITE)"
        ) from error
