"""``rehearsal-log.json``: what ran on the clone, step by step, and how it ended (spec 2.2).

Exit codes are judged against the expected ones: a control that must fail exits non-zero, and that
is its pass. The steps, their commands and what is expected of them are those that ``commands.sh``
calls. States and rows are those of the files that a step names, and of what its output says of
them; what is only read stays the state that the first step locked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple, TypeAlias

import msgspec

from generator.evidence import actions, samples
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
COMMANDS = "commands.sh"
TRIPLE = ("before", "after_apply", "after_rollback")
"""The labels of the states of a step that applies a change and takes it back."""

_READ = "read_"
_GUARD_CONTROL = " rehearse.py guard-control"
_REFUSALS = ("refused: write ", "refused: socket.")


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
        "An exit code in a rehearsal log is not the one that was recorded when the step ended, or"
        " not the one that commands.sh expects.",
        "The log was written anew, or the record was.",
        _TODO,
    ),
    "LOG_COMMAND_DIFFERS": Code(
        "A command in a rehearsal log is not the one that was recorded when it ran, or not the one"
        " that commands.sh calls.",
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
        "The record of exit codes, or commands.sh, does not have the steps of the rehearsal log; or"
        " the record has a step twice, or an exit code that is none.",
        "A step was taken out of one of them, or put into it.",
        _TODO,
    ),
    "LOG_OUTPUT_DIFFERS": Code(
        "A step's output says something else than the log, or than the files it speaks of.",
        "One of them was rewritten after the step.",
        _TODO,
    ),
    "LOG_READS_DIFFER": Code(
        "A read-only read gave another state than the one that was locked.",
        "Something else changed the target while it was rehearsed on, or another one was read.",
        _TODO,
    ),
}
_FILE_LINE = re.compile(r"(?P<file>\S+) (?P<said>(?:unchanged|CHANGED) [0-9a-f]{64})")
_STATE_LINE = re.compile(
    r"state (?P<label>\S+) file=(?P<file>\S+) rows=(?P<rows>\d{1,18})"
    r" sha256=(?P<sha256>[0-9a-f]{64})"
)
_FLAG_LINE = re.compile(r"(?P<name>\S+(?: restored)?) (?P<value>true|false)")
_STEP_ID = re.compile(r"RX-[0-9]+")
_EXIT_CODE = re.compile(r"-?[0-9]{1,9}")
_CALL = re.compile(r"[^#\n]*(?<![\w./-])step\s")
_PLAIN_CALL = re.compile(
    r"step (?P<id>RX-[0-9]+) (?P<expected>[0-9]{1,3}) (?P<command>[\w./:=,@%+ -]+)", re.ASCII
)
"""A call in which no character means anything to the shell."""

_LONGEST = 200
"""Characters of a line that a finding quotes."""


class Flag(NamedTuple):
    """What an output says of a check, and on which line."""

    line: int
    value: bool


class Told(NamedTuple):
    """What a step's output says of states, files and checks."""

    states: tuple[Mapping[str, str], ...]
    files: tuple[tuple[int, str, str], ...]
    """Line, file, and what is said of it."""
    flags: Mapping[str, Flag]
    """By name; of a check that is told twice, that it did not hold."""


class _Record(NamedTuple):
    """What a table of tabs says of each step, by the step's id."""

    cells: Mapping[str, list[str]]
    broken: tuple[tuple[int, str, str], ...]
    """Line, what stands there, and what is wrong with it."""


def steps(evidence: Evidence) -> Mapping[str, Step]:
    """Return the steps of the log by id; none where there is no log."""
    log = evidence.model(FILE, RehearsalLog)
    return {step.id: step for step in log.steps} if log is not None else {}


def locked_state(evidence: Evidence) -> str | None:
    """Return the state file that the first step left, which locks the target.

    None where it left none, or more than one.
    """
    log = evidence.model(FILE, RehearsalLog)
    left = set(log.steps[0].states.values()) if log is not None and log.steps else set()
    return left.pop() if len(left) == 1 else None


def told(evidence: Evidence, output: str) -> Told:
    """Return what a step's output says of states, files and checks."""
    said: Told = evidence.told("told", output, _told)
    return said


Executed: TypeAlias = Mapping[str, list[str]]
"""SQL in the order in which it ran, by step."""


def applying(evidence: Evidence) -> list[str]:
    """Return the ids of the steps that applied a change."""
    return [one.id for one in steps(evidence).values() if "after_apply" in one.states]


def executed(evidence: Evidence) -> Executed:
    """Return the statements that the action log has of the first step and of those that applied."""
    found: Executed = evidence.once("executed", actions.FILE, lambda *_: _executed(evidence))
    return found


def reads(sql: str, at: int = 0) -> bool:
    """Whether a statement that begins there reads, or begins or ends a transaction."""
    return _READS.match(sql, at) is not None


def those_that_read(statements: Iterable[str]) -> set[str]:
    """Return the statements that :func:`reads`, of which a step has the same again and again."""
    return {
        one
        for one in set(statements)
        if (_read_of_old(one) if len(one) <= _LONGEST else reads(one))
    }


def changes(statements: Iterable[str]) -> tuple[str, ...]:
    """Return what may have changed something; once what was told for each row that it gave."""
    every = list(statements)
    reading = those_that_read(every)
    return tuple([one for one, _ in groupby([one for one in every if one not in reading])])


_RAN = attrgetter("step", "sql")


_read_of_old = lru_cache(maxsize=1024)(reads)
"""Every lane asks the engine the same."""


def _executed(evidence: Evidence) -> Executed:
    wanted = {*list(steps(evidence))[:1], *applying(evidence)}
    log = actions.read(evidence)
    found: dict[str, list[str]] = {}
    for step, sql in map(_RAN, log.actions if log is not None else ()):
        # what is no text is the business of the rule over the action log
        if sql is not None and step in wanted and isinstance(sql, str):
            found.setdefault(step, []).append(sql)
    return found


_READS = re.compile(
    r"\s*(?:BEGIN|COMMIT|END|PRAGMA|RELEASE|ROLLBACK|SAVEPOINT|SELECT)\b", re.IGNORECASE
)


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
    raw: _Record = evidence.told("raw codes", RAW_CODES, _raw_codes)
    wrappers: _Record = evidence.told("wrapper codes", WRAPPER_CODES, _wrapper_codes)
    calls: tuple[re.Match[str], ...] = evidence.told("calls", COMMANDS, _calls)
    every = ", ".join([step.id for step in log.steps])
    for path, ids in (
        (RAW_CODES, list(raw.cells)),
        (WRAPPER_CODES, list(wrappers.cells)),
        (COMMANDS, [call["id"] for call in calls]),
    ):
        if ids:
            yield derived(
                path,
                ", ".join(ids),
                every,
                against=FILE,
                code="LOG_RECORD_DIFFERS",
                message="The rehearsal log has other steps.",
            )
    for path, record in ((RAW_CODES, raw), (WRAPPER_CODES, wrappers)):
        for number, stated, problem in record.broken:
            yield refused(f"{path}:{number}", stated, "LOG_RECORD_DIFFERS", problem)
    for output in dict.fromkeys(step.output for step in log.steps if step.output is not None):
        yield from _told_files(evidence, output)
    called = {call["id"]: call for call in calls}
    locked = locked_state(evidence)
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
        yield from _as_called(step, place, raw.cells.get(step.id, []), called.get(step.id))
        yield from _exit_codes(step, place, wrappers.cells.get(step.id))
        yield from _files(evidence, step, place)
        yield from _reads(evidence, step, place, locked)
        yield from _guard(evidence, step)


def _as_called(
    step: Step, place: str, recorded: list[str], call: re.Match[str] | None
) -> Iterator[Row]:
    """Hold a step's exit codes and command against the record and against ``commands.sh``."""
    codes = [int(one) if _EXIT_CODE.fullmatch(one) else None for one in recorded[:2]]
    codes += [None] * (2 - len(codes))
    command = expected = None
    if call is not None:
        expected = int(call["expected"])
        command = _called(step.command, call["command"])
    for name, stated, code, sources in (
        ("raw_exit_code", step.raw_exit_code, "LOG_EXIT_DIFFERS", ((RAW_CODES, codes[0]),)),
        (
            "expected_exit_code",
            step.expected_exit_code,
            "LOG_EXIT_DIFFERS",
            ((RAW_CODES, codes[1]), (COMMANDS, expected)),
        ),
        (
            "command",
            step.command,
            "LOG_COMMAND_DIFFERS",
            ((RAW_CODES, recorded[2] if len(recorded) > 2 else None), (COMMANDS, command)),
        ),
    ):
        where, held = f"{place}/{name}", False
        for path, value in sources:
            if value is not None:
                held = True
                message = f"{path} has another one for the step."
                yield derived(where, stated, value, against=path, code=code, message=message)
        if not held:
            yield claimed(where, stated)


def _called(command: str, words: str) -> str:
    """Return the command if it is a call's words, with or without the program that runs them."""
    called = " ".join(words.split())
    program = command.removesuffix(called)
    fits = not program or re.fullmatch(r"\S+(?: -\S+)* ", program)
    return command if command.endswith(called) and fits else called


def _exit_codes(step: Step, place: str, wrapper: list[str] | None) -> Iterator[Row]:
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
    said = told(evidence, step.output).states if step.output is not None else ()
    if said and step.output is not None:
        yield derived(
            f"{step.output}#states",
            ", ".join(sorted(line["label"] for line in said)),
            ", ".join(sorted(step.states)),
            against=f"{place}/states",
            code="LOG_OUTPUT_DIFFERS",
            message="The step's output tells of other states than the log.",
        )
    for label, count in step.rows.items():
        if label not in step.states:
            yield claimed(f"{place}/rows/{label}", count)
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
    for line in said:
        named = step.states.get(line["label"])
        if named is not None:
            for word, found in (
                ("file", named),
                ("rows", evidence.rows(named)),
                ("sha256", evidence.digest(named)),
            ):
                yield derived(
                    f"{step.output}#{line['label']} {word}",
                    line[word],
                    None if found is None else str(found),
                    against=named,
                    code="LOG_OUTPUT_DIFFERS",
                    message="The step's output says something else than the state file gives.",
                )


def _told_files(evidence: Evidence, output: str) -> Iterator[Row]:
    """Hold what an output says of a file against the file, which did not change."""
    for number, path, said in told(evidence, output).files:
        if evidence.has(path):
            yield derived(
                f"{output}:{number}",
                said,
                f"unchanged {evidence.digest(path)}",
                against=path,
                code="LOG_OUTPUT_DIFFERS",
                message="The step's output says something else than the file gives.",
            )


def _reads(evidence: Evidence, step: Step, place: str, locked: str | None) -> Iterator[Row]:
    """Hold what a step only read against the locked state, or its reads against the first."""
    reads = {label: path for label, path in step.states.items() if label.startswith(_READ)}
    if not reads:
        return
    wanted_path = locked if locked is not None else next(iter(reads.values()))
    wanted = evidence.digest(wanted_path)
    found = {label: evidence.digest(path) for label, path in reads.items()}
    for label, digest in found.items():
        if digest is not None and wanted is not None and reads[label] != wanted_path:
            yield derived(
                f"{place}/states/{label}",
                str(digest),
                str(wanted),
                against=wanted_path,
                code="LOG_READS_DIFFER",
                message="The read gave another state.",
            )
    flag = told(evidence, step.output).flags.get("identical") if step.output is not None else None
    if flag is not None:
        known = wanted is not None and None not in found.values()
        yield derived(
            f"{step.output}:{flag.line}",
            flag.value,
            set(found.values()) == {wanted} if known else None,
            against=wanted_path,
            code="LOG_OUTPUT_DIFFERS",
            message="The states of the reads say something else.",
        )


def _guard(evidence: Evidence, step: Step) -> Iterator[Row]:
    """Look whether the control of the guard was refused what it tried, and did nothing else."""
    if step.output is None or not step.command.endswith(_GUARD_CONTROL):
        return
    if evidence.content(step.output) is None:
        return
    lines = evidence.lines(step.output)
    for line in lines:
        if not line.startswith(_REFUSALS):
            message = "The control of the guard says something else than what was refused."
            yield refused(step.output, line[:_LONGEST], "LOG_OUTPUT_DIFFERS", message, "refused")
    for wanted in _REFUSALS:
        if not any(line.startswith(wanted) for line in lines):
            message = "The guard did not refuse what its control tries."
            yield refused(step.output, "absent", "LOG_OUTPUT_DIFFERS", message, wanted.strip())


def _present(evidence: Evidence, where: str, path: str) -> Row:
    if evidence.has(path):
        return derived(where, path, path, against=path, code="LOG_FILE_MISSING", message="")
    return refused(where, path, "LOG_FILE_MISSING", "The file is not in the packet.", "a file")


def _told(content: bytes) -> Told:
    states: list[Mapping[str, str]] = []
    files: list[tuple[int, str, str]] = []
    flags: dict[str, Flag] = {}
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        # a word that the form has to have is found in a fraction of the time
        if line.startswith("state ") and (match := _STATE_LINE.fullmatch(line)):
            states.append(match.groupdict())
        elif ("unchanged" in line or "CHANGED" in line) and (match := _FILE_LINE.fullmatch(line)):
            files.append((number, match["file"], match["said"]))
        elif line.endswith(("true", "false")) and (match := _FLAG_LINE.fullmatch(line)):
            flag = Flag(number, match["value"] == "true")
            if not flag.value or match["name"] not in flags:
                flags[match["name"]] = flag
    return Told(tuple(states), tuple(files), flags)


def _calls(content: bytes) -> tuple[re.Match[str], ...]:
    """Return the steps that a script calls; none where one of them is more than plain words."""
    lines = content.decode("utf-8", "replace").splitlines()
    calls = [_PLAIN_CALL.fullmatch(line.rstrip()) for line in lines if _CALL.match(line)]
    plain = tuple(call for call in calls if call is not None)
    return plain if len(plain) == len(calls) else ()


def _raw_codes(content: bytes) -> _Record:
    return _recorded(content, 2)


def _wrapper_codes(content: bytes) -> _Record:
    return _recorded(content, 1)


def _recorded(content: bytes, codes: int) -> _Record:
    """Read a table of tabs, with or without a header: a step's id, then that many exit codes."""
    cells: dict[str, list[str]] = {}
    broken: list[tuple[int, str, str]] = []
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        step, *others = line.split("\t")
        if not others or (number == 1 and not _STEP_ID.fullmatch(step)):
            continue
        if step in cells:
            broken.append((number, step, "The step is recorded twice."))
        broken += [
            (number, one, "The exit code cannot be read.")
            for one in others[:codes]
            if not _EXIT_CODE.fullmatch(one)
        ]
        cells[step] = others
    return _Record(cells, tuple(broken))


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

_SAMPLE_LINES: Mapping[str, tuple[str, ...]] = {
    "rehearse.py lock": ("folder_was_empty true\n", "one_database_attached true\n"),
    "rehearse.py guard-control": (
        "refused: write outside the clone folder and the packet\n",
        "refused: socket.__new__\n",
    ),
    "rehearse.py read-twice": ("identical true\n",),
}


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
        lines += _SAMPLE_LINES.get(command, ())
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
        "LOG_READS_DIFFER": lambda: samples.changed_together(
            {
                FILE: {
                    ("steps", 2, "states", "read_2"): "states/other.sql",
                    ("steps", 2, "rows", "read_2"): 4,
                }
            },
            {"outputs/RX-2.txt": b"identical false\n"},
        ),
    },
)
