"""``rehearsal-target-lock.json``: the target was proven isolated before anything was tried."""

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
    file_rows,
    must_be,
    refused,
)
from generator.gate.request import CLONE_SURFACES
from generator.ledger import Row
from generator.rules.base import Code

FILE = "rehearsal-target-lock.json"
ISOLATED = "PROVEN_ISOLATED_NOT_PRODUCTION"
NOT_ISOLATED = "NOT_ISOLATED"


class Target(Part, frozen=True):
    """What the rehearsal ran on."""

    id: str
    is_production: bool
    disposable: bool | None = None
    engine: str | None = None
    path: str | None = None
    table: str | None = None
    rows: int | None = None
    state_sha256: str | None = None


class Candidate(Part, frozen=True):
    """A target that was thought of."""

    id: str
    is_production: bool
    allowed: bool
    selected: bool


class LockedFile(Part, frozen=True):
    """A file of the executor, byte-exact."""

    file: str
    sha256: str


class TargetLock(EvidenceModel, frozen=True):
    """The one target, and the checks that prove it isolated."""

    target: Target
    isolation: dict[str, bool]
    verdict: str
    candidates: tuple[Candidate, ...] = ()
    locked_at_step: str | None = None
    proven_before_step: str | None = None
    allowed_surfaces: list[str] | None = None
    executor: tuple[LockedFile, ...] = ()


_TODO = "Lock the target again, on a disposable clone, and rehearse from there."
CODES = {
    "LOCK_PRODUCTION": Code(
        "A target lock has production for a target, or allows it.",
        "A rehearsal on production is no rehearsal.",
        "Stop. Take a disposable clone, and tell the owners what was done.",
    ),
    "LOCK_NOT_DISPOSABLE": Code(
        "The locked target is not disposable.", "What cannot be thrown away is no clone.", _TODO
    ),
    "LOCK_ISOLATION": Code(
        "A check of the target's isolation is missing, or did not hold.",
        "The rehearsal may have reached something else.",
        _TODO,
    ),
    "LOCK_VERDICT_WRONG": Code(
        "The verdict of a target lock does not say what its checks say.",
        "Whoever reads only the verdict decides on something else.",
        _TODO,
    ),
    "LOCK_CANDIDATES": Code(
        "The candidates of a target lock do not agree with its target.",
        "It is open what the rehearsal ran on.",
        _TODO,
    ),
    "LOCK_LATE": Code(
        "The target was not locked before the first step that used it.",
        "What ran before was not on a target that was proven isolated.",
        _TODO,
    ),
    "LOCK_PATH_DIFFERS": Code(
        "The target lock and the rehearsal log name different targets.",
        "The lock is not of what ran.",
        _TODO,
    ),
    "LOCK_STATE_DIFFERS": Code(
        "The locked state is not the one that the lock's step left.",
        "The rehearsal began from something else than was locked.",
        _TODO,
    ),
    "LOCK_ROWS_DIFFER": Code(
        "A target lock states another number of rows than its state file has.",
        "Rows came or went between the state and the lock.",
        _TODO,
    ),
    "LOCK_EXECUTOR_DIFFERS": Code(
        "A file of the executor is not the one that was locked.",
        "Something else ran than was approved.",
        _TODO,
    ),
    "LOCK_SURFACE": Code(
        "The action log uses a surface that the target lock does not allow.",
        "The rehearsal reached beyond its target.",
        _TODO,
    ),
}


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive the lock's flags, counts and digests again."""
    lock = evidence.model(FILE, TargetLock)
    if lock is None:
        return
    yield must_be(
        f"{FILE}#/target/is_production",
        lock.target.is_production,
        False,
        code="LOCK_PRODUCTION",
        message="The target is production.",
    )
    if lock.target.disposable is not None:
        yield must_be(
            f"{FILE}#/target/disposable",
            lock.target.disposable,
            True,
            code="LOCK_NOT_DISPOSABLE",
            message="The target cannot be thrown away.",
        )
    yield from _isolation(lock)
    yield from _candidates(lock)
    yield from _against_log(evidence, lock)
    for index, locked in enumerate(lock.executor):
        yield file_rows(
            evidence,
            f"{FILE}#/executor/{index}/sha256",
            locked.file,
            locked.sha256,
            code="LOCK_EXECUTOR_DIFFERS",
            message=f"{locked.file} is not the file that was locked.",
        )
    log = actions.read(evidence)
    # a lock that does not say it allows what the gate allows
    allowed = CLONE_SURFACES if lock.allowed_surfaces is None else lock.allowed_surfaces
    for surface in log.surfaces if log is not None else ():
        if surface not in allowed:
            yield refused(
                f"{FILE}#/allowed_surfaces",
                sorted(allowed),
                "LOCK_SURFACE",
                "The action log uses another surface.",
                surface,
            )


def _isolation(lock: TargetLock) -> Iterator[Row]:
    if not lock.isolation:
        yield refused(f"{FILE}#/isolation", "none", "LOCK_ISOLATION", "No check.", "a check")
    for name, holds in lock.isolation.items():
        yield must_be(
            f"{FILE}#/isolation/{name}",
            holds,
            True,
            code="LOCK_ISOLATION",
            message="The check did not hold.",
        )
    if all(lock.isolation.values()):
        yield derived(
            f"{FILE}#/verdict",
            lock.verdict,
            ISOLATED,
            against=f"{FILE}#/isolation",
            code="LOCK_VERDICT_WRONG",
            message="Every check holds.",
        )


def _candidates(lock: TargetLock) -> Iterator[Row]:
    for index, candidate in enumerate(lock.candidates):
        place = f"{FILE}#/candidates/{index}"
        chosen = candidate.id == lock.target.id
        yield derived(
            f"{place}/selected",
            candidate.selected,
            chosen,
            against=f"{FILE}#/target/id",
            code="LOCK_CANDIDATES",
            message="Exactly the locked target is selected.",
        )
        if candidate.is_production and candidate.allowed:
            yield refused(
                f"{place}/allowed", True, "LOCK_PRODUCTION", "Production is allowed.", False
            )
            continue
        yield derived(
            f"{place}/allowed",
            candidate.allowed,
            not candidate.is_production,
            against=f"{place}/is_production",
            code="LOCK_CANDIDATES",
            message="What is no production is allowed, and nothing else.",
        )
        if chosen:
            yield derived(
                f"{place}/is_production",
                candidate.is_production,
                lock.target.is_production,
                against=f"{FILE}#/target/is_production",
                code="LOCK_CANDIDATES",
                message="The target says something else of itself.",
            )
    if lock.candidates and lock.target.id not in {one.id for one in lock.candidates}:
        yield refused(
            f"{FILE}#/target/id", lock.target.id, "LOCK_CANDIDATES", "It is no candidate."
        )


def _against_log(evidence: Evidence, lock: TargetLock) -> Iterator[Row]:
    log = evidence.model(rehearsal_log.FILE, rehearsal_log.RehearsalLog)
    ids = [step.id for step in log.steps] if log is not None else []
    if lock.locked_at_step is not None:
        yield derived(
            f"{FILE}#/locked_at_step",
            lock.locked_at_step,
            ids[0] if ids else None,
            against=f"{rehearsal_log.FILE}#/steps/0/id",
            code="LOCK_LATE",
            message="The first step is another one.",
        )
    if lock.proven_before_step is not None:
        yield derived(
            f"{FILE}#/proven_before_step",
            lock.proven_before_step,
            ids[1] if len(ids) > 1 else None,
            against=f"{rehearsal_log.FILE}#/steps/1/id",
            code="LOCK_LATE",
            message="Another step came first.",
        )
    if lock.target.path is not None:
        yield derived(
            f"{FILE}#/target/path",
            lock.target.path,
            log.target if log is not None else None,
            against=f"{rehearsal_log.FILE}#/target",
            code="LOCK_PATH_DIFFERS",
            message="The rehearsal log names another target.",
        )
    first = log.steps[0].states if log is not None and log.steps else {}
    states = sorted(set(first.values()))
    path = states[0] if len(states) == 1 else None
    digest = evidence.digest(path) if path is not None else None
    if lock.target.state_sha256 is not None:
        yield derived(
            f"{FILE}#/target/state_sha256",
            lock.target.state_sha256,
            str(digest) if digest is not None else None,
            against=path or "",
            code="LOCK_STATE_DIFFERS",
            message="The lock's step left another state.",
        )
    if lock.target.rows is not None:
        yield derived(
            f"{FILE}#/target/rows",
            lock.target.rows,
            evidence.rows(path) if path is not None else None,
            against=path or "",
            code="LOCK_ROWS_DIFFER",
            message="The state file has another number of rows.",
        )
    for name in ("id", "engine", "table"):
        stated = getattr(lock.target, name)
        if stated is not None:
            yield claimed(f"{FILE}#/target/{name}", stated)


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    return {
        "lane": "sample",
        "locked_at_step": "RX-0",
        "proven_before_step": "RX-1",
        "target": {
            "id": "temp-sqlite-clone",
            "engine": "sqlite",
            "path": f"{samples.CLONE}/clone.sqlite",
            "rows": 3,
            "state_sha256": samples.state("states/expected.sql"),
            "is_production": False,
            "disposable": True,
        },
        "isolation": {"folder_was_empty": True, "one_database_attached": True},
        "candidates": [
            {"id": "temp-sqlite-clone", "is_production": False, "allowed": True, "selected": True},
            {
                "id": "production-database",
                "is_production": True,
                "allowed": False,
                "selected": False,
            },
        ],
        "allowed_surfaces": ["TEMP_CLONE", "PACKET_FOLDER", "MEMORY"],
        "executor": [
            {"file": name, "sha256": samples.state(name)} for name in ("executor.sql", "change.sql")
        ],
        "verdict": ISOLATED,
    }


def _damaged(*steps: str | int, to: object) -> Callable[[], Evidence]:
    return lambda: samples.changed(FILE, {steps: to})


KIND = EvidenceKind(
    file=FILE,
    title="Target lock",
    about="the target was proven isolated, and no production, before the first step",
    model=TargetLock,
    codes=CODES,
    rows=rows,
    controls={
        "LOCK_PRODUCTION": _damaged("candidates", 1, "allowed", to=True),
        "LOCK_NOT_DISPOSABLE": _damaged("target", "disposable", to=False),
        "LOCK_ISOLATION": lambda: samples.changed(
            FILE,
            {("isolation", "folder_was_empty"): False, ("verdict",): NOT_ISOLATED},
        ),
        "LOCK_VERDICT_WRONG": _damaged("verdict", to=NOT_ISOLATED),
        "LOCK_CANDIDATES": _damaged("candidates", 1, "selected", to=True),
        "LOCK_LATE": _damaged("proven_before_step", to="RX-4"),
        "LOCK_PATH_DIFFERS": _damaged("target", "path", to=f"{samples.CLONE}/other.sqlite"),
        "LOCK_STATE_DIFFERS": _damaged(
            "target", "state_sha256", to=samples.state("states/other.sql")
        ),
        "LOCK_ROWS_DIFFER": _damaged("target", "rows", to=4),
        "LOCK_EXECUTOR_DIFFERS": _damaged("executor", 0, "sha256", to=samples.state("change.sql")),
        "LOCK_SURFACE": _damaged("allowed_surfaces", to=["TEMP_CLONE"]),
    },
)
