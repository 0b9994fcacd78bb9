"""A root as a git revision has it, written into a folder of its own.

git is asked for names and bytes only: no work tree is made, so that no filter, hook or attribute
has a say, and nothing is fetched. What is a link in the revision is one in the folder, and refused
as any other; a submodule is an empty folder.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from generator.errors import InputError, NoVerdictError, UsageError
from generator.names import visible
from generator.reading import git
from generator.reading.root import DECISIONS, PACKETS, PINS, SETTINGS

_OF_A_ROOT = (PACKETS, DECISIONS, PINS, SETTINGS)
_MOST_BYTES = 8 * 2**30


class _Blob(NamedTuple):
    mode: str
    name: str
    """Object id."""
    size: int
    path: bytes


def write_revision(root: Path, revision: str, folder: Path) -> None:
    """Write the files of a root, as they are in a revision, into an empty folder.

    Args:
        root: a root inside a git repository.
        revision: anything that git takes for a commit.
        folder: where to write; it exists.

    Raises:
        UsageError: git does not know the revision.
        NoVerdictError: there is no git, no repository, or no root in the revision.
        InputError: a name in the revision leads out of the folder, or it is too much.
    """
    commit = _commit(root, revision)
    prefix = _git(root, "rev-parse", "--show-prefix").rstrip(b"\n")
    blobs = list(_listed(root, commit, prefix))
    shown = visible(revision, 80)
    if not any(blob.path.startswith(b"packets/") for blob in blobs):
        raise NoVerdictError(f"{shown}: this revision has no {PACKETS}/ here")
    if sum(blob.size for blob in blobs) > _MOST_BYTES:
        raise InputError("more than 8 GiB; check it out and name the folder", place=(shown,))
    for blob in blobs:
        if any(part in (b"", b".", b"..", b".git") for part in blob.path.split(b"/")):
            raise InputError("a name that leads out of its folder", place=(shown, _shown(blob)))
    try:
        _write(root, blobs, folder)
    except (OSError, ValueError, RecursionError) as error:
        # such as two things under one name
        told = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else ""
        why = told or "a name or a link that no folder can have"
        raise InputError(f"cannot be written out here: {why}", place=(shown,)) from error


def _shown(blob: _Blob) -> str:
    return visible(os.fsdecode(blob.path), 120)


def _commit(root: Path, revision: str) -> str:
    shown = visible(revision, 80)
    if not revision:
        raise UsageError("a revision stands before the colon, such as HEAD:")
    try:
        told = _git(root, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    except NoVerdictError as error:
        if _is_repository(root):
            raise UsageError(f"{shown}: git knows no such revision here") from error
        raise
    return told.decode("ascii").strip()


def _is_repository(root: Path) -> bool:
    return _answers(root, "rev-parse", "--git-dir")


def _knows(root: Path, name: str) -> bool:
    return _answers(root, "rev-parse", "--verify", "--end-of-options", name)


def _answers(root: Path, *arguments: str) -> bool:
    try:
        _git(root, *arguments)
    except NoVerdictError:
        return False
    return True


def _listed(root: Path, commit: str, prefix: bytes) -> Iterator[_Blob]:
    tree = f"{commit}:{os.fsdecode(prefix)}"
    if not _knows(root, tree):
        return  # the folder of this root is not in the revision
    told = _git(root, "ls-tree", "-r", "-l", "-z", "--full-tree", tree)
    for entry in told.split(b"\0"):
        head, tab, path = entry.partition(b"\t")
        if tab and os.fsdecode(path.partition(b"/")[0]) in _OF_A_ROOT:
            mode, _, name, size = head.decode("ascii").split()
            yield _Blob(mode, name, int(size) if size.isdecimal() else 0, path)


def _write(root: Path, blobs: Sequence[_Blob], folder: Path) -> None:
    """Write blobs below a folder, which nothing else writes to."""
    top = os.fsencode(folder)
    made: set[bytes] = set()
    wanted = [blob for blob in blobs if blob.mode != "160000"]
    for blob in blobs:
        parent = os.path.join(top, blob.path if blob.mode == "160000" else blob.path + b"/..")
        parent = os.path.normpath(parent)
        if parent not in made:
            os.makedirs(parent, exist_ok=True)
            made.add(parent)
    with contextlib.closing(git.contents(root, [blob.name for blob in wanted])) as found:
        for blob, data in zip(wanted, found, strict=True):
            if data is None:
                raise NoVerdictError(f"{_shown(blob)}: git does not have these bytes here")
            _write_one(blob, data, os.path.join(top, blob.path))


def _write_one(blob: _Blob, data: bytes, path: bytes) -> None:
    if blob.mode == "120000":
        os.symlink(data, path)
        return
    with open(path, "xb") as file:
        file.write(data)


def _git(root: Path, *arguments: str) -> bytes:
    try:
        done = git.run(root, *arguments)
    except FileNotFoundError as error:
        raise NoVerdictError("git is not installed; name a folder instead") from error
    except ValueError as error:
        raise UsageError("a revision has no zero byte in it") from error
    if done.returncode:
        told = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise NoVerdictError(f"git: {visible(told, 200) or 'no answer'}")
    return done.stdout
