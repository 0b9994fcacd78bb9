"""A decision packet offers each of its options once, among them one that holds (spec 3)."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator

from generator.ballots import Ballot, ballots, is_hold
from generator.model.finding import Finding
from generator.names import skeleton, visible
from generator.rules.ballot_samples import EXECUTE, HOLD, OPTIONS, REHEARSE, lane, listed
from generator.rules.base import Code, Rule
from generator.rules.context import InLane

CODES = {
    "DECISION-HOLD": Code(
        "No option of a decision packet holds.",
        "An owner who wants nothing to happen has nothing to choose.",
        "Offer an option to hold, and make it the default.",
    ),
    "DECISION-OPTION-MISSING": Code(
        "A decision packet offers fewer than two options, or one without a name.",
        "Where there is one option, or none, nothing is left to decide.",
        "List every option by its name, the one that holds among them.",
    ),
    "DECISION-OPTION-TWICE": Code(
        "A decision packet offers one option twice.",
        "What stands there twice weighs more, or one of the two was to be another option.",
        "Offer each option once.",
    ),
    "DECISION-OPTION-UNKNOWN": Code(
        "A decision packet explains or recommends an option that it does not offer.",
        "Nobody can tell whether it may be chosen.",
        "Offer the option, or take it out.",
    ),
    "DECISION-OPTIONS-DIFFER": Code(
        "Two documents of a lane offer other options, or the same in another order.",
        "The owner decides from one of them, and somebody acts by the other.",
        "Let every document of the lane offer the same options in the same order.",
    ),
}
_MOST = 20


def check(subject: InLane) -> Iterator[Finding]:
    """Look at the options of every decision packet of a lane, and hold them against each other."""
    found = ballots(subject.lane.documents)
    full = [ballot for ballot in found if len(set(ballot.options)) > 1]
    for ballot in found:
        yield from _own(ballot, offered_elsewhere=bool(full))
    for ballot in full[1:]:
        one, other = (tuple(dict.fromkeys(each.options)) for each in (full[0], ballot))
        if one != other:
            how = "in another order" if sorted(one) == sorted(other) else "other ones"
            yield Finding(
                "DECISION-OPTIONS-DIFFER",
                ballot.where,
                _named(other),
                _named(one),
                f"{visible(full[0].where, 120)} offers {how}.",
            )


def _own(ballot: Ballot, *, offered_elsewhere: bool) -> Iterator[Finding]:
    options = ballot.options
    where = ballot.choices[0].where if ballot.choices else ballot.where
    if (len(set(options)) < 2 and (options or not offered_elsewhere)) or "" in options:
        yield Finding(
            "DECISION-OPTION-MISSING",
            ballot.where,
            _named(options),
            "two options at least, each with a name",
            "The decision packet leaves the owner nothing to decide.",
        )
    if len(set(options)) > 1 and not any(is_hold(token) for token in options):
        yield Finding(
            "DECISION-HOLD", where, _named(options), "an option that holds", "No option holds."
        )
    counts = Counter(options)
    for choice in ballot.choices:
        if choice.token and counts[choice.token] > 1:
            yield Finding(
                "DECISION-OPTION-TWICE",
                choice.where,
                visible(choice.token, 80),
                f"{counts.pop(choice.token)} times",
                "The option is offered more than once.",
            )
    yield from _alike(ballot)
    yield from _reordered(ballot)
    if options:
        yield from _unknown(ballot, frozenset(options))


def _alike(ballot: Ballot) -> Iterator[Finding]:
    """Look for two options that an owner could not tell apart, though their bytes differ."""
    first: dict[str, str] = {}
    for choice in ballot.choices:
        other = first.setdefault(_looks(choice.token), choice.token)
        if other != choice.token:
            yield Finding(
                "DECISION-OPTION-TWICE",
                choice.where,
                visible(choice.token, 80),
                visible(other, 80),
                "Two options look alike, and are written with other characters.",
            )


def _looks(token: str) -> str:
    shown = "".join(char for char in token if unicodedata.category(char) not in ("Cf", "Mn", "Cc"))
    return skeleton(shown.strip().upper())


def _reordered(ballot: Ballot) -> Iterator[Finding]:
    """Look for a second list of all the options that puts them in another order."""
    offered = tuple(dict.fromkeys(ballot.options))
    for listing in ballot.listings[1:]:
        again = tuple(dict.fromkeys(choice.token for choice in listing))
        if again != offered and sorted(again) == sorted(offered):
            yield Finding(
                "DECISION-OPTIONS-DIFFER",
                listing[0].where,
                _named(again),
                _named(offered),
                f"{visible(ballot.choices[0].where, 120)} offers in another order.",
            )


def _unknown(ballot: Ballot, options: frozenset[str]) -> Iterator[Finding]:
    spoken_of = [
        *((said.text, said.where) for said in ballot.explained),
        *((said.text, said.where) for said in ballot.recommended if is_hold(said.text)),
        *((choice.token, choice.where) for more in ballot.listings[1:] for choice in more),
    ]
    for token, where in dict.fromkeys(spoken_of):
        if token not in options:
            yield Finding(
                "DECISION-OPTION-UNKNOWN",
                where,
                visible(token, 80),
                _named(ballot.options),
                "The option is not offered.",
            )


def _named(options: tuple[str, ...]) -> str:
    more = f"; and {len(options) - _MOST} more" if len(options) > _MOST else ""
    return "; ".join(visible(token, 80) for token in options[:_MOST]) + more


RULE = Rule(
    name="decision-options",
    protects="against a decision packet that leaves an owner no choice, or another one",
    codes=CODES,
    check=check,
    sound=lane,
    controls={
        "DECISION-HOLD": lambda: lane(
            packet={"options": [REHEARSE, EXECUTE]}, lines=listed([REHEARSE, EXECUTE])
        ),
        "DECISION-OPTION-MISSING": lambda: lane(packet={"options": [HOLD]}),
        "DECISION-OPTION-TWICE": lambda: lane(lines=listed([*OPTIONS, EXECUTE])),
        "DECISION-OPTION-UNKNOWN": lambda: lane(
            packet={"option_meanings": {"EXECUTE_AT_ONCE": "no waiting"}}
        ),
        "DECISION-OPTIONS-DIFFER": lambda: lane(lines=listed([HOLD, EXECUTE, REHEARSE])),
    },
)
