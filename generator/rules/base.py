"""What a rule is: a check, its codes, and the controls that prove it (spec 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from generator.model.finding import Finding, RuleError

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


def run(
    rules: Iterable[Rule[Subject]], subject: Subject, errors: list[RuleError]
) -> Iterator[Finding]:
    """Run every rule; one that crashes is an error of that rule only."""
    for rule in rules:
        try:
            yield from rule.check(subject)
        except Exception as error:
            errors.append(RuleError(rule.name, f"{type(error).__name__}: {error}"))
