"""What the two words of ``lanebook diff`` mean, and the portraits of what they name."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from generator.comparing.difference import Difference, difference, in_short
from generator.comparing.portrait import Portrait, portrait, root_portrait
from generator.decided import by_lane
from generator.errors import NoVerdictError, UsageError
from generator.facts import LaneFacts, lane_facts
from generator.mapped import with_map
from generator.model.decision import Recorded
from generator.model.digest import Digest
from generator.model.verdict import LaneVerdict, RootVerdict
from generator.names import visible
from generator.parallel import fork_map
from generator.reading.revision import write_revision
from generator.reading.root import PACKETS, Root, find_root, open_path, open_root
from generator.standing import NO_BLOCKERS, Blockers, after_each
from generator.verify import concluded, look


class Side(NamedTuple):
    """One of the two things that are compared."""

    asked: str
    """The word as it was given, safe to print."""
    root: Root
    lane: str
    """Its id; empty where a whole root is meant."""


Progress = Callable[[str, int], Callable[[int], None]]


@contextmanager
def both(one: str, other: str, around: Path) -> Iterator[tuple[Side, Side]]:
    """Find both sides; revisions are gone with the block.

    Args:
        one: a lane id, a path, ``REV:LANE``, or ``REV:`` for a whole root.
        other: the same.
        around: the folder in which they were said.

    Raises:
        UsageError: a lane or a revision is unknown, both are the same lane, or one is a lane and
            the other a root.
        NoVerdictError, InputError: something cannot be read.
    """
    with ExitStack() as stack:
        sides = _Sides(around, stack)
        first, second = sides.side(one), sides.side(other)
        if bool(first.lane) is not bool(second.lane):
            lane, root = (first, second) if first.lane else (second, first)
            raise UsageError(
                f"{lane.asked} is a lane and {root.asked} is a whole root; name two of a kind"
            )
        if (first.root.path, first.lane) == (second.root.path, second.lane):
            raise UsageError(f"{first.asked} and {second.asked} are the same")
        if not (first.root.sources or second.root.sources):
            raise NoVerdictError("nothing to compare: neither side holds a lane")
        yield first, second


class _Sides:
    def __init__(self, around: Path, stack: ExitStack) -> None:
        self.around = around
        self.stack = stack
        self.opened: dict[str, Root] = {}
        self.revisions: dict[str, Root] = {}

    def side(self, word: str) -> Side:
        if not word:
            raise UsageError("the name of a lane is empty")
        here = self._here()
        known = here is not None and any(source.id == word for source in here.sources)
        if not known and os.path.lexists(word):
            return self._path(word)
        if ":" in word and not known:
            return self._revision(word)
        if here is None:
            find_root(self.around)  # says that there is none
            raise NoVerdictError("no packets/ folder here")
        return Side(visible(word, 80), here, _lane(here, word))

    def _here(self) -> Root | None:
        try:
            path = find_root(self.around)
        except NoVerdictError:
            return None
        return self._open(path)

    def _open(self, path: Path) -> Root:
        """Open a root once, so that two of its lanes are verified together."""
        key = str(path.resolve())
        if key not in self.opened:
            self.opened[key] = open_root(path.resolve())
        return self.opened[key]

    def _path(self, word: str) -> Side:
        root = open_path(Path(word))
        shown = visible(word, 80)
        if (root.path / PACKETS).is_dir():
            whole = self._open(root.path)
            return Side(shown, whole, next(iter(root.chosen), ""))
        if len(root.sources) > 1:
            raise UsageError(f"{shown}: more than one lane, and no root; name one of them")
        return Side(shown, root, root.sources[0].id)

    def _revision(self, word: str) -> Side:
        revision, _, lane = word.rpartition(":")
        if revision not in self.revisions:
            folder = Path(self.stack.enter_context(TemporaryDirectory(prefix="lanebook-")))
            write_revision(find_root(self.around), revision, folder)
            self.revisions[revision] = open_root(folder.resolve())
        root = self.revisions[revision]
        name = lane.rstrip("/").removeprefix(f"{PACKETS}/")
        if name == "." or (name == PACKETS and all(source.id != name for source in root.sources)):
            name = ""
        return Side(visible(word, 80), root, _lane(root, name) if name else "")


def _lane(root: Root, name: str) -> str:
    ids = [source.id for source in root.sources]
    if name in ids:
        return name
    near = difflib.get_close_matches(name, ids, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise UsageError(f"unknown lane: {visible(name, 80)}{hint}")


# --- portraits ---


def verified(one: Side, other: Side, jobs: int, progress: Progress) -> tuple[RootVerdict, ...]:
    """Verify the roots around both sides, which may be one."""
    # a lane is judged with its surroundings, whichever was asked for
    first, second = (replace(side.root, chosen=frozenset()) for side in (one, other))
    step = progress(f"verifying {one.asked}", len(first.sources))
    looked = look(first, jobs=jobs, progress=step, records=False)
    if first.path == second.path:
        verdict = concluded(first, looked, records=False)
        return verdict, verdict
    verdicts: list[RootVerdict] = []
    alike = first.limits == second.limits
    step = progress(f"verifying {other.asked}", len(second.sources))
    again = look(
        second,
        jobs=jobs,
        progress=step,
        records=False,
        before=looked if alike else None,
        also=lambda: verdicts.append(concluded(first, looked, records=False)),
    )
    return verdicts[0], concluded(second, again, records=False)


class Roots(NamedTuple):
    """What changed between two roots."""

    whole: Difference
    """Lanes that came or went, blockers, decisions."""
    lanes: Mapping[str, Difference]
    """Of each lane that both have and that changed, by id in the later order."""
    same: int
    """Lanes that both have, with nothing changed."""

    @property
    def headline(self) -> str:
        """Did anything get worse, in the root as a whole or in any of its lanes?"""
        if not self.lanes:
            return self.whole.headline
        number = f"{len(self.lanes)} lane" + ("s" if len(self.lanes) > 1 else "")
        inside = in_short(change for lane in self.lanes.values() for change in lane.changes)
        return f"In {number} that changed: {inside}. As a whole: {in_short(self.whole.changes)}."


def of_roots(one: RootVerdict, other: RootVerdict, *, jobs: int = 0) -> Roots:
    """Return what changed between two roots; only lanes that may differ are looked into."""
    read: dict[Digest, LaneFacts] = {}
    before, after = _Known.of(one, read), _Known.of(other, read)
    shared = [lane.id for lane in other.lanes if lane.id in before.lanes]

    def work(lane_id: str) -> Difference | None:
        one = before.told(lane_id)
        if one is not None and one == after.told(lane_id):
            return None
        found = difference(before.portrait(lane_id), after.portrait(lane_id))
        return found if found.changes else None

    made = fork_map(work, shared, jobs=jobs)
    changed = {lane: found for lane, found in zip(shared, made, strict=True) if found is not None}
    whole = difference(before.whole(), after.whole())
    return Roots(whole, changed, len(shared) - len(changed))


class _Known(NamedTuple):
    """A verdict, and what is asked of it again and again."""

    verdict: RootVerdict
    lanes: Mapping[str, tuple[LaneVerdict, Blockers]]
    facts: Mapping[str, LaneFacts]
    decisions: Mapping[str, tuple[Recorded, ...]]

    @classmethod
    def of(cls, verdict: RootVerdict, read: dict[Digest, LaneFacts]) -> _Known:
        """Know a verdict; ``read`` is what documents say, by the fingerprint of their lane."""
        facts = {
            lane.id: with_map(_stated(lane, read), lane, lane.detail.blocker_map)
            for lane in verdict.lanes
        }
        lanes = {lane.id: (lane, now) for lane, now in after_each(verdict.lanes, facts)}
        return cls(verdict, lanes, facts, by_lane(verdict.decisions))

    def portrait(self, lane_id: str) -> Portrait:
        lane, now = self.lanes[lane_id]
        return portrait(lane, self.facts[lane_id], now, self.decisions.get(lane_id, ()))

    def whole(self) -> Portrait:
        now = next((now for _, now in reversed(list(self.lanes.values()))), NO_BLOCKERS)
        return root_portrait(self.verdict, self.facts, now)

    def told(self, lane_id: str) -> tuple[object, ...] | None:
        """Return everything that a portrait is made of, so that equal ones need not be made.

        None where it is not known what all of it is.
        """
        lane, now = self.lanes[lane_id]
        if not lane.detail.fingerprint:
            return None
        return (
            lane.detail,  # with a digest of every byte of the lane
            (lane.outcome, lane.integrity, lane.link, lane.pin, lane.errors),
            lane.findings,
            lane.document_claims,
            lane.files,
            [
                (
                    *(one.blocker, one.open, one.note, one.lane.id),
                    [(leg.name, leg.state, leg.carried) for leg in one.legs],
                )
                for one in now.standing
            ],
            self.decisions.get(lane_id, ()),
        )


def _stated(lane: LaneVerdict, read: dict[Digest, LaneFacts]) -> LaneFacts:
    """Return what the documents of a lane say, read once for lanes of the same bytes."""
    alike = lane.detail.fingerprint
    if alike in read:
        return read[alike]
    stated = lane_facts(lane.documents)
    if alike:
        read[alike] = stated
    return stated


def of_lane(verdict: RootVerdict, lane_id: str) -> Portrait:
    """Return the portrait of one lane of a root."""
    return _Known.of(verdict, {}).portrait(lane_id)


def portraits(verdict: RootVerdict) -> Mapping[str, Portrait]:
    """Return the portrait of every lane of a root, and of the root itself under an empty id."""
    known = _Known.of(verdict, {})
    return {"": known.whole()} | {lane.id: known.portrait(lane.id) for lane in verdict.lanes}
