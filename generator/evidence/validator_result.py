"""``hardened-validator-result.json``: the validator did what it says, on this proof (spec 2.2).

Whether a run passed is what its exit code says; a control passes by failing with exactly its code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from generator.evidence import rehearsal_log, samples
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
from generator.rules.base import Code

FILE = "hardened-validator-result.json"
PASS = "PASS"  # noqa: S105 - a verdict
FAIL = "FAIL"


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


_TODO = "Run the validator again, unchanged, and keep what it answers."
CODES = {
    "VALIDATOR_DIFFERS": Code(
        "The validator in the packet is not the one that the result names.",
        "Another program gave the verdict.",
        _TODO,
    ),
    "VALIDATOR_PIN_DIFFERS": Code(
        "The result states another pinned digest than the validator's.",
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
        "The result says something else of the lane's proof than the validator's exit code.",
        "The proof was judged otherwise than stated.",
        _TODO,
    ),
    "VALIDATOR_CONTROL": Code(
        "A negative control is said to fail closed and was not answered by exactly its code, or"
        " the other way round.",
        "A control that is caught for another reason proves nothing.",
        _TODO,
    ),
    "VALIDATOR_COUNT_WRONG": Code(
        "The result states another number of controls than it lists.",
        "A control came or went after the run.",
        _TODO,
    ),
    "VALIDATOR_STEP": Code(
        "The result names a step that the rehearsal log does not have.",
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


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive every verdict of the validator from digests, exit codes and answers."""
    result = evidence.model(FILE, ValidatorResult)
    if result is None:
        return
    yield from _bytes(evidence, result)
    steps = rehearsal_log.steps(evidence)
    parts: list[bool] = []
    if result.selftest is not None:
        step = steps.get(result.selftest.step or "")
        yield from _run(
            "selftest", result.selftest.passed, result.selftest.step, steps, "VALIDATOR_SELFTEST"
        )
        yield from _printed(evidence, step, result)
        parts.append(result.selftest.passed)
    if result.lane_proof is not None:
        yield from _run(
            "lane_proof",
            result.lane_proof.passed,
            result.lane_proof.step,
            steps,
            "VALIDATOR_PROOF",
        )
        yield derived(
            f"{FILE}#/lane_proof/codes",
            ", ".join(result.lane_proof.codes),
            "" if result.lane_proof.passed else None,
            against=f"{FILE}#/lane_proof/pass",
            code="VALIDATOR_PROOF",
            message="A proof that passes is answered by no code.",
        )
        parts.append(result.lane_proof.passed)
    if result.control_count is not None:
        yield derived(
            f"{FILE}#/control_count",
            result.control_count,
            len(result.negative_controls),
            against=f"{FILE}#/negative_controls",
            code="VALIDATOR_COUNT_WRONG",
            message="The result lists another number of controls.",
        )
    for index, control in enumerate(result.negative_controls):
        yield from _control(control, f"negative_controls/{index}")
        parts.append(control.fails_closed)
    if result.lane_control is not None:
        yield from _control(result.lane_control, "lane_control")
        yield from _lane_control(evidence, result.lane_control, steps)
        parts.append(result.lane_control.fails_closed)
    yield from _overall(result, parts)


def _bytes(evidence: Evidence, result: ValidatorResult) -> Iterator[Row]:
    if result.validator_sha256 is not None:
        yield file_rows(
            evidence,
            f"{FILE}#/validator_sha256",
            result.validator or "",
            result.validator_sha256,
            code="VALIDATOR_DIFFERS",
            message="The validator in the packet has another digest.",
        )
    if result.pinned_sha256 is not None:
        yield derived(
            f"{FILE}#/pinned_sha256",
            result.pinned_sha256,
            result.validator_sha256,
            against=f"{FILE}#/validator_sha256",
            code="VALIDATOR_PIN_DIFFERS",
            message="The validator that ran has another digest.",
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


def _run(
    name: str, passed: bool, step: str | None, steps: Mapping[str, Step], code: str
) -> Iterator[Row]:
    if step is not None and steps and step not in steps:
        yield refused(
            f"{FILE}#/{name}/step", step, "VALIDATOR_STEP", "The rehearsal log has no such step."
        )
    ended = steps.get(step or "")
    yield derived(
        f"{FILE}#/{name}/pass",
        passed,
        ended.raw_exit_code == 0 if ended is not None else None,
        against=f"{rehearsal_log.FILE}#/steps",
        code=code,
        message="The step's exit code says something else.",
    )


def _control(control: Control, name: str) -> Iterator[Row]:
    yield derived(
        f"{FILE}#/{name}/fails_closed",
        control.fails_closed,
        control.answered_codes == [control.expected_code],
        against=f"{FILE}#/{name}/answered_codes",
        code="VALIDATOR_CONTROL",
        message="Exactly the expected code has to be the answer.",
    )


def _lane_control(evidence: Evidence, control: Control, steps: Mapping[str, Step]) -> Iterator[Row]:
    """A control over the lane's own proof is a step, whose exit code and output are known."""
    where = f"{FILE}#/lane_control"
    if control.step is not None and steps and control.step not in steps:
        yield refused(
            f"{where}/step", control.step, "VALIDATOR_STEP", "The rehearsal log has no such step."
        )
    ended = steps.get(control.step or "")
    if ended is None:
        return
    if control.fails_closed and ended.raw_exit_code == 0:
        yield refused(
            f"{where}/fails_closed",
            True,
            "VALIDATOR_CONTROL",
            "The step ended with exit code 0.",
            False,
        )
    printed = evidence.lines(ended.output) if ended.output is not None else []
    if printed:
        answered = sorted({words[1] for words in map(str.split, printed) if len(words) == 2})
        yield derived(
            f"{where}/answered_codes",
            ", ".join(control.answered_codes),
            ", ".join(answered),
            against=ended.output or "",
            code="VALIDATOR_OUTPUT",
            message="The validator printed other answers.",
        )


def _printed(evidence: Evidence, step: Step | None, result: ValidatorResult) -> Iterator[Row]:
    """Hold the controls against what the selftest printed of them."""
    printed = evidence.lines(step.output) if step is not None and step.output else []
    lines = [line.split() for line in printed]
    said = {words[1]: words[3:] for words in lines if words[:1] == ["control"] and len(words) > 2}
    if not said or step is None:
        return
    for index, control in enumerate(result.negative_controls):
        answers = said.pop(control.expected_code, None)
        yield derived(
            f"{FILE}#/negative_controls/{index}/answered_codes",
            ", ".join(control.answered_codes),
            ", ".join(answers) if answers is not None else "nothing",
            against=step.output or "",
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


def _overall(result: ValidatorResult, parts: list[bool]) -> Iterator[Row]:
    whole = {PASS: True, FAIL: False}.get(result.overall)
    if whole is None or not parts:
        # such as PASS_VALIDATOR_READY_REHEARSAL_NOT_APPLIED, which is no pass
        yield claimed(f"{FILE}#/overall", result.overall)
        return
    yield derived(
        f"{FILE}#/overall",
        result.overall,
        PASS if all(parts) else FAIL,
        against=FILE,
        code="VALIDATOR_OVERALL",
        message="The parts say something else.",
    )
    if not all(parts) and not whole:
        yield refused(f"{FILE}#/overall", FAIL, "VALIDATOR_FAILED", "A run did not pass.", PASS)


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
        "VALIDATOR_SELFTEST": lambda: samples.changed(FILE, {("selftest", "step"): "RX-1"}),
        "VALIDATOR_PROOF": _damaged("lane_proof", "codes", to=["ROLLBACK_NO_ENTRY"]),
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
