"""``ci-seal-vs-bytes-result.json``: bytes that drifted from their seal do not pass (spec 2.2).

The gate was tried off-production on one sealed file: on bytes of each class of drift, which have to
fail closed, and on the same bytes, which have to pass. The files that it was tried on give their
digests; a trial resolves no blocker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from generator.evidence import samples
from generator.evidence.base import (
    ABSENT,
    Evidence,
    EvidenceKind,
    EvidenceModel,
    HashKind,
    Part,
    claimed,
    file_rows,
    hash_kind,
    must_be,
    refused,
)
from generator.evidence.tallies import counted, named, twice
from generator.ledger import Row
from generator.rules.base import Code

FILE = "ci-seal-vs-bytes-result.json"
BLOCKER = "FIX7-P0-PROD-CI-SCOPE-1"
PASS, FAIL = "PASS", "FAIL"


class SealedFile(Part, frozen=True):
    """A file and the digest that approved it."""

    file: str
    sha256: str


class Tried(Part, frozen=True, kw_only=True):
    """Bytes that were put to the gate, and its answer."""

    observed_sha256: str
    """A digest, or ``ABSENT`` for a file that is missing."""
    answer: str
    observed: str | None = None
    """The file of the packet that holds the bytes."""


class Case(Tried, frozen=True, kw_only=True):
    """Bytes of one class of drift."""

    drift_class: str
    fails_closed: bool


class CiSealResult(EvidenceModel, frozen=True):
    """Every class of drift, the control, and what they come to."""

    sealed: SealedFile
    cases: list[Case]
    control: Tried
    class_count: int
    all_fail_closed: bool
    passes_on_byte_identical: bool
    ci_triggered: bool
    production_wired: bool
    resolves: bool = msgspec.field(name=f"resolves_{BLOCKER}")
    fail_closed_count: int | None = None
    checker: SealedFile | None = None


_TODO = "Mend the gate, and try it again on every class of drift, off-production."
CODES = {
    "CI_SEAL_NONE": Code(
        "A trial of the seal-vs-bytes gate has no class of drift.", "Nothing was tried.", _TODO
    ),
    "CI_SEAL_TWICE": Code(
        "A class of drift is listed twice.",
        "The count stands for less than it says.",
        "Try each class once.",
    ),
    "CI_SEAL_COUNT_WRONG": Code(
        "A trial counts other classes of drift than it lists.",
        "A class came or went after it was counted; lanebook does not say which is right.",
        "Count the classes again.",
    ),
    "CI_SEAL_FAILS_OPEN": Code(
        "Bytes that drifted from their seal passed the gate.",
        "What was approved and what runs may be two things.",
        _TODO,
    ),
    "CI_SEAL_NO_DRIFT": Code(
        "The bytes of a class of drift are the sealed ones.",
        "Nothing drifted, and nothing was tried.",
        _TODO,
    ),
    "CI_SEAL_CONTROL": Code(
        "The control was not byte-identical, or did not pass.",
        "A gate that rejects everything proves nothing by rejecting.",
        _TODO,
    ),
    "CI_SEAL_FLAG_WRONG": Code(
        "A flag of a trial does not say what its cases say.",
        "Whoever reads only the flag decides on something else.",
        "Derive the flag again.",
    ),
    "CI_SEAL_BYTES_DIFFER": Code(
        "A digest of a trial is not that of the file it names, or no hash value.",
        "The gate was tried on other bytes than these.",
        _TODO,
    ),
    "CI_SEAL_FILE_MISSING": Code(
        "A trial names a file that is not in the packet.",
        "What the gate was tried on cannot be looked at.",
        "Put the file into the packet.",
    ),
    "CI_SEAL_OVERREACH": Code(
        "A trial of the gate triggered CI, wired production, or says that it resolves its blocker.",
        "A design off-production does none of that; owner and operator do.",
        "Stop, and tell the owners; the blocker stays open.",
    ),
}


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive digests, flags and counts of the trial again."""
    found = evidence.model(FILE, CiSealResult)
    if found is None:
        return
    if not found.cases:
        yield refused(f"{FILE}#/cases", "none", "CI_SEAL_NONE", "No class.", "a class of drift")
    places = [(f"{FILE}#/cases/{at}", case) for at, case in enumerate(found.cases)]
    yield from twice(
        ((f"{at}/drift_class", case.drift_class) for at, case in places), "CI_SEAL_TWICE"
    )
    closed = [case for case in found.cases if case.answer == FAIL]
    yield from counted(
        f"{FILE}#/class_count",
        found.class_count,
        len(found.cases),
        against=f"{FILE}#/cases",
        code="CI_SEAL_COUNT_WRONG",
    )
    # each answer is only claimed, and so is what the answers come to
    if found.fail_closed_count is not None:
        yield must_be(
            f"{FILE}#/fail_closed_count",
            found.fail_closed_count,
            len(closed),
            code="CI_SEAL_COUNT_WRONG",
            message="Another number of answers says so.",
        )
    for key, file in (("sealed", found.sealed), ("checker", found.checker)):
        if file is not None:
            place = f"{FILE}#/{key}"
            yield from _bytes(evidence, f"{place}/sha256", f"{place}/file", file.file, file.sha256)
    for where, case in places:
        yield from _case(evidence, found, case, where)
    yield must_be(
        f"{FILE}#/all_fail_closed",
        found.all_fail_closed,
        bool(closed) and len(closed) == len(found.cases),
        code="CI_SEAL_FLAG_WRONG",
        message="The cases say something else.",
    )
    yield from _control(evidence, found)
    for name, reaches in (
        ("ci_triggered", found.ci_triggered),
        ("production_wired", found.production_wired),
        (f"resolves_{BLOCKER}", found.resolves),
    ):
        yield must_be(
            f"{FILE}#/{name}",
            reaches,
            False,
            code="CI_SEAL_OVERREACH",
            message="A trial does nothing of the kind.",
        )


def _case(evidence: Evidence, found: CiSealResult, case: Case, where: str) -> Iterator[Row]:
    yield from _tried(evidence, case, where)
    if case.observed_sha256 == found.sealed.sha256:
        yield refused(
            f"{where}/observed_sha256",
            case.observed_sha256,
            "CI_SEAL_NO_DRIFT",
            "These are the sealed bytes.",
            "other bytes",
        )
    yield must_be(
        f"{where}/fails_closed",
        case.fails_closed,
        case.answer == FAIL,
        code="CI_SEAL_FLAG_WRONG",
        message="The answer says something else.",
    )
    if case.answer == FAIL:
        yield claimed(f"{where}/answer", FAIL)
    else:
        yield refused(f"{where}/answer", case.answer, "CI_SEAL_FAILS_OPEN", "No FAIL.", FAIL)


def _control(evidence: Evidence, found: CiSealResult) -> Iterator[Row]:
    where, control = f"{FILE}#/control", found.control
    yield from _tried(evidence, control, where)
    held = control.observed_sha256 == found.sealed.sha256 and control.answer == PASS
    if held:
        yield claimed(f"{where}/answer", PASS)
    else:
        yield refused(
            where,
            f"{control.answer} {control.observed_sha256}",
            "CI_SEAL_CONTROL",
            "The sealed bytes have to pass.",
            f"{PASS} {found.sealed.sha256}",
        )
    yield must_be(
        f"{FILE}#/passes_on_byte_identical",
        found.passes_on_byte_identical,
        held,
        code="CI_SEAL_FLAG_WRONG",
        message="The control says something else.",
    )


def _tried(evidence: Evidence, tried: Tried, where: str) -> Iterator[Row]:
    value = tried.observed_sha256
    if hash_kind(value) not in (HashKind.DIGEST, HashKind.ABSENT):
        yield refused(
            f"{where}/observed_sha256", value, "CI_SEAL_BYTES_DIFFER", "No digest.", "a digest"
        )
    elif tried.observed is None:
        yield claimed(f"{where}/observed_sha256", value)
    else:
        places = f"{where}/observed_sha256", f"{where}/observed"
        yield from _bytes(evidence, *places, tried.observed, value)


def _bytes(evidence: Evidence, where: str, named_at: str, path: str, stated: str) -> Iterator[Row]:
    if not evidence.has(path):
        yield named(evidence, named_at, path, "CI_SEAL_FILE_MISSING")
        return
    yield file_rows(
        evidence,
        where,
        path,
        stated,
        code="CI_SEAL_BYTES_DIFFER",
        message="The file's bytes give another digest.",
    )


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    cases: tuple[tuple[str, dict[str, str], str], ...] = (
        ("edited_content", {"observed": "states/other.sql"}, samples.state("states/other.sql")),
        ("missing_file", {}, ABSENT),
    )
    return {
        "lane": "sample",
        "checker": {"file": "rollback_check.py", "sha256": samples.state("rollback_check.py")},
        "sealed": {
            "file": "states/expected.sql",
            "sha256": samples.state("states/expected.sql"),
        },
        "class_count": len(cases),
        "fail_closed_count": len(cases),
        "cases": [
            {
                "drift_class": name,
                **file,
                "observed_sha256": digest,
                "answer": FAIL,
                "fails_closed": True,
            }
            for name, file, digest in cases
        ],
        "all_fail_closed": True,
        "control": {
            "observed": "states/read-1.sql",
            "observed_sha256": samples.state("states/read-1.sql"),
            "answer": PASS,
        },
        "passes_on_byte_identical": True,
        "ci_triggered": False,
        "production_wired": False,
        f"resolves_{BLOCKER}": False,
    }


def _damaged(*steps: str | int, to: object) -> Callable[[], Evidence]:
    return lambda: samples.changed(FILE, {steps: to})


KIND = EvidenceKind(
    file=FILE,
    title="Seal-vs-bytes gate",
    about="every class of drift fails closed, and the sealed bytes pass",
    model=CiSealResult,
    codes=CODES,
    rows=rows,
    controls={
        "CI_SEAL_NONE": lambda: samples.changed(
            FILE,
            {
                ("cases",): [],
                ("class_count",): 0,
                ("fail_closed_count",): 0,
                ("all_fail_closed",): False,
            },
        ),
        "CI_SEAL_TWICE": _damaged("cases", 1, "drift_class", to="edited-content"),
        # S4 says 7 of 7, and six are listed
        "CI_SEAL_COUNT_WRONG": _damaged("class_count", to=7),
        "CI_SEAL_FAILS_OPEN": lambda: samples.changed(
            FILE,
            {
                ("cases", 0, "answer"): PASS,
                ("cases", 0, "fails_closed"): False,
                ("fail_closed_count",): 1,
                ("all_fail_closed",): False,
            },
        ),
        "CI_SEAL_NO_DRIFT": lambda: samples.changed(
            FILE,
            {
                ("cases", 0, "observed"): "states/read-2.sql",
                ("cases", 0, "observed_sha256"): samples.state("states/read-2.sql"),
            },
        ),
        "CI_SEAL_CONTROL": lambda: samples.changed(
            FILE, {("control", "answer"): FAIL, ("passes_on_byte_identical",): False}
        ),
        "CI_SEAL_FLAG_WRONG": _damaged("all_fail_closed", to=False),
        "CI_SEAL_BYTES_DIFFER": _damaged("cases", 0, "observed", to="change.sql"),
        "CI_SEAL_FILE_MISSING": _damaged("cases", 0, "observed", to="states/gone.sql"),
        "CI_SEAL_OVERREACH": _damaged(f"resolves_{BLOCKER}", to=True),
    },
)
