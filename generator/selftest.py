"""Proves every rule before any verdict is believed (spec 3).

A rule is believed when it is silent on a sound subject and answers, for each of its codes, a
control that damages one thing by exactly that code; all rules over the same kind of subject look
at the control, so that one which is caught for another reason proves nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from generator.errors import LanebookError
from generator.model.digest import Digest
from generator.rules.base import Rule


class SelftestError(LanebookError):
    """A rule does not do what it says; no verdict of this run can be believed."""


class ControlResult(NamedTuple):
    """One control and how it was answered."""

    rule: str
    code: str
    answered: tuple[str, ...]
    """The codes that were found, sorted; for the sound sample, none."""

    @property
    def held(self) -> bool:
        """Whether the answer is exactly the one that proves the rule."""
        return self.answered == ((self.code,) if self.code else ())


class Over(StrEnum):
    """What a group of rules looks at; a run proves the groups that its lanes need."""

    LANE_FILES = "lane files"
    DOCUMENTS = "documents"
    PACKETS = "packets"
    ROOTS = "roots"
    CHAIN = "chain"
    EVIDENCE = "evidence"
    DECISIONS = "decisions"


class OfGroup(NamedTuple):
    """What the rules of one group answered, and how many there are."""

    results: tuple[ControlResult, ...]
    rules: int

    @property
    def controls(self) -> int:
        """How many answers are to controls, and not to sound samples."""
        return sum(1 for result in self.results if result.code)


class Proof(NamedTuple):
    """What the selftest showed."""

    groups: Mapping[Over, OfGroup]

    @property
    def results(self) -> tuple[ControlResult, ...]:
        """Every answer, group by group."""
        return tuple(result for group in self.groups.values() for result in group.results)

    @property
    def rules(self) -> int:
        """How many rules were proven."""
        return sum(group.rules for group in self.groups.values())

    @property
    def controls(self) -> int:
        """How many controls were answered."""
        return sum(group.controls for group in self.groups.values())

    def and_also(self, other: Proof) -> Proof:
        """Return what this proof and another one show together."""
        return Proof({**self.groups, **other.groups})


NOTHING = Proof({})


def prove(groups: Collection[Over] = tuple(Over)) -> Proof:
    """Run every rule of these groups over its sound sample and its controls."""
    return Proof({group: of_group() for group, of_group in _PROOFS.items() if group in groups})


def _prove_lane_files() -> OfGroup:
    from generator.rules import lane_file

    return _prove((lane_file.RULE,))


def _prove_documents() -> OfGroup:
    from generator.rules.over_documents import DOCUMENT_RULES, LANE_RULES

    documents, lanes = _prove(DOCUMENT_RULES), _prove(LANE_RULES)
    return OfGroup((*documents.results, *lanes.results), documents.rules + lanes.rules)


def _prove_packets() -> OfGroup:
    from generator.rules.over_packets import PACKET_RULES

    return _prove(PACKET_RULES)


def _prove_roots() -> OfGroup:
    from generator.rules.over_roots import ROOT_RULES

    return _prove(ROOT_RULES)


def _prove_chain() -> OfGroup:
    from generator.rules.over_chain import CHAIN_RULES

    return _prove(CHAIN_RULES)


def _prove_decisions() -> OfGroup:
    from generator.rules.over_decisions import DECISION_RULES

    return _prove(DECISION_RULES)


def _prove_evidence() -> OfGroup:
    from generator.evidence import samples  # late, all three: most packets have no such files
    from generator.evidence.reach import differing, reach
    from generator.rules.evidence import EVIDENCE_RULES

    results: list[ControlResult] = []
    sound = samples.evidence()
    silent = _answers(EVIDENCE_RULES, sound)
    # hundreds of controls, each of which most rules do not see: those answer as to the sound sample
    seen = {rule.name: reach(rule.check, sound) for rule in EVIDENCE_RULES}
    for rule in EVIDENCE_RULES:
        results.append(ControlResult(rule.name, "", silent))
        missing = set(rule.codes) ^ set(rule.controls)
        results.extend(ControlResult(rule.name, code, ("no control",)) for code in sorted(missing))
        for code, control in rule.controls.items():
            subject = control()
            moved = differing(sound, subject)
            looking = [
                one
                for one in EVIDENCE_RULES
                if one is rule or not (paths := seen[one.name]) or paths & moved
            ]
            results.append(ControlResult(rule.name, code, _answers(looking, subject)))
    return OfGroup(tuple(results), len(EVIDENCE_RULES))


def _prove(rules: Sequence[Rule[Any]]) -> OfGroup:
    """Prove rules over one kind of subject; all of them look at each control."""
    results: list[ControlResult] = []
    for rule in rules:
        results.append(ControlResult(rule.name, "", _answers(rules, rule.sound())))
        missing = set(rule.codes) ^ set(rule.controls)
        results.extend(ControlResult(rule.name, code, ("no control",)) for code in sorted(missing))
        for code, control in rule.controls.items():
            results.append(ControlResult(rule.name, code, _answers(rules, control())))
    return OfGroup(tuple(results), len(rules))


_PROOFS: dict[Over, Callable[[], OfGroup]] = {
    Over.LANE_FILES: _prove_lane_files,
    Over.DOCUMENTS: _prove_documents,
    Over.PACKETS: _prove_packets,
    Over.ROOTS: _prove_roots,
    Over.CHAIN: _prove_chain,
    Over.EVIDENCE: _prove_evidence,
    Over.DECISIONS: _prove_decisions,
}


def _answers(rules: Sequence[Rule[Any]], subject: object) -> tuple[str, ...]:
    codes: set[str] = set()
    for rule in rules:
        try:
            codes.update(finding.code for finding in rule.check(subject))
        except Exception as error:
            codes.add(f"{rule.name}: {type(error).__name__}: {error}")
    return tuple(sorted(codes))


def require(groups: Collection[Over] = tuple(Over), known: Proof = NOTHING) -> Proof:
    """Return the proof of these groups of rules; what is ``known`` in this run is not proven twice.

    Raises:
        SelftestError: a rule is not silent on its sound sample, or a control was not answered by
            exactly its own code.
    """
    proof = prove([group for group in groups if group not in known.groups])
    for result in proof.results:
        if not result.held:
            expected = result.code or "nothing"
            found = ", ".join(result.answered) or "nothing"
            raise SelftestError(
                f"selftest: rule {result.rule}: expected {expected}, found {found};"
                " no verdict of this run can be believed"
            )
    return proof.and_also(
        Proof({group: part for group, part in known.groups.items() if group in groups})
    )


@lru_cache(maxsize=1)
def rule_base_digest() -> Digest:
    """Return the digest of the rule base: of every source file of the package, by name.

    Rules rest on reading and on the model, so all of it counts.
    """
    from pathlib import Path

    package = Path(__file__).parent
    total = hashlib.sha256()
    for path in sorted(
        package.rglob("*.py"), key=lambda path: path.relative_to(package).as_posix()
    ):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{content}  {path.relative_to(package).as_posix()}\n".encode())
    return Digest(total.hexdigest())
