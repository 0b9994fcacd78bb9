"""A blocker never vanishes: it is carried, changed with a reason, or closed with evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from generator.chain.said import Leg, Said
from generator.chain.subject import InChain, Known, Past, is_bare, worst
from generator.facts import Blocker
from generator.model.finding import Finding
from generator.names import visible
from generator.rules.base import Code, Rule

_WHY = "What stops production must not stop to be seen before it is solved."
CODES = {
    "BLOCKER-VANISHED": Code(
        "A list of blockers leaves out one that a lane before lists as open.",
        _WHY,
        "List it again, open or closed with evidence.",
    ),
    "BLOCKER-CLOSED": Code(
        "A blocker is stated as closed by a lane without evidence that was verified.",
        _WHY,
        "Close it in a lane whose packet shows that it is solved, or leave it open.",
    ),
    "BLOCKER-CHANGED": Code(
        "A blocker is stated otherwise than in the lane before, and nothing says why.",
        _WHY,
        "Say beside it what was done, or what was found.",
    ),
    "BLOCKER-COUNT": Code(
        "A lane states another number of open blockers than the lanes before and it name.",
        _WHY,
        "Name the blockers that are open, and count them again.",
    ),
    "BLOCKER-UNNAMED": Code(
        "A lane names only some of the blockers that are open.",
        "The others stand as the lanes before state them.",
        "Nothing must be done; a whole list is easier to check.",
    ),
    "LEG-RENAMED": Code(
        "A leg of a blocker has another name than in the lane before.",
        "Whether it is the same leg cannot be told; what was proven of one may be claimed of both.",
        "Say which leg is which, or keep the name.",
    ),
    "LEG-VANISHED": Code(
        "The legs of a blocker leave out one that a lane before lists as open.",
        _WHY,
        "List it again with its state.",
    ),
}
_MOST_NAMED = 20


def check(subject: InChain) -> Iterator[Finding]:
    """Hold the blockers of a lane against those that are known from the lanes before it."""
    said, past = subject.said, subject.past
    rows = worst(said.blockers)
    if past.listed:
        left_out = [
            known
            for row_id, known in past.blockers.items()
            if known.row.open and not known.gone and row_id not in rows
        ]
        if said.whole:
            yield from (_vanished(known, said) for known in left_out)
        else:
            yield from _counted(subject, rows, left_out)
    for row_id, row in rows.items():
        known = past.blockers.get(row_id)
        if known is not None:
            yield from _moved(subject, row, known)
    for row_id, legs in said.legs.items():
        known = past.blockers.get(row_id)
        if known is not None and known.legs:
            yield from _legs(row_id, legs, known)


def _place(known: Known) -> str:
    return f"{known.lane}/{known.row.where}"


def _vanished(known: Known, said: Said) -> Finding:
    return Finding(
        "BLOCKER-VANISHED",
        said.blockers[0].where if said.blockers else "",
        "",
        visible(known.row.id, 120),
        f"{known.lane} states it as {known.row.state}: {_place(known)}.",
    )


def _counted(
    subject: InChain, rows: Mapping[str, Blocker], left_out: list[Known]
) -> Iterator[Finding]:
    """Hold a count against all that must be open, where a lane names none or only some."""
    said = subject.said
    if said.open_count is not None:
        named = sum(row.open for row in rows.values())
        expected = named + len(left_out)
        if said.open_count != expected:
            yield Finding(
                "BLOCKER-COUNT",
                said.open_where,
                str(said.open_count),
                str(expected),
                f"The lanes before leave {len(left_out)} open that are not named here"
                f"{f' (first: {_place(left_out[0])})' if left_out else ''}, and {named} are named.",
            )
            return
    if rows and left_out:
        names = ", ".join(visible(known.row.id, 80) for known in left_out[:_MOST_NAMED])
        more = len(left_out) - _MOST_NAMED
        yield Finding(
            "BLOCKER-UNNAMED",
            said.blockers[0].where,
            f"{len(rows)} named",
            f"{len(left_out)} not named",
            f"Not named: {names}{f' and {more} more' if more > 0 else ''};"
            f" they stand as {left_out[0].lane} and lanes before state them.",
            severity="note",
        )


def _moved(subject: InChain, row: Blocker, known: Known) -> Iterator[Finding]:
    """Look at a blocker that is stated here and before."""
    if known.row.open and not row.open:
        if not subject.sound:
            yield Finding(
                "BLOCKER-CLOSED",
                row.where,
                visible(row.stated, 160),
                "no evidence that was verified",
                f"{visible(row.id, 120)} is {known.row.state} in {_place(known)}.",
            )
        return
    same = (row.open, row.progress) == (known.row.open, known.row.progress)
    if same or (is_bare(row) and row.open == known.row.open):
        return
    told = row.id in subject.said.reasoned or (
        row.next_action and row.next_action != known.row.next_action
    )
    if not told:
        yield Finding(
            "BLOCKER-CHANGED",
            row.where,
            row.state,
            known.row.state,
            f"{visible(row.id, 120)} is {known.row.state} in {_place(known)},"
            " and nothing here says what changed it.",
        )


def _legs(row_id: str, legs: tuple[Leg, ...], known: Known) -> Iterator[Finding]:
    """Hold the names of a blocker's legs against those in the lane before."""
    now = {leg.name.lower(): leg for leg in legs}
    before = {leg.name.lower(): leg for leg in known.legs}
    gone = [leg for name, leg in before.items() if name not in now]
    fresh = [leg for name, leg in now.items() if name not in before]
    if gone and fresh:
        yield Finding(
            "LEG-RENAMED",
            fresh[0].where,
            ", ".join(visible(leg.name, 60) for leg in fresh[:_MOST_NAMED]),
            ", ".join(visible(leg.name, 60) for leg in gone[:_MOST_NAMED]),
            f"{visible(row_id, 120)} has other legs in {known.legs_lane}/{gone[0].where}.",
            severity="note",
        )
    elif gone and all(leg.listed for leg in (*legs, *known.legs)):
        for leg in gone:
            if leg.state.lower().startswith("open"):
                yield Finding(
                    "LEG-VANISHED",
                    legs[0].where,
                    "",
                    visible(leg.name, 120),
                    f"The leg of {visible(row_id, 120)} is open in {known.legs_lane}/{leg.where}.",
                )


def _row(row_id: str, progress: str = "none", *, opened: bool = True) -> Blocker:
    where = "report.json#/production_blocker_map/blockers/0"
    stated = "OPEN" if opened else "closed"
    return Blocker(row_id, opened, progress, stated, (), "owner", "grant", "production", where)


_FIRST, _SECOND = _row("P-GRANT-1"), _row("P-ROLLBACK-1")


def _said(*rows: Blocker, names: tuple[str, ...] = ("clone leg", "production leg")) -> Said:
    legs = tuple(Leg(name, "OPEN", rows[-1].where, True) for name in names)
    return Said(
        blockers=rows,
        whole=True,
        open_count=sum(row.open for row in rows),
        open_where="report.json#/production_blocker_map/open_count",
        legs={"P-ROLLBACK-1": legs},
    )


def _subject(said: Said) -> InChain:
    past = Past()
    past.add("before", _said(_FIRST, _SECOND))
    return InChain("sample", said, past=past)


def _some(count: int | None) -> InChain:
    return _subject(_said(_SECOND)._replace(whole=False, open_count=count))


RULE = Rule(
    name="carried-blockers",
    protects="against blockers that are lost on the way from lane to lane",
    codes=CODES,
    check=check,
    sound=lambda: _subject(_said(_FIRST, _SECOND)),
    controls={
        "BLOCKER-VANISHED": lambda: _subject(_said(_SECOND)),
        "BLOCKER-CLOSED": lambda: _subject(_said(_row("P-GRANT-1", opened=False), _SECOND)),
        "BLOCKER-CHANGED": lambda: _subject(_said(_row("P-GRANT-1", "narrowed"), _SECOND)),
        "BLOCKER-COUNT": lambda: _some(1),
        "BLOCKER-UNNAMED": lambda: _some(2),
        "LEG-RENAMED": lambda: _subject(
            _said(_FIRST, _SECOND, names=("toy-clone leg", "production leg"))
        ),
        "LEG-VANISHED": lambda: _subject(_said(_FIRST, _SECOND, names=("clone leg",))),
    },
)
