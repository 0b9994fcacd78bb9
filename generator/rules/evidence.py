"""Evidence files say what the other bytes of their packet give (spec 2.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter

from generator.evidence import samples
from generator.evidence.base import (
    AGREED,
    CLAIMED,
    FORM_CODES,
    PLAN,
    Evidence,
    EvidenceKind,
    findings,
    lane_rows,
    only_counted,
)
from generator.evidence.kinds import KINDS
from generator.evidence.whole import CODES as WHOLE_CODES
from generator.evidence.whole import CONTROLS as WHOLE_CONTROLS
from generator.evidence.whole import rows as whole_rows
from generator.ledger import Row
from generator.model.claims import ClaimCounts, count_claims
from generator.model.finding import Claim, Finding, RuleError
from generator.names import visible
from generator.rules.base import Rule, one_line

_MEMBER = "rollback-recovery-proof.json"


def _form(evidence: Evidence) -> Iterator[Row]:
    yield from evidence.damaged
    yield from lane_rows(evidence)


def _checked(rows: Callable[[Evidence], Iterable[Row]]) -> Callable[[Evidence], Iterator[Finding]]:
    return lambda evidence: findings(rows(evidence))


def _of_kind(kind: EvidenceKind) -> Rule[Evidence]:
    return Rule(
        name=kind.file.removesuffix(".json"),
        protects=f"against evidence that was rewritten: that {kind.about}",
        codes=kind.codes,
        check=_checked(kind.rows),
        sound=samples.evidence,
        controls=kind.controls,
    )


EVIDENCE_RULES: tuple[Rule[Evidence], ...] = (
    Rule(
        name="evidence-form",
        protects="against evidence that only looks like what it should be",
        codes=FORM_CODES,
        check=_checked(_form),
        sound=samples.evidence,
        controls={
            "EV-TYPE": lambda: samples.changed(_MEMBER, {("entry_count",): "2"}),
            "EV-SCHEMA": lambda: samples.changed(_MEMBER, {("schema",): "lanebook/other/9"}),
            "EV-KEY-UNKNOWN": lambda: samples.changed(_MEMBER, {("approved",): True}),
            "EV-LANE": lambda: samples.changed_together(
                {_MEMBER: {("lane",): "other"}}, {PLAN: samples.encoded({"lane": "sample"})}
            ),
        },
    ),
    Rule(
        name="evidence-whole",
        protects="against evidence that was left out, and digests that no file gives",
        codes=WHOLE_CODES,
        check=_checked(whole_rows),
        sound=samples.evidence,
        controls=WHOLE_CONTROLS,
    ),
    *map(_of_kind, KINDS),
)
_ROWS: tuple[tuple[str, Callable[[Evidence], Iterable[Row]]], ...] = (
    ("evidence-form", _form),
    ("evidence-whole", whole_rows),
    *((kind.file.removesuffix(".json"), kind.rows) for kind in KINDS),
)


_CODE: Callable[[Row], str] = itemgetter(1)


def judge(evidence: Evidence, errors: list[RuleError]) -> tuple[list[Claim], list[Finding]]:
    """Return every fact of the evidence as a claim, and the findings among them.

    One derivation gives both; a rule that crashes is an error of that rule only. The claims hold
    texts of the packet: see :func:`told`.
    """
    rows, found = _derived(evidence, errors)
    return [row.claim for row in rows], found


def judge_and_count(
    evidence: Evidence, errors: list[RuleError]
) -> tuple[ClaimCounts, list[Finding]]:
    """Return how many facts the evidence has, and the findings that :func:`judge` gives."""
    with only_counted():
        rows, found = _derived(evidence, errors)
    if [row for row in rows if row is not AGREED and row is not CLAIMED]:
        return count_claims(row.claim for row in rows), found
    agreed = rows.count(AGREED)
    return ClaimCounts(agreed, 0, len(rows) - agreed, 0), found


def _derived(evidence: Evidence, errors: list[RuleError]) -> tuple[list[Row], list[Finding]]:
    every: list[Row] = []
    found: list[Finding] = []
    for name, derive in _ROWS:
        try:
            rows = list(derive(evidence))
        except Exception as error:
            errors.append(RuleError(name, f"{type(error).__name__}: {error}"))
            continue
        every += rows
        found += map(one_line, findings(filter(_CODE, rows)))
    return every, found


def told(claims: list[Claim]) -> list[Claim]:
    """Return claims that can be told: in visible letters, and each with an id of its own."""
    texts = "".join([f"{one.id}{one.stated}{one.recomputed}{one.against}" for one in claims])
    if not (texts.isascii() and texts.isprintable()):
        claims = [
            one._replace(
                id=visible(one.id),
                stated=visible(one.stated),
                recomputed=one.recomputed and visible(one.recomputed),
                where=visible(one.where),
                against=visible(one.against),
            )
            for one in claims
        ]
    taken: dict[str, int] = {}
    for at, one in enumerate(claims):
        count = taken[one.id] = taken.get(one.id, 0) + 1
        if count > 1:
            claims[at] = one._replace(id=f"{one.id} ({count})")
    return claims
