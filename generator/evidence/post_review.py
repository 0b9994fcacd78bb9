"""``post-execution-review.json``: the reviews after the last step, each with its verdict.

A verdict is the reviewer's word; what is derived is what the verdicts come to. Each review names
the files it looked at, so that a reader can look as well.
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
    must_be,
    refused,
)
from generator.evidence.tallies import counted, filled, named
from generator.ledger import Row
from generator.rules.base import Code

FILE = "post-execution-review.json"
PASS, FAIL = "PASS", "FAIL"


class Review(Part, frozen=True):
    """One question, what was looked at, and the answer."""

    id: str
    check: str
    verdict: str
    evidence: tuple[str, ...] = ()


class PostExecutionReview(EvidenceModel, frozen=True):
    """Every review, and what they come to."""

    reviews: list[Review]
    overall: str
    review_count: int | None = None
    pass_count: int | None = None
    all_pass: bool | None = None
    verdict: str | None = None
    """The lane's own word beside it, such as ``NO_PRODUCTION_EXECUTION_CLEAN``."""


_TODO = "Review again, from PER-1 on."
CODES = {
    "REVIEW_NONE": Code("A review after execution has no item.", "Nothing was reviewed.", _TODO),
    "REVIEW_GAP": Code(
        "Reviews are not numbered from PER-1 on, one after the other.",
        "A review is missing, stands twice or was moved.",
        _TODO,
    ),
    "REVIEW_COUNT_WRONG": Code(
        "A count of reviews is not that of the list.",
        "A review came or went after it was counted.",
        "Count the reviews again.",
    ),
    "REVIEW_UNFILLED": Code(
        "A review does not say what was checked, or at which file it looked.",
        "Nobody can look again.",
        "Write both; a review that looked at itself looked at nothing.",
    ),
    "REVIEW_EVIDENCE_MISSING": Code(
        "A review names a file that is not in the packet.",
        "What it looked at cannot be looked at again.",
        "Put the file into the packet, and review again.",
    ),
    "REVIEW_VERDICT": Code(
        "The verdict of a review is neither PASS nor FAIL.",
        "An open question is no pass.",
        "Answer it, or say FAIL.",
    ),
    "REVIEW_FAILED": Code(
        "A review did not pass.",
        "What was looked for was found wanting.",
        "Mend what it found in another lane; this one stays failed.",
    ),
    "REVIEW_OVERALL": Code(
        "The overall verdict of the reviews does not say what the single ones say.",
        "Whoever reads only the last line decides on something else.",
        "Derive it again: it is PASS if every review is, else FAIL.",
    ),
}


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive numbers, counts and the overall verdict from the single reviews."""
    found = evidence.model(FILE, PostExecutionReview)
    if found is None:
        return
    if not found.reviews:
        yield refused(f"{FILE}#/reviews", "none", "REVIEW_NONE", "No review.", "a review")
    passed = [review for review in found.reviews if review.verdict == PASS]
    yield from counted(
        f"{FILE}#/review_count",
        found.review_count,
        len(found.reviews),
        against=f"{FILE}#/reviews",
        code="REVIEW_COUNT_WRONG",
    )
    for index, review in enumerate(found.reviews):
        yield from _review(evidence, review, index)
    whole = bool(passed) and len(passed) == len(found.reviews)
    # each verdict is only claimed, and so is what they come to
    for name, said, computed, code in (
        ("pass_count", found.pass_count, len(passed), "REVIEW_COUNT_WRONG"),
        ("overall", found.overall, PASS if whole else FAIL, "REVIEW_OVERALL"),
        ("all_pass", found.all_pass, whole, "REVIEW_OVERALL"),
    ):
        if said is not None:
            yield must_be(
                f"{FILE}#/{name}",
                said,
                computed,
                code=code,
                message="The single reviews say something else.",
            )
    if found.verdict is not None:
        yield claimed(f"{FILE}#/verdict", found.verdict)


def _review(evidence: Evidence, review: Review, index: int) -> Iterator[Row]:
    place = f"{FILE}#/reviews/{index}"
    yield derived(
        f"{place}/id",
        review.id,
        f"PER-{index + 1}",
        against=f"{FILE}#/reviews",
        code="REVIEW_GAP",
        message="The reviews are not numbered one after the other.",
    )
    yield from filled(f"{place}/check", review.check, "REVIEW_UNFILLED")
    if not set(review.evidence) - {FILE}:
        yield refused(
            f"{place}/evidence",
            review.evidence,
            "REVIEW_UNFILLED",
            "It looked at no file.",
            "a file of the packet",
        )
    for number, path in enumerate(review.evidence):
        yield named(evidence, f"{place}/evidence/{number}", path, "REVIEW_EVIDENCE_MISSING")
    if review.verdict == PASS:
        yield claimed(f"{place}/verdict", review.verdict)
    elif review.verdict == FAIL:
        yield refused(f"{place}/verdict", FAIL, "REVIEW_FAILED", "It did not pass.", PASS)
    else:
        yield refused(
            f"{place}/verdict",
            review.verdict,
            "REVIEW_VERDICT",
            "Neither PASS nor FAIL.",
            [PASS, FAIL],
        )


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    looked_at = (
        ("scope intact", "scope-lock.json"),
        ("forbidden surfaces untouched", "forbidden-surface-proof.json"),
        ("rollback exists", "rollback-recovery-proof.json"),
    )
    return {
        "lane": "sample",
        "review_count": len(looked_at),
        "pass_count": len(looked_at),
        "reviews": [
            {"id": f"PER-{number}", "check": check, "evidence": [path], "verdict": PASS}
            for number, (check, path) in enumerate(looked_at, 1)
        ],
        "all_pass": True,
        "overall": PASS,
        "verdict": "NO_PRODUCTION_EXECUTION_CLEAN",
    }


def _answered(verdict: str) -> Callable[[], Evidence]:
    """Return a control: one review has another verdict, and everything else says so."""
    return lambda: samples.changed(
        FILE,
        {
            ("reviews", 0, "verdict"): verdict,
            ("pass_count",): 2,
            ("all_pass",): False,
            ("overall",): FAIL,
        },
    )


def _damaged(*steps: str | int, to: object) -> Callable[[], Evidence]:
    return lambda: samples.changed(FILE, {steps: to})


KIND = EvidenceKind(
    file=FILE,
    title="Post-execution review",
    about="what was done was reviewed item by item, and every item passed",
    model=PostExecutionReview,
    codes=CODES,
    rows=rows,
    controls={
        "REVIEW_NONE": lambda: samples.evidence_of(
            FILE, {"lane": "sample", "reviews": [], "overall": FAIL}
        ),
        "REVIEW_GAP": _damaged("reviews", 1, "id", to="PER-3"),
        "REVIEW_COUNT_WRONG": _damaged("review_count", to=10),
        "REVIEW_UNFILLED": _damaged("reviews", 1, "check", to=""),
        "REVIEW_EVIDENCE_MISSING": _damaged("reviews", 1, "evidence", to=["gone.json"]),
        "REVIEW_VERDICT": _answered("NOT_RUN"),
        "REVIEW_FAILED": _answered(FAIL),
        "REVIEW_OVERALL": _damaged("overall", to=FAIL),
    },
)
