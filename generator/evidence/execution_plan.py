"""``execution-plan.json``: the steps in order, and the forbidden row that nobody attempted.

The plan's own steps S0..Sn tell which steps of the rehearsal log carried them out. Whether the
forbidden row was attempted is read from the action log and from the commands of the rehearsal log.
"""

from __future__ import annotations

import re
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
from generator.evidence.tallies import counted, filled, word
from generator.ledger import Row
from generator.rules.base import Code

FILE = "execution-plan.json"
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")


class Step(Part, frozen=True):
    """One step, and the steps of the rehearsal that carried it out."""

    id: str
    step: str
    rehearsal_steps: tuple[str, ...] = ()


class Forbidden(Part, frozen=True):
    """The row of the plan that must not be attempted."""

    attempted: bool
    surfaces: tuple[str, ...] = ()
    """By the names of the action log."""
    actions: tuple[str, ...] = ()
    """As words of the action log or of a command, such as ``cutover``."""


class ExecutionPlan(EvidenceModel, frozen=True):
    """Every step, and the forbidden row."""

    steps: list[Step]
    forbidden: Forbidden
    step_count: int | None = None


_TODO = "Plan the steps before they run, and run them as they were planned."
CODES = {
    "PLAN_NONE": Code("An execution plan has no step.", "Nothing was planned.", _TODO),
    "PLAN_COUNT_WRONG": Code(
        "An execution plan states another number of steps than it has.",
        "A step came or went after the plan was made.",
        "Count the steps again.",
    ),
    "PLAN_STEP_GAP": Code(
        "The steps of a plan are not numbered from S0 on, one after the other.",
        "A step is missing, stands twice or was moved.",
        _TODO,
    ),
    "PLAN_UNFILLED": Code(
        "A step of a plan does not say what it is.", "Nobody can tell whether it was done.", _TODO
    ),
    "PLAN_ORDER": Code(
        "The rehearsal log has other steps than the plan, or has them in another order.",
        "Something ran that was not planned, or was planned and did not run.",
        _TODO,
    ),
    "PLAN_FORBIDDEN_NONE": Code(
        "The forbidden row of a plan names nothing.",
        "That nothing was attempted says nothing.",
        "Name the surfaces and the actions that are forbidden.",
    ),
    "PLAN_FORBIDDEN_ATTEMPTED": Code(
        "Something in the forbidden row of a plan was attempted.",
        "The lane did what it was not allowed to do, whatever its plan says.",
        "Find out what was done, and tell the owners before anything else.",
    ),
    "PLAN_FLAG_WRONG": Code(
        "The flag attempted does not say what the logs say.",
        "Whoever reads only the flag decides on something else.",
        "Find out which of the two was rewritten.",
    ),
}


def rows(evidence: Evidence) -> Iterator[Row]:
    """Hold the plan against the rehearsal log and the action log."""
    plan = evidence.model(FILE, ExecutionPlan)
    if plan is None:
        return
    if not plan.steps:
        yield refused(f"{FILE}#/steps", "none", "PLAN_NONE", "No step.", "a step")
    yield from counted(
        f"{FILE}#/step_count",
        plan.step_count,
        len(plan.steps),
        against=f"{FILE}#/steps",
        code="PLAN_COUNT_WRONG",
    )
    for index, step in enumerate(plan.steps):
        yield derived(
            f"{FILE}#/steps/{index}/id",
            step.id,
            f"S{index}",
            against=f"{FILE}#/steps",
            code="PLAN_STEP_GAP",
            message="The steps are not numbered one after the other.",
        )
        yield from filled(f"{FILE}#/steps/{index}/step", step.step, "PLAN_UNFILLED")
    planned = [one for step in plan.steps for one in step.rehearsal_steps]
    if planned:
        ran = list(rehearsal_log.steps(evidence))
        # a log with a gap has its own finding, and nothing to compare with
        sound = ran == [f"RX-{number}" for number in range(len(ran))]
        yield derived(
            f"{FILE}#/steps",
            ", ".join(planned),
            ", ".join(ran) if ran and sound else None,
            against=f"{rehearsal_log.FILE}#/steps",
            code="PLAN_ORDER",
            message="The rehearsal log has other steps, or another order.",
        )
    yield from _forbidden(evidence, plan.forbidden)


def _forbidden(evidence: Evidence, row: Forbidden) -> Iterator[Row]:
    where = f"{FILE}#/forbidden"
    if not any(word(name) for name in (*row.surfaces, *row.actions)):
        yield refused(where, "none", "PLAN_FORBIDDEN_NONE", "Nothing is forbidden.", "a surface")
    attempts = list(_attempts(evidence, row))
    for place, what in attempts:
        yield refused(
            f"{where}/attempted",
            row.attempted,
            "PLAN_FORBIDDEN_ATTEMPTED",
            f"It was attempted at {place}.",
            what,
        )
    if attempts and row.attempted:
        return
    log = actions.read(evidence)
    if row.attempted or attempts or (log is not None and log.actions and not log.broken):
        yield derived(
            f"{where}/attempted",
            row.attempted,
            bool(attempts),
            against=actions.FILE,
            code="PLAN_FLAG_WRONG",
            message="The logs say something else.",
        )
    else:
        yield claimed(f"{where}/attempted", row.attempted)


def _attempts(evidence: Evidence, row: Forbidden) -> Iterator[tuple[str, str]]:
    """Yield the first place in each log, with what was attempted there."""
    surfaces = {word(name) for name in row.surfaces} - {""}
    named = {word(name) for name in row.actions} - {""}
    log = actions.read(evidence)
    for action in log.actions if log is not None else ():
        words = {word(action.action)}
        if action.action == "run":
            words |= _words(action.target)
        if word(action.surface) in surfaces or words & named:
            yield actions.FILE, f"{action.surface} {action.action}"
            break
    for step in rehearsal_log.steps(evidence).values():
        if _words(step.command) & named:
            yield rehearsal_log.FILE, step.command
            break


def _words(command: str) -> set[str]:
    """Return the words of a command; ``cutover.sh --real-run`` says cutover and real run."""
    return {word(token) for token in _TOKEN.findall(command)}


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    steps = (
        ("preflight", ("RX-0", "RX-1")),
        ("read-only check", ("RX-2",)),
        ("rollback rehearsal", ("RX-3", "RX-4", "RX-5", "RX-6")),
        ("hardened gate", ("RX-7", "RX-8", "RX-9")),
    )
    return {
        "lane": "sample",
        "step_count": len(steps),
        "steps": [
            {"id": f"S{number}", "step": step, "rehearsal_steps": ran}
            for number, (step, ran) in enumerate(steps)
        ],
        "forbidden": {
            "surfaces": ["PRODUCTION_DATABASE", "NETWORK"],
            "actions": ["real-run", "cutover"],
            "attempted": False,
        },
    }


def _damaged(*steps: str | int, to: object) -> Callable[[], Evidence]:
    return lambda: samples.changed(FILE, {steps: to})


KIND = EvidenceKind(
    file=FILE,
    title="Execution plan",
    about="the steps ran as they were planned, and the forbidden row was not attempted",
    model=ExecutionPlan,
    codes=CODES,
    rows=rows,
    controls={
        "PLAN_NONE": lambda: samples.changed(FILE, {("steps",): [], ("step_count",): 0}),
        "PLAN_COUNT_WRONG": _damaged("step_count", to=3),
        "PLAN_STEP_GAP": _damaged("steps", 2, "id", to="S3"),
        "PLAN_UNFILLED": _damaged("steps", 0, "step", to=""),
        "PLAN_ORDER": _damaged("steps", 1, "rehearsal_steps", to=["RX-2", "RX-2"]),
        "PLAN_FORBIDDEN_NONE": lambda: samples.changed(
            FILE, {("forbidden", "surfaces"): [], ("forbidden", "actions"): []}
        ),
        "PLAN_FORBIDDEN_ATTEMPTED": lambda: samples.changed(
            FILE,
            {("forbidden", "actions"): ["read-twice"], ("forbidden", "attempted"): True},
        ),
        "PLAN_FLAG_WRONG": _damaged("forbidden", "attempted", to=True),
    },
)
