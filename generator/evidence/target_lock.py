"""``rehearsal-target-lock.json``: the target was proven isolated before anything was tried.

What proves it is what the lock's step printed. The executor that was locked is ``executor.sql``
with the files that it reads; what their statements are, the steps that applied them ran.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from generator.evidence import actions, rehearsal_log, samples
from generator.evidence.base import (
    PLAN,
    Evidence,
    EvidenceKind,
    EvidenceModel,
    Part,
    claimed,
    derived,
    file_rows,
    must_be,
    plan,
    refused,
)
from generator.gate.request import CLONE_SURFACES
from generator.ledger import Row
from generator.rules.base import Code

FILE = "rehearsal-target-lock.json"
ISOLATED = "PROVEN_ISOLATED_NOT_PRODUCTION"
NOT_ISOLATED = "NOT_ISOLATED"
EXECUTOR = "executor.sql"
SEED = "seed.sql"


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
        "A check of the target's isolation is missing, did not hold, or is not what was printed.",
        "The rehearsal may have reached something else.",
        _TODO,
    ),
    "LOCK_VERDICT_WRONG": Code(
        "The verdict of a target lock does not say what its checks say.",
        "Whoever reads only the verdict decides on something else.",
        _TODO,
    ),
    "LOCK_CANDIDATES": Code(
        "The candidates of a target lock do not agree with its target, or with the plan.",
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
        "The locked state is not the one that the lock's step left, or not what the seed gives.",
        "The rehearsal began from something else than was locked.",
        _TODO,
    ),
    "LOCK_ROWS_DIFFER": Code(
        "A target lock states another number of rows than its state file has.",
        "Rows came or went between the state and the lock.",
        _TODO,
    ),
    "LOCK_EXECUTOR_DIFFERS": Code(
        "A file of the executor is not the one that was locked, or its statements are not those"
        " that ran.",
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
    yield from _isolation(evidence, lock)
    yield from _candidates(lock)
    yield from _planned(evidence, lock)
    yield from _against_log(evidence, lock)
    yield from _seed(evidence)
    yield from _executor(evidence, lock)
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


def _isolation(evidence: Evidence, lock: TargetLock) -> Iterator[Row]:
    """Hold the checks against what the lock's step printed of them, and the verdict against all."""
    log = evidence.model(rehearsal_log.FILE, rehearsal_log.RehearsalLog)
    output = log.steps[0].output if log is not None and log.steps else None
    printed: Mapping[str, rehearsal_log.Flag] = (
        rehearsal_log.told(evidence, output).flags if output is not None else {}
    )
    if not lock.isolation:
        yield refused(f"{FILE}#/isolation", "none", "LOCK_ISOLATION", "No check.", "a check")
    for name, holds in lock.isolation.items():
        where, flag = f"{FILE}#/isolation/{name}", printed.get(name)
        if holds and flag is not None:
            yield derived(
                where,
                holds,
                flag.value,
                against=f"{output}:{flag.line}",
                code="LOCK_ISOLATION",
                message="The lock's step printed that the check did not hold.",
            )
        else:
            message = "The check did not hold."
            yield must_be(where, holds, True, code="LOCK_ISOLATION", message=message)
    for name, flag in printed.items():
        if name not in lock.isolation:
            message = "The lock's step printed a check that the lock does not have."
            yield refused(f"{output}:{flag.line}", name, "LOCK_ISOLATION", message, "absent")
    if all(lock.isolation.values()):
        code, message = "LOCK_VERDICT_WRONG", "Every check holds."
        where, against = f"{FILE}#/verdict", f"{FILE}#/isolation"
        # a sum of what is only claimed is no more than a claim
        if lock.isolation.keys() <= printed.keys():
            yield derived(
                where, lock.verdict, ISOLATED, against=against, code=code, message=message
            )
        else:
            yield must_be(where, lock.verdict, ISOLATED, code=code, message=message)


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
        # what is no production may be rejected for other reasons
        if candidate.selected and not candidate.allowed:
            message = "What is selected is not allowed."
            yield refused(f"{place}/allowed", False, "LOCK_CANDIDATES", message, True)
        else:
            yield claimed(f"{place}/allowed", candidate.allowed)
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


def _planned(evidence: Evidence, lock: TargetLock) -> Iterator[Row]:
    """Hold the candidates against the production targets of the plan."""
    told = plan(evidence).get("production_targets")
    targets = [one for one in told if isinstance(one, str)] if isinstance(told, list) else []
    production, known = set(targets), {one.id for one in lock.candidates}
    for index, candidate in enumerate(lock.candidates):
        if candidate.id != lock.target.id or candidate.id in production:
            yield derived(
                f"{FILE}#/candidates/{index}/is_production",
                candidate.is_production,
                True if candidate.id in production else None,
                against=f"{PLAN}#/production_targets",
                code="LOCK_CANDIDATES",
                message=f"{PLAN} says that it is production.",
            )
    for name in targets:
        if name not in known:
            message = f"{PLAN} has one more production target."
            yield refused(f"{FILE}#/candidates", "absent", "LOCK_CANDIDATES", message, name)


def _written_at(evidence: Evidence) -> str | None:
    """Return the step in which the action log has the lock written; None where it does not say."""
    log = actions.read(evidence)
    made = (one for one in log.actions if one.target == FILE) if log is not None else ()
    return next((one.step for one in made if one.action == "write"), None)


def _against_log(evidence: Evidence, lock: TargetLock) -> Iterator[Row]:
    log = evidence.model(rehearsal_log.FILE, rehearsal_log.RehearsalLog)
    ids = [step.id for step in log.steps] if log is not None else []
    written = _written_at(evidence)
    if lock.locked_at_step is not None and written is not None:
        yield derived(
            f"{FILE}#/locked_at_step",
            lock.locked_at_step,
            written,
            against=actions.FILE,
            code="LOCK_LATE",
            message="The lock was written in another step.",
        )
    for index, (name, stated) in enumerate(
        (
            ("locked_at_step", lock.locked_at_step),
            ("proven_before_step", lock.proven_before_step),
        )
    ):
        # whoever wrote down that the lock was made can say when
        if stated is not None or written is not None:
            yield derived(
                f"{FILE}#/{name}",
                stated or "absent",
                ids[index] if len(ids) > index else None,
                against=f"{rehearsal_log.FILE}#/steps/{index}/id",
                code="LOCK_LATE",
                message="The step is another one.",
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
    path = rehearsal_log.locked_state(evidence)
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


# --- the seed ---

_SEED_BEGINS = "-- The clone starts from this. Rows stand before what could act on them."
_ROW = "INSERT INTO "
_TRIGGER = "CREATE TRIGGER "
_KEPT = ("ANALYZE sqlite_master;", "DELETE FROM sqlite_sequence;")
_EXACT = re.compile(r"\(-?[0-9]+\.0(?: [*/] -?[0-9]+\.0)*\)")
"""A number that is written as a product, as no decimal fraction gives it."""


def _seed(evidence: Evidence) -> Iterator[Row]:
    """Hold the rows of the seed against the locked ones, or else against those that were logged.

    A seed that a rehearsal wrote holds rows as states do, and the action log names it only.
    """
    path = rehearsal_log.locked_state(evidence)
    if path is None or evidence.content(path) is None or evidence.content(SEED) is None:
        return
    seed = evidence.lines(SEED)
    rows = list(_seed_rows(seed))
    if seed[:1] == (_SEED_BEGINS,):
        locked = [line for line in evidence.lines(path) if line.startswith(_ROW)]
        if rows == locked:
            return  # as it mostly is, and counting takes longer
        given, held = Counter(rows), Counter(locked)
    else:
        given, held = Counter(set(map(_bare, rows))), Counter(_logged_rows(evidence))
        if not given & held:
            return
    more, fewer = given - held, held - given
    odd = [line for line in more if not _EXACT.search(line)]
    if more.total() != fewer.total() or odd:
        where, message = f"{FILE}#/target/state_sha256", f"{SEED} holds other rows than {path}."
        first = next(iter(odd or more), "absent")[:_LONGEST]
        yield refused(where, first, "LOCK_STATE_DIFFERS", message, next(iter(fewer), "")[:_LONGEST])


def _logged_rows(evidence: Evidence) -> list[str]:
    """Return each row that the first step put into the target; none where one was cut."""
    first = next(iter(rehearsal_log.steps(evidence)), "")
    ran = [one for one in rehearsal_log.executed(evidence).get(first, ()) if one.startswith(_ROW)]
    if any(one.endswith(_CUT) for one in ran):
        return []
    return list(dict.fromkeys(map(_bare, ran)))


def _seed_rows(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines that hold a row; a trigger may have such lines that only name one."""
    triggers = False
    for line in lines:
        if line.startswith(_TRIGGER):
            triggers = True
        elif line in _KEPT:
            triggers = False
        elif line.startswith(_ROW) and not triggers:
            yield line


# --- the executor ---

_READ = ".read "
_CUT = "…"
_PARTS = re.compile(
    r"""'[^']*(?:'|\Z)|"[^"]*(?:"|\Z)|`[^`]*(?:`|\Z)|\[[^\]]*(?:\]|\Z)"""
    r"""|(?P<space>(?![ ](?![\s/-]))(?:\s+|--[^\n]*|/\*(?:[^*]+|\*(?!/))*(?:\*/|\Z))+)"""
)
"""What has to be looked at: quoted parts, comments, and space that is more than one blank."""
_SPACE = re.compile(r"\s+")
_MORE_THAN_WORDS = re.compile(r"[^\S ]|  |--|/\*")
"""What is in a statement that has more than one space at a time, or may have a comment."""
_END = re.compile(r" ?;|\Z")
_SKIPPED = re.compile(
    r"""(?:[ ;]|EXPLAIN\b(?:[^;'"`\[]+|'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\])*)*""", re.IGNORECASE
)
_LONGEST = 200
"""Characters of a statement that a finding quotes."""


def _executor(evidence: Evidence, lock: TargetLock) -> Iterator[Row]:
    """Hold the locked files against their bytes, the executor's list, and what the steps ran."""
    for index, locked in enumerate(lock.executor):
        yield file_rows(
            evidence,
            f"{FILE}#/executor/{index}/sha256",
            locked.file,
            locked.sha256,
            code="LOCK_EXECUTOR_DIFFERS",
            message=f"{locked.file} is not the file that was locked.",
        )
    if evidence.content(EXECUTOR) is None:
        return
    lines = evidence.lines(EXECUTOR)
    read = [name for line in lines if line.startswith(_READ) for name in line.split()[1:2]]
    yield derived(
        f"{FILE}#/executor",
        sorted({one.file for one in lock.executor}),
        sorted({EXECUTOR, *read}),
        against=EXECUTOR,
        code="LOCK_EXECUTOR_DIFFERS",
        message="The executor reads other files than were locked.",
    )
    for name in read:
        if not evidence.has(name):
            message = "The executor reads a file that is not in the packet."
            yield refused(f"{FILE}#/executor", name, "LOCK_EXECUTOR_DIFFERS", message, "a file")
    plain = all(line.startswith((_READ, "--")) or not line.strip() for line in lines)
    contents = [evidence.content(name) for name in read]
    if plain and None not in contents:
        texts = [(content or b"").decode("utf-8-sig", "replace") for content in contents]
        yield from _ran(evidence, ", ".join(read), _bare("\n;\n".join(texts)))


def _ran(evidence: Evidence, files: str, change: str) -> Iterator[Row]:
    """Hold the statements that the action log has of a step against those of the change."""
    executed = rehearsal_log.executed(evidence)
    for step in rehearsal_log.applying(evidence):
        statements = executed.get(step, [])
        if not rehearsal_log.changes(statements):
            continue
        odd, wanted = _first_odd(statements, change)
        where = f"{actions.FILE}#{step}"
        if odd or wanted:
            message = "The step ran other statements than the locked change has."
            stated, left = odd[:_LONGEST] or "none", wanted[:_LONGEST] or "none"
            yield refused(where, stated, "LOCK_EXECUTOR_DIFFERS", message, left)
        else:
            yield derived(
                where, files, files, against=files, code="LOCK_EXECUTOR_DIFFERS", message=""
            )


def _first_odd(statements: Sequence[str], change: str) -> tuple[str, str]:
    """Return the first statement that is not the next of the change, and what is; or nothing.

    What a step reads between them is its own. A statement that gives many rows may stand there for
    each of them, and a long one is cut: of what follows it, only where it goes on can be told.
    """
    at, last, cut = _next(change, 0), "", False
    told = bare = ""
    reading = rehearsal_log.those_that_read(statements)
    asks = {at: rehearsal_log.reads(change, at)}
    for statement in statements:
        writes = statement not in reading
        if not writes and (cut or not asks[at]):
            continue
        short = len(statement) > 1 and statement.endswith(_CUT)
        if statement != told:
            told, bare = statement, _bare(statement.removesuffix(_CUT) if short else statement)
            bare = bare.rstrip(" -/") if short else bare
        if cut and bare == last:
            continue
        start = change.find(bare, at) if cut else at
        end = start + len(bare)
        if start >= 0 and change.startswith(bare, start) and (short or _END.match(change, end)):
            at, last, cut = end if short else _next(change, end), bare, short
            asks[at] = rehearsal_log.reads(change, at)
        elif bare != last and writes:
            return bare, change[at:]
    return "", "" if cut else change[at:]


def _next(change: str, at: int) -> int:
    """Return where the next statement begins that runs: no engine logs one that only explains."""
    found = _SKIPPED.match(change, at)
    return found.end() if found is not None else at


def _bare(sql: str) -> str:
    """Return SQL without its comments, its last semicolon, and more than one space at a time."""
    return _stripped(sql) if len(sql) <= _LONGEST else _stripped.__wrapped__(sql)


@lru_cache(maxsize=1024)  # both ways of taking a change back run the same statements
def _stripped(sql: str) -> str:
    if _MORE_THAN_WORDS.search(sql) is None:
        return sql.strip(" ;")
    text = _PARTS.sub(lambda part: " " if part["space"] else _SPACE.sub(" ", part[0]), sql)
    return text.strip(" ;")


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
