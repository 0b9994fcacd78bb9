"""What the action log tells, held against the rehearsal log (spec 2.2).

``step.sh`` begins each step with one ``run`` line: the command, and the file that keeps its output.
A log that has such lines, or to which a script of the packet writes them, has to tell of every
step, in the order in which they ran. Then what a step does is what its states say of it: a step
that only read reads, and a change that came back was taken back. Whatever the form of the log, what
is told of a surface lies on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import groupby, zip_longest
from operator import attrgetter
from posixpath import dirname

from generator.evidence import mutations, rehearsal_log, rollback_proof
from generator.evidence.actions import OUTSIDE_STEPS, Action, ActionLog
from generator.evidence.base import Evidence, derived, refused, text
from generator.evidence.rehearsal_log import RehearsalLog, Step
from generator.evidence.tallies import word
from generator.gate.request import TEMP
from generator.ledger import Row
from generator.names import is_plain, problems

CLONE, MEMORY, PACKET = "temp clone", "memory", "packet folder"
"""The surfaces of a rehearsal, in the form in which names are compared."""
SCRIPTS = ("commands.sh", "step.sh")
"""What runs the steps, and writes lines of its own."""
_RUN_LINE = '"action": "run"'
_LONGEST_KEPT = 2001
"""Characters of a statement that is read once only; ``rehearse.py`` logs no longer ones."""
_MOST = 20
"""Findings about one log; more of them tell nobody more."""

_BEGIN, _COMMIT, _ROLLBACK, _CHANGE = "BEGIN", "COMMIT", "ROLLBACK", "change"
_APPLIED, _RESTORED, _PUT_BACK = "after_apply", "after_rollback", "database put back"
_WAYS = {
    "transaction": (_BEGIN, _CHANGE, _APPLIED, _ROLLBACK, _RESTORED),
    "snapshot": (_BEGIN, _CHANGE, _COMMIT, _APPLIED, _PUT_BACK, _RESTORED),
}
"""By the word for it in a command: in which order a change is made, kept and taken back."""
_ALONE = {"snapshot": (_CHANGE, _APPLIED, _PUT_BACK, _RESTORED)}
"""The same of a change that can run in no transaction, as the rollback proof says of another leg;
what the server refuses in the course of that is held against it there."""
_END = re.compile(
    r"\s*(?:(?P<BEGIN>BEGIN)|(?P<COMMIT>COMMIT|END)|(?P<ROLLBACK>ROLLBACK))\b"
    r"(?!\s+(?:TRANSACTION\s+)?TO\b)",
    re.IGNORECASE,
)
_HIDDEN = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|\Z)|'[^']*(?:'|\Z)|"[^"]*(?:"|\Z)""",
    re.DOTALL,
)
_REACHES = re.compile(r"(?:\A|;)\s*(?:ATTACH\b|VACUUM\b[^;]*\bINTO\b)", re.IGNORECASE)
"""A statement that opens or writes another database file, whatever the action's target says."""


_WHERE = attrgetter("action", "surface", "target")
_SQL = attrgetter("sql")


def rows(evidence: Evidence, path: str, log: ActionLog) -> Iterator[Row]:
    """Hold targets, order, commands, outputs and statements against the rehearsal log."""
    yield from _Told(evidence, path, log).rows()


class _Told:
    """One action log, beside the rehearsal log."""

    def __init__(self, evidence: Evidence, path: str, log: ActionLog) -> None:
        self.evidence = evidence
        self.path = path
        self.log = log
        self.surfaces = {surface: word(surface) for surface in log.surfaces}

    def rows(self) -> Iterator[Row]:
        yield from self._targets()
        steps = rehearsal_log.steps(self.evidence)
        if not steps:
            return
        told: dict[str, list[Action]] = {}
        order: list[str] = []
        for step, run in groupby(self.log.actions, attrgetter("step")):
            told.setdefault(step, []).extend(run)
            order.append(step)
        unknown = [one for one in told if one not in steps and one not in OUTSIDE_STEPS]
        for step in unknown[:_MOST]:
            yield refused(
                self.path, step, "ACTIONS_STEP", "The rehearsal log has no such step.", "a step"
            )
        if self._begins_steps():
            yield from self._order(order, list(steps))
            for one in steps.values():
                if one.id in told:
                    yield from self._run(one, told[one.id])
                    yield from self._does(one, told[one.id])
            yield from self._made_of(steps)

    # --- where ---

    def _targets(self) -> Iterator[Row]:
        rehearsal = self.evidence.model(rehearsal_log.FILE, RehearsalLog)
        target = rehearsal.target if rehearsal is not None else None
        folder = dirname(target) if target is not None and target.startswith(TEMP) else TEMP[:-1]
        done = set(map(_WHERE, self.log.actions))
        places = {(surface, target) for action, surface, target in done if action != "run"}
        astray = [
            f"{surface} {target}"
            for surface, target in places
            if not _lies_on(self.surfaces[surface], target, folder)
        ]
        statements = {str(sql) for sql in map(_SQL, self.log.actions) if sql is not None}
        # no word goes over the end of a line, and most logs have none of these
        if _may_reach_another("\n".join(statements)):
            astray += filter(_reaches_another, statements)
        for what in sorted(astray)[:_MOST]:
            yield refused(
                self.path,
                what,
                "ACTIONS_TARGET",
                "It does not lie on the surface that it is told of.",
                f"below {folder}",
            )
        opened = {target for surface, target in places if self.surfaces[surface] == CLONE}
        if target is not None and opened:
            yield derived(
                f"{rehearsal_log.FILE}#/target",
                target,
                target if target in opened else "another target",
                against=self.path,
                code="ACTIONS_TARGET",
                message="The action log never uses it.",
            )

    # --- which steps ---

    def _begins_steps(self) -> bool:
        """Tell whether the log is one in which ``step.sh`` begins each step."""
        return any(
            action.action == "run" and action.output is not None for action in self.log.actions
        ) or any(_RUN_LINE in line for name in SCRIPTS for line in self.evidence.lines(name))

    def _order(self, told: list[str], steps: list[str]) -> Iterator[Row]:
        if told[:1] == ["before"]:
            del told[0]
        if told[-1:] == ["after"]:
            del told[-1]
        for found, step in zip_longest(told, steps):
            if found != step:
                yield refused(
                    self.path,
                    found or "nothing",
                    "ACTIONS_ORDER",
                    "The rehearsal log has other steps, or another order.",
                    step or "nothing",
                )
                return

    def _run(self, step: Step, actions: list[Action]) -> Iterator[Row]:
        """Hold what ran, and what it left, against the step."""
        first, place = actions[0], f"{self.path}#{step.id}"
        if first.action != "run":
            yield refused(place, first.action, "ACTIONS_RUN", "It does not begin by a run.", "run")
            return
        same = step.command == first.target or step.command.endswith(f" {first.target}")
        for name, stated, computed in (
            ("command", first.target, first.target if same else step.command),
            ("output", text(first.output), text(step.output)),
        ):
            yield derived(
                f"{place} {name}",
                stated,
                computed,
                against=rehearsal_log.FILE,
                code="ACTIONS_RUN",
                message="The rehearsal log says something else.",
            )
        if not step.states:
            return
        written = {action.target for action in actions if action.action == "write"}
        for label, path in step.states.items():
            if path not in written:
                yield refused(
                    f"{place} {label}", "nothing", "ACTIONS_RUN", "It never writes the state.", path
                )

    def _made_of(self, steps: Mapping[str, Step]) -> Iterator[Row]:
        """Hold the outputs that were read for the rehearsal log against those that it tells of.

        A program may remember some or read them again. Only where it read just as many, each once
        but for one, which was read in the place of another, has a line been changed.
        """
        outputs = {step.output for step in steps.values() if step.output is not None}
        read: list[str] = []
        for action in self.log.actions:
            if action.action == "read" and action.target in outputs:
                read.append(action.target)
            elif action.action in ("run", "write"):
                never = outputs - set(read)
                swapped = len(read) == len(outputs) and len(never) == 1
                if swapped and action.target == rehearsal_log.FILE:
                    yield refused(
                        f"{self.path}#{action.step}",
                        next(one for one in read if read.count(one) > 1),
                        "ACTIONS_RUN",
                        "For the rehearsal log it was read twice, and another output never.",
                        never.pop(),
                    )
                read = []

    # --- what a step does ---

    def _does(self, step: Step, actions: list[Action]) -> Iterator[Row]:
        """Hold what is done to the database against what the states say of it."""
        if step.states and all(label.split("_")[0] == "read" for label in step.states):
            for action in actions:
                surface = self.surfaces[action.surface]
                if surface not in (PACKET, MEMORY) and not self._reads(action):
                    yield refused(
                        f"{self.path}#{step.id}",
                        action.sql if isinstance(action.sql, str) else action.action,
                        "ACTIONS_CHANGE",
                        "The step only reads, as its states say.",
                        "a read",
                    )
                    return
        elif step.states.keys() >= {_APPLIED, _RESTORED}:
            told = tuple(self._way(step, actions))
            proof = self.evidence.model(rollback_proof.FILE, rollback_proof.RollbackProof)
            known = _WAYS | (_ALONE if proof is not None and proof.not_run else {})
            ways = [way for name, way in known.items() if name in step.command.split()]
            if told not in (ways or known.values()):
                yield refused(
                    f"{self.path}#{step.id}",
                    told[: 2 * len(_WAYS["snapshot"])],
                    "ACTIONS_CHANGE",
                    "A change is made, its state is kept, and it is taken back.",
                    ways[0] if ways else _WAYS["transaction"],
                )

    def _reads(self, action: Action) -> bool:
        if action.action == "sql":
            return _statement(action.sql) != _CHANGE
        return action.action in ("read", "run", "connect")

    def _way(self, step: Step, actions: list[Action]) -> Iterator[str]:
        """Yield what is done to the database and when its states are kept, each run of it once."""
        opened = {action.target for action in actions if action.action == "connect"}
        kept = {step.states[label]: label for label in (_APPLIED, _RESTORED)}
        last = ""
        for action in actions:
            now, done = "", action.action
            if self.surfaces[action.surface] == PACKET:
                now = kept.get(action.target, "") if done == "write" else ""
            elif done == "sql":
                now = _statement(action.sql)
            elif done == "write" and action.target in opened:
                now = _PUT_BACK
            if now and now != last:
                yield now
            last = now or last


def _statement(sql: object) -> str:
    """Return what a statement does: begins or ends a transaction, changes, or nothing."""
    if not isinstance(sql, str):
        return _CHANGE
    return _done_by(sql) if len(sql) <= _LONGEST_KEPT else _done_by.__wrapped__(sql)


@lru_cache(maxsize=1024)  # logs have the same ones again and again
def _done_by(sql: str) -> str:
    if not mutations.may_read_only(sql):
        return _CHANGE
    end = _END.match(sql)
    return (end.lastgroup or "") if end is not None else ""


def _lies_on(surface: str, target: str, folder: str) -> bool:
    if surface == CLONE:
        return is_plain(target) and f"{target}/".startswith(f"{folder}/")
    if surface == MEMORY:
        return target == mutations.MEMORY
    return surface != PACKET or is_plain(target) or not any(problems(target))


def _reaches_another(sql: str) -> bool:
    """Tell whether a statement opens or writes a file of its own choice."""
    return _may_reach_another(sql) and _REACHES.search(_HIDDEN.sub(" ", sql)) is not None


def _may_reach_another(sql: str) -> bool:
    shouted = sql.upper()
    return "ATTACH" in shouted or "VACUUM" in shouted
