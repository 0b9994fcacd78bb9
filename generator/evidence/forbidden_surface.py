"""``forbidden-surface-proof.json``: no forbidden surface was touched (spec 2.2).

What was touched is read from the action log; the proof's list, count and flag are held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from generator.evidence import actions, rehearsal_log, samples
from generator.evidence.base import (
    Evidence,
    EvidenceKind,
    EvidenceModel,
    Part,
    claimed,
    derived,
    refused,
)
from generator.ledger import Row
from generator.rules.base import Code

FILE = "forbidden-surface-proof.json"
UNTOUCHED = ("UNTOUCHED", "NOT_REQUESTED")


class Surface(Part, frozen=True):
    """One forbidden surface and what became of it."""

    id: str
    state: str


class ForbiddenSurfaceProof(EvidenceModel, frozen=True):
    """Every surface in scope, and what the action log touches."""

    surfaces: list[Surface]
    surface_count: int | None = None
    action_log: str | None = None
    surfaces_in_action_log: list[str] | None = None
    any_forbidden_surface_touched: bool | None = None


_TODO = "Write the proof again from the action log; a surface that was touched stays a finding."
CODES = {
    "SURFACE_NONE": Code(
        "A proof of forbidden surfaces lists none.", "Nothing was looked at.", _TODO
    ),
    "SURFACE_COUNT_WRONG": Code(
        "A proof states another number of forbidden surfaces than it lists.",
        "A surface came or went after the proof was made.",
        _TODO,
    ),
    "SURFACE_TWICE": Code(
        "A forbidden surface is listed twice.", "The count stands for less than it says.", _TODO
    ),
    "SURFACE_STATE": Code(
        "A forbidden surface has a state that is neither UNTOUCHED nor NOT_REQUESTED.",
        "Nobody can say that it was left alone.",
        _TODO,
    ),
    "SURFACE_TOUCHED": Code(
        "The action log touches a forbidden surface.",
        "The lane did what it was not allowed to do, whatever its proof says.",
        "Find out what was done there, and tell the owners before anything else.",
    ),
    "SURFACE_FLAG_WRONG": Code(
        "The flag any_forbidden_surface_touched does not say what the action log says.",
        "Whoever reads only the flag decides on something else.",
        _TODO,
    ),
    "SURFACE_LOG_DIFFERS": Code(
        "A proof names other surfaces of the action log than the log has.",
        "The proof is not of this log.",
        _TODO,
    ),
    "SURFACE_LOG_MISSING": Code(
        "A proof names an action log that is not in the packet.",
        "What was done cannot be looked at.",
        _TODO,
    ),
    "ACTIONS_FORM": Code(
        "A line of an action log is no action.",
        "What it hides was not judged.",
        "Keep the log as the steps wrote it: a line an object of step, surface, action, target.",
    ),
    "ACTIONS_STEP": Code(
        "An action belongs to a step that the rehearsal log does not have.",
        "Something was done that no step tells of.",
        "Find out what ran, and rehearse again.",
    ),
}


def rows(evidence: Evidence) -> Iterator[Row]:
    """Judge every forbidden surface from the action log."""
    proof = evidence.model(FILE, ForbiddenSurfaceProof)
    if proof is None:
        return
    path = proof.action_log or actions.FILE
    log = actions.read(evidence, path)
    if not evidence.has(path) and proof.action_log is not None:
        yield refused(
            f"{FILE}#/action_log", path, "SURFACE_LOG_MISSING", "The log is not in the packet."
        )
    if log is not None:
        yield from _log(evidence, path, log)
    if not proof.surfaces:
        yield refused(f"{FILE}#/surfaces", "none", "SURFACE_NONE", "No surface is listed.")
    if proof.surface_count is not None:
        yield derived(
            f"{FILE}#/surface_count",
            proof.surface_count,
            len(proof.surfaces),
            against=f"{FILE}#/surfaces",
            code="SURFACE_COUNT_WRONG",
            message="The proof lists another number of surfaces.",
        )
    touched = set(log.surfaces) if log is not None else set()
    yield from _surfaces(proof, path, log is not None, touched)
    any_touched = any(surface.id in touched for surface in proof.surfaces)
    if proof.any_forbidden_surface_touched is not None:
        yield derived(
            f"{FILE}#/any_forbidden_surface_touched",
            proof.any_forbidden_surface_touched,
            any_touched if log is not None else None,
            against=path,
            code="SURFACE_FLAG_WRONG",
            message="The flag does not say what the action log says.",
        )
    if proof.surfaces_in_action_log is not None:
        yield derived(
            f"{FILE}#/surfaces_in_action_log",
            ", ".join(proof.surfaces_in_action_log),
            ", ".join(log.surfaces) if log is not None else None,
            against=path,
            code="SURFACE_LOG_DIFFERS",
            message="The action log has other surfaces.",
        )


def _surfaces(
    proof: ForbiddenSurfaceProof, path: str, known: bool, touched: set[str]
) -> Iterator[Row]:
    seen: set[str] = set()
    for index, surface in enumerate(proof.surfaces):
        where = f"{FILE}#/surfaces/{index}"
        if surface.id in seen:
            yield refused(f"{where}/id", surface.id, "SURFACE_TWICE", "Listed twice.")
        seen.add(surface.id)
        if surface.id in touched:
            yield refused(
                f"{where}/state",
                surface.state,
                "SURFACE_TOUCHED",
                f"The action log ({path}) touches it.",
                "TOUCHED",
            )
        elif surface.state not in UNTOUCHED:
            yield refused(
                f"{where}/state",
                surface.state,
                "SURFACE_STATE",
                "Neither UNTOUCHED nor NOT_REQUESTED.",
                "UNTOUCHED",
            )
        elif known:
            yield derived(
                f"{where}/state",
                surface.state,
                surface.state,
                against=path,
                code="SURFACE_STATE",
                message="",
            )
        else:
            yield claimed(f"{where}/state", surface.state)


def _log(evidence: Evidence, path: str, log: actions.ActionLog) -> Iterator[Row]:
    for number in log.broken[:20]:
        yield refused(f"{path}:{number}", "", "ACTIONS_FORM", "The line is no action.", "an action")
    known = rehearsal_log.steps(evidence)
    if known:
        told: set[str] = set()
        for action in log.actions:
            step = action.step
            if step in known or step in actions.OUTSIDE_STEPS or step in told:
                continue
            told.add(step)
            yield refused(
                path, step, "ACTIONS_STEP", "The rehearsal log has no such step.", "a step"
            )


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    return {
        "lane": "sample",
        "action_log": actions.FILE,
        "surface_count": 2,
        "surfaces": [
            {"id": "PRODUCTION_DATABASE", "state": "UNTOUCHED"},
            {"id": "NETWORK", "state": "NOT_REQUESTED"},
        ],
        "surfaces_in_action_log": ["PACKET_FOLDER", "TEMP_CLONE"],
        "any_forbidden_surface_touched": False,
    }


def _log_of(line: bytes, **changes: object) -> Callable[[], Evidence]:
    """Return a control: one more line in the action log, and keys of the proof changed to fit."""
    return lambda: samples.changed_together(
        {FILE: {(key,): value for key, value in changes.items()}},
        {actions.FILE: samples.FILES[actions.FILE] + line},
    )


_MEMORY = b'{"step": "RX-3", "surface": "MEMORY", "action": "connect", "target": ":memory:"}\n'
_UNKNOWN = b'{"step": "RX-77", "surface": "TEMP_CLONE", "action": "read", "target": "x"}\n'

KIND = EvidenceKind(
    file=FILE,
    title="Forbidden surfaces",
    about="no surface was touched that the lane had to leave alone",
    model=ForbiddenSurfaceProof,
    codes=CODES,
    rows=rows,
    controls={
        "SURFACE_NONE": lambda: samples.changed(FILE, {("surfaces",): [], ("surface_count",): 0}),
        "SURFACE_COUNT_WRONG": lambda: samples.changed(FILE, {("surface_count",): 3}),
        "SURFACE_TWICE": lambda: samples.changed(FILE, {("surfaces", 0, "id"): "NETWORK"}),
        "SURFACE_STATE": lambda: samples.changed(FILE, {("surfaces", 0, "state"): "UNKNOWN"}),
        "SURFACE_TOUCHED": _log_of(
            _MEMORY,
            surfaces=[{"id": "MEMORY", "state": "UNTOUCHED"}],
            surface_count=1,
            any_forbidden_surface_touched=True,
            surfaces_in_action_log=["MEMORY", "PACKET_FOLDER", "TEMP_CLONE"],
        ),
        "SURFACE_FLAG_WRONG": lambda: samples.changed(
            FILE, {("any_forbidden_surface_touched",): True}
        ),
        "SURFACE_LOG_DIFFERS": lambda: samples.changed(
            FILE, {("surfaces_in_action_log",): ["TEMP_CLONE"]}
        ),
        "SURFACE_LOG_MISSING": lambda: samples.changed(FILE, {("action_log",): "gone.jsonl"}),
        "ACTIONS_FORM": _log_of(b"nothing was done here\n"),
        "ACTIONS_STEP": _log_of(_UNKNOWN),
    },
)
