"""``production-readiness-blocker-map.json``: what still stops production (spec 1 and 2.2).

Totals are those of the rows, and a blocker with legs is as open as they are. What has no legs is
open or closed by the map's word alone, so a closed one names the evidence that closed it. What
went into a rehearsal closes nothing: an input, a script, a state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set

import msgspec

from generator.evidence import FILES, rollback_proof, samples
from generator.evidence.base import (
    PLAN,
    Evidence,
    EvidenceKind,
    EvidenceModel,
    Part,
    claimed,
    derived,
    plan,
    refused,
)
from generator.evidence.rehearsal_log import steps
from generator.evidence.tallies import counted, filled, named, twice, word
from generator.ledger import Row
from generator.rules.base import Code

FILE = "production-readiness-blocker-map.json"
INPUTS = "inputs.txt"
"""The list of what went into a rehearsal, among it evidence that was given."""
GIVEN = "given-blocker-map.json"
"""The owners' map, where that of the packet differs by a leg that the rehearsal discharged."""
DISCHARGES = "discharges"
"""In the plan, the ids of that ``blocker`` and ``leg``."""
_PROGRAMS = (".py", ".sh", ".sql")
OPEN, CLOSED = "open", "closed"
PROGRESS = ("none", "narrowed", "classified", "design delivered", "partially discharged")
DISCHARGED = ("proven", "discharged", CLOSED)
"""The states of a leg that is done; any other word leaves it open."""


class Leg(Part, frozen=True):
    """One part of a blocker, with a state of its own."""

    id: str
    status: str


class Blocker(Part, frozen=True):
    """Something that still stops production, or that did."""

    id: str
    state: str
    progress: str | None = None
    legs: tuple[Leg, ...] = ()
    actor: str = ""
    next_action: str = ""
    blocks: str = ""
    evidence: tuple[str, ...] = ()
    """The files of the packet by which it was closed."""
    reason: str | None = None
    """Why it is no longer as the lane before had it."""


class BlockerMap(EvidenceModel, frozen=True):
    """Every blocker, and the totals."""

    blockers: list[Blocker]
    carried_from: str | None = None
    blocker_count: int | None = None
    open_count: int | None = None
    closed_count: int | None = None
    newly_closed: list[str] = msgspec.field(default_factory=list)


_TODO = "Correct the row; a blocker is closed by evidence, never by its map."
CODES = {
    "BLOCKER_MAP_NONE": Code(
        "A blocker map has no blocker.",
        "A blocker never vanishes, so a map without one tells nothing of production.",
        "Carry every blocker of the lane before, closed ones too.",
    ),
    "BLOCKER_MAP_COUNT_WRONG": Code(
        "A total of a blocker map is not that of its rows.",
        "Whoever reads only the total decides on something else.",
        "Count the rows again.",
    ),
    "BLOCKER_MAP_ID_TWICE": Code(
        "An id of a blocker, or of a leg of one, stands twice.",
        "One of the two would hide the other.",
        "Give each blocker one row, and each leg one line in it.",
    ),
    "BLOCKER_MAP_STATE": Code(
        "A state or a progress in a blocker map is none of the known words.",
        "Nobody can say whether the blocker still stops production.",
        "Write open or closed, and one of the five words of progress.",
    ),
    "BLOCKER_MAP_LEG": Code(
        "A blocker is not as open or as far as its legs are.",
        "A leg that is still open would be lost.",
        _TODO,
    ),
    "BLOCKER_MAP_UNFILLED": Code(
        "An open blocker lacks who acts, what comes next, or what it blocks.",
        "Nobody knows how it could ever be closed.",
        "Write all three.",
    ),
    "BLOCKER_MAP_CLOSED_BARE": Code(
        "A closed blocker names no evidence, or only the map itself, inputs, scripts and states.",
        "Something that stopped production is said to be gone, and nothing shows it.",
        _TODO,
    ),
    "BLOCKER_MAP_EVIDENCE_MISSING": Code(
        "The evidence that a blocker names is not in the packet.",
        "What closed it cannot be looked at.",
        "Put the file into the packet, or leave the blocker open.",
    ),
    "BLOCKER_MAP_DISCHARGED": Code(
        "A blocker map is not that of the owners with the one leg discharged that was planned, or"
        " the rollback proof does not show that leg.",
        "A rehearsal says of one leg what its proof shows, and of nothing else anything.",
        "Rehearse again; the map of such a lane is written by its steps, never by hand.",
    ),
    "BLOCKER_MAP_NEWLY_CLOSED": Code(
        "What is listed as newly closed is not a closed row.",
        "The list and the map cannot both be right.",
        _TODO,
    ),
}


def is_open(state: str) -> bool:
    """Whether a blocker is open: it is until its state says closed, and nothing else."""
    return word(state) != CLOSED


def states(evidence: Evidence) -> Mapping[str, bool]:
    """Return for each blocker of the packet's map whether it is open; nothing without a map."""
    found = evidence.model(FILE, BlockerMap)
    return {row.id: is_open(row.state) for row in found.blockers} if found is not None else {}


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive the totals from the rows, and each row from its legs and its evidence."""
    found = evidence.model(FILE, BlockerMap)
    if found is None:
        return
    if not found.blockers:
        yield refused(f"{FILE}#/blockers", "none", "BLOCKER_MAP_NONE", "No row.", "a blocker")
    closed = [row.id for row in found.blockers if not is_open(row.state)]
    for name, stated, listed in (
        ("blocker_count", found.blocker_count, len(found.blockers)),
        ("open_count", found.open_count, len(found.blockers) - len(closed)),
        ("closed_count", found.closed_count, len(closed)),
    ):
        yield from counted(
            f"{FILE}#/{name}",
            stated,
            listed,
            against=f"{FILE}#/blockers",
            code="BLOCKER_MAP_COUNT_WRONG",
        )
    ids = ((f"{FILE}#/blockers/{at}/id", row.id) for at, row in enumerate(found.blockers))
    yield from twice(ids, "BLOCKER_MAP_ID_TWICE")
    bare = _bare(evidence)
    for index, row in enumerate(found.blockers):
        yield from _blocker(evidence, row, f"{FILE}#/blockers/{index}", bare)
    yield from _discharged(evidence, found)
    listed_ids = [(f"{FILE}#/newly_closed/{at}", one) for at, one in enumerate(found.newly_closed)]
    yield from twice(listed_ids, "BLOCKER_MAP_ID_TWICE")
    for where, one in listed_ids:
        yield derived(
            where,
            one,
            one if one in closed else "no closed row",
            against=f"{FILE}#/blockers",
            code="BLOCKER_MAP_NEWLY_CLOSED",
            message="The map has no closed row of this id.",
        )


def _discharged(evidence: Evidence, found: BlockerMap) -> Iterator[Row]:
    """Hold the map of a rehearsal against the owners' map, the plan and the proof."""
    told = plan(evidence).get(DISCHARGES)
    if told is None and not evidence.has(GIVEN):
        return
    code = "BLOCKER_MAP_DISCHARGED"
    try:
        given = msgspec.json.decode(evidence.content(GIVEN) or b"", type=BlockerMap)
        blocker, leg = (str((told or {})[name]) for name in ("blocker", "leg"))
    except (msgspec.DecodeError, TypeError, KeyError):
        problem = "The plan names no leg, or the owners' map is not there."
        yield refused(f"{FILE}#/blockers", "a leg", code, problem)
        return
    proof = evidence.model(rollback_proof.FILE, rollback_proof.RollbackProof)
    proven = (
        proof is not None
        and bool(proof.entries)
        and not proof.not_run
        and all(entry.restored_match for entry in proof.entries)
    )
    wanted = [
        _with_leg(row, leg) if row.id == blocker and proven else row for row in given.blockers
    ]
    for index, row in enumerate(found.blockers):
        other = wanted[index] if index < len(wanted) else None
        yield derived(
            f"{FILE}#/blockers/{index}",
            _told(row),
            _told(other) if other is not None else "no row",
            against=GIVEN,
            code=code,
            message="The owners' map, the planned leg and the proof give another row.",
        )
    if len(found.blockers) < len(wanted):
        missing = [row.id for row in wanted[len(found.blockers) :]]
        yield refused(f"{FILE}#/blockers", "fewer rows", code, "A row is gone.", missing)


def _with_leg(row: Blocker, leg: str) -> Blocker:
    """Return a row in which one leg is discharged."""
    legs = tuple(
        msgspec.structs.replace(one, status="discharged") if one.id == leg else one
        for one in row.legs
    )
    return msgspec.structs.replace(row, legs=legs, progress=PROGRESS[-1])


def _told(row: Blocker) -> str:
    """Return what a row says of how far its blocker is, on one line."""
    legs = [f"{one.id} {word(one.status)}" for one in row.legs]
    return ", ".join([row.id, word(row.state), word(row.progress or ""), *legs])


def _bare(evidence: Evidence) -> Set[str]:
    """Return the files that tell of nothing that was found out."""
    states = {path for step in steps(evidence).values() for path in step.states.values()}
    return {FILE, *states, *(set(evidence.lines(INPUTS)) - FILES)}


def _blocker(evidence: Evidence, row: Blocker, place: str, bare: Set[str]) -> Iterator[Row]:
    yield from filled(f"{place}/id", row.id, "BLOCKER_MAP_UNFILLED")
    legs = ((f"{place}/legs/{at}/id", leg.id) for at, leg in enumerate(row.legs))
    yield from twice(legs, "BLOCKER_MAP_ID_TWICE")
    left = [leg for leg in row.legs if word(leg.status) not in DISCHARGED]
    for index, leg in enumerate(row.legs):
        yield _one_of(f"{place}/legs/{index}/status", leg.status, (OPEN, *DISCHARGED))
    if word(row.state) not in (OPEN, CLOSED) or not row.legs:
        yield _one_of(f"{place}/state", row.state, (OPEN, CLOSED))
    else:
        yield derived(
            f"{place}/state",
            row.state,
            row.state if is_open(row.state) == bool(left) else (OPEN if left else CLOSED),
            against=f"{place}/legs",
            code="BLOCKER_MAP_LEG",
            message="The legs say something else.",
        )
    if row.progress is not None or is_open(row.state):
        yield _one_of(f"{place}/progress", row.progress or "", PROGRESS)
    if word(row.progress or "") == PROGRESS[-1] and row.legs and len(left) == len(row.legs):
        yield refused(
            f"{place}/progress", row.progress, "BLOCKER_MAP_LEG", "No leg is discharged.", "none"
        )
    if is_open(row.state):
        for name in ("actor", "next_action", "blocks"):
            yield from filled(f"{place}/{name}", getattr(row, name), "BLOCKER_MAP_UNFILLED")
    elif all(path in bare or path.endswith(_PROGRAMS) for path in row.evidence):
        yield refused(
            f"{place}/evidence",
            row.evidence,
            "BLOCKER_MAP_CLOSED_BARE",
            "It is closed, and nothing shows it.",
            "a file of the packet",
        )
    for index, path in enumerate(row.evidence):
        yield named(evidence, f"{place}/evidence/{index}", path, "BLOCKER_MAP_EVIDENCE_MISSING")


def _one_of(where: str, stated: str, known: tuple[str, ...]) -> Row:
    """Return the row of a word; it is only claimed, as the map alone says it."""
    if word(stated) in known:
        return claimed(where, stated)
    return refused(where, stated, "BLOCKER_MAP_STATE", "None of the known words.", list(known))


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    return {
        "lane": "sample",
        "carried_from": "sample-before",
        "blocker_count": 3,
        "open_count": 2,
        "closed_count": 1,
        "newly_closed": ["FIX7-P0-PLAN-EXEC-AUTH-1"],
        "blockers": [
            {
                "id": "FIX7-P0-DRYRUN-PROD-ROLLBACK-1",
                "state": "OPEN",
                "progress": "partially discharged",
                "legs": [
                    {"id": "toy-clone leg", "status": "proven"},
                    {"id": "production-shaped leg", "status": "OPEN"},
                ],
                "actor": "operator (+sep. auth)",
                "next_action": "rehearse on a production-shaped, secret-free, isolated clone",
                "blocks": "production",
            },
            {
                "id": "FIX7-P0-PROD-CI-SCOPE-1",
                "state": "OPEN",
                "progress": "design delivered",
                "actor": "owner + operator",
                "next_action": "owner adopts the gate; operator wires it off-production",
                "blocks": "production-ci",
            },
            {
                "id": "FIX7-P0-PLAN-EXEC-AUTH-1",
                "state": "CLOSED",
                "evidence": ["delegation-and-authority-lock.json"],
                "reason": "the delegation satisfies it for this lane",
            },
        ],
    }


def _discharged_beside() -> Evidence:
    """The map says of two legs that they are discharged; the plan names one of them."""
    value = sample()
    listed: list[dict[str, object]] = msgspec.json.decode(msgspec.json.encode(value["blockers"]))
    names = ("toy-clone leg", "production-shaped leg", "dry-run leg", "production leg")

    def rows(done: int) -> list[dict[str, object]]:
        legs = [
            {"id": name, "status": "discharged" if at < done else "OPEN"}
            for at, name in enumerate(names)
        ]
        return [{**listed[0], "legs": legs}, *listed[1:]]

    told = {"blocker": listed[0]["id"], "leg": names[1]}
    files = {
        GIVEN: samples.encoded({**value, "blockers": rows(1)}),
        PLAN: samples.encoded({"lane": "sample", DISCHARGES: told}),
    }
    return samples.changed_together({FILE: {("blockers",): rows(3)}}, files)


def _damaged(*steps: str | int, to: object) -> Callable[[], Evidence]:
    return lambda: samples.changed(FILE, {steps: to})


KIND = EvidenceKind(
    file=FILE,
    title="Blocker map",
    about="what stops production was carried whole, and nothing was closed without evidence",
    model=BlockerMap,
    codes=CODES,
    rows=rows,
    controls={
        "BLOCKER_MAP_NONE": lambda: samples.evidence_of(FILE, {"lane": "sample", "blockers": []}),
        "BLOCKER_MAP_COUNT_WRONG": _damaged("open_count", to=1),
        "BLOCKER_MAP_ID_TWICE": _damaged("blockers", 1, "id", to="FIX7-P0-DRYRUN-PROD-ROLLBACK-1"),
        "BLOCKER_MAP_STATE": _damaged("blockers", 1, "progress", to="nearly done"),
        "BLOCKER_MAP_LEG": _damaged("blockers", 0, "legs", 1, "status", to="proven"),
        "BLOCKER_MAP_UNFILLED": _damaged("blockers", 1, "actor", to=" "),
        "BLOCKER_MAP_CLOSED_BARE": _damaged("blockers", 2, "evidence", to=[]),
        "BLOCKER_MAP_EVIDENCE_MISSING": _damaged("blockers", 2, "evidence", to=["gone.json"]),
        "BLOCKER_MAP_DISCHARGED": _discharged_beside,
        "BLOCKER_MAP_NEWLY_CLOSED": _damaged("newly_closed", to=["FIX7-P0-PROD-CI-SCOPE-1"]),
    },
)
