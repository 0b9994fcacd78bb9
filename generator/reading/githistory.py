"""Bytes that git has kept, found by their SHA-256.

Only ``rev-list`` and ``cat-file`` run: they write nothing, look at no working tree, and start no
hook, filter, text conversion or transport. What git says is believed for the digest of its bytes
only, so neither a replaced object nor a forged one can pass for sealed bytes.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from generator.errors import LanebookError
from generator.model.digest import Digest, sha256
from generator.names import visible
from generator.reading import git
from generator.reading.limits import MIB


class HistoryError(LanebookError):
    """There is no history here that could be searched; the text says why."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Where the search of a history ends."""

    blob_bytes: int = 64 * MIB
    """A larger blob is not looked at."""
    bytes: int = 512 * MIB
    """Of all blobs that are hashed."""
    blobs: int = 200_000
    seconds: float = 60.0


class Search(NamedTuple):
    """What a search gave."""

    names: Mapping[Digest, str]
    """Digest to the name of the git object that has these bytes."""
    whole: bool
    """Whether it ended by itself, and not at its bounds."""


def search(folder: Path, wanted: Mapping[str, Digest], budget: Budget | None = None) -> Search:
    """Look for the bytes with the ``wanted`` digests in the git repository around ``folder``.

    First every blob that ever stood at one of the paths (relative to the folder) on any branch,
    tag or stash, in what refs pointed to before, or in the index; then any other blob.

    Raises:
        HistoryError: there is no git or no repository, or git refuses it.
    """
    hunt = _Hunt(folder, set(wanted.values()), budget or Budget())
    # past some number of paths, looking at every path costs git less than comparing with each
    paths = "".join(f"{path}\n" for path in wanted) if len(wanted) <= _MOST_PATHS else ".\n"
    listed = _run(
        folder,
        ("rev-list", "--objects", "--no-object-names", "--full-history", *_EVERYWHERE, "--stdin"),
        os.fsencode(f"--\n{paths}"),
        hunt.left(),
    )
    hunt.look_at(_checked(folder, listed, hunt.left()))
    if hunt.missing:
        everything = ("cat-file", "--batch-all-objects", f"--batch-check={_CHECK}")
        hunt.look_at(_parsed(_run(folder, everything, b"", hunt.left())))
    return Search(hunt.found, hunt.whole)


def contents(folder: Path, names: Sequence[str]) -> Iterator[bytes]:
    """Yield the bytes of git objects, in the order of their names.

    Raises:
        HistoryError: git refuses, or no longer has one.
    """
    try:
        for data in git.contents(folder, names):
            if data is None:
                raise HistoryError("git no longer has an object that it listed")
            yield data
    except OSError as error:
        raise HistoryError("git cannot be run") from error


_EVERYWHERE: Final = ("--all", "--reflog", "--indexed-objects", "--missing=allow-any")
_MOST_PATHS: Final = 500
_CHECK: Final = "%(objectname) %(objecttype) %(objectsize)"


def _run(folder: Path, arguments: tuple[str, ...], asked: bytes, seconds: float) -> bytes:
    try:
        done = git.run(folder, *arguments, asked=asked, seconds=max(seconds, 0.001))
    except subprocess.TimeoutExpired as error:
        raise HistoryError("git took too long to list it") from error
    except OSError as error:
        raise HistoryError("git cannot be run") from error
    if done.returncode != 0:
        raise HistoryError(_why(done.stderr.decode("utf-8", "replace")))
    return done.stdout


def _why(told: str) -> str:
    if "dubious ownership" in told:
        return (
            "git refuses the repository, as it belongs to another user; whoever trusts it says"
            " so with 'git config --global --add safe.directory'"
        )
    if "not a git repository" in told:
        return "the seals lie in no git repository"
    first = (told.strip().splitlines() or [""])[0].removeprefix("fatal: ")
    # what git quotes is mostly a path of this machine, which is nobody's business
    return f"git fails: {visible(first.partition(chr(39))[0].strip(), 120) or 'it says not why'}"


def _checked(folder: Path, names: bytes, seconds: float) -> Iterator[tuple[str, int]]:
    if not names:
        return iter(())
    return _parsed(_run(folder, ("cat-file", f"--batch-check={_CHECK}"), names, seconds))


def _parsed(lines: bytes) -> Iterator[tuple[str, int]]:
    """Yield name and size of every blob."""
    for line in lines.decode("ascii", "replace").splitlines():
        parts = line.split(" ")
        if len(parts) == 3 and parts[1] == "blob":
            yield parts[0], int(parts[2])


@dataclass(slots=True)
class _Hunt:
    """One search, and how far it may still go."""

    folder: Path
    missing: set[Digest]
    budget: Budget
    found: dict[Digest, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    spent: int = 0
    whole: bool = True
    end: float = 0.0

    def __post_init__(self) -> None:
        self.end = time.monotonic() + self.budget.seconds

    def left(self) -> float:
        return self.end - time.monotonic()

    def look_at(self, blobs: Iterable[tuple[str, int]]) -> None:
        names = list(self._afforded(blobs))
        for name, data in zip(names, contents(self.folder, names), strict=True):
            digest = sha256(data)
            if digest in self.missing:
                self.found[digest] = name
                self.missing.discard(digest)
                if not self.missing:
                    return
            if self.left() < 0:
                self.whole = False
                return

    def _afforded(self, blobs: Iterable[tuple[str, int]]) -> Iterator[str]:
        for name, size in blobs:
            if name in self.seen:
                continue
            if size > self.budget.blob_bytes:
                self.whole = False
                continue
            if self.spent + size > self.budget.bytes or len(self.seen) >= self.budget.blobs:
                self.whole = False
                return
            self.spent += size
            self.seen.add(name)
            yield name
