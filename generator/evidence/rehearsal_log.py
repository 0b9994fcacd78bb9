"""``rehearsal-log.json``: what ran on the clone, step by step, and how it ended (spec 2.2).

Exit codes are judged against the expected ones: a control that must fail exits non-zero, and that
is its pass. States and rows are those of the files that a step names, of what its output says of
them, and of the rollback proof.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import msgspec

from generator.evidence import rollback_proof, samples
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

FILE = "rehearsal-log.json"
RAW_CODES = "outputs/raw-exit-codes.tsv"
WRAPPER_CODES = "outputs/wrapper-exit-codes.tsv"


class Step(Part, frozen=True):
    """One command with its exit codes; the wrapper's is 0 if the raw one is the expected one."""

    id: str
    command: str
    raw_exit_code: int
    expected_exit_code: int
    wrapper_exit_code: int
    output: str | None = None
    states: dict[str, str] = msgspec.field(default_factory=dict)
    rows: dict[str, int] = msgspec.field(default_factory=dict)


class RehearsalLog(EvidenceModel, frozen=True):
    """Every step of a rehearsal, in order."""

    steps: list[Step]
    step_count: int | None = None
    target: str | None = None


_TODO = "Rehearse again; a log is written by its steps, never by hand."
CODES = {
    "LOG_EMPTY": Code("A rehearsal log has no step.", "Nothing ran.", _TODO),
    "LOG_COUNT_WRONG": Code(
        "A rehearsal log states another number of steps than it has.",
        "A step came or went after the rehearsal.",
        _TODO,
    ),
    "LOG_STEP_GAP": Code(
        "The steps of a rehearsal log are not numbered one after the other.",
        "A step is missing, stands twice or was moved.",
        _TODO,
    ),
    "LOG_STEP_FAILED": Code(
        "A step did not end with the exit code that was expected of it.",
        "What it should show was not shown.",
        "Find out why in its output, mend that, and rehearse again.",
    ),
    "LOG_WRAPPER_WRONG": Code(
        "A wrapper's exit code does not say what the raw and the expected one say.",
        "Whoever looks only at the wrapper decides on something else.",
        _TODO,
    ),
    "LOG_EXIT_DIFFERS": Code(
        "An exit code in a rehearsal log is not the one that was recorded when the step ended.",
        "The log was written anew, or the record was.",
        _TODO,
    ),
    "LOG_COMMAND_DIFFERS": Code(
        "A command in a rehearsal log is not the one that was recorded when it ran.",
        "Something else ran than the log says.",
        _TODO,
    ),
    "LOG_FILE_MISSING": Code(
        "A rehearsal log names an output or a state file that is not in the packet.",
        "What the step left cannot be looked at.",
        _TODO,
    ),
    "LOG_ROWS_DIFFER": Code(
        "A rehearsal log states another number of rows than the state file has.",
        "Rows came or went between the step and the log.",
        _TODO,
    ),
    "LOG_RECORD_DIFFERS": Code(
        "The record of exit codes and the rehearsal log do not have the same steps.",
        "A step was taken out of one of the two, or put into it.",
        _TODO,
    ),
    "LOG_OUTPUT_DIFFERS": Code(
        "A step's output says something else of a state than the state file gives.",
        "One of the two was rewritten after the step.",
        _TODO,
    ),
    "LOG_PROOF_DIFFERS": Code(
        "The rollback proof and the rehearsal log name different states for one step.",
        "The proof is not of what ran.",
        _TODO,
    ),
}
_FILE_LINE = re.compile(r"(?P<file>\S+) (?:unchanged|CHANGED) (?P<sha256>[0-9a-f]{64})")
_STATE_LINE = re.compile(
    r"state (?P<label>\S+) file=(?P<file>\S+) rows=(?P<rows>\d{1,18})"
    r" sha256=(?P<sha256>[0-9a-f]{64})"
)


def steps(evidence: Evidence) -> Mapping[str, Step]:
    """Return the steps of the log by id; none where there is no log."""
    log = evidence.model(FILE, RehearsalLog)
    return {step.id: step for step in log.steps} if log is not None else {}


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive counts, exit codes, states and row counts again."""
    log = evidence.model(FILE, RehearsalLog)
    if log is None:
        return
    if not log.steps:
        yield refused(f"{FILE}#/steps", "none", "LOG_EMPTY", "No step.", "at least one step")
    if log.step_count is not None:
        yield derived(
            f"{FILE}#/step_count",
            log.step_count,
            len(log.steps),
            against=f"{FILE}#/steps",
            code="LOG_COUNT_WRONG",
            message="The log has another number of steps.",
        )
    raw = _recorded(evidence, RAW_CODES)
    wrappers = _recorded(evidence, WRAPPER_CODES)
    entries = _entries(evidence)
    for path, record in ((RAW_CODES, raw), (WRAPPER_CODES, wrappers)):
        if record:
            yield derived(
                path,
                ", ".join(record),
                ", ".join(step.id for step in log.steps),
                against=FILE,
                code="LOG_RECORD_DIFFERS",
                message="The rehearsal log has other steps.",
            )
    for output in dict.fromkeys(step.output for step in log.steps if step.output is not None):
        yield from _told_files(evidence, output)
    for index, step in enumerate(log.steps):
        place = f"{FILE}#/steps/{index}"
        yield derived(
            f"{place}/id",
            step.id,
            f"RX-{index}",
            against=f"{FILE}#/steps",
            code="LOG_STEP_GAP",
            message="The steps are not numbered one after the other.",
        )
        yield from _exit_codes(step, place, raw, wrappers)
        yield from _files(evidence, step, place)
        if step.id in entries:
            where, states = entries[step.id]
            for label, path in step.states.items():
                if label in states:
                    yield derived(
                        f"{place}/states/{label}",
                        path,
                        states[label],
                        against=where,
                        code="LOG_PROOF_DIFFERS",
                        message="The rollback proof names another state file.",
                    )


def _exit_codes(
    step: Step,
    place: str,
    raw: Mapping[str, list[str]],
    wrappers: Mapping[str, list[str]],
) -> Iterator[Row]:
    record = raw.get(step.id)
    codes = [int(one) if one.lstrip("-").isdecimal() else None for one in (record or ())[:2]]
    for name, stated, position in (
        ("raw_exit_code", step.raw_exit_code, 0),
        ("expected_exit_code", step.expected_exit_code, 1),
    ):
        yield derived(
            f"{place}/{name}",
            stated,
            codes[position] if len(codes) > position else None,
            against=RAW_CODES,
            code="LOG_EXIT_DIFFERS",
            message="Another exit code was recorded when the step ended.",
        )
    yield derived(
        f"{place}/command",
        step.command,
        record[2] if record is not None and len(record) > 2 else None,
        against=RAW_CODES,
        code="LOG_COMMAND_DIFFERS",
        message="Another command was recorded when the step ran.",
    )
    passed = step.raw_exit_code == step.expected_exit_code
    if not passed:
        yield refused(
            f"{place}/raw_exit_code",
            step.raw_exit_code,
            "LOG_STEP_FAILED",
            "The step did not end with the exit code that was expected of it.",
            step.expected_exit_code,
        )
    yield derived(
        f"{place}/wrapper_exit_code",
        step.wrapper_exit_code,
        0 if passed else (step.wrapper_exit_code or 1),
        against=f"{place}/raw_exit_code",
        code="LOG_WRAPPER_WRONG",
        message="The wrapper's exit code does not say what the raw one and the expected one say.",
    )
    wrapper = wrappers.get(step.id)
    if wrapper is not None and passed == (step.wrapper_exit_code == 0):
        yield derived(
            f"{place}/wrapper_exit_code",
            str(step.wrapper_exit_code),
            wrapper[0],
            against=WRAPPER_CODES,
            code="LOG_EXIT_DIFFERS",
            message="Another exit code of the wrapper was recorded.",
        )


def _files(evidence: Evidence, step: Step, place: str) -> Iterator[Row]:
    if step.output is not None:
        yield _present(evidence, f"{place}/output", step.output)
    said: Mapping[str, Mapping[str, str]] = (
        evidence.once("said", step.output, _said) if step.output is not None else {}
    )
    if said and step.output is not None:
        yield derived(
            f"{step.output}#states",
            ", ".join(sorted(said)),
            ", ".join(sorted(step.states)),
            against=f"{place}/states",
            code="LOG_OUTPUT_DIFFERS",
            message="The step's output tells of other states than the log.",
        )
    for label in step.rows.keys() - step.states.keys():
        yield claimed(f"{place}/rows/{label}", step.rows[label])
    for label, path in step.states.items():
        yield _present(evidence, f"{place}/states/{label}", path)
        if label in step.rows:
            yield derived(
                f"{place}/rows/{label}",
                step.rows[label],
                evidence.rows(path),
                against=path,
                code="LOG_ROWS_DIFFER",
                message="The state file has another number of rows.",
            )
        line = said.get(label)
        if line is not None and step.output is not None:
            for word, found in (
                ("file", path),
                ("rows", evidence.rows(path)),
                ("sha256", evidence.digest(path)),
            ):
                yield derived(
                    f"{step.output}#{label} {word}",
                    line[word],
                    None if found is None else str(found),
                    against=path,
                    code="LOG_OUTPUT_DIFFERS",
                    message="The step's output says something else than the state file gives.",
                )


def _told_files(evidence: Evidence, output: str) -> Iterator[Row]:
    """Hold what an output says of a file's digest against the file."""
    for number, line in enumerate(evidence.lines(output), 1):
        match = _FILE_LINE.fullmatch(line)
        if match is not None and evidence.has(match["file"]):
            yield derived(
                f"{output}:{number}",
                match["sha256"],
                str(evidence.digest(match["file"])),
                against=match["file"],
                code="LOG_OUTPUT_DIFFERS",
                message="The step's output says something else than the file gives.",
            )


def _present(evidence: Evidence, where: str, path: str) -> Row:
    if evidence.has(path):
        return derived(where, path, path, against=path, code="LOG_FILE_MISSING", message="")
    return refused(where, path, "LOG_FILE_MISSING", "The file is not in the packet.", "a file")


def _said(_path: str, content: bytes | None) -> Mapping[str, Mapping[str, str]]:
    """Return what a step's output says of its states, by label."""
    lines = (content or b"").decode("utf-8", "replace").splitlines()
    found = (_STATE_LINE.fullmatch(line) for line in lines)
    return {match["label"]: match.groupdict() for match in found if match is not None}


def _recorded(evidence: Evidence, path: str) -> Mapping[str, list[str]]:
    """Return what a table of tabs says of each step, by the step's id."""
    table = (line.split("\t") for line in evidence.lines(path))
    return {cells[0]: cells[1:] for cells in table if len(cells) > 1}


def _entries(evidence: Evidence) -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """Return where the proof's entry for a step stands, and its state files, by the step's id."""
    proof = evidence.model(rollback_proof.FILE, rollback_proof.RollbackProof)
    if proof is None:
        return {}
    names = ("before", "after_apply", "after_rollback")
    return {
        entry.step: (
            f"{rollback_proof.FILE}#/entries/{index}/states",
            {name: path for name in names if (path := getattr(entry.states, name)) is not None},
        )
        for index, entry in enumerate(proof.entries)
        if entry.step is not None
    }


_SAMPLE_STEPS: tuple[tuple[str, int, dict[str, str]], ...] = (
    ("rehearse.py lock", 0, {"expected": "states/expected.sql"}),
    ("rehearse.py guard-control", 3, {}),
    ("rehearse.py read-twice", 0, {"read_1": "states/read-1.sql", "read_2": "states/read-2.sql"}),
    (
        "rehearse.py transaction",
        0,
        {
            "before": "states/txn-before.sql",
            "after_apply": "states/txn-after-apply.sql",
            "after_rollback": "states/txn-after-rollback.sql",
        },
    ),
    (
        "rehearse.py snapshot",
        0,
        {
            "before": "states/snap-before.sql",
            "after_apply": "states/snap-after-apply.sql",
            "after_rollback": "states/snap-after-rollback.sql",
        },
    ),
    ("rehearse.py executor", 0, {}),
    ("rehearse.py proof", 0, {}),
    ("rollback_check.py selftest", 0, {}),
    ("rollback_check.py check rollback-recovery-proof.json", 0, {}),
    ("rollback_check.py control ROLLBACK_APPLY_DID_NOT_MUTATE", 1, {}),
)


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    made = [
        {
            "id": f"RX-{number}",
            "command": f"python3 -I -B {command}",
            "raw_exit_code": code,
            "expected_exit_code": code,
            "wrapper_exit_code": 0,
            "output": f"outputs/RX-{number}.txt",
            "states": states,
            "rows": {label: 4 if "after-apply" in path else 3 for label, path in states.items()},
        }
        for number, (command, code, states) in enumerate(_SAMPLE_STEPS)
    ]
    return {
        "lane": "sample",
        "target": f"{samples.CLONE}/clone.sqlite",
        "step_count": len(made),
        "steps": made,
    }


def sample_outputs() -> dict[str, bytes]:
    """Return what the steps of the sample printed and how they ended."""
    files: dict[str, bytes] = {}
    raw = wrappers = ""
    for number, (command, code, states) in enumerate(_SAMPLE_STEPS):
        lines = [
            f"state {label} file={path} rows={4 if 'after-apply' in path else 3}"
            f" sha256={samples.state(path)}\n"
            for label, path in states.items()
        ]
        files[f"outputs/RX-{number}.txt"] = "".join(lines).encode()
        raw += f"RX-{number}\t{code}\t{code}\tpython3 -I -B {command}\n"
        wrappers += f"RX-{number}\t0\n"
    return {**files, RAW_CODES: raw.encode(), WRAPPER_CODES: wrappers.encode()}


def _step(number: int, **changes: object) -> Callable[[], Evidence]:
    return lambda: samples.changed(
        FILE, {("steps", number, key): value for key, value in changes.items()}
    )


def _failed() -> Evidence:
    """Everything agrees that a step failed."""
    raw = sample_outputs()[RAW_CODES].replace(b"RX-2\t0\t0", b"RX-2\t1\t0")
    wrappers = sample_outputs()[WRAPPER_CODES].replace(b"RX-2\t0", b"RX-2\t1")
    changes = {("steps", 2, "raw_exit_code"): 1, ("steps", 2, "wrapper_exit_code"): 1}
    return samples.changed_together({FILE: changes}, {RAW_CODES: raw, WRAPPER_CODES: wrappers})


def _other_output() -> Evidence:
    output = sample_outputs()["outputs/RX-2.txt"].replace(b"rows=3", b"rows=9")
    return samples.evidence({"outputs/RX-2.txt": output})


KIND = EvidenceKind(
    file=FILE,
    title="Rehearsal log",
    about="the steps ran in this order and ended as they should",
    model=RehearsalLog,
    codes=CODES,
    rows=rows,
    controls={
        "LOG_EMPTY": lambda: samples.changed_together(
            {FILE: {("steps",): [], ("step_count",): 0}}, {RAW_CODES: b"", WRAPPER_CODES: b""}
        ),
        "LOG_COUNT_WRONG": lambda: samples.changed(FILE, {("step_count",): 9}),
        "LOG_STEP_GAP": lambda: samples.changed_together(
            {FILE: {("steps", 6, "id"): "RX-66"}},
            {
                RAW_CODES: sample_outputs()[RAW_CODES].replace(b"RX-6\t", b"RX-66\t"),
                WRAPPER_CODES: sample_outputs()[WRAPPER_CODES].replace(b"RX-6\t", b"RX-66\t"),
                "actions.jsonl": samples.FILES["actions.jsonl"].replace(b'"RX-6"', b'"RX-66"'),
            },
        ),
        "LOG_STEP_FAILED": _failed,
        "LOG_WRAPPER_WRONG": _step(2, wrapper_exit_code=1),
        "LOG_EXIT_DIFFERS": lambda: samples.evidence(
            {RAW_CODES: sample_outputs()[RAW_CODES].replace(b"RX-1\t3\t3", b"RX-1\t4\t3")}
        ),
        "LOG_COMMAND_DIFFERS": _step(2, command="python3 -I -B rehearse.py nothing"),
        "LOG_FILE_MISSING": _step(5, output="outputs/gone.txt"),
        "LOG_ROWS_DIFFER": _step(2, rows={"read_1": 3, "read_2": 4}),
        "LOG_RECORD_DIFFERS": lambda: samples.evidence(
            {WRAPPER_CODES: sample_outputs()[WRAPPER_CODES] + b"RX-10\t0\n"}
        ),
        "LOG_OUTPUT_DIFFERS": _other_output,
        "LOG_PROOF_DIFFERS": lambda: samples.changed_together(
            {
                rollback_proof.FILE: {
                    ("entries", 0, "states", "before"): "states/read-1.sql",
                }
            }
        ),
    },
)
