"""``rehearsal-preconditions.json``: what had to hold before a rehearsal, and what is asked for.

Each precondition has an evidence file, from which its state is derived again. Where one fails there
is no rehearsal, and the operator is asked for what would make it hold: what to bring, in which
form, and the check that it has to pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from generator.evidence import samples
from generator.evidence.base import (
    Evidence,
    EvidenceKind,
    EvidenceModel,
    Part,
    claimed,
    derived,
    refused,
)
from generator.evidence.clone_provenance import FILE as PROVENANCE
from generator.evidence.clone_provenance import CloneProvenance
from generator.evidence.schema_compatibility import FILE as SCHEMA
from generator.evidence.schema_compatibility import SchemaCompatibility
from generator.evidence.secret_scan import ENGINE, NOT_SCANNED, SECRETS, SecretScan
from generator.evidence.secret_scan import FILE as SCAN
from generator.evidence.server_isolation import FILE as ISOLATION
from generator.evidence.server_isolation import ServerIsolation
from generator.evidence.tallies import filled
from generator.evidence.target_lock import FILE as LOCK
from generator.evidence.target_lock import TargetLock
from generator.ledger import Row
from generator.rules.base import Code

FILE = "rehearsal-preconditions.json"
READY, NOT_APPLIED = "READY", "NOT_APPLIED"
HOLDS, FAILS, NOT_RUN = "HOLDS", "FAILS", "NOT_RUN"


class Precondition(Part, frozen=True):
    """One of them; the codes say why it fails."""

    evidence: str
    state: str
    codes: list[str]


class Item(Part, frozen=True):
    """What the operator is asked for, because of a code."""

    code: str
    bring: str
    form: str
    check: str


class Preconditions(EvidenceModel, frozen=True):
    """All of them, what they come to, and what is asked for."""

    preconditions: list[Precondition]
    verdict: str
    request: list[Item]


_TODO = "Rehearse again; these files are written by the rehearsal, never by hand."
CODES = {
    "PRECONDITION_MISSING": Code(
        "A rehearsal on PostgreSQL does not say of each precondition whether it held.",
        "What was not asked may not have held.",
        _TODO,
    ),
    "PRECONDITION_DIFFERS": Code(
        "A precondition has another state, or other codes, than its evidence gives.",
        "Whoever reads only the summary decides on something else.",
        _TODO,
    ),
    "PRECONDITION_VERDICT": Code(
        "The verdict on the preconditions does not say what they say.",
        "Whoever reads only the verdict decides on something else.",
        _TODO,
    ),
    "PRECONDITION_REQUEST": Code(
        "A precondition fails and nothing is asked for, or something is that nothing needs.",
        "The operator does not know what to bring, in which form, for which check.",
        _TODO,
    ),
}

State = tuple[str, list[str]]


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive each state from its evidence, the verdict from the states, the request from both."""
    found = evidence.model(FILE, Preconditions)
    lock = evidence.model(LOCK, TargetLock)
    on_server = lock is not None and lock.target.engine == ENGINE
    if found is None:
        if on_server and not evidence.has(FILE):
            where, message = f"{LOCK}#/target/engine", f"There is no {FILE}."
            yield refused(where, ENGINE, "PRECONDITION_MISSING", message, FILE)
        return
    named = [one.evidence for one in found.preconditions]
    wanted = _STATES if on_server or (found.verdict == NOT_APPLIED and lock is None) else ()
    for name in wanted:
        if name not in named:
            where, message = f"{FILE}#/preconditions", "It is not listed."
            yield refused(where, "absent", "PRECONDITION_MISSING", message, name)
    for at, one in enumerate(found.preconditions):
        yield from _one(evidence, one, f"{FILE}#/preconditions/{at}")
    codes = [code for one in found.preconditions for code in one.codes]
    yield derived(
        f"{FILE}#/verdict",
        found.verdict,
        NOT_APPLIED if codes else READY,
        against=f"{FILE}#/preconditions",
        code="PRECONDITION_VERDICT",
        message="The preconditions say something else.",
    )
    yield derived(
        f"{FILE}#/request",
        sorted(item.code for item in found.request),
        sorted(codes),
        against=f"{FILE}#/preconditions",
        code="PRECONDITION_REQUEST",
        message="The preconditions ask for something else.",
    )
    for at, item in enumerate(found.request):
        for key in ("bring", "form", "check"):
            where, text = f"{FILE}#/request/{at}/{key}", getattr(item, key)
            yield from filled(where, text, "PRECONDITION_REQUEST")
            yield claimed(where, text)


def _one(evidence: Evidence, one: Precondition, where: str) -> Iterator[Row]:
    derive = _STATES.get(one.evidence)
    if derive is None:
        message = "It is no precondition that is known."
        yield refused(
            f"{where}/evidence", one.evidence, "PRECONDITION_DIFFERS", message, [*_STATES]
        )
        return
    state, codes = derive(evidence)
    for key, stated, computed in (("state", one.state, state), ("codes", one.codes, codes)):
        yield derived(
            f"{where}/{key}",
            stated,
            computed,
            against=one.evidence,
            code="PRECONDITION_DIFFERS",
            message="Its evidence says something else.",
        )


def _provenance(evidence: Evidence) -> State:
    found = evidence.model(PROVENANCE, CloneProvenance)
    if found is None or found.stated is None:
        return FAILS, ["CLONE_NOT_STATED"]
    digest = found.dump.sha256 if found.dump is not None else None
    if found.stated.sha256 not in (None, digest):
        return FAILS, ["CLONE_SOURCE_DIFFERS"]
    return HOLDS, []


def _isolation(evidence: Evidence) -> State:
    found = evidence.model(ISOLATION, ServerIsolation)
    if found is None:
        return NOT_RUN, []
    return (FAILS if found.problems else HOLDS), found.problems


def _scan(evidence: Evidence) -> State:
    found = evidence.model(SCAN, SecretScan)
    if found is None or found.verdict == NOT_SCANNED:
        return NOT_RUN, []
    return (FAILS, ["SECRET_FOUND"]) if found.verdict == SECRETS else (HOLDS, [])


def _schema(evidence: Evidence) -> State:
    found = evidence.model(SCHEMA, SchemaCompatibility)
    if found is None:
        return FAILS, ["SCHEMA_UNCHECKED"]
    if not found.clone_present:
        return NOT_RUN, []
    counts = found.counts
    codes = ["SCHEMA_INCOMPATIBLE"] if counts.absent or counts.different else []
    if counts.not_checkable:
        codes.append("SCHEMA_UNCHECKED")
    return (FAILS if codes else HOLDS), codes


_STATES: dict[str, Callable[[Evidence], State]] = {
    PROVENANCE: _provenance,
    ISOLATION: _isolation,
    SCAN: _scan,
    SCHEMA: _schema,
}
"""By evidence file, how the state of its precondition is derived from it."""


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    return {
        "lane": "sample",
        "preconditions": [
            {"evidence": SCAN, "state": HOLDS, "codes": []},
        ],
        "verdict": READY,
        "request": [],
    }


def _damaged(*steps: str | int, to: object) -> Callable[[], Evidence]:
    return lambda: samples.changed(FILE, {steps: to})


KIND = EvidenceKind(
    file=FILE,
    title="Preconditions",
    about="what has to hold before a rehearsal held, or the operator was asked for what is missing",
    model=Preconditions,
    codes=CODES,
    rows=rows,
    controls={
        "PRECONDITION_MISSING": lambda: samples.on_server({FILE: None}),
        "PRECONDITION_DIFFERS": _damaged("preconditions", 0, "state", to=NOT_RUN),
        "PRECONDITION_VERDICT": _damaged("verdict", to="PROBABLY"),
        "PRECONDITION_REQUEST": _damaged(
            "request", to=[{"code": "SECRET_FOUND", "bring": "a", "form": "b", "check": "c"}]
        ),
    },
)
