"""Recording what an owner decided: verified first, bound, and written as a file of its own.

Nothing is approved here and nothing is carried out. A record says who decided what on which day,
by their own word, and on which bytes; verification says later whether these are still the bytes.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from generator.ballots import executes
from generator.decided import basis, blocker_map
from generator.errors import BuildError, InputError, LanebookError, UsageError
from generator.facts import lane_facts
from generator.model.decision import FOLDER, Bound, Decision
from generator.model.verdict import LaneVerdict, RootVerdict
from generator.names import visible
from generator.reading.decisions import (
    LONGEST_NAME,
    LONGEST_REASON,
    MOST_BYTES,
    parse,
    parse_day,
    parse_name,
    plain_text,
)
from generator.reading.root import Root
from generator.records import encoded
from generator.standing import blockers
from generator.verify import verify


class DecisionRefused(LanebookError):
    """What should be decided on does not allow it; exit code 1, and nothing was written."""

    def __init__(self, problem: str, code: str) -> None:
        """Keep the problem and its stable code."""
        super().__init__(problem)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be recorded, as it was given."""

    lane: str
    option: str
    decided_by: str
    decided_on: str
    reason: str = ""
    despite_open_blockers: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What was recorded."""

    file: str
    decision: Decision


def decide(root: Root, wanted: Wanted, *, jobs: int = 0) -> Done:
    """Verify the root, bind the decision to what it is taken on, and write the record.

    Raises:
        UsageError: the lane or the option is unknown, or a text or the day is no good.
        DecisionRefused: the decision packet is refused, the lane is refuted, or blockers are open.
        BuildError: the record cannot be written.
    """
    _check_texts(wanted)
    verdict = verify(root, jobs=jobs, facts=False)
    decision = _decision(_lane(verdict, wanted.lane), verdict, wanted)
    data = encoded(decision)
    try:
        if len(data) > MOST_BYTES:
            raise InputError(f"larger than {MOST_BYTES} bytes")
        parse(data)
    except InputError as error:
        problem = f"the record would be refused: {error}; nothing was written"
        raise DecisionRefused(problem, "DECIDE-RECORD") from error
    return Done(_write(root, verdict, decision, data), decision)


def _check_texts(wanted: Wanted) -> None:
    for name, text, most in (
        ("--by", wanted.decided_by, LONGEST_NAME),
        ("--reason", wanted.reason, LONGEST_REASON),
    ):
        try:
            plain_text(text, most, empty=name == "--reason")
        except InputError as error:
            raise UsageError(f"{name}: {error.problem}") from error
    try:
        parse_day(wanted.decided_on)
    except InputError as error:
        raise UsageError(f"--on: {error.problem}: {visible(wanted.decided_on, 40)}") from error


def _lane(verdict: RootVerdict, lane_id: str) -> LaneVerdict:
    found = next((lane for lane in verdict.lanes if lane.id == lane_id), None)
    if found is None:
        raise UsageError(f"no such lane: {visible(lane_id, 100)} ('lanebook verify' lists them)")
    return found


def _decision(lane: LaneVerdict, verdict: RootVerdict, wanted: Wanted) -> Decision:
    facts = {one.id: lane_facts(one.documents) for one in verdict.lanes}
    held = basis(lane, facts[lane.id])
    if facts[lane.id].decision is None:
        problem = f"{lane.id} has no decision packet: nothing is put to an owner"
        raise DecisionRefused(problem, "DECIDE-NONE")
    _check_lane(lane)
    if wanted.option not in held.options:
        offered = ", ".join(visible(option, 80) for option in held.options[:20])
        raise UsageError(
            f"{visible(wanted.option, 80)} is not offered; {lane.id} offers: {offered}"
        )
    now = blocker_map(blockers(verdict.lanes, facts))
    despite: Sequence[str] = now.open if executes(wanted.option) else ()
    if despite and not wanted.despite_open_blockers:
        named = ", ".join(visible(name, 80) for name in despite[:10])
        more = f" and {len(despite) - 10} more" if len(despite) > 10 else ""
        raise DecisionRefused(
            f"{wanted.option} needs every blocker closed; open: {named}{more}"
            " (--despite-open-blockers records it all the same, and says so)",
            "DECIDE-OPEN",
        )
    return Decision(
        lane=lane.id,
        option=wanted.option,
        decided_by=wanted.decided_by,
        decided_on=wanted.decided_on,
        reason=wanted.reason,
        bound=Bound(held.tree, now, held.documents),
        despite=tuple(despite),
    )


def _check_lane(lane: LaneVerdict) -> None:
    """Refuse a lane on which nobody should decide."""
    refuting = lane.refuting
    steering = next((one for one in refuting if one.code.startswith("DECISION-")), None)
    if steering is not None:
        problem = f"the decision packet of {lane.id} is refused: {steering.message}"
        raise DecisionRefused(f"{problem} ({steering.code}, {steering.where})", "DECIDE-PACKET")
    if refuting:
        first = refuting[0]
        raise DecisionRefused(
            f"{lane.id} is refuted: {first.message} ({first.code}, {first.where})",
            "DECIDE-REFUTED",
        )
    if lane.errors:
        raise DecisionRefused(
            f"{lane.id} has no verdict: a rule of lanebook failed on it", "DECIDE-REFUTED"
        )


# --- writing ---


def _write(root: Root, verdict: RootVerdict, decision: Decision, data: bytes) -> str:
    """Write the record under the next number that nobody has; return its name."""
    earlier = max(
        (
            one.decision.decided_on
            for one in verdict.decisions
            if one.lane == decision.lane and one.decision is not None
        ),
        default="",
    )
    if decision.decided_on < earlier:
        problem = f"--on {decision.decided_on} is before the last decision of the lane, {earlier}"
        raise UsageError(problem)
    path = root.path / FOLDER
    try:
        with ExitStack() as stack:
            if not os.path.lexists(path):
                os.makedirs(path, exist_ok=True)
            # no link is followed, so that nothing is written anywhere else
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            folder = os.open(path, flags)
            stack.callback(os.close, folder)
            return _write_into(folder, decision.lane, data)
    except OSError as error:
        link = error.errno in (errno.ELOOP, errno.ENOTDIR)
        reason = "no folder, or a symbolic link" if link else os.strerror(error.errno or 0)
        raise BuildError(f"{FOLDER}: {reason}; nothing was recorded") from error


def _write_into(folder: int, lane: str, data: bytes) -> str:
    """Write a whole file under a name of its own, then give it the first number that is free.

    A link is made or not made, whoever else decides in the same moment; nothing is ever replaced.
    """
    temporary = f".{lane}.{secrets.token_hex(8)}.new"
    _create(folder, temporary, data)
    try:
        number = _next(folder, lane)
        while True:
            name = f"{lane}.{number}.json"
            try:
                os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except FileExistsError:
                number += 1
                continue
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                # a file system without hard links: half a record would be seen as damaged
                try:
                    _create(folder, name, data)
                except FileExistsError:
                    number += 1
                    continue
            os.fsync(folder)
            return f"{FOLDER}/{name}"
    finally:
        os.unlink(temporary, dir_fd=folder)


_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK)


def _create(folder: int, name: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o644, dir_fd=folder), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def _next(folder: int, lane: str) -> int:
    """Return the number after the highest that a file of this lane bears, readable or not."""
    taken = 0
    for name in os.listdir(folder):
        try:
            of, number = parse_name(name)
        except InputError:
            continue
        if of == lane:
            taken = max(taken, number)
    return taken + 1
