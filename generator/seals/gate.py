"""The gate: holds bytes against their seals, and says how they drifted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from generator.exits import Exit
from generator.model.digest import Digest
from generator.model.packet import Kind
from generator.names import path_bytes
from generator.parallel import batches, fork_map
from generator.profiles.base import Line
from generator.reading import sealed
from generator.reading.limits import DEFAULT, MIB
from generator.reading.tree import read_below
from generator.seals.listing import Asked

if TYPE_CHECKING:
    # what tells how a file drifted is loaded while files are hashed, see check
    from generator.drift import Budget, Drift

IN_GIT: Final = "sealed bytes found in git"
NOT_FOUND: Final = (
    "the sealed bytes were not found, and no known drift of the present bytes gives their digest"
)
NOT_SEARCHED_WHOLE: Final = f"{NOT_FOUND}, as far as it was looked for among so many files"
TOO_LARGE: Final = "the contents are too large to be compared"
CHANGED: Final = "the file changed while it was being read"

_COMPARED_BYTES: Final = 64 * MIB
"""Contents above this size are hashed and not compared."""
_HASHED: Final = 4096 * MIB
"""What the search by transformation may hash for all files together, and for one at least."""
_HASHED_LEAST: Final = MIB
BATCH: Final = 128
"""Files that are hashed by one task."""
_EXPLAINED_BATCH: Final = 16


class State(StrEnum):
    """What became of one sealed file."""

    EXACT = "exact"
    DRIFTED = "drifted"
    MISSING = "missing"
    KIND = "not a file"
    UNREADABLE = "unreadable"


class Difference(NamedTuple):
    """The first place in which two contents differ, with everything but plain ASCII escaped."""

    present: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One sealed file whose bytes are not the sealed ones, or that could not be read."""

    line: Line
    state: State
    computed: Digest | None = None
    classes: tuple[Drift, ...] = ()
    """The ways in which it drifted; edited content where no known one fits."""
    how: str = ""
    """How that is known, or why nothing is."""
    blob: str = ""
    """The git object that holds the sealed bytes."""
    at: int | None = None
    """The first line that differs, from 1, where the sealed bytes are known."""
    difference: Difference | None = None
    """What differs there, if that was asked for."""

    @property
    def code(self) -> str:
        """The code that tells it."""
        if self.state is State.DRIFTED:
            from generator.seals.codes import CODE_OF

            return CODE_OF[self.classes[0]] if len(self.classes) == 1 else "GATE-COMBINED"
        return _CODES[self.state]

    @property
    def message(self) -> str:
        """One line that tells it."""
        if self.state is State.DRIFTED:
            told = f"{', '.join(self.classes)} ({self.how})"
        elif self.state is State.MISSING:
            told = "not there"
            told += f": {self.how}" if self.how else ""
        else:
            told = self.how
        return told + (f"; to see them: git cat-file blob {self.blob}" if self.blob else "")


_CODES: Final = {
    State.MISSING: "GATE-MISSING",
    State.KIND: "GATE-KIND",
    State.UNREADABLE: "GATE-READ",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run of the gate found."""

    asked: Asked
    apart: tuple[Checked, ...] = ()
    """Every file that is not byte-exact, by path bytes."""
    history: str = ""
    """Why the history was not searched, or not to its end."""

    def count(self, state: State) -> int:
        """Return how many files are in a state."""
        if state is State.EXACT:
            return len(self.asked.lines) - len(self.apart)
        return sum(one.state is state for one in self.apart)

    @property
    def exit_code(self) -> Exit:
        """0 only where something was asked for, and every byte of it is as sealed."""
        if any(one.state is not State.UNREADABLE for one in self.apart):
            return Exit.REFUTED
        if self.apart or self.asked.uncovered or not self.asked.lines:
            return Exit.NO_VERDICT
        return Exit.VERIFIED


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run goes about it."""

    jobs: int = 0
    """Processes; 0: one for each processor."""
    history: bool = True
    """Whether git may be asked for sealed bytes."""
    differences: bool = False
    """Whether the first difference is told."""
    most_bytes: int = DEFAULT.bytes
    """A larger file is not read to its end."""


def check(
    folder: Path,
    asked: Asked,
    settings: Settings,
    *,
    progress: Callable[[int], None] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Verdict:
    """Hold every file that was asked about against its line.

    Args:
        folder: where the seal file stands; below it nothing is followed.
        asked: lines of a seal file without problems.
        settings: how to go about it.
        progress: told how many files more were hashed.
        meanwhile: called once, while other processes hash.

    Raises:
        InputError: the folder cannot be opened (``READ-DENIED``).
    """
    lines = asked.lines
    root = sealed.open_folder(folder)
    try:
        left = len(lines)

        def step(batches_done: int) -> None:
            nonlocal left
            files = min(left, batches_done * BATCH)
            left -= files
            if progress is not None:
                progress(files)

        found = fork_map(
            partial(_hashed, root, settings.most_bytes),
            batches(lines, BATCH),
            jobs=settings.jobs,
            progress=step,
            meanwhile=meanwhile,
            least=4,
        )
        apart = sorted(
            (one for batch in found for one in batch), key=lambda one: path_bytes(one.line.path)
        )
        note, blobs = _history(folder, apart) if settings.history else ("", {})
        told = tuple(_explained(folder, root, apart, blobs, settings))
    finally:
        os.close(root)
    return Verdict(asked, told, note)


def _hashed(root: int, most_bytes: int, lines: Sequence[Line]) -> list[Checked]:
    """Return those files of a batch that are not byte-exact."""
    wanted = [(line.path, line.digest) for line in lines]
    seen = sealed.others(root, wanted, most_bytes=most_bytes)
    return [_checked(lines[at], observed) for at, observed in seen]


def _checked(line: Line, observed: sealed.Observed) -> Checked:
    if observed.denied:
        return Checked(line, State.UNREADABLE, how=observed.problem)
    if observed.kind is None:
        return Checked(line, State.MISSING, how=observed.problem)
    if observed.kind is not Kind.FILE:
        told = observed.problem or f"a {observed.kind}, not a file"
        return Checked(line, State.KIND, how=told)
    return Checked(line, State.DRIFTED, observed.digest)


def _history(folder: Path, apart: Iterable[Checked]) -> tuple[str, Mapping[Digest, str]]:
    """Return what git holds of the sealed bytes, and why there is nothing to be had from it."""
    wanted = {one.line.path: one.line.digest for one in apart if one.state is not State.UNREADABLE}
    if not wanted:
        return "", {}
    from generator.reading import githistory  # late: where every byte is as sealed, nobody asks

    try:
        found = githistory.search(folder, wanted)
    except githistory.HistoryError as error:
        return f"git history not searched: {error}", {}
    bounded = "" if found.whole else "git history not searched to its end, as the search is bounded"
    return bounded, found.names


def _explained(
    folder: Path,
    root: int,
    apart: Sequence[Checked],
    blobs: Mapping[Digest, str],
    settings: Settings,
) -> Iterator[Checked]:
    """Yield the files with what became of them; each is read again, and must be the same bytes."""
    from generator import drift

    drifted = [one for one in apart if one.state is State.DRIFTED]
    budget = replace(
        drift.DEFAULT,
        hashed_bytes=min(
            drift.DEFAULT.hashed_bytes, max(_HASHED_LEAST, _HASHED // max(1, len(drifted)))
        ),
    )
    explain = partial(_explain, folder, root, blobs, budget, settings.differences)
    done = fork_map(explain, batches(drifted, _EXPLAINED_BATCH), jobs=settings.jobs, least=2)
    told = iter([one for batch in done for one in batch])
    for one in apart:
        if one.state is State.DRIFTED:
            yield next(told)
        else:
            yield replace(one, blob=blobs.get(one.line.digest, ""))


def _explain(
    folder: Path,
    root: int,
    blobs: Mapping[Digest, str],
    budget: Budget,
    differences: bool,
    batch: Sequence[Checked],
) -> list[Checked]:
    from generator.reading import githistory

    names = [blobs[one.line.digest] for one in batch if one.line.digest in blobs]
    originals = githistory.contents(folder, names)
    try:
        return [
            _one(
                root,
                replace(one, blob=blobs.get(one.line.digest, "")),
                next(originals) if one.line.digest in blobs else None,
                budget,
                differences,
            )
            for one in batch
        ]
    except githistory.HistoryError:
        # what git no longer gives counts as not found
        return _explain(folder, root, {}, budget, differences, batch)


def _one(
    root: int, one: Checked, original: bytes | None, budget: Budget, differences: bool
) -> Checked:
    from generator import drift
    from generator.drift import Drift

    digest = one.computed
    present = (
        read_below(root, one.line.path, digest, _COMPARED_BYTES) if digest is not None else None
    )
    edited = replace(one, classes=(Drift.EDITED,))
    if present is None:
        return replace(edited, how=_why_not(root, one))
    found = drift.recover(present, one.line.digest, lambda _: original, budget)
    explained = found.explanation
    if explained is None:
        if found.sealed is not None or len(present) > budget.text_bytes:
            how = TOO_LARGE
        else:
            bounded = budget.hashed_bytes < drift.DEFAULT.hashed_bytes
            how = NOT_SEARCHED_WHOLE if bounded else NOT_FOUND
    else:
        how = IN_GIT if explained.how == drift.FOUND else explained.how
    classes = explained.classes if explained is not None else (Drift.EDITED,)
    one = replace(one, classes=classes, how=how)
    if found.sealed is None:
        return one
    line, first = first_difference(present, found.sealed)
    return replace(one, at=line, difference=first if differences else None)


def _why_not(root: int, one: Checked) -> str:
    # not hashed once more: what is too large was read to its end already
    (again,) = sealed.observe(root, [one.line.path], most_bytes=_COMPARED_BYTES)
    return TOO_LARGE if again.size > _COMPARED_BYTES else CHANGED


_AROUND: Final = 32
"""Bytes of a line that are shown before and behind the first difference."""


def first_difference(present: bytes, sealed_bytes: bytes) -> tuple[int, Difference]:
    """Return the line, from 1, in which two contents differ first, and what stands there."""
    shorter = min(len(present), len(sealed_bytes))
    low, high = 0, shorter
    # the longest common beginning, by halving: comparing slices is what Python does fast
    while low < high:
        middle = (low + high + 1) // 2
        if present[low:middle] == sealed_bytes[low:middle]:
            low = middle
        else:
            high = middle - 1
    start = max(present.rfind(b"\n", 0, low) + 1, low - _AROUND)
    while start and start < len(present) and 0x80 <= present[start] < 0xC0:
        start -= 1  # so that no character is cut
    shown = Difference(_escaped(present, start, low), _escaped(sealed_bytes, start, low))
    return present.count(b"\n", 0, low) + 1, shown


def _escaped(data: bytes, start: int, at: int) -> str:
    r"""Return some bytes as text in quotes; a back slash of the text itself is written as two."""
    end = at + _AROUND
    while end < len(data) and 0x80 <= data[end] < 0xC0:
        end += 1
    text = data[start:end].decode("utf-8", "surrogateescape")
    shown = text.encode("unicode_escape").decode("ascii")
    return f'"{shown}"' + ("" if end < len(data) else " and the end")
