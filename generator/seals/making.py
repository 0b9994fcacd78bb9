"""Writes seals: what the gate would refuse is refused here, and nothing is written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from generator.errors import BuildError, InputError
from generator.model.digest import Digest
from generator.names import path_bytes, visible
from generator.parallel import batches, fork_map
from generator.profiles import manifest_sha256
from generator.profiles.base import Line
from generator.reading import sealed
from generator.seals import listing
from generator.seals.gate import BATCH
from generator.writing.replacing import put, refusal


class Made(NamedTuple):
    """A seal file as it should be, and how it differs from the one that is there."""

    data: bytes
    files: int
    added: tuple[str, ...]
    changed: tuple[str, ...]


def make(folder: Path, name: str, old: Sequence[Line], paths: Sequence[str], jobs: int = 0) -> Made:
    """Seal files anew.

    Args:
        folder: where the seal file stands.
        name: its name there; it is never sealed by itself.
        old: the lines of the seal file that is there.
        paths: files, and folders with all that is in them, relative to ``folder``; the lines of
            other files stay as they are. None: every file that is listed already.
        jobs: processes; 0: one for each processor.

    Raises:
        InputError: something is no file, is not there, cannot be read, or has a name or a path that
            the gate would refuse.
    """
    before = {line.path: line.digest for line in old}
    root = sealed.open_folder(folder)
    try:
        if paths:
            found = {file for path in paths for file in sealed.files_below(root, path)}
            files = sorted(found - {name}, key=path_bytes)
            if name in paths:
                raise InputError("it cannot seal itself", code="GATE-SELF", place=(visible(name),))
        else:
            files = sorted(before, key=path_bytes)
        digests = fork_map(partial(_digests, root), batches(files, BATCH), jobs=jobs, least=4)
    finally:
        os.close(root)
    now = dict(zip(files, (digest for batch in digests for digest in batch), strict=True))
    lines = sorted((before | now).items(), key=lambda pair: path_bytes(pair[0]))
    for code, path, message in listing.refused(tuple(path for path, _ in lines), name):
        raise InputError(f"not sealed: {message}", code=code, place=(visible(path, 160),))
    return Made(
        manifest_sha256.build(lines),
        len(lines),
        tuple(path for path in files if path not in before),
        tuple(path for path in files if path in before and before[path] != now[path]),
    )


def _digests(root: int, paths: Sequence[str]) -> list[Digest]:
    return [
        sealed.sealed_digest(path, observed)
        for path, observed in zip(paths, sealed.observe(root, paths), strict=True)
    ]


def check_report(path: Path, folder: Path, sealed_paths: Iterable[str]) -> None:
    """Refuse a place for a report where it would destroy what the gate is there to keep.

    Args:
        path: the place.
        folder: where the seal file stands.
        sealed_paths: what may not be written over, relative to ``folder``.

    Raises:
        GateWriteError: it is one of these, or a link, a device or something else that is no file.
    """
    try:
        why = refusal(path)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
    place = os.path.join(os.path.realpath(path.parent), path.name)
    if os.path.relpath(place, os.path.realpath(folder)) in set(sealed_paths):
        why = "it is sealed, or the seal file"
    if why:
        raise GateWriteError(f"{visible(path.name or '.')}: not written: {why}")


def write(path: Path, data: bytes) -> None:
    """Put a seal file, or a report, in its place in one step; until then the old one is whole.

    Raises:
        BuildError: it could not be written.
    """
    try:
        put(path, data)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise GateWriteError(f"{visible(path.name)}: not written: {reason}") from error


class GateWriteError(BuildError):
    """A file could not be written; the one that was there is still there."""

    code = "GATE-WRITE"
