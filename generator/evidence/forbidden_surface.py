"""``forbidden-surface-proof.json``: no forbidden surface was touched (spec 2.2).

What was touched is read from the action log; the proof's list, count and flag are held against it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from generator.evidence import action_steps, actions, mutations, rehearsal_log, samples
from generator.evidence.base import (
    Evidence,
    EvidenceKind,
    EvidenceModel,
    Part,
    claimed,
    derived,
    refused,
)
from generator.evidence.tallies import twice, word
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
_KEEP = "Keep the log as the steps wrote it: a line an object of step, surface, action, target."
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
        "A line of an action log is no action, or has a key twice.",
        "What it hides was not judged.",
        _KEEP,
    ),
    "ACTIONS_STEP": Code(
        "An action belongs to a step that the rehearsal log does not have.",
        "Something was done that no step tells of.",
        "Find out what ran, and rehearse again.",
    ),
    "ACTIONS_NONE": Code(
        "An action log is empty.",
        "Where nothing was written down, nobody can say what was left alone.",
        _KEEP,
    ),
    "ACTIONS_ORDER": Code(
        "An action log does not tell of the steps of the rehearsal log, one after the other.",
        "Lines were taken out or moved, so that a step did nothing, or did it before the lock.",
        _KEEP,
    ),
    "ACTIONS_RUN": Code(
        "An action log tells another command, output or state of a step than the rehearsal log, or"
        " of one output that was read in the place of another.",
        "What is told of one step is another one's, or somebody's invention.",
        _KEEP,
    ),
    "ACTIONS_CHANGE": Code(
        "By the action log, a step that only reads writes, or a change that came back was not made,"
        " kept and taken back in that order.",
        "The states of the step are not what its statements leave.",
        _KEEP,
    ),
    "ACTIONS_TARGET": Code(
        "An action is told of a surface on which its target does not lie, or opens another file.",
        "It may have been done to production, under the name of a clone.",
        "Find out what was used, and tell the owners before anything else.",
    ),
}


def rows(evidence: Evidence) -> Iterator[Row]:
    """Judge every forbidden surface from the action log."""
    proof = evidence.model(FILE, ForbiddenSurfaceProof)
    if proof is None:
        return
    path = proof.action_log or actions.FILE
    log = actions.read(evidence, path)
    # a log under another name does not take the place of the one that the steps write
    logs = [one for one in (log, actions.read(evidence)) if one is not None]
    told = log is not None and bool(log.actions) and not log.broken
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
    touched = {word(surface) for one in logs for surface in one.surfaces}
    yield from _surfaces(proof, path, told, touched)
    any_touched = any(word(surface.id) in touched for surface in proof.surfaces)
    if proof.any_forbidden_surface_touched is not None:
        # a line that is missing or cannot be read may be the one that touches a surface
        known = told or any_touched or proof.any_forbidden_surface_touched
        yield derived(
            f"{FILE}#/any_forbidden_surface_touched",
            proof.any_forbidden_surface_touched,
            any_touched if known else None,
            against=path,
            code="SURFACE_FLAG_WRONG",
            message="The flag does not say what the action log says.",
        )
    if proof.surfaces_in_action_log is not None:
        yield derived(
            f"{FILE}#/surfaces_in_action_log",
            ", ".join(proof.surfaces_in_action_log),
            ", ".join(log.surfaces) if log is not None and told else None,
            against=path,
            code="SURFACE_LOG_DIFFERS",
            message="The action log has other surfaces.",
        )


def _surfaces(
    proof: ForbiddenSurfaceProof, path: str, told: bool, touched: set[str]
) -> Iterator[Row]:
    places = [(f"{FILE}#/surfaces/{index}", one) for index, one in enumerate(proof.surfaces)]
    yield from twice(((f"{where}/id", one.id) for where, one in places), "SURFACE_TWICE")
    for where, surface in places:
        if word(surface.id) in touched:
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
        elif told:
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
    if not log.actions and not log.broken:
        yield refused(path, "nothing", "ACTIONS_NONE", "The log tells nothing.", "an action")
    yield from action_steps.rows(evidence, path, log)


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


def _by_steps(change: Callable[[list[dict[str, str]]], object]) -> Callable[[], Evidence]:
    """Return a control: a log in which ``step.sh`` begins each step, and which is then changed."""

    def control() -> Evidence:
        told = list(_told_by_steps())
        change(told)
        log = b"".join(json.dumps(line).encode() + b"\n" for line in told)
        made = mutations.read(samples.evidence({actions.FILE: log}))
        allowed = [
            {"surface": surface, "target": target}
            for surface, target in (made.made if made is not None else ())
        ]
        return samples.changed_together(
            {
                FILE: {("surfaces_in_action_log",): sorted({line["surface"] for line in told})},
                "scope-lock.json": {
                    ("allowed_mutations",): allowed,
                    ("mutation_count",): len(allowed),
                },
            },
            {actions.FILE: log},
        )

    return control


def _told_by_steps() -> Iterator[dict[str, str]]:
    for step in rehearsal_log.steps(samples.evidence()).values():
        on_clone = {
            "step": step.id,
            "surface": "TEMP_CLONE",
            "action": "sql",
            "target": f"{samples.CLONE}/clone.sqlite",
        }
        in_packet = {"step": step.id, "surface": "PACKET_FOLDER"}
        command = step.command.removeprefix("python3 -I -B ")
        yield in_packet | {"action": "run", "target": command, "output": step.output or ""}
        snapshot = "snapshot" in command
        for label, path in step.states.items():
            yield on_clone | {"action": "connect"}
            if label == "after_apply":
                yield on_clone | {"sql": "BEGIN"}
                yield on_clone | {"sql": "INSERT INTO t VALUES (4);"}
                if snapshot:
                    yield on_clone | {"sql": "COMMIT"}
            elif label == "after_rollback":
                yield on_clone | ({"action": "write"} if snapshot else {"sql": "ROLLBACK"})
            yield on_clone | {"sql": "SELECT * FROM t"}
            yield in_packet | {"action": "write", "target": path}


def _without_rollback(told: list[dict[str, str]]) -> None:
    told[:] = [line | {"sql": "COMMIT"} if line.get("sql") == "ROLLBACK" else line for line in told]


_MEMORY = b'{"step": "RX-3", "surface": "MEMORY", "action": "connect", "target": ":memory:"}\n'
_UNKNOWN = (
    b'{"step": "RX-77", "surface": "TEMP_CLONE", "action": "read", "target": "%s/clone.sqlite"}\n'
    % samples.CLONE.encode()
)
_ASTRAY = b'{"step": "RX-6", "surface": "TEMP_CLONE", "action": "read", "target": "/srv/main.db"}\n'

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
        "ACTIONS_NONE": _by_steps(lambda told: told.clear()),
        "ACTIONS_ORDER": _by_steps(lambda told: told.pop()),
        "ACTIONS_RUN": _by_steps(lambda told: told[-1].update(target="rollback_check.py selftest")),
        "ACTIONS_CHANGE": _by_steps(_without_rollback),
        "ACTIONS_TARGET": _log_of(_ASTRAY),
    },
)
