"""``rollback-recovery-proof.json``: what was changed came back, byte for byte (spec 2.2).

The proof's hashes are those of state files in the packet, its row counts those of their rows; what
it says of them is derived again from both. Which files those are says the entry, or else the log's
step that it names: the log has one entry for each step that applied a change and took it back.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Set

import msgspec

from generator.evidence import actions, rehearsal_log, samples
from generator.evidence.base import (
    Evidence,
    EvidenceKind,
    EvidenceModel,
    HashKind,
    Part,
    claimed,
    derived,
    hash_kind,
    must_be,
    refused,
    same_hash,
)
from generator.evidence.rehearsal_log import TRIPLE, Executed, RehearsalLog, Step
from generator.ledger import Row
from generator.rules.base import Code

FILE = "rollback-recovery-proof.json"
NOT_PRODUCTION = "NOT_APPLICABLE"


class States(Part, frozen=True):
    """The state files whose bytes give the hashes of an entry; none for what is not applied."""

    before: str | None = None
    after_apply: str | None = None
    after_rollback: str | None = None
    expected: str | None = None


class Entry(Part, frozen=True):
    """One change that was applied and taken back. Hashes are a digest, ``ABSENT`` or ``N/A_…``."""

    id: str
    before_hash: str
    after_apply_hash: str
    after_rollback_hash: str
    expected_hash: str
    restored_match: bool
    production_rollback_status: str
    step: str | None = None
    rows_before: int | None = None
    rows_after_apply: int | None = None
    rows_after_rollback: int | None = None
    states: States = States()


class NotRun(Part, frozen=True):
    """A rollback that was not rehearsed, and why: it is neither passed nor failed."""

    id: str
    step: str
    reason: str


class RollbackProof(EvidenceModel, frozen=True):
    """Every rollback that the lane rehearsed, and those that it could not."""

    entries: list[Entry]
    entry_count: int | None = None
    not_run: list[NotRun] = msgspec.field(default_factory=list)


_TODO = "Rehearse the rollback again; a proof is made by its steps, never by hand."
CODES = {
    "ROLLBACK_NO_ENTRY": Code(
        "A rollback proof has no entry.", "Nothing was rolled back, and nothing is proven.", _TODO
    ),
    "ROLLBACK_COUNT_WRONG": Code(
        "A rollback proof states another number of entries than it has.",
        "An entry came or went after the proof was made.",
        _TODO,
    ),
    "ROLLBACK_ID_TWICE": Code(
        "Two entries of a rollback proof have one id.",
        "One of them would hide the other.",
        _TODO,
    ),
    "ROLLBACK_HASH_FORM": Code(
        "A hash in a rollback proof is neither a digest nor ABSENT nor N/A_….",
        "It names no state that anybody could look at.",
        _TODO,
    ),
    "ROLLBACK_STATE_MISSING": Code(
        "A rollback proof names a state file that is not in the packet.",
        "The state that it speaks of cannot be looked at.",
        _TODO,
    ),
    "ROLLBACK_STATE_DIFFERS": Code(
        "A hash in a rollback proof is not that of the state file it names.",
        "The proof speaks of bytes that are not these.",
        _TODO,
    ),
    "ROLLBACK_ROWS_DIFFER": Code(
        "A rollback proof states another number of rows than its state file has.",
        "Rows came or went between the state and the proof.",
        _TODO,
    ),
    "ROLLBACK_APPLY_DID_NOT_MUTATE": Code(
        "The state after the change is the state before it.",
        "A rollback of nothing proves nothing.",
        _TODO,
    ),
    "ROLLBACK_NOT_RESTORED": Code(
        "The state after the rollback is not the state before the change.",
        "What was changed did not come back.",
        _TODO,
    ),
    "ROLLBACK_EXPECTED_DIFFERS": Code(
        "The state after the rollback is not the expected one.",
        "It came back to something else than it should.",
        _TODO,
    ),
    "ROLLBACK_MATCH_FLAG_WRONG": Code(
        "The flag restored_match, or what a step printed of it, does not say what the hashes say.",
        "Whoever reads only the flag decides on something else.",
        _TODO,
    ),
    "ROLLBACK_PRODUCTION_CLAIMED": Code(
        "A rollback proof claims something of production.",
        "A rehearsal on a clone is no rollback of production.",
        "State NOT_APPLICABLE; production has its own authority and its own proof.",
    ),
    "ROLLBACK_APPLY_DIFFERS": Code(
        "The same statements gave two different states from the same state before.",
        "One of the two is not what the change does.",
        _TODO,
    ),
    "ROLLBACK_LOCK_DIFFERS": Code(
        "A rehearsed rollback did not begin from the state that was locked.",
        "What came back is not what the rehearsal was about.",
        _TODO,
    ),
    "ROLLBACK_NOT_RUN_DIFFERS": Code(
        "A rollback that is said not to have run has an entry or left states, or its step was not"
        " refused for the reason that is given.",
        "What was not rehearsed would be taken for proven, or was left out without a reason.",
        _TODO,
    ),
    "LOG_PROOF_DIFFERS": Code(
        "The rollback proof and the rehearsal log do not tell of the same rollbacks: a step has no"
        " entry, an entry no step, or they name different states.",
        "The proof is not of what ran.",
        _TODO,
    ),
}
_STATES = (*TRIPLE, "expected")
_RESTORED = " restored"
_REFUSED = re.compile(r'refused: line \d+: [0-9A-Z]{5} (?P<text>".*")')
"""A line of an output that tells of a refusal of the server, by its SQLSTATE."""
_REFUSED_CODE = 3


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive every hash, row count and flag of the proof from the state files."""
    proof = evidence.model(FILE, RollbackProof)
    if proof is None:
        return
    if not proof.entries:
        yield refused(
            f"{FILE}#/entries", "none", "ROLLBACK_NO_ENTRY", "No entry.", "at least one entry"
        )
    if proof.entry_count is not None:
        yield derived(
            f"{FILE}#/entry_count",
            proof.entry_count,
            len(proof.entries),
            against=f"{FILE}#/entries",
            code="ROLLBACK_COUNT_WRONG",
            message="The proof has another number of entries.",
        )
    bound = _bound(evidence, proof)
    if proof.entries:
        yield from _against_log(evidence, proof, bound)
    printed = _printed(evidence)
    seen: set[str] = set()
    for index, entry in enumerate(proof.entries):
        place = f"{FILE}#/entries/{index}"
        if entry.id in seen:
            yield refused(f"{place}/id", entry.id, "ROLLBACK_ID_TWICE", "The id stands twice.")
        seen.add(entry.id)
        step = bound[index][1] if index in bound else None
        yield from _entry(evidence, entry, place, step, printed.get(entry.id))
    yield from _applied(proof, bound, rehearsal_log.executed(evidence))
    entries = {entry.id for entry in proof.entries}
    for index, left in enumerate(proof.not_run):
        yield from _not_run(evidence, left, f"{FILE}#/not_run/{index}", entries)


def _not_run(evidence: Evidence, left: NotRun, place: str, entries: Set[str]) -> Iterator[Row]:
    """Hold a rollback that was not rehearsed against the log: its step has to be refused."""
    code = "ROLLBACK_NOT_RUN_DIFFERS"
    if left.id in entries:
        yield refused(f"{place}/id", left.id, code, "The proof has an entry of it.")
    log = evidence.model(rehearsal_log.FILE, RehearsalLog)
    if log is None:
        yield claimed(f"{place}/reason", left.reason)
        return
    step = rehearsal_log.steps(evidence).get(left.step)
    if step is None:
        yield refused(f"{place}/step", left.step, code, "The rehearsal log has no such step.")
        return
    if step.states:
        yield refused(f"{place}/step", left.step, code, "The step left states.", "no state")
    said = _refusals(evidence, step) if step.raw_exit_code == _REFUSED_CODE else []
    yield derived(
        f"{place}/reason",
        left.reason,
        left.reason if left.reason in said else ", ".join(said) or "not refused",
        against=step.output or rehearsal_log.FILE,
        code=code,
        message="The step was not refused for this reason.",
    )


def _refusals(evidence: Evidence, step: Step) -> list[str]:
    """Return why the server refused a change, as a step's output tells it."""
    lines = evidence.lines(step.output) if step.output is not None else ()
    found = []
    for line in lines:
        told = _REFUSED.fullmatch(line)
        if told is not None:
            with contextlib.suppress(msgspec.DecodeError):
                found.append(msgspec.json.decode(told["text"], type=str))
    return found


# --- the log ---

Bound = Mapping[int, tuple[int, Step]]
"""By index of an entry, its step of the log, with the step's index."""


def _bound(evidence: Evidence, proof: RollbackProof) -> Bound:
    """Find the step of each entry: the one it names, or else one that left states of its hashes."""
    log = evidence.model(rehearsal_log.FILE, RehearsalLog)
    if log is None:
        return {}
    by_id = {step.id: (index, step) for index, step in enumerate(log.steps)}
    named = {entry.step for entry in proof.entries}
    free: defaultdict[tuple[str, ...], deque[tuple[int, Step]]] = defaultdict(deque)
    for index, step in enumerate(log.steps):
        if step.id not in named and step.states.keys() >= set(TRIPLE):
            digests = (evidence.digest(step.states[name]) for name in TRIPLE)
            free[tuple(map(str, digests))].append((index, step))
    found: dict[int, tuple[int, Step]] = {}
    for index, entry in enumerate(proof.entries):
        if entry.step is None:
            left = free.get(tuple(getattr(entry, f"{name}_hash") for name in TRIPLE))
            if left:
                found[index] = left.popleft()
        elif entry.step in by_id:
            found[index] = by_id[entry.step]
    return found


def _against_log(evidence: Evidence, proof: RollbackProof, bound: Bound) -> Iterator[Row]:
    """Hold the steps and states that the entries name against those of the log."""
    log = evidence.model(rehearsal_log.FILE, RehearsalLog)
    if log is None or not log.steps:
        return  # a log without a step has its own finding
    tells = any(step.states for step in log.steps)
    seen: set[str] = set()
    for index, entry in enumerate(proof.entries):
        if entry.step is None:
            continue
        place = f"{FILE}#/entries/{index}"
        if index not in bound:
            problem = "The rehearsal log has no such step."
        elif entry.step in seen:
            problem = "Another entry names the step."
        elif tells and _lacks(entry, bound[index][1]):
            problem = "The step left no such states."
        else:
            problem = ""
        seen.add(entry.step)
        if problem:
            yield refused(f"{place}/step", entry.step, "LOG_PROOF_DIFFERS", problem)
            continue
        at, step = bound[index]
        where = f"{rehearsal_log.FILE}#/steps/{at}"
        yield derived(
            f"{place}/step",
            entry.step,
            step.id,
            against=f"{where}/id",
            code="LOG_PROOF_DIFFERS",
            message="",
        )
        for name in TRIPLE:
            path = getattr(entry.states, name)
            if path is not None and name in step.states:
                yield derived(
                    f"{place}/states/{name}",
                    path,
                    step.states[name],
                    against=f"{where}/states/{name}",
                    code="LOG_PROOF_DIFFERS",
                    message="The rehearsal log names another state file.",
                )
    told = {at for at, _ in bound.values()}
    for at, step in enumerate(log.steps):
        if at not in told and step.states.keys() >= set(TRIPLE):
            yield refused(
                f"{rehearsal_log.FILE}#/steps/{at}/states",
                step.id,
                "LOG_PROOF_DIFFERS",
                "The rollback proof has no entry of the step.",
                "an entry",
            )


def _lacks(entry: Entry, step: Step) -> bool:
    """Tell whether an entry has a digest of a state that its step did not leave."""
    return any(
        hash_kind(getattr(entry, f"{name}_hash")) == HashKind.DIGEST and name not in step.states
        for name in TRIPLE
    )


def _printed(evidence: Evidence) -> Mapping[str, tuple[str, bool]]:
    """Return what the steps printed of each entry, and where, by the entry's id."""
    log = evidence.model(rehearsal_log.FILE, RehearsalLog)
    outputs = dict.fromkeys(step.output for step in log.steps) if log is not None else {}
    return {
        name.removesuffix(_RESTORED): (f"{output}:{flag.line}", flag.value)
        for output in outputs
        if output is not None
        for name, flag in rehearsal_log.told(evidence, output).flags.items()
        if name.endswith(_RESTORED)
    }


def _applied(proof: RollbackProof, bound: Bound, executed: Executed) -> Iterator[Row]:
    """Hold against each other what the same statements made of the same state."""
    made: dict[tuple[str, tuple[str, ...]], tuple[str, str]] = {}
    for index, (_, step) in bound.items():
        entry = proof.entries[index]
        mutated = not same_hash(entry.before_hash, entry.after_apply_hash)
        change = rehearsal_log.changes(executed.get(step.id, ()))
        if not change or not mutated or hash_kind(entry.before_hash) != HashKind.DIGEST:
            continue
        where = f"{FILE}#/entries/{index}/after_apply_hash"
        first, there = made.setdefault((entry.before_hash, change), (entry.after_apply_hash, where))
        if there != where:
            yield derived(
                where,
                entry.after_apply_hash,
                first,
                against=there,
                code="ROLLBACK_APPLY_DIFFERS",
                message="The same statements made another state of the same one.",
            )


# --- entries ---


def _entry(
    evidence: Evidence,
    entry: Entry,
    place: str,
    step: Step | None,
    printed: tuple[str, bool] | None,
) -> Iterator[Row]:
    paths = {name: getattr(entry.states, name) for name in _STATES}
    locked = rehearsal_log.locked_state(evidence) if step is not None else None
    if step is not None:
        paths |= {name: step.states.get(name) for name in TRIPLE if paths[name] is None}
        if paths["expected"] is None and paths["before"] is not None:
            paths["expected"] = locked
    hashes = {name: getattr(entry, f"{name}_hash") for name in _STATES}
    for name, value in hashes.items():
        yield from _hash(evidence, f"{place}/{name}_hash", value, paths[name])
    yield from _before(evidence, entry, place, paths["before"], locked)
    if same_hash(entry.before_hash, entry.after_apply_hash):
        yield refused(
            f"{place}/after_apply_hash",
            entry.after_apply_hash,
            "ROLLBACK_APPLY_DID_NOT_MUTATE",
            "The state after the change is the one before it.",
            "another state",
        )
    restored = same_hash(entry.after_rollback_hash, entry.before_hash)
    expected = same_hash(entry.after_rollback_hash, entry.expected_hash)
    kinds = {hash_kind(value) for value in hashes.values()}
    applies = not kinds & {None, HashKind.NOT_APPLICABLE}
    if applies and not restored:
        yield refused(
            f"{place}/after_rollback_hash",
            entry.after_rollback_hash,
            "ROLLBACK_NOT_RESTORED",
            "The state after the rollback is not the one before the change.",
            entry.before_hash,
        )
    elif applies and not expected:
        yield refused(
            f"{place}/after_rollback_hash",
            entry.after_rollback_hash,
            "ROLLBACK_EXPECTED_DIFFERS",
            "The state after the rollback is not the expected one.",
            entry.expected_hash,
        )
    given = kinds == {HashKind.DIGEST} and all(
        path is not None and evidence.digest(path) is not None for path in paths.values()
    )
    yield _match(
        f"{place}/restored_match", entry.restored_match, restored and expected, place, given
    )
    if printed is not None:
        yield _match(*printed, restored and expected, place, given)
    for name in _STATES[:3]:
        stated = getattr(entry, f"rows_{name}")
        path = paths[name]
        if stated is not None:
            yield derived(
                f"{place}/rows_{name}",
                stated,
                evidence.rows(path) if path else None,
                against=path or "",
                code="ROLLBACK_ROWS_DIFFER",
                message="The state file has another number of rows.",
            )
    yield must_be(
        f"{place}/production_rollback_status",
        entry.production_rollback_status,
        NOT_PRODUCTION,
        code="ROLLBACK_PRODUCTION_CLAIMED",
        message="A rehearsal says nothing of production.",
    )


def _match(where: str, stated: bool, restored: bool, place: str, given: bool) -> Row:
    """Hold a flag against the hashes; where no bytes give all of them, it is claimed like them."""
    code, message = "ROLLBACK_MATCH_FLAG_WRONG", "The flag does not say what the hashes say."
    if not given:
        return must_be(where, stated, restored, code=code, message=message)
    against = f"{place}/after_rollback_hash"
    return derived(where, stated, restored, against=against, code=code, message=message)


def _before(
    evidence: Evidence, entry: Entry, place: str, path: str | None, locked: str | None
) -> Iterator[Row]:
    """Hold the state before a rehearsed change against the locked one."""
    digest = evidence.digest(locked) if locked is not None and locked != path else None
    if digest is not None and hash_kind(entry.before_hash) == HashKind.DIGEST:
        yield derived(
            f"{place}/before_hash",
            entry.before_hash,
            str(digest),
            against=locked or "",
            code="ROLLBACK_LOCK_DIFFERS",
            message="The rollback began from another state than the locked one.",
        )


def _hash(evidence: Evidence, where: str, value: str, path: str | None) -> Iterator[Row]:
    """Look for the bytes behind one hash value; without them it is claimed only."""
    kind = hash_kind(value)
    if kind is None:
        yield refused(
            where, value, "ROLLBACK_HASH_FORM", "No digest, ABSENT or N/A_….", "a hash value"
        )
    elif path is None:
        yield claimed(where, value)
    elif not evidence.has(path):
        yield refused(where, path, "ROLLBACK_STATE_MISSING", "The state file is not in the packet.")
    else:
        yield derived(
            where,
            value,
            str(evidence.digest(path)),
            against=path,
            code="ROLLBACK_STATE_DIFFERS",
            message="The state file's bytes give another digest.",
        )


def _damaged(**changes: object) -> Callable[[], Evidence]:
    """Return a control: the sample in which keys of the first entry are others."""

    def control() -> Evidence:
        return samples.changed(FILE, {("entries", 0, key): value for key, value in changes.items()})

    return control


def _state(name: str, path: str, **more: object) -> Callable[[], Evidence]:
    """Return a control in which a state of the first entry is another file, hash and all."""

    def control() -> Evidence:
        proof: samples.Changes = {
            ("entries", 0, f"{name}_hash"): samples.digest(path),
            ("entries", 0, "states", name): path,
            **{("entries", 0, key): value for key, value in more.items()},
        }
        # the log tells the same story, and the step's output none
        log: samples.Changes = {}
        if name != "expected":
            log = {
                ("steps", 3, "states", name): path,
                ("steps", 3, "rows", name): more[f"rows_{name}"],
            }
        return samples.changed_together(
            {FILE: proof, rehearsal_log.FILE: log}, {"outputs/RX-3.txt": b""}
        )

    return control


def _applied_otherwise() -> Evidence:
    """The same statement ran twice, and left two states."""
    path = "states/other.sql"
    proof = {
        ("entries", 0, "after_apply_hash"): samples.digest(path),
        ("entries", 0, "states", "after_apply"): path,
    }
    ran = {"surface": "TEMP_CLONE", "action": "sql", "target": samples.CLONE}
    lines = [{"step": step, **ran, "sql": "INSERT INTO t VALUES (4);"} for step in ("RX-3", "RX-4")]
    log = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    return samples.changed_together(
        {FILE: proof, rehearsal_log.FILE: {("steps", 3, "states", "after_apply"): path}},
        {"outputs/RX-3.txt": b"", actions.FILE: samples.FILES[actions.FILE] + log},
    )


def _from_another_state() -> Evidence:
    """Everything agrees that the first rollback began from another state than the locked one."""
    path = "states/other.sql"
    proof: dict[tuple[str | int, ...], object] = {("entries", 0, "states", "expected"): path}
    log: dict[tuple[str | int, ...], object] = {}
    for name in ("before", "after_rollback"):
        proof[("entries", 0, "states", name)] = log[("steps", 3, "states", name)] = path
        proof[("entries", 0, f"rows_{name}")] = log[("steps", 3, "rows", name)] = 4
    for name in ("before", "after_rollback", "expected"):
        proof[("entries", 0, f"{name}_hash")] = samples.digest(path)
    files = {FILE: proof, rehearsal_log.FILE: log}
    return samples.changed_together(files, {"outputs/RX-3.txt": b""})


def _sample_entry(entry: str, step: str, prefix: str) -> dict[str, object]:
    paths = {
        "before": f"states/{prefix}-before.sql",
        "after_apply": f"states/{prefix}-after-apply.sql",
        "after_rollback": f"states/{prefix}-after-rollback.sql",
        "expected": "states/expected.sql",
    }
    return {
        "id": entry,
        "step": step,
        **{f"{name}_hash": samples.state(path) for name, path in paths.items()},
        "restored_match": True,
        "rows_before": 3,
        "rows_after_apply": 4,
        "rows_after_rollback": 3,
        "states": paths,
        "production_rollback_status": NOT_PRODUCTION,
    }


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    return {
        "lane": "sample",
        "entry_count": 2,
        "entries": [
            _sample_entry("RB-SQL-TXN", "RX-3", "txn"),
            _sample_entry("RB-SQL-SNAP", "RX-4", "snap"),
        ],
    }


KIND = EvidenceKind(
    file=FILE,
    title="Rollback proof",
    about="what was changed on the clone came back, byte for byte",
    model=RollbackProof,
    codes=CODES,
    rows=rows,
    controls={
        "ROLLBACK_NO_ENTRY": lambda: samples.changed(FILE, {("entries",): [], ("entry_count",): 0}),
        "ROLLBACK_COUNT_WRONG": lambda: samples.changed(FILE, {("entry_count",): 3}),
        "ROLLBACK_ID_TWICE": lambda: samples.changed(FILE, {("entries", 1, "id"): "RB-SQL-TXN"}),
        "ROLLBACK_HASH_FORM": _damaged(expected_hash="unknown", restored_match=False),
        "ROLLBACK_STATE_MISSING": lambda: samples.changed(
            FILE, {("entries", 0, "states", "expected"): "states/gone.sql"}
        ),
        "ROLLBACK_STATE_DIFFERS": lambda: samples.changed(
            FILE, {("entries", 0, "states", "expected"): "states/txn-after-apply.sql"}
        ),
        "ROLLBACK_ROWS_DIFFER": _damaged(rows_after_rollback=4),
        "ROLLBACK_APPLY_DID_NOT_MUTATE": _state(
            "after_apply", "states/txn-before.sql", rows_after_apply=3
        ),
        "ROLLBACK_NOT_RESTORED": _state(
            "after_rollback",
            "states/txn-after-apply.sql",
            rows_after_rollback=4,
            restored_match=False,
        ),
        "ROLLBACK_EXPECTED_DIFFERS": _state(
            "expected", "states/txn-after-apply.sql", restored_match=False
        ),
        "ROLLBACK_MATCH_FLAG_WRONG": _damaged(restored_match=False),
        "ROLLBACK_PRODUCTION_CLAIMED": _damaged(production_rollback_status="PROVEN"),
        "ROLLBACK_APPLY_DIFFERS": _applied_otherwise,
        "ROLLBACK_LOCK_DIFFERS": _from_another_state,
        "ROLLBACK_NOT_RUN_DIFFERS": lambda: samples.changed(
            FILE, {("not_run",): [{"id": "RB-SQL-OTHER", "step": "RX-1", "reason": "it cannot"}]}
        ),
        "LOG_PROOF_DIFFERS": lambda: samples.changed(FILE, {("entries", 0, "step"): "RX-33"}),
    },
)
