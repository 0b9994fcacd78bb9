"""``hardened-validator-result.json``: the validator did what it says, on this proof (spec 2.2).

Whether a run passed is what its exit code says; a control passes by failing with exactly its code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import NamedTuple

import msgspec

from generator.evidence import rehearsal_log, rollback_proof, samples
from generator.evidence.base import (
    Evidence,
    EvidenceKind,
    EvidenceModel,
    Part,
    claimed,
    derived,
    file_rows,
    refused,
)
from generator.evidence.rehearsal_log import Step
from generator.ledger import Row
from generator.names import visible
from generator.rules.base import Code

FILE = "hardened-validator-result.json"
PASS = "PASS"  # noqa: S105 - a verdict
FAIL = "FAIL"
PLAN = "plan.json"
"""What a rehearsal was to do; it names the validator and its pin."""

_WORD = re.compile(r"[\w-]+")
_CODE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")


class SelfTest(Part, frozen=True, rename={"passed": "pass"}):
    """The validator's run over its own samples."""

    passed: bool
    step: str | None = None


class LaneProof(Part, frozen=True, rename={"passed": "pass"}):
    """The validator's run over the lane's rollback proof."""

    passed: bool
    step: str | None = None
    proof: str | None = None
    codes: tuple[str, ...] = ()


class Control(Part, frozen=True):
    """A damaged proof: the code that it must be answered by, and those that it was."""

    expected_code: str
    answered_codes: list[str]
    fails_closed: bool
    step: str | None = None


class ValidatorResult(EvidenceModel, frozen=True):
    """What the hardened validator answered."""

    overall: str
    validator: str | None = None
    validator_sha256: str | None = None
    pinned_sha256: str | None = None
    validator_is_byte_exact: bool | None = None
    selftest: SelfTest | None = None
    lane_proof: LaneProof | None = None
    control_count: int | None = None
    negative_controls: tuple[Control, ...] = ()
    lane_control: Control | None = None


class _Planned(msgspec.Struct, frozen=True):
    file: str
    sha256: str


class _Plan(msgspec.Struct, frozen=True):
    """What a plan says of the validator; all else in it is the rehearsal's."""

    validator: _Planned


_TODO = "Run the validator again, unchanged, and keep what it answers."
CODES = {
    "VALIDATOR_DIFFERS": Code(
        "The validator in the packet, of the plan or in the steps' commands is not the one that"
        " the result names.",
        "Another program gave the verdict.",
        _TODO,
    ),
    "VALIDATOR_PIN_DIFFERS": Code(
        "The result states another pinned digest than the validator's, or than the plan's.",
        "The validator that ran is not the approved one.",
        _TODO,
    ),
    "VALIDATOR_FLAG_WRONG": Code(
        "The flag validator_is_byte_exact does not say what the digests say.",
        "Whoever reads only the flag trusts another program.",
        _TODO,
    ),
    "VALIDATOR_SELFTEST": Code(
        "The result says something else of the selftest than its exit code.",
        "A validator that fails its selftest proves nothing.",
        _TODO,
    ),
    "VALIDATOR_PROOF": Code(
        "The result says something else of the lane's proof than the validator's exit code, or it"
        " names another proof.",
        "The proof was judged otherwise than stated.",
        _TODO,
    ),
    "VALIDATOR_CONTROL": Code(
        "A negative control is said to fail closed and was not answered by exactly its code, or"
        " the other way round; or its step put another one.",
        "A control that is caught for another reason proves nothing.",
        _TODO,
    ),
    "VALIDATOR_COUNT_WRONG": Code(
        "The result states another number of controls than it lists.",
        "A control came or went after the run.",
        _TODO,
    ),
    "VALIDATOR_STEP": Code(
        "The result names a step that no rehearsal log has.",
        "Nobody can say how that run ended.",
        _TODO,
    ),
    "VALIDATOR_OUTPUT": Code(
        "The result states other answers than the validator printed.",
        "It was rewritten after the run.",
        _TODO,
    ),
    "VALIDATOR_OVERALL": Code(
        "The overall verdict does not say what its parts say.",
        "Whoever reads only the verdict decides on something else.",
        _TODO,
    ),
    "VALIDATOR_FAILED": Code(
        "A run of the validator did not pass.",
        "The proof is not held by the validator that the lane names.",
        "Find out why in its output, mend that, and rehearse again.",
    ),
}


class _Judged(NamedTuple):
    """One part of the verdict: what the result says of it, and what other bytes give."""

    pointer: str
    passed: bool
    computed: bool | None
    """None where nothing else gives it."""


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive every verdict of the validator from digests, exit codes and answers."""
    result = evidence.model(FILE, ValidatorResult)
    if result is None:
        return
    steps = rehearsal_log.steps(evidence)
    yield from _bytes(evidence, result, steps)
    parts: list[_Judged] = []
    if result.selftest is not None:
        test = result.selftest
        parts.append(_run("selftest", test, steps))
        yield from _step(evidence, "selftest", test.step, steps)
        yield _passed(parts[-1], "VALIDATOR_SELFTEST")
    if result.lane_proof is not None:
        parts.append(_run("lane_proof", result.lane_proof, steps))
        yield from _step(evidence, "lane_proof", result.lane_proof.step, steps)
        yield _passed(parts[-1], "VALIDATOR_PROOF")
        yield from _lane_proof(evidence, result.lane_proof, steps)
    if result.control_count is not None:
        yield derived(
            f"{FILE}#/control_count",
            result.control_count,
            len(result.negative_controls),
            against=f"{FILE}#/negative_controls",
            code="VALIDATOR_COUNT_WRONG",
            message="The result lists another number of controls.",
        )
    printed = yield from _printed(evidence, steps, result)
    for index, control in enumerate(result.negative_controls):
        parts.append(_closed(control, f"negative_controls/{index}", known=printed))
        yield _fails_closed(parts[-1])
    if result.lane_control is not None:
        control = result.lane_control
        yield from _step(evidence, "lane_control", control.step, steps)
        known = yield from _lane_control(evidence, control, steps)
        parts.append(_closed(control, "lane_control", known=known))
        yield _fails_closed(parts[-1])
    for part in parts:
        # what is said to have failed and did not, has its own finding
        if not part.passed and not part.computed:
            where = f"{FILE}#/{part.pointer}"
            yield refused(where, False, "VALIDATOR_FAILED", "A run did not pass.", True)
    yield _overall(evidence, result, parts)


def _bytes(evidence: Evidence, result: ValidatorResult, steps: Mapping[str, Step]) -> Iterator[Row]:
    if result.validator is not None:
        yield from _names(evidence, result, result.validator, steps)
    if result.validator_sha256 is not None:
        yield file_rows(
            evidence,
            f"{FILE}#/validator_sha256",
            result.validator or "",
            result.validator_sha256,
            code="VALIDATOR_DIFFERS",
            message="The validator in the packet has another digest.",
        )
    planned = evidence.once("validator", PLAN, _planned)
    if result.pinned_sha256 is not None:
        pins = [(f"{FILE}#/validator_sha256", result.validator_sha256)]
        if planned is not None:
            pins.append((f"{PLAN}#/validator/sha256", planned[1]))
        for against, digest in pins:
            yield derived(
                f"{FILE}#/pinned_sha256",
                result.pinned_sha256,
                digest,
                against=against,
                code="VALIDATOR_PIN_DIFFERS",
                message="The validator that ran, or was planned, has another digest.",
            )
    if result.validator_is_byte_exact is not None:
        known = None not in (result.pinned_sha256, result.validator_sha256)
        yield derived(
            f"{FILE}#/validator_is_byte_exact",
            result.validator_is_byte_exact,
            (result.pinned_sha256 == result.validator_sha256) if known else None,
            against=f"{FILE}#/pinned_sha256",
            code="VALIDATOR_FLAG_WRONG",
            message="The flag does not say what the digests say.",
        )


def _names(
    evidence: Evidence, result: ValidatorResult, validator: str, steps: Mapping[str, Step]
) -> Iterator[Row]:
    """Hold the validator's name against the plan and the commands of the steps that it ran in."""
    planned = evidence.once("validator", PLAN, _planned)
    if planned is not None:
        yield derived(
            f"{FILE}#/validator",
            validator,
            planned[0],
            against=f"{PLAN}#/validator/file",
            code="VALIDATOR_DIFFERS",
            message="Another validator was planned.",
        )
        if not evidence.has(planned[0]):
            yield refused(
                f"{PLAN}#/validator/file",
                planned[0],
                "VALIDATOR_DIFFERS",
                "The file is not in the packet.",
                "a file",
            )
    for part in (result.selftest, result.lane_proof, result.lane_control):
        step = steps.get(part.step or "") if part is not None else None
        if step is None:
            continue
        words = step.command.split()
        ran = [word for word in words if evidence.has(word)]
        named = _last(validator) in map(_last, words)
        if named or ran:
            yield derived(
                f"{FILE}#/validator",
                validator,
                validator if named else ran[0],
                against=f"{rehearsal_log.FILE}#/steps",
                code="VALIDATOR_DIFFERS",
                message=f"The command of {visible(step.id)} does not name it.",
            )


def _last(path: str) -> str:
    return path[path.rfind("/") + 1 :]


def _planned(_path: str, content: bytes | None) -> tuple[str, str] | None:
    """Return file and digest of the validator that a plan names; none without such a plan."""
    try:
        planned = msgspec.json.decode(content or b"", type=_Plan).validator
    except (msgspec.DecodeError, RecursionError):
        return None
    return planned.file, planned.sha256


def _step(
    evidence: Evidence, name: str, step: str | None, steps: Mapping[str, Step]
) -> Iterator[Row]:
    """Look for a step that the result names; a log that cannot be read has its own finding."""
    readable = bool(steps) or not evidence.has(rehearsal_log.FILE)
    if step is not None and readable and step not in steps:
        yield refused(
            f"{FILE}#/{name}/step", step, "VALIDATOR_STEP", "The rehearsal log has no such step."
        )


def _run(name: str, run: SelfTest | LaneProof, steps: Mapping[str, Step]) -> _Judged:
    ended = steps.get(run.step or "")
    passed = ended.raw_exit_code == 0 if ended is not None else None
    return _Judged(f"{name}/pass", run.passed, passed)


def _passed(run: _Judged, code: str) -> Row:
    return derived(
        f"{FILE}#/{run.pointer}",
        run.passed,
        run.computed,
        against=f"{rehearsal_log.FILE}#/steps",
        code=code,
        message="The step's exit code says something else.",
    )


def _lane_proof(evidence: Evidence, proof: LaneProof, steps: Mapping[str, Step]) -> Iterator[Row]:
    """Hold the proof's name and the answers to it against what ran, and what it printed."""
    step = steps.get(proof.step or "")
    if proof.proof is not None:
        where = f"{FILE}#/lane_proof/proof"
        there = evidence.has(rollback_proof.FILE)
        if proof.proof != rollback_proof.FILE or not there:
            message = "The packet's rollback proof is another file, or not there."
            yield refused(where, proof.proof, "VALIDATOR_PROOF", message, rollback_proof.FILE)
        else:
            yield derived(
                where,
                proof.proof,
                proof.proof if step is not None and proof.proof in step.command.split() else None,
                against=f"{rehearsal_log.FILE}#/steps",
                code="VALIDATOR_PROOF",
                message="",
            )
    answers = _answers(evidence, step)
    yield derived(
        f"{FILE}#/lane_proof/codes",
        ", ".join(sorted(set(proof.codes))),
        ", ".join(answers) if answers is not None else "" if proof.passed else None,
        against=(step.output if step is not None else None) or f"{FILE}#/lane_proof/pass",
        code="VALIDATOR_OUTPUT" if answers is not None else "VALIDATOR_PROOF",
        message="The validator printed other answers."
        if answers is not None
        else "A proof that passes is answered by no code.",
    )


def _answers(evidence: Evidence, step: Step | None) -> list[str] | None:
    """Return the codes that the validator printed, each behind what it is of; none if unknown.

    A line of two words may say something else, such as ``checking proof``.
    """
    if step is None or step.output is None or evidence.content(step.output) is None:
        return None
    found: list[str] = evidence.once("codes", step.output, _codes)
    return found


def _codes(_path: str, content: bytes | None) -> list[str]:
    lines = map(str.split, (content or b"").decode("utf-8", "replace").splitlines())
    return sorted({words[1] for words in lines if len(words) == 2 and _CODE.fullmatch(words[1])})


def _closed(control: Control, name: str, *, known: bool) -> _Judged:
    """Judge a control; answers that nothing confirms can refute it and not confirm it."""
    exact = control.answered_codes == [control.expected_code]
    refuted = control.fails_closed != exact
    computed = exact if known or refuted else None
    return _Judged(f"{name}/fails_closed", control.fails_closed, computed)


def _fails_closed(control: _Judged) -> Row:
    where = f"{FILE}#/{control.pointer}"
    return derived(
        where,
        control.passed,
        control.computed,
        against=where.replace("fails_closed", "answered_codes"),
        code="VALIDATOR_CONTROL",
        message="Exactly the expected code has to be the answer.",
    )


def _lane_control(
    evidence: Evidence, control: Control, steps: Mapping[str, Step]
) -> Generator[Row, None, bool]:
    """Yield what a step says that is a control over the lane's own proof; return whether any does.

    Its exit code and its output are known, and the command names the code.
    """
    where = f"{FILE}#/lane_control"
    step = steps.get(control.step or "")
    answers = _answers(evidence, step)
    if step is None:
        return False
    if control.fails_closed and step.raw_exit_code == 0:
        yield refused(
            f"{where}/fails_closed",
            True,
            "VALIDATOR_CONTROL",
            "The step ended with exit code 0.",
            False,
        )
    wanted = [word for word in step.command.split() if _CODE.fullmatch(word)]
    if wanted:
        yield derived(
            f"{where}/expected_code",
            control.expected_code,
            control.expected_code if control.expected_code in wanted else wanted[0],
            against=f"{rehearsal_log.FILE}#/steps",
            code="VALIDATOR_CONTROL",
            message="The step's command names another code.",
        )
    yield derived(
        f"{where}/answered_codes",
        ", ".join(sorted(set(control.answered_codes))),
        ", ".join(answers) if answers is not None else None,
        against=step.output or "",
        code="VALIDATOR_OUTPUT",
        message="The validator printed other answers.",
    )
    return answers is not None


def _printed(
    evidence: Evidence, steps: Mapping[str, Step], result: ValidatorResult
) -> Generator[Row, None, bool]:
    """Yield what the selftest printed of the controls; return whether it did."""
    step = steps.get((result.selftest.step or "") if result.selftest is not None else "")
    output = step.output if step is not None else None
    if result.selftest is None or output is None or evidence.content(output) is None:
        return False
    lines = [line.split() for line in evidence.lines(output)]
    said = {words[1]: words[3:] for words in lines if words[:1] == ["control"] and len(words) > 2}
    silent = [words[2:] == ["no", "code"] for words in lines if words[:2] == ["good", "proof:"]]
    if result.selftest.passed and (said or silent):
        yield derived(
            f"{FILE}#/selftest/pass",
            True,
            all(silent) and all(answers == [code] for code, answers in said.items()),
            against=output,
            code="VALIDATOR_OUTPUT",
            message="The selftest printed that it did not pass.",
        )
    if not said:
        listed = [control.expected_code for control in result.negative_controls]
        named = {word for line in evidence.lines(output) for word in _WORD.findall(line)}
        if listed and named.isdisjoint(listed):
            yield refused(
                f"{FILE}#/negative_controls",
                len(listed),
                "VALIDATOR_OUTPUT",
                "The selftest printed none of them.",
                "none",
            )
        return False
    for index, control in enumerate(result.negative_controls):
        answers = said.pop(control.expected_code, None)
        yield derived(
            f"{FILE}#/negative_controls/{index}/answered_codes",
            ", ".join(control.answered_codes),
            ", ".join(answers) if answers is not None else "nothing",
            against=output,
            code="VALIDATOR_OUTPUT",
            message="The selftest printed another answer.",
        )
    for code in said:
        yield refused(
            f"{FILE}#/negative_controls",
            "absent",
            "VALIDATOR_OUTPUT",
            "The selftest printed one more control.",
            code,
        )
    return True


def _overall(evidence: Evidence, result: ValidatorResult, parts: list[_Judged]) -> Row:
    """Judge the verdict, which is only claimed where a part is that it would need."""
    where = f"{FILE}#/overall"
    failed = [part for part in parts if not part.passed]
    needs = (result.selftest, result.lane_proof, result.negative_controls)
    exact = (
        result.validator_sha256 is not None
        and result.pinned_sha256 == result.validator_sha256
        and evidence.digest(result.validator or "") == result.validator_sha256
    )
    computed = None
    if failed:
        # a part that failed refutes PASS, even where nothing else gives it
        known = result.overall == PASS or any(part.computed is False for part in failed)
        computed = FAIL if known else None
    elif exact and all(needs) and all(part.computed is not None for part in parts):
        computed = PASS
    if result.overall not in (PASS, FAIL):
        # such as PASS_VALIDATOR_READY_REHEARSAL_NOT_APPLIED, which is no pass
        return claimed(where, result.overall)
    return derived(
        where,
        result.overall,
        computed,
        against=FILE,
        code="VALIDATOR_OVERALL",
        message="The parts say something else.",
    )


_SELFTEST_OUTPUT = b"good proof: no code\ncontrol ROLLBACK_NO_ENTRY answered ROLLBACK_NO_ENTRY\n"
_CONTROL_OUTPUT = b"RB-SQL-TXN ROLLBACK_APPLY_DID_NOT_MUTATE\n"


def sample_outputs() -> dict[str, bytes]:
    """Return what the validator printed in the sample."""
    return {"outputs/RX-7.txt": _SELFTEST_OUTPUT, "outputs/RX-9.txt": _CONTROL_OUTPUT}


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    digest = samples.state("rollback_check.py")
    return {
        "lane": "sample",
        "validator": "rollback_check.py",
        "validator_sha256": digest,
        "pinned_sha256": digest,
        "validator_is_byte_exact": True,
        "selftest": {"step": "RX-7", "pass": True},
        "lane_proof": {
            "step": "RX-8",
            "proof": "rollback-recovery-proof.json",
            "pass": True,
            "codes": [],
        },
        "control_count": 1,
        "negative_controls": [
            {
                "expected_code": "ROLLBACK_NO_ENTRY",
                "answered_codes": ["ROLLBACK_NO_ENTRY"],
                "fails_closed": True,
            }
        ],
        "lane_control": {
            "step": "RX-9",
            "expected_code": "ROLLBACK_APPLY_DID_NOT_MUTATE",
            "answered_codes": ["ROLLBACK_APPLY_DID_NOT_MUTATE"],
            "fails_closed": True,
        },
        "overall": PASS,
    }


def _damaged(*steps: str | int, to: object) -> Callable[[], Evidence]:
    return lambda: samples.changed(FILE, {steps: to})


KIND = EvidenceKind(
    file=FILE,
    title="Hardened validator",
    about="the approved validator passed its selftest, passed the proof and failed each control",
    model=ValidatorResult,
    codes=CODES,
    rows=rows,
    controls={
        "VALIDATOR_DIFFERS": lambda: samples.changed(
            FILE,
            {
                ("validator_sha256",): samples.state("change.sql"),
                ("pinned_sha256",): samples.state("change.sql"),
            },
        ),
        "VALIDATOR_PIN_DIFFERS": lambda: samples.changed(
            FILE,
            {
                ("pinned_sha256",): samples.state("change.sql"),
                ("validator_is_byte_exact",): False,
            },
        ),
        "VALIDATOR_FLAG_WRONG": _damaged("validator_is_byte_exact", to=False),
        "VALIDATOR_SELFTEST": lambda: samples.changed(
            FILE, {("selftest", "pass"): False, ("overall",): "NOT_STATED"}
        ),
        "VALIDATOR_PROOF": _damaged("lane_proof", "proof", to="change.sql"),
        "VALIDATOR_CONTROL": lambda: samples.changed(
            FILE,
            {("negative_controls", 0, "fails_closed"): False, ("overall",): "NOT_STATED"},
        ),
        "VALIDATOR_COUNT_WRONG": _damaged("control_count", to=2),
        "VALIDATOR_STEP": _damaged("lane_proof", "step", to="RX-99"),
        "VALIDATOR_OUTPUT": lambda: samples.evidence(
            {"outputs/RX-9.txt": b"RB-SQL-TXN ROLLBACK_NOT_RESTORED\n"}
        ),
        "VALIDATOR_OVERALL": _damaged("overall", to=FAIL),
        "VALIDATOR_FAILED": lambda: samples.evidence_of(
            FILE,
            {
                "lane": "sample",
                "selftest": {"pass": False},
                "overall": FAIL,
            },
        ),
    },
)
