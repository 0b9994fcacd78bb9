"""``pins.yml``: a list, outside all packets and kept in git, of what the lanes were.

A pin is never changed in silence: what is pinned already stays as it is pinned until somebody names
the lane and says so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from generator.errors import BuildError, NoVerdictError, UsageError
from generator.model.outcome import Integrity
from generator.model.verdict import LaneVerdict, RootVerdict
from generator.names import visible
from generator.reading.root import PINS, Pin, read_pins
from generator.rules.pins import BEHIND
from generator.writing.replacing import put

_HEAD = """\
# What the lanes were when they were pinned, oldest first. 'lanebook pin' writes it; keep it in git.
# tree:   SHA-256 of evidence/HASH_MANIFEST.txt, as 'sha256sum' prints it.
# record: hash of the lane's record, which holds the hash of the record before it. It changes when
#         a document, lane.yml or the packet of the lane changes, or of any lane before it.
# 'lanebook verify' and 'lanebook build' find what is otherwise; only 'lanebook pin --repin LANE'
# changes what is here.
"""
_REWRITTEN = ("PIN-TREE", "PIN-RECORD")


class Did(StrEnum):
    """What became of one lane's pin."""

    PINNED = "pinned"
    COMPLETED = "completed"
    REPINNED = "repinned"
    FOLLOWED = "repinned, as a lane before it is"
    REMOVED = "no longer pinned"
    KEPT = "as before"
    REFUSED = "refused"


class Step(NamedTuple):
    """One lane and what is done with its pin."""

    lane: str
    did: Did
    why: str = ""
    no_verdict: bool = False
    """Whether it is refused because nothing could be said of it, and not because it is refuted."""

    @property
    def changes(self) -> bool:
        """Whether the pin list says something else afterwards."""
        return self.did not in (Did.KEPT, Did.REFUSED)


class Plan(NamedTuple):
    """What ``pins.yml`` is to hold, and what that changes, lane by lane."""

    pins: Mapping[str, Pin]
    steps: tuple[Step, ...]
    data: bytes
    """The file; empty where nothing is pinned."""


def plan(
    verdict: RootVerdict,
    old: Mapping[str, Pin],
    lanes: Collection[str] = (),
    repin: Collection[str] = (),
) -> Plan:
    """Return what pinning would do; nothing is written.

    Args:
        verdict: over all lanes of the root, with their records.
        old: what is pinned now.
        lanes: those to pin; none: all of them, but for those that are refused.
        repin: those whose pin may change, or go where the lane is gone. A lane behind one of them
            follows where nothing of the lane itself changed.

    Raises:
        UsageError: a lane that is named is not there.
    """
    here = {lane.id: lane for lane in verdict.lanes if lane.record is not None}
    for named in (*lanes, *repin):
        if named not in here and named not in old:
            raise UsageError(f"no such lane: {visible(named, 100)}")
    wanted = set(lanes) | set(repin)
    pins: dict[str, Pin] = {}
    steps: list[Step] = []
    moved: set[str] = set()
    for lane_id, lane in here.items():
        pin = old.get(lane_id)
        if pin is None and wanted and lane_id not in wanted:
            continue
        step = _step(lane, pin, repin, moved)
        if step.did in (Did.REPINNED, Did.FOLLOWED):
            moved.add(lane_id)
        elif wanted and lane_id not in wanted and step.did is Did.COMPLETED:
            step = Step(lane_id, Did.KEPT)
        steps.append(step)
        kept = pin if step.did in (Did.KEPT, Did.REFUSED) else _pin(lane)
        if kept is not None:
            pins[lane_id] = kept
    for lane_id, pin in old.items():
        if lane_id in here:
            continue
        if lane_id in repin:
            steps.append(Step(lane_id, Did.REMOVED, "the lane is not there"))
        else:
            pins[lane_id] = pin
            why = f"pinned, and not there; --repin {lane_id} takes it off the list"
            steps.append(Step(lane_id, Did.REFUSED, why))
    return Plan(pins, tuple(steps), file_of(pins) if pins or old else b"")


def _pin(lane: LaneVerdict) -> Pin:
    return Pin(lane.tree, lane.record.digest if lane.record is not None else None)


def _step(lane: LaneVerdict, pin: Pin | None, repin: Collection[str], moved: set[str]) -> Step:
    now = _pin(lane)
    rewritten = [finding for finding in lane.findings if finding.code in _REWRITTEN]
    other = [finding for finding in lane.refuting if finding.code not in _REWRITTEN]
    if pin == now:
        return Step(lane.id, Did.KEPT)
    if other:
        why = f"refuted: {other[0].code} {other[0].where}"
        return Step(lane.id, Did.REFUSED, why + (f" and {len(other) - 1} more" * (len(other) > 1)))
    if lane.errors:
        return Step(lane.id, Did.REFUSED, "a rule of lanebook failed on it", True)
    if lane.integrity is Integrity.UNSEALED:
        return Step(lane.id, Did.REFUSED, "its packet is not sealed", True)
    if pin is None:
        return Step(lane.id, Did.PINNED, _how_far(lane))
    if not rewritten:
        return Step(lane.id, Did.COMPLETED, "its record is pinned too")
    if lane.id in repin:
        return Step(lane.id, Did.REPINNED, _how_far(lane))
    behind = all(one.message == BEHIND for one in rewritten)
    if lane.link.previous in moved and behind:
        return Step(lane.id, Did.FOLLOWED)
    if behind:
        why = (
            f"{rewritten[0].code}: a lane before it is not what was pinned; look at that one first"
            f" (--repin {lane.id} pins it as it is)"
        )
        return Step(lane.id, Did.REFUSED, why)
    why = f"{rewritten[0].code}: it is not what was pinned; --repin {lane.id} pins what it is now"
    return Step(lane.id, Did.REFUSED, why)


def _how_far(lane: LaneVerdict) -> str:
    return "its documents; no packet is here" if lane.tree is None else ""


def file_of(pins: Mapping[str, Pin]) -> bytes:
    """Return ``pins.yml``, in the order of ``pins``; ids are quoted, so that none is a number."""
    lines = [_HEAD, "lanes:\n" if pins else "lanes: {}\n"]
    for lane_id, pin in pins.items():
        lines.append(f"  {json.dumps(lane_id)}:\n")
        lines.extend(
            f'    {name}: "{digest}"\n'
            for name, digest in pin._asdict().items()
            if digest is not None
        )
    return "".join(lines).encode("utf-8")


def present(root: Path) -> tuple[bytes, Mapping[str, Pin]]:
    """Return the bytes of ``pins.yml`` and what it pins; nothing where there is none.

    Raises:
        InputError: it is there and cannot be read, or has another form.
    """
    path = root / PINS
    pins = read_pins(path)
    return (path.read_bytes() if os.path.lexists(path) else b""), pins


def write(root: Path, data: bytes) -> None:
    """Put a new ``pins.yml`` in the place of the old one, in one step.

    Raises:
        NoVerdictError: a link stands in its place; it is not followed.
        BuildError: it could not be written, and is as it was.
    """
    path = root / PINS
    if path.is_symlink():
        raise NoVerdictError(f"{PINS} is a symbolic link; it is not followed")
    try:
        put(path, data)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BuildError(f"{PINS}: not written, it is as it was: {reason}") from error


def differences(old: Mapping[str, Pin], steps: Sequence[Step]) -> list[str]:
    """Say, lane by lane, in what the pin list is not what pinning anew would make of it."""
    return [f"{_verb(step, old)}: {step.why or step.did}" for step in steps if step.did != Did.KEPT]


def _verb(step: Step, old: Mapping[str, Pin]) -> str:
    lane = visible(step.lane, 100)
    if step.did is Did.REFUSED:
        return f"{'differs' if step.lane in old else 'not pinned'}: {lane}"
    return f"{'change' if step.lane in old else 'add'}: {lane}"
