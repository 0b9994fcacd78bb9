"""What the gate says to machines: one object, and neutral rows for JUnit and SARIF."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from generator import __version__
from generator.exits import Exit
from generator.model.finding import Finding
from generator.model.result import Result
from generator.names import path_bytes, visible
from generator.seals.gate import Checked, State, Verdict
from generator.seals.listing import Asked
from generator.seals.proof import Answer, Proof

SCHEMA = "lanebook/gate/1"
SELFTEST = "selftest"


class Run(NamedTuple):
    """All that one run of the gate has to say."""

    seals: str
    """The seal file, as it was named; empty where only the selftest ran."""
    prefix: str
    """What leads from the root of the run to the folder of the seal file; empty, or ends in /."""
    proof: Proof
    verdict: Verdict | None = None
    """None: there is none, and the problems say why."""
    problems: tuple[Finding, ...] = ()
    """Why the seal file counts for nothing."""
    whole_proof: bool = False
    """Whether each answer of the selftest is told."""

    @property
    def exit_code(self) -> Exit:
        """What the command ends with."""
        if self.problems:
            return Exit.NO_VERDICT
        if self.verdict is None:
            return Exit.NO_VERDICT if self.seals else Exit.VERIFIED
        return self.verdict.exit_code

    @property
    def told(self) -> Verdict:
        """The verdict; where there is none, the one over nothing."""
        return self.verdict if self.verdict is not None else _NOTHING


_NOTHING = Verdict(Asked(()))


def unanswered(run: Run) -> Iterator[Finding]:
    """Yield why the seal file counts for nothing, and what was asked about that it leaves out."""
    yield from run.problems
    for path in run.told.asked.uncovered:
        where = visible(os.path.normpath(run.prefix + path))
        yield Finding("GATE-UNCOVERED", where, "", "", f"No line of {run.seals} covers it.")


def finding(run: Run, one: Checked) -> Finding:
    """Return what is wrong with one file, at the first line that differs where that is known."""
    where = visible(run.prefix + one.line.path)
    if one.at is not None:
        where += f":{one.at}"
    return Finding(one.code, where, one.line.digest, one.computed or "", one.message)


def results(run: Run) -> list[Result]:
    """Return a row for everything that was checked, and for everything that could not be."""
    return [*_of_selftest(run), *_of_problems(run), *_of_files(run)]


def _of_selftest(run: Run) -> Iterator[Result]:
    for answer in run.proof.answers if run.whole_proof else ():
        wanted, answered = answer.wanted or "passes", answer.answered or "passes"
        if answer.held:
            yield Result(SELFTEST, answer.name, "passed", message=f"answered by {answered}")
        else:
            told = f"should be answered by {wanted}, was answered by {answered}"
            yield Result(SELFTEST, answer.name, "error", "GATE-SELFTEST", told)


def _of_problems(run: Run) -> Iterator[Result]:
    for each in unanswered(run):
        file, _, number = each.where.rpartition(":")
        line = int(number) if file == run.seals and number.isdecimal() else None
        yield Result(
            group=run.seals,
            name=each.where,
            outcome="error",
            code=each.code,
            message=each.message,
            file=run.seals,
            line=line,
        )


def _of_files(run: Run) -> Iterator[Result]:
    apart = {one.line.path: one for one in run.told.apart}
    for path in sorted((line.path for line in run.told.asked.lines), key=path_bytes):
        one = apart.get(path)
        if one is None:
            yield Result(run.seals, path, "passed", file=run.prefix + path)
            continue
        yield Result(
            group=run.seals,
            name=path,
            outcome="error" if one.state is State.UNREADABLE else "failed",
            code=one.code,
            message=one.message + _digests(one) + _difference(one),
            file=run.prefix + path,
            line=one.at,
        )


def _digests(one: Checked) -> str:
    return f"; sealed {one.line.digest}, found {one.computed}" if one.computed else ""


def _difference(one: Checked) -> str:
    first = one.difference
    return f"; sealed {first.sealed}, present {first.present}" if first is not None else ""


def run_object(run: Run) -> dict[str, Any]:
    """Return the object that ``lanebook gate --format json`` prints (docs/gate.md)."""
    verdict = run.told
    return {
        "schema": SCHEMA,
        "lanebook": __version__,
        "seals": run.seals,
        "summary": {
            "exit_code": int(run.exit_code),
            "files": len(verdict.asked.lines),
            **{state.name.lower(): verdict.count(state) for state in State},
            "uncovered": len(verdict.asked.uncovered),
            "codes": _codes(run),
        },
        "selftest": {
            "held": run.proof.held,
            "drift_classes": _counted(run.proof.drifts, "failed_closed"),
            "controls": _counted(run.proof.controls, "passed"),
            "bad_seals": _counted(run.proof.refusals, "refused"),
        },
        "problems": [
            {"code": each.code, "where": each.where, "message": each.message}
            for each in run.problems
        ],
        "uncovered": [visible(path) for path in verdict.asked.uncovered],
        "history": verdict.history,
        "files": list(_files(verdict)),
    }


def _codes(run: Run) -> dict[str, int]:
    codes = [*(each.code for each in unanswered(run)), *(one.code for one in run.told.apart)]
    return dict(sorted(Counter(codes).items()))


def _counted(answers: Sequence[Answer], word: str) -> dict[str, Any]:
    return {
        "shown": len(answers),
        word: sum(answer.held for answer in answers),
        "answers": [answer._asdict() for answer in answers],
    }


def _files(verdict: Verdict) -> Iterator[dict[str, Any]]:
    apart = {one.line.path: one for one in verdict.apart}
    for line in sorted(verdict.asked.lines, key=lambda line: path_bytes(line.path)):
        one = apart.get(line.path, Checked(line, State.EXACT, line.digest))
        exact = one.state is State.EXACT
        yield {
            "path": visible(line.path),
            "line": line.number,
            "state": one.state.value,
            "code": "" if exact else one.code,
            "sealed": line.digest,
            "computed": one.computed,
            "drift": [drift.value for drift in one.classes],
            "how": one.how,
            "blob": one.blob,
            "first_line": one.at,
            "difference": one.difference._asdict() if one.difference is not None else None,
        }
