"""A verdict as rows for machines: each claim, each finding, and what each lane came to.

The rows follow the exit code: something failed exactly where it is 1, and where nothing failed
there is an error exactly where it is 3. So no reader of the rows sees a green run that was none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from generator import checks_explained as checks
from generator.model.decision import DecisionState, Recorded
from generator.model.document import Place, read_place
from generator.model.finding import Claim, Finding
from generator.model.outcome import Agreement, Level, Outcome
from generator.model.result import Result, RuleText
from generator.model.verdict import LaneVerdict, RootVerdict
from generator.names import visible
from generator.reading.lane import LANE_FILE
from generator.reading.root import PINS
from generator.render.words import plural

RUN = "(run)"
"""The group of what belongs to no lane; no lane can have this id."""


def results(
    verdict: RootVerdict, *, strict: bool, unreadable: Mapping[str, str]
) -> tuple[Result, ...]:
    """Return the rows of a verdict, whose facts were kept.

    Args:
        verdict: over everything that was asked for.
        strict: whether claims that nothing can confirm count as findings.
        unreadable: paths that were asked for and could not be opened, and why.
    """
    return tuple(_results(verdict, strict, unreadable))


def rule_texts() -> dict[str, RuleText]:
    """Return every code that a row can have, with what ``lanebook explain`` tells of it."""
    from generator.rules.catalogue import CODES

    known = CODES | checks.CHECKS
    return {code: RuleText(text.meaning, text.why, text.todo) for code, text in known.items()}


def _results(verdict: RootVerdict, strict: bool, unreadable: Mapping[str, str]) -> Iterator[Result]:
    for path, why in unreadable.items():
        yield Result(RUN, path, "error", checks.PATH, why)
    if not verdict.lanes and not unreadable:
        yield Result(RUN, "lanes", "error", checks.NOTHING, "packets/ holds no lane")
    if verdict.lanes and verdict.rules:
        proven = f"{plural(verdict.rules, 'rule')} proven by {plural(verdict.controls, 'control')}"
        yield Result(RUN, "rules", "passed", checks.PROVEN, proven)
    for name in verdict.unread:
        yield Result(RUN, name, "skipped", checks.UNREAD, file=name, word="not read")
    for lane in verdict.lanes:
        yield from _lane(lane, strict)
    for decision in verdict.decisions:
        yield from _decision(decision)


def _lane(lane: LaneVerdict, strict: bool) -> Iterator[Result]:
    places = _Places(lane)
    yield _verdict(lane)
    counts = lane.counts
    if strict and counts.claimed_only:
        told = f"{plural(counts.claimed_only, 'claim')} that nothing can confirm"
        yield Result(lane.id, "strict", "failed", checks.STRICT, told, lane.folder)
    if lane.stated_outcome in (Outcome.NOT_RUN, Outcome.NOT_APPLICABLE):
        yield Result(
            lane.id,
            "stated status",
            "skipped",
            checks.STATED,
            f"stated {visible(lane.stated_status)}",
            lane.folder,
            word=lane.stated_outcome.value,
        )
    for error in lane.errors:
        rule, _, message = error.partition(": ")
        yield Result(lane.id, f"rule {rule}", "error", checks.RULE, message, lane.folder)
    for finding in lane.findings:
        yield _finding(lane.id, finding, places.find(finding.where))
    for claim in lane.claims:
        yield _claim(lane.id, claim, places.find(claim.where))


def _verdict(lane: LaneVerdict) -> Result:
    counts = lane.counts
    told = (
        f"{lane.integrity}; {counts.recomputed} recomputed, {counts.cross_checked} cross-checked,"
        f" {counts.claimed_only} claimed only, {counts.refuted} refuted"
    )
    one = Result(lane.id, "verdict", "passed", checks.LANE, told, lane.folder)
    if lane.outcome is Outcome.PASS:
        return one
    failed = lane.outcome is Outcome.FAIL
    return Result(
        one.group,
        one.name,
        "failed" if failed else "error",
        one.code,
        f"{plural(len(lane.refuting), 'finding')}; {told}" if failed else f"no verdict: {told}",
        one.file,
    )


def _finding(group: str, finding: Finding, place: _Place) -> Result:
    sides = (("stated", finding.stated), ("found", finding.computed))
    both = ", ".join(f"{word} {text}" for word, text in sides if text)
    return Result(
        group,
        f"{finding.code} {finding.where}",
        "failed" if finding.refutes else "skipped",
        finding.code,
        f"{finding.message} ({both})" if both else finding.message,
        *place,
        word="" if finding.refutes else "note",
    )


def _claim(group: str, claim: Claim, place: _Place) -> Result:
    stated = f"stated {claim.stated}"
    code = checks.OF_LEVEL[claim.level]
    against = f" ({claim.against})" if claim.against else ""
    if claim.agreement is Agreement.DIFFERS:
        told = f"{stated}, found {claim.recomputed}{against}"
        return Result(group, claim.id, "failed", code, told, *place, word=claim.level.value)
    if claim.agreement is Agreement.AGREES and claim.level is not Level.CLAIMED_ONLY:
        told = f"{stated}, which agrees{against}"
        return Result(group, claim.id, "passed", code, told, *place, word=claim.level.value)
    ambiguous = claim.agreement is Agreement.AMBIGUOUS
    word = claim.agreement.value if ambiguous else Level.CLAIMED_ONLY.value
    return Result(group, claim.id, "skipped", code, stated, *place, word=word)


def _decision(one: Recorded) -> Iterator[Result]:
    group = "(decisions)"
    if one.state is DecisionState.REFUSED:
        yield Result(group, one.file, "failed", checks.DECISION, one.words, one.file)
    elif one.state is DecisionState.CURRENT:
        yield Result(group, one.file, "passed", checks.DECISION, one.words, one.file)
    else:
        yield Result(
            group, one.file, "skipped", checks.DECISION, one.words, one.file, word=one.state.value
        )
    for finding in one.findings:
        place = read_place(finding.where)
        here = place.name == one.file
        found = (one.file, _line(place), place.pointer or "") if here else (one.file, None, "")
        yield _finding(group, finding, found)


_Place = tuple[str, int | None, str]
"""File, line and pointer of a :class:`Result`."""


class _Places:
    """Finds the file that a place in a lane means, relative to the root.

    Only what was really met is named as a file; of anything else it is known that it belongs to
    the lane, and its folder stands for it.
    """

    def __init__(self, lane: LaneVerdict) -> None:
        self.folder = lane.folder
        around, _, _ = lane.folder.rpartition("/")
        above = f"{around}/" if around else ""
        beside = above if lane.layout in ("older", "documents") else f"{lane.folder}/"
        inside = f"{lane.folder}/{lane.evidence}/" if lane.layout == "lane" else f"{lane.folder}/"
        self.files = {PINS: PINS, LANE_FILE: f"{lane.folder}/{LANE_FILE}"}
        for document in lane.documents:
            self.files[document.name] = f"{beside}{document.name}"
        for name in lane.seals:
            self.files[f"{lane.evidence}/{name}"] = f"{inside}{name}"
        for state in lane.files:
            self.files[f"{lane.evidence}/{visible(state.path)}"] = f"{inside}{state.path}"

    def find(self, where: str) -> _Place:
        """Return the place that ``where`` means."""
        if where in self.files:
            return self.files[where], None, ""
        place = read_place(where)
        if place.name not in self.files:
            # a place inside a file that is no JSON, such as outputs/RX-0.txt#expected rows
            place = Place(where.partition("#")[0])
        file = self.files.get(place.name)
        if file is None:
            return self.folder, None, ""
        return file, _line(place), place.pointer or ""


def _line(place: Place) -> int | None:
    return int(place.line) or None if place.line else None
