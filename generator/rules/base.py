"""What a rule is: a check, its codes, and the controls that prove it (spec 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from generator.model.finding import Finding, RuleError
from generator.names import visible

Subject = TypeVar("Subject")


class Code(NamedTuple):
    """A stable code and its explanation for people; no code is ever used twice."""

    meaning: str
    why: str
    todo: str


@dataclass(frozen=True, slots=True)
class Rule(Generic[Subject]):
    """One rule over one kind of subject."""

    name: str
    protects: str
    """What it protects against, in one sentence."""
    codes: Mapping[str, Code]
    check: Callable[[Subject], Iterable[Finding]]
    sound: Callable[[], Subject]
    """A good sample on which the rule is silent."""
    controls: Mapping[str, Callable[[], Subject]]
    """For each code, the good sample with one thing damaged."""


def one_line(finding: Finding) -> Finding:
    """Return a finding that can be told anywhere: whatever it quotes, it is safe on one line."""
    return Finding(
        finding.code,
        visible(finding.where),
        visible(finding.stated),
        visible(finding.computed),
        visible(finding.message),
        finding.severity,
    )


def run(
    rules: Iterable[Rule[Subject]], subject: Subject, errors: list[RuleError]
) -> Iterator[Finding]:
    """Run every rule; one that crashes is an error of that rule only."""
    for rule in rules:
        try:
            for finding in rule.check(subject):
                yield one_line(finding)
        except Exception as error:
            errors.append(RuleError(rule.name, f"{type(error).__name__}: {error}"))
